package installer

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// settle lets all come to rest: the network works, both programs run, time
// passes, and the owner does what the pages say. Then the register must show
// what the owner decided last, and every fact that left.
func (w *world) settle() error {
	w.net.set(fair)
	if err := errors.Join(w.startCollector(), w.startAgent()); err != nil {
		return err
	}
	_ = w.setClock(0)
	if w.skewed { // what it told ahead of time holds until then
		w.pass(mostWrong)
		w.skewed = false
	}
	for range 2 { // what changed meanwhile; and what within an hour of it could not be told
		if err := w.rest(); err != nil {
			return err
		}
		if err := w.look(0); err != nil {
			return err
		}
	}
	if err := w.rest(); err != nil {
		return err
	}
	w.ledger.atRest()
	if err := w.check(); err != nil {
		return err
	}
	return w.compare()
}

// rest waits until nothing is to be sent and nothing to be done.
func (w *world) rest() error {
	w.asked = map[string]int{}
	for range 12 {
		w.pass(2 * time.Hour) // longer than any pause of the uplink, and than an hour's silence
		if err := w.readNotices(); err != nil {
			return err
		}
		did, err := w.obey()
		if err != nil {
			return err
		}
		counts, err := w.agent.inv.Counts(w.ctx)
		if err != nil {
			return err
		}
		for site, codes := range w.asked {
			if codes > 2 { // one for the agent, and one after the site's own withdrawal, which ends what the first one gave
				return fmt.Errorf("site %.4s needs %d codes in a row", site, codes)
			}
		}
		if !did && counts[inventory.Waiting] == 0 {
			return w.check()
		}
	}
	s := w.agent.up.Status()
	return fmt.Errorf("does not come to rest: the line says %q (%s)", s.LastError, s.LastReason)
}

// compare holds the register against the owner's decisions and the agent's own
// record of what it sent.
func (w *world) compare() error {
	sent, err := w.agent.inv.Outbox(w.ctx)
	if err != nil {
		return err
	}
	if err := w.compareNotices(); err != nil {
		return err
	}
	if err := w.ledger.compareSent(sent, w.erased); err != nil {
		return err
	}
	for _, site := range w.sites {
		h, err := w.collector.reg.History(w.ctx, site, time.Time{})
		if err != nil {
			return err
		}
		if err := w.owner.compare(site, h); err != nil {
			return fmt.Errorf("site %.4s: %w", site, err)
		}
		if err := told(sent[w.erased[site].sent:], site).compare(h); err != nil {
			return fmt.Errorf("site %.4s: %w", site, err)
		}
		if err := w.inForce(h); err != nil {
			return fmt.Errorf("site %.4s: %w", site, err)
		}
	}
	return nil
}

// compare says where the register differs from the owner's last decisions.
func (o *owner) compare(site string, h registry.History) error {
	have := map[string]wish{}
	for id, versions := range h.Cameras {
		if v := versions[len(versions)-1]; !v.Withdrawn {
			have[id] = wish{v.Camera.Name, v.Camera.Position.Point}
		}
	}
	for id, want := range o.wants[site] {
		if got, there := have[id]; !there {
			return fmt.Errorf("camera %.4s was confirmed and is not in the register", id)
		} else if got != want {
			return fmt.Errorf("camera %.4s is %v in the register, the owner confirmed %v", id, got, want)
		}
	}
	for id := range have {
		if _, wanted := o.wants[site][id]; !wanted {
			return fmt.Errorf("camera %.4s is in the register, and the owner does not want it there", id)
		}
	}
	return nil
}

// inForce says where what the register takes to be so now differs from what is
// so on the shop's network, as far as the agent can know.
func (w *world) inForce(h registry.History) error {
	cameras, err := w.cameras()
	if err != nil {
		return err
	}
	for id, eras := range h.Schedules {
		i := slices.IndexFunc(cameras, func(c inventory.Camera) bool { return c.ID == id })
		if i < 0 {
			return fmt.Errorf("camera %.4s is not known to the agent", id)
		}
		is := w.lan.channel(cameras[i].Device.Address, cameras[i].Values.Channel)
		if is == nil {
			continue
		}
		if last := eras[len(eras)-1].Value; last.Kind != is.schedule {
			return fmt.Errorf("camera %.4s records %q, and the register says %q", id, is.schedule, last.Kind)
		}
		if last := h.Retentions[id][len(h.Retentions[id])-1].Value; last.Age != is.age {
			return fmt.Errorf("camera %.4s keeps footage for %v, and the register says %v", id, is.age, last.Age)
		}
	}
	return nil
}

// atRest ends the leniency after a restored copy.
func (l *ledger) atRest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.restored = false
}

func (l *ledger) site(id string) shadowSite {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, heard := l.sites[id]
	if !heard {
		s.cameras = -1
	}
	return s
}

// compareSent holds the owner's copy of all messages against the receipts.
func (l *ledger) compareSent(sent []inventory.Sent, ended map[string]erasure) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	acknowledged := 0
	erased := map[string]bool{} // by site: before a withdrawal nothing needs to be brought back
	for i, s := range slices.Backward(sent) {
		if _, recorded := l.messages[s.ID]; !recorded && (erased[s.SiteID] || i < ended[s.SiteID].sent) {
			continue
		}
		erased[s.SiteID] = erased[s.SiteID] || s.Kind == "withdrawal" && s.State != inventory.Waiting
		e, recorded := l.messages[s.ID]
		switch {
		case s.State == inventory.Waiting:
			return fmt.Errorf("%s %d.%d of site %.4s still waits", s.Kind, s.Message.Epoch, s.Message.Revision, s.SiteID)
		case s.State == inventory.Acknowledged && !recorded:
			return fmt.Errorf("%s %d.%d of site %.4s was acknowledged and is not recorded", s.Kind, s.Message.Epoch, s.Message.Revision, s.SiteID)
		case s.State == inventory.Rejected && recorded && s.Kind != "observation" && !l.everBack && i >= ended[s.SiteID].sent:
			// An observation may be: a copy that came late found declared what had
			// not been when the first one was refused. What it says is true. And a
			// copy of the register may know what an older one refused. What waited for
			// its answer when the site was withdrawn with the link gets none.
			return fmt.Errorf("%s %d.%d of site %.4s is recorded, and the owner is told that it was refused (%s)", s.Kind, s.Message.Epoch, s.Message.Revision, s.SiteID, s.Why)
		}
		if recorded {
			acknowledged++
			if fmt.Sprintf("%x", e.sum) != s.SHA256 {
				return fmt.Errorf("message %s was recorded with other bytes", s.ID)
			}
		}
	}
	if acknowledged != len(l.messages) {
		return fmt.Errorf("%d messages are recorded, the owner can read %d of them", len(l.messages), acknowledged)
	}
	return nil
}

// toldFacts are the measured facts of an outbox that must stand in the register.
type toldFacts struct {
	cameras   map[string][]protocol.CameraObservation
	recorders map[string][]protocol.Clock
}

// told reads off what was acknowledged: what of it was not taken out of the
// register since must be there.
func told(sent []inventory.Sent, site string) toldFacts {
	t := toldFacts{map[string][]protocol.CameraObservation{}, map[string][]protocol.Clock{}}
	for _, s := range sent {
		if s.SiteID != site || s.State != inventory.Acknowledged && s.Kind != "withdrawal" {
			continue
		}
		switch body := s.Message.Body.(type) {
		case protocol.Withdrawal:
			clear(t.cameras)
			clear(t.recorders)
		case protocol.Declaration:
			for id := range t.cameras {
				if !slices.ContainsFunc(body.Cameras, func(c protocol.Camera) bool { return c.ID == id }) {
					delete(t.cameras, id)
				}
			}
			for id := range t.recorders {
				if !slices.ContainsFunc(body.Recorders, func(r protocol.Recorder) bool { return r.ID == id }) {
					delete(t.recorders, id)
				}
			}
		case protocol.Observation:
			for _, c := range body.Cameras {
				t.cameras[c.CameraID] = append(t.cameras[c.CameraID], c)
			}
			for _, r := range body.Recorders {
				if r.Clock != nil {
					t.recorders[r.RecorderID] = append(t.recorders[r.RecorderID], *r.Clock)
				}
			}
		}
	}
	return t
}

func (t toldFacts) compare(h registry.History) error {
	for id, all := range t.cameras {
		for _, o := range all {
			at := o.At.Truncate(time.Microsecond)
			if s, ok := inForceAt(h.Schedules[id], at); o.Schedule != nil && (!ok || s.Kind != o.Schedule.Kind) {
				return fmt.Errorf("camera %.4s: the change of schedule to %q at %v is not in the register", id, o.Schedule.Kind, at)
			}
			if r, ok := inForceAt(h.Retentions[id], at); o.Retention != nil && (!ok || r.Age != o.Retention.Age) {
				return fmt.Errorf("camera %.4s: the change of retention to %v at %v is not in the register", id, o.Retention.Age, at)
			}
		}
	}
	for id, all := range t.recorders {
		for _, c := range all {
			if !slices.ContainsFunc(h.Clocks[id], func(k protocol.Clock) bool {
				return k.At.Equal(c.At.Truncate(time.Microsecond)) && k.OffsetMs == c.OffsetMs
			}) {
				return fmt.Errorf("recorder %.4s: the clock of %v is not in the register", id, c.At)
			}
		}
	}
	return nil
}

func inForceAt[T any](eras []protocol.Era[T], at time.Time) (T, bool) {
	var v T
	found := false
	for _, e := range eras {
		if !e.From.After(at) {
			v, found = e.Value, true
		}
	}
	return v, found
}
