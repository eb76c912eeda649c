package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A page has what the program says, the same each time and fit for roff; what most
// commands take stands there once. A program that does not say enough gets none.
func TestPage(t *testing.T) {
	program := filepath.Join(t.TempDir(), "anagrafe-thing")
	says := func(exit string) {
		t.Helper()
		script := `#!/bin/sh
case "$*" in
help) printf '%s does things.\n\nusage: anagrafe-thing COMMAND ...\n\n  do       do it\n  undo it  undo it\n  wait     wait\n` + exit + `' anagrafe-thing ;;
"undo it -h") printf 'usage: anagrafe-thing undo it [-why TEXT]\n\n  -data string\n    \twhere\n  -n\tnot really\n  -why string\n    \t.as it'"'"'s said,\n    \tC:\\new\n' ;;
*) printf 'usage: anagrafe-thing %s ID...\n\n  -data string\n    \twhere\n' $1 ;;
esac
`
		if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	made := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	says("")
	if got, err := pageOf(program, "0.1.0", made); err == nil {
		t.Errorf("a page without an exit status: %s", got)
	}
	says(`\nexit status: 0 done\n`)
	raw, err := pageOf(program, "0.1.0", made)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := pageOf(program, "0.1.0", made); err != nil || string(again) != string(raw) {
		t.Errorf("twice is not the same: %v", err)
	}
	groff := exec.CommandContext(t.Context(), "groff", "-ww", "-k", "-man", "-Tutf8", "-P-cbou")
	groff.Stdin = strings.NewReader(string(raw))
	var complaint strings.Builder
	groff.Stderr = &complaint
	out, err := groff.Output()
	if err != nil || complaint.Len() > 0 {
		t.Fatalf("groff (see make deps): %v %s\n%s", err, &complaint, raw)
	}
	shown := strings.Join(strings.Fields(string(out)), " ")
	for _, want := range []string{"anagrafe-thing - does things SYNOPSIS",
		"do ID... do it undo it [-why TEXT] undo it -n not really -why string .as it's said, C:\\new wait ID... wait OPTIONS", "-data string where EXIT STATUS 0 done", "2026-11-23"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in\n%s", want, shown)
		}
	}
}
