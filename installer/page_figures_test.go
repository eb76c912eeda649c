//go:build bench

package installer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	find "anagrafe/collector/search"
	audit "anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/collector/web/consult"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// pageCameras are a country's.
func pageCameras() int { return whole(1_500_000, 100_000) }

const (
	pageSites  = 60 // of 20 cameras each, around the places that are asked about: some 85 within 300 m
	pagesAsked = 300
)

// pageFigures measures the page of an answer that was given, at a collector with a country's
// cameras, against the empty form of the same server: both in turns, through the
// same handler, with the same credential. The rest of the country hangs elsewhere,
// and is in the index alone.
func pageFigures(t *testing.T) []figure {
	t.Helper()
	desk := newDesk(t)
	dice := rand.New(rand.NewPCG(uint64(pageCameras()), 8))
	var answers []string
	for range pagesAsked {
		at := fmt.Sprintf("%.6f,%.6f", 9.19+(dice.Float64()-0.5)*0.018, 45.464+(dice.Float64()-0.5)*0.012)
		w := desk.send(http.MethodPost, "/search", url.Values{"at": {at}, "radius": {"300"}, "time": {time.Now().UTC().Format(time.RFC3339)},
			"case_kind": {"annotation"}, "case_ref": {"2026/118"}, "offence": {"robbery"}, "reason": {"misura della pagina"}})
		if w.Code != http.StatusSeeOther {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		answers = append(answers, w.Header().Get("Location"))
		if len(answers) < 20 { // an officer's answers are kept up to a number: they are shown while they are there
			continue
		}
		desk.show(t, answers)
		answers = nil
	}
	slices.Sort(desk.page)
	slices.Sort(desk.empty)
	over := func(percent int) (ms, empty float64) {
		at := func(s []float64) float64 { return s[(len(s)-1)*percent/100] * 1e3 }
		return at(desk.page) - at(desk.empty), at(desk.empty)
	}
	one := func(id string, percent int) figure {
		ms, empty := over(percent)
		return bounded(id, fmt.Sprintf("page of an answer, server time p%d over that of the empty form (%.2f ms), %d cameras, %d rows", percent,
			empty, pageCameras(), desk.rows/len(desk.page)), ms, "ms", 20)
	}
	return []figure{one("page", 99), one("page.p50", 50)}
}

// desk is an officer's desk at such a collector.
type desk struct {
	handler     http.Handler
	credential  string
	page, empty []float64 // seconds
	rows        int
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, dir := t.Context(), t.TempDir()
	r, store := registrytest.OpenTrail(t, registrytest.Options(dir, quiet))
	key, err := age.GenerateX25519Identity()
	must(err)
	dice := rand.New(rand.NewPCG(uint64(pageCameras()), 7))
	near := func(middle, span int32) int32 { return middle + dice.Int32N(2*span) - span }
	for i := range pageSites {
		lon, lat := near(9_190_000, 12_800), near(45_464_000, 9_000)
		must(declareSite(ctx, r, i, func(c *protocol.Camera) {
			direction, angle, reach := dice.IntN(360), 60+dice.IntN(50), 20+dice.IntN(60)
			c.Position.Point = protocol.Point{Lon: near(lon, 400), Lat: near(lat, 300)} // within 30 m
			c.View.DirectionDeg, c.View.AngleDeg, c.View.RangeM = &direction, &angle, &reach
		}))
	}
	x := find.New(r, quiet)
	for i := 0; i < pageCameras(); i += perSite {
		f := registry.Facts{SiteID: uuid.NewString(), Category: "pharmacy"}
		for n := range perSite {
			c := someCamera(dice, i+n, 70_000)
			c.at.Lat -= 2_000_000 // elsewhere
			f.Cameras = append(f.Cameras, c.facts())
		}
		x.Fill(f)
	}
	secret := []byte(strings.Repeat("k", 32))
	entries, err := audit.Open(ctx, store, audit.Options{KeyDir: dir, PseudonymKey: secret, Log: quiet})
	must(err)
	t.Cleanup(func() { _ = entries.Close() })
	must(r.AddForce(ctx, "Questura", key.Recipient().String()))
	pagesOf, err := consult.New(consult.Options{Index: x, Trail: entries, Registry: r, Log: quiet})
	must(err)
	t.Cleanup(func() { _ = pagesOf.Close() })
	w, err := web.New(web.Options{Registry: r, Face: pages.FaceConsult, Roles: []string{registry.RoleOfficer}, PublicURL: "http://localhost", Secret: secret, Log: quiet,
		Record: func(context.Context, web.Act) error { return nil }})
	must(err)
	credential, hash := w.NewSecret()
	d := &desk{credential: credential}
	must(r.AddUser(ctx, registry.User{ID: uuid.NewString(), Name: "Ispettrice", Role: registry.RoleOfficer, Force: "Questura", SecretHash: hash, At: time.Now()}))
	d.handler, err = w.Handler(pagesOf.Routes())
	must(err)
	return d
}

func (d *desk) send(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Authorization", "Bearer "+d.credential)
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

// show times each answer's page, and the empty form after it.
func (d *desk) show(t *testing.T, answers []string) {
	t.Helper()
	get := func(path string) (*httptest.ResponseRecorder, float64) {
		start := time.Now()
		w := d.send(http.MethodGet, path, nil)
		took := time.Since(start).Seconds()
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w, took
	}
	for _, path := range answers {
		w, took := get(path)
		d.page = append(d.page, took)
		d.rows += strings.Count(w.Body.String(), `<li class="row `)
		_, took = get("/")
		d.empty = append(d.empty, took)
	}
}
