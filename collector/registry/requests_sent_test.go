package registry

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// TestRequest: what was sent is read by who may see its case, and goes with it.
func TestRequest(t *testing.T) {
	r := twoForces(t)
	c := openCase(t, r, 1, "2026/118")
	a, b := enrol(t, r, noon), enrol(t, r, noon)
	a.say(noon, declaration(camera(1, "Ingresso")))
	b.say(noon, declaration(camera(3, "Bancomat")))
	drafts, err := r.DraftRequest(t.Context(), preserve(id(1), id(3)), noon)
	if err != nil {
		t.Fatal(err)
	}
	if d := drafts[0]; d.Name != "Bar" && d.Name == "" || len(d.Cameras) != 1 || d.Cameras[0].Name != "Ingresso" || d.Reach.Agents != 1 || d.SiteID != a.site {
		t.Errorf("drafted %+v", d)
	}
	q := Request{ID: uuid.NewString(), CaseID: c.ID, Force: questura, By: id(70), At: noon, TrailIndex: 7, Brief: json.RawMessage(`{"words":1}`), Sites: drafts}
	if err := r.QueueRequest(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	b.say(noon.Add(time.Minute), reply(protocol.Notice{ID: drafts[1].NoticeID}, protocol.ReplySeen, noon.Add(time.Minute)))

	got, asked, ok, err := r.Request(t.Context(), q.ID, questura)
	if err != nil || !ok || got.By != q.By || got.TrailIndex != 7 || got.CaseID != c.ID || !got.At.Equal(noon) || got.Kind() != preserve().Kind {
		t.Fatalf("%+v, %v, %v", got, ok, err)
	}
	if !slices.Equal([]NoticeState{asked[0].State, asked[1].State}, []NoticeState{NoticeSent, "seen"}) || asked[0].Notice.SiteID != a.site || got.Sites[1].Asked.CheckCode != drafts[1].Asked.CheckCode {
		t.Errorf("%+v", asked)
	}
	records, err := r.CaseRecords(t.Context(), c.ID)
	if err != nil || len(records) != 1 || records[0].Kind != "request" || records[0].Actor != id(70) || records[0].TrailIndex != 7 {
		t.Fatalf("%+v, %v", records, err)
	}
	var body requestRecord
	if err := json.Unmarshal(records[0].Body, &body); err != nil || body.RequestID != q.ID || len(body.Sites) != 2 || string(records[0].Brief) != `{"words":1}` {
		t.Errorf("%s %s, %v", records[0].Brief, records[0].Body, err)
	}

	reads := func(force string) int {
		t.Helper()
		all, err := r.Requests(t.Context(), force, c.ID, 9)
		_, _, ok, one := r.Request(t.Context(), q.ID, force)
		if err != nil || one != nil || ok != (len(all) == 1) {
			t.Fatalf("%d, %v: %v, %v", len(all), ok, err, one)
		}
		return len(all)
	}
	if reads(questura) != 1 || reads(carabinieri) != 0 {
		t.Error("a request is read by another force, or not by its own")
	}
	if all, err := r.AskedIn(t.Context(), c.ID, 9); err != nil || len(all) != 2 {
		t.Errorf("%d asked in the case, %v", len(all), err)
	}
	if err := r.ShareCase(t.Context(), c.ID, questura, carabinieri, noon); err != nil {
		t.Fatal(err)
	}
	if reads(carabinieri) != 1 {
		t.Error("a request of a shared case is not read")
	}
	if err := r.CloseCase(t.Context(), c.ID, questura, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := r.DestroyCases(t.Context(), noon.Add(time.Hour), noon.Add(time.Hour), func(context.Context, string, string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if reads(questura) != 0 {
		t.Error("a request outlives its case")
	}
}

// TestRequestOfNoCase is not sent, nor is a second one with the same id.
func TestRequestOfNoCase(t *testing.T) {
	r := twoForces(t)
	a := enrol(t, r, noon)
	a.say(noon, declaration(camera(1, "Ingresso")))
	drafts, err := r.DraftRequest(t.Context(), preserve(id(1)), noon)
	if err != nil {
		t.Fatal(err)
	}
	q := Request{ID: uuid.NewString(), CaseID: uuid.NewString(), Force: questura, By: id(70), At: noon, Sites: drafts}
	if err := r.QueueRequest(t.Context(), q); !errors.Is(err, ErrUnknownCase) {
		t.Errorf("queued: %v", err)
	}
	if a.waits(noon) != nil {
		t.Error("a notice waits")
	}
}

// TestByPhone: of what is asked by phone no agent is told, no mail is queued, and
// the site's page does not show it; its code is checked all the same.
func TestByPhone(t *testing.T) {
	for _, byPhone := range []bool{false, true} {
		r := twoForces(t)
		c := openCase(t, r, 1, "2026/118")
		a := enrol(t, r, noon)
		a.say(noon, mailed("anna@example.org"))
		if err := r.DropMail(t.Context(), noon.Add(30*24*time.Hour)); err != nil { // what enrolment queued
			t.Fatal(err)
		}
		d := mailed("anna@example.org")
		drafts, err := r.DraftRequest(t.Context(), preserve(d.Cameras[0].ID), noon)
		if err != nil {
			t.Fatal(err)
		}
		if drafts[0].Reach.Addresses != 1 {
			t.Errorf("%+v", drafts[0].Reach)
		}
		drafts[0].ByPhone = byPhone
		_, before, err := r.Noticed(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.QueueRequest(t.Context(), Request{ID: uuid.NewString(), CaseID: c.ID, Force: questura, By: id(70), At: noon, Sites: drafts}); err != nil {
			t.Fatal(err)
		}
		agents, _, err := r.Noticed(t.Context(), before)
		if err != nil {
			t.Fatal(err)
		}
		due, err := r.DueMail(t.Context(), noon, 9)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := r.AskedOf(t.Context(), a.site)
		if err != nil {
			t.Fatal(err)
		}
		for what, n := range map[string]int{"waiting": len(a.waits(noon)), "noticed": len(agents), "mail": len(due), "shown": len(shown)} {
			if (n == 0) != byPhone {
				t.Errorf("by phone %v: %d %s", byPhone, n, what)
			}
		}
		if err := r.ReplyAsOwner(t.Context(), a.site, protocol.Reply{NoticeID: drafts[0].NoticeID, State: protocol.ReplySeen, At: noon}); errors.Is(err, ErrUnknownNotice) != byPhone {
			t.Errorf("by phone %v: %v", byPhone, err)
		}
		code, err := protocol.ParseCode(drafts[0].Asked.CheckCode)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok, err := r.CheckRequest(t.Context(), code); err != nil || !ok || got.Force != questura || got.Kind != preserve().Kind || !got.At.Equal(noon) || got.Category != d.Site.Category {
			t.Errorf("by phone %v: checked %+v, %v, %v", byPhone, got, ok, err)
		}
		if _, ok, err := r.CheckRequest(t.Context(), protocol.NewCode()); ok || err != nil {
			t.Errorf("a code that nobody was given: %v, %v", ok, err)
		}
	}
}

// TestOwnerReplies: what is said on the site's page counts as what is said to an
// agent; the last word stands, the first look too; it is deleted with the rest.
func TestOwnerReplies(t *testing.T) {
	r := openNew(t)
	s, other := enrol(t, r, noon), enrol(t, r, noon)
	n := s.ask(noon)
	say := func(site string, state protocol.ReplyState, by string, after time.Duration) error {
		return r.ReplyAsOwner(t.Context(), site, protocol.Reply{NoticeID: n.ID, State: state, At: noon.Add(after), By: by})
	}
	if err := say(other.site, protocol.ReplyCopied, "Ugo", time.Minute); !errors.Is(err, ErrUnknownNotice) {
		t.Errorf("another site answers: %v", err)
	}
	for _, step := range []struct {
		state protocol.ReplyState
		by    string
	}{{protocol.ReplySeen, ""}, {protocol.ReplySeen, ""}, {protocol.ReplyCannot, "Ugo"}, {protocol.ReplyCannot, "Anna"}} {
		if err := say(s.site, step.state, step.by, time.Duration(len(s.asked().Replies)+1)*time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	a := s.asked()
	if a.State != NoticeState(protocol.ReplyCannot) || !a.ClosedAt.IsZero() || len(a.Replies) != 2 || a.Replies[1].By != "Anna" || a.Replies[0].At != noon.Add(time.Minute) || a.Replies[0].AgentID != "" {
		t.Errorf("%+v", a)
	}
	if err := say(s.site, protocol.ReplyCopied, "Anna", time.Hour); err != nil {
		t.Fatal(err)
	}
	if a := s.asked(); a.State != NoticeState(protocol.ReplyCopied) || !a.ClosedAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v", a)
	}
	if got, ok, err := r.CheckRequest(t.Context(), protocol.NewCode()); ok || err != nil || got.Closed {
		t.Errorf("%+v, %v", got, err)
	}
	if err := r.CloseNotices(context.Background(), noon.Add(32*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, p := range s.asked().Replies {
		if p.By != "" {
			t.Errorf("still said: %+v", p)
		}
	}
	if shown, err := r.AskedOf(t.Context(), s.site); err != nil || len(shown) != 0 {
		t.Errorf("still shown: %+v, %v", shown, err)
	}
	if err := say(s.site, protocol.ReplyCopied, "Anna", 40*24*time.Hour); !errors.Is(err, ErrUnknownNotice) {
		t.Errorf("answered after its content was deleted: %v", err)
	}
}
