package ops

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
)

// answer is what a request must be answered with.
type answer struct {
	in    map[string]string
	code  int
	field string
}

// all posts each and compares.
func (d *desk) all(h http.Handler, secret, path string, cases map[string]answer) {
	d.t.Helper()
	for name, c := range cases {
		code, got := d.ask(h, secret, "POST", path, c.in)
		if field, _ := got["field"].(string); code != c.code || field != c.field || code >= 400 && got["error"] == "" {
			d.t.Errorf("%s: %d %v", name, code, got)
		}
	}
}

func TestAddForce(t *testing.T) {
	d := newDesk(t)
	_, admin := d.user(registry.RoleAdmin, "")
	key, act := recipient(t), "prot. 12 del 3/11/2026"
	d.all(d.pages, admin, "/forces", map[string]answer{
		"without an act":    {map[string]string{"name": "Questura", "recipient": key}, http.StatusUnprocessableEntity, "act"},
		"a long act":        {map[string]string{"name": "Questura", "recipient": key, "act": strings.Repeat("a", maxAct+1)}, http.StatusUnprocessableEntity, "act"},
		"an act in lines":   {map[string]string{"name": "Questura", "recipient": key, "act": "a\nb"}, http.StatusUnprocessableEntity, "act"},
		"without a key":     {map[string]string{"name": "Questura", "act": act}, http.StatusUnprocessableEntity, "recipient"},
		"with another key":  {map[string]string{"name": "Questura", "act": act, "recipient": "age1nonsense"}, http.StatusUnprocessableEntity, "recipient"},
		"with two keys":     {map[string]string{"name": "Questura", "act": act, "recipient": key + "\n" + recipient(t)}, http.StatusUnprocessableEntity, "recipient"},
		"without a name":    {map[string]string{"act": act, "recipient": key}, http.StatusUnprocessableEntity, "name"},
		"a misspelt field":  {map[string]string{"nome": "Questura"}, http.StatusBadRequest, ""},
		"a control mark in": {map[string]string{"name": "Que\x00stura", "act": act, "recipient": key}, http.StatusUnprocessableEntity, "name"},
	})
	if forces, err := d.reg.Forces(t.Context()); err != nil || len(forces) != 0 || len(d.acts) != 0 {
		t.Fatalf("%v, %v, on the trail %v", forces, err, d.acts)
	}
	if code, got := d.ask(d.pages, admin, "POST", "/forces", map[string]string{"name": "Questura", "act": act, "recipient": key}); code != http.StatusCreated {
		t.Fatalf("%d %v", code, got)
	}
	added := d.acts[0]
	if details, err := json.Marshal(added.Details); err != nil || added.Kind != "force-add" || added.Force != "" || added.User.Role != registry.RoleAdmin ||
		!strings.Contains(string(details), act) || !strings.Contains(string(details), key) {
		t.Errorf("on the trail: %+v", added)
	}
	d.all(d.pages, admin, "/forces", map[string]answer{
		"a further act":              {map[string]string{"name": "Questura", "act": "prot. 99"}, http.StatusCreated, ""},
		"a further act, another key": {map[string]string{"name": "Questura", "act": "prot. 100", "recipient": recipient(t)}, http.StatusUnprocessableEntity, "recipient"},
	})
	if len(d.acts) != 2 || d.acts[1].Kind != "force-act" {
		t.Errorf("on the trail: %+v", d.acts)
	}
	_, got := d.ask(d.pages, admin, "GET", "/forces", nil)
	listed, err := json.Marshal(got["forces"])
	if err != nil || len(got["forces"].([]any)) != 1 || !strings.Contains(string(listed), act) || !strings.Contains(string(listed), "prot. 99") ||
		!strings.Contains(string(listed), `"administered":false`) {
		t.Errorf("listed: %s", listed)
	}
}

// force adds a force.
func (d *desk) force(name string) {
	d.t.Helper()
	if err := d.reg.AddForce(d.t.Context(), name, recipient(d.t)); err != nil {
		d.t.Fatal(err)
	}
}

func TestTheComuneAddsItsOwn(t *testing.T) {
	d := newDesk(t)
	self, admin := d.user(registry.RoleAdmin, "")
	d.force("Questura")
	for name, h := range map[string]http.Handler{"pages": d.pages, "host": d.control} {
		d.all(h, map[string]string{"pages": admin}[name], "/users", map[string]answer{
			name + " officer":       {map[string]string{"name": "A", "role": "officer", "force": "Questura"}, http.StatusUnprocessableEntity, "role"},
			name + " auditor":       {map[string]string{"name": "B", "role": "force-auditor", "force": "Questura"}, http.StatusUnprocessableEntity, "role"},
			name + " ops":           {map[string]string{"name": name + "C", "role": "ops"}, http.StatusCreated, ""},
			name + " dpo":           {map[string]string{"name": name + "D", "role": "dpo"}, http.StatusCreated, ""},
			name + " referent":      {map[string]string{"name": "E", "role": "referent"}, http.StatusUnprocessableEntity, "role"},
			name + " mixed":         {map[string]string{"name": "F", "role": "ops", "force": "Questura"}, http.StatusUnprocessableEntity, "force"},
			name + " no such role":  {map[string]string{"name": "G", "role": "root"}, http.StatusUnprocessableEntity, "role"},
			name + " no name":       {map[string]string{"role": "ops"}, http.StatusUnprocessableEntity, "name"},
			name + " long name":     {map[string]string{"name": strings.Repeat("a", web.MaxName+1), "role": "ops"}, http.StatusUnprocessableEntity, "name"},
			name + " qualification": {map[string]string{"name": "H", "role": "ops", "qualification": "PM"}, http.StatusBadRequest, ""},
			name + " same name":     {map[string]string{"name": "admin" + self[:4], "role": "ops"}, http.StatusUnprocessableEntity, "name"},
		})
	}
	for _, act := range d.acts {
		if act.Kind != "user-add" || act.Force != "" {
			t.Errorf("on the trail: %+v", act)
		}
	}
	officer, _ := d.user(registry.RoleOfficer, "Questura")
	first, _ := d.user(registry.RoleForceAdmin, "Questura")
	for name, h := range map[string]http.Handler{"pages": d.pages, "host": d.control} {
		secret := map[string]string{"pages": admin}[name]
		_, list := d.ask(h, secret, "GET", "/users", nil)
		if raw, err := json.Marshal(list); err != nil || strings.Contains(string(raw), officer) || strings.Contains(string(raw), first) {
			t.Errorf("%s: the Comune sees a force's people: %s", name, raw)
		}
		for _, id := range []string{officer, first, uuid.NewString()} {
			if code, _ := d.ask(h, secret, "POST", "/users/"+id+"/revoke", nil); code != http.StatusNotFound {
				t.Errorf("%s: the Comune revokes a force's people: %d", name, code)
			}
		}
	}
	if code, got := d.ask(d.pages, admin, "POST", "/users/"+self+"/revoke", nil); code != http.StatusConflict {
		t.Errorf("an admin revokes themselves: %d %v", code, got)
	}
}

func TestFirstAdministratorOfAForce(t *testing.T) {
	d := newDesk(t)
	_, admin := d.user(registry.RoleAdmin, "")
	d.force("Questura")
	d.force("Guardia di Finanza")
	first := map[string]string{"name": "Dirigente", "role": "force-admin", "force": "Questura"}
	d.all(d.pages, admin, "/users", map[string]answer{
		"no force":              {map[string]string{"name": "A", "role": "force-admin"}, http.StatusUnprocessableEntity, "force"},
		"a force not added":     {map[string]string{"name": "A", "role": "force-admin", "force": "Vigili"}, http.StatusUnprocessableEntity, "force"},
		"a needless recovery":   {map[string]string{"name": "A", "role": "force-admin", "force": "Questura", "recovery": "perduto"}, http.StatusUnprocessableEntity, "recovery"},
		"a recovery of the ops": {map[string]string{"name": "A", "role": "ops", "recovery": "perduto"}, http.StatusUnprocessableEntity, "recovery"},
	})
	code, got := d.ask(d.pages, admin, "POST", "/users", first)
	if code != http.StatusCreated || !strings.HasPrefix(got["link"].(string), "http://127.0.0.1:8082/login/link?token=") {
		t.Fatalf("%d %v", code, got)
	}
	cred := got["credential"].(map[string]any)
	if cred["server"] != "http://127.0.0.1:8082" || cred["user"] != got["id"] || cred["trail_key"] != "trail+00000000+key" {
		t.Errorf("credential %v", cred)
	}
	raw, err := json.Marshal(cred)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := web.ParseCredential(raw); err != nil {
		t.Error(err)
	}
	// What the Comune does to a force is sealed to the force.
	if len(d.acts) != 1 || d.acts[0].Kind != "user-add" || d.acts[0].Force != "Questura" || d.acts[0].User.Role != registry.RoleAdmin {
		t.Errorf("on the trail: %+v", d.acts)
	}
	if told, err := json.Marshal(d.acts); err != nil || strings.Contains(string(told), cred["secret"].(string)) {
		t.Error("the secret is on the trail")
	}
	second := map[string]string{"name": "Altro", "role": "force-admin", "force": "Questura"}
	recovery := map[string]string{"name": "Altro", "role": "force-admin", "force": "Questura", "recovery": "credenziali perdute"}
	d.all(d.pages, admin, "/users", map[string]answer{
		"1 a second one":            {second, http.StatusUnprocessableEntity, "force"},
		"2 a recovery on the pages": {recovery, http.StatusUnprocessableEntity, "recovery"},
	})
	d.all(d.control, "", "/users", map[string]answer{"a second one on the host": {second, http.StatusUnprocessableEntity, "force"}})
	if len(d.acts) != 1 {
		t.Errorf("on the trail: %+v", d.acts)
	}
	d.all(d.control, "", "/users", map[string]answer{"a recovery": {recovery, http.StatusCreated, ""}})
	if last := d.acts[len(d.acts)-1]; last.Kind != "force-recovery" || last.Force != "Questura" || last.Details.(map[string]string)["reason"] != "credenziali perdute" {
		t.Errorf("on the trail: %+v", last)
	}
	if _, got := d.ask(d.pages, admin, "POST", "/users", map[string]string{"name": "G", "role": "force-admin",
		"force": "Guardia di Finanza"}); !strings.HasPrefix(got["link"].(string), "https://gdf.example/login/link") {
		t.Errorf("a force with an address of its own: %v", got)
	}
}
