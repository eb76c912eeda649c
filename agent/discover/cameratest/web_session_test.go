package cameratest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const (
	rightLogin = `[{"cmd":"login","param":{"user":"anagrafe","password":"SENTINEL-PASSWORD-1001"}}]`
	wrongLogin = `[{"cmd":"login","param":{"user":"anagrafe","password":"guess"}}]`
)

// TestWebSession: login, what it opens, logout.
func TestWebSession(t *testing.T) {
	d := start(t, loadRecorder(t, "provaweb-sessione"), Options{})
	var cookie http.Header
	for i, tc := range []struct {
		call         webCall
		status       int
		body         string
		opened, open int
	}{
		{webCall{method: "GET", target: "/api/name"}, 200, `"name":"Provaweb PW-4"`, 0, 0},
		{webCall{method: "GET", target: "/api/config?of=time"}, 401, "no session", 0, 0},
		{webCall{method: "GET", target: "/api/unknown"}, 401, "no session", 0, 0},
		{webCall{method: "POST", target: "/api/logout"}, 401, "no session", 0, 0},
		{webCall{method: "POST", target: "/api/login", body: wrongLogin}, 403, "wrong user", 0, 0},
		{webCall{method: "POST", target: "/api/login", body: rightLogin}, 200, `{"session":"`, 1, 1},
		{webCall{method: "GET", target: "/api/config?channel=1&of=schedule&x=y"}, 200, `"keep":6`, 1, 1},
		{webCall{method: "GET", target: "/api/config?channel=2&of=schedule"}, 200, `channels=4`, 1, 1},
		{webCall{method: "POST", target: "/api/search", body: `{"channel":1,"what":"oldest"}`}, 200, `<oldest`, 1, 1},
		{webCall{method: "POST", target: "/api/search", body: `{"channel":1}`}, 404, `unknown`, 1, 1},
		{webCall{method: "POST", target: "/api/logout"}, 204, ``, 1, 0},
		{webCall{method: "POST", target: "/api/logout"}, 401, `no session`, 1, 0},
		{webCall{method: "GET", target: "/api/config?of=time"}, 401, "no session", 1, 0},
	} {
		tc.call.header = cookie
		resp, body := visit(t, d, tc.call)
		if resp.StatusCode != tc.status || !strings.Contains(body, tc.body) {
			t.Errorf("%d: %s: HTTP %d %q", i, tc.call.target, resp.StatusCode, body)
		}
		if c := resp.Header.Get("Set-Cookie"); c != "" {
			value, _, _ := strings.Cut(c, ";")
			cookie = http.Header{"Cookie": {value}}
			if !strings.Contains(body, strings.TrimPrefix(value, "PWSESSION=")) {
				t.Errorf("the cookie is %q, the body %q", value, body)
			}
		}
		if opened, open := d.Sessions(); opened != tc.opened || open != tc.open {
			t.Errorf("%d: %d sessions, %d open", i, opened, open)
		}
	}
	if d.WrongAttempts() != 1 {
		t.Errorf("%d wrong attempts", d.WrongAttempts())
	}
	login := d.Requests()[4]
	if login.Scheme != "session" || login.User != "anagrafe" || !login.Refused || login.File != "login_wrong.json" {
		t.Errorf("noted %+v", login)
	}
	for _, i := range []int{1, 5, 6} {
		if r := d.Requests()[i]; r.Refused != (i == 1) || (r.Scheme == "session") != (i == 5) {
			t.Errorf("noted %+v", r)
		}
	}
}

// TestWebSessionLocked: after three wrong logins the right one is refused too;
// one right login before that makes good.
func TestWebSessionLocked(t *testing.T) {
	d := start(t, loadRecorder(t, "provaweb-sessione"), Options{})
	for i, tc := range []struct {
		body   string
		status int
	}{
		{wrongLogin, 403}, {"not JSON", 403}, {rightLogin, 200}, {wrongLogin, 403}, {`[]`, 403}, {`[{"param":{"user":"anagrafe","password":1}}]`, 403},
		{rightLogin, 423}, {wrongLogin, 423},
	} {
		if resp, body := visit(t, d, webCall{method: "POST", target: "/api/login", body: tc.body}); resp.StatusCode != tc.status || (tc.status == 423) != strings.Contains(body, "30 minutes") {
			t.Errorf("%d: HTTP %d %q", i, resp.StatusCode, body)
		}
	}
	if opened, _ := d.Sessions(); opened != 1 || d.WrongAttempts() != 7 {
		t.Errorf("%d sessions, %d wrong attempts", opened, d.WrongAttempts())
	}
	none := start(t, loadRecorder(t, "provaweb-sessione"), Options{Auth: AuthNone})
	if resp, _ := visit(t, none, webCall{method: "POST", target: "/api/login", body: wrongLogin}); resp.StatusCode != 200 {
		t.Errorf("where none is asked for, a login: HTTP %d", resp.StatusCode)
	}
	if _, _, asked := none.Credential(); asked {
		t.Error("it asks for a password")
	}
	if user, password, asked := d.Credential(); !asked || user != "anagrafe" || password != "SENTINEL-PASSWORD-1001" {
		t.Errorf("credential %q %q %v", user, password, asked)
	}
}

// TestWebSessionPlaces: where a password stands, and where a session is carried.
func TestWebSessionPlaces(t *testing.T) {
	for _, tc := range []struct {
		name, method, user, password, carried string
		login                                 webCall
		carry                                 func(session string) webCall
		logout                                string
	}{
		{"query and query", "GET", "query:account", "query:passwd", "query:_sid",
			webCall{"GET", "/login?account=u&passwd=p%26", "", nil},
			func(s string) webCall { return webCall{"GET", "/info?_sid=" + s, "", nil} }, `"path":"/logout"`},
		{"form and header", "POST", "form:user", "form:pass", "header:Authorization:Bearer ",
			webCall{"POST", "/login", "user=u&pass=p%26", nil},
			func(s string) webCall {
				return webCall{"GET", "/info", "", http.Header{"Authorization": {"Bearer " + s}}}
			}, `"method":"DELETE","path":"/login/{{.Session}}"`},
		{"json and header", "POST", "json:u", "json:in.1", "header:X-Token",
			webCall{"POST", "/login", `{"u":"u","in":["no","p&"]}`, nil},
			func(s string) webCall { return webCall{"GET", "/info", "", http.Header{"X-Token": {s}}} }, `"path":"/logout"`},
	} {
		d := start(t, loadFiles(t, map[string]string{
			"device.json": `{"user":"u","password":"p&"}`,
			"web.json": fmt.Sprintf(`{"challenge":"session","login":{"method":%q,"path":"/login","user":%q,"password":%q,"file":"login"},
				"session":%q,"logout":{%s},"answers":[{"path":"/info"}]}`, tc.method, tc.user, tc.password, tc.carried, tc.logout),
			"web/login": "{{.Session}}",
		}), Options{})
		resp, session := visit(t, d, tc.login)
		if resp.StatusCode != 200 || len(session) < 20 {
			t.Errorf("%s: login: HTTP %d %q", tc.name, resp.StatusCode, session)
			continue
		}
		for s, want := range map[string]int{session: 200, "": 401, session + "x": 401, "{{.Session}}": 401} {
			if resp, _ := visit(t, d, tc.carry(s)); resp.StatusCode != want {
				t.Errorf("%s: with %q: HTTP %d", tc.name, s, resp.StatusCode)
			}
		}
		bare := tc.carry(session)
		if auth := bare.header.Get("Authorization"); auth != "" { // the session without its prefix
			bare.header.Set("Authorization", strings.TrimPrefix(auth, "Bearer "))
			if resp, _ := visit(t, d, bare); resp.StatusCode != 401 {
				t.Errorf("%s: without Bearer: HTTP %d", tc.name, resp.StatusCode)
			}
		}
		out := tc.carry(session)
		out.target = strings.Replace(out.target, "/info", "/logout", 1)
		if strings.Contains(tc.logout, "DELETE") {
			out.method, out.target = "DELETE", "/login/other"
			if resp, _ := visit(t, d, out); resp.StatusCode != 404 {
				t.Errorf("%s: logout of another session: HTTP %d", tc.name, resp.StatusCode)
			}
			out.target = "/login/" + session
		}
		if resp, _ := visit(t, d, out); resp.StatusCode != 200 {
			t.Errorf("%s: logout: HTTP %d", tc.name, resp.StatusCode)
		}
		if opened, open := d.Sessions(); opened != 1 || open != 0 {
			t.Errorf("%s: %d sessions, %d open", tc.name, opened, open)
		}
		if resp, _ := visit(t, d, tc.carry(session)); resp.StatusCode != 401 {
			t.Errorf("%s: after logout: HTTP %d", tc.name, resp.StatusCode)
		}
		if d.WrongAttempts() != 0 { // a dead session is no wrong password
			t.Errorf("%s: %d wrong attempts", tc.name, d.WrongAttempts())
		}
	}
}
