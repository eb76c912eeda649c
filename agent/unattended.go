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

// How long to wait between two tries: a branch's line may come days after its computer,
// and room on its disk later still.
const (
	firstAnswerWait = 15 * time.Second
	maxAnswerWait   = 15 * time.Minute
)

// answer does what an answer file has left to do: it enrols, says whom to call, and
// forgets the file. It gives up where only a person can go on, and says so in the log;
// whatever else fails is tried again, with the file kept: its code is good for this
// computer alone. Nothing is approved by it.
func (s *agent) answer(ctx context.Context) error {
	a, err := s.waiting()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		s.log.Error("the answers of the installation cannot be read: enrol by hand", "err", err)
		return nil
	}
	for _, step := range []struct {
		do      func(context.Context, answers) error
		refused string
	}{
		{s.enrolAs, "the code of the answer file was refused: enrol by hand with another one"},
		{s.callAs, "whom to call could not be taken from the answer file: say it on the page"},
	} {
		if err := s.insist(ctx, a, step.do); err != nil {
			if ctx.Err() != nil {
				return nil // the next start goes on
			}
			_, hint := explain(err)
			s.log.Error(step.refused, "err", err, "hint", hint)
			break
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

func (s *agent) enrolAs(ctx context.Context, a answers) error {
	if a.Enrol.Code == "" {
		return nil
	}
	return s.link.enrol(ctx, a.Enrol.Code, a.Enrol.Collector, false)
}

func (s *agent) callAs(ctx context.Context, a answers) error {
	who, given := a.contact()
	if !given {
		return nil
	}
	own := client{&http.Client{Transport: inProcess{s.review.Control()}}}
	return own.do(ctx, http.MethodPost, "/contact", who, nil)
}

// insist does one step again and again, until it succeeds or is refused for good.
func (s *agent) insist(ctx context.Context, a answers, do func(context.Context, answers) error) error {
	for wait := firstAnswerWait; ; wait = min(2*wait, maxAnswerWait) {
		err := do(ctx, a)
		if err == nil || refused(err) {
			return err
		}
		_, hint := explain(err)
		s.log.Warn("what the answer file says could not be done yet; it is tried again", "err", err, "hint", hint)
		pause := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
		}
	}
}

// refused reports whether only a person can go on: the code or the contact itself is
// wrong. A line, a clock that is not set yet and a full disk come right without one.
func refused(err error) bool {
	if r, ok := errors.AsType[refusal](err); ok {
		return r.Status < http.StatusInternalServerError
	}
	e, ok := errors.AsType[*uplink.Error](err)
	if !ok {
		return false
	}
	switch e.Reason {
	case uplink.BadCode, uplink.NoCollector, uplink.OtherCollector,
		protocol.ReasonUnknownCode, protocol.ReasonUsedCode, protocol.ReasonRevoked, protocol.ReasonNotGranted, protocol.ReasonInvalid:
		return true
	}
	return false
}
