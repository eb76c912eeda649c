package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol"
)

// A transport company, and so the Comune itself, imports its own cameras as any owner
// does, and officers find them at once: the map is not empty on the first day.
func TestTransportCompanyFromFileToSearch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	typed(t, dir, "organisation", "add", "Tramvie Prealpine", "-kind", "firm", "-fiscal-code", "00743110157", "-trust", "pec",
		"-contact", "Sala operativa", "-phone", "+39 02 5550042", "-hours", "sempre")
	file := filepath.Join("..", "testdata", "owners", "transport.csv")
	if said := string(typed(t, dir, "import", file, "-organisation", "Tramvie Prealpine", "-dry-run")); !strings.Contains(said, "3 sites would be new") {
		t.Errorf("the check says %s", said)
	}
	typed(t, dir, "import", file, "-organisation", "Tramvie Prealpine")

	o := opened(t, dir, func(*Config) {})
	if err := o.index.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	found, err := o.index.Search(t.Context(), search.Query{In: search.Circle{At: protocol.Point{Lon: 9_186_000, Lat: 45_464_050}, RadiusM: 100}, From: now, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	_, shown, err := o.index.Show(t.Context(), found, 0, len(found.Hits))
	if err != nil || len(shown) != 2 {
		t.Fatalf("%d cameras at the stop, %v", len(shown), err)
	}
	for _, r := range shown {
		if r.SiteName != "Fermata Arco Nuovo" || r.Category != "transport" || r.Trust != "pec" {
			t.Errorf("%+v", r)
		}
	}
}
