package registry

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// typedCamera is one as the form has it: at the site's place, with a recorder.
func typedCamera(name string) SubmittedCamera {
	return SubmittedCamera{Recorder: protocol.Recorder{Name: "Registratore", Storage: protocol.StorageOnPremises},
		Camera: protocol.Camera{ID: uuid.NewString(), Name: name,
			Schedule:  protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome"},
			Retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour}}}
}

// typedWhole is a submission that only waits for the act.
func typedWhole(names ...string) Submission {
	s := typedBar()
	s.Place = protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}, Method: "address", AccuracyM: 20}
	for _, name := range names {
		s.Cameras = append(s.Cameras, typedCamera(name))
	}
	s.Identity = &Identity{Trust: protocol.TrustEmail, Address: "anna@example.it", At: noon}
	return s
}

// adhered is a site of a form, and what it was typed from.
func adhered(t *testing.T, r *Registry, s Submission, at time.Time) (siteID string) {
	t.Helper()
	siteID, err := r.Adhere(t.Context(), begin(t, r, s, at), "2 (2026-11-22)", at)
	if err != nil {
		t.Fatal(err)
	}
	return siteID
}

func historyOf(t *testing.T, r *Registry, siteID string) History {
	t.Helper()
	h, err := r.History(t.Context(), siteID, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A submission becomes an entry like any other: declared, with its trust, a receipt,
// an owner's code, a year of adhesion, and the acts of its owner. Nothing of the
// submission stays.
func TestAdhere(t *testing.T) {
	r := openNew(t)
	r.now = func() time.Time { return noon }
	s := typedWhole("Ingresso", "Cassa")
	own := protocol.Position{Point: protocol.Point{Lon: 9_191_000, Lat: 45_465_000}, Method: "typed"}
	s.Cameras[1].Camera.Position = own
	id := begin(t, r, s, noon.Add(-time.Hour))
	site, err := r.Adhere(t.Context(), id, "2 (2026-11-22)", noon)
	if err != nil {
		t.Fatal(err)
	}
	h := historyOf(t, r, site)
	if !equal(names(h), []string{"Cassa", "Ingresso"}) || h.Trust != string(protocol.TrustEmail) || len(h.Recorders) != 1 {
		t.Errorf("%+v", h)
	}
	for i, want := range []protocol.Point{s.Place.Point, own.Point} {
		c := h.Cameras[s.Cameras[i].Camera.ID][0].Camera
		if c.Position.Point != want || !c.OutdoorPublic.Yes || c.OutdoorPublic.By != "Anna Bianchi" {
			t.Errorf("%+v", c)
		}
		for _, f := range []protocol.Fact{c.NameFact, c.Position.Fact, c.View.Fact, c.Schedule.Fact, c.Retention.Fact} {
			if f.Source != protocol.Declared || !f.At.Equal(noon) {
				t.Errorf("fact %+v", f)
			}
		}
	}
	if _, err := r.Submission(t.Context(), id); !errors.Is(err, ErrUnknownSubmission) {
		t.Error(err)
	}
	receipt, err := r.HandReceipt(t.Context(), site, noon)
	if err != nil || receipt.Number == "" || !receipt.RecordedAt.Equal(noon) || receipt.Cameras != 2 || receipt.By != "Anna Bianchi" ||
		receipt.Notice != "2 (2026-11-22)" || receipt.RenewBy.Before(noon.AddDate(0, 11, 0)) {
		t.Errorf("%+v, %v", receipt, err)
	}
	if of, ok, err := r.OwnedSite(t.Context(), receipt.OwnerCode); of != site || !ok || err != nil {
		t.Error(of, ok, err)
	}
	all, err := r.Sites(t.Context())
	if err != nil || len(all) != 1 || all[0].State != Sharing || all[0].AgentID != "" {
		t.Errorf("%+v, %v", all, err)
	}
	if counts, err := r.Counts(t.Context()); counts.Agents != 0 || counts.Cameras != 2 || err != nil {
		t.Errorf("%+v, %v", counts, err)
	}
	if err := r.Renew(t.Context(), site, noon.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	for _, act := range []protocol.SiteState{protocol.SiteSuspended, protocol.SiteResumed, protocol.SiteWithdrawn} {
		if err := r.Act(t.Context(), site, act, noon.Add(time.Hour)); err != nil {
			t.Error(act, err)
		}
	}
	if _, err := r.HandReceipt(t.Context(), site, noon); !errors.Is(err, ErrTakenOver) {
		t.Error("a site that was withdrawn has a receipt:", err)
	}
}

// Nothing is recorded while nobody knows who adheres, or of what is no declaration; and
// the submission stays as it was.
func TestAdhereRefuses(t *testing.T) {
	r := openNew(t)
	for name, c := range map[string]struct {
		change func(s *Submission)
		want   func(error) bool
	}{
		"unconfirmed": {func(s *Submission) { s.Identity = nil }, func(err error) bool { return errors.Is(err, ErrUnconfirmed) }},
		"no place": {func(s *Submission) { s.Place = protocol.Position{} },
			func(err error) bool { _, ok := errors.AsType[protocol.FieldErrors](err); return ok }},
		"an invitation that there is not": {func(s *Submission) {
			s.Identity.Trust, s.Invitation = protocol.TrustInvitation, make([]byte, 32)
		}, func(err error) bool { return errors.Is(err, ErrInvitation) }},
		"a change of what it does not declare": {func(s *Submission) { s.Changes, s.SiteID = true, uuid.NewString() },
			func(err error) bool { return errors.Is(err, ErrTakenOver) }},
	} {
		s := typedWhole("Ingresso")
		c.change(&s)
		id := begin(t, r, s, noon)
		if _, err := r.Adhere(t.Context(), id, "", noon); err == nil || !c.want(err) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := r.Submission(t.Context(), id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, err := r.Sites(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("%+v, %v", all, err)
	}
}

// invite makes a code for a new site.
func invite(t *testing.T, r *Registry, siteID string, at time.Time) (string, protocol.Code) {
	t.Helper()
	code := protocol.NewCode()
	site, err := r.Invite(t.Context(), Invitation{Site: protocol.Site{Name: "Bar Sport", Category: "shop", Address: "Via Po 1"}, SiteID: siteID,
		CodeHash: code.Hash(), ExpiresAt: at.Add(CodeLife), At: at})
	if err != nil {
		t.Fatal(err)
	}
	return site, code
}

// An invitation code stands for the identity: it brings the invited site's name, is used
// up by the act, and is of no use where somebody declares the site already.
func TestAdhereByInvitation(t *testing.T) {
	r := openNew(t)
	invited, code := invite(t, r, "", noon)
	if site, as, ok, err := r.Invitation(t.Context(), code, noon); site != invited || as.Name != "Bar Sport" || !ok || err != nil {
		t.Fatal(site, as, ok, err)
	}
	if _, _, ok, _ := r.Invitation(t.Context(), code, noon.Add(CodeLife)); ok {
		t.Error("a code that has expired invites")
	}
	hash := code.Hash()
	s := typedWhole("Ingresso")
	s.SiteID, s.Invitation, s.Identity = invited, hash[:], &Identity{Trust: protocol.TrustInvitation, At: noon}
	if site := adhered(t, r, s, noon); site != invited {
		t.Errorf("another site, %s, was declared", site)
	}
	if h := historyOf(t, r, invited); h.Trust != string(protocol.TrustInvitation) || !equal(names(h), []string{"Ingresso"}) {
		t.Errorf("%+v", h)
	}
	if _, err := r.Adhere(t.Context(), begin(t, r, s, noon), "", noon); !errors.Is(err, ErrInvitation) {
		t.Errorf("the code was used twice: %v", err)
	}
	if _, err := r.Redeem(t.Context(), ingest.Redemption{CodeHash: hash, KeyHash: [32]byte{1}, AgentID: uuid.NewString(), At: noon}); !errors.Is(err, ingest.ErrUsedCode) {
		t.Errorf("an agent uses it, too: %v", err)
	}
	if _, more := invite(t, r, invited, noon); true {
		if _, _, ok, err := r.Invitation(t.Context(), more, noon); ok || err != nil {
			t.Error("a code of a site that is declared invites", err)
		}
	}
	s2 := enrol(t, r, noon)
	if _, more := invite(t, r, s2.site, noon); true {
		if _, _, ok, err := r.Invitation(t.Context(), more, noon); ok || err != nil {
			t.Error("a code of a site that has an agent invites", err)
		}
	}
}

// The owner changes what they typed: what stays the same keeps its age.
func TestChangeByForm(t *testing.T) {
	r := openNew(t)
	first := typedWhole("Ingresso", "Cassa")
	site := adhered(t, r, first, noon)
	s, err := r.SubmissionFrom(t.Context(), site, noon)
	if err != nil || !s.Changes || s.SiteID != site || len(s.Cameras) != 2 || s.By() != "Anna Bianchi" || s.Identity == nil || s.Cameras[0].Recorder.Name != "Registratore" {
		t.Fatalf("%+v, %v", s, err)
	}
	s.Cameras = s.Cameras[:1]
	s.Cameras[0].Camera.Retention.Age = 96 * time.Hour
	later := noon.Add(24 * time.Hour)
	if again := adhered(t, r, s, later); again != site {
		t.Errorf("another site, %s", again)
	}
	h := historyOf(t, r, site)
	if !equal(names(h), []string{"Ingresso"}) {
		t.Error(names(h))
	}
	versions := h.Cameras[first.Cameras[0].Camera.ID]
	newest := versions[len(versions)-1].Camera
	if len(versions) != 2 || newest.Retention.Age != 96*time.Hour || !newest.Retention.Fact.At.Equal(later) || !newest.NameFact.At.Equal(noon) || !newest.Position.Fact.At.Equal(noon) {
		t.Errorf("%d versions, %+v", len(versions), newest)
	}
	receipt, err := r.HandReceipt(t.Context(), site, later)
	if err != nil || !receipt.RecordedAt.Equal(later) || receipt.Enrol != (protocol.Code{}) {
		t.Errorf("%+v, %v", receipt, err)
	}
	if is, err := r.ByHand(t.Context(), site); !is || err != nil {
		t.Error(is, err)
	}
	s, err = r.SubmissionFrom(t.Context(), site, later)
	if err != nil {
		t.Fatal(err)
	}
	id := begin(t, r, s, later)
	if s, err = r.ChangeSubmission(t.Context(), id, later, func(s *Submission) error { s.Contacts[0].Email = "other@example.it"; return nil }); err != nil || s.Identity != nil {
		t.Errorf("another address stands for the identity, and nobody answered from it: %+v, %v", s.Identity, err)
	}
}

// The agent that is enrolled with the receipt's code takes the entry over: it is given
// what was typed, what it declares takes its place, and no form changes it then.
func TestAgentTakesOverTheForm(t *testing.T) {
	r := openNew(t)
	r.now = func() time.Time { return noon.Add(time.Hour) }
	typed := typedWhole("Ingresso", "Cassa")
	site := adhered(t, r, typed, noon)
	receipt, err := r.HandReceipt(t.Context(), site, noon)
	if err != nil || receipt.Enrol == (protocol.Code{}) || !receipt.EnrolUntil.Equal(noon.Add(CodeLife)) {
		t.Fatalf("%+v, %v", receipt, err)
	}
	waiting, err := r.SubmissionFrom(t.Context(), site, noon)
	if err != nil {
		t.Fatal(err)
	}
	late := begin(t, r, waiting, noon)
	s := &sender{t: t, r: r, agent: uuid.NewString(), key: [32]byte{7}, site: site}
	g, err := r.Redeem(t.Context(), ingest.Redemption{CodeHash: receipt.Enrol.Hash(), KeyHash: s.key, AgentID: s.agent, AgentVersion: "1.0", At: noon.Add(time.Hour)})
	if err != nil || g.SiteID != site || g.Others != 0 || g.SiteName != "Bar Centrale" {
		t.Fatalf("%+v, %v", g, err)
	}
	s.epoch = g.Epoch
	_, _, raw, err := r.Site(t.Context(), s.agent, site)
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := protocol.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	entry := recorded.Body.(protocol.Declaration)
	if len(entry.Cameras) != 2 || entry.Contacts[0].Name != "Anna Bianchi" {
		t.Fatalf("%+v", entry)
	}
	if after, err := r.HandReceipt(t.Context(), site, noon); err == nil {
		t.Errorf("the form still speaks for it: %+v", after)
	}
	entry.Cameras = entry.Cameras[:1]
	id := entry.Cameras[0].ID
	entry.Cameras[0].Schedule.Fact.Source = protocol.Measured
	entry.Approval.At = noon.Add(2 * time.Hour)
	s.say(noon.Add(2*time.Hour), entry)
	h := historyOf(t, r, site)
	versions := h.Cameras[id]
	if len(names(h)) != 1 || versions[len(versions)-1].Camera.Schedule.Fact.Source != protocol.Measured || h.Trust != string(protocol.TrustEmail) {
		t.Errorf("after the take-over: %v, %+v", names(h), versions)
	}
	if _, err := r.Adhere(t.Context(), late, "", noon.Add(3*time.Hour)); !errors.Is(err, ErrTakenOver) {
		t.Errorf("a form changes what an agent declares: %v", err)
	}
	if is, err := r.ByHand(t.Context(), site); is || err != nil {
		t.Error(is, err)
	}
}
