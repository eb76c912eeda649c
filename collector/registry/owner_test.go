package registry

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// owned is a register with its keys, and a site that shares one camera; code is
// its owner's.
func owned(t *testing.T, path string) (r *Registry, s *sender, code protocol.Code) {
	t.Helper()
	r = openAt(t, path)
	s = enrol(t, r, noon)
	return r, s, s.say(noon, declaration(camera(1, "Ingresso"))).OwnerCode
}

// opens is whose code it is; "" nobody's.
func opens(t *testing.T, r *Registry, code protocol.Code) string {
	t.Helper()
	site, _, err := r.OwnedSite(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func (s *sender) act(what protocol.SiteState, at time.Time) {
	s.t.Helper()
	if err := s.r.Act(context.Background(), s.site, what, at); err != nil {
		s.t.Fatal(err)
	}
}

// Every receipt of the site carries the same code, the register keeps a hash of
// it, and another start gives it again.
func TestOwnerCode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	r, s, code := owned(t, path)
	if code == (protocol.Code{}) || opens(t, r, code) != s.site {
		t.Fatalf("the receipt's code is that of site %q", opens(t, r, code))
	}
	m := s.next(noon.Add(time.Hour), protocol.Observation{})
	for range 2 { // the second is a duplicate
		if receipt, err := s.deliver(m, noon.Add(time.Hour)); err != nil || receipt.OwnerCode != code || receipt.SiteID != s.site {
			t.Errorf("another code, or of site %s: %v", receipt.SiteID, err)
		}
	}
	if other := enrol(t, r, noon); other.say(noon, declaration()).OwnerCode == code {
		t.Error("two sites have one code")
	}
	for _, text := range []string{code.String(), code.String()[:9]} {
		if n := inFiles(t, r, []byte(text)); n > 0 {
			t.Errorf("the code stands %d times in the files", n)
		}
	}
	if opens(t, r, protocol.NewCode()) != "" {
		t.Error("a code that nobody was given opens a site")
	}
	// A register of before has no hash yet: the next receipt keeps it.
	if _, err := r.write.ExecContext(t.Context(), "UPDATE sites SET owner_hash = NULL"); err != nil {
		t.Fatal(err)
	}
	if s.say(noon.Add(2*time.Hour), protocol.Observation{}).OwnerCode != code || opens(t, r, code) != s.site {
		t.Error("the code of a site of before is not kept")
	}
	r.ownerKey = bytes.Repeat([]byte{1}, 32)
	if opens(t, r, code) != "" {
		t.Error("the hash does not depend on the key")
	}
}

// Who speaks for the site no more learns no code, nor does who withdraws it, and
// the next owner's is another one.
func TestOwnerCodeIsForWhoSpeaksForTheSite(t *testing.T) {
	r, s, code := owned(t, filepath.Join(t.TempDir(), "registry.db"))
	last := s.next(noon.Add(time.Minute), protocol.Observation{})
	if _, err := s.deliver(last, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if receipt := s.say(noon.Add(time.Hour), withdrawal()); receipt.OwnerCode != (protocol.Code{}) {
		t.Error("a withdrawal's receipt carries a code")
	}
	if opens(t, r, code) != "" {
		t.Error("the code outlives the withdrawal")
	}
	next := &sender{t: t, r: r, agent: id(77), key: [32]byte{7}, site: s.site}
	if _, err := r.Invite(t.Context(), Invitation{SiteID: s.site, Site: protocol.Site{Name: "Di nuovo"}, CodeHash: next.code("first"),
		ExpiresAt: noon.Add(24 * time.Hour), At: noon}); err != nil {
		t.Fatal(err)
	}
	next.redeem("first", noon.Add(2*time.Hour))
	other := next.say(noon.Add(2*time.Hour), declaration(camera(2, "Altro"))).OwnerCode
	if other == code || opens(t, r, other) != s.site || opens(t, r, code) != "" {
		t.Error("who adheres after a withdrawal has the code of before")
	}
	if receipt, err := s.deliver(last, noon.Add(3*time.Hour)); err != nil || !receipt.Duplicate || receipt.OwnerCode != (protocol.Code{}) {
		t.Errorf("the former agent is given the new owner's code: %v", err)
	}
}

// Suspended, the site is hidden and still listens; resumed, it is as before.
func TestOwnerSuspendsAndResumes(t *testing.T) {
	r, s, _ := owned(t, filepath.Join(t.TempDir(), "registry.db"))
	change, err := r.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.act(protocol.SiteSuspended, noon.Add(time.Hour))
	s.act(protocol.SiteSuspended, noon.Add(2*time.Hour)) // is so already
	if !s.history().Suspended {
		t.Error("its history does not say so")
	}
	if now, err := r.LastChange(t.Context()); err != nil || now != change+1 {
		t.Errorf("the change feed went from %d to %d, %v", change, now, err)
	}
	if contacts, err := r.Contacts(t.Context(), []string{s.site}); err != nil || len(contacts) > 0 {
		t.Errorf("its contacts are revealed: %v", err)
	}
	s.say(noon.Add(3*time.Hour), declaration(camera(1, "Ingresso"), camera(2, "Retro")))
	own, err := r.Own(t.Context(), s.site)
	if err != nil || own.State != Suspended || !own.SuspendedAt.Equal(noon.Add(time.Hour)) || len(own.Declared) != 2 || len(own.Contacts) != 1 || !own.Since.Equal(noon) {
		t.Errorf("%+v, %v", own, err)
	}
	if c, err := r.Counts(t.Context()); err != nil || c.Suspended != 1 || c.Sharing != 0 {
		t.Errorf("counted %+v, %v", c, err)
	}
	s.act(protocol.SiteResumed, noon.Add(4*time.Hour))
	s.act(protocol.SiteResumed, noon.Add(5*time.Hour))
	if own, err = r.Own(t.Context(), s.site); err != nil || own.State != Sharing || !own.SuspendedAt.IsZero() || s.history().Suspended {
		t.Errorf("%+v, %v", own, err)
	}
	want := []ownerAct{{protocol.SiteSuspended, noon.Add(time.Hour)}, {protocol.SiteResumed, noon.Add(4 * time.Hour)}}
	if !slices.Equal(own.Acts, want) {
		t.Errorf("acts %v", own.Acts)
	}
	if told := s.told(); !slices.Equal(told, []protocol.SiteState{protocol.SiteSuspended, protocol.SiteResumed}) {
		t.Errorf("the agent is told %v", told)
	}
	if err := r.Act(t.Context(), s.site, "other", noon); err == nil {
		t.Error("an act that there is not is done")
	}
}

// told are the site's changes that wait for the agent.
func (s *sender) told() (states []protocol.SiteState) {
	s.t.Helper()
	waiting, _, err := s.r.Waiting(context.Background(), s.agent, noon.Add(24*time.Hour), 0)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range waiting {
		states = append(states, n.Body.(protocol.SiteChange).State)
	}
	return states
}

// Withdrawn with the owner's code, the site is gone as by its agent; what the
// agent still says is refused, and it is told why.
func TestOwnerWithdraws(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	r, s, code := owned(t, path)
	s.say(noon.Add(time.Minute), marked("sentinelOwner", 20))
	cookie := [32]byte{3}
	if err := r.AddOwnerSession(t.Context(), cookie, s.site, noon.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Invite(t.Context(), Invitation{SiteID: s.site, CodeHash: s.code("before"), ExpiresAt: noon.Add(24 * time.Hour), At: noon}); err != nil {
		t.Fatal(err)
	}
	s.act(protocol.SiteSuspended, noon.Add(time.Hour))
	before := stolen(t, r, s.site)
	s.act(protocol.SiteWithdrawn, noon.Add(2*time.Hour))
	before.gone(t)
	if h := s.history(); !h.Withdrawn || h.Suspended || len(h.Cameras)+len(h.Sites) > 0 {
		t.Errorf("history %+v", h)
	}
	if _, ok, err := r.OwnerSession(t.Context(), cookie, noon); err != nil || ok || opens(t, r, code) != "" {
		t.Errorf("the session or the code outlives the withdrawal: %v", err)
	}
	if _, err := r.Own(t.Context(), s.site); !errors.Is(err, ErrUnknownSite) {
		t.Errorf("its owner still reads it: %v", err)
	}
	if err := r.Act(t.Context(), s.site, protocol.SiteResumed, noon); !errors.Is(err, ErrUnknownSite) {
		t.Errorf("it is resumed: %v", err)
	}
	for name, body := range map[string]protocol.Body{"declaration": declaration(camera(1, "Tardi")), "observation": protocol.Observation{}, "withdrawal": withdrawal()} {
		if _, err := s.deliver(s.next(noon.Add(3*time.Hour), body), noon.Add(3*time.Hour)); !errors.Is(err, ingest.ErrNotGranted) {
			t.Errorf("a %s after it: %v", name, err)
		}
	}
	if _, err := r.Redeem(t.Context(), redemption(s, "before")); err == nil {
		t.Error("a code from before the withdrawal brings the site back")
	}
	if told := s.told(); !slices.Equal(told, []protocol.SiteState{protocol.SiteWithdrawn}) { // what waited before is closed
		t.Errorf("the agent is told %v", told)
	}
	var acts int
	if err := r.read.QueryRowContext(t.Context(), "SELECT count(*) FROM acts WHERE author = 'owner' AND reason <> 'declared' AND site_id = ?", s.site).Scan(&acts); err != nil || acts != 2 {
		t.Errorf("%d acts stand in the history, %v", acts, err)
	}
}

func TestOwnerSession(t *testing.T) {
	r, s, _ := owned(t, filepath.Join(t.TempDir(), "registry.db"))
	a, b := [32]byte{1}, [32]byte{2}
	for _, hash := range [][32]byte{a, b} {
		if err := r.AddOwnerSession(t.Context(), hash, s.site, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	found := func(hash [32]byte, at time.Time) bool {
		t.Helper()
		site, ok, err := r.OwnerSession(t.Context(), hash, at)
		if err != nil || ok != (site == s.site) {
			t.Errorf("session of %q, %v", site, err)
		}
		return ok
	}
	if !found(a, noon) || found(a, noon.Add(time.Hour)) || found([32]byte{3}, noon) {
		t.Error("not found, or found after its end")
	}
	if err := r.DropOwnerSession(t.Context(), a); err != nil || found(a, noon) || !found(b, noon) {
		t.Errorf("ended one, %v", err)
	}
	if err := r.DropExpired(t.Context(), noon.Add(2*time.Hour)); err != nil || found(b, noon) {
		t.Errorf("the expired one is still there, %v", err)
	}
}

// The code ends with a withdrawal that leaves what another agent declares, too:
// that may be the next owner's, whom the one before must not open or withdraw.
func TestOwnerCodeEndsWhereTheSiteStays(t *testing.T) {
	r, s, code := owned(t, filepath.Join(t.TempDir(), "registry.db"))
	cookie := [32]byte{4}
	if err := r.AddOwnerSession(t.Context(), cookie, s.site, noon.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	late := s.next(noon.Add(time.Minute), withdrawal())
	next := beside(t, s, noon.Add(time.Hour), nil)
	if next.say(noon.Add(time.Hour), says("next", on(1002, camera(2, "Cortile")))).OwnerCode != code {
		t.Fatal("two agents of one site have two codes")
	}
	receipt, err := s.deliver(late, noon.Add(2*time.Hour))
	if err != nil || !receipt.SiteStays || receipt.OwnerCode != (protocol.Code{}) {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if _, ok, err := r.OwnerSession(t.Context(), cookie, noon); err != nil || ok || opens(t, r, code) != "" {
		t.Errorf("who withdrew still opens the site: %v", err)
	}
	if own, err := r.Own(t.Context(), s.site); err != nil || len(own.Declared) != 1 {
		t.Errorf("what stays: %+v, %v", own, err)
	}
	fresh := next.say(noon.Add(3*time.Hour), protocol.Observation{}).OwnerCode
	if fresh == code || opens(t, r, fresh) != s.site {
		t.Error("the next receipt brings no code of its own")
	}
}
