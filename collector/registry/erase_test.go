package registry

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// marked is a declaration in which every text that is about the site holds the
// mark. It is long enough to spill over pages.
func marked(mark string, cameras int) protocol.Declaration {
	d := declaration()
	d.Site = protocol.Site{Name: mark + " site", Category: "bank", Address: mark + " address"}
	d.Contacts = []protocol.Contact{
		{Name: mark + " contact", Role: protocol.RoleOwner, Phone: "+39 02 7777", Email: strings.ReplaceAll(mark, " ", ".") + "@example.org", Hours: mark},
		{Name: mark + " second", Role: protocol.RoleReferent, Phone: "+39 02 8888"},
	}
	d.Recorders[0].Name, d.Recorders[0].StorageNote = mark+" recorder", mark+" room"
	d.Recorders[0].Clock = &protocol.Clock{OffsetMs: 4, Method: "method", At: noon}
	for i := range cameras {
		c := camera(i+1, fmt.Sprintf("%s camera %d", mark, i))
		c.Channel = mark + " channel"
		d.Cameras = append(d.Cameras, c)
	}
	d.Approval.By = mark + " person"
	return d
}

func observed(mark string, at time.Time, cameras int) protocol.Observation {
	var o protocol.Observation
	for i := range cameras {
		o.Cameras = append(o.Cameras, protocol.CameraObservation{CameraID: id(i + 1), At: at, OldestFootage: at.Add(-time.Hour),
			Schedule: &protocol.Schedule{Kind: protocol.ScheduleOff, Zone: "Etc/" + mark, Fact: protocol.Fact{Source: protocol.Measured, At: at}}})
	}
	o.Recorders = []protocol.RecorderObservation{{RecorderID: id(recorderNumber), At: at, Reachable: true,
		Clock: &protocol.Clock{Method: "looked", At: at}}}
	return o
}

// The key of a withdrawn site is in no file any more, while the register is open
// and the other sites are served.
func TestWithdrawnIsReallyGone(t *testing.T) {
	r := openNew(t)
	r.wiping.short = time.Hour // a slow disk is not what is tested
	const sites, cameras = 10, 6
	var senders []*sender
	for i := range sites {
		s := enrol(t, r, noon)
		senders = append(senders, s)
		s.say(noon, marked(fmt.Sprint("site ", i), cameras))
	}
	for i, s := range senders {
		s.say(noon.Add(time.Hour), observed("Rome", noon.Add(time.Hour), cameras))
		d := marked(fmt.Sprint("site ", i), cameras)
		d.Cameras[0].Position.Lat += 100
		s.say(noon.Add(2*time.Hour), d)
	}
	for i := 0; i < sites; i += 2 {
		s := senders[i]
		before := stolen(t, r, s.site)
		s.say(noon.Add(3*time.Hour), withdrawal())
		before.gone(t)
		h := s.history()
		if !h.Withdrawn || len(h.Sites)+len(h.Recorders)+len(h.Clocks)+len(h.Cameras)+len(h.Schedules)+len(h.Retentions) != 0 {
			t.Errorf("history after the withdrawal: %+v", h)
		}
		if contacts, err := r.Contacts(t.Context(), []string{s.site}); err != nil || len(contacts) != 0 {
			t.Errorf("contacts after the withdrawal: %+v, %v", contacts, err)
		}
		summaries, err := r.Sites(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(summaries, func(sum SiteSummary) bool { return sum.ID == s.site })
		if at < 0 {
			t.Fatal("a withdrawn site is not among the sites")
		}
		sum := summaries[at]
		if sum.State != Withdrawn || sum.Name != "" || sum.Cameras != 0 || !sum.WithdrawnAt.Equal(noon.Add(3*time.Hour+time.Second)) {
			t.Errorf("summary after the withdrawal: %+v", sum)
		}
	}
	for i := 1; i < sites; i += 2 {
		if got := len(names(senders[i].history())); got != cameras {
			t.Errorf("site %d, which stays, has %d cameras", i, got)
		}
	}
}

// What goes while the site stays goes with the key that it was sealed with.
func TestReplacedContactAndDroppedCameraAreGone(t *testing.T) {
	r := openNew(t)
	r.wiping.short = time.Hour
	s := enrol(t, r, noon)
	d := marked("site", 40)
	s.say(noon, d)
	for _, change := range []func(){
		func() { d.Contacts[0].Name = "Anna" },
		func() { d.Cameras = append(d.Cameras[:7:7], d.Cameras[8:]...) },
		func() { d.Contacts = d.Contacts[:1] },
	} {
		before := stolen(t, r, s.site)
		change()
		s.say(noon.Add(time.Hour), d)
		before.gone(t)
		if got := len(names(s.history())); got != len(d.Cameras) {
			t.Errorf("%d cameras, want %d", got, len(d.Cameras))
		}
		contacts, err := r.Contacts(t.Context(), []string{s.site})
		if err != nil || !slices.EqualFunc(contacts[s.site], d.Contacts, func(a Contact, b protocol.Contact) bool { return a.Contact == b }) {
			t.Errorf("contacts: %+v, %v", contacts, err)
		}
		if _, _, raw, err := r.Site(t.Context(), s.agent, s.site); err != nil || len(raw) == 0 {
			t.Errorf("the declaration: %d bytes, %v", len(raw), err)
		}
	}
	// A change that takes nothing away needs no new key.
	key := stolen(t, r, s.site)
	d.Cameras[0].Name = "Ingresso"
	s.say(noon.Add(2*time.Hour), d)
	if !bytes.Equal(key.wrapped, stolen(t, r, s.site).wrapped) {
		t.Error("a changed name had the site sealed anew")
	}
}

// A reader that holds the log when a key is destroyed is not waited for, and does not
// keep it alive for ever: a later write wipes it.
func TestErasureWaitsForReaders(t *testing.T) {
	onlySQLite(t)
	start := time.Now()
	r := openNew(t)
	r.wiping.short = time.Hour
	s := enrol(t, r, noon)
	s.say(noon, marked("site", 20))
	before := stolen(t, r, s.site)
	tx, err := r.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM versions").Scan(&n); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	// The reader of this test never lets go while the writer waits.
	if _, err := r.write.ExecContext(t.Context(), "PRAGMA busy_timeout = 3600000"); err != nil {
		t.Fatal(err)
	}
	r.wiping.next.Store(0)
	s.say(noon.Add(time.Hour), withdrawal())
	if inFiles(t, r, before.wrapped) == 0 {
		t.Fatal("the reader does not hold the log: the test shows nothing")
	}
	if next := r.wiping.next.Load(); next < start.Add(wipeAgain).UnixMicro() {
		t.Error("it is tried again with the next write")
	}
	var waits string
	if err := r.write.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&waits); err != nil || waits != lockWait {
		t.Errorf("the writer waits for %s ms afterwards, %v", waits, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	r.wiping.next.Store(0) // ten seconds later
	enrol(t, r, noon)
	before.gone(t)
}

// What a process that ended could not wipe, the next one does.
func TestErasureWaitsForTheNextStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	r := openAt(t, path)
	s := enrol(t, r, noon)
	s.say(noon, marked("site", 20))
	before := stolen(t, r, s.site)
	r.wiping.next.Store(time.Now().Add(time.Hour).UnixMicro())
	s.say(noon.Add(time.Hour), withdrawal())
	if inFiles(t, r, before.wrapped) == 0 {
		t.Fatal("it was wiped at once: the test shows nothing")
	}
	before.r = openAt(t, path)
	enrol(t, before.r, noon)
	before.gone(t)
}

func TestWithdrawnSiteRevivesOnlyByEnrolment(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	invite := func(code string) {
		t.Helper()
		if _, err := r.Invite(t.Context(), Invitation{SiteID: s.site, Site: protocol.Site{Name: "Di nuovo"}, CodeHash: s.code(code),
			ExpiresAt: noon.Add(14 * 24 * time.Hour), At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	invite("before")
	s.say(noon, declaration(camera(1, "Ingresso")))
	lateInOldEpoch := s.next(noon, declaration(camera(1, "Tardi")))
	s.say(noon, withdrawal())
	if _, err := r.Redeem(t.Context(), redemption(s, "before")); err == nil {
		t.Fatal("a code from before the withdrawal brings the site back")
	}
	invite("after")
	if g := s.redeem("after", noon.Add(time.Hour)); g.Epoch <= lateInOldEpoch.Epoch || g.SiteName != "Di nuovo" {
		t.Fatalf("grant %+v", g)
	}
	if _, err := s.deliver(lateInOldEpoch, noon.Add(2*time.Hour)); err == nil {
		t.Fatal("a message of the old epoch was taken")
	}
	if len(names(s.history())) != 0 {
		t.Fatal("enrolling alone brought cameras back")
	}
	s.say(noon.Add(2*time.Hour), declaration(camera(1, "Nuovo")))
	h := s.history()
	if h.Withdrawn || !equal(names(h), []string{"Nuovo"}) {
		t.Fatalf("after declaring again: %+v", h)
	}
}

// A withdrawal made before its agent knew of a later grant does not leave that
// one without the site's name: the code, whose first answer was lost, gives it
// again. Once nobody may speak for the site, the name is gone.
func TestLaterGrantKeepsTheName(t *testing.T) {
	r := openNew(t)
	s := enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "Ingresso")))
	if _, err := r.Invite(t.Context(), Invitation{SiteID: s.site, CodeHash: s.code("second"), ExpiresAt: noon.Add(24 * time.Hour), At: noon}); err != nil {
		t.Fatal(err)
	}
	old := s.next(noon.Add(2*time.Minute), withdrawal())
	want := s.redeem("second", noon.Add(time.Minute))
	before := stolen(t, r, s.site)
	if _, err := s.deliver(old, noon.Add(3*time.Minute)); err != nil {
		t.Fatal(err)
	}
	before.gone(t)
	if got := s.redeem("second", noon.Add(4*time.Minute)); got != want || got.SiteName == "" {
		t.Errorf("the code gave %+v, and now %+v", want, got)
	}
	if h := s.history(); !h.Withdrawn || len(names(h)) != 0 {
		t.Errorf("after the withdrawal: %+v", h)
	}
	s.say(noon.Add(5*time.Minute), withdrawal())
	sites, err := r.Sites(t.Context())
	if err != nil || len(sites) != 1 || sites[0].Name != "" || sites[0].State != Withdrawn {
		t.Errorf("after the last withdrawal: %+v, %v", sites, err)
	}
}

// Withdrawn by its owner's code or by one of its agents, nothing opens of what two
// agents declared, one before the other, of what was asked and answered, and of
// what was observed.
func TestAllOfASiteIsGone(t *testing.T) {
	for name, withdraw := range map[string]func(a *sender, at time.Time){
		"by its owner": func(a *sender, at time.Time) { a.act(protocol.SiteWithdrawn, at) },
		"by an agent":  func(a *sender, at time.Time) { a.say(at, withdrawal()) },
	} {
		t.Run(name, func(t *testing.T) {
			r, a, _ := owned(t, filepath.Join(t.TempDir(), "registry.db"))
			r.wiping.short = time.Hour
			a.say(noon, marked("A", 20))
			a.say(noon, observed("Rome", noon, 20))
			b := beside(t, a, noon.Add(time.Minute), nil)
			b.say(noon.Add(time.Hour), marked("B", 20)) // the same recorder: A's view is hidden
			n := a.queue(noon.Add(time.Hour), preserve(id(1)))
			said := reply(n, protocol.ReplyCannot, noon)
			said.By, said.Note = "Anna", "domani"
			a.say(noon.Add(time.Hour), said)
			a.act(protocol.SiteSuspended, noon.Add(2*time.Hour))
			site, notice := stolen(t, r, a.site), stolen(t, r, n.ID)
			withdraw(a, noon.Add(3*time.Hour))
			site.gone(t)
			notice.gone(t)
			var left int
			err := r.read.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM notices WHERE kind <> 'site-change' AND (body IS NOT NULL OR check_hash IS NOT NULL))
				+ (SELECT count(*) FROM notice_replies WHERE body IS NOT NULL) + (SELECT count(*) FROM parts) + (SELECT count(*) FROM lookups)
				+ (SELECT count(*) FROM sites WHERE body IS NOT NULL)`).Scan(&left)
			if err != nil || left != 0 {
				t.Errorf("%d sealed texts, hashes and parts are kept, %v", left, err)
			}
		})
	}
}
