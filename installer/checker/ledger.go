package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// event is a line of a ledger: see the package comment.
type event struct {
	Event      string    `json:"event"`
	At         time.Time `json:"at"`
	Agent      string    `json:"agent"`
	Site       string    `json:"site"`
	Message    string    `json:"message"`
	SHA256     string    `json:"sha256"`
	Kind       string    `json:"kind"`
	Epoch      int64     `json:"epoch"`
	Revision   int64     `json:"revision"`
	Cameras    int       `json:"cameras"`
	Search     string    `json:"search"`
	Entry      int64     `json:"entry"`
	Checkpoint string    `json:"checkpoint"`
}

// ledger is what was asked, and what was answered.
type ledger struct {
	sent         map[string]event // by message
	acknowledged map[string]event // by message
	asked        map[string]bool  // searches
	answered     map[string]event // by search
	sites        map[string]bool
	at           map[string]int64 // bytes read of each file
}

func newLedger() *ledger {
	return &ledger{sent: map[string]event{}, acknowledged: map[string]event{}, asked: map[string]bool{},
		answered: map[string]event{}, sites: map[string]bool{}, at: map[string]int64{}}
}

// read goes on where it ended in each file. Answers count only if answers says so.
func (l *ledger) read(files []string, answers bool) error {
	for _, name := range files {
		if err := l.readFile(name, answers); err != nil {
			return fmt.Errorf("read the ledger %s: %w", name, err)
		}
	}
	return nil
}

func (l *ledger) readFile(name string, answers bool) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(l.at[name], io.SeekStart); err != nil {
		return err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	l.at[name] += int64(len(whole))
	for line := range bytes.Lines(whole) {
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%q is no line of a ledger: %w", line, err)
		}
		if err := l.note(e, answers); err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) note(e event, answers bool) error {
	switch e.Event {
	case "sent":
		l.sent[e.Message] = e
		l.sites[e.Site] = true
	case "asked":
		l.asked[e.Search] = true
	case "acknowledged":
		if _, sent := l.sent[e.Message]; !sent {
			return fmt.Errorf("message %s is acknowledged, and was not sent before", e.Message)
		}
		if answers {
			l.acknowledged[e.Message] = e
		}
	case "answered":
		if !l.asked[e.Search] {
			return fmt.Errorf("search %s is answered, and was not asked before", e.Search)
		}
		if answers {
			l.answered[e.Search] = e
		}
	default:
		return errors.New("there is no event " + e.Event)
	}
	return nil
}
