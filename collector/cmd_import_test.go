package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is done in part exits with 3, what is not done with 1.
func TestImportExits(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file.csv")
	if err := os.WriteFile(file, []byte("key,name,camera,latitude,longitude,outdoor_public\n1,Bar,Door,45.46,9.18,yes\n2,Bar Two,Door,95,9.18,yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		want int
	}{
		{"organisation add Bars -fiscal-code 01199250158 -contact Eva -phone 112", exitDone},
		{"import FILE -organisation Bars", exitFailed},
		{"import FILE -organisation Bars -dry-run", exitFailed},
		{"import FILE -organisation Bars -partial", exitPartly},
		{"import FILE", exitMisuse},
	} {
		args := strings.Fields(strings.ReplaceAll(c.args, "FILE", file))
		var out, errs bytes.Buffer
		if got := run(t.Context(), console{nil, &out, &errs}, append(args, "-data", filepath.Join(dir, "data"))); got != c.want {
			t.Errorf("%s: exit %d, want %d\n%s%s", c.args, got, c.want, &out, &errs)
		}
	}
}
