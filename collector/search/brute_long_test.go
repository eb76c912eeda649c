//go:build long

package search

import (
	"os"
	"strconv"
	"testing"
)

// historiesEnv is how many random histories TestLongIndexEqualsBruteForce tells, of
// some 250 queries each.
const historiesEnv = "ANAGRAFE_HISTORIES"

// TestLongIndexEqualsBruteForce is TestIndexEqualsBruteForce for three thousand
// queries over twelve histories. Ten thousand over forty take a few minutes:
//
//	ANAGRAFE_HISTORIES=40 go test -tags long -v -timeout 0 -run '^TestLongIndexEqualsBruteForce$' ./collector/search
func TestLongIndexEqualsBruteForce(t *testing.T) {
	histories := uint64(12)
	if said := os.Getenv(historiesEnv); said != "" {
		var err error
		if histories, err = strconv.ParseUint(said, 10, 16); err != nil {
			t.Fatal(err)
		}
	}
	sum := tally{classes: make(map[Class]int)}
	for seed := range histories {
		newWorld(t, seed).live(20, 8, 90, &sum)
	}
	if sum.queries < 250*int(histories) {
		t.Errorf("%d queries", sum.queries)
	}
	t.Logf("%+v", sum)
}
