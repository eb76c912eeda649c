package installer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// force is who asks for footage.
const force = "polizia-locale"

// erasure is the last withdrawal of a site with its owner's link.
type erasure struct {
	at   time.Time
	sent int // messages in the outbox when the agent had heard of it: the register needs nothing of them
}

// tell has the collector look at its queue, as it does when something was queued.
func (w *world) tell() {
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.collector.server.Watch(ctx) }()
	w.collector.server.Notify()
	w.pass(time.Microsecond)
	cancel()
	<-done
}

// preserve has a force ask for the footage of a camera that is declared.
func (w *world) preserve(n uint32) error {
	c, ok, err := w.pick(n)
	if !ok || w.collector == nil {
		return err
	}
	now := time.Now()
	asked, err := w.collector.reg.DraftRequest(w.ctx, protocol.Preserve{Kind: protocol.Invitation, From: "Polizia Locale",
		Start: now.Add(-time.Hour), End: now, CameraIDs: []string{c.ID}}, now)
	if errors.Is(err, registry.ErrUnknownCamera) {
		return nil
	}
	if err == nil {
		err = w.collector.reg.QueueRequest(w.ctx, registry.Request{ID: uuid.NewString(), CaseID: w.caseID, Force: force, By: uuid.NewString(), At: now, Sites: asked})
	}
	if err != nil {
		return err
	}
	w.notices = append(w.notices, asked[0].NoticeID)
	w.tell()
	return nil
}

// act is the owner's, with the link; a site of which nothing is declared has none.
func (w *world) act(site string, state protocol.SiteState, at time.Time) (done bool, err error) {
	before, err := w.collector.reg.LastChange(w.ctx)
	if err != nil {
		return false, err
	}
	if err := w.collector.reg.Act(w.ctx, site, state, at); err != nil {
		if errors.Is(err, registry.ErrUnknownSite) {
			err = nil
		}
		return false, err
	}
	after, err := w.collector.reg.LastChange(w.ctx)
	w.ledger.act(site, state, after-before)
	return true, err
}

func (l *ledger) act(site string, state protocol.SiteState, changes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acts += changes
	s := l.sites[site]
	s.suspended = state == protocol.SiteSuspended
	if state == protocol.SiteWithdrawn {
		s.withdrawn, s.cameras = max(s.withdrawn, s.newest.epoch), -1
	}
	l.sites[site] = s
}

func (w *world) suspend(n uint32) error {
	if w.collector == nil {
		return nil
	}
	state := []protocol.SiteState{protocol.SiteSuspended, protocol.SiteResumed}[n/2%2]
	done, err := w.act(w.sites[n%2], state, time.Now())
	if done {
		w.tell()
	}
	return err
}

// withdrawByLink takes a site out, whatever is under way, and then waits: what an
// owner decides at a computer that does not know of it yet is not modelled.
func (w *world) withdrawByLink(n uint32) error {
	if w.collector == nil || w.agent == nil {
		return nil
	}
	site, now := w.sites[n%2], time.Now()
	sent, err := w.agent.inv.Outbox(w.ctx)
	if err != nil {
		return err
	}
	done, err := w.act(site, protocol.SiteWithdrawn, now)
	if err != nil || !done {
		return err
	}
	delete(w.owner.wants, site)
	w.erased[site] = erasure{now, len(sent)}
	w.tell()
	if err := w.settle(); err != nil {
		return err
	}
	// A reply that left before the agent heard of it counts as one from before, and
	// is not brought back to a register that is restored.
	sent, err = w.agent.inv.Outbox(w.ctx)
	w.erased[site] = erasure{now, len(sent)}
	return err
}

// eraseAgain is what follows the restoring of a copy: sites that were
// erased after it was taken are erased again.
func (w *world) eraseAgain(taken time.Time) error {
	for _, site := range w.sites {
		if e, is := w.erased[site]; is && e.at.After(taken) {
			if _, err := w.act(site, protocol.SiteWithdrawn, e.at); err != nil {
				return err
			}
		}
	}
	return nil
}

// readNotices has the owner open what the agent shows as new.
func (w *world) readNotices() error {
	if w.agent == nil {
		return nil
	}
	all, err := w.agent.inv.Notices(w.ctx)
	if err != nil {
		return err
	}
	for _, n := range all {
		if n.SeenAt.IsZero() && n.Body != nil {
			if _, err := w.agent.inv.SeeNotice(w.ctx, n.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareNotices: each request that still stands was shown to the owner, and
// those who asked know; nobody is told twice that it came.
func (w *world) compareNotices() error {
	shown, err := w.agent.inv.Notices(w.ctx)
	if err != nil {
		return err
	}
	asked, err := w.collector.reg.Asked(w.ctx, force, 10_000)
	if err != nil {
		return err
	}
	if len(asked) != len(w.notices) {
		return fmt.Errorf("%d requests were queued, and %d are", len(w.notices), len(asked))
	}
	seen := map[string]int{}
	for _, n := range shown {
		seen[n.ID]++
	}
	for _, a := range asked {
		if !slices.Contains(w.notices, a.Notice.ID) {
			return fmt.Errorf("request %.4s was never queued", a.Notice.ID)
		}
		said := map[string]int{}
		for _, r := range a.Replies {
			said[r.AgentID+string(r.State)]++
			if said[r.AgentID+string(r.State)] > 1 {
				return fmt.Errorf("request %.4s: %s is recorded twice", a.Notice.ID, r.State)
			}
		}
		if a.Notice.Body == nil || !a.ClosedAt.IsZero() || !a.ExpiresAt.After(time.Now()) {
			continue
		}
		told := slices.ContainsFunc(a.Replies, func(r registry.Reply) bool { return r.State == protocol.ReplySeen })
		if seen[a.Notice.ID] != 1 || !told {
			return fmt.Errorf("request %.4s was shown %d times, and those who asked know: %t", a.Notice.ID, seen[a.Notice.ID], told)
		}
	}
	return nil
}
