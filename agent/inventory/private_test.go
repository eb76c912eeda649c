package inventory

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

func private(t *testing.T, v *Inventory, site string) map[string]string {
	t.Helper()
	got := view(t, v).Private[site]
	return got
}

// What is kept with no site holds for all, until one has a value of its own.
func TestPrivateBySite(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	enrol(t, v, siteB)
	for site, values := range map[string]map[string]string{
		"":    {"coach.ask.sign": "no", "paper.controller": " Bar\u202e \n Centrale "},
		siteA: {"coach.ask.sign": "yes"},
		siteB: {"paper.controller": ""},
	} {
		if err := v.KeepPrivate(t.Context(), site, values); err != nil {
			t.Fatal(err)
		}
	}
	if got := private(t, v, siteA); got["coach.ask.sign"] != "yes" || got["paper.controller"] != "Bar Centrale" {
		t.Errorf("%q", got)
	}
	if got := private(t, v, siteB); got["coach.ask.sign"] != "no" || got["paper.controller"] != "" {
		t.Errorf("%q", got)
	}
}

func TestPrivateRefuses(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	if err := v.KeepPrivate(t.Context(), siteB, map[string]string{"a": "b"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("an unknown site: %v", err)
	}
	many := map[string]string{}
	for i := range maxPrivateRows + 1 {
		many["a"+strings.Repeat("b", i/26)+string(rune('a'+i%26))] = "c"
	}
	for what, values := range map[string]map[string]string{
		"a name": {"No Such": "x"}, "a long value": {"paper.controller": strings.Repeat("à", maxPrivate+1)}, "too many": many,
	} {
		if _, ok := errors.AsType[protocol.FieldErrors](v.KeepPrivate(t.Context(), siteA, values)); !ok {
			t.Errorf("%s was kept", what)
		}
	}
	if got := private(t, v, siteA); len(got) != 0 {
		t.Errorf("kept: %d values", len(got))
	}
}

// TestPrivateNeverLeaves: a declaration, an observation and a withdrawal are made
// with private values about, and hold none; nor does any other file of this package
// know the table.
func TestPrivateNeverLeaves(t *testing.T) {
	const sentinel = "SOLO-MIO-7731"
	v, all := declared(t, 1)
	for _, site := range []string{"", siteA} {
		if err := v.KeepPrivate(t.Context(), site, map[string]string{"coach.ask.employees": sentinel, "paper.controller": sentinel}); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Set(t.Context(), all[0].ID, Edit{Name: new("Cortile")}); err != nil {
		t.Fatal(err)
	}
	approve(t, v, all[0].ID)
	deliver(t, v)
	d := cameraDevice(0)
	d.Channels[0].Schedule = protocol.Schedule{Kind: protocol.ScheduleOff, Fact: protocol.Fact{Source: protocol.Measured, At: noon.Add(2 * time.Hour)}}
	record(t, v, noon.Add(2*time.Hour), d)
	deliver(t, v)
	if err := v.WithdrawSite(t.Context(), siteA, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, s := range outbox(t, v) {
		kinds[s.Kind] = true
		if bytes.Contains(s.Raw, []byte(sentinel)) {
			t.Errorf("a %s holds a private value", s.Kind)
		}
	}
	if len(kinds) != 3 {
		t.Errorf("the test made only %v", kinds)
	}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "private") && (bytes.Contains(text, []byte("FROM private")) || bytes.Contains(text, []byte("JOIN private"))) {
			t.Errorf("%s reads the owner's private values", name)
		}
	}
}
