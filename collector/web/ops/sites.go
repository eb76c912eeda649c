package ops

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// staleAfter is when a site that shares counts as silent: agents send a sign
// of life each day, so three days are three that were missed.
const staleAfter = 72 * time.Hour

// site is a row of the list of sites.
type site struct {
	ID          string            `json:"id"`
	State       registry.State    `json:"state"`
	Name        string            `json:"name,omitempty"` // as invited, not as declared
	Address     string            `json:"address,omitempty"`
	Category    protocol.Category `json:"category,omitempty"`
	Municipio   string            `json:"municipio,omitempty"`
	NIL         string            `json:"nil,omitempty"`
	Trust       string            `json:"trust"`
	Cameras     int               `json:"cameras"`
	InvitedAt   time.Time         `json:"invited_at,omitzero"`
	CodeExpires time.Time         `json:"code_expires,omitzero"`
	OpenedAt    time.Time         `json:"opened_at,omitzero"`
	EnrolledAt  time.Time         `json:"enrolled_at,omitzero"`
	SearchedAt  time.Time         `json:"searched_at,omitzero"`
	ConfirmedAt time.Time         `json:"confirmed_at,omitzero"`
	SharedAt    time.Time         `json:"shared_at,omitzero"`
	HeardAt     time.Time         `json:"heard_at,omitzero"`
	SuspendedAt time.Time         `json:"suspended_at,omitzero"`
	WithdrawnAt time.Time         `json:"withdrawn_at,omitzero"`
	Stale       bool              `json:"stale"` // shares, but was not heard of for three days
}

var siteStates = []string{string(registry.Invited), string(registry.Enrolled), string(registry.Sharing), string(registry.Suspended), string(registry.Withdrawn)}

// trusts are the ways in which an owner's identity is checked.
var trusts = []string{string(protocol.TrustSPID), string(protocol.TrustPEC), string(protocol.TrustInvitation), string(protocol.TrustAssociation), string(protocol.TrustEmail),
	string(protocol.TrustDictatedLetter), string(protocol.TrustDictatedSMS), string(protocol.TrustDictatedEmail)}

func texts[S ~string](of []S) []string {
	all := make([]string, 0, len(of))
	for _, s := range of {
		all = append(all, string(s))
	}
	return all
}

// sites is the list of all sites.
func (o *Ops) sites() *list[site] {
	return &list[site]{
		path: "/sites", name: "sites",
		orders: []string{string(registry.SitesByInvitation), string(registry.SitesByEnrolment), string(registry.SitesByDeclaration), string(registry.SitesByContact)},
		filters: []filter{
			{key: "state", values: siteStates, label: func(w *pages.Words, v string) string { return w.T("state." + v) }},
			{key: "category", values: texts(protocol.Categories), label: func(w *pages.Words, v string) string { return w.T("category." + v) }},
			{key: "trust", values: trusts, label: func(w *pages.Words, v string) string { return w.T("trust." + v) }},
			{key: "municipio", more: o.placesOf(registry.GroupMunicipio), label: districtName},
			{key: "nil", more: o.placesOf(registry.GroupNIL), label: districtName},
			{key: "silent", values: []string{"yes"}},
			{key: "stage", values: texts(registry.Stages)},
			{key: "from", kind: dayFrom},
			{key: "to", kind: dayTo},
			{key: "id", kind: id},
		},
		columns: []column[site]{
			{"site", siteCell},
			{"state", stateCell},
			{"cameras", func(w *pages.Words, s site) cell { return cell{Text: w.Number(s.Cameras)} }},
			{"municipio", func(_ *pages.Words, s site) cell {
				c := cell{Text: cmp.Or(s.Municipio, "–")}
				if s.NIL != "" {
					c.Notes = []string{s.NIL}
				}
				return c
			}},
			{"invited", func(w *pages.Words, s site) cell { return cell{Text: w.Day(s.InvitedAt)} }},
			{"enrolled", func(w *pages.Words, s site) cell { return dayCell(w, s.EnrolledAt) }},
			{"shared", func(w *pages.Words, s site) cell { return dayCell(w, s.SharedAt) }},
			{"heard", func(w *pages.Words, s site) cell {
				if s.HeardAt.IsZero() {
					return cell{Text: w.T("sites.never")}
				}
				return cell{Since: s.HeardAt}
			}},
		},
		fields: siteFields,
		count: func(ctx context.Context, q query) (int, error) {
			return o.Registry.CountSites(ctx, o.siteFilter(q))
		},
		rows: func(ctx context.Context, q query, in registry.Window, row func(site) error) error {
			now := o.Web.Now()
			return o.Registry.SiteRows(ctx, o.siteFilter(q), registry.SiteOrder(q.order), in, func(s registry.SiteRow) error {
				return row(site{s.ID, s.State, s.Name, s.Address, s.Category, s.Municipio, s.NIL, s.Trust, s.Cameras, s.InvitedAt, s.CodeExpires, s.OpenedAt, s.EnrolledAt,
					s.SearchedAt, s.ConfirmedAt, s.SharedAt,
					s.HeardAt, s.SuspendedAt, s.WithdrawnAt, s.State == registry.Sharing && now.Sub(s.HeardAt) > staleAfter})
			})
		},
	}
}

// siteFilter is what a query of the list asks of the register. A day without a stage
// is of the invitation.
func (o *Ops) siteFilter(q query) registry.SiteFilter {
	f := registry.SiteFilter{
		Municipio: q.get("municipio"), NIL: q.get("nil"),
		ID: q.get("id"), State: registry.State(q.get("state")), Category: protocol.Category(q.get("category")), Trust: q.get("trust"),
		Stage: registry.Stage(q.get("stage")), From: q.from("from"), Until: q.until("to"),
	}
	if f.Stage == "" && (!f.From.IsZero() || !f.Until.IsZero()) {
		f.Stage = registry.StageInvited
	}
	if q.get("silent") != "" {
		f.SilentSince = o.Web.Now().Add(-staleAfter)
	}
	return f
}

// placesOf returns the districts of a kind in which there are sites or which are on the
// map, and what stands for none.
func (o *Ops) placesOf(kind registry.Grouping) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		both, _, err := o.places.get(ctx, o, func(ctx context.Context) ([2][]string, error) {
			municipi, nils, err := o.Registry.Places(ctx)
			return [2][]string{municipi, nils}, err
		})
		names := slices.Clone(both[map[registry.Grouping]int{registry.GroupMunicipio: 0, registry.GroupNIL: 1}[kind]])
		if m := o.Map(string(kind)); m != nil {
			for _, f := range m.Districts {
				names = append(names, f.Name)
			}
			slices.Sort(names)
			names = slices.Compact(names)
		}
		return append(names, registry.NoDistrict), err
	}
}

func districtName(w *pages.Words, v string) string {
	if v == registry.NoDistrict {
		return w.T("funnel.nowhere")
	}
	return v
}

func siteCell(w *pages.Words, s site) cell {
	c := cell{Text: s.Name, Href: "/sites/" + s.ID, Code: s.ID}
	if c.Text == "" {
		c.Text = w.T("sites.unnamed")
	}
	if s.Category != "" {
		c.Notes = append(c.Notes, w.T("category."+string(s.Category)))
	}
	if s.Address != "" {
		c.Notes = append(c.Notes, s.Address)
	}
	return c
}

func stateCell(w *pages.Words, s site) cell {
	kinds := map[registry.State]string{registry.Sharing: "ok", registry.Suspended: "warn", registry.Withdrawn: "muted"}
	kind, ok := kinds[s.State]
	if !ok {
		kind = "info"
	}
	c := cell{Tags: []tag{{kind, w.T("state." + string(s.State))}}}
	if s.Stale {
		c.Tags = append(c.Tags, tag{"warn", w.T("sites.stale")})
	}
	if !s.CodeExpires.IsZero() {
		c.Notes = append(c.Notes, w.T("sites.code", "until", w.Short(s.CodeExpires)))
	}
	return c
}

// dayCell is the day of a moment, or a dash.
func dayCell(w *pages.Words, t time.Time) cell {
	if t.IsZero() {
		return cell{Text: "–"}
	}
	return cell{Text: w.Day(t)}
}

var siteFields = []field[site]{
	{"id", func(_ *pages.Words, s site) string { return s.ID }},
	{"site", func(_ *pages.Words, s site) string { return s.Name }},
	{"address", func(_ *pages.Words, s site) string { return s.Address }},
	{"category", func(w *pages.Words, s site) string {
		if s.Category == "" {
			return ""
		}
		return w.T("category." + string(s.Category))
	}},
	{"state", func(w *pages.Words, s site) string { return w.T("state." + string(s.State)) }},
	{"trust", func(w *pages.Words, s site) string { return w.T("trust." + s.Trust) }},
	{"cameras", func(_ *pages.Words, s site) string { return strconv.Itoa(s.Cameras) }},
	{"invited", func(_ *pages.Words, s site) string { return csvTime(s.InvitedAt) }},
	{"municipio", func(_ *pages.Words, s site) string { return s.Municipio }},
	{"nil", func(_ *pages.Words, s site) string { return s.NIL }},
	{"opened", func(_ *pages.Words, s site) string { return csvTime(s.OpenedAt) }},
	{"enrolled", func(_ *pages.Words, s site) string { return csvTime(s.EnrolledAt) }},
	{"searched", func(_ *pages.Words, s site) string { return csvTime(s.SearchedAt) }},
	{"confirmed", func(_ *pages.Words, s site) string { return csvTime(s.ConfirmedAt) }},
	{"shared", func(_ *pages.Words, s site) string { return csvTime(s.SharedAt) }},
	{"heard", func(_ *pages.Words, s site) string { return csvTime(s.HeardAt) }},
	{"withdrawn", func(_ *pages.Words, s site) string { return csvTime(s.WithdrawnAt) }},
}
