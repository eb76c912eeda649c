package trail

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"anagrafe/collector/act"
)

func TestBodiesAreDeletedAfterTheirTerm(t *testing.T) {
	m := &memory{}
	tr := start(t, m)
	now := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	old := now.AddDate(-6, 0, 0)
	for i := range 300 { // more than are read at once
		if _, err := tr.Append(t.Context(), Entry{At: old.Add(time.Duration(i) * time.Hour), Actor: "a", Kind: "invite", Body: "piazza"}); err != nil {
			t.Fatal(err)
		}
	}
	older, err := tr.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Append(t.Context(), Entry{At: now.AddDate(-4, 0, 0), Actor: "a", Kind: "login", Body: "corso"}); err != nil {
		t.Fatal(err)
	}
	before := now.AddDate(-5, 0, 0)
	if n, err := tr.Forget(t.Context(), before); err != nil || n != 300 {
		t.Fatalf("%d, %v", n, err)
	}
	for i, b := range m.bodies[:300] {
		if len(b) > 0 {
			t.Fatalf("the body of entry %d is still there", i)
		}
	}
	if len(m.bodies[300]) == 0 {
		t.Error("a body that was not due is gone")
	}
	if n, err := tr.Forget(t.Context(), before); err != nil || n != 0 || len(m.headers) != 302 {
		t.Errorf("again: %d, %v, %d entries", n, err, len(m.headers))
	}
	var out bytes.Buffer
	if err := tr.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(bytes.NewReader(out.Bytes()), tr.VerifierKey(), older)
	if err != nil || report.BodiesDeleted != 300 || report.Kinds[act.TrailForget] != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	p, err := tr.Prove(t.Context(), 7)
	if err != nil || len(p.Body) > 0 {
		t.Fatalf("%v", err)
	}
	if _, err := VerifyInclusion(p, tr.VerifierKey()); err != nil {
		t.Error(err)
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var shown []Shown
	if err := Show(&out, strings.NewReader(identity.String()), func(s Shown) error { shown = append(shown, s); return nil }); err != nil {
		t.Fatal(err)
	}
	if s := shown[7]; s.Content != nil || s.Why != "deleted after its term" {
		t.Errorf("%+v", s)
	}
	if s := shown[301]; s.Content == nil || !strings.Contains(string(s.Content.Details), `"first":0,"last":299`) {
		t.Errorf("the tombstone says %+v", s.Content)
	}
}

func TestNothingIsDeletedUnlessTheTrailSaysSo(t *testing.T) {
	m := &memory{}
	tr := start(t, m)
	add(t, tr, 3)
	m.fail = errors.New("disk full")
	if _, err := tr.Forget(t.Context(), time.Now().Add(time.Hour)); !errors.Is(err, m.fail) {
		t.Errorf("%v", err)
	}
	for i, b := range m.bodies {
		if len(b) == 0 {
			t.Errorf("the body of entry %d is gone", i)
		}
	}
}
