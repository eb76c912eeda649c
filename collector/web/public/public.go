// Package public serves the municipality's pages about the service: home, how it works, frequent
// questions, help, legal notes, the accessibility statement and the register in numbers. It
// hides their texts and languages. Main mounts it on the public listener. The pages name no
// site and have no session, so they may be indexed.
//
// The numbers (statistics.go) are sites and cameras by municipio, category and month, and how
// often the forces search: a page with a map, CSV, and metadata for catalogues of open data.
// Nothing is counted here: what main publishes once a day and collector/disclosure has made
// fit is shown. By the import rule the package knows neither search nor trail.
//
// Readers report faults and rate pages (feedback.go), anonymously and limited by address and in
// total; the Comune reads that on its console. Nothing else of the register is read or written.
//
// Header, footer and rating are the shell of protocol/pages; what is particular to the
// municipality comes from the configuration.
package public

import (
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/collector/web/choropleth"
	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// Options: Web, Registry, Privacy and Log are required.
type Options struct {
	Web              *web.Web // of the public listener
	Registry         *registry.Registry
	Privacy          http.Handler // the information notice (art. 13)
	AccessibilityURL string       // the statement at form.agid.gov.it; "": not published yet
	AppURL           string       // where owners get the agent; "": the Comune hands it out
	// Map is that of the districts by which the numbers are shown; nil: there is none.
	Map func(of string) *choropleth.Map
	Log *slog.Logger
}

// Public are the pages about the service.
type Public struct {
	Options
	pages *pages.Set
	limit *web.Limit // of what readers send
}

// New loads the pages.
func New(o Options) (*Public, error) {
	if o.Web == nil || o.Registry == nil || o.Privacy == nil || o.Log == nil {
		return nil, errors.New("the pages about the service need their listener, the registry, the information notice and a log")
	}
	set, err := pages.Load(files, o.Log)
	if err != nil {
		return nil, fmt.Errorf("load the pages about the service: %w", err)
	}
	return &Public{o, set, newLimit(o.Web.Now)}, nil
}

// written is when the words of these pages last changed; a test holds the two together.
var written = pages.Day(2026, time.November, 24)

// CodePath is the page that says what a code is for, and CodeInvitation its part about
// those that invite.
const CodePath, CodeInvitation = "/codice", "invito"

// page is one that says the same to everybody.
type page struct{ path, template, title string }

// all are the pages by path.
var all = []page{
	{"/{$}", "home.html", "home"},
	{"/come-funziona", "how.html", "how"},
	{"/installa", "install.html", "install"},
	{CodePath, "code.html", "code"},
	{"/faq", "faq.html", "faq"},
	{"/assistenza", "help.html", "help"},
	{"/legal", "legal.html", "legal"},
	{"/accessibility", "accessibility.html", "accessibility"},
}

// Routes are the pages; all are open.
func (p *Public) Routes() []web.Route {
	routes := []web.Route{
		{Pattern: "GET /privacy", Open: true, Handler: p.Privacy},
		{Pattern: "GET /accessibilita", Open: true, Handler: http.RedirectHandler("/accessibility", http.StatusMovedPermanently)},
	}
	for pattern, h := range map[string]http.HandlerFunc{
		"GET " + reportPath: p.reportPage, "POST " + reportPath: p.report, "GET " + sentPath: p.sent,
		"POST " + pages.RatingPath: p.rate, "GET " + pages.RatingPath: p.ratedPage,
		"GET " + statisticsPath: p.statistics, "GET " + sharingPath: p.sharing, "GET " + consultationPath: p.consultations, "GET " + cataloguePath: p.catalogue,
	} {
		routes = append(routes, web.Route{Pattern: pattern, Open: true, Handler: h})
	}
	for _, page := range all {
		routes = append(routes, web.Route{Pattern: "GET " + page.path, Open: true, Handler: p.serve(page)})
	}
	return routes
}

// serve shows one of the pages; its dot is the Options.
func (p *Public) serve(page page) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		p.show(rw, r, pages.Page{Template: page.template, Title: page.title, Indexed: true, Updated: written, Wide: page.path == "/{$}", Data: p.Options})
	}
}
