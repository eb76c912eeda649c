package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/basemap/maptest"
	"anagrafe/collector/disclosure"
	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// milan is a register of the real districts and house numbers, with sites that the
// Comune invited: in every third NIL some share.
func milan(t *testing.T) *collector {
	t.Helper()
	o := opened(t, t.TempDir(), func(*Config) {})
	for _, name := range []string{"boundaries/municipi.geojson", "boundaries/nil.geojson", "addresses/civici_municipi_5_9.csv"} {
		content, err := os.ReadFile(maptest.Milan(t, name))
		if err != nil {
			t.Fatal(err)
		}
		kind := "addresses"
		if strings.HasSuffix(name, ".geojson") {
			kind = "districts"
		}
		rep := placesReport{}
		sources, bad := checkPlaces(&rep, kind, []placesFile{{name, content}}, time.Now())
		if bad != nil || len(rep.Files[0].Problems) > 0 {
			t.Fatal(bad, rep)
		}
		if err := o.reg.PutGazetteer(t.Context(), sources); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.refreshPlaces(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, nils := o.places.Index().Extents()
	for i, e := range nils {
		at := e.Polygons[0][0][0]
		for n := range 1 + i%4 {
			o.invites(t, fmt.Sprint(i, ".", n), at, i%3 == 0 && n > 0, 1+i%5)
		}
	}
	return o
}

// invites has a site be invited and, if it shares, declare some cameras at a point.
func (o *collector) invites(t *testing.T, name string, at protocol.Point, shares bool, cameras int) {
	t.Helper()
	now := time.Now().Add(-time.Hour)
	key := sha256.Sum256([]byte(name))
	if _, err := o.reg.Invite(t.Context(), registry.Invitation{Site: protocol.Site{Name: name, Category: "shop"}, CodeHash: key, At: now, ExpiresAt: now.Add(24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if !shares {
		return
	}
	g, err := o.reg.Redeem(t.Context(), ingest.Redemption{CodeHash: key, KeyHash: key, AgentID: uuid.NewString(), AgentVersion: "1.0", At: now})
	if err != nil {
		t.Fatal(err)
	}
	fact := protocol.Fact{Source: protocol.Confirmed, At: now}
	d := protocol.Declaration{Site: protocol.Site{Name: name, Category: "shop", Address: "x"},
		Contacts:  []protocol.Contact{{Name: "x", Role: protocol.RoleOwner, Phone: "+39 333 5550177"}},
		Recorders: []protocol.Recorder{{ID: uuid.NewString()}}, Approval: protocol.Approval{By: "x", Role: protocol.RoleOwner, At: now}}
	for range cameras {
		d.Cameras = append(d.Cameras, protocol.Camera{ID: uuid.NewString(), RecorderID: d.Recorders[0].ID, Name: "x", NameFact: fact,
			Position:  protocol.Position{Point: at, AccuracyM: 3, Method: "map", Fact: fact},
			Schedule:  protocol.Schedule{Kind: protocol.ScheduleUnknown, Fact: fact},
			Retention: protocol.Retention{Kind: protocol.RetentionUnknown, Fact: fact}, OutdoorPublic: protocol.Outdoor{Yes: true, By: "x", At: now}})
	}
	m := protocol.Message{ID: uuid.NewString(), SiteID: g.SiteID, Epoch: g.Epoch, Revision: 1, MadeAt: now, Body: d}
	raw, err := protocol.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.reg.Record(t.Context(), g.AgentID, m, raw, now); err != nil {
		t.Fatal(err)
	}
}

// publishes puts numbers of the real municipi out, some of them too small.
func (o *collector) publishes(t *testing.T) {
	t.Helper()
	var parts []disclosure.Part
	for i, name := range append(o.places.Index().Municipi(), "") {
		n := []int{140, 122, 151, 98, 7, 64, 88, 131, 143, 16}[i]
		parts = append(parts, disclosure.Part{Name: name, N: []int{n, 3 * n}})
	}
	counts := disclosure.Counts{{Of: "municipio", Parts: parts}}
	if err := o.publish(t.Context(), registry.PublishedSharing, "2026-11-22", time.Now(), disclosure.Usual.Once(counts), counts, ""); err != nil {
		t.Fatal(err)
	}
}

// openTo serves some routes to whoever comes, as an administrator.
func openTo(t *testing.T, w *web.Web, routes []web.Route) http.Handler {
	t.Helper()
	var all []web.Route
	for _, r := range routes {
		r.Open, r.Roles = true, nil
		all = append(all, r)
	}
	h, err := w.Handler(all)
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(rw, r.WithContext(web.WithUser(r.Context(), registry.User{ID: "1", Name: "Anna", Role: registry.RoleAdmin})))
	})
}

// maxMapPage is what a page with a map may have, in bytes as they are, before packing.
const maxMapPage = 150 << 10

// The maps of Milan: areas as the Comune gives them, pages that are no burden, each
// district a link to a list that is there, and of those that are left out not even a
// class.
func TestCoverageOfMilan(t *testing.T) {
	o := milan(t)
	o.publishes(t)
	var file struct {
		Features []struct {
			Properties struct {
				Name string
				M2   float64 `json:"area_m2"`
			}
		}
	}
	raw, err := os.ReadFile(maptest.Milan(t, "boundaries/municipi.geojson"))
	if err != nil || json.Unmarshal(raw, &file) != nil {
		t.Fatal(err)
	}
	for _, f := range file.Features {
		if got, ok := o.districtMap("municipio").Fact(f.Properties.Name); !ok || math.Abs(got.KM2-f.Properties.M2/1e6) > got.KM2/200 {
			t.Errorf("%+v: the Comune says %.2f km²", got, f.Properties.M2/1e6)
		}
	}
	if f, _ := o.districtMap("municipio").Fact("Municipio 9"); f.Addresses < 5000 {
		t.Errorf("%+v", f)
	}
	get := func(h http.Handler, path string) string {
		t.Helper()
		rw := httptest.NewRecorder()
		h.ServeHTTP(rw, httptest.NewRequest("GET", "http://localhost"+path, nil))
		if rw.Code != http.StatusOK || rw.Body.Len() > maxMapPage {
			t.Errorf("%s: %d, %d KiB", path, rw.Code, rw.Body.Len()>>10)
		}
		t.Logf("%s: %d KiB", path, rw.Body.Len()>>10)
		return rw.Body.String()
	}
	link := regexp.MustCompile(`<a href="([^"]+)"><title>`)
	for _, by := range []string{"municipio", "nil"} {
		for _, count := range []string{"sharing", "cameras", "density", "share", "silent", "empty"} {
			page := get(o.ops.Control(), "/funnel?by="+by+"&count="+count)
			links := link.FindAllStringSubmatch(page, -1)
			if want := map[string]int{"municipio": 9, "nil": 88}[by]; len(links) != want {
				t.Errorf("by %s: %d districts lead somewhere, want %d", by, len(links), want)
			}
			if count == "sharing" || count == "empty" {
				for _, l := range links {
					get(o.ops.Control(), html.UnescapeString(l[1]))
				}
			}
		}
	}
	page := get(openTo(t, o.publicWeb, slices.Concat(o.publicRoutes...)), "/statistiche")
	if n := strings.Count(page, `fill="url(#map-municipio-off)" d=`); n < 2 || strings.Count(page, "<title>Municipio") != 9 {
		t.Errorf("%d municipi are left out\n%s", n, page)
	}
	if strings.Contains(page, "Municipio 5, Luoghi con telecamere: 7") || !strings.Contains(page, "Municipio 5, Luoghi con telecamere: non pubblicato") {
		t.Error("what is left out is on the map")
	}
}

func TestMapsInABrowser(t *testing.T) {
	o := milan(t)
	o.publishes(t)
	for _, f := range []struct {
		name    string
		handler http.Handler
		paths   []string
	}{
		{"funnel", openTo(t, o.opsWeb, o.ops.Routes()), []string{"/funnel?by=municipio&", "/funnel?by=nil&count=empty&"}},
		{"statistics", openTo(t, o.publicWeb, slices.Concat(o.publicRoutes...)), []string{"/statistiche?", "/statistiche?mappa=density&"}},
	} {
		server := httptest.NewServer(f.handler)
		t.Cleanup(server.Close)
		for width, lang := range map[int64]pages.Lang{390: pages.En, 1280: pages.It} {
			b := pagestest.Open(t, server.URL, width, 900)
			for i, path := range f.paths {
				b.Visit(path + "lang=" + string(lang))
				b.Check(fmt.Sprintf("map-%s-%d-%d", f.name, i, width))
			}
			// By keyboard: past the map, or to a district and on.
			b.Visit(f.paths[0])
			b.Reach(".choropleth > a")
			b.Picture(fmt.Sprintf("map-%s-skip-%d", f.name, width))
			b.Reach(".choropleth svg a:nth-of-type(3)")
			b.Picture(fmt.Sprintf("map-%s-focus-%d", f.name, width))
		}
	}
}
