package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/agent/uplink"
	"anagrafe/protocol"
)

// link joins the uplink, the identity and the inventory of one directory.
type link struct {
	dir     string
	inv     *inventory.Inventory
	up      *uplink.Uplink
	wrap    func(http.RoundTripper) http.RoundTripper // a test's tap; nil
	visit   bool                                      // see Config
	running atomic.Bool
}

// newLink opens the identity, if there is one. One that cannot be read is
// an error: an identity is never replaced in silence. keep is given the notices.
func newLink(dir string, config Config, inv *inventory.Inventory, keep func(context.Context, protocol.Notice) error, log *slog.Logger, wrap func(http.RoundTripper) http.RoundTripper) (*link, error) {
	identity, err := uplink.Open(dir)
	if e, ok := errors.AsType[*uplink.Error](err); err != nil && !(ok && e.Reason == uplink.NotEnrolled) {
		return nil, err
	}
	up := uplink.New(uplink.Options{Identity: identity, Outbox: inv, Keep: keep, Park: config.Connection == parked,
		Version: version(), Log: log, WrapTransport: wrap})
	return &link{dir: dir, inv: inv, wrap: wrap, visit: config.visit, up: up}, nil
}

// run delivers until ctx ends; before an enrolment it waits.
func (l *link) run(ctx context.Context) error {
	l.running.Store(true)
	defer l.running.Store(false)
	return l.up.Run(ctx)
}

// clock returns the time by the collector's clock, where this machine's is known
// to be wrong: what a shop's computer believes must not become a recorder's
// error. It is the same clock for a whole look.
func (l *link) clock() func() time.Time {
	c := l.up.Status().Clock
	now := time.Now()
	// If the wall clock and the monotonic one went apart since, it was set, and
	// what was compared before says nothing.
	set := now.Round(0).Sub(c.At.Round(0)) - now.Sub(c.At)
	if !c.Wrong() || set.Abs() > time.Second {
		return time.Now
	}
	return func() time.Time { return time.Now().Add(-c.Offset) }
}

// enrol redeems a code, keeps the grant, has delivery go on with it, and keeps
// what the register already holds of the site. With replace, the other
// computers that speak for the site may do so no more; it can be said later,
// with the same code.
func (l *link) enrol(ctx context.Context, code, collector string, replace bool) error {
	grant, err := uplink.Enrol(ctx, l.dir, collector, code, uplink.EnrolOptions{
		Version: version(), WrapTransport: l.wrap, Visit: l.visit, Replace: replace, Former: l.inv.SpokeAs})
	if err != nil {
		return err
	}
	identity, err := uplink.Open(l.dir)
	if err != nil {
		return err
	}
	err = l.inv.AddGrant(ctx, grant, identity.Collector)
	l.up.Use(identity) // also without the grant: the identity of before is gone from the disk
	if err != nil {
		return err
	}
	message, err := identity.Recorded(ctx, grant.SiteID, l.wrap)
	if err == nil {
		err = l.inv.SetRecorded(ctx, grant.SiteID, code, message)
	}
	if err != nil {
		return fmt.Errorf("enrolled, but what the register already holds of the site is not known; enrol again with the same code: %w", err)
	}
	return nil
}

// explain returns an enrolment's failure its stable word and the next step.
func explain(err error) (reason, hint string) {
	if e, ok := errors.AsType[*uplink.Error](err); ok {
		return string(e.Reason), e.Hint
	}
	return "", ""
}
