package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"anagrafe/collector/registry"
)

// It is long because it is one table.
func TestLoginMatrix(t *testing.T) {
	for name, c := range map[string]struct {
		enter  func(b *bench, c *http.Client) *http.Response
		status int
		inside bool
		acts   string
	}{
		"link": {func(b *bench, c *http.Client) *http.Response {
			return b.follow(c, b.link(registry.RoleAdmin))
		}, http.StatusSeeOther, true, "login the admin"},
		"no session": {func(b *bench, c *http.Client) *http.Response {
			resp, _ := b.ask(c, "GET", "/", nil)
			return resp
		}, http.StatusSeeOther, false, ""},
		"no session, a program asks": {func(b *bench, c *http.Client) *http.Response {
			resp, _ := b.ask(c, "GET", "/", nil, "Accept", "application/json")
			return resp
		}, http.StatusUnauthorized, false, ""},
		"made-up cookie": {func(b *bench, c *http.Client) *http.Response {
			resp, _ := b.ask(c, "GET", "/", nil, "Cookie", cookieName+"=guess")
			return resp
		}, http.StatusSeeOther, false, ""},
		"session of the other listener": {func(b *bench, c *http.Client) *http.Response {
			officer, _ := b.user(registry.RoleOfficer)
			if err := b.reg.AddSession(b.t.Context(), b.web.hash("session", "theirs"), registry.Session{ID: "theirs", UserID: officer.ID,
				Face: "ops", At: b.clock(), Until: b.clock().Add(time.Hour)}); err != nil {
				b.t.Fatal(err)
			}
			resp, _ := b.ask(c, "GET", "/", nil, "Cookie", cookieName+"=theirs")
			return resp
		}, http.StatusSeeOther, false, ""},
		"credential file": {func(b *bench, c *http.Client) *http.Response { // for programs alone
			_, cred := b.user(registry.RoleOps)
			resp, _ := b.ask(c, "POST", "/login", url.Values{"credential": {`{"server":"` + cred.Server + `","user":"` + cred.User + `","secret":"` + cred.Secret + `"}`}})
			return resp
		}, http.StatusUnauthorized, false, ""},
		"expired link": {func(b *bench, c *http.Client) *http.Response {
			link := b.link(registry.RoleAdmin)
			b.later(time.Hour + time.Second)
			return b.follow(c, link)
		}, http.StatusUnauthorized, false, ""},
		"used link": {func(b *bench, c *http.Client) *http.Response {
			link := b.link(registry.RoleAdmin)
			b.follow(b.browser(), link)
			return b.follow(c, link)
		}, http.StatusUnauthorized, false, "login the admin"},
		"made-up link": {func(b *bench, c *http.Client) *http.Response {
			return b.follow(c, b.server.URL+"/login/link?token=guess")
		}, http.StatusUnauthorized, false, ""},
		"role of the other listener": {func(b *bench, c *http.Client) *http.Response {
			return b.follow(c, b.link(registry.RoleOfficer))
		}, http.StatusForbidden, false, "login-refused the officer"},
		"revoked, by link": {func(b *bench, c *http.Client) *http.Response {
			u, _ := b.user(registry.RoleOps)
			link, err := b.web.NewLink(b.t.Context(), b.server.URL, u.ID, time.Hour)
			if err != nil {
				b.t.Fatal(err)
			}
			b.revoke(u)
			return b.follow(c, link)
		}, http.StatusUnauthorized, false, ""},
		"trail broken": {func(b *bench, c *http.Client) *http.Response {
			link := b.link(registry.RoleOps)
			b.broken = errors.New("disk full")
			return b.follow(c, link)
		}, http.StatusServiceUnavailable, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			browser := b.browser()
			resp := c.enter(b, browser)
			if resp.StatusCode != c.status {
				t.Errorf("answered %d, want %d", resp.StatusCode, c.status)
			}
			if got := b.inside(browser); got != c.inside {
				t.Errorf("inside: %v", got)
			}
			if got := b.kinds(); got != c.acts {
				t.Errorf("on the trail: %q, want %q", got, c.acts)
			}
		})
	}
}

// link makes a link for a new user.
func (b *bench) link(role string) string {
	b.t.Helper()
	u, _ := b.user(role)
	link, err := b.web.NewLink(b.t.Context(), b.server.URL, u.ID, time.Hour)
	if err != nil {
		b.t.Fatal(err)
	}
	return link
}

// enter signs a user in by a link of their own.
func (b *bench) enter(c *http.Client, u registry.User) *http.Response {
	b.t.Helper()
	link, err := b.web.NewLink(b.t.Context(), b.server.URL, u.ID, time.Hour)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.follow(c, link)
}

// follow presses the button of a link's page.
func (b *bench) follow(c *http.Client, link string) *http.Response {
	b.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, _ := b.ask(c, "POST", "/login/link", url.Values{"token": u.Query()["token"]})
	return resp
}

func (b *bench) revoke(u registry.User) {
	b.t.Helper()
	if err := b.reg.RevokeUser(b.t.Context(), u.ID, b.clock()); err != nil {
		b.t.Fatal(err)
	}
}

func TestOpeningALinkDoesNotUseItUp(t *testing.T) {
	b := newBench(t)
	link := b.link(registry.RoleAdmin)
	path := strings.TrimPrefix(link, b.server.URL)
	for _, method := range []string{"GET", "HEAD", "GET"} {
		if resp, body := b.ask(b.browser(), method, path, nil); resp.StatusCode != http.StatusOK || method == "GET" && !strings.Contains(body, `method="post" action="/login/link"`) {
			t.Fatalf("%s answered %d %s", method, resp.StatusCode, body)
		}
	}
	c := b.browser()
	b.follow(c, link)
	if !b.inside(c) {
		t.Error("the link was used up by looking at it")
	}
}

func TestSessionsEnd(t *testing.T) {
	for name, end := range map[string]func(b *bench, c *http.Client, u registry.User){
		"logout": func(b *bench, c *http.Client, _ registry.User) {
			if resp, _ := b.ask(c, "POST", "/logout", nil); resp.StatusCode != http.StatusSeeOther {
				b.t.Errorf("logout answered %d", resp.StatusCode)
			}
		},
		"a shift later": func(b *bench, c *http.Client, _ registry.User) {
			for range sessionLife / (sessionIdle - time.Minute) { // at work all the time
				b.later(sessionIdle - time.Minute)
				b.inside(c)
			}
			b.later(sessionIdle - time.Minute)
		},
		"a desk left, with a page that asks by itself": func(b *bench, c *http.Client, _ registry.User) {
			for range sessionIdle / (10 * time.Minute) {
				b.later(10 * time.Minute)
				b.ask(c, "GET", "/news", nil)
			}
		},
		"a desk left": func(b *bench, _ *http.Client, _ registry.User) { b.later(sessionIdle) },
		"signed in anew": func(b *bench, c *http.Client, u registry.User) {
			old := b.browser()
			old.Jar.SetCookies(mustParse(b.t, b.server.URL), c.Jar.Cookies(mustParse(b.t, b.server.URL)))
			b.enter(c, u)
			if !b.inside(c) {
				b.t.Error("not signed in anew")
			}
			c.Jar.SetCookies(mustParse(b.t, b.server.URL), old.Jar.Cookies(mustParse(b.t, b.server.URL)))
		},
		"ended by an administrator": func(b *bench, _ *http.Client, u registry.User) {
			if n, err := b.reg.EndSessions(b.t.Context(), u.ID, ""); n != 1 || err != nil {
				b.t.Error(n, err)
			}
		},
		"revoked": func(b *bench, _ *http.Client, u registry.User) { b.revoke(u) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.browser()
			u, _ := b.user(registry.RoleOps)
			b.enter(c, u)
			if !b.inside(c) {
				t.Fatal("not signed in")
			}
			cookies := c.Jar.Cookies(mustParse(t, b.server.URL))
			end(b, c, u)
			thief := b.browser()
			thief.Jar.SetCookies(mustParse(t, b.server.URL), cookies)
			if b.inside(c) || b.inside(thief) {
				t.Error("the session goes on")
			}
		})
	}
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestBearer(t *testing.T) {
	b := newBench(t)
	_, ops := b.user(registry.RoleOps)
	_, officer := b.user(registry.RoleOfficer)
	gone, revoked := b.user(registry.RoleAdmin)
	b.revoke(gone)
	for name, c := range map[string]struct {
		header string
		status int
	}{
		"right":             {"Bearer " + ops.Secret, http.StatusOK},
		"lower case":        {"bearer " + ops.Secret, http.StatusOK},
		"wrong":             {"Bearer " + strings.Repeat("A", 43), http.StatusUnauthorized},
		"empty":             {"Bearer ", http.StatusUnauthorized},
		"other scheme":      {"Basic " + ops.Secret, http.StatusUnauthorized},
		"other listener's":  {"Bearer " + officer.Secret, http.StatusUnauthorized},
		"of a revoked user": {"Bearer " + revoked.Secret, http.StatusUnauthorized},
	} {
		resp, body := b.ask(b.browser(), "GET", "/", nil, "Authorization", c.header, "Accept", "application/json")
		if resp.StatusCode != c.status {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
		if c.status == http.StatusUnauthorized {
			var p Problem
			if err := json.Unmarshal([]byte(body), &p); err != nil || p.Error == "" || p.Hint == "" || resp.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %s", name, body)
			}
		}
	}
	if resp, _ := b.ask(b.browser(), "GET", "/admin", nil, "Authorization", "Bearer "+ops.Secret); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a role that the route does not name: %d", resp.StatusCode)
	}
}

func TestFailedLoginsAreSlowedDown(t *testing.T) {
	b := newBench(t)
	u, _ := b.user(registry.RoleOps)
	for range maxFailures {
		if resp := b.follow(b.browser(), b.server.URL+"/login/link?token=guess"); resp.StatusCode != http.StatusUnauthorized {
			t.Fatalf("answered %d", resp.StatusCode)
		}
	}
	post := func(path string) func() *http.Response {
		return func() *http.Response {
			resp, _ := b.ask(b.browser(), "POST", path, url.Values{})
			return resp
		}
	}
	for name, try := range map[string]func() *http.Response{
		"link":              func() *http.Response { return b.enter(b.browser(), u) },
		"passkey":           post("/login/passkey"),
		"passkey, to begin": post("/login/passkey/begin"),
	} {
		if resp := try(); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	b.later(failureWindow)
	if resp := b.enter(b.browser(), u); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a minute later: %d", resp.StatusCode)
	}
}

// A program that tries a wrong credential again and again is told to wait; nobody else
// at its address is, neither people who sign in nor programs whose credential is good.
func TestAForgottenProgramHoldsNobodyUp(t *testing.T) {
	b := newBench(t)
	u, cred := b.user(registry.RoleOps)
	program := func(secret string) *http.Response {
		resp, _ := b.ask(b.browser(), "GET", "/", nil, "Authorization", "Bearer "+secret)
		return resp
	}
	for range maxFailures {
		if resp := program("revoked"); resp.StatusCode != http.StatusUnauthorized {
			t.Fatalf("answered %d", resp.StatusCode)
		}
	}
	if resp := program("revoked"); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("once more: %d", resp.StatusCode)
	}
	if resp := program(cred.Secret); resp.StatusCode != http.StatusOK {
		t.Errorf("a good credential: %d", resp.StatusCode)
	}
	if resp, _ := b.ask(b.browser(), "POST", "/login/passkey/begin", url.Values{}); resp.StatusCode == http.StatusTooManyRequests {
		t.Errorf("a passkey, to begin: %d", resp.StatusCode)
	}
	if resp := b.enter(b.browser(), u); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a link: %d", resp.StatusCode)
	}
}

// The holder of an IPv6 /48, who is as 256 callers, shuts nobody else out.
func TestStrangersWithCodesShutNobodyOut(t *testing.T) {
	l := NewCodes(func() time.Time { return time.Time{}.Add(time.Hour) })
	for i := range 256 * maxCodes {
		l.Try(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 6: byte(i)}).String())
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/site", nil)
	r.RemoteAddr = "192.0.2.1:5"
	if _, ok := l.Guess(httptest.NewRecorder(), r); !ok {
		t.Error("an owner has to wait for them")
	}
	r.RemoteAddr = "[2001:db8:0:300::1]:5"
	if _, ok := l.Guess(httptest.NewRecorder(), r); ok {
		t.Error("one of them may go on")
	}
}

// Tries side by side slip through no more than tries one by one, and of those that
// are right none is held back.
func TestLoginsSideBySide(t *testing.T) {
	b := newBench(t)
	const tries = 10 * maxFailures
	side := func(ask func() int) (got map[int]int) {
		got = map[int]int{}
		var mu sync.Mutex
		var g sync.WaitGroup
		for range tries {
			g.Go(func() {
				status := ask()
				mu.Lock()
				defer mu.Unlock()
				got[status]++
			})
		}
		g.Wait()
		return got
	}
	if got := side(func() int {
		rec := httptest.NewRecorder()
		end, ok := b.web.limit.Guess(rec, httptest.NewRequestWithContext(t.Context(), "POST", "/login/link", nil))
		if !ok {
			return http.StatusTooManyRequests
		}
		defer end()
		runtime.Gosched() // while others begin
		return rec.Code
	}); got[http.StatusOK] != tries {
		t.Errorf("right ones were answered %v", got)
	}
	m := &meeting{all: make(chan struct{})}
	if got := side(func() int {
		rec, req := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/login/link", m)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		b.web.link(rec, req)
		return rec.Code
	}); got[http.StatusUnauthorized] != maxFailures || got[http.StatusTooManyRequests] != tries-maxFailures {
		t.Errorf("wrong ones were answered %v", got)
	}
}

// meeting is a body that ends once as many read it as may try.
type meeting struct {
	here atomic.Int32
	all  chan struct{}
}

func (m *meeting) Read([]byte) (int, error) {
	if m.here.Add(1) == maxFailures {
		close(m.all)
	}
	<-m.all
	return 0, io.EOF
}

// Beyond so many addresses all others have one budget together: memory is bounded,
// and nobody who comes late tries without end. Who was counted before keeps their own.
func TestLimitIsBounded(t *testing.T) {
	l := NewLimit(func() time.Time { return time.Time{}.Add(time.Hour) }, maxFailures, 0, failureWindow)
	for i := range maxAddresses + maxFailures - 1 {
		l.Try(netipFrom(i))
	}
	if l.exceeded("2001:db8::1") {
		t.Error("the others wait before their budget is used")
	}
	l.Try("2001:db8::1")
	if !l.exceeded("2001:db8::1") || !l.exceeded("192.0.2.1") {
		t.Error("an address beyond the bound is never made to wait")
	}
	if l.exceeded(netipFrom(0)) {
		t.Error("an address that was counted before waits for the others")
	}
	if len(l.counts) > maxAddresses+1 {
		t.Errorf("%d addresses remembered", len(l.counts))
	}
}

func TestLimitOfIPv6(t *testing.T) {
	l := NewLimit(func() time.Time { return time.Time{}.Add(time.Hour) }, maxFailures, 0, failureWindow)
	for i := range maxFailures {
		l.Try("2001:db8:0:" + strconv.Itoa(i) + "::1")
	}
	if !l.exceeded("2001:db8:0:ff::1") || l.exceeded("2001:db8:0:100::1") {
		t.Error("an IPv6 attacker is not held by their /56")
	}
}

func netipFrom(i int) string {
	return "10." + strings.Join([]string{strconv.Itoa(i >> 16 & 255), strconv.Itoa(i >> 8 & 255), strconv.Itoa(i & 255)}, ".")
}
