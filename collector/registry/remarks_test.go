package registry

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"
)

// Remarks are listed page by page, the newest first; closed ones on request alone; old
// ones are gone; what was written stands in no file in clear.
func TestRemarks(t *testing.T) {
	r := openNew(t)
	ctx := t.Context()
	var ids []string
	for i := range 5 {
		id, err := r.AddRemark(ctx, Remark{At: noon.Add(time.Duration(i/2) * time.Hour), Kind: RemarkReport, Topic: "broken", Page: "/faq",
			Text: fmt.Sprintf("SENTINELLA %d", i), Email: "anna@sentinella.example.it"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	seen := map[string]bool{}
	q := RemarkQuery{Limit: 2}
	for {
		page, err := r.Remarks(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for i, m := range page {
			if seen[m.ID] || m.Kind != RemarkReport || m.Topic != "broken" || m.Email == "" || len(m.Text) != len("SENTINELLA 0") || i > 0 && m.At.After(page[i-1].At) {
				t.Errorf("%+v", m)
			}
			seen[m.ID] = true
		}
		q.Before, q.ID = page[len(page)-1].At, page[len(page)-1].ID
	}
	if len(seen) != len(ids) {
		t.Errorf("%d of %d were listed", len(seen), len(ids))
	}
	if err := r.CloseRemark(ctx, ids[4], noon.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := r.CloseRemark(ctx, ids[4], noon); !errors.Is(err, ErrUnknownRemark) {
		t.Errorf("closed twice: %v", err)
	}
	open, err := r.Remarks(ctx, RemarkQuery{Limit: 10})
	all, err2 := r.Remarks(ctx, RemarkQuery{Limit: 10, Closed: true})
	if err != nil || err2 != nil || len(open) != 4 || len(all) != 5 || !all[0].ClosedAt.Equal(noon.Add(3*time.Hour)) {
		t.Error(len(open), len(all), err, err2)
	}
	eachFile(t, r, func(name string, b []byte) {
		if bytes.Contains(bytes.ToLower(b), []byte("sentinella")) {
			t.Errorf("%s holds what was written", name)
		}
	})
	if err := r.DropRemarks(ctx, noon.Add(remarkLife)); err != nil {
		t.Fatal(err)
	}
	if all, err = r.Remarks(ctx, RemarkQuery{Limit: 10, Closed: true}); len(all) != 3 || err != nil {
		t.Errorf("%d are left, %v", len(all), err)
	}
}

// What is kept has a bound.
func TestRemarksAreBounded(t *testing.T) {
	r := openNew(t)
	numbers, empty := "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i FROM n) AS n", "x''"
	if tested == postgres {
		empty = "''"
	}
	if _, err := r.write.ExecContext(t.Context(), "INSERT INTO remarks (id, at, kind, body) SELECT 'r' || i, 0, 'report', "+empty+" FROM "+numbers); err != nil {
		t.Fatal(err)
	}
	if _, err := r.AddRemark(t.Context(), Remark{At: noon, Kind: RemarkReport, Text: "x"}); !errors.Is(err, ErrTooManyRemarks) {
		t.Errorf("one more: %v", err)
	}
}

func TestRatings(t *testing.T) {
	r := openNew(t)
	add := func(page string, stars, reason int, at time.Time) {
		t.Helper()
		if err := r.AddRating(t.Context(), Rating{Page: page, Stars: stars, Reason: reason}, at); err != nil {
			t.Fatal(err)
		}
	}
	add("/", 5, 1, noon)
	add("/", 5, 1, noon.AddDate(0, 1, 0))
	add("/", 2, 0, noon)
	add("/faq", 4, 0, noon.AddDate(0, -3, 0))
	got, err := r.Ratings(t.Context(), noon)
	if want := []Rating{{"/", 2, 0, 1}, {"/", 5, 1, 2}}; err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}
