package inventory

import (
	"bytes"
	"database/sql"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

const noticeA = "7d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c0a1"

// preserve is a request for an interval an hour ago of these cameras.
func preserve(cameras ...string) protocol.Notice {
	return protocol.Notice{ID: noticeA, SiteID: siteA, At: noon, Body: protocol.Preserve{Kind: protocol.Invitation,
		From: "Questura di Milano, ass. Bruni", Phone: "+39 02 62261", Reference: "CNR 12/2026", Start: noon.Add(-time.Hour),
		End: noon.Add(-30 * time.Minute), CameraIDs: cameras, CheckCode: "K7QM-2R"}}
}

func change(state protocol.SiteState, at time.Time) protocol.Notice {
	return protocol.Notice{ID: uuid.NewString(), SiteID: siteA, At: at, Body: protocol.SiteChange{State: state, At: at}}
}

func keep(t *testing.T, v *Inventory, n protocol.Notice) {
	t.Helper()
	if err := n.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := v.KeepNotice(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

// replies are the states of the replies in the outbox, oldest first.
func replies(t *testing.T, v *Inventory) (all []protocol.ReplyState) {
	t.Helper()
	for _, s := range outbox(t, v) {
		if r, ok := s.Message.Body.(protocol.Reply); ok {
			all = append(all, r.State)
		}
	}
	return all
}

func wantReplies(t *testing.T, v *Inventory, want ...protocol.ReplyState) {
	t.Helper()
	if got := replies(t, v); !slices.Equal(got, want) {
		t.Errorf("replies %q, want %q", got, want)
	}
}

// A notice is kept once, told as received once and as seen once, however often
// it comes and is opened, and whatever is started anew between.
func TestNoticeOnce(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	enrol(t, v, siteA)
	sent := preserve(uuid.NewString())
	again := func() {
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		v = open(t, dir)
		keep(t, v, sent)
	}
	keep(t, v, sent)
	again()
	if n, err := v.NewNotices(t.Context()); err != nil || n != 1 {
		t.Errorf("%d new: %v", n, err)
	}
	wantReplies(t, v, protocol.ReplyReceived)
	select {
	case <-v.Waiting():
	default:
		t.Error("nobody is told that a reply waits")
	}
	for range 2 {
		n, err := v.SeeNotice(t.Context(), noticeA)
		if err != nil || !reflect.DeepEqual(n.Body, sent.Body) || n.SeenAt.IsZero() || !n.ClosedAt.IsZero() {
			t.Errorf("%+v: %v", n, err)
		}
		again()
	}
	if n, _ := v.NewNotices(t.Context()); n != 0 {
		t.Errorf("%d are new after one was seen", n)
	}
	wantReplies(t, v, protocol.ReplyReceived, protocol.ReplySeen)
	if all, err := v.Notices(t.Context()); err != nil || len(all) != 1 || all[0].Kind != protocol.NoticePreserve {
		t.Errorf("%+v: %v", all, err)
	}
}

// Receiving and the word of it are one act: when the word cannot be queued,
// nothing was received.
func TestNoticeAndItsReplyAreOneAct(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	if _, err := v.writer.ExecContext(t.Context(), `CREATE TEMP TRIGGER full BEFORE INSERT ON message BEGIN SELECT raise(ABORT, 'full'); END`); err != nil {
		t.Fatal(err)
	}
	if err := v.KeepNotice(t.Context(), preserve(uuid.NewString())); err == nil {
		t.Error("kept without its reply")
	}
	if all, err := v.Notices(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%+v: %v", all, err)
	}
}

func TestNoticeOfUnknownSite(t *testing.T) {
	v := open(t, t.TempDir())
	keep(t, v, preserve(uuid.NewString()))
	if all, err := v.Notices(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%+v: %v", all, err)
	}
	if _, err := v.SeeNotice(t.Context(), noticeA); !errors.Is(err, ErrUnknown) {
		t.Errorf("opened: %v", err)
	}
}

func TestAnswerNotice(t *testing.T) {
	v, cams := declared(t, 1)
	keep(t, v, preserve(cams[0].ID))
	for _, bad := range []protocol.Reply{
		{State: protocol.ReplyCopied}, {State: protocol.ReplySeen, By: "Anna Neri"}, {State: "done", By: "Anna Neri"},
		{State: protocol.ReplyPresent, By: "Anna Neri"}, {State: protocol.ReplyCopied, By: "Anna Neri", Note: strings.Repeat("x", 301)},
	} {
		if _, ok := errors.AsType[protocol.FieldErrors](v.AnswerNotice(t.Context(), noticeA, bad)); !ok {
			t.Errorf("%+v was taken", bad)
		}
	}
	wantReplies(t, v, protocol.ReplyReceived)
	for _, good := range []protocol.Reply{
		{State: protocol.ReplyCannot, By: "Anna Neri", Note: "non so la password"},
		{State: protocol.ReplyCopied, By: " Luca Verdi ", Note: "su una chiavetta, in cassaforte"},
	} {
		if err := v.AnswerNotice(t.Context(), noticeA, good); err != nil {
			t.Fatal(err)
		}
	}
	wantReplies(t, v, protocol.ReplyReceived, protocol.ReplySeen, protocol.ReplyCannot, protocol.ReplyCopied)
	n, err := v.Notice(t.Context(), noticeA)
	if err != nil || n.Answer != protocol.ReplyCopied || n.AnsweredBy != "Luca Verdi" || n.ClosedAt.IsZero() {
		t.Errorf("%+v: %v", n, err)
	}
	if err := v.AnswerNotice(t.Context(), uuid.NewString(), protocol.Reply{State: protocol.ReplyCopied, By: "x"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("answered what is not there: %v", err)
	}
	reminder := protocol.Notice{ID: uuid.NewString(), SiteID: siteA, At: noon, Body: protocol.Reminder{Reason: "check the contact"}}
	keep(t, v, reminder)
	if err := v.AnswerNotice(t.Context(), reminder.ID, protocol.Reply{State: protocol.ReplyCopied, By: "x"}); !errors.Is(err, ErrClosed) {
		t.Errorf("a reminder was answered: %v", err)
	}
	// A reply is not the site's last decision.
	if states := view(t, v).Decided; states[siteA] != Acknowledged {
		t.Errorf("%v", states)
	}
	if c := cameras(t, v)[0]; c.State != StateDeclared || c.Declared == nil {
		t.Error("the camera is no longer declared")
	}
}

// A notice of a site that is not known here comes again and again: it is said once.
func TestNoticeOfAnUnknownSite(t *testing.T) {
	v, _ := declared(t, 1)
	var said bytes.Buffer
	v.log = slog.New(slog.NewTextHandler(&said, nil))
	n := preserve(uuid.NewString())
	n.SiteID = siteB
	for range 3 {
		keep(t, v, n)
	}
	if all, err := v.Notices(t.Context()); err != nil || len(all) != 0 || strings.Count(said.String(), n.ID) != 1 {
		t.Errorf("%d kept, %v; said: %s", len(all), err, said.String())
	}
}

// At the looks that take place in any case, and only from what they read: is the
// footage still there? In doubt nothing is said.
func TestPresent(t *testing.T) {
	at := noon.Add(10 * time.Minute)
	reading := func(oldest time.Duration) func(*interrogate.Device) {
		return func(d *interrogate.Device) {
			d.Channels[0].Retention.OldestFootage, d.Channels[0].Retention.ObservedAt = at.Add(-oldest), at
		}
	}
	for name, tc := range map[string]struct {
		change func(*interrogate.Device)
		ask    func(*protocol.Preserve)
		want   bool
	}{
		"reaches back":         {change: reading(48 * time.Hour), want: true},
		"begins in between":    {change: reading(40 * time.Minute)},
		"gone":                 {change: reading(5 * time.Minute)},
		"not read in the look": {change: func(d *interrogate.Device) { d.Channels[0].Retention.ObservedAt = noon.Add(-24 * time.Hour) }},
		"silent":               {change: func(d *interrogate.Device) { *d = interrogate.Device{Sighting: d.Sighting} }},
		"on motion": {change: func(d *interrogate.Device) {
			reading(48 * time.Hour)(d)
			d.Channels[0].Schedule.Mode = protocol.Motion
		}},
		"of another camera too": {change: reading(48 * time.Hour), ask: func(p *protocol.Preserve) { p.CameraIDs = append(p.CameraIDs, uuid.NewString()) }},
		"not over yet":          {change: reading(48 * time.Hour), ask: func(p *protocol.Preserve) { p.End = at.Add(time.Hour) }},
	} {
		t.Run(name, func(t *testing.T) {
			v, cams := declared(t, 1)
			n := preserve(cams[0].ID)
			p := n.Body.(protocol.Preserve)
			if tc.ask != nil {
				tc.ask(&p)
			}
			n.Body = p
			keep(t, v, n)
			want := []protocol.ReplyState{protocol.ReplyReceived}
			if tc.want {
				want = append(want, protocol.ReplyPresent)
			}
			for range 2 { // and said once
				d := cameraDevice(0)
				tc.change(&d)
				record(t, v, at, d)
				wantReplies(t, v, want...)
			}
		})
	}
}

// What was decided with the owner's link is followed here: nothing of the site
// is declared any more, what could only be refused waits no longer, passwords
// are gone, and no withdrawal is sent.
func TestWithdrawnElsewhere(t *testing.T) {
	v, cams := declared(t, 2)
	if err := v.SetCredential(t.Context(), cams[0].Device.ID, interrogate.Credential{User: "u", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	keep(t, v, preserve(cams[0].ID))
	outdoors(t, v, cams[0].ID, true)
	approve(t, v, cams[0].ID) // waits
	keep(t, v, change(protocol.SiteWithdrawn, noon))
	for _, c := range cameras(t, v) {
		if c.State != StateWithdrawn || c.Device.HasPassword {
			t.Errorf("%s: %s, password %v", c.ID, c.State, c.Device.HasPassword)
		}
	}
	waits := 0
	for _, s := range outbox(t, v) {
		switch {
		case s.Kind == "withdrawal":
			t.Error("a withdrawal is sent")
		case s.State == Waiting:
			waits++ // the words that the two notices were received
		case s.State == Rejected && !strings.Contains(s.Why, "withdrawn"):
			t.Errorf("%s was closed without a reason: %q", s.Kind, s.Why)
		}
	}
	if waits != 2 {
		t.Errorf("%d messages wait", waits)
	}
	if states := view(t, v).Decided; len(states) != 0 {
		t.Errorf("the last decisions are %v", states)
	}
	if r, err := v.Recorded(t.Context()); err != nil || r[siteA] != "" {
		t.Errorf("recorded %v: %v", r, err)
	}
	record(t, v, noon.Add(48*time.Hour), cameraDevice(0)) // nothing more leaves
	wantReplies(t, v, protocol.ReplyReceived, protocol.ReplyReceived)
	if n, err := v.SeeNotice(t.Context(), noticeA); err != nil || !n.Left || n.ClosedAt.IsZero() {
		t.Errorf("%+v: %v", n, err)
	}
	if err := v.AnswerNotice(t.Context(), noticeA, protocol.Reply{State: protocol.ReplyCopied, By: "x"}); !errors.Is(err, ErrClosed) {
		t.Errorf("answered: %v", err)
	}
	if r := approve(t, v, cams[0].ID); r[0].Error == "" {
		t.Error("declared again without a new code")
	}
	if err := v.AddGrant(t.Context(), protocol.Grant{SiteID: siteA, SiteName: "Bar Centrale", Category: "bar-restaurant", Epoch: 2, From: noon.Add(time.Hour)}, "https://c.example"); err != nil {
		t.Fatal(err)
	}
	if r := approve(t, v, cams[0].ID); r[0].Error != "" {
		t.Errorf("after a new code: %s", r[0].Error)
	}
	keep(t, v, change(protocol.SiteWithdrawn, noon.Add(time.Minute))) // of the enrolment before, and late
	if c := cameras(t, v)[0]; c.State != StateDeclared {
		t.Errorf("an old withdrawal took back a new enrolment: %s", c.State)
	}
}

func TestSuspendedAndResumed(t *testing.T) {
	v, _ := declared(t, 1)
	for _, step := range []struct {
		n    protocol.Notice
		want protocol.SiteState
	}{
		{change(protocol.SiteSuspended, noon), protocol.SiteSuspended},
		{change(protocol.SiteResumed, noon.Add(time.Hour)), ""},
		{change(protocol.SiteSuspended, noon.Add(time.Minute)), ""}, // late
	} {
		keep(t, v, step.n)
		g := view(t, v).Sites
		if g[0].State != step.want {
			t.Errorf("%q, want %q", g[0].State, step.want)
		}
	}
	if cameras(t, v)[0].State != StateDeclared {
		t.Error("a suspension withdrew the camera")
	}
}

// The register keeps a site suspended when a computer is enrolled for it, and so
// does its page: it does not say that the police see what they do not.
func TestSuspendedBeforeEnrolment(t *testing.T) {
	v, _ := declared(t, 1)
	state := func(what string, want protocol.SiteState) {
		t.Helper()
		if g := view(t, v).Sites; g[0].State != want {
			t.Errorf("%s: %q, want %q", what, g[0].State, want)
		}
	}
	enrolled := func(epoch int64, at time.Time) {
		t.Helper()
		if err := v.AddGrant(t.Context(), protocol.Grant{SiteID: siteA, SiteName: "Bar Centrale", Category: "bar-restaurant", Epoch: epoch, From: at}, "https://c.example"); err != nil {
			t.Fatal(err)
		}
	}
	enrolled(2, noon.Add(2*time.Hour))
	keep(t, v, change(protocol.SiteSuspended, noon.Add(time.Hour)))
	state("told after the enrolment", protocol.SiteSuspended)
	enrolled(3, noon.Add(3*time.Hour))
	state("a further code", protocol.SiteSuspended)
	keep(t, v, change(protocol.SiteWithdrawn, noon.Add(150*time.Minute)))
	state("withdrawn between the two, and told late", "")
	if cameras(t, v)[0].State != StateWithdrawn {
		t.Error("the camera that was declared before it is still called declared")
	}
	keep(t, v, change(protocol.SiteWithdrawn, noon.Add(4*time.Hour)))
	state("withdrawn", protocol.SiteWithdrawn)
	enrolled(4, noon.Add(5*time.Hour))
	state("after a new code", "")
}

// The content of a notice goes 30 days after it was closed, which is 90 days after
// it came if nobody answered; that there was one stays, and it is not taken for new.
func TestNoticeContentIsDeleted(t *testing.T) {
	const day = 24 * time.Hour
	for name, tc := range map[string]struct {
		answer bool
		kept   time.Duration
		gone   time.Duration
	}{"answered": {true, 30 * day, 31 * day}, "unanswered": {false, 120 * day, 122 * day}} {
		t.Run(name, func(t *testing.T) {
			v, cams := declared(t, 1)
			sent := preserve(cams[0].ID)
			keep(t, v, sent)
			if tc.answer {
				if err := v.AnswerNotice(t.Context(), noticeA, protocol.Reply{State: protocol.ReplyCopied, By: "Anna Neri", Note: "cassaforte"}); err != nil {
					t.Fatal(err)
				}
			}
			for d := time.Duration(0); d <= tc.kept; d += day {
				record(t, v, noon.Add(d))
			}
			if n, err := v.Notice(t.Context(), noticeA); err != nil || n.Body == nil {
				t.Errorf("%+v: %v", n, err)
			}
			record(t, v, noon.Add(tc.gone))
			if n, err := v.Notice(t.Context(), noticeA); err != nil || n.Body != nil || n.AnsweredBy != "" || n.Note != "" {
				t.Errorf("%+v: %v", n, err)
			}
			var text sql.NullString
			if err := v.reader.QueryRow(`SELECT body FROM notice`).Scan(&text); err != nil || text.Valid {
				t.Errorf("it is still there: %v %v", text, err)
			}
			keep(t, v, sent)
			if n, err := v.NewNotices(t.Context()); err != nil || n != 0 {
				t.Errorf("%d new: %v", n, err)
			}
			if err := v.AnswerNotice(t.Context(), noticeA, protocol.Reply{State: protocol.ReplyCopied, By: "x"}); !errors.Is(err, ErrClosed) {
				t.Errorf("answered: %v", err)
			}
		})
	}
}

// What was declared under an earlier grant ends by a withdrawal made after it,
// also if this computer hears of that only when it was enrolled anew.
func TestWithdrawnElsewhereBeforeTheNewGrant(t *testing.T) {
	v, cams := declared(t, 1)
	deliver(t, v)
	made := outbox(t, v)[0].Message.MadeAt
	if err := v.AddGrant(t.Context(), protocol.Grant{SiteID: siteA, SiteName: "Bar Centrale", Category: "bar-restaurant", Epoch: 2, From: made.Add(2 * time.Hour)}, ""); err != nil {
		t.Fatal(err)
	}
	keep(t, v, change(protocol.SiteWithdrawn, made.Add(-time.Hour)))
	if c := cameras(t, v)[0]; c.State != StateDeclared {
		t.Errorf("a withdrawal from before the declaration: %s", c.State)
	}
	keep(t, v, change(protocol.SiteWithdrawn, made.Add(time.Hour)))
	if c := cameras(t, v)[0]; c.State != StateWithdrawn {
		t.Errorf("a withdrawal from after the declaration: %s", c.State)
	}
	if g := view(t, v).Sites; g[0].State != "" {
		t.Errorf("the new grant is %q", g[0].State)
	}
	if r := approve(t, v, cams[0].ID); r[0].Error != "" {
		t.Errorf("under the new grant: %s", r[0].Error)
	}
}

// A notice that is handed down again under another grant is not shown again, but
// how far it had come is told again, once: the collector took no word of it.
func TestNoticeUnderANewGrant(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	n := preserve(uuid.NewString())
	keep(t, v, n)
	if _, err := v.SeeNotice(t.Context(), noticeA); err != nil {
		t.Fatal(err)
	}
	for _, s := range outbox(t, v) {
		if err := v.Reject(t.Context(), s.ID, "not-granted: "); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.AddGrant(t.Context(), protocol.Grant{SiteID: siteA, SiteName: "Bar Centrale", Category: "bar-restaurant", Epoch: 2, From: noon}, ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		keep(t, v, n)
	}
	wantReplies(t, v, protocol.ReplyReceived, protocol.ReplySeen, protocol.ReplyReceived, protocol.ReplySeen)
	if n, err := v.NewNotices(t.Context()); err != nil || n != 0 {
		t.Errorf("%d new: %v", n, err)
	}
}

// A collector that was set back has forgotten what it acknowledged: a notice that
// it hands down again is answered again in full, and once.
func TestNoticeOfARestoredCollector(t *testing.T) {
	at := noon.Add(10 * time.Minute)
	v, cams := declared(t, 1)
	n := preserve(cams[0].ID)
	keep(t, v, n)
	if _, err := v.SeeNotice(t.Context(), noticeA); err != nil {
		t.Fatal(err)
	}
	d := cameraDevice(0)
	d.Channels[0].Retention.OldestFootage, d.Channels[0].Retention.ObservedAt = at.Add(-48*time.Hour), at
	record(t, v, at, d)
	if err := v.AnswerNotice(t.Context(), noticeA, protocol.Reply{State: protocol.ReplyCannot, By: "Anna Neri", Note: "non so la password"}); err != nil {
		t.Fatal(err)
	}
	want := []protocol.ReplyState{protocol.ReplyReceived, protocol.ReplySeen, protocol.ReplyPresent, protocol.ReplyCannot}
	wantReplies(t, v, want...)
	recorded := func() {
		for _, s := range outbox(t, v) {
			if err := v.Acknowledge(t.Context(), receipt(s.ID, s.Raw), "h3"); err != nil {
				t.Fatal(err)
			}
		}
	}
	recorded()
	for range 2 {
		keep(t, v, n)
	}
	want = slices.Concat(want, want)
	wantReplies(t, v, want...)

	// What still waits is not said twice, and hides nothing of the rest.
	recorded()
	if err := v.AnswerNotice(t.Context(), noticeA, protocol.Reply{State: protocol.ReplyCopied, By: "Anna Neri", Note: "chiavetta"}); err != nil {
		t.Fatal(err)
	}
	keep(t, v, n)
	want = append(want, protocol.ReplyCopied, protocol.ReplyReceived, protocol.ReplySeen, protocol.ReplyPresent)
	wantReplies(t, v, want...)

	// Who answered is deleted with the rest after its term; the notice is still
	// taken, or it would be handed down for ever.
	recorded()
	record(t, v, at.Add(31*24*time.Hour))
	keep(t, v, n)
	wantReplies(t, v, append(want, protocol.ReplyReceived, protocol.ReplySeen, protocol.ReplyPresent)...)
}
