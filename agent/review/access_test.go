package review

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Every route, as it would be called by somebody who has no right to.
var everyRoute = []string{"GET /", "GET /cameras", "GET /cameras/x", "POST /cameras/x", "GET /scan", "POST /scan", "GET /approve", "POST /approve",
	"POST /refuse", "POST /restore", "GET /withdraw", "POST /withdraw", "GET /contact", "POST /contact", "GET /credentials", "POST /credentials",
	"GET /enrol", "POST /enrol", "GET /outbox", "GET /notices", "GET /notices/x", "POST /notices/x", "GET /status", "POST /link", "GET /no-such",
	"GET /hours", "POST /hours", "GET /byhand", "POST /byhand"}

func TestWithoutASessionNothingIsShown(t *testing.T) {
	o := start(t)
	o.client.Jar.SetCookies(nil, []*http.Cookie{{Name: cookieName, Value: "made up"}})
	for _, route := range everyRoute {
		method, path, _ := strings.Cut(route, " ")
		if status, body, _ := o.send(t, method, path, ""); status != http.StatusUnauthorized || !strings.Contains(body, "anagrafe-agent open") {
			t.Errorf("%s: %d", route, status)
		}
		if status, body, _ := o.send(t, method, path, "", "Accept", "application/json"); status != http.StatusUnauthorized || !strings.Contains(body, `"hint"`) {
			t.Errorf("%s as JSON: %d %s", route, status, body)
		}
	}
	for _, path := range []string{"/privacy", "/accessibility"} {
		if status, _, _ := o.send(t, "GET", path, ""); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	if o.scans != 0 {
		t.Error("a search was started")
	}
}

// The command line's socket needs no session, and is the only one to give links.
func TestControl(t *testing.T) {
	o := start(t)
	server := httptest.NewServer(o.Control())
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/link", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Host = "localhost"
	resp, err := server.Client().Do(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v: %v", resp, err)
	}
	resp.Body.Close()
	o.signIn(t)
	if status, _, _ := o.send(t, "POST", "/link", "", "Accept", "application/json"); status == http.StatusOK {
		t.Error("a page can ask for further links")
	}
}

// The address of a link is one that the pages answer to.
func TestEveryListenerKnowsItsName(t *testing.T) {
	o := start(t)
	for addr, host := range map[string]string{"127.0.0.5:8480": "127.0.0.5:8480", "127.0.0.1:80": "127.0.0.1", "[::1]:80": "[::1]"} {
		o.Addr = addr
		for asked, want := range map[string]int{host: http.StatusOK, "rebound.example": http.StatusMisdirectedRequest} {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "http://"+asked+"/privacy", nil)
			w := httptest.NewRecorder()
			o.Pages().ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s, asked as %s: %d, want %d", addr, asked, w.Code, want)
			}
		}
	}
}

func TestALinkOpensOnce(t *testing.T) {
	o := start(t)
	clock := time.Now()
	o.sessions.now = func() time.Time { return clock }
	link, err := url.Parse(o.NewLink())
	if err != nil {
		t.Fatal(err)
	}
	token := link.Query().Get("token")
	for range 3 { // mail programs look first
		status, body, h := o.send(t, "GET", link.RequestURI(), "")
		if status != http.StatusOK || !strings.Contains(body, `method="post" action="/open"`) || h.Get("Set-Cookie") != "" {
			t.Fatalf("GET gives %d %q", status, h.Get("Set-Cookie"))
		}
	}
	status, _, h := o.send(t, "POST", "/open", "token="+token)
	cookie := h.Get("Set-Cookie")
	if status != http.StatusSeeOther || !strings.HasPrefix(cookie, "anagrafe_agent=") || !strings.Contains(cookie, "HttpOnly") ||
		!strings.Contains(cookie, "SameSite=Strict") || strings.Contains(cookie, token) {
		t.Fatalf("POST gives %d, cookie %q", status, cookie)
	}
	if status, _, _ := o.send(t, "GET", "/", ""); status != http.StatusOK {
		t.Errorf("with the session: %d", status)
	}
	if status, _, _ := o.send(t, "POST", "/open", "token="+token); status != http.StatusUnauthorized {
		t.Errorf("a second time: %d", status)
	}
	clock = clock.Add(sessionLife + time.Second)
	if status, _, _ := o.send(t, "GET", "/", ""); status != http.StatusUnauthorized {
		t.Errorf("after its life the session gives %d", status)
	}
	old, err := url.Parse(o.NewLink())
	if err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(linkLife + time.Second)
	if status, _, _ := o.send(t, "GET", old.RequestURI(), ""); status != http.StatusUnauthorized {
		t.Errorf("an expired link: %d", status)
	}
	if status, _, _ := o.send(t, "POST", "/open", old.RawQuery); status != http.StatusUnauthorized {
		t.Errorf("an expired link, used: %d", status)
	}
	for range 10 * maxOpen {
		o.NewLink()
	}
	if n := len(o.sessions.links); n > maxOpen {
		t.Errorf("%d links are kept", n)
	}
}

func TestForeignNamesAndOriginsAreRefused(t *testing.T) {
	o := start(t)
	o.signIn(t)
	_, port, err := net.SplitHostPort(o.Addr)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"127.0.0.1:" + port: http.StatusOK, "localhost:" + port: http.StatusOK, "[::1]:" + port: http.StatusOK,
		"attaccante.example:" + port: http.StatusMisdirectedRequest, "attaccante.example": http.StatusMisdirectedRequest,
		"127.0.0.1": http.StatusMisdirectedRequest, "127.0.0.1:1": http.StatusMisdirectedRequest, "127.0.0.1.attaccante.example:" + port: http.StatusMisdirectedRequest,
	} {
		for _, path := range []string{"/", "/privacy"} {
			if status, _, _ := o.send(t, "GET", path, "", "Host", host); status != want {
				t.Errorf("Host %s, %s: %d, want %d", host, path, status, want)
			}
		}
	}
	for _, tc := range []struct {
		header []string
		want   int
	}{
		{[]string{"Origin", "http://attaccante.example"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden}, // another port of this computer
		{[]string{"Origin", "http://127.0.0.1:1"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "same-origin"}, http.StatusSeeOther},
		{[]string{"Origin", "http://" + o.Addr}, http.StatusSeeOther},
	} {
		if status, _, _ := o.send(t, "POST", "/contact", "name=Anna&phone=112", tc.header...); status != tc.want {
			t.Errorf("%v: %d, want %d", tc.header, status, tc.want)
		}
		if tc.want == http.StatusForbidden {
			if contacts := o.known(t).Contacts[""]; len(contacts) > 0 {
				t.Fatalf("%v changed something: %v", tc.header, contacts)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	o := start(t)
	o.signIn(t)
	for _, accept := range []string{"text/html", "application/json"} {
		_, _, h := o.send(t, "GET", "/", "", "Accept", accept)
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", accept, csp)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", accept, h)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	o := start(t)
	o.signIn(t)
	big := strings.Repeat("x", maxBody+1)
	if status, _, _ := o.send(t, "POST", "/contact", "name="+big); status != http.StatusRequestEntityTooLarge {
		t.Errorf("form: %d", status)
	}
	if status, _, _ := o.send(t, "POST", "/contact", `{"name":"`+big+`"}`, "Content-Type", "application/json", "Accept", "application/json"); status != http.StatusRequestEntityTooLarge {
		t.Errorf("JSON: %d", status)
	}
	if status, _, _ := o.send(t, "POST", "/open", "token="+big); status != http.StatusUnauthorized {
		t.Errorf("open: %d", status)
	}
}
