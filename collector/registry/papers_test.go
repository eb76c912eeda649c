package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

func numberPaper(r *Registry, n int, caseID, force string, year int) (Paper, error) {
	return r.NumberPaper(context.Background(), Paper{ID: id(n), CaseID: caseID, Force: force, Kind: PaperAcquisition, Year: year, At: noon},
		func(number int) (json.RawMessage, error) {
			return fmt.Appendf(nil, `{"number":%d,"to":"sentinella del bar"}`, number), nil
		})
}

// TestPaper: a paper keeps its bytes; it is annulled until it is on the trail, and
// confirmed once.
func TestPaper(t *testing.T) {
	r := twoForces(t)
	c := openCase(t, r, 1, "7/2026")
	p, err := numberPaper(r, 100, c.ID, questura, 2026)
	if err != nil || p.Number != 1 || !p.Annulled {
		t.Fatalf("%+v, %v", p, err)
	}
	got, ok, err := r.Paper(t.Context(), p.ID)
	if err != nil || !ok || !got.Annulled || string(got.Body) != `{"number":1,"to":"sentinella del bar"}` || !got.At.Equal(noon) {
		t.Fatalf("%+v, %v, %v", got, ok, err)
	}
	if err := r.ConfirmPaper(t.Context(), p.ID, 42, [32]byte{7}); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := r.Paper(t.Context(), p.ID); got.Annulled || got.TrailIndex != 42 || got.SHA256 != [32]byte{7} {
		t.Errorf("confirmed: %+v", got)
	}
	if err := r.ConfirmPaper(t.Context(), p.ID, 43, [32]byte{8}); err == nil {
		t.Error("a paper was confirmed twice")
	}
	if _, ok, err := r.Paper(t.Context(), id(9)); ok || err != nil {
		t.Errorf("a paper that is not there: %v, %v", ok, err)
	}
	if _, err := numberPaper(r, 101, id(9), questura, 2026); !errors.Is(err, ErrUnknownCase) {
		t.Errorf("a paper of no case: %v", err)
	}
	if got := contents(t, r)["papers"]; bytes.Contains([]byte(fmt.Sprint(got)), []byte("sentinella")) {
		t.Error("the register has in clear what a paper says")
	}
}

// TestPaperNumbers: by force and year, without gaps, also of two that come at once
// and after one that was refused.
func TestPaperNumbers(t *testing.T) {
	r := twoForces(t)
	mine, theirs := openCase(t, r, 1, "7/2026"), openCase(t, r, 2, "8/2026")
	refused := errors.New("refused")
	if _, err := r.NumberPaper(t.Context(), Paper{ID: id(99), CaseID: mine.ID, Force: questura, Kind: PaperAcquisition, Year: 2026, At: noon},
		func(int) (json.RawMessage, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	numbers := make([]int, 8)
	errs := make([]error, len(numbers))
	var all sync.WaitGroup
	for i := range numbers {
		all.Go(func() {
			p, err := numberPaper(r, 100+i, mine.ID, questura, 2026)
			numbers[i], errs[i] = p.Number, err
		})
	}
	all.Wait()
	slices.Sort(numbers)
	if err := errors.Join(errs...); err != nil || !slices.Equal(numbers, []int{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("numbers %v, %v", numbers, err)
	}
	for i, c := range []struct {
		caseID, force string
		year, want    int
	}{{theirs.ID, carabinieri, 2026, 1}, {mine.ID, questura, 2027, 1}, {theirs.ID, questura, 2026, 9}} {
		if p, err := numberPaper(r, 200+i, c.caseID, c.force, c.year); err != nil || p.Number != c.want {
			t.Errorf("%s %d: number %d, want %d (%v)", c.force, c.year, p.Number, c.want, err)
		}
	}
	listed, err := r.Papers(t.Context(), mine.ID)
	if err != nil || len(listed) != 9 {
		t.Errorf("%d papers of the case, %v", len(listed), err)
	}
}

// TestPaperGoesWithItsCase: what it says does, its number stays taken.
func TestPaperGoesWithItsCase(t *testing.T) {
	r := twoForces(t)
	c, other := openCase(t, r, 1, "7/2026"), openCase(t, r, 2, "8/2026")
	if _, err := numberPaper(r, 100, c.ID, questura, 2026); err != nil {
		t.Fatal(err)
	}
	if err := r.CloseCase(t.Context(), c.ID, questura, noon); err != nil {
		t.Fatal(err)
	}
	if n, err := r.DestroyCases(t.Context(), noon.Add(time.Hour), noon.Add(time.Hour), func(context.Context, string, string) error { return nil }); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, ok, err := r.Paper(t.Context(), id(100)); ok || err != nil {
		t.Errorf("the paper of a destroyed case is still there: %v", err)
	}
	if p, err := numberPaper(r, 101, other.ID, questura, 2026); err != nil || p.Number != 2 {
		t.Errorf("its number was given again: %d, %v", p.Number, err)
	}
}
