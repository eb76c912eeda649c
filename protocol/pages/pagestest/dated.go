package pagestest

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"testing"
	"time"
)

// Dated fails where what files say is not what was known of the day that they show: who
// changes the one changes the other. want is that day and the beginning of their hash.
func Dated(t *testing.T, files fs.FS, day time.Time, want string) {
	t.Helper()
	sum := sha256.New()
	names, err := fs.Glob(files, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(raw), raw)
	}
	if got := fmt.Sprintf("%s %x", day.Format(time.DateOnly), sum.Sum(nil)[:8]); got != want {
		t.Errorf("these are %s, the test knows %s: if they say something else, give them another day, and write both here", got, want)
	}
}
