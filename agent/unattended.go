package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"github.com/BurntSushi/toml"

	"anagrafe/agent/keyfile"
	"anagrafe/agent/uplink"
	"anagrafe/protocol"
)

// How long to wait between two tries to enrol: a branch's line may come days after its
// computer.
const (
	firstAnswerWait = 15 * time.Second
	maxAnswerWait   = 15 * time.Minute
)

// answer does what an answer file has left to do: it enrols, as soon as the collector
// is reached, says whom to call, and forgets the code. It gives up where only a
// person can go on, and says so in the log. Nothing is approved by it.
func (s *agent) answer(ctx context.Context) error {
	a, err := s.waiting()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		s.log.Error("the answers of the installation cannot be read: enrol by hand", "err", err)
		return nil
	}
	if err := s.enrolAs(ctx, a); err != nil {
		if ctx.Err() != nil {
			return nil // the next start goes on
		}
		_, hint := explain(err)
		s.log.Error("the code of the answer file was refused: enrol by hand with another one", "err", err, "hint", hint)
	} else if who, given := a.contact(); given {
		own := client{&http.Client{Transport: inProcess{s.review.Control()}}}
		if err := own.do(ctx, http.MethodPost, "/contact", who, nil); err != nil {
			s.log.Error("whom to call could not be taken from the answer file: say it on the page", "err", err)
		}
	}
	if err := os.Remove(waitingAnswers(s.dir)); err != nil {
		return fmt.Errorf("forgetting the code of the answer file: %w", err)
	}
	return nil
}

func (s *agent) waiting() (a answers, err error) {
	text, err := keyfile.Read(waitingAnswers(s.dir))
	if err != nil {
		return a, err
	}
	_, err = toml.NewDecoder(bytes.NewReader(text)).Decode(&a)
	return a, err
}

// enrolAs enrols, again and again while the collector is not reached.
func (s *agent) enrolAs(ctx context.Context, a answers) error {
	if a.Enrol.Code == "" {
		return nil
	}
	for wait := firstAnswerWait; ; wait = min(2*wait, maxAnswerWait) {
		err := s.link.enrol(ctx, a.Enrol.Code, a.Enrol.Collector, false)
		if e, ok := errors.AsType[*uplink.Error](err); err == nil || !ok || !temporary(e.Reason) {
			return err
		}
		s.log.Warn("the collector of the answer file is not reached yet; it is tried again", "err", err)
		pause := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
		}
	}
}

// temporary reports whether an enrolment may succeed later as it is.
func temporary(r uplink.Reason) bool {
	switch r {
	case uplink.Unreachable, uplink.UnexpectedAnswer, uplink.ProxyRefused, uplink.ServerUntrusted, // by a clock that is not set yet
		protocol.ReasonTemporary, protocol.ReasonTooMany:
		return true
	}
	return false
}
