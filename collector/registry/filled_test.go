package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/trail"
	"anagrafe/protocol"
)

// filled is a register with something in every table that a backup has.
func filled(t testing.TB) *Registry {
	t.Helper()
	ctx := context.Background()
	r := openNew(t)
	r.UseLocator(halves("milano"))
	s := enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "Ingresso"), camera(2, "Cortile")))
	d := declaration(camera(1, "Ingresso"))
	d.Contacts[0].Name = "Perché Ω"
	s.say(noon.Add(time.Hour), d)
	s.say(noon.Add(2*time.Hour), observed("Seen", noon.Add(2*time.Hour), 1))
	s.say(noon.Add(2*time.Hour), sick(noon.Add(2*time.Hour), protocol.FaultUnread))
	s.say(noon.Add(2*time.Hour), protocol.Diagnosis{Text: "NVR\nnon si legge", Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: noon}})
	n := s.queue(noon.Add(3*time.Hour), protocol.SiteChange{State: protocol.SiteSuspended, At: noon})
	s.say(noon.Add(4*time.Hour), reply(n, protocol.ReplyReceived, noon.Add(4*time.Hour)))
	for _, act := range []protocol.SiteState{protocol.SiteSuspended, protocol.SiteResumed} {
		if err := r.Act(ctx, s.site, act, noon.Add(5*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	gone := enrol(t, r, noon)
	gone.say(noon, declaration(camera(3, "Retro")))
	gone.say(noon.Add(time.Hour), withdrawal())
	force := backupKey(t).Recipient().String()
	if err := r.AddForce(ctx, "Questura", force); err != nil {
		t.Fatal(err)
	}
	if err := r.AddForceAct(ctx, "Questura", ForceAct{"prot. 12 del 3/11/2026", noon}); err != nil {
		t.Fatal(err)
	}
	if err := r.AddUser(ctx, User{ID: id(70), Name: "Officer", Role: RoleOfficer, Force: "Questura", Qualification: "agente", At: noon}); err != nil {
		t.Fatal(err)
	}
	if err := r.SaveFilter(ctx, id(70), "/sites", "Negozi", "category=shop", noon); err != nil {
		t.Fatal(err)
	}
	if err := r.AddPasskey(ctx, Passkey{ID: []byte("key"), UserID: id(70), RP: "consult.example", Name: "Telefono", Record: []byte("record"), At: noon}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.SignInIdentity(ctx, [32]byte{7}, User{ID: id(170), Name: "Auditor", Role: RoleForceAuditor, Force: "Questura", At: noon}); err != nil {
		t.Fatal(err)
	}
	fillCase(t, r)
	s.askFilled()
	fillOrganisation(t, r)
	fillMail(t, r)
	fillAlerts(t, r)
	fillInvitations(t, r)
	if _, err := r.BeginSubmission(ctx, typedBar(), noon); err != nil {
		t.Fatal(err)
	}
	if err := r.BeginAssisted(ctx, id(71), id(70), byTelephone, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := r.AddRemark(ctx, Remark{At: noon, Kind: RemarkReport, Topic: "broken", Text: "La mappa non si apre"}); err != nil {
		t.Fatal(err)
	}
	if err := r.AddRating(ctx, Rating{Page: "/", Stars: 5}, noon); err != nil {
		t.Fatal(err)
	}
	if err := r.PutGazetteer(ctx, []GazetteerSource{{Name: "civici", Kind: "addresses", Entries: 1, ImportedAt: noon, Body: []byte{0, 1, 255}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Publish(ctx, Publication{Kind: PublishedSharing, Period: "2026-11-23", At: noon, Body: []byte(`{}`), Basis: []byte(`{}`)}, "2026"); err != nil {
		t.Fatal(err)
	}
	batch := trail.Batch{Headers: [][]byte{{1}}, Bodies: [][]byte{{}}, HashIndexes: []int64{0}, Hashes: [][]byte{{3}}, Checkpoint: []byte("checkpoint")}
	if err := (trailStore{r}).Append(ctx, func(context.Context, trail.State) (trail.Batch, error) { return batch, nil }); err != nil {
		t.Fatal(err)
	}
	if err := (trailStore{r}).AddCosignature(ctx, "witness", 1, []byte("cosigned")); err != nil {
		t.Fatal(err)
	}
	return r
}

// fillInvitations adds a batch of codes of an association, and a wave of businesses.
func fillInvitations(t testing.TB, r *Registry) {
	t.Helper()
	ctx := context.Background()
	if err := r.AddBatch(ctx, Batch{ID: id(90), Association: "Commercianti", CodeHashes: [][32]byte{{9}, {10}}, At: noon, ExpiresAt: noon.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	bar := Invitee{Site: protocol.Site{Name: "Bar Perù", Category: "shop", Address: "Via Po 1"}, Channel: ChannelEmail, Address: "bar@example.it"}
	if _, _, err := r.PlanWave(ctx, []Invitee{bar}, WavePlan{Source: "albo", At: noon, Record: func(context.Context, int, int) error { return nil }}); err != nil {
		t.Fatal(err)
	}
}

// fillOrganisation adds one that imports a site, and has a referent.
func fillOrganisation(t testing.TB, r *Registry) {
	t.Helper()
	ctx := context.Background()
	o := bank(t, r, "Alfa")
	if _, err := r.Import(ctx, Import{OrganisationID: o.ID, Sites: []ImportedSite{branch("1", "a")}, By: "Dora", At: noon}); err != nil {
		t.Fatal(err)
	}
	if err := r.AddUser(ctx, User{ID: id(71), Name: "Luca Verdi", Role: RoleReferent, At: noon}); err != nil {
		t.Fatal(err)
	}
	if err := r.Delegate(ctx, protocol.Delegation{ID: id(72), OrganisationID: o.ID, UserID: id(71), Referent: "Luca Verdi",
		Powers: []protocol.Power{protocol.MayApprove}, Rule: "contratto 12", From: noon, Until: noon.Add(48 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
}

// fillCase adds one of the officer's, shared, with a record.
func fillCase(t testing.TB, r *Registry) {
	t.Helper()
	ctx := context.Background()
	if err := r.AddForce(ctx, "Carabinieri", backupKey(t).Recipient().String()); err != nil {
		t.Fatal(err)
	}
	c := Case{ID: id(80), Force: "Questura", OpenedBy: id(70), OpenedAt: noon, Kind: "annotation", Ref: "2026/118", Offence: "theft", Reason: "furto"}
	if err := r.OpenCase(ctx, c); err != nil {
		t.Fatal(err)
	}
	if err := r.ShareCase(ctx, c.ID, c.Force, "Carabinieri", noon); err != nil {
		t.Fatal(err)
	}
	if _, err := r.AddCaseRecord(ctx, CaseRecord{CaseID: c.ID, At: noon, Actor: id(70), Kind: "search", Brief: []byte(`{"n": 0}`), Body: []byte(`{"results": []}`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.NumberPaper(ctx, Paper{ID: id(81), CaseID: c.ID, Force: c.Force, Kind: PaperAcquisition, Year: 2026, At: noon},
		func(int) (json.RawMessage, error) { return []byte(`{"number": 1}`), nil }); err != nil {
		t.Fatal(err)
	}
	if err := r.ConfirmPaper(ctx, id(81), 3, [32]byte{1, 2}); err != nil {
		t.Fatal(err)
	}
}

// askFilled has the site asked, and its owner answer on the site's page.
func (s *sender) askFilled() {
	s.t.Helper()
	n := protocol.Notice{ID: uuid.NewString(), SiteID: s.site, At: noon.Add(6 * time.Hour), Body: preserve(id(1))}
	q := Request{ID: id(9), CaseID: id(80), Force: questura, By: id(70), At: n.At, Sites: []Draft{{NoticeID: n.ID, SiteID: n.SiteID, At: n.At, Asked: preserve(id(1))}}}
	if err := s.r.QueueRequest(s.t.Context(), q); err != nil {
		s.t.Fatal(err)
	}
	if err := s.r.ReplyAsOwner(s.t.Context(), s.site, reply(n, protocol.ReplyCannot, noon.Add(7*time.Hour))); err != nil {
		s.t.Fatal(err)
	}
}

// fillAlerts adds a contact who is to be told that their agent is silent.
func fillAlerts(t testing.TB, r *Registry) {
	t.Helper()
	enrol(t, r, noon).say(noon, wishing("watches@example.org"))
	if _, err := r.Alert(context.Background(), noon.AddDate(0, 0, 30), noon); err != nil {
		t.Fatal(err)
	}
}

// fillMail adds a message that waits, and an address that refused one.
func fillMail(t testing.TB, r *Registry) {
	t.Helper()
	ctx := context.Background()
	for _, refused := range []bool{true, false} {
		s := enrol(t, r, noon)
		d := mailed(fmt.Sprintf("refused-%t@example.org", refused))
		d.Approval.By = "Ugo" // who has named them, so that they are to accept
		s.say(noon, d)
		if _, err := r.WriteTo(ctx, []string{s.site}, "Chiamateci.", noon); err != nil {
			t.Fatal(err)
		}
		if !refused {
			return
		}
		due, err := r.DueMail(ctx, noon.Add(time.Minute), 10)
		if err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		if err := r.MailFailed(ctx, due[0], noon, true); err != nil {
			t.Fatal(err)
		}
	}
}
