package registry

import (
	"context"
	"fmt"
	"testing"

	"anagrafe/collector/trail"
)

func TestCosignaturesGoForward(t *testing.T) {
	s := trailStore{openNew(t)}
	for _, c := range []struct {
		witness string
		size    int64
		text    string
	}{{"a", 0, "a0"}, {"a", 7, "a7"}, {"b", 3, "b3"}, {"a", 5, "a5"}, {"b", 3, "b3 again"}} {
		if err := s.AddCosignature(t.Context(), c.witness, c.size, []byte(c.text)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Cosignatures(t.Context())
	if err != nil || len(all) != 2 || string(all["a"]) != "a7" || string(all["b"]) != "b3 again" {
		t.Errorf("%q, %v", all, err)
	}
}

func TestOldBodiesAreEmptied(t *testing.T) {
	s := trailStore{openNew(t)}
	ctx := t.Context()
	const n = 2*forgetBatch + 10
	var b trail.Batch
	for i := range n {
		b.Headers, b.Bodies = append(b.Headers, fmt.Appendf(nil, "h%d", i)), append(b.Bodies, fmt.Appendf(nil, "b%d", i))
	}
	b.Checkpoint = []byte("c")
	if err := s.Append(ctx, func(context.Context, trail.State) (trail.Batch, error) { return b, nil }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ to, want int64 }{{0, 0}, {3, 3}, {2, 3}, {forgetBatch + 20, forgetBatch + 20}, {n + 100, n}} {
		if err := s.Forget(ctx, c.to); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Forgotten(ctx); got != c.want || err != nil {
			t.Fatalf("up to %d: %d, %v", c.to, got, err)
		}
		headers, bodies, err := s.Entries(ctx, 0, n)
		if err != nil {
			t.Fatal(err)
		}
		for i := range bodies {
			if (len(bodies[i]) == 0) != (int64(i) < c.want) || string(headers[i]) != fmt.Sprintf("h%d", i) {
				t.Fatalf("up to %d: entry %d is %q, %q", c.to, i, headers[i], bodies[i])
			}
		}
	}
}
