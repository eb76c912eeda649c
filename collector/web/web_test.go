package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/protocol/pages"
)

// bench is a listener of the operators over a real register and real TLS.
type bench struct {
	t      *testing.T
	reg    *registry.Registry
	web    *Web
	server *httptest.Server

	mu     sync.Mutex
	now    time.Time
	acts   []Act
	broken error // the trail cannot be written
}

func logger(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// page is the face of these tests: one address for each role, and one open.
func page(roles ...string) []Route {
	say := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		u, _ := User(r.Context())
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.Contains(r.Header.Get("Accept"), "text/html") { // or a browser asks for an icon
			_, _ = io.WriteString(rw, `<!doctype html><link rel="icon" href="data:,">`)
		}
		_, _ = io.WriteString(rw, "hello "+u.Name)
	})
	return []Route{
		{Pattern: "GET /{$}", Roles: roles, Handler: say},
		{Pattern: "GET /admin", Roles: roles[len(roles)-1:], Handler: say},
		{Pattern: "GET /news", Roles: roles, ByPage: true, Handler: say},
		{Pattern: "POST /act", Roles: roles, Handler: say},
	}
}

// options are what the listener was made of.
func (b *bench) options() Options {
	o := b.web.Options
	o.Secret = b.web.secret
	return o
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return benchWith(t, httptest.NewTLSServer, func(*Options) {})
}

// newNamedBench has a host name, and so passkeys. Browsers take http://localhost for
// secure; change, if not nil, changes the listener's options.
func newNamedBench(t *testing.T, change func(*Options)) *bench {
	t.Helper()
	return benchWith(t, httptest.NewServer, func(o *Options) {
		o.PublicURL = strings.Replace(o.PublicURL, "127.0.0.1", "localhost", 1)
		if change != nil {
			change(o)
		}
	})
}

func benchWith(t *testing.T, serve func(http.Handler) *httptest.Server, change func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)}
	b.reg = registrytest.Open(t, registrytest.Options(t.TempDir(), logger(t)))
	roles := []string{registry.RoleOps, registry.RoleAdmin}
	var handler http.Handler
	b.server = serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	t.Cleanup(b.server.Close)
	o := Options{Registry: b.reg, Face: pages.FaceOps, Roles: roles, PublicURL: b.server.URL,
		Secret: []byte(strings.Repeat("s", 32)), Record: b.record, Log: logger(t), Now: b.clock}
	change(&o)
	var err error
	if b.web, err = New(o); err != nil {
		t.Fatal(err)
	}
	b.server.URL = b.web.PublicURL
	face := asking(b.web) // of the public listener
	if len(b.web.Roles) > 0 {
		face = page(b.web.Roles...)
	}
	if handler, err = b.web.Handler(face); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) later(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *bench) record(_ context.Context, a Act) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return b.broken
	}
	b.acts = append(b.acts, a)
	return nil
}

func (b *bench) kinds() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, a := range b.acts {
		all = append(all, string(a.Kind)+" "+a.User.Name)
	}
	return strings.Join(all, ", ")
}

// user adds a user and gives their credential.
func (b *bench) user(role string) (registry.User, Credential) {
	b.t.Helper()
	secret, hash := b.web.NewSecret()
	u := registry.User{ID: uuid.NewString(), Name: "the " + role, Role: role, SecretHash: hash, At: b.clock()}
	if role == registry.RoleOfficer {
		u.Force = "Questura"
		if err := b.reg.AddForce(b.t.Context(), u.Force, "age1"); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.reg.AddUser(b.t.Context(), u); err != nil {
		b.t.Fatal(err)
	}
	return u, Credential{Server: b.server.URL, User: u.ID, Secret: secret}
}

// browser is a client with a cookie jar that does not follow redirects.
func (b *bench) browser() *http.Client {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	c := *b.server.Client()
	c.Jar = jar
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// ask makes one request; header is pairs.
func (b *bench) ask(c *http.Client, method, path string, form url.Values, header ...string) (*http.Response, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, string(body)
}

// inside tells whether a browser has a session.
func (b *bench) inside(c *http.Client) bool {
	b.t.Helper()
	resp, body := b.ask(c, "GET", "/", nil)
	return resp.StatusCode == http.StatusOK && strings.HasPrefix(body, "hello ")
}

func TestEveryRouteHasARule(t *testing.T) {
	b := newBench(t)
	routes, err := b.web.Routes(page(registry.RoleOps))
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	for _, r := range append(routes, Route{Pattern: "GET /nowhere"}, Route{Pattern: "POST /nowhere"}, Route{Pattern: "DELETE /act"}) {
		method, path, ok := strings.Cut(r.Pattern, " ")
		if !ok {
			method, path = "GET", r.Pattern
		}
		if r.Open {
			open++
			continue
		}
		resp, _ := b.ask(b.browser(), method, strings.TrimSuffix(path, "{$}"), nil)
		login := resp.StatusCode == http.StatusSeeOther && strings.HasPrefix(resp.Header.Get("Location"), "/login")
		if !login && resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a session answers %d", r.Pattern, resp.StatusCode)
		}
	}
	if open != 10 { // a new open route is to be thought about, and counted here
		t.Errorf("%d routes are open", open)
	}
	ok := http.NotFoundHandler()
	for name, r := range map[string]Route{
		"without a rule":        {Pattern: "GET /x", Handler: ok},
		"with two rules":        {Pattern: "GET /x", Handler: ok, Open: true, Roles: []string{registry.RoleOps}},
		"without a handler":     {Pattern: "GET /x", Open: true},
		"over one of ours":      {Pattern: "POST /login/link", Handler: ok, Open: true},
		"for a role not let in": {Pattern: "GET /x", Handler: ok, Roles: []string{registry.RoleOfficer}},
		"malformed":             {Pattern: "GET x y", Handler: ok, Open: true},
	} {
		if _, err := b.web.Handler([]Route{r}); err == nil {
			t.Errorf("a route %s is served", name)
		}
	}
}

func TestCookie(t *testing.T) {
	b := newBench(t)
	resp := b.follow(b.browser(), b.link(registry.RoleOps))
	c := resp.Cookies()
	if len(c) != 1 {
		t.Fatalf("%d cookies", len(c))
	}
	if c[0].Name != "__Host-anagrafe" || !c[0].Secure || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode ||
		c[0].Path != "/" || c[0].Domain != "" || c[0].MaxAge != int(sessionLife/time.Second) || len(c[0].Value) != 43 {
		t.Errorf("cookie %+v", c[0])
	}
}

func TestCrossOriginPostsAreRefused(t *testing.T) {
	b := newBench(t)
	c := b.browser()
	b.follow(c, b.link(registry.RoleOps))
	for name, test := range map[string]struct {
		header []string
		status int
	}{
		"own page":                  {[]string{"Sec-Fetch-Site", "same-origin", "Origin", b.server.URL}, http.StatusOK},
		"no browser":                {nil, http.StatusOK},
		"another site":              {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, http.StatusForbidden},
		"another host of the site":  {[]string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		"another site, old browser": {[]string{"Origin", "https://evil.example"}, http.StatusForbidden},
	} {
		if resp, body := b.ask(c, "POST", "/act", nil, test.header...); resp.StatusCode != test.status {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
	if resp, _ := b.ask(b.browser(), "POST", "/login/link", url.Values{}, "Sec-Fetch-Site", "cross-site"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a login sent by another site: %d", resp.StatusCode)
	}
}

func TestHeadersAndHost(t *testing.T) {
	b := newBench(t)
	resp, _ := b.ask(b.browser(), "GET", "/login", nil)
	for name, want := range map[string]string{
		"Content-Security-Policy":   pages.Policy,
		"X-Content-Type-Options":    "nosniff",
		"Cache-Control":             "no-store",
		"Strict-Transport-Security": "max-age=31536000",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for host, want := range map[string]int{
		"evil.example:8081": http.StatusMisdirectedRequest,
		"localhost:8081":    http.StatusOK,
		"[::1]:8081":        http.StatusOK,
	} {
		if resp, _ := b.ask(b.browser(), "GET", "/login", nil, "Host", host); resp.StatusCode != want {
			t.Errorf("host %s: %d", host, resp.StatusCode)
		}
	}
}

func TestAfterLogin(t *testing.T) {
	b := newBench(t)
	u, _ := b.user(registry.RoleAdmin)
	for next, want := range map[string]string{
		"": "/", "/admin": "/admin", "/admin?q=1": "/admin", "//evil.example/": "/", "https://evil.example/": "/",
		"/\\evil.example": "/", "/login": "/", "javascript:alert(1)": "/", "/%0d%0ax": "/",
	} {
		link, err := b.web.NewLink(t.Context(), "", u.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		token := mustParse(t, link).Query()["token"]
		resp, _ := b.ask(b.browser(), "POST", "/login/link", url.Values{"token": token, "next": {next}})
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("next %q leads to %q", next, got)
		}
	}
	b.web.Home = map[string]string{registry.RoleAdmin: "/admin"}
	c := b.browser()
	if resp := b.enter(c, u); resp.Header.Get("Location") != "/admin" {
		t.Errorf("a role with a beginning of its own is led to %q", resp.Header.Get("Location"))
	}
	onlyOps, err := b.web.Handler([]Route{{Pattern: "GET /{$}", Roles: []string{registry.RoleOps}, Handler: http.NotFoundHandler()}})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", b.server.URL+"/", nil)
	r.AddCookie(c.Jar.Cookies(mustParse(t, b.server.URL))[0])
	rw := httptest.NewRecorder()
	onlyOps.ServeHTTP(rw, r)
	if rw.Code != http.StatusSeeOther || rw.Header().Get("Location") != "/admin" {
		t.Errorf("/ of another role: %d to %q", rw.Code, rw.Header().Get("Location"))
	}
	resp, _ := b.ask(b.browser(), "GET", "/admin?reason=secret", nil)
	if got := resp.Header.Get("Location"); got != "/login?next=%2Fadmin" {
		t.Errorf("sent to %q", got)
	}
	for path, method := range map[string]string{"/news": "GET", "/act": "POST"} { // a part of a page leads back to the page
		resp, _ = b.ask(b.browser(), method, path, nil, "HX-Request", "true", "HX-Current-URL", b.server.URL+"/admin?reason=secret")
		if got := resp.Header.Get("HX-Redirect"); got != "/login?next=%2Fadmin" {
			t.Errorf("%s: sent to %q", path, got)
		}
	}
}
