package ops

import (
	"context"
	"strconv"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// assistedPath is the list of what operators typed for owners; the form, and what is done
// with an entry, lie below it in package adhere.
const assistedPath = "/assisted"

// assistedEntry is a row of the list: that an entry is there, and how far it is. What
// was typed is not read here by anything.
type assistedEntry struct {
	ID       string                 `json:"id"`
	State    registry.AssistedState `json:"state"`
	Medium   registry.Medium        `json:"medium"`
	Channel  registry.Channel       `json:"channel,omitempty"`
	Sendings int                    `json:"sendings"`
	BegunAt  time.Time              `json:"begun_at"`
	EndsAt   time.Time              `json:"ends_at"`
	At       time.Time              `json:"at"` // when it came into its state
}

// Waits reports that its owner may still confirm it.
func (a assistedEntry) Waits() bool {
	return a.State == registry.AssistedSent || a.State == registry.AssistedOpened
}

func (a assistedEntry) channel(w *pages.Words) string {
	if a.Channel == "" {
		return w.T("assisted.channel.none")
	}
	return w.T("assisted.channel." + string(a.Channel))
}

// act is a form behind the row; what is the key of its words, and the end of its path.
func (a assistedEntry) act(w *pages.Words, what string, mild bool) cell {
	return cell{Act: &rowAct{Path: assistedPath + "/" + a.ID + "/" + what, Summary: w.T("assisted." + what + ".do"), Of: registry.AssistedNumber(a.ID),
		Lead: w.T("assisted." + what + ".lead"), Submit: w.T("assisted." + what + ".submit"), Mild: mild}}
}

var assistedKinds = map[registry.AssistedState]string{registry.AssistedConfirmed: "ok", registry.AssistedRefused: "bad", registry.AssistedExpired: "muted", registry.AssistedCancelled: "muted"}

// assisted is the list of the operator's own entries; nobody sees those of others.
func (o *Ops) assisted() *list[assistedEntry] {
	ask := func(ctx context.Context, q query) registry.AssistedFilter {
		u, _ := web.User(ctx)
		return registry.AssistedFilter{Operator: u.ID, State: registry.AssistedState(q.get("state")), Medium: registry.Medium(q.get("medium")),
			Channel: registry.Channel(q.get("channel")), From: q.from("from"), Until: q.until("to")}
	}
	return &list[assistedEntry]{
		path: assistedPath, name: "assisted", add: assistedPath + "/entry",
		orders: []string{"begun"},
		filters: []filter{
			{key: "state", values: texts(registry.AssistedStates)},
			{key: "medium", values: texts(registry.Media)},
			{key: "channel", values: texts([]registry.Channel{registry.ChannelEmail, registry.ChannelSMS, registry.ChannelLetter})},
			{key: "from", kind: dayFrom},
			{key: "to", kind: dayTo},
		},
		columns: []column[assistedEntry]{
			{"number", func(w *pages.Words, a assistedEntry) cell {
				c := cell{Text: registry.AssistedNumber(a.ID)}
				if a.State == registry.AssistedTyping {
					c.Href = assistedPath + "/entry"
				}
				return c
			}},
			{"state", func(w *pages.Words, a assistedEntry) cell {
				kind := assistedKinds[a.State]
				if kind == "" {
					kind = "info"
				}
				return cell{Tags: []tag{{kind, w.T("assisted.state." + string(a.State))}}, Notes: []string{w.Short(a.At)}}
			}},
			{"medium", func(w *pages.Words, a assistedEntry) cell {
				return cell{Text: w.T("assisted.medium." + string(a.Medium))}
			}},
			{"channel", func(w *pages.Words, a assistedEntry) cell {
				c := cell{Text: a.channel(w)}
				if a.Sendings > 1 {
					c.Notes = []string{w.T("assisted.sendings.n", "n", a.Sendings)}
				}
				return c
			}},
			{"begun", func(w *pages.Words, a assistedEntry) cell { return cell{Text: w.Short(a.BegunAt)} }},
			{"ends", func(w *pages.Words, a assistedEntry) cell {
				if !a.Waits() && a.State != registry.AssistedTyping {
					return cell{}
				}
				return cell{Text: w.Short(a.EndsAt)}
			}},
			{"again", func(w *pages.Words, a assistedEntry) cell {
				if !a.Waits() || a.Sendings >= registry.MaxSendings {
					return cell{}
				}
				return a.act(w, "again", true)
			}},
			{"cancel", func(w *pages.Words, a assistedEntry) cell {
				if !a.Waits() && a.State != registry.AssistedTyping {
					return cell{}
				}
				return a.act(w, "cancel", false)
			}},
		},
		fields: []field[assistedEntry]{
			{"id", func(_ *pages.Words, a assistedEntry) string { return a.ID }},
			{"state", func(w *pages.Words, a assistedEntry) string { return w.T("assisted.state." + string(a.State)) }},
			{"medium", func(w *pages.Words, a assistedEntry) string { return w.T("assisted.medium." + string(a.Medium)) }},
			{"channel", func(w *pages.Words, a assistedEntry) string { return a.channel(w) }},
			{"sendings", func(_ *pages.Words, a assistedEntry) string { return strconv.Itoa(a.Sendings) }},
			{"begun", func(_ *pages.Words, a assistedEntry) string { return csvTime(a.BegunAt) }},
			{"ends", func(_ *pages.Words, a assistedEntry) string { return csvTime(a.EndsAt) }},
			{"at", func(_ *pages.Words, a assistedEntry) string { return csvTime(a.At) }},
		},
		count: func(ctx context.Context, q query) (int, error) { return o.Registry.CountAssisted(ctx, ask(ctx, q)) },
		rows: func(ctx context.Context, q query, in registry.Window, row func(assistedEntry) error) error {
			return o.Registry.AssistedRows(ctx, ask(ctx, q), in, func(r registry.AssistedRow) error {
				return row(assistedEntry{r.ID, r.State, r.Medium, r.Channel, r.Sendings, r.BegunAt, r.EndsAt, r.At})
			})
		},
	}
}
