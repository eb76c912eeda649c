// Package ops is the Comune's console: enrolment, faults, invitations, agents, and the accounts
// of its users. It hides how lists, charts and exports are made of them. Main mounts it on the operators' listener and
// gives it a func that records each act before it is done; by the import rule it knows neither
// search nor trail. The command line reaches the same handlers over the control socket (Control),
// which the operating system protects.
//
// Of sites it shows two kinds of data. The name, category and address that the Comune typed to
// invite a site are the Comune's own, and stand in the lists. What an owner declares or types in
// the public form is neither shown nor read: no contact, name, address, position or direction,
// only counts of cameras and technical state. A site is in a district, never at a place; counts by
// district are exact, because the Comune invited the sites and knows them. Nothing here tells what
// a force asked, of whom. The tests fill a register with marked words and look for them on
// every route.
//
// An admin adds a force by the act that lets it consult, makes the Comune's own accounts and a
// force's first administrator, and sees and revokes only the Comune's own; the others are made by
// the force's administrators (package force). If a force has lost its administrators'
// credentials, the command line names another one with a reason, which the force's auditor reads.
package ops

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"anagrafe/collector/act"
	"anagrafe/collector/letter"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/collector/web/choropleth"
	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// linkLife is how long the first administrator's link waits to be opened.
const linkLife = 24 * time.Hour

// Options: all but Office, Version and Map are required.
type Options struct {
	Web        *web.Web // of the operators' listener
	Registry   *registry.Registry
	Record     web.Record
	AgentsURL  string                    // https://host:port that agents speak to
	Pin        func() string             // of the private CA's key, for links; it changes when another one signs
	OpsURL     string                    // public address of this listener, for links and credential files
	PublicURL  string                    // of the public listener, where referents sign in
	ConsultURL func(force string) string // of consultation, for a force's people or "" for the dpo
	TrailKey   string                    // verifier key, for credential files
	Office     letter.Office             // who invites
	Version    string                    // of this program: agents of an older one are in the technical queue
	// Map is that of the municipi or of the neighbourhoods (a registry.Grouping); nil:
	// no borders were imported.
	Map func(of string) *choropleth.Map
	Log *slog.Logger
}

// Ops is the console.
type Ops struct {
	Options
	pages     *pages.Set
	exporting chan struct{} // holds what makes a CSV file of a list
	letters   *letter.Letters

	totals  remembered[registry.Counts]
	counted map[registry.Grouping]*remembered[[]registry.FunnelRow]
	shared  remembered[[]registry.Shared]
	times   map[string]*remembered[[]periodNumbers]
	places  remembered[[2][]string] // municipi and neighbourhoods with sites

	queued  atomic.Pointer[registry.FaultList]
	reading singleflight.Group // of what is queued
	life    context.Context    // of what is read beside pages
	end     context.CancelFunc
}

// New loads the console's pages.
func New(o Options) (*Ops, error) {
	if o.Web == nil || o.Registry == nil || o.Record == nil || o.Pin == nil || o.Log == nil || o.AgentsURL == "" || o.OpsURL == "" || o.PublicURL == "" || o.ConsultURL == nil || o.TrailKey == "" {
		return nil, errors.New("the ops console needs its listener, the registry, a trail, its addresses and a log")
	}
	if o.Map == nil {
		o.Map = func(string) *choropleth.Map { return nil }
	}
	set, err := pages.Load(files, o.Log)
	if err != nil {
		return nil, fmt.Errorf("load the ops pages: %w", err)
	}
	letters, err := letter.New(o.Office, o.Log)
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	return &Ops{Options: o, pages: set, life: life, end: end, exporting: make(chan struct{}, 1), letters: letters,
		counted: map[registry.Grouping]*remembered[[]registry.FunnelRow]{registry.GroupMunicipio: {}, registry.GroupNIL: {}, registry.GroupCategory: {}},
		times:   map[string]*remembered[[]periodNumbers]{"week": {}, "month": {}}}, nil
}

// Close ends what is read beside pages, and waits until it has ended.
func (o *Ops) Close() {
	o.end()
	_, _, _ = o.reading.Do("", func() (any, error) { return nil, nil })
	o.totals.wait()
	o.shared.wait()
	o.places.wait()
	for _, m := range o.counted {
		m.wait()
	}
	for _, m := range o.times {
		m.wait()
	}
}

// Routes are the console's pages, with who may use each.
func (o *Ops) Routes() []web.Route {
	both, admin := []string{registry.RoleOps, registry.RoleAdmin}, []string{registry.RoleAdmin}
	route := func(pattern string, roles []string, h http.HandlerFunc) web.Route {
		return web.Route{Pattern: pattern, Roles: roles, Handler: h}
	}
	pages := []web.Route{
		route("GET /{$}", both, o.overview),
		route("POST /invite", both, o.invite),
		route("GET /invite", both, o.begin), // a language link of the page that POST /invite answers with
		route("GET /batches", both, o.batches),
		route("POST /batches", both, o.addBatch),
		route("POST /batches/{id}/end", both, o.endBatch),
		route("GET /waves", both, o.waves),
		route("POST /waves/{number}/pause", both, o.changeWave(act.WavePause, o.Registry.PauseWave)),
		route("POST /waves/{number}/resume", both, o.changeWave(act.WaveResume, o.Registry.ResumeWave)),
		route("POST /waves/{number}/cancel", both, o.changeWave(act.WaveCancel, o.Registry.CancelWave)),
		route("GET /funnel", both, o.funnel),
		route("GET /funnel.csv", both, o.funnelCSV),
		route("POST /agents/{id}/revoke", both, o.revokeAgent),
		route("GET /remarks", both, o.remarks),
		route("POST /remarks/{id}/close", both, o.closeRemark),
		route("GET /queue", both, o.queue),
		route("GET /queue/letter", both, o.askSeveral),
		route("POST /queue/letter", both, o.writeSeveral),
		route("GET /sites/{id}", both, o.technical),
		route("GET /sites/{id}/letter", both, o.technical), // a language link of a refused one
		route("POST /sites/{id}/letter", both, o.writeTo),
		route("POST /sites/{id}/codes/{made}/revoke", both, o.revokeCode),
		route("GET /users", admin, o.users),
		route("POST /users", admin, o.addUser),
		route("POST /users/{id}/revoke", admin, o.revokeUser),
		route("POST /users/{id}/link", admin, o.linkUser),
		route("POST /users/{id}/signout", admin, o.signOutUser),
		route("GET /forces", admin, o.forces),
		route("POST /forces", admin, o.addForce),
	}
	return slices.Concat(pages, o.sites().routes(o, both), o.agents().routes(o, both), o.lines().routes(o, both), o.codes().routes(o, both), o.assisted().routes(o, both))
}

// Control serves the same handlers without a session, for the control socket.
func (o *Ops) Control() http.Handler {
	mux := http.NewServeMux()
	for _, r := range o.Routes() {
		mux.Handle(r.Pattern, http.MaxBytesHandler(r.Handler, 64<<10))
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(rw, r.WithContext(web.WithUser(r.Context(), web.Host(registry.RoleAdmin))))
	})
}

// FirstLink returns the one-time link by which the first administrator enters, and
// makes their account; "" once an administrator has a passkey, an identity of a
// provider or a credential. Until then each start gives another link: one that expired
// unused, or was used and led to no passkey, would lock everybody out.
func (o *Ops) FirstLink(ctx context.Context) (string, error) {
	users, err := o.Registry.Users(ctx)
	if err != nil {
		return "", fmt.Errorf("look for an administrator: %w", err)
	}
	u, kind := registry.User{ID: uuid.NewString(), Name: "Amministratore", Role: registry.RoleAdmin, At: o.Web.Now()}, act.UserAdd
	for _, other := range users {
		enters, err := o.Registry.SignsIn(ctx, other.ID)
		if err != nil {
			return "", err
		}
		switch {
		case other.Role == registry.RoleAdmin && other.RevokedAt.IsZero() && (enters || other.SecretHash != [32]byte{}):
			return "", nil
		case other.Role == registry.RoleAdmin && other.RevokedAt.IsZero():
			u, kind = other, act.UserLink
		case other.Name == u.Name && kind == act.UserAdd:
			u.Name += " " + u.ID[:8] // the first one was revoked
		}
	}
	if err := o.Record(ctx, web.Act{Kind: kind, User: web.Host(registry.RoleAdmin), Count: 1, Details: describe(u)}); err != nil {
		return "", fmt.Errorf("let the first administrator in: %w", err)
	}
	if kind == act.UserAdd {
		if err := o.Registry.AddUser(ctx, u); err != nil {
			return "", fmt.Errorf("add the first administrator: %w", err)
		}
	}
	return o.Web.NewLink(ctx, o.OpsURL, u.ID, linkLife)
}

// record puts an act on the trail before it is done; when it returns false the
// answer is written, and the act must not go ahead.
func (o *Ops) record(rw http.ResponseWriter, r *http.Request, kind act.Kind, details any) bool {
	return o.recordFor(rw, r, "", kind, details)
}

// recordFor is record for what concerns a force: sealed to it, so that its auditor
// reads it; "" is none.
func (o *Ops) recordFor(rw http.ResponseWriter, r *http.Request, force string, kind act.Kind, details any) bool {
	return o.put(rw, r, web.Act{Kind: kind, Count: 1, Force: force, Details: details})
}

// put puts what its user does on the trail.
func (o *Ops) put(rw http.ResponseWriter, r *http.Request, a web.Act) bool {
	a.User, _ = web.User(r.Context())
	a.From = web.From(r)
	if err := o.Record(r.Context(), a); err != nil {
		o.Web.Unrecorded(rw, r, err)
		return false
	}
	return true
}

// show answers with a page of the console.
func (o *Ops) show(rw http.ResponseWriter, r *http.Request, p pages.Page) {
	u, _ := web.User(r.Context())
	p.Face, p.User, p.Styles = pages.FaceOps, u.Name, []string{"ops.css", "choropleth.css"}
	p.Nav = []pages.Nav{
		{Key: "nav.overview", Href: "/"},
		{Key: "nav.funnel", Href: "/funnel"},
		{Key: "nav.sites", Href: "/sites"},
		{Key: "nav.agents", Href: "/agents"},
		{Key: "nav.waves", Href: "/waves"},
		{Key: "nav.queue", Href: "/queue"},
		{Key: "nav.invitations", Href: "/invitations"},
		{Key: "nav.assisted", Href: "/assisted"},
		{Key: "nav.remarks", Href: "/remarks"},
	}
	if u.Role == registry.RoleAdmin {
		p.Nav = append(p.Nav, pages.Nav{Key: "nav.users", Href: "/users"}, pages.Nav{Key: "nav.forces", Href: "/forces"})
	}
	p.Nav = append(p.Nav, pages.Nav{Key: "nav.manual", Href: "/manual"})
	for i := range p.Nav {
		p.Nav[i].Current = p.Nav[i].Href == r.URL.Path
	}
	o.pages.Render(rw, r, p)
}

// wrong is one field that cannot be taken, by the key of its message.
type wrong struct{ Field, Key string }

// refuse answers a field that cannot be taken: as JSON, or with the page that
// holds the form, which again then shows.
func (o *Ops) refuse(rw http.ResponseWriter, r *http.Request, status int, bad wrong, again func()) {
	if !web.WantsJSON(r) {
		again()
		return
	}
	o.problem(rw, r, status, bad)
}

// problem answers a field that cannot be taken as JSON.
func (o *Ops) problem(rw http.ResponseWriter, r *http.Request, status int, bad wrong) {
	words := o.pages.Words(pages.Language(r))
	p := web.Problem{Error: words.T(bad.Key), Field: bad.Field}
	if hint := bad.Key + ".hint"; words.Has(hint) {
		p.Hint = words.T(hint)
	}
	web.WriteJSON(rw, status, p)
}
