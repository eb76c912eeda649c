package gazetteer

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
)

var noon = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// The gazetteer follows what the register holds, and what it was made of is the
// same as before it was kept.
func TestRefresh(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	r := registrytest.Open(t, registrytest.Options(t.TempDir(), log))
	g := New(r)
	put := func(name string, read *Read, at time.Time) {
		t.Helper()
		s, err := read.Source(name, at)
		if err == nil {
			err = r.PutGazetteer(t.Context(), []registry.GazetteerSource{s})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	refreshed := func(want string) *Index {
		t.Helper()
		if err := g.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := brief(g.Index().Find("via Torino 7")); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		return g.Index()
	}
	refreshed("none: ")
	put("civici", ReadAddresses([]byte(official)), noon)
	put("districts", ReadDistricts([]byte(quarters)), noon)
	first := refreshed("exact!: VIA TORINO 7")
	if place := first.Find("via Torino 7").Answers[0].Place; place != (Place{"Municipio 1", "PTA ROMANA"}) {
		t.Errorf("%v", place)
	}
	if second := refreshed("exact!: VIA TORINO 7"); second != first {
		t.Error("nothing was imported, and all was read again")
	}
	put("civici", ReadAddresses([]byte(strings.ReplaceAll(official, "TORINO", "ROMA"))), noon.Add(time.Hour))
	if refreshed("none: "); brief(first.Find("via Torino 7")) != "exact!: VIA TORINO 7" {
		t.Error("an index that is in use was changed")
	}
	if _, err := r.DropGazetteer(t.Context(), "civici"); err != nil {
		t.Fatal(err)
	}
	if x := refreshed("none: "); x.Streets() != 0 || !x.HasDistricts() {
		t.Errorf("%d streets", x.Streets())
	}

	// A source that cannot be read leaves what there is, and says what to do.
	for _, body := range []string{"no gzip", ""} {
		if err := r.PutGazetteer(t.Context(), []registry.GazetteerSource{{Name: "bad", Kind: KindAddresses, ImportedAt: noon, Body: []byte(body)}}); err != nil {
			t.Fatal(err)
		}
		if err := g.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "import them again") {
			t.Errorf("%q: %v", body, err)
		}
		if !g.Index().HasDistricts() {
			t.Error("the index is gone")
		}
	}
}
