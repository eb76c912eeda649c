package registry

import (
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

func redemption(s *sender, code string) ingest.Redemption {
	return ingest.Redemption{CodeHash: s.code(code), KeyHash: s.key, AgentID: s.agent, AgentVersion: "1.0", At: noon.Add(time.Hour)}
}

func TestRedeem(t *testing.T) {
	r := openNew(t)
	code := func(name string) [32]byte { return sha256.Sum256([]byte(name)) }
	invite := func(name, siteID string, at time.Time) string {
		t.Helper()
		site, err := r.Invite(t.Context(), Invitation{SiteID: siteID, Site: protocol.Site{Name: name, Category: "shop", Address: "Via " + name},
			CodeHash: code(name), ExpiresAt: at.Add(14 * 24 * time.Hour), At: at})
		if err != nil {
			t.Fatal(err)
		}
		return site
	}
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	bar := invite("bar", "", noon)
	deposit := invite("deposit", "", noon)
	invite("bar again", bar, noon)
	invite("old", "", noon.AddDate(0, 0, -20))
	invite("for the revoked", "", noon)

	agents := map[string]string{"a": uuid.NewString(), "b": uuid.NewString(), "c": uuid.NewString()}
	grantOf := func(agent, site, name string, from time.Time) protocol.Grant {
		return protocol.Grant{AgentID: agents[agent], SiteID: site, SiteName: name, Category: "shop", Address: "Via " + name, Epoch: from.Unix(), From: from}
	}
	beside := func(g protocol.Grant) protocol.Grant { g.Others = 1; return g }
	steps := []struct {
		name, code, key string
		at              time.Time
		want            protocol.Grant
		err             error
	}{
		{"a code nobody gave", "none", "a", noon, protocol.Grant{}, ingest.ErrUnknownCode},
		{"an expired code", "old", "a", noon, protocol.Grant{}, ingest.ErrExpiredCode},
		{"first use", "bar", "a", day(1), grantOf("a", bar, "bar", day(1)), nil},
		{"the answer got lost", "bar", "a", day(2), grantOf("a", bar, "bar", day(1)), nil},
		{"the answer got lost, asked again after the code's end", "bar", "a", day(15), grantOf("a", bar, "bar", day(1)), nil},
		{"another key", "bar", "b", day(1), protocol.Grant{}, ingest.ErrUsedCode},
		{"a known key, a further site", "deposit", "a", day(3), grantOf("a", deposit, "deposit", day(3)), nil},
		{"another agent for the same site", "bar again", "b", day(4), beside(grantOf("b", bar, "bar", day(4))), nil},
		{"the first agent's code, its grant goes on", "bar", "a", day(5), beside(grantOf("a", bar, "bar", day(1))), nil},
	}
	for _, s := range steps {
		got, err := r.Redeem(t.Context(), ingest.Redemption{CodeHash: code(s.code), KeyHash: code("key " + s.key), AgentID: agents[s.key], AgentVersion: "1.2", At: s.at})
		if !errors.Is(err, s.err) || got != s.want {
			t.Errorf("%s: %+v, %v\nwant %+v, %v", s.name, got, err, s.want, s.err)
		}
	}

	all, err := r.AgentRows(t.Context(), AgentFilter{}, AgentsByEnrolment, Window{Limit: 100})
	if err != nil || len(all) != 2 {
		t.Fatalf("agents: %+v, %v", all, err)
	}
	if a := all[1]; a.ID != agents["a"] || len(a.Sites) != 2 || a.Version != "1.2" {
		t.Errorf("first agent: %+v", a)
	}
	if err := r.Revoke(t.Context(), agents["a"], day(6)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Redeem(t.Context(), ingest.Redemption{CodeHash: code("for the revoked"), KeyHash: code("key a"), AgentID: agents["a"], At: day(6)}); !errors.Is(err, ingest.ErrRevoked) {
		t.Errorf("a revoked key redeems: %v", err)
	}
	if _, err := r.Redeem(t.Context(), ingest.Redemption{CodeHash: code("for the revoked"), KeyHash: code("key c"), AgentID: agents["b"], At: day(6)}); err == nil {
		t.Error("two keys share an agent id")
	}
	// The refused attempt did not use the code up.
	if _, err := r.Redeem(t.Context(), ingest.Redemption{CodeHash: code("for the revoked"), KeyHash: code("key c"), AgentID: agents["c"], At: day(6)}); err != nil {
		t.Error(err)
	}
}

// Of many keys that try one code at once, one gets it.
func TestRedeemRace(t *testing.T) {
	r := openNew(t)
	hash := sha256.Sum256([]byte("one"))
	if _, err := r.Invite(t.Context(), Invitation{Site: protocol.Site{Name: "Bar"}, CodeHash: hash, ExpiresAt: noon.Add(time.Hour), At: noon}); err != nil {
		t.Fatal(err)
	}
	won := redeemedAtOnce(t, func() error {
		name := uuid.NewString()
		_, err := r.Redeem(t.Context(), ingest.Redemption{CodeHash: hash, KeyHash: sha256.Sum256([]byte(name)), AgentID: name, At: noon})
		return err
	})
	if won != 1 {
		t.Errorf("%d keys got the code", won)
	}
}

func TestInviteRefuses(t *testing.T) {
	r := openNew(t)
	good := Invitation{Site: protocol.Site{Name: "Bar"}, CodeHash: sha256.Sum256([]byte("x")), ExpiresAt: noon.Add(time.Hour), At: noon}
	for name, with := range map[string]func(*Invitation){
		"without a name":           func(i *Invitation) { i.Site.Name = "" },
		"expired":                  func(i *Invitation) { i.ExpiresAt = noon },
		"a site that is not there": func(i *Invitation) { i.SiteID = uuid.NewString() },
	} {
		i := good
		with(&i)
		if _, err := r.Invite(t.Context(), i); err == nil {
			t.Errorf("invited %s", name)
		}
	}
	if _, err := r.Invite(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Invite(t.Context(), good); err == nil {
		t.Error("one code for two sites")
	}
	if c, err := r.Counts(t.Context()); err != nil || c.Invited != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestCertified(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	if err := r.Certified(t.Context(), s.agent, "0a1b", noon.AddDate(0, 0, 30)); err != nil {
		t.Fatal(err)
	}
	agents, err := r.AgentRows(t.Context(), AgentFilter{}, AgentsByEnrolment, Window{Limit: 100})
	if err != nil || agents[0].CertificateSerial != "0a1b" || !agents[0].CertificateUntil.Equal(noon.AddDate(0, 0, 30)) {
		t.Errorf("%+v, %v", agents, err)
	}
	if err := r.Certified(t.Context(), uuid.NewString(), "0a1b", noon); !errors.Is(err, ingest.ErrUnknownAgent) {
		t.Error(err)
	}
	if err := r.Admit(t.Context(), uuid.NewString()); !errors.Is(err, ingest.ErrUnknownAgent) {
		t.Error(err)
	}
	if err := r.Admit(t.Context(), s.agent); err != nil {
		t.Error(err)
	}
}

func TestSiteStates(t *testing.T) {
	r := openNew(t)
	if _, err := r.Invite(t.Context(), Invitation{Site: protocol.Site{Name: "Bar"}, CodeHash: sha256.Sum256([]byte("x")), ExpiresAt: noon.Add(time.Hour), At: noon}); err != nil {
		t.Fatal(err)
	}
	enrol(t, r, noon)
	sharing := enrol(t, r, noon)
	sharing.say(noon, declaration(camera(1, "Uno"), camera(2, "Due")))
	gone := enrol(t, r, noon)
	gone.say(noon, declaration(camera(1, "Uno")))
	gone.say(noon, withdrawal())
	c, err := r.Counts(t.Context())
	if want := (Counts{Invited: 1, Enrolled: 1, Sharing: 1, Withdrawn: 1, Cameras: 2, Agents: 3}); err != nil || c != want {
		t.Errorf("%+v, %v, want %+v", c, err, want)
	}
	sites, err := r.Sites(t.Context())
	if err != nil || len(sites) != 4 {
		t.Fatalf("%+v, %v", sites, err)
	}
	for _, s := range sites {
		if s.ID == sharing.site {
			if s.State != Sharing || s.Cameras != 2 || s.Name != "Farmacia Centrale" || s.AgentID != sharing.agent || !s.DeclaredAt.Equal(noon) {
				t.Errorf("%+v", s)
			}
		}
	}
	contacts, err := r.Contacts(t.Context(), []string{sharing.site, gone.site})
	if err != nil || len(contacts) != 1 || contacts[sharing.site][0].Name != "Anna" {
		t.Errorf("%+v, %v", contacts, err)
	}
	if _, err := r.Contacts(t.Context(), make([]string, maxContactSites+1)); err == nil {
		t.Error("no limit on the sites whose contacts are read")
	}
}

// An epoch is above all that were given for the site, also above those that the
// register has forgotten, since a copy of it was put back.
func TestEpochs(t *testing.T) {
	a := enrol(t, openNew(t), noon)
	want := noon.Unix()
	for _, c := range []struct {
		name string
		at   time.Time
		want int64
	}{
		{"first", noon, want},
		{"in the same second", noon, want + 1},
		{"later", noon.Add(time.Minute), want + 60},
		{"by a clock that was set back", noon.Add(-time.Hour), want + 61},
	} {
		if c.name != "first" {
			a.again(c.at, nil)
		}
		if a.epoch != c.want {
			t.Errorf("%s: %d, want %d", c.name, a.epoch, c.want)
		}
	}
}

// redeemedAtOnce is how many of eight get what one code gives; the others hear that it is used.
func redeemedAtOnce(t *testing.T, redeem func() error) (won int) {
	t.Helper()
	var wg sync.WaitGroup
	results := make(chan error, 8)
	for range cap(results) {
		wg.Go(func() { results <- redeem() })
	}
	wg.Wait()
	close(results)
	for err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, ingest.ErrUsedCode) {
			t.Error(err)
		}
	}
	return won
}
