package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// desk is the console over a real register.
type desk struct {
	t       *testing.T
	reg     *registry.Registry
	ops     *Ops
	web     *web.Web
	pages   http.Handler
	control http.Handler
	acts    []web.Act
	broken  error // the trail cannot be written
	asked   int
}

// consultURL gives the Guardia di Finanza an address of its own.
func consultURL(force string) string {
	if force == "Guardia di Finanza" {
		return "https://gdf.example"
	}
	return "http://127.0.0.1:8082"
}

func newDesk(t *testing.T) *desk { return newDeskAt(t, "http://localhost:8081") }

func newDeskAt(t *testing.T, address string) *desk {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	d := &desk{t: t}
	var err error
	d.reg = registrytest.Open(t, registrytest.Options(t.TempDir(), log))
	record := func(_ context.Context, a web.Act) error {
		if d.broken == nil {
			d.acts = append(d.acts, a)
		}
		return d.broken
	}
	d.web, err = web.New(web.Options{Registry: d.reg, Face: pages.FaceOps, Roles: []string{registry.RoleOps, registry.RoleAdmin},
		PublicURL: address, Secret: make([]byte, 32), Record: record, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	d.ops, err = New(Options{Web: d.web, Registry: d.reg, Record: record, AgentsURL: "https://agents.example:8443", Pin: func() string { return "" },
		OpsURL: address, PublicURL: "https://register.example", ConsultURL: consultURL, TrailKey: "trail+00000000+key", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.ops.Close)
	if d.pages, err = d.web.Handler(d.ops.Routes()); err != nil {
		t.Fatal(err)
	}
	d.control = d.ops.Control()
	return d
}

// user adds a user and gives their secret.
func (d *desk) user(role, force string) (id, secret string) {
	d.t.Helper()
	secret, hash := d.web.NewSecret()
	id = uuid.NewString()
	if err := d.reg.AddUser(d.t.Context(), registry.User{ID: id, Name: role + id[:4], Role: role, Force: force, SecretHash: hash, At: time.Now()}); err != nil {
		d.t.Fatal(err)
	}
	return id, secret
}

// ask sends JSON to the pages with a secret, or to the control socket with none,
// and reads the JSON answer.
func (d *desk) ask(h http.Handler, secret, method, path string, in any) (int, map[string]any) {
	d.t.Helper()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			d.t.Fatal(err)
		}
		body = strings.NewReader(string(raw))
	}
	r := httptest.NewRequestWithContext(d.t.Context(), method, "http://localhost"+path, body)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	d.asked++ // each from an address of its own: what is refused is not to slow down the next
	r.RemoteAddr = fmt.Sprintf("198.51.100.%d:1", d.asked%256)
	rw := httptest.NewRecorder()
	h.ServeHTTP(rw, r)
	var out map[string]any
	if err := json.Unmarshal(rw.Body.Bytes(), &out); err != nil {
		d.t.Fatalf("%s %s answered %d %q", method, path, rw.Code, rw.Body)
	}
	return rw.Code, out
}

func recipient(t *testing.T) string {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient().String()
}

func TestInvite(t *testing.T) {
	d := newDesk(t)
	_, secret := d.user(registry.RoleOps, "")
	code, got := d.ask(d.pages, secret, "POST", "/invite", map[string]string{"site": " Farmacia San Carlo ", "category": "pharmacy", "address": "Via Torino 1"})
	if code != http.StatusCreated {
		t.Fatalf("%d %v", code, got)
	}
	link, err := protocol.ParseLink(got["link"].(string))
	if err != nil || link.Collector != "https://agents.example:8443" || link.Code.String() != got["code"] {
		t.Errorf("link %v, %v", got["link"], err)
	}
	if _, err := protocol.ParseCode(got["code"].(string)); err != nil {
		t.Error(err)
	}
	sites, err := d.reg.Sites(t.Context())
	if err != nil || len(sites) != 1 || sites[0].ID != got["site_id"] || sites[0].Name != "Farmacia San Carlo" || sites[0].Category != "pharmacy" {
		t.Errorf("%+v, %v", sites, err)
	}
	if len(d.acts) != 1 || d.acts[0].Kind != "invite" || d.acts[0].User.Role != registry.RoleOps {
		t.Errorf("on the trail: %+v", d.acts)
	}
	if detail, err := json.Marshal(d.acts[0]); err != nil || strings.Contains(string(detail), got["code"].(string)) {
		t.Errorf("the code is on the trail: %s", detail)
	}
	code, got = d.ask(d.pages, secret, "GET", "/", nil)
	if code != http.StatusOK || got["counts"].(map[string]any)["invited"] != 1.0 {
		t.Errorf("overview: %d %v", code, got)
	}
}

func TestInvitationsThatAreRefused(t *testing.T) {
	d := newDesk(t)
	for name, c := range map[string]struct {
		in    map[string]string
		field string
	}{
		"no name":        {map[string]string{}, "site"},
		"control marks":  {map[string]string{"site": "a\x00b"}, "site"},
		"long name":      {map[string]string{"site": strings.Repeat("a", 300)}, "site"},
		"odd category":   {map[string]string{"site": "a", "category": "spaceport"}, "category"},
		"long address":   {map[string]string{"site": "a", "address": strings.Repeat("a", 5000)}, "address"},
		"misspelt field": {map[string]string{"sito": "a"}, ""},
	} {
		code, got := d.ask(d.control, "", "POST", "/invite", c.in)
		if field, _ := got["field"].(string); code != http.StatusUnprocessableEntity || field != c.field || got["error"] == "" {
			t.Errorf("%s: %d %v", name, code, got)
		}
	}
	if n, err := d.reg.Sites(t.Context()); err != nil || len(n) != 0 || len(d.acts) != 0 {
		t.Errorf("%v sites, %v, %v", n, d.acts, err)
	}
}

func TestNothingIsDoneThatTheTrailCannotTake(t *testing.T) {
	d := newDesk(t)
	id, _ := d.user(registry.RoleOps, "")
	d.broken = errors.New("disk full")
	for path, in := range map[string]map[string]string{
		"/invite":                  {"site": "a"},
		"/users":                   {"name": "Anna", "role": "ops"},
		"/forces":                  {"name": "Questura", "act": "prot. 1", "recipient": recipient(t)},
		"/users/" + id + "/revoke": nil,
	} {
		if code, got := d.ask(d.control, "", "POST", path, in); code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %v", path, code, got)
		}
	}
	if _, err := d.ops.FirstLink(t.Context()); err == nil {
		t.Error("a first administrator without a trail")
	}
	sites, _ := d.reg.Sites(t.Context())
	users, _ := d.reg.Users(t.Context())
	if _, known, _ := d.reg.Force(t.Context(), "Questura"); known || len(sites) != 0 || len(users) != 1 || !users[0].RevokedAt.IsZero() {
		t.Errorf("done all the same: %v %v force %v", sites, users, known)
	}
}

func TestRevokeAgent(t *testing.T) {
	d := newDesk(t)
	if code, _ := d.ask(d.control, "", "POST", "/agents/"+uuid.NewString()+"/revoke", nil); code != http.StatusNotFound || len(d.acts) != 0 {
		t.Errorf("an agent that is not there: %d, %v", code, d.acts)
	}
	id := d.enrol("Bar Centrale")
	code, got := d.ask(d.control, "", "GET", "/agents", nil)
	agents := got["rows"].([]any)
	if code != http.StatusOK || len(agents) != 1 || agents[0].(map[string]any)["sites"].([]any)[0].(map[string]any)["name"] != "Bar Centrale" {
		t.Fatalf("%d %v", code, got)
	}
	if code, got := d.ask(d.control, "", "POST", "/agents/"+id+"/revoke", nil); code != http.StatusOK || got["agent"] != id {
		t.Errorf("%d %v", code, got)
	}
	if err := d.reg.Admit(t.Context(), id); err == nil {
		t.Error("a revoked agent is admitted")
	}
}

func TestFirstLink(t *testing.T) {
	d := newDesk(t)
	link, err := d.ops.FirstLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost/login/link", strings.NewReader(url.Values{"token": u.Query()["token"]}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rw := httptest.NewRecorder()
	d.pages.ServeHTTP(rw, r)
	if rw.Code != http.StatusSeeOther || len(rw.Result().Cookies()) != 1 {
		t.Errorf("the first link answers %d", rw.Code)
	}
	// They have no other way in yet: the next start gives the same account
	// another link.
	if again, err := d.ops.FirstLink(t.Context()); err != nil || again == "" || again == link {
		t.Errorf("with an administrator who has no credential: %q, %v", again, err)
	}
	users, err := d.reg.Users(t.Context())
	if err != nil || len(users) != 1 {
		t.Fatalf("%v %v", users, err)
	}
	if err := d.reg.AddPasskey(t.Context(), registry.Passkey{ID: []byte("a"), UserID: users[0].ID, RP: "localhost", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if again, err := d.ops.FirstLink(t.Context()); err != nil || again != "" {
		t.Errorf("with an administrator who has a passkey: %q, %v", again, err)
	}
	if err := d.reg.RevokeUser(t.Context(), users[0].ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	if again, err := d.ops.FirstLink(t.Context()); err != nil || again == "" {
		t.Errorf("with the only administrator revoked: %q, %v", again, err)
	}
	if err := d.reg.AddUser(t.Context(), registry.User{ID: "own", Name: "G. Verdi", Role: registry.RoleAdmin, SecretHash: [32]byte{1}, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if again, err := d.ops.FirstLink(t.Context()); err != nil || again != "" {
		t.Errorf("with an administrator who has a credential: %q, %v", again, err)
	}
}

// A new link is for the Comune's own people, on the host too: who opens one becomes
// the person that it is for.
func TestUserLink(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	if err := d.reg.AddForce(ctx, "Questura", recipient(t)); err != nil {
		t.Fatal(err)
	}
	_, admin := d.user(registry.RoleAdmin, "")
	ops, _ := d.user(registry.RoleOps, "")
	chief, _ := d.user(registry.RoleForceAdmin, "Questura")
	officer, _ := d.user(registry.RoleOfficer, "Questura")
	gone, _ := d.user(registry.RoleOps, "")
	if err := d.reg.RevokeUser(ctx, gone, time.Now()); err != nil {
		t.Fatal(err)
	}
	ask := func(secret, id string) (int, string) {
		h := d.pages
		if secret == "" {
			h = d.control
		}
		code, got := d.ask(h, secret, "POST", "/users/"+id+"/link", nil)
		link, _ := got["link"].(string)
		return code, link
	}
	for name, c := range map[string]struct {
		secret, id string
		want       int
		address    string
	}{
		"of the Comune":           {admin, ops, http.StatusCreated, "http://localhost:8081/"},
		"of a force":              {admin, chief, http.StatusNotFound, ""},
		"of a force, on the host": {"", chief, http.StatusNotFound, ""},
		"officer":                 {admin, officer, http.StatusNotFound, ""},
		"officer, on the host":    {"", officer, http.StatusNotFound, ""},
		"revoked":                 {admin, gone, http.StatusNotFound, ""},
		"revoked, on the host":    {"", gone, http.StatusNotFound, ""},
		"nobody":                  {admin, "none", http.StatusNotFound, ""},
	} {
		if code, link := ask(c.secret, c.id); code != c.want || !strings.HasPrefix(link, c.address) {
			t.Errorf("%s: %d %q", name, code, link)
		}
	}
	if err := d.reg.AddSession(ctx, [32]byte{1}, registry.Session{ID: "s", UserID: ops, Face: "ops", At: time.Now(), Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if code, got := d.ask(d.pages, admin, "POST", "/users/"+ops+"/signout", nil); code != http.StatusOK || got["sessions"] != 1.0 {
		t.Errorf("%d %v", code, got)
	}
	if _, _, ok, err := d.reg.Session(ctx, [32]byte{1}, "ops", time.Now(), time.Hour); ok || err != nil {
		t.Error("the session goes on", err)
	}
	d.broken = errors.New("disk full")
	if code, link := ask("", ops); code != http.StatusServiceUnavailable || link != "" {
		t.Errorf("without a trail: %d %q", code, link)
	}
}

// Two agents of a site are both shown, each with the other.
func TestAgentsOfOneSite(t *testing.T) {
	d := newDesk(t)
	first, site := d.redeem(map[string]string{"site": "Bar Centrale"}, false)
	second, _ := d.redeem(map[string]string{"site_id": site}, true)
	_, got := d.ask(d.control, "", "GET", "/agents", nil)
	shown := map[string]map[string]any{}
	for _, a := range got["rows"].([]any) {
		sites := a.(map[string]any)["sites"].([]any)
		if len(sites) == 1 {
			shown[a.(map[string]any)["id"].(string)] = sites[0].(map[string]any)
		}
	}
	if len(shown) != 2 || shown[first]["id"] != site || shown[second]["id"] != site || shown[first]["others"] != 1.0 || shown[second]["others"] != 1.0 {
		t.Errorf("%v", got)
	}
	if shown[first]["visit_until"] != nil || shown[second]["visit_until"] == nil {
		t.Errorf("the second alone is a visit: %v", got)
	}
}
