package web

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages/pagestest"
)

const submit = "main form[data-passkey] button"

// tab opens a browser of the size given whose pages are this listener's.
func (b *bench) tab(width int64) *pagestest.Tab {
	b.t.Helper()
	return pagestest.Open(b.t, b.web.PublicURL, width, 900)
}

// welcome lets a new user in by link, to the page where they make a passkey.
func (b *bench) welcome(tab *pagestest.Tab, role string) {
	b.t.Helper()
	tab.Visit(b.link(role))
	tab.Press("main form button")
	if got := pagestest.Eval[string](tab, "location.pathname"); got != accountPath {
		b.t.Fatalf("the link leads to %s", got)
	}
}

// signedIn tells whether a tab has got through to the listener's own page.
func signedIn(tab *pagestest.Tab) bool {
	return strings.HasPrefix(pagestest.Eval[string](tab, "document.body.innerText"), "hello ")
}

func signOut(tab *pagestest.Tab) {
	tab.Visit(accountPath)
	tab.Press("form[action='/logout'] button")
}

// refused presses the button of the login page, and gives what it says.
func refused(tab *pagestest.Tab) string {
	tab.Visit("/login")
	tab.Click(submit)
	tab.Until(`document.querySelector("[data-problem]").textContent !== "" && !document.querySelector("form[data-passkey] button").disabled`)
	return pagestest.Eval[string](tab, `document.querySelector("[data-problem]").textContent`)
}

// One's way with passkeys: the link, the first, the second, one that is lost, one
// that somebody has copied.
// It is long because it is one way, step by step.
func TestPasskeysInABrowser(t *testing.T) {
	b := newNamedBench(t, nil)
	tab := b.tab(1280)
	// check looks at a page as it stands, wide and narrow, then at a path in English.
	check := func(where, path string) {
		t.Helper()
		tab.Check("login-" + where + "-wide-it")
		tab.Resize(390, 900)
		tab.Check("login-" + where + "-narrow-it")
		if path != "" {
			tab.Visit(path + "?lang=en")
			tab.Check("login-" + where + "-narrow-en")
			tab.Visit(path + "?lang=it")
		}
		tab.Resize(1280, 900)
	}
	tab.Visit("/login?lang=it")
	check("page", "/login")
	tab.Visit(b.link(registry.RoleAdmin))
	check("link", "")
	tab.Press("main form button")
	check("first", accountPath)
	tab.Visit("/")
	if signedIn(tab) || pagestest.Eval[string](tab, "location.pathname") != accountPath {
		t.Error("a link opens more than the page where a passkey is made")
	}
	first := tab.Authenticator()
	tab.Press(submit)
	if !signedIn(tab) {
		t.Fatal("the first passkey does not lead on")
	}
	signOut(tab)
	tab.Visit("/admin")
	tab.Press(submit)
	if !signedIn(tab) || pagestest.Eval[string](tab, "location.pathname") != "/admin" {
		t.Error("the passkey does not lead to what was asked for")
	}

	lost := first.Passkeys()[0]
	first.Unplug()
	b.later(time.Minute) // the list has the older one first
	second := tab.Authenticator()
	tab.Visit(accountPath)
	tab.Fill("#name", "Telefono di servizio")
	tab.Press(submit)
	if n := pagestest.Eval[int](tab, `document.querySelectorAll("form[action$='/remove']").length`); n != 2 {
		t.Fatalf("%d passkeys can be removed", n)
	}
	check("account", accountPath)
	tab.Press("form[action$='/remove'] button")
	if text := pagestest.Eval[string](tab, "document.querySelector('main').innerText"); !strings.Contains(text, "Telefono di servizio") ||
		pagestest.Eval[int](tab, `document.querySelectorAll("form[action$='/remove']").length`) != 0 {
		t.Errorf("the last passkey can be removed: %s", text)
	}
	signOut(tab)

	copied := second.Passkeys()[0]
	tab.Visit("/login")
	tab.Press(submit)
	if !signedIn(tab) {
		t.Error("the second passkey does not let in")
	}
	signOut(tab)
	second.Keep(copied) // counts from before that sign-in
	if said := refused(tab); !strings.Contains(said, "Questa passkey non fa entrare") {
		t.Errorf("a copied passkey: %q", said)
	}
	check("refused", "")
	second.Keep(lost)
	if said := refused(tab); !strings.Contains(said, "Questa passkey non fa entrare") {
		t.Errorf("a removed passkey: %q", said)
	}
	second.Unverified()
	if said := refused(tab); !strings.Contains(said, "non è stata usata") {
		t.Errorf("somebody else's finger: %q", said)
	}
	admin := " the admin"
	want := strings.Join([]string{"login", "passkey-add", "logout", "login", "passkey-add", "passkey-remove", "logout", "login", "logout",
		"login-refused", "login-refused"}, admin+", ") + admin
	if got := b.kinds(); got != want {
		t.Errorf("on the trail:\n%s\nwant\n%s", got, want)
	}
}

// signature has the tab's authenticator sign what a listener asks for.
func (b *bench) signature(tab *pagestest.Tab, c *http.Client, listener string) string {
	b.t.Helper()
	resp, err := c.Post(listener+"/login/passkey/begin", "application/x-www-form-urlencoded", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	options, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.t.Fatalf("%d %s %v", resp.StatusCode, options, err)
	}
	return pagestest.Eval[string](tab, fmt.Sprintf(`navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(%s)}).then(c => JSON.stringify(c))`, options))
}

// What was signed for one sign-in at one address is good for that one alone.
func TestSignatures(t *testing.T) {
	b := newNamedBench(t, nil)
	tab := b.tab(1280)
	tab.Authenticator()
	b.welcome(tab, registry.RoleAdmin)
	tab.Press(submit)
	tab.Visit("/login")

	// The same register, keys and host name; another port, and so another origin.
	other := benchWith(t, httptest.NewServer, func(o *Options) {
		o.Registry, o.PublicURL = b.reg, strings.Replace(o.PublicURL, "127.0.0.1", "localhost", 1)
	})
	send := func(c *http.Client, listener, signed string) int {
		t.Helper()
		resp, err := c.Post(listener+"/login/passkey", "application/json", strings.NewReader(signed))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	here := b.web.PublicURL
	c := b.browser()
	signed := b.signature(tab, c, here)
	if got := send(b.browser(), here, signed); got != http.StatusUnauthorized {
		t.Errorf("from a browser that did not begin it: %d", got)
	}
	if got := send(c, here, signed); got != http.StatusSeeOther {
		t.Errorf("in order: %d", got)
	}
	if got := send(c, here, signed); got != http.StatusUnauthorized {
		t.Errorf("twice: %d", got)
	}
	c = b.browser()
	begun := b.signature(tab, c, here)
	if got := send(c, here, signed); got != http.StatusUnauthorized {
		t.Errorf("an answer to an earlier question: %d", got)
	}
	c = b.browser()
	b.signature(tab, c, here)
	if got := send(c, here, begun); got != http.StatusUnauthorized {
		t.Errorf("an answer to another's question: %d", got)
	}
	c = b.browser()
	if got := send(c, other.web.PublicURL, b.signature(tab, c, other.web.PublicURL)); got != http.StatusUnauthorized {
		t.Errorf("signed on a page of another origin: %d", got)
	}
	c = b.browser()
	late := b.signature(tab, c, here)
	b.later(ceremonyLife)
	if got := send(c, here, late); got != http.StatusUnauthorized {
		t.Errorf("late: %d", got)
	}
	b.later(failureWindow)
	c = b.browser()
	signed = b.signature(tab, c, here)
	for _, broken := range []string{"", "{}", "[]", signed[:len(signed)-2], strings.Replace(signed, `"public-key"`, `"other"`, 1)} {
		c := b.browser()
		b.signature(tab, c, here)
		if got := send(c, here, broken); got != http.StatusUnauthorized {
			t.Errorf("%.20q: %d", broken, got)
		}
	}
	b.later(failureWindow)
	users, err := b.reg.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.revoke(users[0])
	c = b.browser()
	if got := send(c, here, b.signature(tab, c, here)); got != http.StatusUnauthorized {
		t.Errorf("of a revoked user: %d", got)
	}
}

// Who came by link gets nothing but the page where a passkey is made, and no more
// after a quarter of an hour.
func TestUnfinishedSessions(t *testing.T) {
	b := newNamedBench(t, nil)
	c := b.browser()
	if resp := b.follow(c, b.link(registry.RoleAdmin)); resp.Header.Get("Location") != accountPath {
		t.Errorf("the link leads to %q", resp.Header.Get("Location"))
	}
	for _, ask := range []struct {
		method, path string
		header       []string
		want         int
	}{
		{"GET", "/", nil, http.StatusSeeOther},
		{"GET", "/admin", nil, http.StatusSeeOther},
		{"GET", "/nowhere", nil, http.StatusSeeOther},
		{"GET", "/", []string{"Accept", "application/json"}, http.StatusForbidden},
		{"POST", "/act", nil, http.StatusForbidden},
		{"POST", accountPath + "/passkeys/AAAA/remove", nil, http.StatusNotFound},
		{"GET", accountPath, nil, http.StatusOK},
	} {
		if resp, _ := b.ask(c, ask.method, ask.path, nil, ask.header...); resp.StatusCode != ask.want {
			t.Errorf("%s %s: %d", ask.method, ask.path, resp.StatusCode)
		}
	}
	begin := func() int {
		resp, _ := b.ask(c, "POST", accountPath+"/passkeys/begin", map[string][]string{"name": {"Chiave"}}, "Accept", "application/json")
		return resp.StatusCode
	}
	if got := begin(); got != http.StatusOK {
		t.Errorf("to begin a passkey: %d", got)
	}
	for name, want := range map[string]int{"": 422, "  ": 422, strings.Repeat("a", 61): 422, "a\nb": 422, "a\u202eb": 422, strings.Repeat("à", 60): 200} {
		if resp, _ := b.ask(c, "POST", accountPath+"/passkeys/begin", map[string][]string{"name": {name}}); resp.StatusCode != want {
			t.Errorf("a passkey called %q: %d", name, resp.StatusCode)
		}
	}
	if resp, body := b.ask(c, "POST", accountPath+"/passkeys", nil, "Accept", "application/json"); resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("no passkey: %d %s", resp.StatusCode, body)
	}
	b.later(freshFor)
	if got := begin(); got != http.StatusForbidden {
		t.Errorf("a quarter of an hour later: %d", got)
	}
	_, cred := b.user(registry.RoleOps)
	if resp, body := b.ask(b.browser(), "GET", accountPath, nil, "Authorization", "Bearer "+cred.Secret, "Accept",
		"application/json"); resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "browser") {
		t.Errorf("a program's account: %d %s", resp.StatusCode, body)
	}
}

// Sessions are listed to their owner, who ends them.
func TestOwnSessions(t *testing.T) {
	b := newBench(t)
	u, _ := b.user(registry.RoleOps)
	stranger, _ := b.user(registry.RoleAdmin)
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	desk, phone, theirs := b.browser(), b.browser(), b.browser()
	b.enter(phone, u)
	link, err := b.web.NewLink(t.Context(), "", u.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	b.ask(desk, "POST", "/login/link", mustParse(t, link).Query(), "User-Agent", firefox)
	b.enter(theirs, stranger)
	_, page := b.ask(desk, "GET", accountPath, nil)
	ends := strings.Count(page, `/end"`) - 1 // one is for all others
	if !strings.Contains(page, "Firefox, Linux") || !strings.Contains(page, "127.0.0.1") || ends != 1 {
		t.Errorf("%d can be ended: %s", ends, page)
	}
	all, err := b.reg.Sessions(t.Context(), stranger.ID, b.clock(), sessionIdle)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	b.ask(desk, "POST", accountPath+"/sessions/"+all[0].ID+"/end", nil)
	if !b.inside(theirs) {
		t.Error("ended somebody else's session")
	}
	_, address, _ := strings.Cut(page, `action="`+accountPath+"/sessions/")
	id, _, _ := strings.Cut(address, "/")
	if resp, _ := b.ask(desk, "POST", accountPath+"/sessions/"+id+"/end", nil); resp.StatusCode != http.StatusSeeOther || b.inside(phone) || !b.inside(desk) {
		t.Errorf("%d: the session that was ended goes on, or this one does not", resp.StatusCode)
	}
	b.enter(phone, u)
	if b.ask(desk, "POST", accountPath+"/sessions/end", nil); b.inside(phone) || !b.inside(desk) {
		t.Error("all others do not end, or this one does")
	}
	b.broken = io.ErrShortWrite
	if resp, _ := b.ask(desk, "POST", accountPath+"/sessions/end", nil); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without a trail: %d", resp.StatusCode)
	}
}

func TestBrowserNames(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                "Firefox, Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":         "Edge, Windows",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                          "Chrome, Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604": "Safari, iPhone",
		"curl/8.0": "", "": "", "Linux": "Linux",
	} {
		if got := browser(agent); got != want {
			t.Errorf("%q is %q", agent, got)
		}
	}
}

// An address in numbers has no passkeys; only this machine's own will do without.
func TestPasskeysNeedAName(t *testing.T) {
	b := newBench(t)
	for address, want := range map[string]struct{ starts, passkeys bool }{
		"https://ops.example": {true, true}, "http://localhost:8081": {true, true}, "http://ops.localhost:8081": {true, true},
		"http://127.0.0.1:8081": {true, false}, "https://192.0.2.1": {false, false}, "https://[2001:db8::1]": {false, false},
	} {
		o := b.options()
		o.PublicURL = address
		w, err := New(o)
		if (err == nil) != want.starts || err == nil && (w.party != nil) != want.passkeys {
			t.Errorf("%s: %v", address, err)
		}
	}
	if resp, body := b.ask(b.browser(), "POST", "/login/passkey/begin", nil, "Accept", "application/json"); resp.StatusCode != http.StatusConflict || !json.Valid([]byte(body)) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}
