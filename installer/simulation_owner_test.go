package installer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// owner is what the owner decided last: the model that the register is
// compared with.
type owner struct {
	wants map[string]map[string]wish // by site and camera id
}

// wish is a camera as the owner said yes to it.
type wish struct {
	name string
	at   protocol.Point
}

func newOwner() *owner { return &owner{wants: map[string]map[string]wish{}} }

func (o *owner) wish(c inventory.Camera) {
	if o.wants[c.SiteID] == nil {
		o.wants[c.SiteID] = map[string]wish{}
	}
	o.wants[c.SiteID][c.ID] = wish{c.Values.Name, c.Values.Position.Point}
}

func (o *owner) forget(id string) {
	for _, cameras := range o.wants {
		delete(cameras, id)
	}
}

// by is the owner's name under every decision.
var by = protocol.Approval{By: "Anna Neri"}

// confirm places a camera and says yes to it.
func (w *world) confirm(n uint32) error {
	c, ok, err := w.pick(n)
	if !ok {
		return err
	}
	e := inventory.Edit{Outdoor: new(true), Lon: new(9.18 + float64(n%100)/1000), Lat: new(45.46), Direction: new(int(n % 360)), By: by.By}
	if _, granted := w.site(c.SiteID); !granted || c.State != inventory.StateDeclared {
		if site, ok := w.site(w.sites[n/7%uint32(len(w.sites))]); ok {
			e.SiteID = new(site)
		}
	}
	if err := w.agent.inv.Set(w.ctx, c.ID, e); err != nil {
		return err
	}
	return w.approve([]string{c.ID})
}

// site gives a site's id if the agent has a grant for it.
func (w *world) site(id string) (string, bool) {
	known, err := w.agent.inv.View(w.ctx)
	return id, err == nil && slices.ContainsFunc(known.Sites, func(g inventory.Site) bool { return g.SiteID == id })
}

// approve says yes to what the page shows of these cameras.
func (w *world) approve(ids []string) error {
	results, err := w.agent.inv.Approve(w.ctx, inventory.Selection{IDs: ids}, by)
	return w.approved(results, err)
}

func (w *world) approveAll(uint32) error {
	if w.agent == nil {
		return nil
	}
	results, err := w.agent.inv.Approve(w.ctx, inventory.Selection{All: true}, by)
	return w.approved(results, err)
}

// approved is what the owner remembers of a yes: what the page now shows as
// declared by it.
func (w *world) approved(results []inventory.Result, err error) error {
	if errors.Is(err, inventory.ErrNotEnrolled) {
		return nil
	}
	known, unread := w.agent.inv.View(w.ctx)
	if unread != nil {
		return unread
	}
	for _, r := range results {
		if r.Error != "" || len(r.Missing) > 0 {
			continue
		}
		c, err := known.Camera(r.ID)
		if err != nil {
			return err
		}
		w.owner.wish(c)
	}
	return err
}

// remove is a no, in one of its forms.
func (w *world) remove(n uint32, say func(id string) error) error {
	c, ok, err := w.pick(n)
	if !ok {
		return err
	}
	w.owner.forget(c.ID)
	return say(c.ID)
}

func (w *world) refuse(n uint32) error {
	return w.remove(n, func(id string) error {
		_, err := w.agent.inv.KeepOut(w.ctx, []string{id}, by)
		return err
	})
}

func (w *world) withdraw(n uint32) error {
	return w.remove(n, func(id string) error {
		_, err := w.agent.inv.Withdraw(w.ctx, []string{id}, by)
		return err
	})
}

func (w *world) answerNo(n uint32) error {
	return w.remove(n, func(id string) error {
		return w.agent.inv.Set(w.ctx, id, inventory.Edit{Outdoor: new(false), By: by.By})
	})
}

func (w *world) withdrawSite(n uint32) error {
	if w.agent == nil {
		return nil
	}
	site := w.sites[n%uint32(len(w.sites))]
	err := w.agent.inv.WithdrawSite(w.ctx, site, by)
	if errors.Is(err, inventory.ErrUnknown) { // not enrolled for it
		return nil
	}
	delete(w.owner.wants, site)
	return err
}

// takeBack takes a no back; nothing leaves by it.
func (w *world) takeBack(n uint32) error {
	c, ok, err := w.pick(n)
	if !ok {
		return err
	}
	_, err = w.agent.inv.Restore(w.ctx, []string{c.ID})
	return err
}

// phone is a new number, which leaves with the next yes.
func (w *world) phone(n uint32) error {
	if w.agent == nil {
		return nil
	}
	return w.agent.inv.SetContact(w.ctx, "", protocol.Contact{Name: "Anna Neri", Role: protocol.RoleOwner, Phone: fmt.Sprintf("+39 02 %07d", n%10_000_000)})
}

// agentClock is what the clock of the agent's computer shows.
func (w *world) agentClock() time.Time { return time.Now().Add(w.skew) }

// mostWrong is how far the computer's clock is off at most.
const mostWrong = 10 * time.Hour

// setClock has the computer's clock be wrong by some hours, or right.
func (w *world) setClock(skew time.Duration) error {
	w.skew, w.skewed = skew, w.skewed || skew != 0
	return nil
}

// look has the agent look at its network.
func (w *world) look(uint32) error {
	if w.agent == nil {
		return nil
	}
	now := w.agentClock().UTC()
	return w.agent.inv.Record(w.ctx, w.lan.look(now), now)
}

// obey does what the agent's pages tell its owner to do; it tells whether
// there was anything.
func (w *world) obey() (did bool, err error) {
	status := w.agent.up.Status()
	if status.LastReason == protocol.ReasonRevoked {
		if err := w.agent.forget(); err != nil {
			return true, err
		}
	}
	needs := func(inventory.Site) bool { return true }
	switch status.LastReason {
	case protocol.ReasonRevoked, protocol.ReasonUnknownAgent, protocol.ReasonExpiredCertificate:
	default:
		known, err := w.agent.inv.View(w.ctx)
		if err != nil {
			return false, err
		}
		needs = func(g inventory.Site) bool {
			return g.AgentID != status.AgentID || slices.Contains(known.NotGranted, g.SiteID)
		}
	}
	if did, err := w.enrolAgain(needs); did || err != nil {
		return did, err
	}
	sent, err := w.agent.inv.Outbox(w.ctx)
	if err != nil {
		return false, err
	}
	for _, site := range w.sites {
		s, refused := refusedDecision(sent, site)
		if !refused || len(w.owner.wants[site]) == 0 && w.gone(site) {
			continue
		}
		did = true
		if err := w.again(s); err != nil {
			return did, err
		}
	}
	return did, nil
}

// enrolAgain gets new codes for those sites that the agent spoke for.
func (w *world) enrolAgain(needs func(inventory.Site) bool) (did bool, err error) {
	known, err := w.agent.inv.View(w.ctx)
	if err != nil {
		return false, err
	}
	for _, g := range known.Sites {
		if needs(g) {
			did, err = true, errors.Join(err, w.newCode(g.SiteID))
		}
	}
	return did, err
}

// refusedDecision gives the newest decision about a site, if it was refused.
func refusedDecision(sent []inventory.Sent, site string) (inventory.Sent, bool) {
	for _, s := range slices.Backward(sent) {
		if s.SiteID == site && (s.Kind == "declaration" || s.Kind == "withdrawal") {
			return s, s.State == inventory.Rejected
		}
	}
	return inventory.Sent{}, false
}

// gone tells whether the register shows nothing of a site.
func (w *world) gone(site string) bool { return w.ledger.site(site).cameras < 0 }

// again repeats a decision that was refused, with a new code where one is
// asked for: not if one was used since.
func (w *world) again(s inventory.Sent) error {
	known, err := w.agent.inv.View(w.ctx)
	if err != nil {
		return err
	}
	same := slices.ContainsFunc(known.Sites, func(g inventory.Site) bool { return g.SiteID == s.SiteID && g.Epoch == s.Message.Epoch })
	if same && strings.HasPrefix(s.Why, string(protocol.ReasonNotGranted)) {
		if err := w.newCode(s.SiteID); err != nil {
			return err
		}
	}
	ids := slices.Sorted(maps.Keys(w.owner.wants[s.SiteID]))
	if len(ids) == 0 {
		return w.agent.inv.WithdrawSite(w.ctx, s.SiteID, by)
	}
	return w.approve(ids)
}

// newCode has the Comune give a code, and uses it.
func (w *world) newCode(site string) error {
	w.asked[site]++
	return errors.Join(w.invite(site), w.enrol(site))
}
