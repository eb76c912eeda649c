//go:build bench

package installer

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/pgtest"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/web"
	"anagrafe/collector/web/ops"
	"anagrafe/protocol/pages"
)

// console is one over a register.
type console struct {
	handler  http.Handler
	secret   string
	site     string        // that shares; a zero id where none does
	ahead    *atomic.Int64 // of the clock
	database string        // directory of PostgreSQL's server; "": SQLite
}

// times opens all pages in turn, again and again, after once that is not counted.
func (c console) times(t *testing.T) map[string]*taken {
	took := map[string]*taken{}
	for _, page := range consolePages {
		k := &taken{}
		if _, w := c.get(t, page); w.Code == http.StatusBadRequest {
			continue // a filter's value that nothing has
		}
		before := c.cpu()
		for range consoleAsked {
			ms, _ := c.get(t, page)
			k.ms = append(k.ms, ms)
		}
		k.cpu = (c.cpu() - before).Seconds() * 1000 / consoleAsked
		took[page] = k
	}
	return took
}

// whole is how many rows a second a file of all sites has.
func (c console) whole(t *testing.T, sites int, engine string) figure {
	w := &first{ResponseRecorder: httptest.NewRecorder(), keep: true}
	started := time.Now()
	c.ask(t, w, "/sites.csv")
	took := time.Since(started)
	if w.lines != sites+1 {
		t.Fatalf("%d lines", w.lines)
	}
	return reaches(fmt.Sprintf("console_file.%dk.%s", sites/1000, engine),
		fmt.Sprintf("rows a second of /sites.csv, %.1f MB in %.1f s", float64(w.bytes)/1e6, took.Seconds()), float64(sites)/took.Seconds(), "rows/s", 5_000)
}

// firstQueue is what the one waits who opens the technical queue when nobody did for
// long: for all of it to be read.
func (c console) firstQueue(t *testing.T, sites int, engine string) figure {
	var ms []float64
	for range 5 {
		c.ahead.Add(int64(time.Hour))
		took, _ := c.get(t, "/queue")
		ms = append(ms, took)
	}
	return bounded(fmt.Sprintf("console_first_queue.%dk.%s", sites/1000, engine), "who opens the technical queue first waits, median of 5", middle(ms), "ms", 2_000)
}

// first notes when the first byte of a file came; of the rest it keeps nothing.
type first struct {
	*httptest.ResponseRecorder
	at           time.Time
	lines, bytes int
	keep         bool   // all is read; else the client goes away at the first byte
	drop         func() // has it go
}

func (f *first) Write(b []byte) (int, error) {
	if f.at.IsZero() {
		f.at = time.Now()
		f.drop()
	}
	f.lines += strings.Count(string(b), "\n")
	f.bytes += len(b)
	return len(b), nil
}

// pageStep is by how much the clock runs ahead before a page is opened: so far that no
// count stands. What takes long to read is read beside the pages, for the next one: this
// never ends while they are measured, and nothing becomes too old to be shown.
const pageStep = 3 * time.Second

// get opens a page, or a file up to its first byte: the client then goes away.
func (c console) get(t *testing.T, page string) (ms float64, w *first) {
	t.Helper()
	c.ahead.Add(int64(pageStep))
	w = &first{ResponseRecorder: httptest.NewRecorder()}
	start := time.Now()
	c.ask(t, w, page)
	return float64(cmp.Or(w.at, time.Now()).Sub(start).Microseconds()) / 1000, w
}

func (c console) ask(t *testing.T, w *first, page string) {
	t.Helper()
	path, json := strings.CutPrefix(page, "json:")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+strings.ReplaceAll(path, "{site}", c.site), nil)
	r.Header.Set("Authorization", "Bearer "+c.secret)
	if !json {
		r.Header.Set("Accept", "text/html")
	}
	w.drop = cancel
	if w.keep {
		w.drop = func() {}
	}
	func() {
		defer func() { _ = recover() }() // a file that is broken off ends so
		c.handler.ServeHTTP(w, r)
	}()
	if w.Code != http.StatusOK && c.site != uuid.Nil.String() {
		t.Fatalf("%s: %d %s", page, w.Code, w.Body)
	}
}

// cpu is what our process, and PostgreSQL's, have used so far.
func (c console) cpu() time.Duration {
	var own syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	sum := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	if c.database == "" {
		return sum
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		if at, err := os.Readlink(dir + "/cwd"); err != nil || at != c.database {
			continue
		}
		text, _ := os.ReadFile(dir + "/schedstat")
		if f := strings.Fields(string(text)); len(f) > 0 {
			ns, _ := strconv.ParseInt(f[0], 10, 64)
			sum += time.Duration(ns)
		}
		text, _ = os.ReadFile(dir + "/stat") // of children that have ended: what worked in parallel
		if _, rest, ok := strings.Cut(string(text), ") "); ok {
			for _, ticks := range strings.Fields(rest)[13:15] {
				n, _ := strconv.ParseInt(ticks, 10, 64)
				sum += time.Duration(n) * 10 * time.Millisecond
			}
		}
	}
	return sum
}

// database runs a statement there.
func database(t *testing.T, server *pgtest.Server, statement, name string) {
	t.Helper()
	db, err := sql.Open("pgx", server.URL(name))
	mustOf(t)(err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), statement)
	mustOf(t)(err)
}

// newConsole is a console over the register in a store.
func newConsole(t *testing.T, dir, store string) console {
	t.Helper()
	must, ctx := mustOf(t), t.Context()
	opening := registrytest.Options(dir, quiet)
	opening.Store = store
	r := registrytest.Open(t, opening)
	c := console{ahead: new(atomic.Int64), site: uuid.Nil.String()}
	must(r.SiteRows(ctx, registry.SiteFilter{State: registry.Sharing}, registry.SitesByContact, registry.Window{Limit: 1}, func(s registry.SiteRow) error {
		c.site = s.ID
		return nil
	}))
	record := func(context.Context, web.Act) error { return nil }
	w, err := web.New(web.Options{Registry: r, Face: pages.FaceOps, Roles: []string{registry.RoleOps, registry.RoleAdmin}, PublicURL: "http://localhost", Secret: []byte(strings.Repeat("k", 32)),
		Record: record, Log: quiet, Now: func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }})
	must(err)
	o, err := ops.New(ops.Options{Web: w, Registry: r, Record: record, AgentsURL: "https://agents.example:8443", Pin: func() string { return "" }, OpsURL: "http://localhost", PublicURL: "http://localhost",
		ConsultURL: func(string) string { return "http://localhost" }, TrailKey: "k", Version: "v1.3.0", Log: quiet})
	must(err)
	secret, hash := w.NewSecret()
	c.secret = secret
	must(r.AddUser(ctx, registry.User{ID: uuid.NewString(), Name: "Operatrice " + c.secret[:8], Role: registry.RoleAdmin, SecretHash: hash, At: time.Now()}))
	c.handler, err = w.Handler(o.Routes())
	must(err)
	return c
}
