//go:build bench

package installer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/collector/web/ops"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

const consoleAsked = 25 // times each page is opened

// consolePages are what operators look at most, and what costs most.
var consolePages = []string{"/", "/funnel?by=nil&over=month", "/funnel?by=municipio", "/funnel.csv?by=category", "/sites", "/sites?page=1500", "/sites?sort=heard&order=asc",
	"/sites?state=sharing&category=bank", "/sites?state=enrolled", "/sites?state=withdrawn", "/sites?silent=yes", "/sites?nil=-&stage=shared&from=2026-01-01",
	"/sites.csv?category=bank", "/agents", "/agents?page=500&sort=seen", "/agents?expiring=yes", "/agents?silent=yes"}

// consoleFigures measures each page of the console with 1,000 and with 100,000 sites
// against the same page of an empty one: server time, through the same handler, with
// the same credential. A file of all sites is measured alone: it has no page's limit.
func consoleFigures(t *testing.T) (all []figure) {
	t.Helper()
	empty := consoleTimes(t, newConsole(t, 0))
	for _, sites := range []int{1_000, 100_000} {
		full := newConsole(t, sites)
		for page, took := range consoleTimes(t, full) {
			p50, p99, floor := percentile(took, 50), percentile(took, 99), percentile(empty[page], 50)
			all = append(all, bounded(fmt.Sprintf("console.%dk%s", sites/1000, page),
				fmt.Sprintf("%s, %d sites: p99 (p50 %.1f ms; %.1f times the empty console's %.2f ms)", page, sites, p50, p50/floor, floor), p99, "ms", 200))
		}
		took := full.get(t, "/sites.csv")
		all = append(all, bounded(fmt.Sprintf("console.%dk.whole", sites/1000), fmt.Sprintf("/sites.csv of all %d sites", sites), took, "ms", 10_000))
	}
	slices.SortFunc(all, func(x, y figure) int { return strings.Compare(x.id, y.id) })
	return all
}

func percentile(ms []float64, p int) float64 {
	ms = slices.Sorted(slices.Values(ms))
	return ms[(len(ms)-1)*p/100]
}

type console struct {
	handler http.Handler
	secret  string
}

// consoleTimes opens all pages in turn, again and again; in milliseconds.
func consoleTimes(t *testing.T, c console) map[string][]float64 {
	took := map[string][]float64{}
	for range consoleAsked {
		for _, page := range consolePages {
			took[page] = append(took[page], c.get(t, page))
		}
	}
	return took
}

func (c console) get(t *testing.T, path string) float64 {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
	r.Header.Set("Authorization", "Bearer "+c.secret)
	w := httptest.NewRecorder()
	start := time.Now()
	c.handler.ServeHTTP(w, r)
	took := time.Since(start)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return float64(took.Microseconds()) / 1000
}

// newConsole is a console over a register of so many sites, in SQLite, that came as far
// as they do in time: half were only invited, a tenth connected, the others share a
// camera or have withdrawn.
func newConsole(t *testing.T, sites int) console {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, dir := t.Context(), t.TempDir()
	r, err := registry.Open(ctx, "sqlite:"+filepath.Join(dir, registerName), registerKeys(dir), quiet)
	must(err)
	t.Cleanup(func() { _ = r.Close() })
	var placed atomic.Int64
	place := func() registry.District {
		n := placed.Add(1)
		return registry.District{Municipio: fmt.Sprint("Municipio ", n%9+1), NIL: fmt.Sprint("NIL ", n%88)}
	}
	r.UseLocator(&registry.Locator{Map: "m", At: func(protocol.Point) registry.District { return place() }, Find: func(string) registry.District { return place() }})
	started := time.Now()
	work, ctx2 := errgroup.WithContext(ctx)
	work.SetLimit(64) // they share transactions
	for i := range sites {
		work.Go(func() error { return consoleSite(ctx2, r, i) })
	}
	must(work.Wait())
	t.Logf("%d sites in %s", sites, time.Since(started).Round(time.Second))

	record := func(context.Context, web.Act) error { return nil }
	w, err := web.New(web.Options{Registry: r, Face: pages.FaceOps, Roles: []string{registry.RoleOps, registry.RoleAdmin}, PublicURL: "http://localhost", Secret: []byte(strings.Repeat("k", 32)),
		Record: record, Log: quiet})
	must(err)
	o, err := ops.New(ops.Options{Web: w, Registry: r, Record: record, AgentsURL: "https://agents.example:8443", Pin: func() string { return "" }, OpsURL: "http://localhost",
		ConsultURL: func(string) string { return "http://localhost" }, TrailKey: "k", Log: quiet})
	must(err)
	c := console{}
	var hash [32]byte
	c.secret, hash, err = w.NewSecret()
	must(err)
	must(r.AddUser(ctx, registry.User{ID: uuid.NewString(), Name: "Operatrice", Role: registry.RoleOps, SecretHash: hash, At: time.Now()}))
	c.handler, err = w.Handler(o.Routes())
	must(err)
	return c
}

// consoleSite is the i-th site, invited within the last year.
func consoleSite(ctx context.Context, r *registry.Registry, i int) error {
	now := time.Now().UTC().Add(-time.Duration(i%365) * 24 * time.Hour)
	key := sha256.Sum256(fmt.Append(nil, "console", i))
	site := protocol.Site{Name: fmt.Sprint("Sito ", i), Category: protocol.Categories[i%len(protocol.Categories)], Address: fmt.Sprint("via Torino ", i)}
	if _, err := r.Invite(ctx, registry.Invitation{Site: site, CodeHash: key, At: now, ExpiresAt: now.Add(registry.CodeLife)}); err != nil || i%10 < 5 {
		return err
	}
	g, err := r.Redeem(ctx, ingest.Redemption{CodeHash: key, KeyHash: key, AgentID: uuid.NewString(), AgentVersion: fmt.Sprint("1.", i%4), At: now})
	if err != nil || i%10 == 5 {
		return err
	}
	d := protocol.Declaration{Site: site, Recorders: []protocol.Recorder{{ID: uuid.NewString(), Vendor: "Acme", Name: "NVR"}},
		Contacts: []protocol.Contact{{Name: "Anna Riva", Role: protocol.RoleOwner, Phone: "+39 02 1234567"}},
		Approval: protocol.Approval{By: "Anna Riva", Role: protocol.RoleOwner, At: now}}
	d.Cameras = []protocol.Camera{someCameraOf(d.Recorders[0].ID, i, now)}
	if err := say(ctx, r, g, 1, now, d); err != nil || i%10 != 9 {
		return err
	}
	return say(ctx, r, g, 2, now, protocol.Withdrawal{Approval: d.Approval})
}

func someCameraOf(recorder string, i int, now time.Time) protocol.Camera {
	fact := protocol.Fact{Source: protocol.Confirmed, At: now}
	direction, angle, reach := 90, 80, 40
	return protocol.Camera{ID: uuid.NewString(), RecorderID: recorder, Name: "Ingresso", NameFact: fact,
		Position:      protocol.Position{Point: spread(i, 0), AccuracyM: 3, Method: "map", Fact: fact},
		View:          protocol.View{DirectionDeg: &direction, AngleDeg: &angle, RangeM: &reach, WidthPx: 1920, HeightPx: 1080, Fact: fact},
		Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: fact},
		Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, Fact: fact},
		OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna", At: now}}
}

func say(ctx context.Context, r *registry.Registry, g ingest.Grant, revision int64, now time.Time, body protocol.Body) error {
	m := protocol.Message{ID: uuid.NewString(), SiteID: g.SiteID, Epoch: g.Epoch, Revision: revision, MadeAt: now, Body: body}
	raw, err := protocol.Encode(m)
	if err != nil {
		return err
	}
	_, err = r.Record(ctx, g.AgentID, m, raw, now.Add(time.Minute))
	return err
}
