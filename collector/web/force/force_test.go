package force

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// office is the face over a real register with two forces.
type office struct {
	t      *testing.T
	reg    *registry.Registry
	web    *web.Web
	pages  http.Handler
	acts   []web.Act
	broken error  // the trail cannot be written
	origin string // that requests go to

	admin  registry.User // of the Questura
	secret string        // the administrator's
}

func newOffice(t *testing.T) *office {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	o := &office{t: t}
	var err error
	o.reg = registrytest.Open(t, registrytest.Options(t.TempDir(), log))
	record := func(_ context.Context, a web.Act) error {
		if o.broken == nil {
			o.acts = append(o.acts, a)
		}
		return o.broken
	}
	options := web.Options{Registry: o.reg, Face: pages.FaceConsult, PublicURL: "http://127.0.0.1:8082", Secret: make([]byte, 32), Record: record, Log: log,
		Roles:  []string{registry.RoleOfficer, registry.RoleForceAuditor, registry.RoleForceAdmin, registry.RoleDPO},
		Home:   map[string]string{registry.RoleForceAdmin: Path},
		Forces: map[string]web.Network{"Carabinieri": {URL: "https://cc.example"}}}
	if o.web, err = web.New(options); err != nil {
		t.Fatal(err)
	}
	options.PublicURL, options.Force = "https://cc.example", "Carabinieri"
	own, err := web.New(options)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(Options{Web: o.web, Registry: o.reg, Record: record, TrailKey: "trail+00000000+key", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	shared, err := o.web.Handler(f.Routes())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := own.Handler(f.Routes())
	if err != nil {
		t.Fatal(err)
	}
	o.pages, o.origin = web.ByHost(shared, map[string]http.Handler{"cc.example": theirs}), "http://127.0.0.1:8082"
	for _, force := range []string{"Questura", "Carabinieri"} {
		if err := o.reg.AddForce(t.Context(), force, "age1"+force); err != nil {
			t.Fatal(err)
		}
	}
	o.admin, o.secret = o.user("Dirigente", registry.RoleForceAdmin, "Questura")
	return o
}

// user adds a user and gives their secret.
func (o *office) user(name, role, force string) (registry.User, string) {
	o.t.Helper()
	secret, hash := o.web.NewSecret()
	u := registry.User{ID: uuid.NewString(), Name: name, Role: role, Force: force, SecretHash: hash, At: time.Now()}
	if role == registry.RoleOfficer {
		u.Qualification = registry.Agente
	}
	if err := o.reg.AddUser(o.t.Context(), u); err != nil {
		o.t.Fatal(err)
	}
	return u, secret
}

// ask sends JSON as the administrator and reads the JSON answer.
func (o *office) ask(method, path string, in map[string]string) (int, map[string]any) {
	o.t.Helper()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			o.t.Fatal(err)
		}
		body = strings.NewReader(string(raw))
	}
	r := httptest.NewRequestWithContext(o.t.Context(), method, o.origin+path, body)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+o.secret)
	rw := httptest.NewRecorder()
	o.pages.ServeHTTP(rw, r)
	var out map[string]any
	if err := json.Unmarshal(rw.Body.Bytes(), &out); err != nil {
		o.t.Fatalf("%s %s answered %d %q", method, path, rw.Code, rw.Body)
	}
	return rw.Code, out
}

// find reads a user as the register has them.
func (o *office) find(id string) registry.User {
	o.t.Helper()
	all, err := o.reg.Users(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	for _, u := range all {
		if u.ID == id {
			return u
		}
	}
	return registry.User{}
}

func TestAddSomebody(t *testing.T) {
	o := newOffice(t)
	in := map[string]string{"name": " Isp. Anna Bruni ", "role": "officer", "qualification": registry.Ufficiale}
	code, got := o.ask("POST", "/force/users", in)
	if code != http.StatusCreated || got["credential"] != nil || !strings.HasPrefix(got["link"].(string), "http://127.0.0.1:8082/login/link?token=") {
		t.Fatalf("%d %v", code, got)
	}
	if u := o.find(got["id"].(string)); u.Name != "Isp. Anna Bruni" || u.Role != registry.RoleOfficer || u.Force != "Questura" || u.Qualification != registry.Ufficiale || u.SecretHash != [32]byte{} {
		t.Errorf("added %+v", u)
	}
	code, got = o.ask("POST", "/force/users", map[string]string{"name": "Revisore", "role": "force-auditor", "credential": "yes"})
	if code != http.StatusCreated {
		t.Fatalf("%d %v", code, got)
	}
	raw, err := json.Marshal(got["credential"])
	if err != nil {
		t.Fatal(err)
	}
	if c, err := web.ParseCredential(raw); err != nil || c.User != got["id"] || c.Server != "http://127.0.0.1:8082" || c.TrailKey != "trail+00000000+key" {
		t.Errorf("credential %s, %v", raw, err)
	}
	if len(o.acts) != 2 || o.acts[0].Kind != "user-add" || o.acts[0].User.ID != o.admin.ID || o.acts[0].Details.(map[string]string)["qualification"] != registry.Ufficiale {
		t.Errorf("on the trail: %+v", o.acts)
	}
	if told, err := json.Marshal(o.acts); err != nil || strings.Contains(string(told), got["credential"].(map[string]any)["secret"].(string)) {
		t.Error("the secret is on the trail")
	}
	_, o.secret = o.user("Comandante", registry.RoleForceAdmin, "Carabinieri")
	o.origin = "https://cc.example"
	if _, got := o.ask("POST", "/force/users", map[string]string{"name": "Mar. Neri", "role": "officer",
		"qualification": "agente di PG"}); !strings.HasPrefix(got["link"].(string), "https://cc.example/login/link") || got["force"] != "Carabinieri" {
		t.Errorf("a force with an address of its own: %v", got)
	}
}

func TestWhoIsNotAdded(t *testing.T) {
	o := newOffice(t)
	o.user("Capitano", registry.RoleOfficer, "Carabinieri")
	for name, c := range map[string]struct {
		in    map[string]string
		code  int
		field string
	}{
		"no name":                    {map[string]string{"role": "force-auditor"}, http.StatusUnprocessableEntity, "name"},
		"control marks":              {map[string]string{"name": "a\x00", "role": "force-auditor"}, http.StatusUnprocessableEntity, "name"},
		"no role":                    {map[string]string{"name": "A"}, http.StatusUnprocessableEntity, "role"},
		"a role of the Comune":       {map[string]string{"name": "A", "role": "ops"}, http.StatusUnprocessableEntity, "role"},
		"the dpo":                    {map[string]string{"name": "A", "role": "dpo"}, http.StatusUnprocessableEntity, "role"},
		"no qualification":           {map[string]string{"name": "A", "role": "officer"}, http.StatusUnprocessableEntity, "qualification"},
		"a made-up qualification":    {map[string]string{"name": "A", "role": "officer", "qualification": "ufficiale"}, http.StatusUnprocessableEntity, "qualification"},
		"an auditor's qualification": {map[string]string{"name": "A", "role": "force-auditor", "qualification": registry.PM}, http.StatusUnprocessableEntity, "qualification"},
		"another force":              {map[string]string{"name": "A", "role": "force-auditor", "force": "Carabinieri"}, http.StatusBadRequest, ""},
		"an odd wish":                {map[string]string{"name": "A", "role": "force-auditor", "credential": "maybe"}, http.StatusUnprocessableEntity, "credential"},
	} {
		code, got := o.ask("POST", "/force/users", c.in)
		if field, _ := got["field"].(string); code != c.code || field != c.field || got["error"] == "" {
			t.Errorf("%s: %d %v", name, code, got)
		}
	}
	if users, err := o.reg.ForceUsers(t.Context(), "Questura"); err != nil || len(users) != 1 || len(o.acts) != 0 {
		t.Errorf("%v, %v, on the trail %v", users, err, o.acts)
	}
	// Names are the register's, whoever's they are: they stand in commands and on the trail.
	if code, got := o.ask("POST", "/force/users", map[string]string{"name": "Capitano", "role": "force-auditor"}); code != http.StatusConflict || got["field"] != "name" {
		t.Errorf("a name that is taken: %d %v", code, got)
	}
}

func TestOnlyTheirOwn(t *testing.T) {
	o := newOffice(t)
	other, _ := o.user("Capitano", registry.RoleOfficer, "Carabinieri")
	comune, _ := o.user("Operatore", registry.RoleOps, "")
	gone, _ := o.user("Andato", registry.RoleOfficer, "Questura")
	if err := o.reg.RevokeUser(t.Context(), gone.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	_, list := o.ask("GET", "/force", nil)
	raw, err := json.Marshal(list)
	if err != nil || len(list["users"].([]any)) != 2 || strings.Contains(string(raw), other.ID) || strings.Contains(string(raw), comune.ID) || list["force"] != "Questura" {
		t.Errorf("listed %s", raw)
	}
	for _, act := range []string{"qualification", "link", "sessions", "revoke"} {
		for name, c := range map[string]struct {
			id   string
			code int
		}{"of another force": {other.ID, http.StatusNotFound}, "of the Comune": {comune.ID, http.StatusNotFound}, "nobody": {"x", http.StatusNotFound},
			"revoked": {gone.ID, http.StatusNotFound}, "themselves": {o.admin.ID, http.StatusConflict}} {
			if code, got := o.ask("POST", "/force/users/"+c.id+"/"+act, map[string]string{"qualification": registry.PM}); code != c.code {
				t.Errorf("%s, %s: %d %v", act, name, code, got)
			}
		}
	}
	if u := o.find(other.ID); !u.RevokedAt.IsZero() || u.Qualification != other.Qualification || len(o.acts) != 0 {
		t.Errorf("%+v, on the trail %v", u, o.acts)
	}
}

func TestActs(t *testing.T) {
	o := newOffice(t)
	u, _ := o.user("Isp. Bruni", registry.RoleOfficer, "Questura")
	auditor, _ := o.user("Revisore", registry.RoleForceAuditor, "Questura")
	post := func(act string, in map[string]string) (int, map[string]any) {
		t.Helper()
		return o.ask("POST", "/force/users/"+u.ID+"/"+act, in)
	}
	if code, got := post("qualification", map[string]string{"qualification": registry.Ufficiale}); code != http.StatusOK || o.find(u.ID).Qualification != registry.Ufficiale {
		t.Errorf("%d %v", code, got)
	}
	if d := o.acts[0].Details.(map[string]string); d["before"] != registry.Agente || d["qualification"] != registry.Ufficiale {
		t.Errorf("on the trail: %v", d)
	}
	for _, c := range []struct{ id, qualification string }{{u.ID, "generale"}, {u.ID, ""}, {auditor.ID, registry.PM}} {
		if code, got := o.ask("POST", "/force/users/"+c.id+"/qualification", map[string]string{"qualification": c.qualification}); code != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d %v", c, code, got)
		}
	}
	if code, got := post("link", nil); code != http.StatusOK || got["credential"] != nil || !strings.Contains(got["link"].(string), "token=") {
		t.Errorf("%d %v", code, got)
	}
	cookie := o.signIn(u.ID)
	if !o.inside(cookie) {
		t.Fatal("the officer has no session to begin with")
	}
	if code, got := post("sessions", nil); code != http.StatusOK || o.inside(cookie) {
		t.Errorf("sessions ended: %d %v", code, got)
	}
	if code, got := post("revoke", nil); code != http.StatusOK || o.find(u.ID).RevokedAt.IsZero() {
		t.Errorf("%d %v", code, got)
	}
	var kinds []string
	for _, a := range o.acts {
		if a.User.ID == o.admin.ID {
			kinds = append(kinds, string(a.Kind))
		}
	}
	if got := strings.Join(kinds, " "); got != "user-qualify user-link session-end user-revoke" {
		t.Errorf("on the trail: %s", got)
	}
}

// Nothing is done that the trail cannot take.
func TestNoActWithoutTheTrail(t *testing.T) {
	o := newOffice(t)
	u, _ := o.user("Isp. Bruni", registry.RoleOfficer, "Questura")
	o.broken = errors.New("disk full")
	for path, in := range map[string]map[string]string{
		"/force/users": {"name": "A", "role": "force-auditor"},
		"/force/users/" + u.ID + "/qualification": {"qualification": registry.PM},
		"/force/users/" + u.ID + "/link":          nil,
		"/force/users/" + u.ID + "/sessions":      nil,
		"/force/users/" + u.ID + "/revoke":        nil,
	} {
		if code, got := o.ask("POST", path, in); code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %v", path, code, got)
		}
	}
	users, err := o.reg.ForceUsers(t.Context(), "Questura")
	if err != nil || len(users) != 2 || !o.find(u.ID).RevokedAt.IsZero() || o.find(u.ID).Qualification != registry.Agente {
		t.Errorf("%v, %v", users, err)
	}
}

// signIn opens a session with a one-time link.
func (o *office) signIn(userID string) *http.Cookie {
	o.t.Helper()
	link, err := o.web.NewLink(o.t.Context(), "http://127.0.0.1:8082", userID, time.Hour)
	if err != nil {
		o.t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		o.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(o.t.Context(), "POST", "http://127.0.0.1:8082/login/link", strings.NewReader(url.Values{"token": u.Query()["token"]}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rw := httptest.NewRecorder()
	o.pages.ServeHTTP(rw, r)
	cookies := rw.Result().Cookies()
	if len(cookies) != 1 {
		o.t.Fatalf("%d %s", rw.Code, rw.Body)
	}
	return cookies[0]
}

// inside tells whether a session is there: who has one is not shown the login.
func (o *office) inside(c *http.Cookie) bool {
	o.t.Helper()
	r := httptest.NewRequestWithContext(o.t.Context(), "GET", "http://127.0.0.1:8082/login", nil)
	r.AddCookie(c)
	rw := httptest.NewRecorder()
	o.pages.ServeHTTP(rw, r)
	return rw.Code == http.StatusSeeOther
}
