package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The commands check all lines, take a source whole, and again without change.
func TestPlacesCommands(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("civici.csv", "street,number,lon,lat\nVia Roma,1,9.19,45.46\nVia Roma,3,9.191,45.46\n")
	write("wrong.csv", "street,number,lon,lat\nVia Roma,1,9.19,45.46\nVia Roma,x,9.191,45.46\n")
	write("nil.geojson", `{"type":"FeatureCollection","features":[{"properties":{"id_nil":1,"nil":"DUOMO"},"geometry":{"type":"Polygon","coordinates":[[[9,45],[10,45],[10,46],[9,45]]]}}]}`)
	for _, c := range []struct {
		args string
		want int
		says string
	}{
		{"addresses", exitMisuse, "FILE is missing"},
		{"addresses FILE/civici.csv -list", exitMisuse, "take no files"},
		{"addresses FILE/civici.csv FILE/wrong.csv -source one", exitMisuse, "names one file"},
		{"addresses FILE/none.csv", exitFailed, "there is no file"},
		{"addresses FILE/civici.csv -dry-run", exitDone, "2 lines, 2 good, 0 problems"},
		{"addresses -list", exitDone, "SOURCE  KIND  ENTRIES  IMPORTED"},
		{"addresses FILE/civici.csv FILE/wrong.csv", exitFailed, `line 3: number: "x" is no house number`},
		{"addresses FILE/wrong.csv -dry-run", exitFailed, "correct them, or import the good lines with -partial"},
		{"addresses FILE/wrong.csv -partial", exitPartly, "wrong   addresses  1"},
		{"addresses FILE/civici.csv", exitDone, "civici  addresses  2"},
		{"addresses FILE/civici.csv -source wrong", exitDone, "wrong   addresses  2"},
		{"districts FILE/nil.geojson", exitDone, "nil     districts  1"},
		{"districts FILE/civici.csv", exitFailed, "it is no GeoJSON"},
		{"addresses -remove nil", exitFailed, "there is no source of addresses named"},
		{"addresses -remove wrong", exitDone, "wrong is removed"},
		{"districts -list -json", exitDone, `"name": "civici"`},
	} {
		args := strings.Fields(strings.ReplaceAll(c.args, "FILE", dir))
		var out, errs bytes.Buffer
		got := run(t.Context(), console{nil, &out, &errs}, append(args, "-data", filepath.Join(dir, "data")))
		if all := out.String() + errs.String(); got != c.want || !strings.Contains(all, c.says) {
			t.Errorf("%s: exit %d, want %d and %q\n%s", c.args, got, c.want, c.says, all)
		}
	}
}
