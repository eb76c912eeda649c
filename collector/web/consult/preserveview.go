package consult

import (
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// askView is what preserve.html reads.
type askView struct {
	Search, Phone string
	Back          string // the answer
	Band          caseBand
	From          string // who asks, as the owner reads it
	Reference     string
	Kind          protocol.RequestKind
	MayOrder      bool
	Before, After int
	Margins       []int
	Sites         []askedSite
	wrongs        *askForm
}

// Wrong gives the word's key for a field, "" when it is well.
func (v askView) Wrong(field string) string { return v.wrongs.wrong(field) }

// askedSite is one site in words.
type askedSite struct {
	registry.Draft
	N               int
	Ticked, LeftOut bool
	Origin          origin // how sure it is who declared it
	Trust           string // how its owner is known
	From, To        string // the interval
	Ways            []way
	Cameras         []askedCamera
	Left            string // until when the first footage is there
}

// way is how a site is told, or why it is not.
type way struct{ Icon, Tone, Text string }

// askedCamera is a camera as it stands on the recorder.
type askedCamera struct {
	Name, Recorder, Ask, Until string
	Told                       string // Ask as it is said to an owner
}

func (c *Consult) askView(w *pages.Words, q *askForm, u registry.User, k registry.Case, all []registry.Draft) askView {
	v := askView{Search: q.ans.id, Phone: q.phone, Back: pathOf(q.ans.id, q.ans.base != nil), Band: c.band(k, u), From: asksAs(u), Reference: c.reference(k), Kind: q.kind,
		MayOrder: mayOrder(u), Before: q.before, After: q.after, Margins: margins, wrongs: q}
	for i, d := range all {
		s := askedSite{Draft: d, N: i + 1, Ticked: q.ticked[d.SiteID], LeftOut: q.leftOut[d.SiteID], Origin: originAt(w, q.ans, d.SiteID, d.Trust), Trust: trustWords(w, d.Trust),
			From: w.DateTime(d.Asked.Start), To: w.DateTime(d.Asked.End), Ways: c.ways(w, d.Reach), Cameras: camerasWords(w, d)}
		if until := d.Until(); !until.IsZero() {
			s.Left = w.T("ask.left", "when", when(w, c.Now(), until))
		}
		v.Sites = append(v.Sites, s)
	}
	return v
}

// ways words by which ways a site can be told.
func (c *Consult) ways(w *pages.Words, r registry.Reach) (all []way) {
	if r.Agents > 0 {
		text, tone := w.T("ask.way.agent.never"), "warn"
		if !r.HeardAt.IsZero() {
			text = w.T("ask.way.agent", "ago", w.Ago(c.Now().Sub(r.HeardAt)))
			if c.Now().Sub(r.HeardAt) < 26*time.Hour { // a sign of life a day
				tone = "ok"
			}
		}
		all = append(all, way{"it-inbox", tone, text})
	}
	if r.Addresses > 0 {
		all = append(all, way{"it-mail", "info", w.N("ask.way.mail", r.Addresses)})
	}
	if r.PECs > 0 {
		all = append(all, way{"it-mail", "muted", w.T("ask.way.pec")})
	}
	if r.None() {
		all = append(all, way{"it-telephone", "warn", w.T("ask.way.phone")})
	}
	return all
}

func camerasWords(w *pages.Words, d registry.Draft) (all []askedCamera) {
	for _, c := range d.Cameras {
		a := askedCamera{Name: c.Name, Recorder: c.Recorder}
		if c.Channel != "" && c.Channel != c.Name {
			a.Recorder = strings.Trim(w.T("ask.channel", "channel", c.Channel)+", "+c.Recorder, ", ")
		}
		a.Ask, _ = clockWords(w, asSearched(c))
		if a.Told = a.Ask; c.Clock == nil {
			a.Told = w.T("script.unmeasured")
		}
		if !c.Until.IsZero() {
			a.Until = w.DateTime(c.Until)
		}
		all = append(all, a)
	}
	return all
}
