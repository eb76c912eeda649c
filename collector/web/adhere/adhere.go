package adhere

import (
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

//go:embed *.html it.json en.json
var files embed.FS

// formPath is where the public form begins, below the public address.
const formPath = "/aderisci"

// confirmPath is where an address is confirmed: the token of the mail follows.
const confirmPath = formPath + "/conferma"

// Options: Web, Registry, Record and Log are required; of the public form also
// Sign and Link.
type Options struct {
	Web      *web.Web
	Registry *registry.Registry
	Record   web.Record
	Log      *slog.Logger
	Sign     func(protocol.Receipt) (string, error) // signs a receipt
	Link     func(protocol.Code) string             // the address that brings an enrolment code to an agent

	// Assisted makes it the form that operators type for others; nil: it is the public one.
	Assisted *Assisted

	Find   func(address string) []protocol.FoundPlace // looks up an address; nil: there are none
	Map    func() protocol.MapDescription             // of the map that the listener serves; nil: it serves none
	Inside func(protocol.Point) bool                  // of the register's area; nil: everywhere is
	Mail   bool                                       // mail is sent
}

// Adhere is the form.
type Adhere struct {
	Options
	base  string // where it is served
	pages *pages.Set
	codes *web.Limit // that were wrong
	begun *web.Limit // submissions
	asked *web.Limit // messages
}

// New loads the pages.
func New(o Options) (*Adhere, error) {
	if o.Web == nil || o.Registry == nil || o.Record == nil || o.Log == nil || o.Assisted == nil && (o.Sign == nil || o.Link == nil) {
		return nil, errors.New("the form needs its listener, the registry, a trail and a log")
	}
	set, err := pages.Load(files, o.Log)
	if err != nil {
		return nil, fmt.Errorf("load the form: %w", err)
	}
	if o.Find == nil {
		o.Find = func(string) []protocol.FoundPlace { return nil }
	}
	if o.Inside == nil {
		o.Inside = func(protocol.Point) bool { return true }
	}
	base := formPath
	if o.Assisted != nil {
		base = assistedPath + "/entry"
	}
	return &Adhere{Options: o, base: base, pages: set, codes: web.NewCodes(o.Web.Now), begun: web.NewLimit(o.Web.Now, begunOf, begunOverall, time.Hour),
		asked: web.NewLimit(o.Web.Now, askedOf, askedOverall, time.Hour)}, nil
}

// New submissions in an hour: of one address (a market hall has one), and of all.
const begunOf, begunOverall = 20, 1000

// Messages that are asked for in an hour, of one address and of all.
const askedOf, askedOverall = 10, 500

// Routes are the form's pages. Those after the first ask themselves for the
// submission that is open in the browser.
func (a *Adhere) Routes() []web.Route {
	route := func(pattern, path string, h http.HandlerFunc) web.Route {
		r := web.Route{Pattern: pattern + " " + a.base + path, Open: a.Assisted == nil, Handler: h}
		if a.Assisted != nil {
			r.Roles = a.Assisted.Roles
		}
		return r
	}
	routes := []web.Route{
		route("GET", "", a.start),
		route("GET", "/luogo", a.with(a.place)),
		route("POST", "/luogo", a.with(a.setPlace)),
		route("GET", "/telecamere", a.with(a.cameras)),
		route("GET", "/telecamere/nuova", a.with(a.camera)),
		route("POST", "/telecamere/nuova", a.with(a.setCamera)),
		route("GET", "/telecamere/{id}", a.with(a.camera)),
		route("POST", "/telecamere/{id}", a.with(a.setCamera)),
		route("POST", "/telecamere/{id}/togli", a.with(a.removeCamera)),
		route("GET", "/chiamare", a.with(a.call)),
		route("POST", "/chiamare", a.with(a.setCall)),
		route("POST", "/cancella", a.drop),
	}
	if a.Assisted != nil {
		return append(routes,
			route("POST", "", a.beginAssisted),
			route("GET", "/chi", a.with(func(rw http.ResponseWriter, r *http.Request, _ registry.Submission) { a.who(rw, r) })),
			route("POST", "/chi", a.with(func(rw http.ResponseWriter, r *http.Request, _ registry.Submission) { a.setWho(rw, r) })),
			route("GET", "/invio", a.with(a.sending)),
			route("POST", "/invio", a.with(a.send)),
			web.Route{Pattern: "POST " + assistedPath + "/{id}/again", Roles: a.Assisted.Roles, Handler: http.HandlerFunc(a.sendAgain)},
			web.Route{Pattern: "POST " + assistedPath + "/{id}/cancel", Roles: a.Assisted.Roles, Handler: http.HandlerFunc(a.cancel)},
		)
	}
	return append(append(routes, a.recognition()...),
		route("GET", "/chi", a.who),
		route("POST", "/chi", a.setWho),
		route("POST", "/riprendi", a.resume),
		route("POST", "/esci", a.leave),
		route("GET", "/dettata", a.dictated),
		route("POST", "/dettata", a.typedCode),
		route("GET", "/dettata/{code}", a.dictatedCode),
		route("POST", "/dettata/{code}", a.openDictated),
		route("POST", "/dettata/{code}/rifiuta", a.refuseUnread),
		route("POST", "/rifiuta", a.with(a.refuse)),
		route("POST", "/invito", a.setInvitation),
		route("GET", "/identita", a.with(a.identity)),
		route("POST", "/identita/email", a.with(a.askEmail)),
		route("GET", "/conferma/{token}", a.confirmPage),
		route("POST", "/conferma/{token}", a.confirm),
		route("GET", "/riepilogo", a.with(a.summary)),
		route("POST", "/aderisco", a.with(a.adhere)),
		route("GET", "/ricevuta", a.receipt),
		route("POST", "/modifica", a.modify),
	)
}

// with opens the submission of the browser for a handler; without one the form
// begins anew.
func (a *Adhere) with(h func(http.ResponseWriter, *http.Request, registry.Submission)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		s, ok, err := a.open(r)
		switch {
		case err != nil:
			a.Web.Broken(rw, r, err)
		case !ok:
			a.ended(rw, r)
		default:
			h(rw, r, s)
		}
	}
}

// open reads the submission that is open in the browser.
func (a *Adhere) open(r *http.Request) (registry.Submission, bool, error) {
	id, ok, err := a.Web.Submission(r)
	if err != nil || !ok {
		return registry.Submission{}, false, err
	}
	s, err := a.Registry.Submission(r.Context(), id)
	if errors.Is(err, registry.ErrUnknownSubmission) { // dropped a moment ago
		return s, false, nil
	}
	if err != nil || !a.opens(r, s) {
		return registry.Submission{}, false, err
	}
	return s, true, nil
}

// opens reports whether a submission is for who asks: on the public form its owner, who
// has opened what was dictated; on the operators' the one who types it, until it is sent.
func (a *Adhere) opens(r *http.Request, s registry.Submission) bool {
	d := s.Assisted
	switch {
	case d != nil && !d.EndsAt.After(a.Web.Now()):
		return false
	case a.Assisted != nil:
		u, _ := web.User(r.Context())
		return d != nil && d.Operator == u.ID && d.SentAt.IsZero()
	}
	return d == nil || !d.OpenedAt.IsZero()
}

// ended answers who has none open.
func (a *Adhere) ended(rw http.ResponseWriter, r *http.Request) {
	if a.Assisted != nil { // who is signed in is not told to sign in
		a.showStart(rw, r, http.StatusConflict, "assisted.ended")
		return
	}
	a.showStart(rw, r, http.StatusUnauthorized, "start.ended")
}

// change keeps what a step changes; when it returns false the answer is written.
func (a *Adhere) change(rw http.ResponseWriter, r *http.Request, id string, change func(s *registry.Submission) error) (registry.Submission, bool) {
	s, err := a.Registry.ChangeSubmission(r.Context(), id, a.Web.Now(), change)
	switch {
	case errors.Is(err, registry.ErrUnknownSubmission):
		a.ended(rw, r)
	case errors.Is(err, registry.ErrSubmissionTooBig):
		a.showStart(rw, r, http.StatusRequestEntityTooLarge, "start.big")
	case err != nil:
		a.Web.Broken(rw, r, err)
	default:
		return s, true
	}
	return s, false
}

// show answers with a page of the form.
func (a *Adhere) show(rw http.ResponseWriter, r *http.Request, p pages.Page) {
	p.Face = a.Web.Face
	p.Styles = append(p.Styles, "adhere.css")
	if p.Rating == "" && p.Template != "start.html" { // nobody is asked for an opinion in the middle of a form
		p.Rating = pages.RateNothing
	}
	if u, ok := web.User(r.Context()); ok {
		p.User = u.Name
		p.Nav = []pages.Nav{{Key: "nav.overview", Href: "/"}, {Key: "nav.assisted", Href: assistedPath, Current: true}}
	}
	a.pages.Render(rw, r, p)
}

// to sends the browser on to a page of the form.
func (a *Adhere) to(rw http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(rw, r, a.base+path, http.StatusSeeOther)
}

// words are those of the request's language.
func (a *Adhere) words(r *http.Request) *pages.Words { return a.pages.Words(pages.Language(r)) }
