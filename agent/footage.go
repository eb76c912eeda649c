package main

import (
	"context"
	"errors"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
)

// find asks the recorders of a request whether they still have the footage that it
// asks for, and records what they say. It runs on an act of the owner alone.
func (s *agent) find(ctx context.Context, noticeID string) error {
	done, err := s.lookAlone(ctx)
	if err != nil {
		return err
	}
	defer done()
	searches, err := s.inv.Searches(ctx, noticeID)
	if err != nil {
		return err
	}
	asker, err := s.asker(s.inv, s.link.clock())
	if err != nil {
		return err
	}
	var errs []error
	for _, search := range searches {
		checks, err := s.ask(ctx, asker, search)
		if ctx.Err() != nil {
			return ctx.Err() // an answer that was broken off is no answer
		}
		errs = append(errs, err, s.inv.RecordChecks(ctx, noticeID, checks))
	}
	return errors.Join(errs...)
}

// ask asks one recorder. One that cannot be asked for an interval is looked at, as
// it is every hour: how far back its footage reaches may tell.
func (s *agent) ask(ctx context.Context, asker *interrogate.Asker, search inventory.Search) ([]inventory.Check, error) {
	var found []interrogate.Found
	var err error
	why := ""
	if search.ByLook {
		why = "recorders of this kind tell only how far back their footage reaches"
		if d := asker.Ask(ctx, search.Sighting); ctx.Err() == nil && d.Answered {
			err = s.inv.Record(ctx, []interrogate.Device{d}, s.link.clock()())
		} else {
			why = "it does not answer now: see whether it is switched on and connected"
		}
	} else if found, err = asker.Footage(ctx, search.Sighting, search.Finder, search.Wanted); err != nil {
		why, err = err.Error(), nil
	}
	at := s.link.clock()().UTC()
	checks := make([]inventory.Check, len(search.CameraIDs))
	for i, id := range search.CameraIDs {
		checks[i] = inventory.Check{CameraID: id, At: at, Presence: interrogate.PresenceUnknown, Why: why}
		if i < len(found) {
			checks[i].Presence, checks[i].Periods, checks[i].Why = found[i].Presence, found[i].Periods, found[i].Why
		}
	}
	s.log.Info("asked a recorder for the footage of a message, as its owner wished", "cameras", len(checks), "by_look", search.ByLook)
	return checks, err
}
