package ops

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// What is wrong, line by line: the list behind the numbers of the technical queue.

// line is one thing that is wrong.
type line struct {
	Cause      registry.Cause `json:"cause"`
	SiteID     uuid.UUID      `json:"site_id"`
	Site       string         `json:"site,omitempty"` // as invited
	AgentID    uuid.UUID      `json:"agent_id,omitzero"`
	Version    string         `json:"version,omitempty"`
	RecorderID uuid.UUID      `json:"recorder_id,omitzero"`
	Maker      protocol.Maker `json:"maker,omitempty"`
	Model      string         `json:"model,omitempty"`
	Firmware   string         `json:"firmware,omitempty"`
	Since      time.Time      `json:"since"`
	OffsetMs   int64          `json:"offset_ms,omitempty"` // of a wrong clock
}

// lines is the list behind the numbers.
func (o *Ops) lines() *list[line] {
	return &list[line]{
		path: "/queue/lines", name: "lines",
		orders: []string{"since"},
		filters: []filter{
			{key: "cause", values: texts(registry.Causes), label: func(w *pages.Words, v string) string { return w.T("cause." + v) }},
			{key: "maker", values: texts(protocol.Makers), label: makerWord},
			{key: "firmware", more: o.firmwares, label: func(_ *pages.Words, v string) string { return v }},
			{key: "site", kind: id},
		},
		columns: []column[line]{
			{"site", func(w *pages.Words, l line) cell {
				return cell{Text: siteName(w, l.Site), Href: "/sites/" + l.SiteID.String()}
			}},
			{"cause", func(w *pages.Words, l line) cell {
				return cell{Tags: []tag{{"warn", w.T("cause." + string(l.Cause))}}, Notes: notes(lineNote(w, l))}
			}},
			{"recorder", func(w *pages.Words, l line) cell { return cell{Text: deviceWord(w, l.Maker, l.Model, l.Firmware)} }},
			{"since", func(w *pages.Words, l line) cell { return cell{Text: w.Short(l.Since)} }},
			{"tell", func(w *pages.Words, l line) cell { return cell{Text: sentence(w, l.Cause)} }},
		},
		fields: []field[line]{
			{"id", func(_ *pages.Words, l line) string { return l.SiteID.String() }},
			{"site", func(_ *pages.Words, l line) string { return l.Site }},
			{"cause", func(w *pages.Words, l line) string { return w.T("cause." + string(l.Cause)) }},
			{"maker", func(_ *pages.Words, l line) string { return string(l.Maker) }},
			{"model", func(_ *pages.Words, l line) string { return l.Model }},
			{"firmware", func(_ *pages.Words, l line) string { return l.Firmware }},
			{"since", func(_ *pages.Words, l line) string { return csvTime(l.Since) }},
			{"tell", func(w *pages.Words, l line) string { return sentence(w, l.Cause) }},
		},
		count: func(ctx context.Context, q query) (n int, err error) {
			all, err := o.queueNow(ctx)
			if err != nil {
				return 0, err
			}
			for range linesOf(all, q) {
				n++
			}
			return n, nil
		},
		rows: o.eachLine,
		counted: func(ctx context.Context) (time.Time, error) {
			all, err := o.queueNow(ctx)
			if err != nil {
				return time.Time{}, err
			}
			return all.At, nil
		},
	}
}

// linesOf are the lines that a query is of, in its order.
func linesOf(all *registry.FaultList, q query) iter.Seq[*registry.FaultLine] {
	cause, maker, firmware := registry.Cause(q.get("cause")), protocol.Maker(q.get("maker")), q.get("firmware")
	site, _ := uuid.Parse(q.get("site")) // read has seen to it that it is one, or not there
	return func(yield func(*registry.FaultLine) bool) {
		for i := range all.Lines {
			l := &all.Lines[i]
			if q.ascending {
				l = &all.Lines[len(all.Lines)-1-i]
			}
			if cause != "" && l.Cause != cause || maker != "" && l.Kind.Maker != maker || firmware != "" && l.Kind.Firmware != firmware || site != uuid.Nil && l.SiteID != site {
				continue
			}
			if !yield(l) {
				return
			}
		}
	}
}

// namedAtOnce is of how many lines the names are read at once.
const namedAtOnce = 500

// eachLine calls row for each line of a window of those that q is of.
func (o *Ops) eachLine(ctx context.Context, q query, in registry.Window, row func(line) error) error {
	all, err := o.queueNow(ctx)
	if err != nil {
		return err
	}
	var shown []*registry.FaultLine
	skip := in.Offset
	for l := range linesOf(all, q) {
		if len(shown) == in.Limit {
			break
		}
		if skip--; skip < 0 {
			shown = append(shown, l)
		}
	}
	for part := range slices.Chunk(shown, namedAtOnce) {
		sites := make([]uuid.UUID, len(part))
		for i, l := range part {
			sites[i] = l.SiteID
		}
		names, err := o.Registry.InvitedNames(ctx, sites)
		if err != nil {
			return err
		}
		for _, l := range part {
			if err := row(line{l.Cause, l.SiteID, names[l.SiteID], l.AgentID, l.Version, l.RecorderID, l.Kind.Maker, l.Kind.Model, l.Kind.Firmware, l.Since, l.Size}); err != nil {
				return err
			}
		}
	}
	return nil
}

// firmwares are the families of firmware of declared recorders, to choose from.
func (o *Ops) firmwares(ctx context.Context) ([]string, error) {
	all, err := o.queueNow(ctx)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, m := range all.Makers {
		if m.Firmware != "" {
			known = append(known, m.Firmware)
		}
	}
	slices.Sort(known)
	return slices.Compact(known), nil
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
