package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// forces turns a bench into the forces' listener with a provider.
func forces(o *Options, issuer string) {
	o.Face, o.Roles = pages.FaceConsult, []string{registry.RoleOfficer, registry.RoleForceAuditor, registry.RoleForceAdmin, registry.RoleDPO}
	o.OIDC = &Provider{Name: "Questura ID", Issuer: issuer, ClientID: pagestest.ProviderClient, ClientSecret: pagestest.ProviderSecret, Grants: []Grant{
		{Claim: "gruppi", Value: "ufficiali", Role: registry.RoleOfficer, Force: "Questura", Qualification: registry.Ufficiale},
		{Claim: "gruppi", Value: "controllo", Role: registry.RoleForceAuditor, Force: "Questura"},
		{Claim: "gruppi", Value: "altrove", Role: registry.RoleForceAuditor, Force: "Forza ignota"},
		{Claim: "gruppi", Value: "tutto-il-comune", Role: registry.RoleDPO}}}
}

var hiddenField = regexp.MustCompile(`name="prompt" value="([a-z]+)"`)

// visit goes through the provider's own pages as somebody who types a name there, and
// gives the page of ours that they come back to.
func visit(t *testing.T, c *http.Client, at, name string) (*http.Response, string) {
	t.Helper()
	get := func(resp *http.Response, err error) (*http.Response, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	resp, body := get(c.Get(at + oidcPath + "?next=/admin"))
	for range 2 { // who they are, then what they let us know
		prompt := hiddenField.FindStringSubmatch(body)
		if prompt == nil {
			break
		}
		resp, body = get(c.PostForm(resp.Request.URL.String(), url.Values{"prompt": prompt[1:], "login": {name}, "password": {"qualunque"}}))
	}
	return resp, body
}

// The whole way with a provider that others have written.
func TestRealProvider(t *testing.T) {
	b := newNamedBench(t, func(o *Options) {
		o.Now = time.Now // the provider has no other
		forces(o, pagestest.Provider(t, o.PublicURL+callbackPath))
	})
	if err := b.reg.AddForce(t.Context(), "Questura", "age1"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name   string
		status int
		path   string
		says   string
	}{
		{"ufficiali.rossi", http.StatusForbidden, "/admin", "non può aprire"}, // let in; /admin is for another role
		{"ufficiali.rossi", http.StatusForbidden, "/admin", "non può aprire"},
		{"estranei.bianchi", http.StatusForbidden, callbackPath, "nessun ruolo"},
		{"altrove.verdi", http.StatusForbidden, callbackPath, "nessun ruolo"},
		{"tutto-il-comune.neri", http.StatusOK, "/admin", "hello Persona tutto-il-comune.neri"},
	} {
		c := b.browser()
		c.CheckRedirect = nil
		resp, body := visit(t, c, b.web.PublicURL, step.name)
		if resp.StatusCode != step.status || resp.Request.URL.Path != step.path || !strings.Contains(body, step.says) {
			t.Errorf("%s: %d at %s: %s", step.name, resp.StatusCode, resp.Request.URL.Path, body)
		}
		if inside := step.path != callbackPath; b.inside(c) != inside {
			t.Errorf("%s is inside: %v", step.name, !inside)
		}
	}
	users, err := b.reg.Users(t.Context())
	if err != nil || len(users) != 2 || users[1].Name != "Persona ufficiali.rossi" || users[1].Force != "Questura" || users[1].Qualification != registry.Ufficiale {
		t.Fatalf("%+v %v", users, err)
	}
	b.revoke(users[1])
	c := b.browser()
	c.CheckRedirect = nil
	if resp, body := visit(t, c, b.web.PublicURL, "ufficiali.rossi"); resp.StatusCode != http.StatusForbidden || b.inside(c) {
		t.Errorf("a revoked user: %d %s", resp.StatusCode, body)
	}
	const in, out = "login Persona ", "login-refused "
	if got, want := b.kinds(), strings.Join([]string{in + "ufficiali.rossi", in + "ufficiali.rossi", out, out, in + "tutto-il-comune.neri", out}, ", "); got != want {
		t.Errorf("on the trail: %q, want %q", got, want)
	}
	for _, a := range b.acts {
		if details := fmt.Sprint(a.Details); strings.Contains(details, "bianchi") || strings.Contains(a.User.ID, "bianchi") {
			t.Errorf("the trail names who is nobody here: %v", a)
		}
	}
}

// liar is a provider whose tokens can be wrong in one thing.
type liar struct {
	*httptest.Server
	key      *ecdsa.PrivateKey
	change   func(claims map[string]any) // of the next ID token
	sign     *ecdsa.PrivateKey           // with which it is signed
	refuse   int                         // status of the token endpoint; 0: it gives one
	verifier string                      // that came with the code
	nonce    string
}

func newLiar(t *testing.T) *liar {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{key: key}
	known := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "one", Algorithm: "ES256"}}, Algorithms: []string{"ES256"}}
	mux := http.NewServeMux()
	mux.Handle("/", known)
	mux.HandleFunc("POST /token", l.token)
	l.Server = httptest.NewServer(mux)
	t.Cleanup(l.Close)
	known.SetIssuer(l.URL)
	return l
}

func (l *liar) token(rw http.ResponseWriter, r *http.Request) {
	if l.refuse != 0 {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(l.refuse)
		_, _ = io.WriteString(rw, `{"error":"invalid_grant"}`)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	l.verifier = r.FormValue("code_verifier")
	claims := map[string]any{"iss": l.URL, "sub": "7", "aud": pagestest.ProviderClient, "nonce": l.nonce, "name": "L. Bruni", "gruppi": []string{"ufficiali"}}
	l.change(claims)
	raw, _ := json.Marshal(claims)
	_ = json.NewEncoder(rw).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": oidctest.SignIDToken(l.sign, "one", "ES256", string(raw))})
}

// Each thing that can be wrong with what comes back lets nobody in.
// It is long because it is one table.
func TestWhatAProviderMayNotSay(t *testing.T) {
	l := newLiar(t)
	b := newNamedBench(t, func(o *Options) { forces(o, l.URL) })
	if err := b.reg.AddForce(t.Context(), "Questura", "age1"); err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// set changes claims of a good token; a duration stands for a time from then on.
	set := func(pairs ...any) func(map[string]any) {
		return func(claims map[string]any) {
			pairs := append([]any{"iat", time.Duration(0), "exp", time.Minute}, pairs...)
			for i := 0; i < len(pairs); i += 2 {
				if d, ok := pairs[i+1].(time.Duration); ok {
					claims[pairs[i].(string)] = b.clock().Add(d).Unix()
				} else {
					claims[pairs[i].(string)] = pairs[i+1]
				}
			}
		}
	}
	type back struct{ query url.Values }
	for name, c := range map[string]struct {
		change func(map[string]any)
		back   func(*back) // what the browser brings back
		sign   *ecdsa.PrivateKey
		refuse int
		status int
	}{
		"in order":              {change: set(), status: http.StatusSeeOther},
		"clock a bit behind":    {change: set("iat", -2*time.Minute, "exp", -50*time.Second), status: http.StatusSeeOther},
		"clock a bit ahead":     {change: set("iat", 50*time.Second, "exp", 2*time.Minute), status: http.StatusSeeOther},
		"expired":               {change: set("exp", -2*time.Minute), status: http.StatusUnauthorized},
		"of a later time":       {change: set("iat", 2*time.Minute), status: http.StatusUnauthorized},
		"for somebody else":     {change: set("aud", "altro"), status: http.StatusUnauthorized},
		"of another issuer":     {change: set("iss", "https://evil.example"), status: http.StatusUnauthorized},
		"of another login":      {change: set("nonce", "altro"), status: http.StatusUnauthorized},
		"without a nonce":       {change: func(c map[string]any) { set()(c); delete(c, "nonce") }, status: http.StatusUnauthorized},
		"of nobody":             {change: set("sub", ""), status: http.StatusUnauthorized},
		"signed by another":     {change: set(), sign: other, status: http.StatusUnauthorized},
		"no role":               {change: set("gruppi", []string{"uno"}), status: http.StatusForbidden},
		"a role as one text":    {change: set("gruppi", "ufficiali"), status: http.StatusSeeOther},
		"a role as a number":    {change: set("gruppi", 7), status: http.StatusForbidden},
		"a force that is not":   {change: set("gruppi", []string{"altrove"}), status: http.StatusForbidden},
		"the code is not taken": {change: set(), refuse: http.StatusBadRequest, status: http.StatusUnauthorized},
		"the provider breaks":   {change: set(), refuse: http.StatusInternalServerError, status: http.StatusBadGateway},
		"another state":         {change: set(), back: func(b *back) { b.query.Set("state", "altro") }, status: http.StatusUnauthorized},
		"no state":              {change: set(), back: func(b *back) { b.query.Del("state") }, status: http.StatusUnauthorized},
		"no code":               {change: set(), back: func(b *back) { b.query = url.Values{"state": b.query["state"], "error": {"access_denied"}} }, status: http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			b.later(failureWindow)
			browser := b.browser()
			resp, _ := b.ask(browser, "GET", oidcPath, nil)
			sent := mustParse(t, resp.Header.Get("Location")).Query()
			if sent.Get("code_challenge_method") != "S256" || sent.Get("nonce") == "" || sent.Get("state") == "" || sent.Get("redirect_uri") != b.web.PublicURL+callbackPath {
				t.Fatalf("sent to the provider with %v", sent)
			}
			l.nonce, l.refuse, l.sign = sent.Get("nonce"), c.refuse, l.key
			if c.sign != nil {
				l.sign = c.sign
			}
			l.change = c.change
			q := &back{url.Values{"state": {sent.Get("state")}, "code": {"c"}}}
			if c.back != nil {
				c.back(q)
			}
			resp, body := b.ask(browser, "GET", callbackPath+"?"+q.query.Encode(), nil)
			if resp.StatusCode != c.status || b.inside(browser) != (c.status == http.StatusSeeOther) {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
			if c.status == http.StatusSeeOther && len(l.verifier) < 43 {
				t.Errorf("the code came with the verifier %q", l.verifier)
			}
			if resp, _ := b.ask(browser, "GET", callbackPath+"?"+q.query.Encode(), nil); resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("a second time: %d", resp.StatusCode)
			}
		})
	}
	// Begun in one browser, it ends in no other.
	victim, attacker := b.browser(), b.browser()
	b.later(failureWindow)
	resp, _ := b.ask(attacker, "GET", oidcPath, nil)
	b.ask(victim, "GET", oidcPath, nil)
	state := mustParse(t, resp.Header.Get("Location")).Query()["state"]
	if resp, _ := b.ask(victim, "GET", callbackPath+"?"+url.Values{"state": state, "code": {"c"}}.Encode(), nil); resp.StatusCode != http.StatusUnauthorized || b.inside(victim) {
		t.Errorf("somebody else's login: %d", resp.StatusCode)
	}
	// A provider that is down says so, and passkeys are still there.
	l.Close()
	down := newNamedBench(t, func(o *Options) { forces(o, l.URL) })
	if resp, body := down.ask(down.browser(), "GET", oidcPath, nil); resp.StatusCode != http.StatusBadGateway || !strings.Contains(body, "passkey") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, _ := down.ask(down.browser(), "POST", "/login/passkey/begin", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("passkeys: %d", resp.StatusCode)
	}
	if _, page := down.ask(down.browser(), "GET", "/login", nil); !strings.Contains(page, "Entra con Questura ID") {
		t.Error(page)
	}
}

func TestProvidersThatAreRefused(t *testing.T) {
	b := newBench(t)
	for name, change := range map[string]func(p *Provider){
		"":                           func(*Provider) {},
		"in clear":                   func(p *Provider) { p.Issuer = "http://id.example" },
		"no issuer":                  func(p *Provider) { p.Issuer = "" },
		"no client":                  func(p *Provider) { p.ClientID = "" },
		"no name":                    func(p *Provider) { p.Name = " " },
		"no grant":                   func(p *Provider) { p.Grants = nil },
		"a role of the Comune":       func(p *Provider) { p.Grants[0] = Grant{Claim: "a", Value: "b", Role: registry.RoleAdmin} },
		"no such role":               func(p *Provider) { p.Grants[0].Role = "root" },
		"no force":                   func(p *Provider) { p.Grants[0].Force = "" },
		"the dpo of a force":         func(p *Provider) { p.Grants[3].Force = "Questura" },
		"no value":                   func(p *Provider) { p.Grants[0].Value = "" },
		"an officer without":         func(p *Provider) { p.Grants[0].Qualification = "" },
		"a qualification of no kind": func(p *Provider) { p.Grants[0].Qualification = "capo" },
		"an auditor with one":        func(p *Provider) { p.Grants[1].Qualification = registry.Agente },
	} {
		o := b.options()
		forces(&o, "https://id.example")
		change(o.OIDC)
		if _, err := New(o); (err != nil) != (name != "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a provider's claims hold, a name is one short line and a role one of those
// that the listener grants.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"name":"L. Bruni","gruppi":["tutti","ufficiali"]}`))
	f.Add([]byte(`{"preferred_username":"a\nb","gruppi":"controllo"}`))
	f.Add([]byte(`{"name":7,"gruppi":{"ufficiali":true}}`))
	var o Options
	forces(&o, "https://id.example")
	f.Fuzz(func(t *testing.T, raw []byte) {
		var claims map[string]any
		if json.Unmarshal(raw, &claims) != nil {
			return
		}
		if name := nameOf(claims); name == "" || strings.ContainsFunc(name, func(r rune) bool { return !printable(r) }) || len([]rune(name)) > 200 {
			t.Errorf("%q is called %q", raw, name)
		}
		if g, ok := o.OIDC.grant(claims); ok != (g.Role != "") {
			t.Errorf("%q grants %+v", raw, g)
		}
	})
}

// silent is a provider that lets everybody wait until it breaks down.
type silent struct {
	asked atomic.Int32
	down  chan struct{}
}

func (s *silent) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked.Add(1)
	select {
	case <-s.down:
		return nil, io.ErrUnexpectedEOF
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// A provider that does not answer is asked once for all who wait: nobody waits in
// a line for one time-out after the other.
func TestSilentProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &silent{down: make(chan struct{})}
		p := newProvider(&Provider{Issuer: "https://login.example"}, "", askProvider)
		p.client.Transport = s
		var failed atomic.Int32
		for range 5 {
			go func() {
				if _, err := p.get(t.Context()); err != nil {
					failed.Add(1)
				}
			}()
		}
		synctest.Wait()
		if failed.Load() != 0 || s.asked.Load() != 1 {
			t.Errorf("%d failed, %d asked", failed.Load(), s.asked.Load())
		}
		close(s.down)
		synctest.Wait()
		if failed.Load() != 5 {
			t.Errorf("%d were told", failed.Load())
		}
	})
}
