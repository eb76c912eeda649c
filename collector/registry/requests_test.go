package registry

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// asked gives the one notice of the Questura.
func (s *sender) asked() Asked {
	s.t.Helper()
	all, err := s.r.Asked(s.t.Context(), "Questura", 10)
	if err != nil || len(all) != 1 {
		s.t.Fatalf("%d notices, %v", len(all), err)
	}
	return all[0]
}

// ask queues a request of the Questura for one camera of the site, which declares
// it if it has not.
func (s *sender) ask(at time.Time) protocol.Notice {
	s.t.Helper()
	if _, err := s.r.DraftRequest(s.t.Context(), preserve(id(1)), at); errors.Is(err, ErrUnknownCamera) {
		s.say(at, declaration(camera(1, "Ingresso")))
	}
	if err := s.r.AddForce(s.t.Context(), questura, "age1"); err != nil {
		s.t.Fatal(err)
	}
	n := protocol.Notice{ID: uuid.NewString(), SiteID: s.site, At: at, Body: preserve(id(1))}
	if err := s.r.QueueRequest(s.t.Context(), requestFor(s.t, s.r, id(9), n)); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// requestFor is a request of the Questura, in a case of its own with the same id.
func requestFor(t testing.TB, r *Registry, requestID string, notices ...protocol.Notice) Request {
	t.Helper()
	at := notices[0].At
	if err := r.OpenCase(t.Context(), Case{ID: requestID, Force: questura, OpenedBy: id(70), OpenedAt: at, Kind: "annotation", Ref: requestID, Offence: "robbery", Reason: "prova"}); err != nil {
		t.Fatal(err)
	}
	q := Request{ID: requestID, CaseID: requestID, Force: questura, By: id(70), At: at}
	for _, n := range notices {
		q.Sites = append(q.Sites, Draft{NoticeID: n.ID, SiteID: n.SiteID, At: n.At, Asked: n.Body.(protocol.Preserve), Name: "Bar"})
	}
	return q
}

// TestDraftRequest: cameras of several sites make one notice a site, each with
// a code of its own.
func TestDraftRequest(t *testing.T) {
	r := openNew(t)
	a, b := enrol(t, r, noon), enrol(t, r, noon)
	a.say(noon, declaration(camera(1, "Ingresso"), camera(2, "Vetrina"), camera(7, "Doppia")))
	b.say(noon, declaration(camera(3, "Bancomat"), camera(7, "Doppia")))
	ask := preserve(id(2), id(3), id(1), id(2))
	notices, err := r.DraftRequest(t.Context(), ask, noon)
	if err != nil || len(notices) != 2 {
		t.Fatalf("%+v, %v", notices, err)
	}
	first, second := notices[0].Asked, notices[1].Asked
	if notices[0].SiteID != a.site || !slices.Equal(first.CameraIDs, []string{id(2), id(1)}) ||
		notices[1].SiteID != b.site || !slices.Equal(second.CameraIDs, []string{id(3)}) {
		t.Errorf("got %+v", notices)
	}
	if first.CheckCode == second.CheckCode || notices[0].NoticeID == notices[1].NoticeID || first.From != ask.From {
		t.Errorf("got %+v", notices)
	}
	if got := a.waits(noon); got != nil {
		t.Errorf("a draft waits: %v", got)
	}
	for what, cameras := range map[string][]string{"unknown": {id(1), id(4)}, "of two sites": {id(7)}} {
		if _, err := r.DraftRequest(t.Context(), preserve(cameras...), noon); !errors.Is(err, ErrUnknownCamera) {
			t.Errorf("%s: %v", what, err)
		}
	}
	b.say(noon.Add(time.Hour), declaration(camera(7, "Doppia")))
	if _, err := r.DraftRequest(t.Context(), preserve(id(3)), noon); !errors.Is(err, ErrUnknownCamera) {
		t.Errorf("a camera that is no longer declared: %v", err)
	}
	backwards := preserve(id(1))
	backwards.End = backwards.Start
	if _, err := r.DraftRequest(t.Context(), backwards, noon); err == nil {
		t.Error("a window that ends before it begins was drafted")
	}
}

// What was withdrawn between the draft and the queue is asked of nobody, and
// nothing is queued: the site's withdrawal could not take it along.
func TestQueueAfterWithdrawal(t *testing.T) {
	for what, change := range map[string]protocol.Body{"the site": withdrawal(), "the camera": declaration(camera(2, "Vetrina"))} {
		r := openNew(t)
		a, b := enrol(t, r, noon), enrol(t, r, noon)
		a.say(noon, declaration(camera(1, "Ingresso"), camera(2, "Vetrina")))
		b.say(noon, declaration(camera(3, "Bancomat")))
		drafts, err := r.DraftRequest(t.Context(), preserve(id(3), id(1)), noon)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.AddForce(t.Context(), questura, "age1"); err != nil {
			t.Fatal(err)
		}
		q := requestFor(t, r, id(9), drafts[0].notice(), drafts[1].notice())
		a.say(noon.Add(time.Minute), change)
		if err := r.QueueRequest(t.Context(), q); !errors.Is(err, ErrUnknownCamera) {
			t.Errorf("%s was withdrawn: %v", what, err)
		}
		if all, err := r.Asked(t.Context(), "Questura", 10); err != nil || len(all) > 0 || len(b.waits(noon.Add(time.Hour))) > 0 {
			t.Errorf("%s was withdrawn, and is asked for: %+v, %v", what, all, err)
		}
	}
}

// TestNoticeStates: the word of a person counts more than what the agent tells,
// the later more than the earlier, whatever order they arrive in.
func TestNoticeStates(t *testing.T) {
	type step struct {
		state protocol.ReplyState
		after time.Duration // made
	}
	const expired = 91 * 24 * time.Hour
	for name, c := range map[string]struct {
		steps  []step
		until  time.Duration
		want   NoticeState
		closed bool
	}{
		"nothing":            {nil, 0, NoticeSent, false},
		"nothing, ever":      {nil, expired, NoticeNoAnswer, true},
		"received":           {[]step{{"received", 1}}, 0, "received", false},
		"seen":               {[]step{{"received", 1}, {"seen", 2}}, 0, "seen", false},
		"seen came first":    {[]step{{"seen", 2}, {"received", 1}}, 0, "seen", false},
		"seen, no word":      {[]step{{"received", 1}, {"seen", 2}}, expired, NoticeNoAnswer, true},
		"present, no word":   {[]step{{"received", 1}, {"seen", 2}, {"present", 3}}, expired, "present", true},
		"gone, no word":      {[]step{{"seen", 2}, {"absent", 3}}, expired, "absent", true},
		"there, then gone":   {[]step{{"absent", 4}, {"present", 3}}, 0, "absent", false},
		"gone, then there":   {[]step{{"absent", 3}, {"present", 4}}, 0, "present", false},
		"gone, but copied":   {[]step{{"copied", 3}, {"absent", 4}}, 0, "copied", true},
		"copied":             {[]step{{"received", 1}, {"seen", 2}, {"copied", 4}, {"present", 5}}, 0, "copied", true},
		"called, and copied": {[]step{{"received", 1}, {"copied", 9}, {"cannot", 2}}, 0, "copied", true},
		"call me":            {[]step{{"received", 1}, {"cannot", 2}}, 0, "cannot", false},
		"refused":            {[]step{{"refused", 2}}, 0, "refused", true},
		"not, done, not":     {[]step{{"cannot", 2}, {"copied", 3}, {"cannot", 4}}, 0, "cannot", true},
		"done, not, done":    {[]step{{"copied", 2}, {"cannot", 3}, {"copied", 4}}, 0, "copied", true},
		"an old one late":    {[]step{{"cannot", 2}, {"copied", 4}, {"cannot", 3}}, 0, "copied", true},
		"there again":        {[]step{{"present", 2}, {"absent", 3}, {"present", 4}}, 0, "present", false},
		"too late":           {[]step{{"too-late", 2}}, expired, "too-late", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := openNew(t)
			s := enrol(t, r, noon)
			n := s.ask(noon)
			states := make(map[protocol.ReplyState]bool)
			for i, st := range c.steps {
				states[st.state] = true
				arrived := noon.Add(time.Duration(i+1) * time.Hour)
				at := noon.Add(st.after * time.Minute)
				m := s.next(at, reply(n, st.state, at))
				for range 2 { // the same message twice is one
					if _, err := s.deliver(m, arrived); err != nil {
						t.Fatal(err)
					}
				}
				again := s.next(at, reply(n, st.state, at.Add(time.Second)))
				if _, err := s.deliver(again, arrived); err != nil { // and so is the same state in another
					t.Fatal(err)
				}
			}
			if err := r.CloseNotices(t.Context(), noon.Add(c.until)); err != nil {
				t.Fatal(err)
			}
			a := s.asked()
			if a.State != c.want || a.ClosedAt.IsZero() == c.closed || len(a.Replies) != len(states) || a.RequestID != id(9) {
				t.Errorf("state %s, closed %v, %d replies of %d", a.State, a.ClosedAt, len(a.Replies), len(states))
			}
			waits := s.waits(noon)
			if told := len(c.steps) > 0 || c.closed; told != (waits == nil) {
				t.Errorf("waiting: %v", waits)
			}
		})
	}
}

// TestSaid: what a person replied is read by the force that asked, and by no
// other.
func TestSaid(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	n := s.ask(noon)
	s.say(noon, reply(n, protocol.ReplyCopied, noon))
	a := s.asked()
	if p := a.Replies[0]; p.By != "Anna Sentinella" || p.Note != "chiavetta in cassaforte" || p.AgentID != s.agent || !p.At.Equal(noon) {
		t.Errorf("said %+v", p)
	}
	if got := a.Notice.Body.(protocol.Preserve); got.From != preserve().From || !slices.Equal(got.CameraIDs, []string{id(1)}) {
		t.Errorf("asked %+v", got)
	}
	if all, err := r.Asked(t.Context(), "Carabinieri", 10); err != nil || all != nil {
		t.Errorf("another force reads %v, %v", all, err)
	}
	corrected := reply(n, protocol.ReplyCopied, noon.Add(time.Hour))
	corrected.Note = "chiavetta in ufficio"
	s.say(noon.Add(time.Hour), corrected)
	s.say(noon.Add(2*time.Hour), reply(n, protocol.ReplyCopied, noon.Add(time.Minute))) // said before, and late
	s.say(noon.Add(2*time.Hour), reply(n, protocol.ReplySeen, noon))
	s.say(noon.Add(2*time.Hour), reply(n, protocol.ReplySeen, noon.Add(2*time.Hour)))
	if all := s.asked().Replies; len(all) != 2 || !all[0].At.Equal(noon) || all[1].Note != corrected.Note || !all[1].At.Equal(corrected.At) {
		t.Errorf("after a correction %+v", all)
	}
}
