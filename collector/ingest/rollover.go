package ingest

import (
	"errors"
	"fmt"
	"time"
)

// One authority takes the place of another in three steps, each of which is on
// the disk before it holds, holds at once, and may be followed by a restart:
//
//	Next    a key is made, and signed by the present one. Agents are told of it
//	        with each answer to Enrol and Renew.
//	Switch  it signs. The server shows the cross-certificate, by which agents
//	        that slept meanwhile, and links printed before, still recognise it;
//	        the agents' old certificates are still good, and are renewed by it.
//	Retire  the old one is accepted no more.
//
// An agent that heard of the first step recognises the collector also if the third has
// to come early. When a key is stolen, all that rests on it is worth nothing, the
// next one's key included, which lies beside it: Replace begins anew.

// CertificateLife is how long an agent's certificate is valid: what an authority
// has signed ends this long after another one has taken its place.
const CertificateLife = agentLife

// ErrStep is wrapped by the error of a step that is not due now.
var ErrStep = errors.New("this step is not due")

// change makes one step. Signing waits meanwhile: every certificate that the old
// authority has signed is older than the step.
func (a *Authority) change(what string, step func(s *authorities, now time.Time) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := *a.held
	err := step(&s, a.now())
	if err == nil {
		// All that are held now are former ones unless they are held after it.
		for _, r := range a.held.list() {
			s.former = append(s.former[:len(s.former):len(s.former)], r.cert)
		}
		err = a.keep(&s)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Next makes the authority that will sign next, and announces it to agents.
func (a *Authority) Next() error {
	return a.change("make the next authority", func(s *authorities, now time.Time) error {
		switch {
		case s.next != nil:
			return fmt.Errorf("%w: there is a next authority since %s: switch to it", ErrStep, s.next.since.Format(time.DateOnly))
		case s.retiring != nil:
			return fmt.Errorf("%w: another authority is still retiring: retire it first", ErrStep)
		}
		next, err := newRoot(now)
		if err != nil {
			return err
		}
		if next.cross, err = s.signs.crossSigned(next, now); err != nil {
			return err
		}
		s.next = next
		return nil
	})
}

// Switch makes the next authority sign, and deletes the old one's key.
func (a *Authority) Switch() error {
	return a.change("switch to the next authority", func(s *authorities, now time.Time) error {
		if s.next == nil {
			return fmt.Errorf("%w: there is no next authority: make it first", ErrStep)
		}
		s.retiring = &root{cert: s.signs.cert, since: now}
		s.signs = &root{key: s.next.key, cert: s.next.cert, cross: s.next.cross, since: now}
		s.next = nil
		return nil
	})
}

// Retire stops accepting the old authority. Agents that still hold its certificates
// need a new code; the caller has counted them.
func (a *Authority) Retire() error {
	return a.change("retire the old authority", func(s *authorities, _ time.Time) error {
		if s.retiring == nil {
			return fmt.Errorf("%w: no authority is retiring: switch to the next one first", ErrStep)
		}
		s.retiring = nil
		s.signs = &root{key: s.signs.key, cert: s.signs.cert, since: s.signs.since}
		return nil
	})
}

// Replace starts again with an unrelated authority and accepts none of the former
// ones, whose key was stolen. Every agent needs a new link.
func (a *Authority) Replace() error {
	return a.change("replace the authority", func(s *authorities, now time.Time) (err error) {
		s.next, s.retiring = nil, nil
		s.signs, err = newRoot(now)
		return err
	})
}
