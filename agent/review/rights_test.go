package review

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// signInAs opens a session of a role in the browser.
func (o *owner) signInAs(t *testing.T, to role) {
	t.Helper()
	secret := o.sessions.newLink(to, linkLife)
	if status, _, _ := o.send(t, "POST", "/open", "token="+url.QueryEscape(secret)); status != http.StatusSeeOther {
		t.Fatalf("the link gives %d", status)
	}
}

// A technician reads recorders and types what they tell; nothing that speaks for
// the owner opens, and a route that nobody has thought of is closed.
func TestATechnicianDoesNotSpeakForTheOwner(t *testing.T) {
	o := start(t)
	o.signInAs(t, roleTechnician)
	for _, route := range []string{"GET /", "GET /enrol", "POST /enrol", "GET /status", "GET /save", "GET /credentials", "POST /credentials",
		"GET /hours", "POST /hours", "GET /byhand", "POST /byhand"} {
		method, path, _ := strings.Cut(route, " ")
		if status, _, _ := o.send(t, method, path, ""); status == http.StatusForbidden {
			t.Errorf("%s is closed to a technician", route)
		}
	}
	for _, route := range []string{"GET /approve", "POST /approve", "POST /refuse", "POST /restore", "GET /withdraw", "POST /withdraw", "GET /notices",
		"GET /notices/x", "POST /notices/x", "GET /outbox", "GET /contact", "POST /contact", "GET /advice", "POST /advice", "GET /keep", "GET /takeover",
		"POST /takeover", "POST /cameras/x", "GET /bulk", "POST /bulk/rule", "GET /sign", "GET /information", "GET /no-such"} {
		method, path, _ := strings.Cut(route, " ")
		status, body, _ := o.send(t, method, path, "")
		if status != http.StatusForbidden && path != "/no-such" || path == "/no-such" && status != http.StatusNotFound {
			t.Errorf("%s: %d", route, status)
		}
		if status == http.StatusForbidden && !strings.Contains(body, "proprietario") {
			t.Errorf("%s says nothing of who may", route)
		}
	}
}

// The person of a session, and no other, typed a password.
func TestWhoTypedIsOneSession(t *testing.T) {
	var none *session
	none.didType("a")
	one, other := &session{}, &session{}
	one.didType("a")
	for _, tc := range []struct {
		s    *session
		id   string
		want bool
	}{{none, "a", false}, {one, "a", true}, {one, "b", false}, {other, "a", false}} {
		if tc.s.typed(tc.id) != tc.want {
			t.Errorf("typed(%q) is %t", tc.id, !tc.want)
		}
	}
}
