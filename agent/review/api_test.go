package review

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// api calls a route as the command line does.
func (o *owner) api(t *testing.T, method, path string, in, out any) int {
	t.Helper()
	body := ""
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		body = string(b)
	}
	status, text, h := o.send(t, method, path, body, "Accept", "application/json", "Content-Type", "application/json")
	if h.Get("Content-Type") != "application/json" {
		t.Fatalf("%s %s answers with %q", method, path, h.Get("Content-Type"))
	}
	if out != nil {
		if err := json.Unmarshal([]byte(text), out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return status
}

type listed struct {
	Devices []inventory.Device `json:"devices"`
	Cameras []inventory.Camera `json:"cameras"`
}

type told struct {
	Error, Field, Hint string
	Results            []inventory.Result
}

// The whole act, as the command line performs it.
// It is long because it is one way, step by step.
func TestTheWholeActAsJSON(t *testing.T) {
	o := start(t)
	o.signIn(t)
	var counts map[string]int
	if status := o.api(t, "POST", "/scan", nil, &counts); status != http.StatusOK || counts["devices"] != 1 || counts["cameras"] != 2 {
		t.Fatalf("scan: %d %v", status, counts)
	}
	var all listed
	o.api(t, "GET", "/cameras", nil, &all)
	if len(all.Cameras) != 2 || !slices.Equal(all.Cameras[0].Missing, []string{"position", "outdoor_public", "contact"}) {
		t.Fatalf("%+v", all.Cameras)
	}
	a, b := all.Cameras[0].ID, all.Cameras[1].ID

	var refused told
	if status := o.api(t, "POST", "/approve", map[string]any{"ids": []string{a}}, &refused); status != http.StatusConflict || !strings.Contains(refused.Hint, "enrol CODE") {
		t.Errorf("before enrolment: %d %+v", status, refused)
	}
	if status := o.api(t, "POST", "/enrol", map[string]string{"code": "SBAGLIATO"}, &refused); status != http.StatusUnprocessableEntity || refused.Field != "code" || refused.Hint != "ask for a new one" {
		t.Errorf("wrong code: %d %+v", status, refused)
	}
	var granted inventory.Site
	if status := o.api(t, "POST", "/enrol", map[string]string{"code": "GIUSTO"}, &granted); status != http.StatusOK || granted.SiteID != siteID {
		t.Fatalf("enrol: %d %+v", status, granted)
	}
	if status := o.api(t, "POST", "/contact", map[string]string{"name": "Anna Neri"}, &refused); status != http.StatusUnprocessableEntity || refused.Field != "phone" {
		t.Errorf("contact without a phone: %d %+v", status, refused)
	}
	if status := o.api(t, "POST", "/contact", map[string]any{"name": "Anna Neri", "phone": "112", "alerts": true}, &refused); status != http.StatusUnprocessableEntity || refused.Field != "email" {
		t.Errorf("alerts without an e-mail address: %d %+v", status, refused)
	}
	if status := o.api(t, "POST", "/contact", contactIn{Contact: protocol.Contact{Name: "Anna Neri", Role: "owner", Phone: "+39 02 123456"}}, nil); status != http.StatusOK {
		t.Errorf("contact: %d", status)
	}
	var c inventory.Camera
	edit := inventory.Edit{Outdoor: new(true), Lon: new(9.1859), Lat: new(45.4641), Direction: new(226), By: "Anna Neri"}
	if status := o.api(t, "POST", "/cameras/"+a, edit, &c); status != http.StatusOK || c.State != inventory.StateReady {
		t.Errorf("edit: %d %+v", status, c)
	}
	if status := o.api(t, "POST", "/cameras/"+b, inventory.Edit{Direction: new(999)}, &refused); status != http.StatusUnprocessableEntity || refused.Field != "direction" {
		t.Errorf("wrong direction: %d %+v", status, refused)
	}
	if status := o.api(t, "POST", "/cameras/"+b, map[string]any{"nonsense": 1}, &refused); status != http.StatusBadRequest {
		t.Errorf("unknown key: %d %+v", status, refused)
	}
	if status := o.api(t, "POST", "/cameras/no-such", edit, &refused); status != http.StatusNotFound {
		t.Errorf("unknown camera: %d %+v", status, refused)
	}
	var preview struct {
		Messages []json.RawMessage `json:"messages"`
	}
	if status := o.api(t, "GET", "/approve", nil, &preview); status != http.StatusOK || len(preview.Messages) != 1 {
		t.Errorf("preview: %d %s", status, preview.Messages)
	}
	var got told
	if status := o.api(t, "POST", "/approve", map[string]any{"all": true, "by": "Anna Neri"}, &got); status != http.StatusOK || len(got.Results) != 2 ||
		got.Results[0].ID != a || got.Results[0].Missing != nil || !slices.Equal(got.Results[1].Missing, []string{"position", "outdoor_public"}) {
		t.Fatalf("approve: %d %+v", status, got)
	}
	var sent struct {
		Messages []struct {
			Kind, State string
			Raw         []byte
			Message     struct {
				Body struct{ Cameras []protocol.Camera }
			}
		}
	}
	if o.api(t, "GET", "/outbox", nil, &sent); len(sent.Messages) != 1 || sent.Messages[0].State != "waiting" ||
		len(sent.Messages[0].Message.Body.Cameras) != 1 || sent.Messages[0].Message.Body.Cameras[0].ID != a {
		t.Fatalf("outbox: %+v", sent)
	}
	if strings.Contains(string(sent.Messages[0].Raw), b) {
		t.Error("the other camera left too")
	}
	if status := o.api(t, "POST", "/approve", map[string]any{"by": "x"}, &refused); status != http.StatusBadRequest || refused.Field != "ids" {
		t.Errorf("approve nothing: %d %+v", status, refused)
	}
	if status := o.api(t, "POST", "/refuse", map[string]any{"ids": []string{b}}, &got); status != http.StatusOK || len(got.Results) != 1 {
		t.Errorf("refuse: %d %+v", status, got)
	}
	if status := o.api(t, "POST", "/withdraw", map[string]any{"all": true}, &got); status != http.StatusOK || len(got.Results) != 1 || got.Results[0].ID != a {
		t.Errorf("withdraw: %d %+v", status, got)
	}
	o.api(t, "GET", "/cameras", nil, &all)
	if all.Cameras[0].State != inventory.StateWithdrawn || all.Cameras[1].State != inventory.StateRefused {
		t.Errorf("%s, %s", all.Cameras[0].State, all.Cameras[1].State)
	}
	var st map[string]any
	if status := o.api(t, "GET", "/status", nil, &st); status != http.StatusOK || st["transport"] != "h3" {
		t.Errorf("status: %d %v", status, st)
	}
	if status := o.api(t, "GET", "/no-such", nil, &refused); status != http.StatusNotFound {
		t.Errorf("no such page: %d", status)
	}
}

// No answer and no page ever shows a password, nor does the inventory's list.
func TestPasswordsAreNotRepeated(t *testing.T) {
	o := start(t)
	o.signIn(t)
	o.found = append(o.found, locked())
	o.api(t, "POST", "/scan", nil, nil)
	var all listed
	o.api(t, "GET", "/cameras", nil, &all)
	id := all.Devices[1].ID
	const password = "Sentinella-7x9!parola"
	if status := o.api(t, "POST", "/credentials", map[string]string{"device": id, "user": "admin", "password": password}, nil); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	if c, ok, err := o.Inventory.Credential(t.Context(), locked().Sighting); err != nil || !ok || c.Password != password {
		t.Fatalf("kept %t: %v", ok, err)
	}
	if status := o.api(t, "POST", "/credentials", map[string]string{"device": id, "user": "admin"}, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("without a password: %d", status)
	}
	if status := o.api(t, "POST", "/credentials", map[string]string{"device": "no-such", "user": "admin", "password": password}, nil); status != http.StatusNotFound {
		t.Errorf("for no device: %d", status)
	}
	for _, path := range []string{"/", "/cameras", "/credentials?device=" + id, "/status", "/outbox"} {
		for _, accept := range []string{"text/html", "application/json"} {
			if _, body, _ := o.send(t, "GET", path, "", "Accept", accept); strings.Contains(body, password) {
				t.Errorf("%s as %s shows the password", path, accept)
			}
		}
	}
	_, body, _ := o.send(t, "POST", "/credentials", "device="+id+"&user=&password="+password)
	if strings.Contains(body, password) || !strings.Contains(body, `name="password"`) {
		t.Error("a refused form repeats the password")
	}
}

func TestAFailedSearchIsTold(t *testing.T) {
	o := start(t)
	o.signIn(t)
	o.Scan = func(context.Context) error { return errors.New("no network") }
	var refused told
	if status := o.api(t, "POST", "/scan", nil, &refused); status != http.StatusInternalServerError || !strings.Contains(refused.Error, "no network") {
		t.Errorf("%d %+v", status, refused)
	}
}

// ready enrols, names a contact and answers for the first camera, all but the yes.
func (o *owner) ready(t *testing.T) (id string) {
	t.Helper()
	o.api(t, "POST", "/contact", contactIn{Contact: protocol.Contact{Name: "Anna Neri", Role: "owner", Phone: "+39 02 5550 0100"}}, nil)
	o.api(t, "POST", "/enrol", map[string]string{"code": "GIUSTO"}, nil)
	var all listed
	o.api(t, "GET", "/cameras", nil, &all)
	id = all.Cameras[0].ID
	o.api(t, "POST", "/cameras/"+id, inventory.Edit{Outdoor: new(true), Lon: new(9.19), Lat: new(45.46)}, nil)
	return id
}
