// Package join serves what an owner does from any browser, without an account. It opens the page
// of the owner's site for the code that stands in every receipt, and on the sheet that the agent
// prints: what the register holds, in words, and the acts that an owner has (renew for a year, suspend,
// resume, withdraw, revoke a technical referent). Main mounts it on the public listener.
//
// It never edits an agent's entry, because the agent is its only writer. An entry typed on the
// public form (package adhere) is changed there; the page links to it, and offers a code to
// install an agent (handmade.go).
//
// A code is typed and posted, never in an address. Guesses are limited by address and in total,
// and every wrong code gets the same answer. The code opens a session of half an hour
// (web.BeginOwner); each act is a POST and stands on the trail before it is done. By the import
// rule this package knows neither search nor trail.
//
// Requests to preserve stand on the site's page (asked.go), word for word as on the agent's, and
// are answered there with one click; the force learns that they were read. What officers ask by
// phone, so that somebody at the site does not learn of it, is not shown. A recipient of a
// request's code checks at CheckPath whether it is genuine (check.go).
//
// A contact named by somebody else accepts through the link of their mail: it shows what is
// asked, and a button accepts (contact.go). Alerts end in the same way (alerts.go). Technical
// referents sign in (referents.go) and look after the sites delegated to them.
//
// Owners of many sites import them from a CSV file (bulk.go; columns.go has the columns), one
// line a camera. All lines are checked first, and each wrong one is reported with
// what to do (sheet.go). An export returns the same file, or everything as JSON (export.go).
package join

import (
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// SitePath is where an owner's code is typed, below the public address.
const SitePath = "/site"

// ContactPath is where a contact accepts to be one: the token of their mail follows.
const ContactPath = "/contact"

// AlertsPath is where a reader of alerts ends them: the token of their mail follows.
const AlertsPath = "/alerts"

// InvitedPath is where who was invited reads what it is about: the token of the
// invitation follows.
const InvitedPath = "/invited"

// Options: all but Inside are required.
type Options struct {
	Web      *web.Web // of the public listener
	Registry *registry.Registry
	Record   web.Record
	Link     func(protocol.Code) string // the address that brings an enrolment code to an agent
	Inside   func(protocol.Point) bool  // of the register's area; nil: everywhere is
	Log      *slog.Logger
}

// Join is the public face.
type Join struct {
	Options
	pages *pages.Set
	codes *web.Limit // that were wrong
}

// New loads the pages.
func New(o Options) (*Join, error) {
	if o.Web == nil || o.Registry == nil || o.Record == nil || o.Link == nil || o.Log == nil {
		return nil, errors.New("the public pages need their listener, the registry, a trail, links and a log")
	}
	set, err := pages.Load(files, o.Log)
	if err != nil {
		return nil, fmt.Errorf("load the public pages: %w", err)
	}
	return &Join{Options: o, pages: set, codes: web.NewCodes(o.Web.Now)}, nil
}

// Routes are the public pages: all are open, and those about a site ask for its
// owner's session themselves.
func (j *Join) Routes() []web.Route {
	route := func(pattern string, h http.HandlerFunc) web.Route {
		return web.Route{Pattern: pattern, Open: true, Handler: h}
	}
	return []web.Route{
		route("GET "+SitePath, j.site),
		route("POST "+SitePath, j.enter),
		route("POST "+SitePath+"/suspend", j.suspend),
		route("POST "+SitePath+"/resume", j.resume),
		route("POST "+SitePath+"/renew", j.renew),
		route("POST "+SitePath+"/code", j.enrol),
		route("POST "+SitePath+"/requests/{id}", j.answer),
		route("GET "+CheckPath, j.checkPage),
		route("POST "+CheckPath, j.check),
		route("GET "+SitePath+"/delegations/{id}", j.delegation),
		route("POST "+SitePath+"/delegations/{id}/revoke", j.revoke),
		route("GET "+SitePath+"/changes", j.changes),
		route("GET "+SitePath+"/withdraw", j.confirm),
		route("POST "+SitePath+"/withdraw", j.withdraw),
		route("GET "+SitePath+"/withdrawn", j.withdrawn),
		route("GET "+ContactPath+"/{token}", j.contact),
		route("POST "+ContactPath+"/{token}", j.accept),
		route("GET "+ContactPath+"/accepted", j.accepted),
		route("GET "+InvitedPath+"/{token}", j.invited),
		route("POST "+InvitedPath+"/{token}", j.refuseInvitation),
		route("POST "+SitePath+"/alerts", j.setAlerts),
		route("GET "+AlertsPath+"/{token}", j.alertsEnd),
		route("POST "+AlertsPath+"/{token}", j.endAlerts),
		route("POST /logout", j.leave),
	}
}

// show answers with a page; name is that of the open site, "" where none is.
func (j *Join) show(rw http.ResponseWriter, r *http.Request, name string, p pages.Page) {
	p.Face, p.User = pages.FacePublic, name
	j.pages.Render(rw, r, p)
}
