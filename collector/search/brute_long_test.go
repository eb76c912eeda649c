//go:build long

package search

import "testing"

// TestLongIndexEqualsBruteForce is TestIndexEqualsBruteForce for ten thousand
// queries over forty histories.
func TestLongIndexEqualsBruteForce(t *testing.T) {
	sum := tally{classes: make(map[Class]int)}
	for seed := range uint64(40) {
		newWorld(t, seed).live(20, 8, 90, &sum)
	}
	if sum.queries < 10_000 {
		t.Errorf("%d queries", sum.queries)
	}
	t.Logf("%+v", sum)
}
