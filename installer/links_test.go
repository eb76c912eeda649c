package installer

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\]\(([^)#\s]+)`)

// TestLinks follows each link from one of the project's documents to a file beside it:
// what is renamed is renamed where it is told of, too.
func TestLinks(t *testing.T) {
	followed := 0
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name != ".." && strings.HasPrefix(name, ".") || name == "node_modules" || name == "build" {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) != ".md" {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			if to := found[1]; !strings.Contains(to, ":") && !strings.HasPrefix(to, "/") { // pages of the collector are tested there
				if _, err := os.Stat(filepath.Join(filepath.Dir(p), to)); err != nil {
					t.Errorf("%s: the link to %s leads nowhere", p, to)
				}
				followed++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if followed == 0 {
		t.Error("no link was found: the test looks in the wrong place")
	}
}
