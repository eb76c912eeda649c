package review

import (
	"context"
	"errors"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
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
	// A code that takes the site from the owner's other computers.
	if status, body, _ := o.send(t, "POST", "/enrol", `{"code":"AAAA","replace":true}`, "Content-Type", "application/json", "Accept", "application/json"); status != http.StatusForbidden {
		t.Errorf("a technician replaces the owner's computers: %d %s", status, body)
	}
}

// The person of a session, and no other, typed a password.
func TestWhoTypedIsOneSession(t *testing.T) {
	var none *session
	none.notePassword("a")
	one, other := &session{}, &session{}
	one.notePassword("a")
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

// Every line of the technician's rights is a route: one that was renamed would
// silently be closed, and its name lie open for another.
func TestEveryRightIsARoute(t *testing.T) {
	mux := start(t).routes()
	for pattern := range forTechnician {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{$}", "", "{id}", "x", "{z}", "1", "{x}", "1", "{y}", "1").Replace(path)
		r, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := mux.Handler(r); got != pattern {
			t.Errorf("%s leads to %q", pattern, got)
		}
	}
}

// What a technician is shown has neither pictures nor the owner's contacts, on all
// the pages that open to one, and leads to none that does not.
func TestWhatATechnicianIsShown(t *testing.T) {
	o := start(t)
	o.found = append(o.found, locked())
	<-o.Review.start()
	o.Picture = func(context.Context, string, string) ([]byte, error) {
		t.Error("a picture was asked for")
		return nil, errors.New("none")
	}
	if err := o.Inventory.SetContact(t.Context(), "", protocol.Contact{Name: "Anna Segreta", Role: protocol.RoleOwner, Phone: "+39 02 5550 0199"}); err != nil {
		t.Fatal(err)
	}
	cameras := o.known(t).Cameras
	id, device := cameras[0].ID, cameras[0].Device.ID
	if err := o.Inventory.Set(t.Context(), id, inventory.Edit{Outdoor: new(true), Lon: new(9.19), Lat: new(45.46)}); err != nil {
		t.Fatal(err)
	}
	o.signInAs(t, roleTechnician)
	links := regexp.MustCompile(`(?:href|action)="(/[^"#]*)`)
	for _, path := range []string{"/", "/enrol", "/credentials?device=" + device, "/byhand?device=" + device, "/cameras/" + id + "/place", "/cameras/" + id + "/place?show=" + id,
		"/hours", "/save?camera=" + id, "/status", "/credentials?device=" + device + "&show=" + device} {
		status, body, _ := o.send(t, "GET", path, "")
		if status >= http.StatusBadRequest {
			t.Errorf("%s: %d", path, status)
		}
		for _, never := range []string{"Anna Segreta", "5550 0199", "/picture"} {
			if strings.Contains(body, never) {
				t.Errorf("%s shows %q", path, never)
			}
		}
		main := body[strings.Index(body, "<main"):strings.Index(body, "</main>")]
		for _, link := range links.FindAllStringSubmatch(main, -1) {
			if status, _, _ := o.send(t, "GET", html.UnescapeString(link[1]), ""); status == http.StatusForbidden {
				t.Errorf("%s leads to %s, which is closed", path, link[1])
			}
		}
	}
	for _, path := range []string{"/cameras/" + id + "/picture", "/receipt", "/export", "/export/all", "/suspend", "/mine", "/outbox/x"} {
		if status, _, _ := o.send(t, "GET", path, ""); status != http.StatusForbidden && status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}
