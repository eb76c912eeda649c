package audit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/protocol/pages"
)

// TestThreatsNameTests: what an auditor is told is shown by a test, is; a test that is
// renamed or deleted takes the table with it.
func TestThreatsNameTests(t *testing.T) {
	for _, threat := range threats {
		for _, name := range threat.Tests {
			folder, test, ok := strings.Cut(name, ": ")
			files, err := filepath.Glob(filepath.Join("../../..", folder, "*_test.go"))
			if !ok || err != nil || len(files) == 0 {
				t.Errorf("%q: no folder of tests", name)
				continue
			}
			found := false
			for _, file := range files {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				found = found || strings.Contains(string(source), "\nfunc "+test+"(t *testing.T) {")
			}
			if !found {
				t.Errorf("%q is not there", name)
			}
		}
		for _, said := range []wording{threat.Who, threat.What, threat.Control} {
			if said[pages.It] == "" || said[pages.En] == "" || len(said) != 2 {
				t.Errorf("not in both languages: %v", said)
			}
		}
	}
}
