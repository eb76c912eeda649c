package registry

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// second gives the site another agent beside the first.
func (s *sender) second(at time.Time) *sender {
	s.t.Helper()
	other := enrol(s.t, s.r, at)
	mate := &sender{t: s.t, r: s.r, agent: other.agent, key: other.key, site: s.site, epoch: s.epoch + 1}
	if _, err := s.r.write.ExecContext(s.t.Context(), "UPDATE sites SET epoch = ?2 WHERE id = ?1", s.site, mate.epoch); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.r.write.ExecContext(s.t.Context(), "INSERT INTO grants (site_id, epoch, agent_id, from_at) VALUES (?, ?, ?, ?)",
		s.site, mate.epoch, mate.agent, micros(at)); err != nil {
		s.t.Fatal(err)
	}
	return mate
}

// TestTwoAgentsAreTold: each agent of a site is told, until one brings the answer;
// what becomes of the site each is told whatever the other says.
func TestTwoAgentsAreTold(t *testing.T) {
	s := enrol(t, openNew(t), noon)
	mate := s.second(noon)
	request, change := s.queue(noon, preserve(id(1))), s.queue(noon, protocol.SiteChange{State: protocol.SiteSuspended, At: noon})
	s.say(noon, reply(request, protocol.ReplyReceived, noon))
	s.say(noon, reply(change, protocol.ReplyReceived, noon))
	if got := mate.waits(noon); !slices.Equal(got, []string{request.ID, change.ID}) {
		t.Errorf("the second agent is told %v", got)
	}
	s.say(noon, reply(request, protocol.ReplySeen, noon))
	s.say(noon, reply(change, protocol.ReplySeen, noon))
	s.say(noon, reply(request, protocol.ReplyCopied, noon))
	if got := mate.waits(noon); !slices.Equal(got, []string{change.ID}) {
		t.Errorf("once the first has answered, the second is told %v", got)
	}
}

// TestReplacedAgent: an agent that another took the place of is told nothing
// more.
func TestReplacedAgent(t *testing.T) {
	s := enrol(t, openNew(t), noon)
	n := s.queue(noon, preserve(id(1)))
	mate := s.second(noon)
	if _, err := s.r.write.ExecContext(t.Context(), "UPDATE grants SET until_at = ? WHERE agent_id = ?", micros(noon.Add(time.Hour)), s.agent); err != nil {
		t.Fatal(err)
	}
	if old, now := s.waits(noon.Add(time.Hour)), mate.waits(noon.Add(time.Hour)); old != nil || !slices.Equal(now, []string{n.ID}) {
		t.Errorf("the old agent is told %v, the new one %v", old, now)
	}
}

// TestReplyToNothing: a reply belongs to a notice of its own site.
func TestReplyToNothing(t *testing.T) {
	r := openNew(t)
	s, other := enrol(t, r, noon), enrol(t, r, noon)
	n := other.queue(noon, preserve(id(1)))
	for what, p := range map[string]protocol.Reply{
		"of another site": reply(n, protocol.ReplyReceived, noon),
		"unknown":         reply(protocol.Notice{ID: uuid.NewString()}, protocol.ReplyReceived, noon),
	} {
		_, err := s.deliver(s.next(noon, p), noon)
		fields, ok := errors.AsType[protocol.FieldErrors](err)
		if !ok || fields[0].Field != "notice_id" {
			t.Errorf("%s: %v", what, err)
		}
	}
	future := reply(n, protocol.ReplyReceived, noon.Add(48*time.Hour))
	_, err := other.deliver(other.next(noon, future), noon)
	if fields, ok := errors.AsType[protocol.FieldErrors](err); !ok || fields[0].Field != "at" {
		t.Errorf("from the day after tomorrow: %v", err)
	}
	if got := other.waits(noon); !slices.Equal(got, []string{n.ID}) {
		t.Errorf("waiting: %v", got)
	}
}

// TestReplyIsOneChange: a recorded reply is one change of its site like any
// other message, and nothing of what is declared changes with it.
func TestReplyIsOneChange(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "Ingresso")))
	n := s.queue(noon, preserve(id(1)))
	before, err := r.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.say(noon, reply(n, protocol.ReplyReceived, noon))
	if after, err := r.LastChange(t.Context()); err != nil || after != before+1 {
		t.Errorf("change %d after %d, %v", after, before, err)
	}
	if !equal(names(s.history()), []string{"Ingresso"}) {
		t.Error("the reply changed what is declared")
	}
}

// withdrawnElsewhere is what another act than a message of the agent does when
// it withdraws a site: it ends the grants, and queues the news last.
func (s *sender) withdrawnElsewhere(at time.Time) protocol.Notice {
	s.t.Helper()
	n := protocol.Notice{ID: uuid.NewString(), SiteID: s.site, At: at, Body: protocol.SiteChange{State: protocol.SiteWithdrawn, At: at}}
	err := s.r.update(s.t.Context(), func(ctx context.Context, tx *tx) error {
		w := write{r: s.r, tx: tx, at: at, m: protocol.Message{SiteID: s.site, Epoch: s.epoch, MadeAt: at}}
		return errors.Join(w.exec(ctx, "UPDATE grants SET until_at = ? WHERE site_id = ?", micros(at), s.site), w.takeOut(ctx), s.r.queueNotice(ctx, tx, n))
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestWithdrawnElsewhere: the agents whose grants ended with the site are told,
// once, and may say that they know; nobody else is, and nothing else.
func TestWithdrawnElsewhere(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	before := s.next(noon, declaration(camera(1, "Ingresso")))
	request := s.queue(noon, preserve(id(1)))
	n := s.withdrawnElsewhere(noon.Add(time.Hour))
	if got := s.waits(noon.Add(2 * time.Hour)); !slices.Equal(got, []string{n.ID}) {
		t.Fatalf("waiting %v, want %s", got, n.ID)
	}
	if agents, _, err := r.Noticed(t.Context(), 1); err != nil || !slices.Equal(agents, []string{s.agent}) {
		t.Errorf("to be told: %v, %v", agents, err)
	}
	if _, err := s.deliver(before, noon.Add(2*time.Hour)); !errors.Is(err, ingest.ErrNotGranted) {
		t.Errorf("a declaration after it: %v", err)
	}
	s.say(noon.Add(2*time.Hour), reply(n, protocol.ReplyReceived, noon))
	s.say(noon.Add(2*time.Hour), reply(request, protocol.ReplyCopied, noon)) // it was on its way
	if got := s.waits(noon.Add(2 * time.Hour)); got != nil {
		t.Errorf("after it was received: %v", got)
	}
	again := s.next(noon.Add(3*time.Hour), protocol.Observation{})
	if _, err := s.deliver(again, noon.Add(3*time.Hour)); !errors.Is(err, ingest.ErrNotGranted) {
		t.Errorf("an observation after it: %v", err)
	}
}

// TestNoticesGoWithTheSite: what was asked of a site that is withdrawn, and what
// its people said, is gone; that it was asked stays.
func TestNoticesGoWithTheSite(t *testing.T) {
	r := openNew(t)
	r.wiping.short = time.Hour
	s := enrol(t, r, noon)
	n := s.ask(noon)
	s.say(noon, reply(n, protocol.ReplyCannot, noon))
	before := stolen(t, r, n.ID)
	s.say(noon, withdrawal())
	before.gone(t)
	a := s.asked()
	if a.Notice.Body != nil || a.Replies[0].By != "" || a.ClosedAt.IsZero() || a.State != NoticeState(protocol.ReplyCannot) {
		t.Errorf("after the withdrawal: %+v", a)
	}
	s.say(noon.Add(time.Hour), reply(n, protocol.ReplyCopied, noon)) // it was on its way
	if a := s.asked(); len(a.Replies) != 2 || a.Replies[1].Note != "" {
		t.Errorf("after a late reply: %+v", a)
	}
	var left int
	if err := r.read.QueryRowContext(t.Context(), "SELECT count(*) FROM notices WHERE body IS NOT NULL OR check_hash IS NOT NULL").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d bodies or codes are left, %v", left, err)
	}
}

// TestOldNoticesLoseTheirContent: 30 days after it was closed, what a notice
// says is deleted, from the files too.
func TestOldNoticesLoseTheirContent(t *testing.T) {
	r := openNew(t)
	r.wiping.short = time.Hour
	s := enrol(t, r, noon)
	n := s.ask(noon)
	s.say(noon, reply(n, protocol.ReplyCopied, noon))
	before := stolen(t, r, n.ID)
	if err := r.CloseNotices(t.Context(), noon.Add(29*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if s.asked().Notice.Body == nil {
		t.Error("gone after 29 days")
	}
	if err := r.CloseNotices(t.Context(), noon.Add(31*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if a := s.asked(); a.Notice.Body != nil || a.Replies[0].Note != "" || a.State != NoticeState(protocol.ReplyCopied) {
		t.Errorf("after 31 days: %+v", a)
	}
	before.gone(t)
}
