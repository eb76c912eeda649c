package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
)

// Who is allowed what: each route of each listener, and who may use it. A route that
// is not here fails TestAuthorisationMatrix, and so does one that lets in anybody
// else, or does not let in who is named. "anyone" needs no session; "account" are
// all whom the listener accepts, with a session: a credential file opens no account.
// The file is as long as there are routes: who may what is read in one place.
var allowed = map[string]map[string]string{
	"public": {
		"GET /":                              "anyone",
		"GET /come-funziona":                 "anyone",
		"GET /installa":                      "anyone",
		"GET /codice":                        "anyone",
		"GET /segnalazione":                  "anyone",
		"POST /segnalazione":                 "anyone",
		"GET /segnalazione/inviata":          "anyone",
		"GET /valutazione":                   "anyone",
		"POST /valutazione":                  "anyone",
		"GET /faq":                           "anyone",
		"GET /guida":                         "anyone",
		"GET /guida.pdf":                     "anyone",
		"GET /guida/referenti":               "anyone",
		"GET /guida/referenti.pdf":           "anyone",
		"GET /vetrofania.pdf":                "anyone",
		"GET /assistenza":                    "anyone",
		"GET /legal":                         "anyone",
		"GET /accessibilita":                 "anyone",
		"GET /aderisci":                      "anyone",
		"GET /aderisci/chi":                  "anyone",
		"POST /aderisci/chi":                 "anyone",
		"GET /aderisci/luogo":                "submitter",
		"POST /aderisci/luogo":               "submitter",
		"POST /aderisci/riprendi":            "anyone",
		"POST /aderisci/esci":                "anyone",
		"POST /aderisci/cancella":            "anyone",
		"GET /statistiche":                   "anyone",
		"GET /statistiche/adesioni.csv":      "anyone",
		"GET /statistiche/consultazioni.csv": "anyone",
		"GET /statistiche/catalogo.jsonld":   "anyone",
		"GET /site":                          "anyone",
		"POST /site":                         "anyone",
		"POST /site/suspend":                 "owner",
		"POST /site/resume":                  "owner",
		"POST /site/renew":                   "owner",
		"GET /site/delegations/{id}":         "owner",
		"POST /site/delegations/{id}/revoke": "owner",
		"POST /site/alerts":                  "owner",
		"GET /alerts/{token}":                "anyone", // the token of the mail decides
		"POST /alerts/{token}":               "anyone",
		"GET /check":                         "anyone",
		"POST /check":                        "anyone",
		"POST /site/requests/{id}":           "owner",
		"GET /site/changes":                  "owner",
		"GET /site/withdraw":                 "owner",
		"POST /site/withdraw":                "owner",
		"GET /site/withdrawn":                "anyone",
		"GET /invited/{token}":               "anyone", // the token of the invitation decides
		"POST /invited/{token}":              "anyone",
		"GET /contact/{token}":               "anyone",
		"POST /contact/{token}":              "anyone",
		"GET /contact/accepted":              "anyone",
		"POST /logout":                       "anyone",
		"GET /map/{z}/{x}/{y}":               "anyone",
		"POST /places":                       "anyone",
		"ANY /":                              "anyone",

		// The form "Aderisci", and what the page of a site that was typed there leads to.
		"POST /site/code":                      "owner",
		"GET /aderisci/telecamere":             "submitter",
		"GET /aderisci/telecamere/nuova":       "submitter",
		"POST /aderisci/telecamere/nuova":      "submitter",
		"GET /aderisci/telecamere/{id}":        "submitter",
		"POST /aderisci/telecamere/{id}":       "submitter",
		"POST /aderisci/telecamere/{id}/togli": "submitter",
		"GET /aderisci/chiamare":               "submitter",
		"POST /aderisci/chiamare":              "submitter",
		"POST /aderisci/invito":                "anyone",
		"GET /aderisci/identita":               "submitter",
		"POST /aderisci/identita/email":        "submitter",
		"GET /aderisci/conferma/{token}":       "anyone", // the token of the mail decides
		"POST /aderisci/conferma/{token}":      "anyone",
		"GET /aderisci/riepilogo":              "submitter",
		"POST /aderisci/aderisco":              "submitter",
		"GET /aderisci/ricevuta":               "anyone", // who has not opened a site with its code is sent to /site
		"POST /aderisci/modifica":              "anyone", // the same

		// What an owner dictated to the office: the code of the message or the letter decides.
		"GET /aderisci/dettata":                 "anyone",
		"POST /aderisci/dettata":                "anyone",
		"GET /aderisci/dettata/{code}":          "anyone",
		"POST /aderisci/dettata/{code}":         "anyone",
		"POST /aderisci/dettata/{code}/rifiuta": "anyone",
		"POST /aderisci/rifiuta":                "submitter",
	},
	"referents": {
		"GET /referent":                               "referent",
		"GET /referent/sites/{id}":                    "referent",
		"POST /referent/sites/{id}/requests/{notice}": "referent",
		"GET /referent/import":                        "referent",
		"POST /referent/import":                       "referent",
		"POST /referent/export":                       "referent",
		"GET /referent/delegations":                   "referent",
		"ANY /":                                       "referent",
	},
	"ops": {
		"GET /":                                 "ops admin",
		"POST /invite":                          "ops admin",
		"GET /manual":                           "ops admin",
		"GET /manual.pdf":                       "ops admin",
		"GET /manual/{picture}":                 "ops admin",
		"GET /waves":                            "ops admin",
		"POST /waves/{number}/pause":            "ops admin",
		"POST /waves/{number}/resume":           "ops admin",
		"POST /waves/{number}/cancel":           "ops admin",
		"GET /invite":                           "ops admin",
		"GET /batches":                          "ops admin",
		"GET /funnel":                           "ops admin",
		"GET /funnel.csv":                       "ops admin",
		"POST /batches":                         "ops admin",
		"GET /remarks":                          "ops admin",
		"POST /remarks/{id}/close":              "ops admin",
		"POST /batches/{id}/end":                "ops admin",
		"GET /agents":                           "ops admin",
		"GET /agents.csv":                       "ops admin",
		"GET /agents/filters":                   "ops admin",
		"POST /agents/filters":                  "ops admin",
		"POST /agents/filters/{id}/delete":      "ops admin",
		"GET /sites":                            "ops admin",
		"GET /sites.csv":                        "ops admin",
		"GET /sites/filters":                    "ops admin",
		"POST /sites/filters":                   "ops admin",
		"POST /sites/filters/{id}/delete":       "ops admin",
		"POST /agents/{id}/revoke":              "ops admin",
		"GET /users":                            "admin",
		"POST /users":                           "admin",
		"POST /users/{id}/revoke":               "admin",
		"POST /users/{id}/link":                 "admin",
		"POST /users/{id}/signout":              "admin",
		"GET /forces":                           "admin",
		"POST /forces":                          "admin",
		"GET /sites/{id}":                       "ops admin",
		"GET /sites/{id}/letter":                "ops admin",
		"POST /sites/{id}/letter":               "ops admin",
		"POST /sites/{id}/codes/{made}/revoke":  "ops admin",
		"GET /queue":                            "ops admin",
		"GET /queue/letter":                     "ops admin",
		"POST /queue/letter":                    "ops admin",
		"GET /queue/lines":                      "ops admin",
		"GET /queue/lines.csv":                  "ops admin",
		"GET /queue/lines/filters":              "ops admin",
		"POST /queue/lines/filters":             "ops admin",
		"POST /queue/lines/filters/{id}/delete": "ops admin",
		"GET /invitations":                      "ops admin",
		"GET /invitations.csv":                  "ops admin",
		"GET /invitations/filters":              "ops admin",
		"POST /invitations/filters":             "ops admin",
		"POST /invitations/filters/{id}/delete": "ops admin",
		// Assisted entry: who types one has it open by a cookie; without one nothing is shown.
		"GET /assisted":                              "ops admin",
		"GET /assisted.csv":                          "ops admin",
		"GET /assisted/filters":                      "ops admin",
		"POST /assisted/filters":                     "ops admin",
		"POST /assisted/filters/{id}/delete":         "ops admin",
		"POST /assisted/{id}/again":                  "ops admin",
		"POST /assisted/{id}/cancel":                 "ops admin",
		"GET /assisted/entry":                        "ops admin",
		"POST /assisted/entry":                       "ops admin",
		"GET /assisted/entry/chi":                    "ops admin",
		"POST /assisted/entry/chi":                   "ops admin",
		"GET /assisted/entry/luogo":                  "ops admin",
		"POST /assisted/entry/luogo":                 "ops admin",
		"GET /assisted/entry/telecamere":             "ops admin",
		"GET /assisted/entry/telecamere/nuova":       "ops admin",
		"POST /assisted/entry/telecamere/nuova":      "ops admin",
		"GET /assisted/entry/telecamere/{id}":        "ops admin",
		"POST /assisted/entry/telecamere/{id}":       "ops admin",
		"POST /assisted/entry/telecamere/{id}/togli": "ops admin",
		"GET /assisted/entry/chiamare":               "ops admin",
		"POST /assisted/entry/chiamare":              "ops admin",
		"GET /assisted/entry/invio":                  "ops admin",
		"POST /assisted/entry/invio":                 "ops admin",
		"POST /assisted/entry/cancella":              "ops admin",
		"GET /map/{z}/{x}/{y}":                       "ops admin",
		"POST /places":                               "ops admin",
		"ANY /":                                      "ops admin",
	},
	"consult": {
		"GET /":                                "officer",
		"POST /search":                         "officer",
		"GET /search":                          "officer",
		"GET /search/{id}":                     "officer",
		"POST /addresses":                      "officer",
		"POST /reveal":                         "officer",
		"POST /unanswered":                     "officer",
		"POST /requests":                       "officer",
		"GET /requests":                        "officer",
		"POST /export":                         "officer",
		"GET /cases":                           "officer",
		"GET /cases/{case}":                    "officer",
		"GET /mine":                            "officer",
		"POST /cases/{case}/called":            "officer",
		"POST /cases/{case}/close":             "officer",
		"POST /cases/{case}/refer":             "officer",
		"POST /cases/{case}/reopen":            "officer",
		"POST /cases/{case}/share":             "officer",
		"POST /cases/{case}/unshare":           "officer",
		"POST /papers/new":                     "officer",
		"POST /papers":                         "officer",
		"GET /papers/{id}":                     "officer",
		"GET /cases/{case}/papers":             "officer",
		"POST /cases/{case}/dossier":           "officer",
		"POST /patrol":                         "officer",
		"GET /audit/entries":                   "force-auditor",
		"GET /audit/entries.csv":               "force-auditor",
		"POST /audit/entries":                  "force-auditor",
		"POST /audit/open":                     "force-auditor",
		"POST /audit/close":                    "force-auditor",
		"GET /requests/{id}":                   "officer",
		"GET /requests/{id}/states":            "officer",
		"POST /preserve":                       "officer",
		"POST /requests/{id}/contacts":         "officer",
		"GET /openapi.json":                    "officer",
		"GET /basemap.pmtiles":                 "officer",
		"GET /audit":                           "force-auditor dpo",
		"GET /audit/checkpoint":                "force-auditor dpo",
		"GET /audit/key":                       "force-auditor dpo",
		"GET /audit/export":                    "force-auditor dpo",
		"GET /audit/threats":                   "force-auditor dpo",
		"GET /audit/witness":                   "anyone",
		"POST /audit/witness":                  "anyone",
		"GET /force":                           "force-admin",
		"POST /force/users":                    "force-admin",
		"GET /force/users":                     "force-admin",
		"GET /force/users/{id}/{act}":          "force-admin",
		"POST /force/users/{id}/qualification": "force-admin",
		"POST /force/users/{id}/link":          "force-admin",
		"POST /force/users/{id}/sessions":      "force-admin",
		"POST /force/users/{id}/revoke":        "force-admin",
		"ANY /":                                "officer force-auditor force-admin dpo",
	},
	// What every listener has, and those where people sign in.
	"each": {
		"GET /static/":       "anyone",
		"POST /csp-report":   "anyone",
		"GET /privacy":       "anyone",
		"GET /accessibility": "anyone",
	},
	"signing in": {
		"GET /login":                         "anyone",
		"GET /login/link":                    "anyone",
		"POST /login/link":                   "anyone",
		"POST /login/passkey":                "anyone",
		"POST /login/passkey/begin":          "anyone",
		"GET /account":                       "account",
		"POST /account/passkeys":             "account",
		"POST /account/passkeys/begin":       "account",
		"POST /account/passkeys/{id}/remove": "account",
		"POST /account/sessions/end":         "account",
		"POST /account/sessions/{id}/end":    "account",
		"POST /logout":                       "anyone",
	},
}

// matrixRoles are all there are; each of them has a credential in the matrix.
var matrixRoles = []string{registry.RoleOps, registry.RoleAdmin, registry.RoleDPO, registry.RoleReferent,
	registry.RoleOfficer, registry.RoleForceAuditor, registry.RoleForceAdmin}

// matrix is a collector whose routes are called as everybody in turn.
type matrix struct {
	t         *testing.T
	o         *collector
	listeners map[string]face
	secrets   map[string]string       // by role, of its credential file
	cookies   map[string]*http.Cookie // by role, of a session on its own listener
	ids       map[string]string       // by role
	bank      string                  // an organisation, for owners
	from      int
}

// face is one listener with its routes.
type face struct {
	web     *web.Web
	routes  [][]web.Route
	handler http.Handler
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{t: t, o: opened(t, t.TempDir(), func(c *Config) { c.SMS.URL = "https://sms.example.it/send" }), secrets: map[string]string{}, ids: map[string]string{}, cookies: map[string]*http.Cookie{}}
	m.listeners = map[string]face{
		"public":    {web: m.o.publicWeb, routes: m.o.publicRoutes},
		"referents": {web: m.o.referentWeb, routes: m.o.referentRoutes},
		"ops":       {web: m.o.opsWeb, routes: m.o.opsRoutes},
		"consult":   {web: m.o.consultWeb, routes: m.o.consultRoutes},
	}
	for name, l := range m.listeners {
		var err error
		if l.handler, err = l.web.Handler(l.routes...); err != nil {
			t.Fatal(err)
		}
		m.listeners[name] = l
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.o.reg.AddForce(t.Context(), "Questura", key.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	for _, role := range matrixRoles {
		m.person(role)
	}
	bank := protocol.Organisation{ID: uuid.NewString(), Kind: protocol.Firm, Name: "Banca", FiscalCode: "01199250158", Trust: protocol.TrustPEC,
		Contacts: []protocol.Contact{{Name: "Sala", Role: protocol.RoleControlRoom, Phone: "+39 02 5550000"}}}
	if err := m.o.reg.AddOrganisation(t.Context(), bank, time.Now()); err != nil {
		t.Fatal(err)
	}
	m.bank = bank.ID
	return m
}

// person adds somebody of a role, with a credential file and, where their listener
// gives them one, a session.
func (m *matrix) person(role string) {
	m.t.Helper()
	secret, hash := m.o.opsWeb.NewSecret()
	u := registry.User{ID: uuid.NewString(), Name: "the " + role, Role: role, SecretHash: hash, At: time.Now()}
	if registry.OfForce(role) {
		u.Force = "Questura"
	}
	if err := m.o.reg.AddUser(m.t.Context(), u); err != nil {
		m.t.Fatal(err)
	}
	m.secrets[role] = secret
	m.ids[role] = u.ID
	if homeOf(role) != "" {
		m.cookies[role] = m.session(role)
	}
}

// session is a new one of a role, on its own listener.
func (m *matrix) session(role string) *http.Cookie {
	m.t.Helper()
	link, err := m.o.opsWeb.NewLink(m.t.Context(), "", m.ids[role], time.Hour)
	if err != nil {
		m.t.Fatal(err)
	}
	token := url.Values{"token": {link[strings.Index(link, "token=")+len("token="):]}}
	r := m.request("POST", "/login/link", token.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rw := httptest.NewRecorder()
	m.listeners[homeOf(role)].handler.ServeHTTP(rw, r)
	cookies := rw.Result().Cookies()
	if len(cookies) != 1 {
		m.t.Fatalf("%s signs in: %d %s", role, rw.Code, rw.Body)
	}
	return cookies[0]
}

// homeOf is the listener of a role, "" for those that have none.
func homeOf(role string) string {
	switch {
	case role == registry.RoleOps || role == registry.RoleAdmin:
		return "ops"
	case role == registry.RoleReferent:
		return "referents"
	case registry.OfForce(role) || role == registry.RoleDPO:
		return "consult"
	}
	return ""
}

// request comes from an address that no other one does, so that nobody has to wait.
func (m *matrix) request(method, path, body string) *http.Request {
	r := httptest.NewRequestWithContext(m.t.Context(), method, "http://localhost"+path, strings.NewReader(body))
	m.from++
	r.RemoteAddr = fmt.Sprintf("127.1.%d.%d:99", m.from/250, m.from%250+1)
	return r
}

var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

// normal is a pattern as allowed names it, and a request that it matches.
func normal(pattern string) (name, method, path string) {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		return "ANY " + pattern, "GET", pattern + "nowhere"
	}
	path = strings.TrimSuffix(path, "{$}")
	return method + " " + path, method, wildcard.ReplaceAllString(path, "x")
}

// let calls a route and tells whether it let the caller in: to its handler, whatever
// that then says of a request without a body.
func (m *matrix) let(l face, method, path string, as func(*http.Request)) (bool, string) {
	r := m.request(method, path, "")
	r.Header.Set("Accept", "application/json")
	as(r)
	rw := httptest.NewRecorder()
	l.handler.ServeHTTP(rw, r)
	at := rw.Header().Get("Location")
	said := fmt.Sprintf("%d %s", rw.Code, at)
	switch {
	case rw.Code == http.StatusUnauthorized || rw.Code == http.StatusForbidden:
		return false, said
	case rw.Code == http.StatusTooManyRequests || rw.Code == http.StatusMethodNotAllowed || rw.Code >= 500:
		m.t.Errorf("%s %s answers %s: %s", method, path, said, rw.Body)
	case rw.Code == http.StatusSeeOther && strings.HasPrefix(at, "/login"):
		return false, said
	}
	return true, said
}

// callers are all who may try, by the name that allowed has for them.
func (m *matrix) callers(listener string) map[string]func(*http.Request) {
	all := map[string]func(*http.Request){
		"anonymous":                 func(*http.Request) {},
		"anonymous in a browser":    func(r *http.Request) { r.Header.Set("Accept", "text/html") },
		"a stolen link as a bearer": func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
		"owner":                     func(r *http.Request) { r.AddCookie(m.owner()) },
		"submitter":                 func(r *http.Request) { r.AddCookie(m.submitter()) },
	}
	for role, secret := range m.secrets {
		all[role] = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }
		if c := m.cookies[role]; c != nil && homeOf(role) != listener {
			all["the session of "+role+" elsewhere"] = func(r *http.Request) { r.AddCookie(c) }
		}
	}
	return all
}

// owner is the session of the owner of a site that nobody else uses: some acts end
// both.
func (m *matrix) owner() *http.Cookie {
	m.t.Helper()
	site := registry.ImportedSite{Key: uuid.NewString(), Site: protocol.Site{Name: "Filiale", Category: "bank", Address: "Via Torino 1"},
		Cameras: []registry.ImportedCamera{{Key: "1", Recorder: protocol.Recorder{Vendor: "Acme", Name: "NVR"},
			Camera: protocol.Camera{Name: "Ingresso", Position: protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}, Method: "typed"},
				OutdoorPublic: protocol.Outdoor{Yes: true}}}}}
	done, err := m.o.reg.Import(m.t.Context(), registry.Import{OrganisationID: m.bank, Sites: []registry.ImportedSite{site}, By: "Dora", At: time.Now()})
	if err != nil {
		m.t.Fatal(err)
	}
	rw := httptest.NewRecorder()
	if err := m.o.publicWeb.BeginOwner(m.t.Context(), rw, done[0].SiteID); err != nil {
		m.t.Fatal(err)
	}
	return rw.Result().Cookies()[0]
}

// submitter has a form open that nobody else has.
func (m *matrix) submitter() *http.Cookie {
	m.t.Helper()
	id, err := m.o.reg.BeginSubmission(m.t.Context(), registry.Submission{Site: protocol.Site{Name: "Bar", Category: "shop"},
		Contacts: []protocol.Contact{{Name: "Anna", Role: protocol.RoleOwner, Phone: "112"}}}, time.Now())
	if err != nil {
		m.t.Fatal(err)
	}
	rw := httptest.NewRecorder()
	if err := m.o.publicWeb.BeginSubmission(m.t.Context(), rw, id); err != nil {
		m.t.Fatal(err)
	}
	return rw.Result().Cookies()[0]
}

// holes calls every route of a listener as everybody, and says what is not as allowed
// has it.
func (m *matrix) holes(name string, l face) (found []string) {
	routes, err := l.web.Routes(l.routes...)
	if err != nil {
		m.t.Fatal(err)
	}
	rules := map[string]string{}
	for _, part := range []string{name, "each", "signing in"} {
		if part == "signing in" && len(l.web.Roles) == 0 {
			continue
		}
		for route, who := range allowed[part] {
			rules[route] = who
		}
	}
	for _, r := range routes {
		route, method, path := normal(r.Pattern)
		who, ok := rules[route]
		if !ok {
			found = append(found, fmt.Sprintf("%s: %s has no line in the table", name, route))
			continue
		}
		delete(rules, route)
		if open := slices.Contains([]string{"anyone", "owner", "submitter"}, who); r.Open != open { // owners' sessions are asked for by package join, those of forms by adhere
			found = append(found, fmt.Sprintf("%s: %s is open: %v, and is for %s", name, route, r.Open, who))
		}
		callers := m.callers(name)
		if who == "account" {
			who = ""
			for i, role := range l.web.Roles {
				name := fmt.Sprint("session-", i)
				callers[name] = func(r *http.Request) { r.AddCookie(m.session(role)) }
				who += " " + name
			}
		}
		for caller, as := range callers {
			in, said := m.let(l, method, path, as)
			if who == "anyone" {
				continue // what it answers tells nothing of who asks, but that it did not fail
			}
			if want := slices.Contains(strings.Fields(who), caller); in != want {
				found = append(found, fmt.Sprintf("%s: %s for %s answers %s, and is for %s", name, route, caller, said, who))
			}
		}
	}
	for route := range rules {
		found = append(found, fmt.Sprintf("%s: %s is in the table and nowhere else", name, route))
	}
	slices.Sort(found)
	return found
}

// TestAuthorisationMatrix calls every route of every listener as everybody.
func TestAuthorisationMatrix(t *testing.T) {
	m := newMatrix(t)
	for name, l := range m.listeners {
		for _, hole := range m.holes(name, l) {
			t.Error(hole)
		}
	}
}

// TestTheMatrixFindsHoles: a route that is opened to a role too many, or to everybody,
// one that shuts out who is to use it, and one that is new.
func TestTheMatrixFindsHoles(t *testing.T) {
	m := newMatrix(t)
	for name, c := range map[string]struct {
		change func(*web.Route) bool
		want   string
	}{
		"a role too many": {func(r *web.Route) bool {
			r.Roles = append(slices.Clone(r.Roles), registry.RoleOps)
			return r.Pattern == "GET /users"
		}, "ops: GET /users for ops answers 200"},
		"open": {func(r *web.Route) bool { r.Roles, r.Open = nil, true; return r.Pattern == "POST /forces" },
			"ops: POST /forces for anonymous answers 422"},
		"open, and tells nothing": {func(r *web.Route) bool { r.Roles, r.Open = nil, true; return r.Pattern == "GET /agents" }, "ops: GET /agents is open: true"},
		"a role too few": {func(r *web.Route) bool { r.Roles = []string{registry.RoleAdmin}; return r.Pattern == "GET /agents" },
			"ops: GET /agents for ops answers 403"},
		"new": {func(r *web.Route) bool { r.Pattern = "GET /new"; return true }, "ops: GET /new has no line in the table"},
	} {
		routes := slices.Concat(m.o.opsRoutes...)
		for i := range routes {
			changed := routes[i]
			if c.change(&changed) {
				routes[i] = changed
				break
			}
		}
		l := face{web: m.o.opsWeb, routes: [][]web.Route{routes}}
		var err error
		if l.handler, err = l.web.Handler(l.routes...); err != nil {
			t.Fatal(err)
		}
		if found := m.holes("ops", l); !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, c.want) }) {
			t.Errorf("%s is not found: %q", name, found)
		}
	}
}

// hostOnly are what the control socket alone answers, apart from the routes of the ops
// and the audit pages: none of it is at any listener, for anybody.
var hostOnly = []string{"/authority", "/authority/", "/import", "/export", "/organisations", "/organisations/", "/owner", "/delegations", "/delegations/",
	"/backup", "/backup-keys", "POST /key/rotate", "POST /erase", "POST /addresses", "POST /districts", "/notice",
	"POST /waves/file", "POST /bounce"}

// alsoOfConsult are patterns of the control socket that consultation has with another
// meaning.
var alsoOfConsult = []string{"POST /addresses", "/export"}

func TestWhatIsOnTheControlSocketAlone(t *testing.T) {
	m := newMatrix(t)
	for pattern := range m.o.controlRoutes() {
		if pattern == "/" || pattern == "/audit/" { // ops.Control and audit.Control: the routes of their pages
			continue
		}
		if !slices.Contains(hostOnly, pattern) {
			t.Errorf("%s has no line in the table", pattern)
		}
		method, path, ok := strings.Cut(pattern, " ")
		if !ok {
			method, path = "POST", pattern
		}
		for name, l := range m.listeners {
			if name == "consult" && slices.Contains(alsoOfConsult, pattern) {
				continue
			}
			for caller, as := range m.callers(name) {
				r := m.request(method, path, "")
				r.Header.Set("Accept", "application/json")
				as(r)
				rw := httptest.NewRecorder()
				l.handler.ServeHTTP(rw, r)
				if !slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, rw.Code) {
					t.Errorf("%s: %s for %s answers %d", name, pattern, caller, rw.Code)
				}
			}
		}
	}
}
