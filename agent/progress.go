package main

import (
	"fmt"
	"io"
	"sync"

	"anagrafe/protocol/daemon"
)

// progress shows on a terminal, in one line that changes, how a look goes on.
// What else is written to the terminal meanwhile, the log, goes through Write,
// so that neither is drawn over the other. Its methods do nothing on nil.
type progress struct {
	mu                   sync.Mutex
	to                   io.Writer
	found, asking, asked int
	ended                bool
}

// newProgress starts a line on w; nil where w is no terminal.
func newProgress(w io.Writer) *progress {
	if !daemon.Terminal(w) {
		return nil
	}
	p := &progress{to: w}
	p.step(func() {})
	return p
}

// sees, asks and has count a device that was found, is being asked, and has been.
func (p *progress) sees() { p.step(func() { p.found++ }) }
func (p *progress) asks() { p.step(func() { p.asking++ }) }
func (p *progress) has()  { p.step(func() { p.asking--; p.asked++ }) }

// eraseLine goes back to the beginning of the terminal's line and empties it.
const eraseLine = "\r\x1b[K"

func (p *progress) step(count func()) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if count(); !p.ended {
		fmt.Fprint(p.to, eraseLine, p.line())
	}
}

// line has at most 60 characters: one that wraps could not be taken back.
func (p *progress) line() string {
	if p.found == 0 {
		return "Searching: nothing found yet ..."
	}
	return fmt.Sprintf("Searching: %d found, %d being asked, %d done ...", p.found, p.asking, p.asked)
}

// Write puts text in the line's place and the line below it.
func (p *progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return p.to.Write(text)
	}
	fmt.Fprint(p.to, eraseLine)
	n, err := p.to.Write(text)
	fmt.Fprint(p.to, p.line())
	return n, err
}

// end takes the line away.
func (p *progress) end() {
	p.step(func() {
		if !p.ended {
			fmt.Fprint(p.to, eraseLine)
		}
		p.ended = true
	})
}
