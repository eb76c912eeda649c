package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

func prefixes(all ...string) (parsed []netip.Prefix) {
	for _, p := range all {
		parsed = append(parsed, netip.MustParsePrefix(p))
	}
	return parsed
}

// house is a consultation address with a force that has a host name and networks
// of its own, one that has networks, and one that has neither.
type house struct {
	*bench
	handler http.Handler
	secrets map[string]string // of an officer of each force, and of the dpo
	told    []string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{bench: newBench(t), secrets: map[string]string{}}
	roles := []string{registry.RoleOfficer, registry.RoleForceAuditor, registry.RoleForceAdmin, registry.RoleDPO}
	o := Options{Registry: h.reg, Face: pages.FaceConsult, Roles: roles, PublicURL: "https://consult.example", Secret: []byte(strings.Repeat("s", 32)),
		Record: h.record, Log: logger(t), Now: h.clock, Allow: prefixes("10.0.0.0/8", "2001:db8::/32"),
		Refused: func(why string) { h.told = append(h.told, why) },
		Forces: map[string]Network{"Questura": {URL: "https://questura.example", Allow: prefixes("10.1.0.0/16")},
			"Carabinieri": {Allow: prefixes("10.2.0.0/16")}}}
	serve := func(o Options) (*Web, http.Handler) {
		w, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		served, err := w.Handler(page(registry.RoleOfficer, registry.RoleDPO)[:1])
		if err != nil {
			t.Fatal(err)
		}
		return w, served
	}
	shared, all := serve(o)
	o.PublicURL, o.Force = "https://questura.example", "Questura"
	_, own := serve(o)
	h.handler = ByHost(all, map[string]http.Handler{"questura.example": own})
	for _, force := range []string{"Questura", "Carabinieri", "Procura", ""} {
		secret, hash := shared.NewSecret()
		u := registry.User{ID: uuid.NewString(), Name: "of " + force, Role: registry.RoleOfficer, Force: force, SecretHash: hash, At: h.clock()}
		if force == "" {
			u.Role = registry.RoleDPO
		} else if err := h.reg.AddForce(t.Context(), force, "age1"); err != nil {
			t.Fatal(err)
		}
		if err := h.reg.AddUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		h.secrets[force] = secret
		if want := map[string]string{"Questura": "https://questura.example"}[force]; want != "" && shared.URLOf(force) != want ||
			want == "" && shared.URLOf(force) != "https://consult.example" {
			t.Errorf("%q signs in at %s", force, shared.URLOf(force))
		}
	}
	return h
}

func (h *house) from(addr, host, secret string) (int, Problem) {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), "GET", "https://"+host+"/", nil)
	r.RemoteAddr = addr
	r.Header.Set("Accept", "application/json")
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	rw := httptest.NewRecorder()
	h.handler.ServeHTTP(rw, r)
	var p Problem
	if rw.Code != http.StatusOK && json.Unmarshal(rw.Body.Bytes(), &p) != nil {
		h.t.Errorf("%s answers %q", host, rw.Body)
	}
	return rw.Code, p
}

func TestWhoIsLetInFromWhere(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct {
		addr, host, force string
		status            int
		told              string
	}{
		"on its host and network":    {"10.1.2.3:99", "questura.example", "Questura", 200, ""},
		"as IPv4 in IPv6":            {"[::ffff:10.1.2.3]:99", "questura.example", "Questura", 200, ""},
		"in capitals":                {"10.1.2.4:99", "QUESTURA.example:443", "Questura", 200, ""},
		"from another force's net":   {"10.2.0.1:99", "questura.example", "Questura", 403, RefusedNetwork},
		"on the shared host":         {"10.1.2.5:99", "consult.example", "Questura", 403, RefusedHost},
		"under a loopback host":      {"10.1.2.6:99", "localhost", "Questura", 403, RefusedHost},
		"another on its host":        {"10.2.0.2:99", "questura.example", "Carabinieri", 403, RefusedHost},
		"the dpo on its host":        {"10.1.2.7:99", "questura.example", "", 403, RefusedHost},
		"own network":                {"10.2.0.3:99", "consult.example", "Carabinieri", 200, ""},
		"not own network":            {"10.1.0.1:99", "consult.example", "Carabinieri", 403, RefusedNetwork},
		"no rule of its own":         {"10.9.0.1:99", "consult.example", "Procura", 200, ""},
		"no rule of its own, IPv6":   {"[2001:db8::1%eth0]:99", "consult.example", "Procura", 200, ""},
		"outside":                    {"192.0.2.1:99", "consult.example", "Procura", 403, RefusedAddress},
		"outside, a force's host":    {"192.0.2.2:99", "questura.example", "Questura", 403, RefusedAddress},
		"loopback, if it is not let": {"127.0.0.1:99", "consult.example", "Procura", 403, RefusedAddress},
		"the dpo":                    {"10.9.0.2:99", "consult.example", "", 200, ""},
		"no address":                 {"@", "consult.example", "", 403, RefusedAddress},
	} {
		h.told, h.acts = nil, nil
		status, p := h.from(c.addr, c.host, h.secrets[c.force])
		if status != c.status || strings.Join(h.told, " ") != c.told || status != 200 && (p.Error == "" || p.Hint == "") {
			t.Errorf("%s: %d %+v, told %q", name, status, p, h.told)
		}
		// What a secret was tried for from the wrong place is on the trail, sealed to its force.
		if recorded := c.told == RefusedHost || c.told == RefusedNetwork; recorded != (len(h.acts) == 1) ||
			recorded && (h.acts[0].Kind != "login-refused" || h.acts[0].User.Force != c.force) {
			t.Errorf("%s: on the trail %+v", name, h.acts)
		}
	}
}

// A listener that is closed to an address tells it nothing else, whatever it asks for.
func TestAClosedListenerIsClosedBeforeAnyLogin(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/", "/login", "/login/link?token=x", "/privacy", pages.Prefix + "base.css", "/nowhere"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "https://consult.example"+path, nil)
		r.RemoteAddr = "192.0.2.1:99"
		rw := httptest.NewRecorder()
		h.handler.ServeHTTP(rw, r)
		body := rw.Body.String()
		if rw.Code != http.StatusForbidden || !strings.Contains(body, "192.0.2.1") || strings.Contains(body, `href="/login"`) {
			t.Errorf("%s: %d %s", path, rw.Code, body)
		}
	}
}

// Who tries on from the wrong place has to wait, and cannot fill the trail; who is in
// the right one at the same address is let in.
func TestTheWrongPlaceIsLimited(t *testing.T) {
	h := newHouse(t)
	for range maxFailures + 5 {
		h.from("10.9.0.1:99", "consult.example", h.secrets["Carabinieri"])
	}
	if len(h.acts) != maxFailures {
		t.Errorf("%d entries", len(h.acts))
	}
	if status, _ := h.from("10.9.0.1:99", "consult.example", h.secrets["Carabinieri"]); status != http.StatusTooManyRequests {
		t.Errorf("answers %d", status)
	}
	if status, _ := h.from("10.9.0.1:99", "consult.example", h.secrets["Procura"]); status != http.StatusOK {
		t.Errorf("answers another force %d", status)
	}
}

func TestNobodyMixesRoles(t *testing.T) {
	b := newBench(t)
	all := []string{registry.RoleOps, registry.RoleAdmin, registry.RoleReferent, registry.RoleDPO, registry.RoleOfficer, registry.RoleForceAuditor, registry.RoleForceAdmin}
	for _, one := range all {
		for _, other := range all {
			_, err := New(Options{Registry: b.reg, Face: pages.FaceOps, Roles: []string{one, other}, PublicURL: "http://localhost", Secret: make([]byte, 32), Record: b.record, Log: logger(t)})
			mixed := registry.OfForce(one) != registry.OfForce(other) && one != registry.RoleDPO && other != registry.RoleDPO
			if (err != nil) != mixed {
				t.Errorf("a listener for %s and %s: %v", one, other, err)
			}
		}
	}
}
