package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"anagrafe/collector/trail"
	"anagrafe/protocol"
)

// It is long because it is one way, step by step.
func TestUsers(t *testing.T) {
	r := openNew(t)
	ctx := t.Context()
	if err := r.AddForce(ctx, "Questura", "age1abc"); err != nil {
		t.Fatal(err)
	}
	if err := r.AddForce(ctx, "Questura", "age1abc"); err != nil {
		t.Error("the same force again:", err)
	}
	if err := r.AddForce(ctx, "Questura", "age1other"); !errors.Is(err, ErrExists) {
		t.Error("another recipient:", err)
	}
	if f, ok, err := r.Force(ctx, "Questura"); !ok || err != nil || f.Recipient != "age1abc" {
		t.Error(f, ok, err)
	}
	if _, ok, err := r.Force(ctx, "Carabinieri"); ok || err != nil {
		t.Error(ok, err)
	}

	officer := User{ID: id(1), Name: "Rossi", Role: RoleOfficer, Force: "Questura", Qualification: "ufficiale di PG", SecretHash: sha256.Sum256([]byte("s")), At: noon}
	if err := r.AddUser(ctx, officer); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		user User
		want error
	}{
		"same name":                  {User{ID: id(2), Name: "Rossi", Role: RoleOps}, ErrExists},
		"same id":                    {User{ID: id(1), Name: "Bianchi", Role: RoleOps}, ErrExists},
		"force not known":            {User{ID: id(2), Name: "Bianchi", Role: RoleOfficer, Force: "Vigili"}, ErrUnknownForce},
		"officer without a force":    {User{ID: id(2), Name: "Bianchi", Role: RoleOfficer}, nil},
		"ops of a force":             {User{ID: id(2), Name: "Bianchi", Role: RoleOps, Force: "Questura"}, nil},
		"an auditor's qualification": {User{ID: id(2), Name: "Bianchi", Role: RoleForceAuditor, Force: "Questura", Qualification: Ufficiale}, nil},
		"no such role":               {User{ID: id(2), Name: "Bianchi", Role: "root"}, nil},
		"no name":                    {User{ID: id(2), Role: RoleOps}, nil},
	} {
		if err := r.AddUser(ctx, test.user); err == nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Two users without a credential file do not collide.
	for n := range 2 {
		if err := r.AddUser(ctx, User{ID: id(10 + n), Name: fmt.Sprint("Admin ", n), Role: RoleAdmin, At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := r.UserBySecret(ctx, [32]byte{}); ok || err != nil {
		t.Error("no secret is a secret:", ok, err)
	}
	if u, ok, err := r.UserBySecret(ctx, officer.SecretHash); !ok || err != nil || u != officer {
		t.Errorf("%+v %v %v", u, ok, err)
	}

	hash := func(s string) [32]byte { return sha256.Sum256([]byte(s)) }
	soon, later := noon.Add(time.Minute), noon.Add(time.Hour)
	for _, s := range []string{"used", "stale", "of the revoked"} {
		if err := r.AddLink(ctx, hash(s), officer.ID, later); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.AddLink(ctx, hash("orphan"), id(99), later); err == nil {
		t.Error("a link for nobody")
	}
	if u, ok, err := r.ConsumeLink(ctx, hash("used"), soon); !ok || err != nil || u != officer {
		t.Errorf("%+v %v %v", u, ok, err)
	}
	if _, ok, err := r.ConsumeLink(ctx, hash("used"), soon); ok || err != nil {
		t.Error("used twice:", ok, err)
	}
	if _, ok, err := r.ConsumeLink(ctx, hash("stale"), later); ok || err != nil {
		t.Error("used after its end:", ok, err)
	}

	if err := r.AddSession(ctx, hash("two"), Session{ID: "two", UserID: officer.ID, Face: "consult", At: noon, Until: later}); err != nil {
		t.Fatal(err)
	}
	if err := r.AddLink(ctx, hash("of the revoked"), officer.ID, later); err != nil {
		t.Fatal(err) // the late consumption above swept the first
	}

	if err := r.RevokeUser(ctx, officer.ID, soon); err != nil {
		t.Fatal(err)
	}
	if err := r.RevokeUser(ctx, id(99), soon); !errors.Is(err, ErrUnknownUser) {
		t.Error(err)
	}
	if _, ok, _ := r.UserBySecret(ctx, officer.SecretHash); ok {
		t.Error("credential of a revoked user")
	}
	if _, _, ok, _ := r.Session(ctx, hash("two"), "consult", soon, time.Hour); ok {
		t.Error("session of a revoked user")
	}
	if _, ok, _ := r.ConsumeLink(ctx, hash("of the revoked"), soon); ok {
		t.Error("link of a revoked user")
	}
	if err := r.AddLink(ctx, hash("after"), officer.ID, later); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := r.ConsumeLink(ctx, hash("after"), soon); ok {
		t.Error("a link made after the revocation")
	}
	users, err := r.Users(ctx)
	if err != nil || len(users) != 3 || !users[2].RevokedAt.Equal(soon) {
		t.Errorf("%+v, %v", users, err)
	}
	if err := r.DropExpired(ctx, later); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := r.read.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM links)").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d expired sessions and links are kept, %v", left, err)
	}
}

func TestTrailRows(t *testing.T) {
	r := openNew(t)
	s, ctx := trailStore{r}, t.Context()
	add := func(batch trail.Batch) error {
		return s.Append(ctx, func(context.Context, trail.State) (trail.Batch, error) { return batch, nil })
	}
	if err := add(trail.Batch{Checkpoint: []byte("empty tree")}); err != nil {
		t.Fatal(err)
	}
	b := func(texts ...string) (all [][]byte) {
		for _, text := range texts {
			all = append(all, []byte(text))
		}
		return all
	}
	if err := add(trail.Batch{Headers: b("h0", "h1"), Bodies: [][]byte{[]byte("b0"), nil}, HashIndexes: []int64{0, 1, 2}, Hashes: b("x", "y", "z"), Checkpoint: []byte("c2")}); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"a hash twice":    add(trail.Batch{Headers: b("h"), Bodies: b("b"), HashIndexes: []int64{2}, Hashes: b("w"), Checkpoint: []byte("c")}),
		"unequal lengths": add(trail.Batch{Headers: b("h"), Checkpoint: []byte("c")}),
		"what next refuses": s.Append(ctx, func(context.Context, trail.State) (trail.Batch, error) {
			return trail.Batch{Headers: b("h"), Bodies: b("b"), Checkpoint: []byte("c")}, errors.New("refused")
		}),
	} {
		if err == nil {
			t.Errorf("appended %s", name)
		}
	}
	if err := add(trail.Batch{}); err != nil {
		t.Error(err)
	}
	if err := s.Append(ctx, func(ctx context.Context, now trail.State) (trail.Batch, error) {
		hashes, err := now.Hashes(ctx, []int64{2, 0})
		if now.Size != 2 || string(now.Checkpoint) != "c2" || err != nil || string(hashes[0]) != "z" || string(hashes[1]) != "x" {
			t.Errorf("%d %q %q %v", now.Size, now.Checkpoint, hashes, err)
		}
		return trail.Batch{}, nil
	}); err != nil {
		t.Error(err)
	}
	headers, bodies, err := s.Entries(ctx, 0, 100)
	if err != nil || len(headers) != 2 || !bytes.Equal(headers[1], []byte("h1")) || !bytes.Equal(bodies[0], []byte("b0")) || len(bodies[1]) != 0 {
		t.Errorf("%q %q %v", headers, bodies, err)
	}
	if hashes, err := s.Hashes(ctx, []int64{2, 0}); err != nil || string(hashes[0]) != "z" || string(hashes[1]) != "x" {
		t.Errorf("%q %v", hashes, err)
	}
	if _, err := s.Hashes(ctx, []int64{3}); err == nil {
		t.Error("a hash that is not there")
	}
	if c, err := s.Checkpoint(ctx); string(c) != "c2" || err != nil {
		t.Errorf("%q %v", c, err)
	}
	for _, q := range []string{"DELETE FROM trail_entries", "UPDATE trail_entries SET header = body", "UPDATE trail_entries SET number = 9 WHERE number = 0"} {
		if _, err := r.write.ExecContext(t.Context(), q); err == nil {
			t.Errorf("%s was done", q)
		}
	}
}

func TestChangeFeed(t *testing.T) {
	r := openNew(t)
	a, b := enrol(t, r, noon), enrol(t, r, noon)
	if sites, last, err := r.ChangedSites(t.Context(), 0, 10); len(sites) != 0 || last != 0 || err != nil {
		t.Fatal(sites, last, err)
	}
	a.say(noon, declaration(camera(1, "Uno")))
	b.say(noon, declaration(camera(1, "Uno")))
	sites, last, err := r.ChangedSites(t.Context(), 0, 10)
	if err != nil || !equal(sites, []string{a.site, b.site}) {
		t.Fatal(sites, last, err)
	}
	a.say(noon, withdrawal())
	if sites, next, err := r.ChangedSites(t.Context(), last, 10); err != nil || !equal(sites, []string{a.site}) || next <= last {
		t.Error(sites, next, err)
	}
	// The number of the newest change is gone from the table when its site
	// changes again, and must not come back for another.
	first, one, err := r.ChangedSites(t.Context(), 0, 1)
	if err != nil || !equal(first, []string{b.site}) {
		t.Error(first, err)
	}
	if rest, end, err := r.ChangedSites(t.Context(), one, 1); err != nil || !equal(rest, []string{a.site}) {
		t.Error(rest, err)
	} else if newest, err := r.LastChange(t.Context()); newest != end || err != nil {
		t.Error(newest, end, err)
	}
}

// Writers and readers at once; run with -race. Every history read is one that
// stood: of one declaration, never of parts of two.
func TestWritersAndReaders(t *testing.T) {
	r := openNew(t)
	var senders []*sender
	for range 4 {
		senders = append(senders, enrol(t, r, noon))
	}
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for _, s := range senders {
		writers.Go(func() {
			for n := range 12 {
				name := fmt.Sprint("declared ", n)
				d := declaration(camera(1, name), camera(2, name))
				d.Site.Name = name
				m := s.next(noon.Add(time.Duration(n)*time.Second), d)
				if n == 11 {
					m.Body = withdrawal()
				}
				raw, err := protocol.Encode(m)
				if err == nil {
					_, err = r.Record(t.Context(), s.agent, m, raw, noon.Add(time.Hour))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 3 {
		readers.Go(func() {
			for n := 0; ; n++ {
				h, err := r.History(t.Context(), senders[n%len(senders)].site, time.Time{})
				if err != nil {
					t.Error(err)
					return
				}
				if len(h.Sites) > 0 {
					want := h.Sites[len(h.Sites)-1].Value.Name
					if got := names(h); !equal(got, []string{want, want}) {
						t.Errorf("site %q with cameras %q", want, got)
					}
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if c, err := r.Counts(t.Context()); err != nil || c.Withdrawn != len(senders) {
		t.Errorf("%+v %v", c, err)
	}
}
