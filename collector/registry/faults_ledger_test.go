package registry

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"sync"
)

// The fault tests put a register under load and take away what it stands on:
// its process, its disk, its file handles, its server. What was asked of it and
// what it acknowledged stands in a ledger outside it, from which follows what it
// must say afterwards: see audit.

// deed is one thing that is asked of a register.
type deed struct {
	Kind  string `json:"kind"`
	Site  string `json:"site,omitempty"`  // "" for an entry of the trail
	Agent string `json:"agent,omitempty"` // of an enrolment
	ID    string `json:"id,omitempty"`    // of the message, the notice or the entry
	N     int    `json:"n"`               // what it says, counted up for each site
}

// Kinds of acts.
const (
	actEnrol    = "enrol"
	actDeclare  = "declare"
	actObserve  = "observe"
	actNotice   = "notice"
	actReply    = "reply"
	actSuspend  = "suspend"
	actResume   = "resume"
	actWithdraw = "withdraw" // by the agent
	actTakeOut  = "take out" // by the owner, from a browser
	actTrail    = "trail"
)

// noted is a line of the ledger: an act before it is asked for, or after it was
// acknowledged.
type noted struct {
	Done bool `json:"done"`
	deed
	// At is, of an acknowledged act, the number of the site's newest change, or
	// the place of the trail's entry; 0 when it could not be read.
	At int64 `json:"at,omitempty"`
}

// line is how a process under load says it: with a checksum, so that what was
// torn when it was killed is not taken for something else.
func (s noted) line() (string, error) {
	b, err := json.Marshal(s)
	return fmt.Sprintf("%08x %s\n", crc32.ChecksumIEEE(b), b), err
}

func parseSaid(line string) (s noted, err error) {
	sum, text, _ := strings.Cut(line, " ")
	if want := fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text))); sum != want {
		return s, fmt.Errorf("a line of the ledger is torn: %q", line)
	}
	return s, json.Unmarshal([]byte(text), &s)
}

// outcome is what a register says of a site.
type outcome struct {
	Keyed                bool // its data key is there
	Granted              bool // its agent may speak
	Declared, Observed   int  // what the newest one says; 0: there is none
	Suspended, Withdrawn bool
	Messages             int
	Notices, Open        int // queued, and those of them that are not closed
	Replies              int
}

// after is the state once an act is applied.
func (s outcome) after(a deed) outcome {
	switch a.Kind {
	case actEnrol:
		s.Granted = true
	case actDeclare:
		s.Declared, s.Messages = a.N, s.Messages+1
	case actObserve:
		s.Observed, s.Messages = a.N, s.Messages+1
	case actNotice:
		s.Notices, s.Open = s.Notices+1, s.Open+1
	case actReply: // that the reminder was seen, which closes it
		s.Replies, s.Open, s.Messages = s.Replies+1, s.Open-1, s.Messages+1
	case actSuspend, actResume:
		s.Suspended = a.Kind == actSuspend
		s.Notices, s.Open = s.Notices+1, s.Open+1
	case actWithdraw:
		s = outcome{Withdrawn: true, Messages: s.Messages + 1, Notices: s.Notices, Replies: s.Replies}
	case actTakeOut:
		s = outcome{Withdrawn: true, Messages: s.Messages, Notices: s.Notices + 1, Open: 1, Replies: s.Replies}
	}
	return s
}

// account is what the ledger knows of a site.
type account struct {
	agent   string
	state   outcome // after all that was acknowledged, or seen to be there
	pending *deed   // asked for; of which nobody knows whether it is there
	seen    bool    // pending is in state: it was found in the register
	last    int     // N of the newest act
	number  int64   // of the newest change that was seen
	touched bool    // since the last audit
}

// ledger is what was asked of one register, and what it acknowledged.
type ledger struct {
	mu       sync.Mutex
	sites    map[string]*account
	messages map[string]bool  // asked for; true: acknowledged
	observed string           // of these the newest observation that was acknowledged
	trail    map[int64]string // acknowledged entries by place
	entries  map[string]bool  // asked for
	done     int              // acknowledged
	moved    chan struct{}    // closed and made anew with each of those

	change     int64  // the newest number seen
	checkpoint []byte // of the trail, the newest one seen
}

func newLedger() *ledger {
	return &ledger{sites: make(map[string]*account), messages: make(map[string]bool), trail: make(map[int64]string),
		entries: make(map[string]bool), moved: make(chan struct{})}
}

func isMessage(kind string) bool {
	switch kind {
	case actDeclare, actObserve, actReply, actWithdraw:
		return true
	}
	return false
}

// write adds a line.
func (l *ledger) write(s noted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.Done {
		l.done++
		close(l.moved)
		l.moved = make(chan struct{})
	}
	if isMessage(s.Kind) {
		l.messages[s.ID] = s.Done
		if s.Done && s.Kind == actObserve {
			l.observed = s.ID
		}
	}
	if s.Kind == actTrail {
		l.entries[s.ID] = true
		if s.Done {
			l.trail[s.At] = s.ID
		}
		return
	}
	c := l.sites[s.Site]
	if c == nil {
		c = &account{state: outcome{Keyed: true}} // it was invited
		l.sites[s.Site] = c
	}
	c.touched = true
	if s.Kind == actEnrol {
		c.agent = s.Agent
	}
	if !s.Done {
		a := s.deed
		c.pending, c.seen, c.last = &a, false, s.N
		return
	}
	if !c.seen {
		c.state = c.state.after(s.deed)
	}
	c.pending, c.seen = nil, false
	c.number = max(c.number, s.At)
}

// follow writes the lines that a process says until it ends. stop is called
// once, when so many acts have been acknowledged.
func (l *ledger) follow(r io.Reader, acknowledged int, stop func()) error {
	lines := bufio.NewScanner(r)
	torn := error(nil)
	for n := 0; lines.Scan(); {
		if torn != nil {
			return torn // only the last one may be
		}
		var s noted
		if s, torn = parseSaid(lines.Text()); torn != nil {
			continue
		}
		if l.write(s); s.Done {
			if n++; n == acknowledged {
				stop()
			}
		}
	}
	return lines.Err()
}

// progress gives how many acts were acknowledged so far, and what is closed with
// the next one.
func (l *ledger) progress() (int, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done, l.moved
}
