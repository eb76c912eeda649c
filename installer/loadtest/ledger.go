package main

import (
	"encoding/json"
	"os"
	"sync"
	"time"
)

// ledger is a file in which each message stands before it leaves, and again once
// it is acknowledged: installer/checker compares it with the register. A line
// counts once it is on disk. nil keeps none.
type ledger struct {
	file *os.File

	mu      sync.Mutex
	written int // lines

	syncing sync.Mutex
	synced  int // of those lines; under syncing
}

// noted is a line.
type noted struct {
	Event    string    `json:"event"` // "sent", "acknowledged"
	At       time.Time `json:"at"`
	Message  string    `json:"message"`
	SHA256   string    `json:"sha256"` // in hex, of the message's bytes
	Agent    string    `json:"agent,omitempty"`
	Site     string    `json:"site,omitempty"`
	Kind     string    `json:"kind,omitempty"`
	Epoch    int64     `json:"epoch,omitempty"`
	Revision int64     `json:"revision,omitempty"`
	Cameras  int       `json:"cameras,omitempty"` // that a declaration names
}

func openLedger(path string) (*ledger, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &ledger{file: f}, nil
}

// note returns when the line is on disk.
func (l *ledger) note(n noted) error {
	if l == nil {
		return nil
	}
	n.At = time.Now().UTC()
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	mine, err := l.write(append(line, '\n'))
	if err != nil {
		return err
	}
	return l.sync(mine)
}

func (l *ledger) write(line []byte) (number int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.file.Write(line); err != nil {
		return 0, err
	}
	l.written++
	return l.written, nil
}

// sync waits until so many lines are on disk: one of those who wait does it for
// all that were written meanwhile.
func (l *ledger) sync(lines int) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if l.synced >= lines {
		return nil
	}
	l.mu.Lock()
	all := l.written
	l.mu.Unlock()
	if err := l.file.Sync(); err != nil {
		return err
	}
	l.synced = all
	return nil
}

func (l *ledger) close() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
