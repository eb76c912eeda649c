// Package force serves the pages on which a force's administrators manage its people: officers
// with their qualification, auditors and further administrators. It hides who may make whom. Main
// mounts it on the consultation listener, under the force's own host name if it has one.
//
// The Comune names a force's first administrator; all others are made here, by an administrator
// of that force and for that force alone. An administrator cannot consult, nobody changes role
// (another role takes another account), and nobody revokes themselves, so that a force never
// loses its last administrator by mistake.
//
// Each act is on the trail, sealed to the force, before it is done. A new user signs in with a
// one-time link, which is shown once and not to the Comune; for the command line there is also a
// credential file.
package force

import (
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// Path is where the pages begin.
const Path = "/force"

// Options: all are required.
type Options struct {
	Web      *web.Web // of the consultation listener
	Registry *registry.Registry
	Record   web.Record
	TrailKey string // verifier key, for credential files
	Log      *slog.Logger
}

// Force is the face of the forces' administrators.
type Force struct {
	Options
	pages *pages.Set
}

// New loads the pages.
func New(o Options) (*Force, error) {
	if o.Web == nil || o.Registry == nil || o.Record == nil || o.TrailKey == "" || o.Log == nil {
		return nil, errors.New("the pages of a force's administrators need their listener, the registry, a trail, its key and a log")
	}
	set, err := pages.Load(files, o.Log)
	if err != nil {
		return nil, fmt.Errorf("load the pages of the forces' administrators: %w", err)
	}
	return &Force{Options: o, pages: set}, nil
}

// Routes are the pages, all for administrators of forces alone.
func (f *Force) Routes() []web.Route {
	route := func(pattern string, h http.HandlerFunc) web.Route {
		return web.Route{Pattern: pattern, Roles: []string{registry.RoleForceAdmin}, Handler: h}
	}
	return []web.Route{
		route("GET "+Path, f.people),
		route("POST "+Path+"/users", f.add),
		route("GET "+Path+"/users", f.back), // a language link of a page that a POST answers with
		route("GET "+Path+"/users/{id}/{act}", f.back),
		route("POST "+Path+"/users/{id}/qualification", f.qualify),
		route("POST "+Path+"/users/{id}/link", f.link),
		route("POST "+Path+"/users/{id}/sessions", f.endSessions),
		route("POST "+Path+"/users/{id}/revoke", f.revoke),
	}
}

func (f *Force) back(rw http.ResponseWriter, r *http.Request) {
	http.Redirect(rw, r, Path, http.StatusSeeOther)
}

// record puts an act on the trail of the force before it is done; when it returns
// false the answer is written, and the act must not go ahead.
func (f *Force) record(rw http.ResponseWriter, r *http.Request, kind act.Kind, details any) bool {
	u, _ := web.User(r.Context())
	if err := f.Record(r.Context(), web.Act{Kind: kind, User: u, From: web.From(r), Count: 1, Details: details}); err != nil {
		f.Web.Unrecorded(rw, r, err)
		return false
	}
	return true
}

// show answers with a page.
func (f *Force) show(rw http.ResponseWriter, r *http.Request, p pages.Page) {
	u, _ := web.User(r.Context())
	p.Face, p.User, p.Styles = pages.FaceConsult, u.Name, []string{"force.css"}
	f.pages.Render(rw, r, p)
}

// done answers an act: with the list again, or as JSON.
func (f *Force) done(rw http.ResponseWriter, r *http.Request, id string) {
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, map[string]string{"id": id})
		return
	}
	f.back(rw, r)
}
