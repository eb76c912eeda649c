package consult

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"anagrafe/collector/basemap"
	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/collector/search/buildings"
	"anagrafe/collector/search/gazetteer"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// description is the OpenAPI 3.1 description of what these routes answer to
// programs; a test holds it to what they do.
//
//go:embed openapi.json
var description []byte

// Options are the parts that consultation stands on.
type Options struct {
	Index       *search.Index
	Places      *gazetteer.Gazetteer // nil: places are asked for by position alone
	Trail       *trail.Trail
	Registry    *registry.Registry
	CheckURL    string // address of the public page where owners check the code of a request
	Basemap     string // PMTiles file in the OpenMapTiles schema; "": the map has no streets, and says so
	Attribution string // credit under the map; "": the basemap's own
	Log         *slog.Logger
	Now         func() time.Time // nil: time.Now
}

// Consult serves the consultation pages.
type Consult struct {
	Options
	set     *pages.Set
	base    *basemap.File       // nil: none
	credit  string              // of the basemap
	hidden  *buildings.Outlines // of the basemap; nil: none
	answers *memory
}

// New checks the parts and opens the basemap, which Close closes.
func New(o Options) (*Consult, error) {
	if o.Index == nil || o.Trail == nil || o.Registry == nil || o.Log == nil {
		return nil, errors.New("consultation needs an index, a trail, a registry and a log")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	set, err := pages.Load(files, o.Log)
	if err != nil {
		return nil, fmt.Errorf("consultation pages: %w", err)
	}
	c := &Consult{Options: o, set: set, answers: newMemory(o.Now)}
	if o.Basemap != "" {
		if c.base, err = basemap.Open(o.Basemap); err != nil {
			return nil, err
		}
		c.credit = cmp.Or(o.Attribution, c.base.Attribution)
		if c.credit == "" {
			c.base.Close()
			return nil, fmt.Errorf("basemap %s does not name its authors: map data may be shown only with its credit; give the text to show", o.Basemap)
		}
		c.hidden = buildings.New(c.base, o.Log)
	}
	return c, nil
}

func (c *Consult) Close() error {
	if c.base == nil {
		return nil
	}
	return c.base.Close()
}

// Routes are what an officer may call.
func (c *Consult) Routes() []web.Route {
	route := func(pattern string, h http.HandlerFunc) web.Route {
		return web.Route{Pattern: pattern, Roles: []string{registry.RoleOfficer}, Handler: h}
	}
	return []web.Route{
		route("GET /{$}", c.form),
		route("GET /cases", c.listCases),
		route("GET /cases/{case}", c.oneCase),
		route("POST /cases/{case}/refer", c.refer),
		route("POST /cases/{case}/share", c.share),
		route("POST /cases/{case}/unshare", c.unshare),
		route("POST /cases/{case}/close", c.closeCase),
		route("POST /cases/{case}/reopen", c.reopen),
		route("POST /cases/{case}/called", c.called),
		route("GET /mine", c.myLog),
		route("POST /search", c.search),
		route("GET /search", c.backToForm),
		route("GET /search/{id}", c.shown),
		route("POST /addresses", c.suggest),
		route("POST /reveal", c.reveal),
		route("POST /unanswered", c.unanswered),
		route("POST /export", c.export),
		route("POST /preserve", c.preservePage),
		route("POST /requests", c.takeRequest),
		route("GET /requests", c.listRequests),
		route("GET /requests/{id}", c.requestPage),
		{Pattern: "GET /requests/{id}/states", Roles: []string{registry.RoleOfficer}, ByPage: true, Handler: http.HandlerFunc(c.requestStates)},
		route("POST /requests/{id}/contacts", c.callees),
		route("POST /papers/new", c.startPaper),
		route("POST /papers", c.makePapers),
		route("GET /papers/{id}", c.onePaper),
		route("GET /cases/{case}/papers", c.listPapers),
		route("POST /cases/{case}/dossier", c.makeDossier),
		route("POST /patrol", c.patrol),
		route("GET /openapi.json", describe),
		route("GET /basemap.pmtiles", c.serveBasemap),
	}
}

func describe(w http.ResponseWriter, _ *http.Request) {
	pages.SecureHeaders(w.Header())
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(description) // the client has gone: nobody to tell
}

// words are those of the language that is asked for.
func (c *Consult) words(r *http.Request) *pages.Words { return c.set.Words(web.Language(r)) }

// page is what all pages of this face have in common.
func (c *Consult) page(r *http.Request, template, title string, status int, notes []pages.Note) pages.Page {
	return pages.Page{Template: template, Title: title, Face: pages.FaceConsult, User: user(r).Name, Notes: notes,
		Scripts: []string{"consult.js"}, Styles: []string{"consult.css"}, Wide: true, Status: status}
}
