package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong with a file as a whole, or with a page of a list, is told in words, and
// no count of lines says that nothing was wrong.
func TestFilesAndPagesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	nameless := filepath.Join(dir, "senza-nome.csv")
	if err := os.WriteFile(nameless, []byte("foo,street\nBar Centrale,via Roma\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none.csv")
	data := filepath.Join(dir, "data")
	for name, tc := range map[string]struct {
		args []string
		exit int
		says string
		not  string
	}{
		"no column of names":      {[]string{"invite", "-file", nameless, "-dry-run"}, exitFailed, "The column name (or nome) is missing.", "0 wrong"},
		"a file that is none":     {[]string{"invite", "-file", none, "-dry-run"}, exitFailed, "there is no file " + none, "no such file"},
		"addresses that are none": {[]string{"addresses", none}, exitFailed, "there is no file " + none, "no such file"},
		"page 0":                  {[]string{"batch", "list", "-page", "0"}, exitMisuse, "-page is a whole number from 1", ""},
	} {
		var out bytes.Buffer
		if got := run(t.Context(), console{nil, &out, &out}, append(tc.args, "-data", data)); got != tc.exit {
			t.Errorf("%s: exit %d, want %d", name, got, tc.exit)
		}
		if !strings.Contains(out.String(), tc.says) || tc.not != "" && strings.Contains(out.String(), tc.not) {
			t.Errorf("%s: it says %q", name, out.String())
		}
	}
}
