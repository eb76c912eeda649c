package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol"
)

// Agents are shown the basemap with its credit, and the addresses that were
// imported: a house number for sure, all else to choose from.
func TestGround(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "civici.csv")
	if err := os.WriteFile(file, []byte("street,number,lon,lat\nVia Roma,1,9.19,45.46\nVia Roma,3,9.191,45.46\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), console{nil, &out, &errs}, []string{"addresses", file, "-data", data}); code != exitDone {
		t.Fatalf("%s%s", &out, &errs)
	}
	base := maptest.Write(t, maptest.Margin, maptest.Building{Rings: [][][2]float64{{{9.19, 45.46}, {9.191, 45.46}, {9.191, 45.461}, {9.19, 45.46}}}})
	o := opened(t, data, func(*Config) {})

	none, err := openGround("", "", o.places)
	if err != nil {
		t.Fatal(err)
	}
	if d := none.Describe(); d != (protocol.MapDescription{}) {
		t.Errorf("before the addresses are read: %+v", d)
	}
	if err := o.places.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := none.Describe(); !d.Places || d.Tiles {
		t.Errorf("without a basemap: %+v", d)
	}
	g, err := openGround(base, "© Someone else", o.places)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	d := g.Describe()
	if back, err := protocol.MapDescriptionFromWire(d.Wire()); err != nil || back != d || !d.Tiles || d.Credit != "© Someone else" || d.Tag == "" || d.MaxZoom != 14 {
		t.Errorf("%+v, %v", d, err)
	}
	packed, err := g.Packed(14, 8610, 5864)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := protocol.UnpackTile(packed); err != nil || !bytes.Contains(raw, []byte("building")) {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	for text, sure := range map[string]bool{"via Roma 1": true, "via Roma 2": false, "via Roma": false, "via Rona 1": false} {
		all := g.Find(text)
		if len(all) == 0 || all[0].Sure != sure || all[0].At.Lat != 45_460_000 {
			t.Errorf("%s: %+v", text, all)
		}
	}
	if all := g.Find("nowhere at all"); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	if _, err := openGround(file, "", o.places); err == nil {
		t.Error("a file that is no basemap is taken")
	}
}
