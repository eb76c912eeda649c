package consult

import (
	"strings"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// preserveView is what preserve.html reads.
type preserveView struct {
	Search, Phone string
	Once          string // which page it is
	Back          string // the answer
	Band          caseBand
	From          string // who asks, as the owner reads it
	Reference     string
	Kind          protocol.RequestKind
	MayOrder      bool
	Before, After int
	Margins       []int
	Sites         []preserveSite
	wrongs        *preserveForm
}

// Wrong returns the word's key for a field, "" when it is well.
func (v preserveView) Wrong(field string) string { return v.wrongs.wrong(field) }

// preserveSite is one site in words.
type preserveSite struct {
	registry.Draft
	N               int
	Ticked, LeftOut bool
	Origin          origin // how sure it is who declared it
	Trust           string // how its owner is known
	From, To        string // the interval
	Ways            []way
	Cameras         []preserveCamera
	Left            string // until when the first footage is there
}

// way is how a site is told, or why it is not.
type way struct{ Icon, Tone, Text string }

// preserveCamera is a camera as it stands on the recorder.
type preserveCamera struct {
	Name, Recorder, Ask, Until string
	Told                       string // Ask as it is said to an owner
}

func (c *Consult) preserveView(w *pages.Words, f *preserveForm, u officer, k registry.Case, all []registry.Draft) preserveView {
	v := preserveView{Search: f.ans.id, Once: f.once.String(), Phone: f.phone, Back: pathOf(f.ans.id, f.ans.through), Band: c.band(k, u.User), From: u.asWritten(), Reference: c.reference(k), Kind: f.kind,
		MayOrder: u.mayOrder(), Before: f.before, After: f.after, Margins: margins, wrongs: f}
	for i, d := range all {
		s := preserveSite{Draft: d, N: i + 1, Ticked: f.ticked[d.SiteID], LeftOut: f.leftOut[d.SiteID], Origin: originAt(w, f.ans, d.SiteID, d.Trust), Trust: trustWords(w, d.Trust),
			From: w.DateTime(d.Asked.Start), To: w.DateTime(d.Asked.End), Ways: c.ways(w, d.Reach), Cameras: camerasWords(w, d)}
		if until := d.Until(); !until.IsZero() {
			s.Left = w.T("preserve.left", "when", when(w, c.Now(), until))
		}
		v.Sites = append(v.Sites, s)
	}
	return v
}

// ways words by which ways a site can be told.
func (c *Consult) ways(w *pages.Words, r registry.Reach) (all []way) {
	if r.Agents > 0 {
		text, tone := w.T("preserve.way.agent.never"), "warn"
		if !r.HeardAt.IsZero() {
			text = w.T("preserve.way.agent", "ago", w.Ago(c.Now().Sub(r.HeardAt)))
			if c.Now().Sub(r.HeardAt) < 26*time.Hour { // a sign of life a day
				tone = "ok"
			}
		}
		all = append(all, way{"it-inbox", tone, text})
	}
	if r.Addresses > 0 {
		all = append(all, way{"it-mail", "info", w.N("preserve.way.mail", r.Addresses)})
	}
	if r.PECs > 0 {
		all = append(all, way{"it-mail", "muted", w.T("preserve.way.pec")})
	}
	if r.None() {
		all = append(all, way{"it-telephone", "warn", w.T("preserve.way.phone")})
	}
	return all
}

func camerasWords(w *pages.Words, d registry.Draft) (all []preserveCamera) {
	for _, c := range d.Cameras {
		a := preserveCamera{Name: c.Name, Recorder: c.Recorder}
		if c.Channel != "" && c.Channel != c.Name {
			a.Recorder = strings.Trim(w.T("preserve.channel", "channel", c.Channel)+", "+c.Recorder, ", ")
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
