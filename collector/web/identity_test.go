package web

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// owners turns a bench into the public listener with a provider of owners.
func owners(o *Options, issuer string) {
	o.Face, o.Roles = pages.FacePublic, nil
	o.Owners = &Provider{Name: "SPID o CIE", Issuer: issuer, ClientID: pagestest.ProviderClient, ClientSecret: pagestest.ProviderSecret}
}

// asking is a face that asks who an owner is, and says it aloud.
func asking(w *Web) []Route {
	return []Route{
		{Pattern: "GET /ask", Open: true, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.AskIdentity(rw, r, "the draft") })},
		{Pattern: "GET " + IdentityPath, Open: true, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if p, about, ok := w.Identity(rw, r); ok {
				fmt.Fprintf(rw, "%s is %s, %q", about, p.Name, p.FiscalCode)
			}
		})},
	}
}

// The whole way with a provider that others have written: who it is comes back, and
// nobody becomes a user, nor enters anywhere.
func TestOwnerByRealProvider(t *testing.T) {
	b := newNamedBench(t, func(o *Options) {
		o.Now = time.Now // the provider has no other
		owners(o, pagestest.Provider(t, o.PublicURL+IdentityPath))
	})
	if b.web.Vouches() != "SPID o CIE" {
		t.Errorf("it is called %q", b.web.Vouches())
	}
	for name, want := range map[string]string{
		"anna":       `the draft is Persona anna, "` + pagestest.ProviderFiscalCode + `"`,
		"bruno.neri": `the draft is Persona bruno.neri, ""`,
	} {
		c := b.browser()
		c.CheckRedirect = nil
		resp, err := c.Get(b.web.PublicURL + "/ask")
		if err != nil {
			t.Fatal(err)
		}
		body := through(t, c, resp, name)
		if body != want {
			t.Errorf("%s: %s", name, body)
		}
	}
	users, err := b.reg.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		if strings.HasPrefix(u.Name, "Persona") {
			t.Errorf("an owner became the user %+v", u)
		}
	}
	if len(b.acts) > 0 {
		t.Errorf("on the trail: %s", b.kinds())
	}
}

// through goes through a provider's own pages as somebody who types a name there, and
// gives the page of ours that they come back to.
func through(t *testing.T, c *http.Client, resp *http.Response, name string) string {
	t.Helper()
	for range 4 {
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		prompt := hiddenField.FindStringSubmatch(string(raw))
		if prompt == nil {
			return string(raw)
		}
		if resp, err = c.PostForm(resp.Request.URL.String(), url.Values{"prompt": prompt[1:], "login": {name}, "password": {"qualunque"}}); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the provider's pages do not end")
	return ""
}

// What comes back is held against what was asked, as for users; a login of one kind
// does not end one of the other.
func TestWhatAnOwnersProviderMayNotSay(t *testing.T) {
	l := newLiar(t)
	b := newNamedBench(t, func(o *Options) { owners(o, l.URL) })
	for name, c := range map[string]struct {
		claims map[string]any
		state  string
		status int
		says   string
	}{
		"in order":  {status: http.StatusOK, says: `L. Bruni, ""`},
		"two names": {claims: map[string]any{"name": nil, "given_name": "Lia", "family_name": "Bruni"}, status: http.StatusOK, says: `Lia Bruni, ""`},
		"as SPID": {claims: map[string]any{"https://attributes.eid.gov.it/fiscal_number": "tinit-" +
			strings.ToLower(pagestest.ProviderFiscalCode)}, status: http.StatusOK, says: pagestest.ProviderFiscalCode},
		"a wrong code":     {claims: map[string]any{"fiscal_number": "RSSNNA80A41F205X"}, status: http.StatusOK, says: `L. Bruni, ""`},
		"no name":          {claims: map[string]any{"name": " \n", "given_name": "Lia"}, status: http.StatusUnauthorized, says: "non ci ha detto il tuo nome"},
		"of another login": {claims: map[string]any{"nonce": "altro"}, status: http.StatusUnauthorized, says: "non è valida"},
		"another state":    {state: "altro", status: http.StatusUnauthorized, says: "non è di un accesso cominciato qui"},
	} {
		t.Run(name, func(t *testing.T) {
			b.later(failureWindow)
			browser := b.browser()
			resp, _ := b.ask(browser, "GET", "/ask", nil)
			sent := mustParse(t, resp.Header.Get("Location")).Query()
			if sent.Get("redirect_uri") != b.web.PublicURL+IdentityPath || sent.Get("code_challenge_method") != "S256" {
				t.Fatalf("sent to the provider with %v", sent)
			}
			l.nonce, l.sign = sent.Get("nonce"), l.key
			l.change = func(claims map[string]any) {
				claims["iat"], claims["exp"] = b.clock().Unix(), b.clock().Add(time.Minute).Unix()
				for k, v := range c.claims {
					claims[k] = v
				}
			}
			state := sent.Get("state")
			if c.state != "" {
				state = c.state
			}
			back := IdentityPath + "?" + url.Values{"state": {state}, "code": {"c"}}.Encode()
			resp, body := b.ask(browser, "GET", back, nil)
			if resp.StatusCode != c.status || !strings.Contains(body, c.says) {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
			if resp, _ := b.ask(browser, "GET", back, nil); resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("a second time: %d", resp.StatusCode)
			}
		})
	}
	l.Close()
	down := newNamedBench(t, func(o *Options) { owners(o, l.URL) })
	if resp, body := down.ask(down.browser(), "GET", "/ask", nil); resp.StatusCode != http.StatusBadGateway || !strings.Contains(body, "e-mail") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestOwnersProvidersThatAreRefused(t *testing.T) {
	b := newBench(t)
	for name, change := range map[string]func(o *Options){
		"":              func(*Options) {},
		"none":          func(o *Options) { o.Owners = nil },
		"in clear":      func(o *Options) { o.Owners.Issuer = "http://id.example" },
		"no client":     func(o *Options) { o.Owners.ClientID = "" },
		"a role":        func(o *Options) { o.Owners.Grants = []Grant{{Claim: "a", Value: "b", Role: registry.RoleAdmin}} },
		"beside people": func(o *Options) { o.Roles = []string{registry.RoleOps} },
	} {
		o := b.options()
		owners(&o, "https://id.example")
		change(&o)
		if _, err := New(o); (err != nil) != (name != "" && name != "none") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever the claims hold, a name is one short line and a fiscal code a valid one.
func FuzzPerson(f *testing.F) {
	f.Add([]byte(`{"name":"L. Bruni","fiscal_number":"TINIT-RSSNNA80A41F205O"}`))
	f.Add([]byte(`{"given_name":"a\nb","family_name":7,"fiscalNumber":["x"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var claims map[string]any
		if json.Unmarshal(raw, &claims) != nil {
			return
		}
		p := personOf(claims)
		if strings.ContainsFunc(p.Name, func(r rune) bool { return !printable(r) }) || len([]rune(p.Name)) > 401 || len(p.FiscalCode) > 16 {
			t.Errorf("%q is %+v", raw, p)
		}
	})
}
