package registry

import (
	"context"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// halves is a city of two municipi, divided at 9.2 degrees east, where "Via Torino 1"
// is a known address in the east.
func halves(called string) *Locator {
	return &Locator{Map: called, At: func(p protocol.Point) District {
		if p.Lon < 9_200_000 {
			return District{called + " west", "DUOMO"}
		}
		return District{called + " east", "LORETO"}
	}, Find: func(address string) District {
		if address == "Via Torino 1" {
			return District{called + " east", "LORETO"}
		}
		return District{}
	}}
}

func hung(lon int32, c protocol.Camera) protocol.Camera {
	c.Position.Lon = lon
	return c
}

// districtOf reads a site's row; false: there is none.
func districtOf(t *testing.T, r *Registry, site string) (d District, from string, ok bool) {
	t.Helper()
	err := r.view(t.Context(), func(tx *tx) error {
		return each(t.Context(), tx, func(scan func(...any) error) error {
			ok = true
			return scan(&d.Municipio, &d.NIL, &from)
		}, "SELECT municipio, nil, district_map FROM sites WHERE id = ? AND district_map <> ''", site)
	})
	if err != nil {
		t.Fatal(err)
	}
	return d, from, ok
}

func TestSitesArePlacedAsTheyAreRecorded(t *testing.T) {
	r := openNew(t)
	r.UseLocator(halves("M"))
	s := enrol(t, r, noon)
	is := func(want District) {
		t.Helper()
		if got, from, ok := districtOf(t, r, s.site); !ok || got != want || from != "M" {
			t.Errorf("%+v by %q (%t), want %+v", got, from, ok, want)
		}
	}
	is(District{}) // invited: its address is not known
	known, err := r.Invite(t.Context(), Invitation{Site: protocol.Site{Name: "Known", Address: "Via Torino 1"}, CodeHash: s.code("known"), At: noon, ExpiresAt: noon.Add(time.Hour)})
	if got, _, _ := districtOf(t, r, known); err != nil || got != (District{"M east", "LORETO"}) {
		t.Error(got, err)
	}
	west, east := District{"M west", "DUOMO"}, District{"M east", "LORETO"}
	s.say(noon, declaration(hung(9_190_000, camera(1, "a"))))
	is(west)
	s.say(noon.Add(time.Hour), declaration(hung(9_190_000, camera(1, "a")), hung(9_210_000, camera(2, "b")), hung(9_210_000, camera(3, "c"))))
	is(east)
	s.say(noon.Add(2*time.Hour), declaration(hung(9_190_000, camera(1, "a")), hung(9_210_000, camera(2, "b"))))
	is(west) // as many here as there: always the same
	s.say(noon.Add(3*time.Hour), withdrawal())
	if d, _, ok := districtOf(t, r, s.site); ok {
		t.Errorf("a withdrawn site is still in %+v", d)
	}
	if n, err := r.PlaceSites(t.Context()); n != 0 || err != nil {
		t.Error(n, err)
	}
}

// What was recorded without a map, or with an older one, is placed anew; once.
func TestPlaceSites(t *testing.T) {
	r := openNew(t)
	if n, err := r.PlaceSites(t.Context()); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	var sites []*sender
	for i := range placeBatch + 2 {
		s := enrol(t, r, noon)
		if i < 3 {
			s.say(noon, declaration(hung(9_190_000+20_000*int32(i), camera(1, "a"))))
		}
		sites = append(sites, s)
	}
	gone := enrol(t, r, noon)
	gone.say(noon, declaration(camera(1, "a")))
	gone.say(noon.Add(time.Hour), withdrawal())
	if _, err := r.write.ExecContext(t.Context(), "UPDATE versions SET body = ? WHERE site_id = ? AND kind = 'camera'", []byte("damaged"), sites[2].site); err != nil {
		t.Fatal(err)
	}
	for _, called := range []string{"old", "new"} {
		r.UseLocator(halves(called))
		for _, want := range []int{len(sites), 1} { // the damaged one is tried again
			if n, err := r.PlaceSites(t.Context()); n != want || err != nil {
				t.Fatal(n, err)
			}
		}
		for i, want := range []District{{called + " west", "DUOMO"}, {called + " east", "LORETO"}} {
			if got, from, ok := districtOf(t, r, sites[i].site); !ok || got != want || from != called {
				t.Errorf("%+v by %q, want %+v", got, from, want)
			}
		}
	}
	if _, _, ok := districtOf(t, r, gone.site); ok {
		t.Error("a withdrawn site was placed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.PlaceSites(ctx); err == nil || !strings.Contains(err.Error(), "districts of sites") {
		t.Error(err)
	}
}
