package registry

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func hashOf(s string) [32]byte { return sha256.Sum256([]byte(s)) }

// person adds an ops user, and gives them.
func person(t *testing.T, r *Registry, n int) User {
	t.Helper()
	u := User{ID: id(n), Name: fmt.Sprint("Operatore ", n), Role: RoleOps, At: noon}
	if err := r.AddUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestSessions(t *testing.T) {
	r := openNew(t)
	ctx := t.Context()
	u, other := person(t, r, 1), person(t, r, 2)
	const idle = 30 * time.Minute
	begin := func(name string, u User) {
		t.Helper()
		if err := r.AddSession(ctx, hashOf(name), Session{ID: name, UserID: u.ID, Face: "ops", How: "passkey", At: noon, Until: noon.Add(2 * time.Hour),
			From: "192.0.2.7", Browser: "Firefox, Linux"}); err != nil {
			t.Fatal(err)
		}
	}
	goesOn := func(name, face string, at time.Duration) bool {
		t.Helper()
		got, s, ok, err := r.Session(ctx, hashOf(name), face, noon.Add(at), idle)
		if ok {
			err = errors.Join(err, r.UseSession(ctx, s, noon.Add(at)))
		}
		if err != nil || ok && (got.ID != s.UserID || s.ID != name || s.How != "passkey" || !s.At.Equal(noon)) {
			t.Errorf("%s: %+v %+v %v", name, got, s, err)
		}
		return ok
	}
	begin("one", u)
	begin("asked for", person(t, r, 3))
	for _, at := range []time.Duration{20 * time.Minute, 30 * time.Minute} { // to be looked at is no use
		if _, _, ok, err := r.Session(ctx, hashOf("asked for"), "ops", noon.Add(at), idle); ok != (at < idle) || err != nil {
			t.Errorf("unused for %v: %v %v", at, ok, err)
		}
	}
	begin("two", u)
	begin("theirs", other)
	for _, c := range []struct {
		name, face string
		at         time.Duration
		want       bool
	}{
		{"one", "ops", 29 * time.Minute, true}, // used: goes on from here
		{"one", "consult", 30 * time.Minute, false},
		{"one", "ops", 58 * time.Minute, true},
		{"two", "ops", 30 * time.Minute, false}, // lay unused
		{"none", "ops", 0, false},
		{"one", "ops", 87 * time.Minute, true},
		{"one", "ops", 115 * time.Minute, true},
		{"one", "ops", 120 * time.Minute, false}, // its end, used or not
	} {
		if got := goesOn(c.name, c.face, c.at); got != c.want {
			t.Errorf("%s on %s after %v: %v", c.name, c.face, c.at, got)
		}
	}
	if all, err := r.Sessions(ctx, u.ID, noon.Add(116*time.Minute), idle); err != nil || len(all) != 1 ||
		all[0].From != "192.0.2.7" || all[0].Browser != "Firefox, Linux" || !all[0].SeenAt.Equal(noon.Add(115*time.Minute)) {
		t.Errorf("%+v %v", all, err)
	}
	if ok, err := r.EndSession(ctx, u.ID, "theirs"); ok || err != nil {
		t.Error("ended somebody else's session", err)
	}
	if ok, err := r.EndSession(ctx, other.ID, "theirs"); !ok || err != nil || goesOn("theirs", "ops", 0) {
		t.Error("a session that was ended goes on", ok, err)
	}
	if err := r.AddLink(ctx, hashOf("link"), u.ID, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n, err := r.EndSessions(ctx, u.ID, "two"); n != 1 || err != nil || goesOn("one", "ops", 0) || !goesOn("two", "ops", 0) {
		t.Error("all others end, and this one does not:", n, err)
	}
	if _, ok, err := r.ConsumeLink(ctx, hashOf("link"), noon); ok || err != nil {
		t.Error("a link outlives the end of all sessions", err)
	}
	if err := r.DropSession(ctx, hashOf("two")); err != nil || goesOn("two", "ops", 0) {
		t.Error("dropped, and goes on", err)
	}
	begin("late", u)
	if err := r.DropExpired(ctx, noon.Add(2*time.Hour)); err != nil || goesOn("late", "ops", 0) {
		t.Error("its row is kept", err)
	}
}

func TestPasskeys(t *testing.T) {
	r := openNew(t)
	ctx := t.Context()
	u, other := person(t, r, 1), person(t, r, 2)
	key := func(id string, u User) Passkey {
		return Passkey{ID: []byte(id), UserID: u.ID, RP: "ops.example", Name: "Telefono di servizio", Record: []byte("record of " + id), At: noon}
	}
	add := func(p Passkey) error { t.Helper(); return r.AddPasskey(ctx, p) }
	if ok, err := r.SignsIn(ctx, u.ID); ok || err != nil {
		t.Error("signs in without anything", err)
	}
	if err := add(key("a", u)); err != nil {
		t.Fatal(err)
	}
	if ok, err := r.SignsIn(ctx, u.ID); !ok || err != nil {
		t.Error("does not sign in", err)
	}
	if err := add(key("a", other)); !errors.Is(err, ErrExists) {
		t.Error("an id twice:", err)
	}
	nobody := key("b", u)
	nobody.UserID = id(99)
	if err := add(nobody); !errors.Is(err, ErrUnknownUser) {
		t.Error("of nobody:", err)
	}
	if ok, err := r.DropPasskey(ctx, u.ID, []byte("a"), true); ok || !errors.Is(err, ErrLast) {
		t.Error("the last one was removed:", ok, err)
	}
	elsewhere := key("c", u)
	elsewhere.RP = "consult.example"
	if err := errors.Join(add(key("b", u)), add(elsewhere)); err != nil {
		t.Fatal(err)
	}
	if ok, err := r.DropPasskey(ctx, other.ID, []byte("a"), false); ok || err != nil {
		t.Error("somebody else's was removed:", ok, err)
	}
	all, err := r.Passkeys(ctx, u.ID, "ops.example")
	if err != nil || len(all) != 2 || all[0].Name != "Telefono di servizio" || string(all[0].Record) != "record of a" || !all[0].UsedAt.IsZero() {
		t.Fatalf("%+v %v", all, err)
	}
	all[0].Record = []byte("counted")
	if ok, err := r.UsePasskey(ctx, all[0], noon.Add(time.Hour)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if again, err := r.Passkeys(ctx, u.ID, "ops.example"); err != nil || string(again[0].Record) != "counted" || !again[0].UsedAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v %v", again, err)
	}
	if ok, err := r.DropPasskey(ctx, u.ID, []byte("a"), true); !ok || err != nil {
		t.Error("not removed:", ok, err)
	}
	if ok, err := r.UsePasskey(ctx, all[0], noon); ok || err != nil {
		t.Error("a removed one was used:", ok, err)
	}
	for n := 1; n < maxPasskeys; n++ {
		if err := add(key(fmt.Sprint("n", n), u)); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(key("more", u)); !errors.Is(err, ErrTooMany) {
		t.Error("one more than there may be:", err)
	}
	if err := r.RevokeUser(ctx, u.ID, noon); err != nil {
		t.Fatal(err)
	}
	if all, err := r.Passkeys(ctx, u.ID, "ops.example"); err != nil || len(all) != 0 {
		t.Error("a revoked user's passkeys:", len(all), err)
	}
	if err := add(key("late", u)); !errors.Is(err, ErrUnknownUser) {
		t.Error("of a revoked user:", err)
	}
}

// What tells more of a person than that they are a user stands nowhere in clear.
func TestLoginRowsAreSealed(t *testing.T) {
	r := openNew(t)
	ctx := t.Context()
	u := person(t, r, 1)
	words := []string{"Telefono-spia", "chiave-spia", "198.51.100.77", "Browser-spia", "sfida-spia"}
	err := errors.Join(
		r.AddPasskey(ctx, Passkey{ID: []byte("a"), UserID: u.ID, RP: "ops.example", Name: words[0], Record: []byte(words[1]), At: noon}),
		r.AddSession(ctx, hashOf("s"), Session{ID: "s", UserID: u.ID, Face: "ops", How: "link", At: noon, Until: noon.Add(time.Hour), From: words[2], Browser: words[3]}),
		r.AddCeremony(ctx, hashOf("c"), words[4], noon.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"SELECT body FROM passkeys", "SELECT body FROM sessions", "SELECT body FROM ceremonies"} {
		var body []byte
		if err := r.read.QueryRowContext(ctx, q).Scan(&body); err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if bytes.Contains(body, []byte(w)) || strings.Contains(string(body), `"name"`) {
				t.Errorf("%s holds %q", q, w)
			}
		}
	}
}

func TestCeremonies(t *testing.T) {
	r := openNew(t)
	ctx := t.Context()
	for _, name := range []string{"one", "late"} {
		if err := r.AddCeremony(ctx, hashOf(name), map[string]string{"challenge": name}, noon.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	var got map[string]string
	if ok, err := r.ConsumeCeremony(ctx, hashOf("one"), noon, &got); !ok || err != nil || got["challenge"] != "one" {
		t.Error(ok, got, err)
	}
	if ok, err := r.ConsumeCeremony(ctx, hashOf("one"), noon, &got); ok || err != nil {
		t.Error("used twice", err)
	}
	if ok, err := r.ConsumeCeremony(ctx, hashOf("late"), noon.Add(time.Minute), &got); ok || err != nil {
		t.Error("used after its end", err)
	}
	if ok, err := r.ConsumeCeremony(ctx, hashOf("none"), noon, &got); ok || err != nil {
		t.Error("one that never was", err)
	}
}

func TestIdentities(t *testing.T) {
	r := openNew(t)
	ctx := t.Context()
	for _, f := range []string{"Questura", "Carabinieri"} {
		if err := r.AddForce(ctx, f, "age1abc"); err != nil {
			t.Fatal(err)
		}
	}
	taken := person(t, r, 1)
	say := User{ID: id(2), Name: taken.Name, Role: RoleOfficer, Force: "Questura", Qualification: "agente", At: noon}
	first, err := r.SignInIdentity(ctx, hashOf("subject"), say)
	if err != nil || first.ID != id(2) || first.Name != taken.Name+" "+id(2)[:8] || first.Force != "Questura" {
		t.Fatalf("%+v %v", first, err)
	}
	if ok, err := r.SignsIn(ctx, first.ID); !ok || err != nil {
		t.Error("an identity is no way in:", err)
	}
	begin := func() {
		t.Helper()
		if err := r.AddSession(ctx, hashOf("s"), Session{ID: "s", UserID: first.ID, Face: "consult", At: noon, Until: noon.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	open := func() bool {
		_, _, ok, err := r.Session(ctx, hashOf("s"), "consult", noon, time.Hour)
		return ok && err == nil
	}
	begin()
	say.ID = id(3)
	if again, err := r.SignInIdentity(ctx, hashOf("subject"), say); err != nil || again != first || !open() {
		t.Errorf("the same rights: %+v %v, goes on: %v", again, err, open())
	}
	say.Role, say.Force, say.Qualification = RoleForceAuditor, "Carabinieri", ""
	moved, err := r.SignInIdentity(ctx, hashOf("subject"), say)
	if err != nil || moved.ID != first.ID || moved.Role != RoleForceAuditor || moved.Force != "Carabinieri" || open() {
		t.Errorf("other rights: %+v %v, goes on: %v", moved, err, open())
	}
	if got, ok, err := r.UserByID(ctx, first.ID); !ok || err != nil || got != moved {
		t.Errorf("%+v %v %v", got, ok, err)
	}
	say.Force = "Vigili"
	if _, err := r.SignInIdentity(ctx, hashOf("subject"), say); !errors.Is(err, ErrUnknownForce) {
		t.Error("a force that is not there:", err)
	}
	say.Role, say.Force = RoleOps, "Questura"
	if _, err := r.SignInIdentity(ctx, hashOf("subject"), say); err == nil {
		t.Error("the Comune's and a force's at once")
	}
	if err := r.RevokeUser(ctx, first.ID, noon); err != nil {
		t.Fatal(err)
	}
	say.Role = RoleOfficer
	if _, err := r.SignInIdentity(ctx, hashOf("subject"), say); !errors.Is(err, ErrRevoked) {
		t.Error("a revoked user:", err)
	}
}
