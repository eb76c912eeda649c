package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/act"
)

const (
	questura    = "Questura"
	carabinieri = "Carabinieri"
)

// twoForces is a register with its key and two forces, of which one is a stranger
// to whatever the other does not share.
func twoForces(t *testing.T) *Registry {
	t.Helper()
	r := openNew(t)
	for _, f := range []string{questura, carabinieri} {
		if err := r.AddForce(t.Context(), f, "age1"+f); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func openCase(t *testing.T, r *Registry, n int, ref string) Case {
	t.Helper()
	c := Case{ID: id(n), Force: questura, OpenedBy: id(70), OpenedAt: noon.Add(time.Duration(n) * time.Minute),
		Kind: "annotation", Ref: ref, Offence: "robbery", Reason: "sentinella della rapina"}
	if err := r.OpenCase(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if ref != "" {
		c.ReferredAt = c.OpenedAt
	}
	return c
}

func seen(t *testing.T, r *Registry, id, force string) (Case, bool) {
	t.Helper()
	c, ok, err := r.Case(t.Context(), id, force)
	if err != nil {
		t.Fatal(err)
	}
	return c, ok
}

// TestCase: what was opened is read back; another force sees it once it is shared,
// and changes nothing of it then either.
func TestCase(t *testing.T) {
	r := twoForces(t)
	c := openCase(t, r, 1, "")
	if got, ok := seen(t, r, c.ID, questura); !ok || !reflect.DeepEqual(got, c) {
		t.Fatalf("%+v, %v\nwant %+v", got, ok, c)
	}
	if got, ok := seen(t, r, c.ID, carabinieri); ok {
		t.Errorf("another force sees %+v", got)
	}
	if err := r.ShareCase(t.Context(), c.ID, questura, carabinieri, noon); err != nil {
		t.Fatal(err)
	}
	c.Shared = []string{carabinieri}
	if got, ok := seen(t, r, c.ID, carabinieri); !ok || !reflect.DeepEqual(got, c) {
		t.Errorf("shared: %+v, %v\nwant %+v", got, ok, c)
	}
	for name, change := range map[string]error{
		"refers":      r.ReferCase(t.Context(), c.ID, carabinieri, "7/2026", noon),
		"shares":      r.ShareCase(t.Context(), c.ID, carabinieri, questura, noon),
		"closes":      r.CloseCase(t.Context(), c.ID, carabinieri, noon),
		"opens again": r.ReopenCase(t.Context(), c.ID, carabinieri),
		"of no case":  r.CloseCase(t.Context(), id(9), questura, noon),
		"adds to a non": func() error {
			_, err := r.AddCaseRecord(t.Context(), CaseRecord{CaseID: id(9), Actor: "a", Kind: "search"})
			return err
		}(),
	} {
		if !errors.Is(change, ErrUnknownCase) {
			t.Errorf("another force %s: %v", name, change)
		}
	}
	if err := r.UnshareCase(t.Context(), c.ID, carabinieri, carabinieri); !errors.Is(err, ErrUnknownCase) {
		t.Errorf("another force takes the sharing back: %v", err)
	}
	for range 2 { // once is enough
		if err := r.UnshareCase(t.Context(), c.ID, questura, carabinieri); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := seen(t, r, c.ID, questura); got.Shared != nil {
		t.Errorf("shared with %v", got.Shared)
	}
	if _, ok := seen(t, r, c.ID, carabinieri); ok {
		t.Error("seen after the sharing was taken back")
	}
	for _, with := range []string{"Nobody", questura} {
		if err := r.ShareCase(t.Context(), c.ID, questura, with, noon); !errors.Is(err, ErrUnknownForce) {
			t.Errorf("shared with %s: %v", with, err)
		}
	}
}

// TestReferCase: the reference may follow, and be corrected; the first time counts.
func TestReferCase(t *testing.T) {
	r := twoForces(t)
	c := openCase(t, r, 1, "")
	for i, ref := range []string{"2026/118", "2026/119"} {
		if err := r.ReferCase(t.Context(), c.ID, questura, ref, noon.Add(time.Duration(i+1)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got, _ := seen(t, r, c.ID, questura); got.Ref != ref || !got.ReferredAt.Equal(noon.Add(time.Hour)) {
			t.Errorf("%+v", got)
		}
	}
}

// TestFindCase: a case is found by kind and reference, without one by all that it
// says; not by another force, and not when it is closed. What is found is not opened a
// second time.
func TestFindCase(t *testing.T) {
	r := twoForces(t)
	referred, blank := openCase(t, r, 1, "2026/118"), openCase(t, r, 2, "")
	if err := r.ReferCase(t.Context(), openCase(t, r, 3, "2026/119").ID, questura, "2026/118", noon); err != nil { // of two the older is found
		t.Fatal(err)
	}
	with := func(c Case, change func(*Case)) Case { change(&c); return c }
	find := func(c Case) string {
		t.Helper()
		got, _, err := r.FindCase(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for name, c := range map[string]struct {
		Case
		want string
	}{
		"same":             {referred, referred.ID},
		"another reason":   {with(referred, func(c *Case) { c.Reason, c.OpenedBy = "altro", id(71) }), referred.ID},
		"another kind":     {with(referred, func(c *Case) { c.Kind = "cnr" }), ""},
		"another force":    {with(referred, func(c *Case) { c.Force = carabinieri }), ""},
		"blank":            {blank, blank.ID},
		"blank, other why": {with(blank, func(c *Case) { c.Reason = "altro" }), ""},
		"blank, other who": {with(blank, func(c *Case) { c.OpenedBy = id(71) }), ""},
	} {
		if got := find(c.Case); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if c.want != "" {
			if err := r.OpenCase(t.Context(), with(c.Case, func(c *Case) { c.ID = id(4) })); !errors.Is(err, ErrCaseOpen) {
				t.Errorf("%s: opened again: %v", name, err)
			}
		}
	}
	if err := r.ReferCase(t.Context(), blank.ID, questura, "2026/120", noon); err != nil {
		t.Fatal(err)
	}
	if got := find(with(blank, func(c *Case) { c.Ref = "2026/120" })); got != blank.ID || find(blank) != "" {
		t.Errorf("once referred it is found as %q", got)
	}
	if err := r.CloseCase(t.Context(), blank.ID, questura, noon); err != nil {
		t.Fatal(err)
	}
	if got := find(with(blank, func(c *Case) { c.Ref = "2026/120" })); got != "" {
		t.Errorf("closed, it is found as %q", got)
	}
	openCase(t, r, 5, "2026/120")
}

// TestCases: the force's own and what is shared with it; open ones first, then the
// newest; closing twice keeps the first time, opening again undoes it.
func TestCases(t *testing.T) {
	r := twoForces(t)
	for n := range 4 {
		openCase(t, r, n, fmt.Sprint(n))
	}
	for _, at := range []time.Duration{time.Hour, 2 * time.Hour} {
		if err := r.CloseCase(t.Context(), id(3), questura, noon.Add(at)); err != nil {
			t.Fatal(err)
		}
	}
	if c, _ := seen(t, r, id(3), questura); !c.ClosedAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("closed at %v", c.ClosedAt)
	}
	if err := r.ShareCase(t.Context(), id(1), questura, carabinieri, noon); err != nil {
		t.Fatal(err)
	}
	list := func(force string, limit int) string {
		t.Helper()
		all, err := r.Cases(t.Context(), force, limit)
		if err != nil {
			t.Fatal(err)
		}
		var refs []string
		for _, c := range all {
			refs = append(refs, c.Ref)
		}
		return strings.Join(refs, " ")
	}
	for _, c := range []struct {
		force string
		limit int
		want  string
	}{{questura, 9, "2 1 0 3"}, {questura, 2, "2 1"}, {carabinieri, 9, "1"}} {
		if got := list(c.force, c.limit); got != c.want {
			t.Errorf("%s: %s, want %s", c.force, got, c.want)
		}
	}
	if err := r.ReopenCase(t.Context(), id(3), questura); err != nil {
		t.Fatal(err)
	}
	if got := list(questura, 1); got != "3" {
		t.Errorf("open again: %s", got)
	}
}

// TestCaseRecords: records are numbered by case, read back whole, in short, by kind
// and by who made them, and of a closed case too.
func TestCaseRecords(t *testing.T) {
	r := twoForces(t)
	openCase(t, r, 1, "a")
	openCase(t, r, 2, "b")
	big, _ := json.Marshal(strings.Repeat("lunga risposta ", 100_000))
	var want []CaseRecord
	for i, kind := range []act.Kind{act.Search, act.Called, act.Search} {
		rec := CaseRecord{CaseID: id(1), At: noon.Add(time.Duration(i) * time.Second), Actor: id(70 + i%2), Kind: kind, TrailIndex: int64(40 + i),
			Brief: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)), Body: big}
		if kind == act.Called {
			rec.Body = nil
		}
		var err error
		if rec.Number, err = r.AddCaseRecord(t.Context(), rec); err != nil || rec.Number != i+1 {
			t.Fatal(rec.Number, err)
		}
		want = append(want, rec)
	}
	other := CaseRecord{CaseID: id(2), At: noon.Add(time.Hour), Actor: id(70), Kind: "reveal"}
	if n, err := r.AddCaseRecord(t.Context(), other); err != nil || n != 1 {
		t.Error(n, err)
	}
	if err := r.CloseCase(t.Context(), id(1), questura, noon); err != nil {
		t.Fatal(err)
	}
	if got, err := r.CaseRecords(t.Context(), id(1)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%d records, %v", len(got), err)
	}
	numbers := func(all []CaseRecord, err error) (list string) {
		t.Helper()
		for _, rec := range all {
			if list += fmt.Sprintf("%s:%d ", rec.CaseID[35:], rec.Number); rec.Body != nil {
				t.Error("a list reads bodies")
			}
		}
		if err != nil {
			t.Error(err)
		}
		return list
	}
	if got := numbers(r.CaseHistory(t.Context(), id(1), "", 2)); got != "1:3 1:2 " {
		t.Errorf("history: %s", got)
	}
	if got := numbers(r.CaseHistory(t.Context(), id(1), "called", 9)); got != "1:2 " {
		t.Errorf("called: %s", got)
	}
	if got := numbers(r.RecordsBy(t.Context(), id(70), 9)); got != "2:1 1:3 1:1 " {
		t.Errorf("mine: %s", got)
	}
	if _, err := r.AddCaseRecord(t.Context(), CaseRecord{CaseID: id(1), Actor: "a", Kind: "search", Body: bytes.Repeat([]byte(" "), maxCaseRecord+1)}); err == nil {
		t.Error("a record without measure is taken")
	}
}

// TestDestroyCases: at its term a case goes with its key, and leaves that it was.
func TestDestroyCases(t *testing.T) {
	r := twoForces(t)
	for n := range 3 { // 0: long closed, 1: closed of late, 2: open
		openCase(t, r, n, fmt.Sprint(n))
		if _, err := r.AddCaseRecord(t.Context(), CaseRecord{CaseID: id(n), At: noon, Actor: id(70), Kind: "search", Brief: []byte("1"), Body: []byte("1")}); err != nil {
			t.Fatal(err)
		}
		if err := r.ShareCase(t.Context(), id(n), questura, carabinieri, noon); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 2 {
		if err := r.CloseCase(t.Context(), id(n), questura, noon.Add(time.Duration(n)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	var recorded []string
	noted := func(_ context.Context, id, force string) error {
		recorded = append(recorded, id+force)
		return nil
	}
	full := errors.New("the trail cannot be written")
	if n, err := r.DestroyCases(t.Context(), noon.Add(time.Hour), noon, func(context.Context, string, string) error { return full }); n != 0 || !errors.Is(err, full) {
		t.Errorf("unrecorded: %d, %v", n, err)
	}
	if _, ok := seen(t, r, id(0), questura); !ok {
		t.Error("destroyed without a record")
	}
	for range 2 { // the second finds nothing to do
		if _, err := r.DestroyCases(t.Context(), noon.Add(time.Hour), noon.Add(time.Hour), noted); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(recorded, " "); got != id(0)+questura {
		t.Errorf("recorded before: %s", got)
	}
	for n, want := range []bool{false, true, true} {
		_, ok := seen(t, r, id(n), questura)
		_, shared := seen(t, r, id(n), carabinieri)
		recs, err := r.CaseRecords(t.Context(), id(n))
		if ok != want || shared != want || (len(recs) == 1) != want || err != nil {
			t.Errorf("case %d: seen %v %v, %d records, %v", n, ok, shared, len(recs), err)
		}
	}
	var tomb, key bool
	if err := r.read.QueryRowContext(t.Context(), `SELECT destroyed_at IS NOT NULL AND find_hash IS NULL,
		EXISTS (SELECT 1 FROM data_keys WHERE owner = ?1 AND sealed <> ?2) FROM cases WHERE id = ?1`, id(0), zeros[:]).Scan(&tomb, &key); err != nil || !tomb || key {
		t.Errorf("tombstone %v, key %v, %v", tomb, key, err)
	}
	if _, err := r.AddCaseRecord(t.Context(), CaseRecord{CaseID: id(0), Actor: "a", Kind: "search"}); !errors.Is(err, ErrUnknownCase) {
		t.Errorf("a record of a destroyed case: %v", err)
	}
}

// TestCasesAreSealed: nothing of what a case or a record says, nor who, stands in
// the tables in clear; and none of it opens without the key of consultation.
func TestCasesAreSealed(t *testing.T) {
	r := twoForces(t)
	openCase(t, r, 1, "sentinella 118")
	rec := CaseRecord{CaseID: id(1), Actor: "sentinella agente", Kind: "search", Brief: []byte(`"sentinella domanda"`), Body: []byte(`"sentinella risposta"`)}
	if _, err := r.AddCaseRecord(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	for name, rows := range contents(t, r) {
		for _, row := range rows {
			if strings.HasPrefix(name, "case") && (strings.Contains(row, "sentinella") || strings.Contains(row, fmt.Sprint([]byte("sentinella"))[1:20]) || strings.Contains(row, id(70))) {
				t.Errorf("%s says %s", name, row)
			}
		}
	}
	r.consult = newConsultKey(t)
	if _, _, err := r.Case(t.Context(), id(1), questura); err == nil {
		t.Error("another key opens it")
	}
}

// TestRestoreDropsUnreadCases: of a case whose key is not among the restored ones
// stays that it was.
func TestRestoreDropsUnreadCases(t *testing.T) {
	r := filled(t)
	c := r.copies(t, backupKey(t))
	if err := r.CloseCase(t.Context(), id(80), questura, noon); err != nil {
		t.Fatal(err)
	}
	if n, err := r.DestroyCases(t.Context(), noon.Add(time.Hour), noon, func(context.Context, string, string) error { return nil }); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	c.keys = r.copies(t, c.key).keys // of after its end
	store := storeAt(t, t.TempDir()+"/restored.db")
	restoreInto(t, c.into(t, store))
	back := openStore(t, store)
	if all, err := back.Cases(context.Background(), questura, 9); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if got := contents(t, back); len(got["cases"]) != 2 || len(got["case_records"]) != 1 {
		t.Errorf("%q\n%q", got["cases"], got["case_records"])
	}
}
