package installer

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// ledger is what the collector has said that it recorded: kept apart from the
// register, to be compared with it. It goes back with a restored copy.
type ledger struct {
	mu       sync.Mutex
	messages map[string]entry            // by message id
	sites    map[string]shadowSite       // by site id
	restored bool                        // since the last time that all was at rest
	everBack bool                        // restored at any time
	acts     int64                       // of owners with their link
	early    map[string]protocol.Receipt // of second copies, heard of before the first one
	wrong    []string                    // what must not have happened
}

// entry is one recorded message.
type entry struct {
	sum      [32]byte
	at       time.Time
	kind     string
	revision place
}

// place orders a site's messages.
type place struct{ epoch, revision int64 }

func (p place) after(q place) bool {
	return p.epoch > q.epoch || p.epoch == q.epoch && p.revision > q.revision
}

// shadowSite is what the register must show of a site.
type shadowSite struct {
	newest    place // of any message
	declared  place // of the newest declaration
	cameras   int   // -1: nothing is declared
	withdrawn int64 // epoch of the newest withdrawal; 0: none
	suspended bool
}

func newLedger() *ledger {
	return &ledger{messages: map[string]entry{}, sites: map[string]shadowSite{}, early: map[string]protocol.Receipt{}}
}

// copy is for a backup.
func (l *ledger) copy() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &ledger{messages: maps.Clone(l.messages), sites: maps.Clone(l.sites), acts: l.acts}
}

// goBack makes it as it was when the copy was taken.
func (l *ledger) goBack(to *ledger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages, l.sites, l.restored = maps.Clone(to.messages), maps.Clone(to.sites), true
	l.everBack, l.acts = true, to.acts
}

func (l *ledger) complaints() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.early {
		l.wrong = append(l.wrong, fmt.Sprintf("message %.4s is called known, and was never recorded", id))
	}
	return l.wrong
}

// noting is a register whose answers are noted.
type noting struct {
	ingest.Register
	ledger *ledger
}

// Record implements ingest.Register.
func (n noting) Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error) {
	receipt, err := n.Register.Record(ctx, agentID, m, raw, at)
	if err == nil {
		n.ledger.note(m, receipt)
	}
	return receipt, err
}

// note takes down a receipt, and says what is wrong with it.
func (l *ledger) note(m protocol.Message, r protocol.Receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	complain := func(format string, args ...any) {
		l.wrong = append(l.wrong, fmt.Sprintf("%s %d.%d of site %.4s ", m.Kind(), m.Epoch, m.Revision, m.SiteID)+fmt.Sprintf(format, args...))
	}
	first, known := l.messages[m.ID]
	switch {
	case r.Duplicate && !known:
		l.early[m.ID] = r // one transaction may have recorded both
		return
	case r.Duplicate:
		if !first.at.Equal(r.RecordedAt) || first.sum != r.SHA256 {
			complain("has two receipts")
		}
		return
	case known:
		complain("was recorded twice")
		return
	}
	if e, was := l.early[m.ID]; was && (e.SHA256 != r.SHA256 || !e.RecordedAt.Equal(r.RecordedAt)) {
		complain("has two receipts")
	}
	delete(l.early, m.ID)
	p, s := place{m.Epoch, m.Revision}, l.sites[m.SiteID]
	if s == (shadowSite{}) {
		s.cameras = -1
	}
	l.messages[m.ID] = entry{r.SHA256, r.RecordedAt, m.Kind(), p}
	// A late copy of an observation may find declared what was not when the agent
	// was told that it is refused.
	late := m.Kind() == "observation" || m.Kind() == "reply"
	if !p.after(s.newest) && !l.restored && !late {
		complain("was recorded after %d.%d", s.newest.epoch, s.newest.revision)
	}
	if p.after(s.newest) {
		s.newest = p
	}
	switch body := m.Body.(type) {
	case protocol.Declaration:
		if !p.after(s.declared) {
			complain("took the place of %d.%d", s.declared.epoch, s.declared.revision)
		}
		if p.epoch <= s.withdrawn {
			complain("brought back what was withdrawn")
		}
		s.declared, s.cameras = p, len(body.Cameras)
	case protocol.Withdrawal:
		s.withdrawn, s.cameras, s.suspended = max(s.withdrawn, p.epoch), -1, s.suspended && r.SiteStays
	}
	l.sites[m.SiteID] = s
}

// compare says where the register differs from the receipts that were given.
func (l *ledger) compare(ctx context.Context, r *registry.Registry) error {
	sites, err := r.Sites(ctx)
	if err != nil {
		return err
	}
	changes, err := r.LastChange(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if changes != int64(len(l.messages))+l.acts {
		return fmt.Errorf("%d messages are acknowledged as recorded, and the owner acted %d times; the register has changed %d times", len(l.messages), l.acts, changes)
	}
	for _, s := range sites {
		want, heard := l.sites[s.ID]
		if !heard {
			want.cameras = -1
		}
		have := -1
		if s.State == registry.Sharing || s.State == registry.Suspended {
			have = s.Cameras
			if want.suspended != (s.State == registry.Suspended) {
				return fmt.Errorf("site %.4s is %s; by the owner's last act it is suspended: %t", s.ID, s.State, want.suspended)
			}
		} else if s.Cameras > 0 {
			return fmt.Errorf("site %.4s is %s and has %d cameras", s.ID, s.State, s.Cameras)
		}
		if have != want.cameras {
			return fmt.Errorf("site %.4s is %s with %d cameras; by what was acknowledged it has %d (-1: none declared)", s.ID, s.State, have, want.cameras)
		}
	}
	return nil
}
