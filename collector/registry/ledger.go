package registry

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol/wholefile"
)

// The ledger of erasures lies outside the database, so that what was erased after
// a backup is erased again when that is restored. It has ids and times, and says
// nothing about a person. A line is "MAC JSON": the MAC, in hexadecimal, is
// HMAC-SHA256 over the MAC before it and the JSON, so a line that is changed, left
// out or put in is noticed. That the last lines are missing is noticed only by
// what knows how far it had come: each backup (ledgerHead), and a register that is
// still there (openLedger).

// What an Erasure was.
const (
	erasedWithdrawn = "withdrawn" // by an agent, or by the owner with their code
	erasedByOffice  = "erased"    // by the operator
	erasedSuspended = "suspended"
	erasedResumed   = "resumed"
)

// Erasure is a line of the ledger: something that nobody sends again.
type Erasure struct {
	Site string    `json:"site"`
	What string    `json:"what"`
	At   time.Time `json:"at"`
	// Epoch is how many times agents had been enrolled for the site: a later
	// enrolment is a later decision of its owner's.
	Epoch int64 `json:"epoch"`
	// Agent that withdrew it, in which of its grants, and when it says that it
	// did; "": none.
	Agent  string    `json:"agent,omitempty"`
	Grant  int64     `json:"grant,omitempty"`
	MadeAt time.Time `json:"made_at,omitzero"`
}

// ledgerHead is how far a ledger has come.
type ledgerHead struct {
	Lines int    `json:"lines"`         // 0: there is no ledger
	MAC   string `json:"mac,omitempty"` // of the last, in hexadecimal
}

// ledgerBegin is the first line.
type ledgerBegin struct {
	Ledger string    `json:"ledger"` // a random id: each ledger has MACs of its own
	Begun  time.Time `json:"begun"`
}

const (
	maxLedgerLine = 4 << 10
	macDigits     = 2 * sha256.Size
)

// ErrLedger is returned for a ledger that is not as it was written.
var ErrLedger = errors.New("the ledger of erasures was changed or cut: restore it from a copy; without it, what was erased could come back")

// LedgerText is what a ledger says.
type LedgerText struct {
	Begun    time.Time
	Erasures []Erasure
	macs     []string // of each line
}

// Continues reports whether a ledger had come as far as head, on its way here.
func (l LedgerText) Continues(head ledgerHead) bool {
	return head.Lines == 0 || head.Lines <= len(l.macs) && l.macs[head.Lines-1] == head.MAC
}

// ReadLedger reads a ledger with the key that it is written with. rest is how many
// bytes a power cut has left of a line that was never acknowledged.
func ReadLedger(in io.Reader, key []byte) (text LedgerText, rest int, err error) {
	lines := bufio.NewReaderSize(in, maxLedgerLine)
	var mac []byte
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) && n > 1 {
			return text, len(line), nil
		}
		if err != nil {
			return LedgerText{}, 0, fmt.Errorf("%w (line %d: %w)", ErrLedger, n, noEOF(err))
		}
		content, ok := checkLine(key, mac, bytes.TrimSuffix(line, []byte("\n")))
		if !ok {
			return LedgerText{}, 0, fmt.Errorf("%w (line %d; or it is of another collector, with another root.secret)", ErrLedger, n)
		}
		mac = append(mac[:0], line[:macDigits]...)
		text.macs = append(text.macs, string(mac))
		if err := text.add(n, content); err != nil {
			return LedgerText{}, 0, fmt.Errorf("%w (line %d: %w)", ErrLedger, n, err)
		}
	}
}

func (l *LedgerText) add(n int, content []byte) error {
	if n == 1 {
		var begin ledgerBegin
		err := json.Unmarshal(content, &begin)
		l.Begun = begin.Begun
		return err
	}
	var e Erasure
	if err := json.Unmarshal(content, &e); err != nil {
		return err
	}
	l.Erasures = append(l.Erasures, e)
	return nil
}

// macOf returns the MAC of a line's content after the MAC of the line before.
func macOf(key, before, content []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(before)
	m.Write([]byte{' '})
	m.Write(content)
	return hex.AppendEncode(nil, m.Sum(nil))
}

func checkLine(key, before, line []byte) (content []byte, ok bool) {
	if len(line) <= macDigits || line[macDigits] != ' ' {
		return nil, false
	}
	content = line[macDigits+1:]
	return content, hmac.Equal(line[:macDigits], macOf(key, before, content))
}

// ledgerFile is the open ledger of a collector. A nil one takes nothing.
type ledgerFile struct {
	key []byte

	mu      sync.Mutex
	file    *os.File
	size    int64 // of what is written and on the disk
	lines   int
	mac     []byte
	waiting []Erasure // that could not be written
}

// openLedger opens the ledger at path, and begins one where there is none, and gives
// what it says; key is from the root secret. A line that a power cut has left half is
// dropped: it was acknowledged to nobody.
func openLedger(path string, key []byte) (_ *ledgerFile, text LedgerText, err error) {
	l := &ledgerFile{key: key}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := l.begin(path); err != nil {
			return nil, text, err
		}
	}
	if l.file, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return nil, text, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.file.Close())
		}
	}()
	text, rest, err := ReadLedger(l.file, key)
	if err != nil {
		return nil, text, err
	}
	info, err := l.file.Stat()
	if err != nil {
		return nil, text, err
	}
	l.lines, l.mac, l.size = len(text.macs), []byte(text.macs[len(text.macs)-1]), info.Size()-int64(rest)
	return l, text, l.file.Truncate(l.size)
}

// begin writes the first line, whole or not at all.
func (l *ledgerFile) begin(path string) error {
	content, err := json.Marshal(ledgerBegin{uuid.NewString(), exact(time.Now())})
	if err != nil {
		return err
	}
	return wholefile.Write(path, append(append(append(macOf(l.key, nil, content), ' '), content...), '\n'), 0o600)
}

// head is how far the ledger has come.
func (l *ledgerFile) head() ledgerHead {
	if l == nil {
		return ledgerHead{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return ledgerHead{l.lines, string(l.mac)}
}

// add puts erasures into the ledger, and on the disk before it returns. Those of
// which it returned an error go with the next, or are found at the next start: they are
// in the register.
func (l *ledgerFile) add(erasures []Erasure) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, erasures...)
	if len(l.waiting) == 0 {
		return nil
	}
	var all []byte
	mac := l.mac
	for _, e := range l.waiting {
		content, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("write the ledger of erasures: %w", err)
		}
		mac = macOf(l.key, mac, content)
		all = append(append(append(append(all, mac...), ' '), content...), '\n')
	}
	_, err := l.file.WriteAt(all, l.size)
	if err := errors.Join(err, l.file.Sync()); err != nil {
		return fmt.Errorf("write the ledger of erasures: %w (what was erased is erased; make room on the disk that %s lies on)", err, l.file.Name())
	}
	l.size, l.mac, l.lines, l.waiting = l.size+int64(len(all)), mac, l.lines+len(l.waiting), nil
	return nil
}

func (l *ledgerFile) close() error {
	if l == nil {
		return nil
	}
	if err := l.file.Close(); !errors.Is(err, os.ErrClosed) { // twice is no error, as with a database
		return err
	}
	return nil
}
