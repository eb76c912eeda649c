package ops

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/mod/semver"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// What is wrong, grouped by cause and by maker and firmware: each number opens the
// lines behind it, and beside each cause stands the sentence to tell the owner.

// certificateLate is how long before its end a certificate should have been renewed
// for days: agents renew theirs from day 20 of 30 on.
const certificateLate = 7 * 24 * time.Hour

// line is one thing that is wrong.
type line struct {
	Cause      registry.Cause `json:"cause"`
	SiteID     string         `json:"site_id"`
	Site       string         `json:"site,omitempty"` // as invited
	AgentID    string         `json:"agent_id,omitempty"`
	Version    string         `json:"version,omitempty"`
	RecorderID string         `json:"recorder_id,omitempty"`
	Maker      protocol.Maker `json:"maker,omitempty"`
	Model      string         `json:"model,omitempty"`
	Firmware   string         `json:"firmware,omitempty"`
	Since      time.Time      `json:"since"`
	OffsetMs   int64          `json:"offset_ms,omitempty"` // of a wrong clock
}

// limits are those of a moment.
func (o *Ops) limits(ctx context.Context) (f registry.QueueFilter, err error) {
	now := o.Web.Now()
	f.SilentSince, f.CertificateBefore = now.Add(-staleAfter), now.Add(certificateLate)
	if semver.IsValid(o.Version) {
		f.Old, err = o.Registry.OldVersions(ctx, func(v string) bool { return semver.IsValid(v) && semver.Compare(v, o.Version) < 0 })
	}
	return f, err
}

func (o *Ops) queueFilter(ctx context.Context, q query) (registry.QueueFilter, error) {
	f, err := o.limits(ctx)
	f.Cause, f.Maker, f.Firmware, f.SiteID = registry.Cause(q.get("cause")), protocol.Maker(q.get("maker")), q.get("firmware"), q.get("site")
	return f, err
}

// lines is the list behind the numbers.
func (o *Ops) lines() *list[line] {
	return &list[line]{
		path: "/queue/lines", name: "lines",
		orders: []string{"since"},
		filters: []filter{
			{key: "cause", values: texts(registry.Causes), label: func(w *pages.Words, v string) string { return w.T("cause." + v) }},
			{key: "maker", values: texts(protocol.Makers), label: makerWord},
			{key: "firmware", more: o.Registry.Firmwares, label: func(_ *pages.Words, v string) string { return v }},
			{key: "site", kind: id},
		},
		columns: []column[line]{
			{"site", func(w *pages.Words, l line) cell {
				return cell{Text: siteName(w, l.Site), Href: "/sites/" + l.SiteID}
			}},
			{"cause", func(w *pages.Words, l line) cell {
				return cell{Tags: []tag{{"warn", w.T("cause." + string(l.Cause))}}, Notes: notes(lineNote(w, l))}
			}},
			{"recorder", func(w *pages.Words, l line) cell { return cell{Text: deviceWord(w, l.Maker, l.Model, l.Firmware)} }},
			{"since", func(w *pages.Words, l line) cell { return cell{Text: w.Short(l.Since)} }},
			{"tell", func(w *pages.Words, l line) cell { return cell{Text: sentence(w, l.Cause)} }},
		},
		fields: []field[line]{
			{"id", func(_ *pages.Words, l line) string { return l.SiteID }},
			{"site", func(_ *pages.Words, l line) string { return l.Site }},
			{"cause", func(w *pages.Words, l line) string { return w.T("cause." + string(l.Cause)) }},
			{"maker", func(_ *pages.Words, l line) string { return string(l.Maker) }},
			{"model", func(_ *pages.Words, l line) string { return l.Model }},
			{"firmware", func(_ *pages.Words, l line) string { return l.Firmware }},
			{"since", func(_ *pages.Words, l line) string { return csvTime(l.Since) }},
			{"tell", func(w *pages.Words, l line) string { return sentence(w, l.Cause) }},
		},
		count: func(ctx context.Context, q query) (int, error) {
			f, err := o.queueFilter(ctx, q)
			if err != nil {
				return 0, err
			}
			return o.Registry.CountQueue(ctx, f)
		},
		rows: func(ctx context.Context, q query, in registry.Window, row func(line) error) error {
			f, err := o.queueFilter(ctx, q)
			if err != nil {
				return err
			}
			return o.Registry.QueueRows(ctx, f, in, func(r registry.QueueRow) error {
				return row(line{r.Cause, r.SiteID, r.Name, r.AgentID, r.Version, r.RecorderID, r.Maker, r.Model, r.Firmware, r.Since, r.Size})
			})
		},
	}
}

func siteName(w *pages.Words, name string) string {
	if name == "" {
		return w.T("sites.unnamed")
	}
	return name
}

func notes(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// lineNote is what a cause says besides.
func lineNote(w *pages.Words, l line) string {
	switch {
	case l.Version != "":
		return l.Version
	case l.OffsetMs != 0:
		return w.T("cause.off", "minutes", w.Number(int((time.Duration(l.OffsetMs)*time.Millisecond).Round(time.Minute)/time.Minute)))
	}
	return ""
}

// sentence is what the owner is told of a cause, ready to be copied.
func sentence(w *pages.Words, c registry.Cause) string { return w.T("tell." + string(c)) }

func makerWord(w *pages.Words, v string) string {
	if key := "maker." + v; w.Has(key) {
		return w.T(key)
	}
	return v
}

// deviceWord names a kind of recorder; "" for none.
func deviceWord(w *pages.Words, maker protocol.Maker, model, firmware string) string {
	if maker == "" {
		return ""
	}
	name := makerWord(w, string(maker))
	if model != "" {
		name += " " + model
	}
	if firmware != "" {
		name += ", firmware " + firmware
	}
	return name
}

// shownMakers is how many makers and firmwares the page of the queue shows: those
// with the most recorders that want something.
const shownMakers = 30

type queueData struct {
	Causes  []causeView   `json:"causes"`
	Makers  []makerView   `json:"makers"`
	Unnamed []unnamedView `json:"not_declared"`
	More    int           `json:"-"` // makers and firmwares that are not shown
}

type causeView struct {
	Cause registry.Cause `json:"cause"`
	Lines int            `json:"lines"`
	Href  string         `json:"-"`
	Write string         `json:"-"`
}

type makerView struct {
	Maker     protocol.Maker         `json:"maker"`
	Firmware  string                 `json:"firmware,omitempty"`
	Recorders int                    `json:"recorders"`
	Faulty    int                    `json:"faulty"`
	Faults    map[registry.Cause]int `json:"faults"`
	Href      string                 `json:"-"`
	Most      registry.Cause         `json:"most,omitempty"` // the fault that most of them have
}

type unnamedView struct {
	Maker   protocol.Maker `json:"maker"`
	Fault   protocol.Fault `json:"fault"`
	Cause   registry.Cause `json:"-"`
	Devices int            `json:"devices"`
}

// queue is the technical queue.
func (o *Ops) queue(rw http.ResponseWriter, r *http.Request) {
	f, err := o.limits(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	g, err := o.Registry.QueueGroups(r.Context(), f)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	data := queueData{Causes: []causeView{}, Makers: []makerView{}, Unnamed: []unnamedView{}}
	for _, c := range registry.Causes {
		if n := g.Causes[c]; n > 0 {
			v := url.Values{"cause": {string(c)}}.Encode()
			data.Causes = append(data.Causes, causeView{c, n, "/queue/lines?" + v, "/queue/letter?" + v})
		}
	}
	slices.SortStableFunc(data.Causes, func(a, b causeView) int { return b.Lines - a.Lines })
	for _, m := range g.Makers {
		v := url.Values{"maker": {string(m.Maker)}}
		if m.Firmware != "" {
			v.Set("firmware", m.Firmware)
		}
		view := makerView{m.Maker, m.Firmware, m.Recorders, m.Faulty, m.Faults, "/queue/lines?" + v.Encode(), ""}
		for _, c := range registry.Causes {
			if m.Faults[c] > m.Faults[view.Most] {
				view.Most = c
			}
		}
		data.Makers = append(data.Makers, view)
	}
	for _, u := range g.Unnamed {
		data.Unnamed = append(data.Unnamed, unnamedView{u.Maker, u.Fault, registry.FaultCause(u.Fault), u.Devices})
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, data)
		return
	}
	data.Makers = slices.DeleteFunc(data.Makers, func(m makerView) bool { return m.Faulty == 0 })
	data.More = max(0, len(data.Makers)-shownMakers)
	data.Makers = data.Makers[:min(len(data.Makers), shownMakers)]
	o.show(rw, r, pages.Page{Template: "queue.html", Title: "queue.title", Wide: true, Data: data})
}
