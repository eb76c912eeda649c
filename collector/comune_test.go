package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/pgtest"
	"anagrafe/protocol"
)

// What officers type, each word of its own kind, so that one that is found says
// where it came from.
const (
	plantedReason = "SENTINELLA-MOTIVO-5b1e"
	plantedRef    = "SENTINELLA-RIF-77a2"
	plantedLater  = "SENTINELLA-RIF-DOPO-90cd"
	plantedPhone  = "+39 377 5550113"
	plantedRecord = "SENTINELLA-ATTO-c3f0"  // an owner's note, by the agent
	plantedNote   = "SENTINELLA-NOTA-18fe"  // another's, on the site's page
	plantedOther  = "SENTINELLA-ALTRO-e7a4" // the reason of a case that a page opens
	plantedPlace  = "SENTINELLA-LUOGO-66d1"
	plantedOffice = "SENTINELLA-UFFICIO-2b9c"
	plantedHand   = "SENTINELLA-CONSEGNA-04bd"
	plantedCall   = "SENTINELLA-DETTATA-8e15" // what an owner dictated to the office
	plantedCaller = "+39 333 5550224"
	plantedLon    = "9.190123"
	plantedLat    = "45.464056"
	plantedFrom   = "2026-11-21T22:17:03Z"
)

// planted are the words that must be found nowhere, in each way of writing them.
var planted = []string{plantedReason, plantedRef, plantedLater, plantedPhone, url.QueryEscape(plantedPhone), plantedPhone[4:], "3775550113", plantedRecord,
	plantedNote, plantedOther, plantedPlace, plantedOffice, plantedHand, plantedCall, plantedCaller, url.QueryEscape(plantedCaller), "3335550224",
	plantedLon, plantedLat, "9190123", "45464056", "22:17:03"}

// sight is one place that the Comune's people can look at.
type sight struct{ where, text string }

// mailbox is a mail server on loopback that takes everything.
type mailbox struct {
	net.Listener
	mu   sync.Mutex
	text bytes.Buffer
	wait sync.WaitGroup
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailbox{Listener: l}
	m.wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.wait.Go(func() { m.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); m.wait.Wait() })
	return m
}

// serve speaks as much of SMTP as a sender needs.
func (m *mailbox) serve(c net.Conn) {
	defer c.Close()
	lines := bufio.NewScanner(c)
	say := func(s string) { fmt.Fprint(c, s+"\r\n") }
	say("220 mailbox")
	for data := false; lines.Scan(); {
		line := lines.Text()
		m.mu.Lock()
		m.text.WriteString(line + "\n")
		m.mu.Unlock()
		switch word, _, _ := strings.Cut(strings.ToUpper(line), " "); {
		case data && line == ".":
			data = false
			say("250 taken")
		case data:
		case word == "DATA":
			data = true
			say("354 go on")
		case word == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (m *mailbox) taken() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}

// written is a log that may be read while it is written.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *written) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// TestWhatTheComuneSeesOfOfficersQuestions plays an evening of two forces through
// the pages of the real collector, then looks at everything that the Comune's people
// can look at: the register, logs, metrics, mail, backups, ops pages and exports.
// They see that something was asked, and nothing of it.
func TestWhatTheComuneSeesOfOfficersQuestions(t *testing.T) {
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		t.Run(engine, func(t *testing.T) {
			store := ""
			if engine == "PostgreSQL" {
				store = pgtest.Database(t, t.Name())
			}
			theComuneSees(t, store)
		})
	}
}

func theComuneSees(t *testing.T, store string) {
	dir, at := t.TempDir(), t.TempDir()
	log, box := &written{}, newMailbox(t)
	c := defaults()
	c.Store = store
	c.PublicURL, c.ListenAgents = "http://localhost:8080", freePort(t, "127.83.41.9")
	c.ListenPublic, c.ListenOps = "127.0.0.1:0", "127.0.0.1:0"
	c.ListenConsult, c.ListenMetrics = freePort(t, "127.0.0.1"), freePort(t, "127.0.0.1")
	c.ConsultURL = "http://" + c.ListenConsult
	c.SMTPServer, c.SMTPFrom = box.Addr().String(), "registro@comune.example.it"
	traces := receive(t)
	c.OTLPEndpoint = traces.URL
	o, err := openCollector(t.Context(), dir, c, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.serve(ctx, io.Discard) }()
	s := &serving{t: t, dir: dir, o: o}
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	defer stop()
	s.command("user", "list", "-data", dir) // answered when all is served

	e := s.evening(at, c)
	defer e.leave() // before the collector stops, which would wait for it
	s.takesACall()
	if err := o.mail.SendDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(box.taken(), "anna@example.it") {
		t.Fatalf("no mail went out: nothing is shown by its not naming what was asked\n%s", log)
	}
	seen := append(e.seen, s.opsSees(e.site)...)
	seen = append(seen, sight{"metrics", httpText(t, "http://"+c.ListenMetrics+"/metrics")}, s.backedUp(at), s.exported(at, e.site))
	e.forceReadsItAll(s)
	e.leave()
	files(t, dir, &seen) // while it serves: the write-ahead log has the newest
	if store != "" {
		tables(t, store, &seen)
	}
	stop()
	files(t, dir, &seen)
	spans, traced := traces.spans()
	if len(spans) == 0 {
		t.Error("no traces were sent: nothing is shown by their not naming what was asked")
	}
	seen = append(seen, sight{"log", log.String()}, sight{"mail", box.taken()}, sight{"traces", traced})
	for _, one := range seen {
		for _, word := range planted {
			if i := strings.Index(one.text, word); i >= 0 {
				t.Errorf("%s tells %q: ...%q...", one.where, word, one.text[max(0, i-60):min(len(one.text), i+60)])
			}
		}
	}
}

// evening is what happened, and how a force reads it.
type evening struct {
	*played
	identity, site string
	seen           []sight // public pages about it
}

// evening has an officer search, reveal, report, request and work in a case.
func (s *serving) evening(at string, c Config) evening {
	t := s.t
	t.Helper()
	credential := filepath.Join(at, "rossi.json")
	e := evening{identity: credential + ".identity"}
	s.officer(credential)
	e.played = play(t, s, c.ListenAgents)
	e.site = e.grant.GetSiteId()
	camera := uuid.NewString()
	d := declared(camera)
	d.Contacts[0].Email = "anna@example.it"
	e.say(d)
	stream := e.listen()
	cl, err := officerClient(c.ConsultURL, credential)
	if err != nil {
		t.Fatal(err)
	}
	matter := url.Values{"case_kind": {"annotation"}, "case_ref": {plantedRef}, "offence": {"robbery"}, "reason": {plantedReason}}
	with := func(pairs ...string) url.Values {
		v := url.Values{}
		for name, values := range matter {
			v[name] = slices.Clone(values)
		}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v
	}
	var found struct {
		Search  string `json:"search"`
		Results []struct {
			Site string `json:"site_id"`
		} `json:"results"`
	}
	post := func(path string, form url.Values, out any) {
		t.Helper()
		if err := cl.postForm(t.Context(), path, form, out); err != nil {
			t.Fatal(path, err)
		}
	}
	post("/search", with("at", plantedLon+","+plantedLat, "time", plantedFrom, "radius", "300"), &found)
	if len(found.Results) != 1 || found.Results[0].Site != e.site {
		t.Fatalf("found %+v", found)
	}
	// One that is refused, with what was typed in it, must not be in the log either.
	if err := cl.postForm(t.Context(), "/search", with("at", plantedReason, "time", plantedFrom), new(struct{})); err == nil {
		t.Fatal("a place that is none was found")
	}
	var any map[string]any
	post("/reveal", with("search", found.Search, "site", e.site), &any)
	post("/requests", with("camera", camera, "from", plantedFrom, "until", "2026-11-21T22:30:00Z", "kind", "order", "phone", plantedPhone), &any)
	id, p := e.hears(stream)
	if p.Phone != plantedPhone {
		t.Fatalf("the owner was told %+v", p)
	}
	post("/unanswered", with("search", found.Search, "site", e.site), &any)
	e.say(protocol.Reply{NoticeID: id, State: protocol.ReplyReceived, At: time.Now()})
	e.say(protocol.Reply{NoticeID: id, State: protocol.ReplyCopied, At: time.Now(), By: "Anna", Note: plantedRecord})
	e.byPages(s, stream)
	return e
}

// takesACall has somebody of the office type what an owner says, and send it.
func (s *serving) takesACall() {
	s.t.Helper()
	secret, hash := s.o.opsWeb.NewSecret()
	if err := s.o.reg.AddUser(s.t.Context(), registry.User{ID: uuid.NewString(), Name: "Olga", Role: registry.RoleOps, SecretHash: hash, At: time.Now()}); err != nil {
		s.t.Fatal(err)
	}
	operator := newSurfer(s.t, s.o.opsWeb, "http://localhost", s.o.opsRoutes...)
	operator.bearer = secret
	dictates(operator, plantedCall, plantedCaller, "dettata@example.it")
	sends(operator, plantedCall, "email")
}

// opsSees is all of the ops console, as whoever is on the host sees it.
func (s *serving) opsSees(ids ...string) []sight {
	s.t.Helper()
	return crawl(s.t, s.o.ops.Control(), s.o.ops.Routes(), func(*http.Request) {}, ids...)
}

// exported is what the Comune can write out of a site.
func (s *serving) exported(at, site string) sight {
	s.t.Helper()
	file := filepath.Join(at, "site.json")
	s.command("export", file, "-data", s.dir, "-site", site)
	b, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if !strings.Contains(string(b), "Farmacia") {
		s.t.Fatalf("the export holds nothing: %s", b)
	}
	return sight{"a site's export", string(b)}
}

// backedUp is a backup, opened with the recipient's key.
func (s *serving) backedUp(at string) sight {
	s.t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(at, "backup")
	s.command("backup", file, "-data", s.dir, "-recipient", key.Recipient().String())
	f, err := os.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	r, err := age.Decrypt(f, key)
	if err != nil {
		s.t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		s.t.Fatal(err)
	}
	plain, err := io.ReadAll(unzipped)
	if err != nil {
		s.t.Fatal(err)
	}
	if !bytes.Contains(plain, []byte("trail_entries")) {
		s.t.Fatal("the backup's text does not name its tables: it is read wrongly")
	}
	return sight{"backup", string(plain)}
}

func httpText(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(b)
}

// files reads all that lies in the collector's directory.
func files(t *testing.T, dir string, all *[]sight) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		*all = append(*all, sight{path, string(b)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tables reads all that a PostgreSQL register holds, byte for byte.
func tables(t *testing.T, store string, all *[]sight) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || !slices.Contains(names, "trail_entries") {
		t.Fatalf("tables %q, %v", names, err)
	}
	for _, name := range names {
		var text bytes.Buffer // binary: what is in a column of bytes stays legible
		if _, err := conn.PgConn().CopyTo(t.Context(), &text, "COPY "+pgx.Identifier{name}.Sanitize()+" TO STDOUT (FORMAT binary)"); err != nil {
			t.Fatal(name, err)
		}
		*all = append(*all, sight{"table " + name, text.String()})
	}
}

// forceReadsItAll shows that what was looked for was there, for its force.
func (e evening) forceReadsItAll(s *serving) {
	s.t.Helper()
	said := s.command("audit", "show", "-data", s.dir, "-identity", e.identity)
	for _, word := range []string{plantedReason, plantedOther, plantedLater, plantedPhone, plantedLon[:8], "22:17:03"} {
		if !strings.Contains(said, word) {
			s.t.Errorf("the force's own auditor does not read %q", word)
		}
	}
}
