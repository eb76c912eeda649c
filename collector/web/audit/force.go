package audit

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// maxCases bounds the cases of a force that the rules look at, the newest.
const maxCases = 10_000

// forceRoutes are the pages of a force's auditor, of its own entries alone.
func (a *Audit) forceRoutes() []web.Route {
	route := func(pattern string, h func(http.ResponseWriter, *http.Request, view)) web.Route {
		return web.Route{Pattern: pattern, Roles: []string{registry.RoleForceAuditor}, Handler: a.own(h)}
	}
	return []web.Route{
		route("GET /audit/entries", a.entries),
		route("POST /audit/entries", a.entries), // a word that is looked for is no part of an address
		route("GET /audit/entries.csv", a.csv),
		route("POST /audit/open", a.openBodies),
		route("POST /audit/close", a.closeBodies),
	}
}

// view is the reader and their query.
type view struct {
	user     registry.User
	force    registry.Force
	query    asked
	identity age.Identity // nil: the bodies are closed
	until    time.Time    // when they close again
	names    names
}

// own finds out whose entries are looked at; nobody sees another force's.
func (a *Audit) own(h func(http.ResponseWriter, *http.Request, view)) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		u, _ := web.User(r.Context())
		if u.Role != registry.RoleForceAuditor || u.Force == "" { // the control socket comes by no rule of a route
			a.Web.Fail(rw, r, http.StatusForbidden, web.Problem{Error: a.words(r).T("entries.nobody")})
			return
		}
		force, ok, err := a.Registry.Force(r.Context(), u.Force)
		if err == nil && !ok {
			err = errors.New("the auditor's force is not in the register")
		}
		if err == nil {
			err = r.ParseForm()
		}
		if err != nil {
			a.Web.Broken(rw, r, err)
			return
		}
		v := view{user: u, force: force, query: readQuery(r.Form, a.now())}
		v.identity, v.until = a.keys.get(a.Web.SessionKey(r), u.Force, a.now())
		h(rw, r, v)
	})
}

// names are what stands behind the pseudonyms, read with the force's key.
type names struct{ actors, cases map[string]string }

// name returns a pseudonym's name, or its beginning: the whole would fill the page.
func (n names) name(of map[string]string, pseudonym string) string {
	if name, ok := of[pseudonym]; ok {
		return name
	}
	return pseudonym[:min(len(pseudonym), 8)]
}

func (n names) Actor(pseudonym string) string { return n.name(n.actors, pseudonym) }
func (n names) Case(pseudonym string) string  { return n.name(n.cases, pseudonym) }

// resolve finds the names of a force's people and cases.
func (a *Audit) resolve(ctx context.Context, force string, cases []openCase) (names, error) {
	n := names{map[string]string{}, map[string]string{}}
	users, err := a.Registry.Users(ctx)
	if err != nil {
		return n, err
	}
	for _, u := range users {
		if u.Force == force {
			n.actors[a.Trail.ActorPseudonym(u.ID)] = u.Name
		}
	}
	for _, c := range cases {
		n.cases[c.Pseudonym] = strings.TrimSuffix(c.Kind+" "+c.Ref, " ")
	}
	return n, nil
}

// cases are those of the force, with the names that the trail has for them.
func (a *Audit) cases(ctx context.Context, force string) (all []openCase, err error) {
	cases, err := a.Registry.Cases(ctx, force, maxCases)
	for _, c := range cases {
		if c.Force == force { // what is shared with it is another's to answer for
			all = append(all, openCase{c, a.Trail.CasePseudonym(force, c.ID), a.Trail.ActorPseudonym(c.OpenedBy)})
		}
	}
	return all, err
}

// found is all that the page is made of.
type found struct {
	all, kept []trail.Header // of the period; of it what was asked for
	cases     []openCase
	odd       []anomaly
}

func (a *Audit) find(ctx context.Context, v *view) (f found, err error) {
	if f.all, err = a.period(ctx, v.user.Force, v.query.from, v.query.until); err != nil {
		return f, err
	}
	f.kept = v.query.filter(f.all)
	if f.cases, err = a.cases(ctx, v.user.Force); err != nil {
		return f, err
	}
	f.odd = anomalies(f.all, f.cases, a.now())
	if v.identity != nil {
		v.names, err = a.resolve(ctx, v.user.Force, f.cases)
	}
	return f, err
}

// entries shows the force's own entries, their statistics and what stands out.
func (a *Audit) entries(rw http.ResponseWriter, r *http.Request, v view) {
	if v.query.wrong {
		a.show(rw, r, v, found{}, nil, http.StatusUnprocessableEntity, "entries.wrong")
		return
	}
	f, err := a.find(r.Context(), &v)
	switch {
	case errors.Is(err, errMany):
		a.show(rw, r, v, found{}, nil, http.StatusUnprocessableEntity, "entries.many")
		return
	case err != nil:
		a.Web.Broken(rw, r, err)
		return
	case v.query.Text != "" && v.identity == nil:
		a.show(rw, r, v, f, nil, http.StatusUnprocessableEntity, "entries.closed")
		return
	case v.query.Text != "" && len(f.kept) > maxBodies:
		a.show(rw, r, v, f, nil, http.StatusUnprocessableEntity, "entries.toomany")
		return
	}
	rows, err := a.rows(r, &v, &f)
	if err != nil {
		a.Web.Unrecorded(rw, r, err)
		return
	}
	a.show(rw, r, v, f, rows, http.StatusOK)
}

// rows are the entries of the page that is looked at. Where bodies are opened that
// is an entry itself, written before one is shown.
func (a *Audit) rows(r *http.Request, v *view, f *found) ([]entry, error) {
	from := min((v.query.Page-1)*pageRows, len(f.kept))
	shown := f.kept[from:min(from+pageRows, len(f.kept))]
	if v.identity == nil {
		return a.open(r.Context(), shown, nil)
	}
	if v.query.Text != "" {
		shown = f.kept
	}
	reveals := slices.DeleteFunc(slices.Clone(f.all), func(h trail.Header) bool { return h.Kind != act.Reveal })
	reveals = reveals[max(0, len(reveals)-maxBodies):]
	if err := a.note(r, v.user, v.force, act.TrailRead, len(shown)+len(reveals), map[string]any{"from": v.query.From, "to": v.query.To,
		"kind": v.query.Kind, "actor": v.query.Actor, "case": v.query.Case, "text": v.query.Text, "page": v.query.Page}); err != nil {
		return nil, err
	}
	rows, err := a.open(r.Context(), shown, v.identity)
	if err != nil {
		return nil, err
	}
	if v.query.Text != "" {
		rows = slices.DeleteFunc(rows, func(e entry) bool { return !e.holds(v.query.Text) })
		f.kept = make([]trail.Header, len(rows))
		for i, e := range rows {
			f.kept[i] = e.Header
		}
		rows = rows[:min(len(rows), maxShown)]
	}
	opened, err := a.open(r.Context(), reveals, v.identity)
	if err != nil {
		return nil, err
	}
	var all []reveal
	for _, e := range opened {
		if e.Site != "" {
			all = append(all, reveal{e.Actor, e.Case, e.Site})
		}
	}
	f.odd = append(f.odd, sameSite(all)...)
	return rows, nil
}

// maxShown is how many entries that hold a word are shown; all are counted.
const maxShown = 200

// note puts what the auditor did on the trail, sealed to their force.
func (a *Audit) note(r *http.Request, u registry.User, force registry.Force, kind act.Kind, count int, details map[string]any) error {
	details["from_address"] = web.From(r)
	_, err := a.Trail.Append(r.Context(), trail.Entry{At: a.now(), Actor: u.ID, Force: u.Force, Kind: kind, Count: count, Recipient: force.Recipient, Body: details})
	return err
}

// openBodies takes the force's private key for a quarter of an hour.
func (a *Audit) openBodies(rw http.ResponseWriter, r *http.Request, v view) {
	pasted := r.PostForm.Get("identity")
	if _, err := matching(v.force.Recipient, pasted); err != nil {
		v.query = readQuery(nil, a.now())
		f, findErr := a.find(r.Context(), &v)
		if findErr != nil {
			a.Web.Broken(rw, r, findErr)
			return
		}
		a.show(rw, r, v, f, nil, http.StatusUnprocessableEntity, "open.wrong")
		return
	}
	if err := a.note(r, v.user, v.force, act.TrailOpen, 1, map[string]any{}); err != nil {
		a.Web.Unrecorded(rw, r, err)
		return
	}
	if err := a.keys.put(a.Web.SessionKey(r), v.user.Force, v.force.Recipient, pasted, a.now()); err != nil {
		a.Web.Fail(rw, r, http.StatusServiceUnavailable, web.Problem{Error: a.words(r).T("open.busy")})
		return
	}
	pages.SecureHeaders(rw.Header())
	http.Redirect(rw, r, "/audit/entries", http.StatusSeeOther)
}

func (a *Audit) closeBodies(rw http.ResponseWriter, r *http.Request, _ view) {
	a.keys.drop(a.Web.SessionKey(r))
	pages.SecureHeaders(rw.Header())
	http.Redirect(rw, r, "/audit/entries", http.StatusSeeOther)
}

// csv writes what was asked for, headers and, where the bodies are open, their
// reason; that it was is an entry.
func (a *Audit) csv(rw http.ResponseWriter, r *http.Request, v view) {
	if v.query.wrong {
		a.show(rw, r, v, found{}, nil, http.StatusUnprocessableEntity, "entries.wrong")
		return
	}
	f, err := a.find(r.Context(), &v)
	if errors.Is(err, errMany) || err == nil && v.identity != nil && len(f.kept) > maxBodies {
		a.show(rw, r, v, found{}, nil, http.StatusUnprocessableEntity, "entries.toomany")
		return
	}
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	if err := a.note(r, v.user, v.force, act.TrailCSV, len(f.kept), map[string]any{"from": v.query.From, "to": v.query.To,
		"kind": v.query.Kind, "actor": v.query.Actor, "case": v.query.Case, "open": v.identity != nil}); err != nil {
		a.Web.Unrecorded(rw, r, err)
		return
	}
	rows, err := a.open(r.Context(), f.kept, v.identity)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	rw.Header().Set("Content-Type", "text/csv; charset=utf-8")
	rw.Header().Set("Content-Disposition", `attachment; filename="anagrafe-trail.csv"`)
	out := csv.NewWriter(web.Streamed(rw, stall))
	_ = out.Write([]string{"index", "at", "kind", "actor", "case", "count", "actor_name", "case_name", "reason", "offence", "site"})
	for _, e := range rows {
		_ = out.Write([]string{strconv.FormatInt(e.Index, 10), e.At.Format(time.RFC3339), web.CSVText(string(e.Kind)), e.Actor, e.Case, strconv.Itoa(e.Count),
			web.CSVText(v.names.actors[e.Actor]), web.CSVText(v.names.cases[e.Case]), web.CSVText(e.Reason), web.CSVText(e.Offence), e.Site})
	}
	out.Flush() // the client has gone: nobody to tell
}

func (a *Audit) now() time.Time { return a.Web.Now() }
