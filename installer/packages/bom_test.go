package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// The bill of this test's own program names the modules that are linked into it, the
// database, the front end and the C library, each by a name that scanners know.
func TestBillNamesEveryPart(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("this test was built without module information")
	}
	made := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	bundled := []bundle{{name: "htmx.org", Version: "2.0.11"}, {name: "@mapbox/tiny-sdf", Version: "2.3.0"}}
	bill := func() []byte {
		raw, err := billOf(info, bundled, "libc6-dev@2.36-9+deb12u13", "0.1.0", made)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	raw := bill()
	if !bytes.Equal(raw, bill()) {
		t.Error("twice is not the same")
	}
	var bom cdx.BOM
	if err := json.Unmarshal(raw, &bom); err != nil {
		t.Fatal(err)
	}
	if m := bom.Metadata; m.Timestamp != "2026-11-23T05:00:00Z" || m.Component.Version != "0.1.0" || bom.SpecVersion != cdx.SpecVersion1_6 {
		t.Errorf("%+v of %+v", m.Component, m)
	}
	purls := map[string]int{}
	for _, c := range *bom.Components {
		purls[c.PackageURL]++
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
	want := []string{"pkg:npm/htmx.org@2.0.11", "pkg:npm/%40mapbox/tiny-sdf@2.3.0", "pkg:deb/debian/libc6-dev@2.36-9%2Bdeb12u13", "pkg:golang/std@" + version}
	for _, m := range info.Deps {
		want = append(want, "pkg:golang/"+m.Path+"@"+m.Version)
	}
	if len(info.Deps) == 0 {
		t.Error("this test is made of nothing")
	}
	for _, purl := range want {
		if purls[purl] != 1 {
			t.Errorf("%s is named %d times", purl, purls[purl])
		}
	}
	if !strings.Contains(string(raw), `"purl": "pkg:generic/sqlite@3.`) {
		t.Error("SQLite is not named")
	}
}

// Of npm's lock file what was bundled counts, and no tool of the build.
func TestLockFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "package-lock.json")
	lock := `{"lockfileVersion": 3, "packages": {"": {"version": "1"}, "node_modules/typescript": {"version": "7.0.2"},
		"node_modules/htmx.org": {"version": "2.0.11"}, "node_modules/@mapbox/tiny-sdf": {"version": "2.3.0"}}}`
	if err := os.WriteFile(file, []byte(lock), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readLock(file, []byte("x\n==== htmx.org: LICENSE ====\n0BSD\n==== @mapbox/tiny-sdf ====\nBSD"))
	if err != nil || len(got) != 2 || got[0] != (bundle{"@mapbox/tiny-sdf", "2.3.0"}) || got[1] != (bundle{"htmx.org", "2.0.11"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := readLock(file, nil); err == nil {
		t.Error("a front end of nothing passes")
	}
}

// Every module's licence is there, what the bundler gathered, and the C library's.
func TestLicences(t *testing.T) {
	info, _ := debug.ReadBuildInfo()
	texts, err := licencesOf(info, []byte("==== htmx.org: LICENSE ===="), "libc6@2.36")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range info.Deps {
		if !bytes.Contains(texts, []byte("==== "+m.Path)) {
			t.Errorf("%s has no licence", m.Path)
		}
	}
	for _, want := range []string{"==== Go: LICENSE ====", "==== htmx.org: LICENSE ====", "==== libc6: copyright ===="} {
		if !bytes.Contains(texts, []byte(want)) {
			t.Errorf("%q is missing", want)
		}
	}
}

// A module without a licence's text is one of which the licence is stated here, or
// nothing is packed.
func TestStatedLicence(t *testing.T) {
	var out bytes.Buffer
	if err := appendLicences(&out, "github.com/elgs/gostrgen", t.TempDir()); err != nil || !strings.Contains(out.String(), "elgs/gostrgen/issues/3") {
		t.Errorf("%v: %s", err, &out)
	}
	if err := appendLicences(&out, "example.org/unknown", t.TempDir()); err == nil {
		t.Error("a module of which nobody knows the licence is packed")
	}
}
