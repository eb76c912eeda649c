package ops

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// code is a row of the list of invitations. The code itself is known to nobody but
// who was given it.
type code struct {
	SiteID    string             `json:"site_id"`
	Site      string             `json:"site,omitempty"` // as invited
	State     registry.CodeState `json:"state"`
	CreatedAt time.Time          `json:"created_at"`
	ExpiresAt time.Time          `json:"expires_at"`
	At        time.Time          `json:"at"` // when it came into its state
}

// revoke is the act of taking it back.
func (c code) revoke() string {
	return "/sites/" + c.SiteID + "/codes/" + strconv.FormatInt(c.CreatedAt.UnixMicro(), 10) + "/revoke"
}

// Open reports that it could still be used.
func (c code) Open() bool { return c.State == registry.CodeIssued || c.State == registry.CodeOpened }

func codeOf(r registry.CodeRow) code {
	return code{r.SiteID, r.Name, r.State, r.CreatedAt, r.ExpiresAt, r.At}
}

// codes is the list of invitations.
func (o *Ops) codes() *list[code] {
	ask := func(q query) registry.CodeFilter {
		return registry.CodeFilter{SiteID: q.get("site"), State: registry.CodeState(q.get("state")), From: q.from("from"), Until: q.until("to")}
	}
	return &list[code]{
		path: "/invitations", name: "codes",
		orders: []string{"created"},
		filters: []filter{
			{key: "state", values: texts(registry.CodeStates)},
			{key: "from", kind: dayFrom},
			{key: "to", kind: dayTo},
			{key: "site", kind: id},
		},
		columns: []column[code]{
			{"site", func(w *pages.Words, c code) cell { return cell{Text: siteName(w, c.Site), Href: "/sites/" + c.SiteID} }},
			{"state", func(w *pages.Words, c code) cell {
				kind := map[registry.CodeState]string{registry.CodeUsed: "ok", registry.CodeExpired: "muted", registry.CodeRevoked: "bad"}[c.State]
				if kind == "" {
					kind = "info"
				}
				return cell{Tags: []tag{{kind, w.T("codes.state." + string(c.State))}}, Notes: []string{w.Short(c.At)}}
			}},
			{"created", func(w *pages.Words, c code) cell { return cell{Text: w.Short(c.CreatedAt)} }},
			{"expires", func(w *pages.Words, c code) cell { return cell{Text: w.Short(c.ExpiresAt)} }},
			{"act", func(w *pages.Words, c code) cell {
				if !c.Open() {
					return cell{Text: w.T("codes.again"), Href: "/sites/" + c.SiteID + "#again"}
				}
				return cell{Act: &rowAct{Path: c.revoke(), Summary: w.T("codes.revoke"), Of: siteName(w, c.Site), Lead: w.T("codes.revoke.lead"), Submit: w.T("codes.revoke.submit")}}
			}},
		},
		fields: []field[code]{
			{"id", func(_ *pages.Words, c code) string { return c.SiteID }},
			{"site", func(_ *pages.Words, c code) string { return c.Site }},
			{"state", func(w *pages.Words, c code) string { return w.T("codes.state." + string(c.State)) }},
			{"created", func(_ *pages.Words, c code) string { return csvTime(c.CreatedAt) }},
			{"expires", func(_ *pages.Words, c code) string { return csvTime(c.ExpiresAt) }},
			{"at", func(_ *pages.Words, c code) string { return csvTime(c.At) }},
		},
		count: func(ctx context.Context, q query) (int, error) { return o.Registry.CountCodes(ctx, ask(q)) },
		rows: func(ctx context.Context, q query, in registry.Window, row func(code) error) error {
			return o.Registry.CodeRows(ctx, ask(q), in, func(r registry.CodeRow) error { return row(codeOf(r)) })
		},
	}
}

// revokeCode takes back a code that nobody has used.
func (o *Ops) revokeCode(rw http.ResponseWriter, r *http.Request) {
	site := r.PathValue("id")
	made, err := strconv.ParseInt(r.PathValue("made"), 10, 64)
	if err != nil || made <= 0 {
		o.missing(rw, r, "codes.unknown")
		return
	}
	created := time.UnixMicro(made).UTC()
	open := false
	err = o.Registry.CodeRows(r.Context(), registry.CodeFilter{SiteID: site, From: created, Until: created.Add(time.Microsecond)}, registry.Window{Limit: mostRows}, func(c registry.CodeRow) error {
		open = open || codeOf(c).Open()
		return nil
	})
	switch {
	case err != nil:
		o.Web.Broken(rw, r, err)
		return
	case !open:
		o.missing(rw, r, "codes.unknown")
		return
	case !o.record(rw, r, act.CodeRevoke, map[string]string{"site": site}):
		return
	}
	n, err := o.Registry.RevokeCodes(r.Context(), site, created, o.Web.Now().UTC())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, map[string]int{"revoked": n})
		return
	}
	http.Redirect(rw, r, "/sites/"+site, http.StatusSeeOther)
}
