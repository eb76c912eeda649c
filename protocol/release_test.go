package protocol

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

var releaseFrom = time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)

func sampleRelease() Release {
	return Release{Version: "v1.2.0", OS: "linux", Arch: "amd64", Percent: 10, From: releaseFrom,
		Notes: map[string]string{"it": "Legge anche i registratori Dahua.", "en": "Reads Dahua recorders, too."}}
}

func TestRelease(t *testing.T) {
	good := sampleRelease()
	raw, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRelease(raw)
	if err != nil || r.Target() != "anagrafe-agent_v1.2.0_linux_amd64" {
		t.Fatalf("%+v, %v", r, err)
	}
	for name, spoil := range map[string]func(*Release){
		"a path as version":   func(r *Release) { r.Version = "../../v1.0.0" },
		"a short version":     func(r *Release) { r.Version = "v1.2" },
		"with build metadata": func(r *Release) { r.Version = "v1.2.0+x" },
		"no v":                func(r *Release) { r.Version = "1.2.0" },
		"a path as system":    func(r *Release) { r.OS = "../linux" },
		"a path as processor": func(r *Release) { r.Arch = "amd64/.." },
		"more than all":       func(r *Release) { r.Percent = 101 },
		"less than none":      func(r *Release) { r.Percent = -1 },
		"no beginning":        func(r *Release) { r.From = time.Time{} },
		"no Italian":          func(r *Release) { r.Notes = map[string]string{"en": "x"} },
		"a third language":    func(r *Release) { r.Notes = map[string]string{"en": "x", "it": "x", "fr": "x"} },
	} {
		r := sampleRelease()
		spoil(&r)
		if err := r.Check(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := ParseRelease([]byte(`{"version":"v1.2.0","only_on_mondays":true}`)); err == nil {
		t.Error("an unknown condition is left out")
	}
}

// The share is about what was said, who is in stays in, and another version has
// others first.
func TestInRollout(t *testing.T) {
	r, wide, next := sampleRelease(), sampleRelease(), sampleRelease()
	wide.Percent, next.Version = 50, "v1.3.0"
	in, both := 0, 0
	for i := range 2000 {
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		if r.InRollout(id, releaseFrom.Add(-time.Second)) {
			t.Fatal("before its time")
		}
		if !r.InRollout(id, releaseFrom) {
			continue
		}
		in++
		if !wide.InRollout(id, releaseFrom) {
			t.Fatal("one of a tenth is not in the half")
		}
		if next.InRollout(id, releaseFrom) {
			both++
		}
	}
	if in < 150 || in > 250 || both > in/3 {
		t.Errorf("of 2000 agents %d are in a tenth, %d of them again in that of the next version", in, both)
	}
	for percent, want := range map[int]bool{0: false, 100: true} {
		r.Percent = percent
		if r.InRollout("a", releaseFrom) != want {
			t.Errorf("%d percent", percent)
		}
	}
	r.Percent, r.Paused = 100, true
	if r.InRollout("a", releaseFrom) {
		t.Error("a pause holds nobody")
	}
}

func TestWentBack(t *testing.T) {
	told := WentBack("v1.1.0", "v1.2.0-rc.1", SetbackSilent)
	if runs, failed, why := ReadWentBack(told); runs != "v1.1.0" || failed != "v1.2.0-rc.1" || why != SetbackSilent {
		t.Error(told, runs, failed, why)
	}
	for _, plain := range []string{"v1.1.0", "(devel)", "v1.1.0+dirty", "v1+back.v2.angry"} {
		if runs, failed, _ := ReadWentBack(plain); runs != plain || failed != "" {
			t.Error(plain, runs, failed)
		}
	}
}

func FuzzParseRelease(f *testing.F) {
	raw, err := json.Marshal(sampleRelease())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"version":"../v1.2.0"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := ParseRelease(raw)
		if err != nil {
			return
		}
		if r.Check() != nil || CheckVersion(r.Version) != nil {
			t.Errorf("%q was taken", raw)
		}
	})
}
