package registry

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"anagrafe/collector/registry/pgtest"
	"anagrafe/protocol"
)

// marked is a declaration in which every text that is about the site holds the
// mark. It is long enough to spill over pages.
func marked(mark string, cameras int) protocol.Declaration {
	d := declaration()
	d.Site = protocol.Site{Name: mark + " site", Category: "bank", Address: mark + " address"}
	d.Contacts = []protocol.Contact{
		{Name: mark + " contact", Role: protocol.RoleOwner, Phone: "+39 02 7777", Email: mark + "@example.org", Hours: mark},
		{Name: mark + " second", Role: protocol.RoleReferent, Phone: "+39 02 8888"},
	}
	d.Recorders[0].Name, d.Recorders[0].StorageNote = mark+" recorder", mark+" room"
	d.Recorders[0].Clock = &protocol.Clock{OffsetMs: 4, Method: mark + " method", At: noon}
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
		Clock: &protocol.Clock{Method: mark + " looked", At: at}}}
	return o
}

// count tells how often the mark stands in the register's files; on PostgreSQL,
// whose files keep what it was until VACUUM, in how many of its rows.
func count(t *testing.T, path, mark string) int {
	t.Helper()
	if tested == postgres {
		return countRows(t, path, mark)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files at %s: %v", path, err)
	}
	n := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(b, []byte(mark))
	}
	return n
}

func countRows(t *testing.T, path, mark string) int {
	t.Helper()
	c, err := pgx.Connect(t.Context(), pgtest.Database(t, path))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	rows, err := c.Query(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, table := range tables {
		var n int
		// A row's text has its bytes in hexadecimal.
		err := c.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" r WHERE strpos(r::text, $1) > 0 OR strpos(r::text, $2) > 0",
			strings.ToValidUTF8(mark, "?"), hex.EncodeToString([]byte(mark))).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		all += n
	}
	return all
}

// Many sites side by side share pages of the database: what one withdraws must
// be gone from them, and from the log, while the register is open.
func TestWithdrawnIsReallyGone(t *testing.T) {
	onlySQLite(t)
	path := filepath.Join(t.TempDir(), "registry.db")
	r := openAt(t, path)
	r.wiping.short = time.Hour // a slow disk is not what is tested
	const sites, cameras = 24, 12
	mark := func(i int) string { return fmt.Sprintf("Sentinel%cq", 'a'+i) }
	var senders []*sender
	for i := range sites {
		s := enrol(t, r, noon)
		senders = append(senders, s)
		s.say(noon, marked(mark(i), cameras))
	}
	for i, s := range senders {
		s.say(noon.Add(time.Hour), observed(mark(i), noon.Add(time.Hour), cameras))
		d := marked(mark(i), cameras)
		d.Cameras[0].Position.Lat += 100
		d.Site.Name += " renamed"
		s.say(noon.Add(2*time.Hour), d)
	}
	for i := range sites {
		if count(t, path, mark(i)) == 0 {
			t.Fatalf("%s is not in the files: the test sees nothing", mark(i))
		}
	}
	for i := 0; i < sites; i += 2 {
		s := senders[i]
		m := s.next(noon.Add(3*time.Hour), withdrawal())
		if _, err := s.deliver(m, noon.Add(3*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n := count(t, path, mark(i)); n > 0 {
			t.Errorf("%s stands %d times in the files after its withdrawal", mark(i), n)
		}
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
		if sum.State != Withdrawn || sum.Name != "" || sum.Cameras != 0 || !sum.WithdrawnAt.Equal(noon.Add(3*time.Hour)) {
			t.Errorf("summary after the withdrawal: %+v", sum)
		}
	}
	// What stands in the gaps of pages is seldom caught by the marks: that the
	// file was rewritten shows in that it has no free page.
	if free := pragmaOf(t, r.write, "freelist_count"); free != "0" {
		t.Errorf("%s pages are free", free)
	}
	for i := 1; i < sites; i += 2 {
		if got := len(names(senders[i].history())); got != cameras {
			t.Errorf("site %d, which stays, has %d cameras", i, got)
		}
	}
}

func TestReplacedContactAndDroppedCameraAreGone(t *testing.T) {
	onlySQLite(t)
	path := filepath.Join(t.TempDir(), "registry.db")
	s := enrol(t, openAt(t, path), noon)
	d := marked("sentinelStays", 40)
	d.Contacts[0].Name = "sentinelContact"
	d.Cameras[7].Name = "sentinelCamera"
	d.Cameras[7].Channel = ""
	s.say(noon, d)
	if count(t, path, "sentinelContact") == 0 || count(t, path, "sentinelCamera") == 0 {
		t.Fatal("the test sees nothing")
	}
	d.Contacts[0].Name = "Anna"
	s.say(noon.Add(time.Hour), d)
	if n := count(t, path, "sentinelContact"); n > 0 {
		t.Errorf("the replaced contact stands %d times in the files", n)
	}
	d.Cameras = append(d.Cameras[:7:7], d.Cameras[8:]...)
	s.say(noon.Add(2*time.Hour), d)
	if n := count(t, path, "sentinelCamera"); n > 0 {
		t.Errorf("the dropped camera stands %d times in the files", n)
	}
	if len(names(s.history())) != 39 {
		t.Error("another camera went with it")
	}
}

// A reader that holds the log when something is erased does not keep it alive
// for ever: the next write wipes it.
func TestErasureWaitsForReaders(t *testing.T) {
	onlySQLite(t)
	path := filepath.Join(t.TempDir(), "registry.db")
	r := openAt(t, path)
	// The reader of this test never lets go while the writer waits.
	if _, err := r.write.ExecContext(t.Context(), "PRAGMA busy_timeout = 1"); err != nil {
		t.Fatal(err)
	}
	s := enrol(t, r, noon)
	s.say(noon, marked("sentinelHeld", 20))
	tx, err := r.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM versions").Scan(&n); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	s.say(noon.Add(time.Hour), withdrawal())
	if count(t, path, "sentinelHeld") == 0 {
		t.Fatal("the reader does not hold the log: the test shows nothing")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	enrol(t, r, noon)
	if n := count(t, path, "sentinelHeld"); n > 0 {
		t.Errorf("the mark stands %d times in the files after the next write", n)
	}
}

// What a process that ended could not wipe, the next one does at start.
func TestErasureWaitsForTheNextStart(t *testing.T) {
	onlySQLite(t)
	path := filepath.Join(t.TempDir(), "registry.db")
	r := openAt(t, path)
	s := enrol(t, r, noon)
	s.say(noon, marked("sentinelCrash", 20))
	r.wiping.next.Store(time.Now().Add(time.Hour).UnixMicro())
	s.say(noon.Add(time.Hour), withdrawal())
	if count(t, path, "sentinelCrash") == 0 {
		t.Fatal("it was wiped at once: the test shows nothing")
	}
	openAt(t, path)
	if n := count(t, path, "sentinelCrash"); n > 0 {
		t.Errorf("the mark stands %d times in the files after opening again", n)
	}
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
	if _, err := s.deliver(old, noon.Add(3*time.Minute)); err != nil {
		t.Fatal(err)
	}
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

// Withdrawn by its owner's code or by one of its agents, nothing stands in the
// files of what two agents declared, one before the other, of what was asked and
// answered, and of what was observed.
func TestAllOfASiteIsGone(t *testing.T) {
	for name, withdraw := range map[string]func(a *sender, at time.Time){
		"by its owner": func(a *sender, at time.Time) { a.act(protocol.SiteWithdrawn, at) },
		"by an agent":  func(a *sender, at time.Time) { a.say(at, withdrawal()) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "registry.db")
			r, a, _ := owned(t, path)
			r.wiping.short = time.Hour
			a.say(noon, marked("Sentinelaq", 20))
			a.say(noon, observed("Sentinelaq", noon, 20))
			b := beside(t, a, noon.Add(time.Minute), nil)
			b.say(noon.Add(time.Hour), marked("Sentinelbq", 20)) // the same recorder: A's view is hidden
			p := preserve(id(1))
			p.From, p.Reference = "SentinelForce", "SentinelCase"
			n := a.queue(noon.Add(time.Hour), p)
			said := reply(n, protocol.ReplyCannot, noon)
			said.By, said.Note = "SentinelPerson", "SentinelNote"
			a.say(noon.Add(time.Hour), said)
			a.act(protocol.SiteSuspended, noon.Add(2*time.Hour))
			if count(t, path, "Sentinelaq") == 0 || count(t, path, "Sentinelbq") == 0 {
				t.Fatal("the marks are not in the files: the test sees nothing")
			}
			withdraw(a, noon.Add(3*time.Hour))
			if n := count(t, path, "Sentinel"); n > 0 {
				t.Errorf("marks stand %d times in the files", n)
			}
			var bodies int
			err := r.read.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM notices WHERE kind <> 'site-change' AND (body IS NOT NULL OR check_hash IS NOT NULL))
				+ (SELECT count(*) FROM notice_replies WHERE body IS NOT NULL) + (SELECT count(*) FROM parts)`).Scan(&bodies)
			if err != nil || bodies != 0 {
				t.Errorf("%d sealed texts, hashes and parts are kept, %v", bodies, err)
			}
		})
	}
}
