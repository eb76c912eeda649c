package registry

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/protocol"
)

func newConsultKey(t testing.TB) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func preserve(cameras ...string) protocol.Preserve {
	return protocol.Preserve{Kind: protocol.Invitation, From: "Questura di Milano, isp. Verdi", Phone: "+39 02 5555 0113", Reference: "annotazione 12/2026",
		Start: noon.Add(-time.Hour), End: noon, CameraIDs: cameras, CheckCode: "K7QF-2MZX"}
}

// queue puts a notice for the sender's site into the queue.
func (s *sender) queue(at time.Time, body protocol.NoticeBody) protocol.Notice {
	s.t.Helper()
	n := protocol.Notice{ID: uuid.NewString(), SiteID: s.site, At: at, Body: body}
	err := s.r.update(context.Background(), func(ctx context.Context, tx *tx) error { return s.r.queueNotice(context.Background(), tx, n) })
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// waits gives the notices that wait for the agent, by id.
func (s *sender) waits(at time.Time) []string {
	s.t.Helper()
	notices, _, err := s.r.Waiting(context.Background(), s.agent, at, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	var ids []string
	for _, n := range notices {
		ids = append(ids, n.ID)
	}
	return ids
}

func reply(n protocol.Notice, state protocol.ReplyState, at time.Time) protocol.Reply {
	r := protocol.Reply{NoticeID: n.ID, State: state, At: at}
	if state != protocol.ReplyReceived && state != protocol.ReplySeen && state != protocol.ReplyPresent {
		r.By, r.Note = "Anna Sentinella", "chiavetta in cassaforte"
	}
	return r
}

// TestWaiting: what is queued waits, the oldest first, until the agent says that
// it has it; what it says is what was queued.
func TestWaiting(t *testing.T) {
	r := openNew(t)
	s, other := enrol(t, r, noon), enrol(t, r, noon)
	bodies := []protocol.NoticeBody{preserve(id(1)), protocol.Reminder{Reason: "recapiti da confermare"},
		protocol.SiteChange{State: protocol.SiteSuspended, At: noon}}
	var queued []protocol.Notice
	for _, b := range bodies {
		queued = append(queued, s.queue(noon, b))
	}
	got, _, err := r.Waiting(t.Context(), s.agent, noon, 0)
	if err != nil || !reflect.DeepEqual(got, queued) {
		t.Fatalf("waiting:\n%+v, %v\nwant\n%+v", got, err, queued)
	}
	if ids := other.waits(noon); ids != nil {
		t.Errorf("another site's agent is told %v", ids)
	}
	s.say(noon, reply(queued[0], protocol.ReplyReceived, noon))
	if got := s.waits(noon); !slices.Equal(got, []string{queued[1].ID, queued[2].ID}) {
		t.Errorf("after the first was received: %v", got)
	}
	if got := s.waits(noon.Add(protocol.NoticeLife)); !slices.Equal(got, []string{queued[2].ID}) {
		t.Errorf("when the reminder is of no use any more: %v", got)
	}
}

// TestWaitingInPages: more than a page is read to its end before any of it is received,
// with one in it that is damaged.
func TestWaitingInPages(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	var want []string
	for range 2 * maxWaiting {
		want = append(want, s.queue(noon, protocol.Reminder{Reason: "recapiti da confermare"}).ID)
	}
	if _, err := r.write.ExecContext(t.Context(), "UPDATE notices SET body = ?2 WHERE id = ?1", want[3], []byte("damaged")); err != nil {
		t.Fatal(err)
	}
	want = slices.Delete(want, 3, 4)
	var got []string
	pages := 0
	for after := int64(0); pages == 0 || after > 0; pages++ {
		page, next, err := r.Waiting(t.Context(), s.agent, noon, after)
		if err != nil || next != 0 && next <= after {
			t.Fatalf("after %d comes %d, %v", after, next, err)
		}
		for _, n := range page {
			got = append(got, n.ID)
		}
		after = next
	}
	if pages != 3 || !slices.Equal(got, want) {
		t.Errorf("%d pages with %d notices, want %d", pages, len(got), len(want))
	}
}

// TestVisitIsAskedNothing: a visit, which forgets, is told what became of the
// site. What is asked waits for an agent that stays.
func TestVisitIsAskedNothing(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	visit := beside(t, s, noon, visiting)
	request := s.queue(noon.Add(time.Minute), preserve(id(1)))
	news := s.queue(noon.Add(time.Minute), protocol.SiteChange{State: protocol.SiteSuspended, At: noon})
	for name, c := range map[string]struct {
		*sender
		at   time.Duration
		want []string
	}{
		"the owner's":          {s, time.Hour, []string{request.ID, news.ID}},
		"the visit":            {visit, time.Hour, []string{news.ID}},
		"the visit, when over": {visit, 2 * visitLength, []string{news.ID}},
	} {
		if got := c.waits(noon.Add(c.at)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	visit.again(noon.Add(time.Hour), nil) // the same computer stays
	if got := visit.waits(noon.Add(time.Hour)); !slices.Equal(got, []string{request.ID, news.ID}) {
		t.Errorf("enrolled to stay: %v", got)
	}
}

// TestNoticed: who is to be told of what was queued since.
func TestNoticed(t *testing.T) {
	r := openNew(t)
	a, b := enrol(t, r, noon), enrol(t, r, noon)
	a.queue(noon, preserve(id(1)))
	agents, last, err := r.Noticed(t.Context(), 0)
	if err != nil || !slices.Equal(agents, []string{a.agent}) {
		t.Fatalf("%v, %v", agents, err)
	}
	b.queue(noon, preserve(id(1)))
	agents, after, err := r.Noticed(t.Context(), last)
	if err != nil || !slices.Equal(agents, []string{b.agent}) || after <= last {
		t.Fatalf("%v, %d after %d, %v", agents, after, last, err)
	}
	if agents, again, err := r.Noticed(t.Context(), after); err != nil || agents != nil || again != after {
		t.Errorf("nothing was queued, and %v, %d, %v", agents, again, err)
	}
}

// TestSealedQueue: with another key a register gives no notice, and its file holds
// nothing of what one says.
func TestSealedQueue(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	p := preserve(id(1))
	p.From = "SentinelForce"
	n := s.queue(noon, p)
	done := reply(n, protocol.ReplyCannot, noon)
	done.By, done.Note = "SentinelPerson", "SentinelNote"
	s.say(noon, done)
	for _, mark := range []string{"SentinelForce", "SentinelPerson", "SentinelNote", p.CheckCode, p.Reference} {
		if c := inFiles(t, r, []byte(mark)); c > 0 {
			t.Errorf("%q stands %d times in the files", mark, c)
		}
	}
	s.queue(noon, preserve(id(1)))
	r.consult = newConsultKey(t)
	if got := s.waits(noon); got != nil {
		t.Errorf("another key opens %v", got)
	}
}

// For a revoked agent nothing waits, whatever was queued before.
func TestNothingWaitsForTheRevoked(t *testing.T) {
	s := enrol(t, openNew(t), noon)
	s.queue(noon, preserve(id(1)))
	if got := s.waits(noon); len(got) != 1 {
		t.Fatalf("waiting %v", got)
	}
	if err := s.r.Revoke(t.Context(), s.agent, noon); err != nil {
		t.Fatal(err)
	}
	if got := s.waits(noon); len(got) != 0 {
		t.Errorf("waiting %v", got)
	}
}
