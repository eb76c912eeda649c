package registry

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// walker drives the register and the model side by side.
type walker struct {
	t       *testing.T
	r       *Registry
	m       *modelSite
	at      time.Time
	agents  [2]*sender
	codes   map[int64]ingest.Redemption // of each grant
	pending []sent
	made    int
}

type sent struct {
	by  *sender
	msg protocol.Message
}

func walk(t *testing.T, steps []step) error {
	w := &walker{t: t, r: openNew(t), m: &modelSite{said: map[string]modelPart{}, revoked: map[string]bool{}}, at: noon, codes: map[int64]ingest.Redemption{}}
	w.r.now = func() time.Time { return w.at }
	w.agents[0] = enrol(t, w.r, w.at)
	w.m.grants = append(w.m.grants, modelGrant{agent: w.agents[0].agent, epoch: w.agents[0].epoch, from: w.at})
	w.agents[1] = &sender{t: t, r: w.r, site: w.agents[0].site}
	w.newKey(1)
	for _, s := range steps {
		w.at = w.at.Add(time.Minute)
		if err := w.step(s); err != nil {
			return fmt.Errorf("%v: %w", s, err)
		}
		if err := w.compare(); err != nil {
			return fmt.Errorf("%v: %w", s, err)
		}
	}
	return nil
}

// newKey gives an agent another identity, as after a revocation.
func (w *walker) newKey(who int) {
	fresh := beside(w.t, w.agents[0], w.at, nil)
	w.agents[who] = fresh
	w.m.grants = append(w.m.grants, modelGrant{agent: fresh.agent, epoch: fresh.epoch, from: w.at})
}

func (w *walker) step(s step) error {
	a := w.agents[s.who]
	switch s.act {
	case "enrol", "replace", "visit":
		var d ingest.Redemption
		g := a.again(w.at, func(r *ingest.Redemption) {
			r.Replace, r.Visit = s.act == "replace", s.act == "visit"
			d = *r
		})
		w.codes[g.Epoch] = d
		next := modelGrant{agent: a.agent, epoch: g.Epoch, from: w.at}
		if d.Visit {
			next.until = w.at.Add(24 * time.Hour)
		}
		w.m.grants = append(w.m.grants, next)
		if d.Replace {
			w.m.replaces(a.agent, g.Epoch, w.at, "")
		}
	case "replace-later":
		return w.replaceLater(s.n)
	case "declare":
		w.made++
		d := says(fmt.Sprint("said ", w.made))
		for r := range 3 {
			if s.n>>r&1 == 1 {
				d.Recorders = append(d.Recorders, protocol.Recorder{ID: id(1001 + r), Name: fmt.Sprint(w.made)})
				d.Cameras = append(d.Cameras, on(1001+r, camera(1+r, fmt.Sprint(w.made))))
			}
		}
		w.pending = append(w.pending, sent{a, a.next(w.at, d)})
	case "withdraw":
		w.pending = append(w.pending, sent{a, a.next(w.at, withdrawal())})
	case "revoke":
		if err := w.r.Revoke(w.t.Context(), a.agent, w.at); err != nil {
			return err
		}
		w.m.revoked[a.agent] = true
		w.pending = slices.DeleteFunc(w.pending, func(p sent) bool { return p.by == a })
		w.newKey(s.who)
	case "anew": // the same computer, after it lost its identity
		fresh := &sender{t: w.t, r: w.r, site: a.site, agent: uuid.NewString(), key: sha256.Sum256([]byte(uuid.NewString()))}
		g := fresh.again(w.at, func(d *ingest.Redemption) { d.Former = a.agent })
		w.m.grants = append(w.m.grants, modelGrant{agent: fresh.agent, epoch: g.Epoch, from: w.at})
		w.m.replaces(fresh.agent, g.Epoch, w.at, a.agent)
		w.pending = slices.DeleteFunc(w.pending, func(p sent) bool { return p.by == a })
		w.agents[s.who] = fresh
	case "day":
		w.at = w.at.Add(13 * time.Hour)
	case "deliver":
		return w.deliver(s.n)
	}
	return nil
}

func (w *walker) replaceLater(n int) error {
	epochs := slices.Sorted(maps.Keys(w.codes))
	if len(epochs) == 0 {
		return nil
	}
	epoch := epochs[n%len(epochs)]
	d := w.codes[epoch]
	d.Replace, d.At = true, w.at
	_, err := w.r.Redeem(w.t.Context(), d)
	g := w.m.grant("", epoch)
	revoked := w.m.revoked[g.agent]
	switch {
	case revoked && errors.Is(err, ingest.ErrRevoked), !revoked && !g.isOpen(w.at) && errors.Is(err, ingest.ErrUsedCode):
		return nil
	case revoked || !g.isOpen(w.at) || err != nil:
		return fmt.Errorf("said later for epoch %d: %v", epoch, err)
	}
	w.m.replaces(g.agent, epoch, w.at, "")
	return nil
}

func (w *walker) deliver(n int) error {
	if len(w.pending) == 0 {
		return nil
	}
	i := n % len(w.pending)
	p := w.pending[i]
	w.pending = slices.Delete(w.pending, i, i+1)
	if p.msg.MadeAt.Before(w.at.Add(-23 * time.Hour)) {
		return nil // the clock's tolerance is no part of this model
	}
	stays, want := w.m.deliver(p.by.agent, p.msg, w.at)
	receipt, err := p.by.deliver(p.msg, w.at)
	if want == nil && err != nil || !errors.Is(err, want) || receipt.SiteStays != stays {
		return fmt.Errorf("%s %d.%d: %+v, %v, want %v, stays %v", p.msg.Kind(), p.msg.Epoch, p.msg.Revision, receipt, err, want, stays)
	}
	return nil
}

// compare reads the register in each way that there is.
func (w *walker) compare() error {
	want := w.m.shows()
	h := w.agents[0].history()
	views := map[string]string{}
	for _, versions := range h.Cameras {
		if last := versions[len(versions)-1]; !last.Withdrawn {
			views[last.Camera.RecorderID] = last.Camera.Name
		}
	}
	site := ""
	if len(h.Sites) > 0 {
		site = h.Sites[len(h.Sites)-1].Value.Name
	}
	if got := shown(site, views); got != want {
		return fmt.Errorf("the history shows %s, want %s", got, want)
	}
	contacts, err := w.r.Contacts(w.t.Context(), []string{h.SiteID})
	if err != nil {
		return err
	}
	if got := contacts[h.SiteID]; len(got) > 0 && got[0].Name != site+"'s contact" || len(got) == 0 && len(w.m.said) > 0 {
		return fmt.Errorf("contacts of %q: %+v", site, got)
	}
	return w.compareAgents(want)
}

func (w *walker) compareAgents(want string) error {
	for _, a := range w.agents {
		others := map[string]bool{}
		mine := false
		for _, g := range w.m.grants {
			if g.isOpen(w.at) {
				mine = mine || g.agent == a.agent
				if g.agent != a.agent && !w.m.revoked[g.agent] {
					others[g.agent] = true
				}
			}
		}
		g, _, raw, err := w.r.Site(w.t.Context(), a.agent, a.site)
		if !mine {
			if !errors.Is(err, ingest.ErrNotGranted) {
				return fmt.Errorf("an agent without a grant reads the site: %v", err)
			}
			continue
		}
		if err != nil || int(g.Others) != len(others) {
			return fmt.Errorf("others: %d, %v, want %d", g.Others, err, len(others))
		}
		views := map[string]string{}
		site := ""
		if raw != nil {
			m, err := protocol.Decode(raw)
			if err != nil {
				return err
			}
			d := m.Body.(protocol.Declaration)
			site = d.Site.Name
			for _, r := range d.Recorders {
				views[r.ID] = r.Name
			}
		}
		if got := shown(site, views); got != want {
			return fmt.Errorf("for take-over it is %s, want %s", got, want)
		}
	}
	return nil
}
