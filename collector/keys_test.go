package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestConsultKey: made once, read again, and never replaced where something is
// sealed with it.
func TestConsultKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys", "consult.key")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	refused := func(what, hint string) {
		t.Helper()
		if _, err := consultKey(dir, true); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("missing", "restore it")
	key, err := consultKey(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if again, err := consultKey(dir, true); err != nil || again.String() != key.String() {
		t.Errorf("read again: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	refused("readable by others", "chmod 600")
	if err := os.WriteFile(path, []byte("AGE-SECRET-KEY-1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("cut short", "damaged")
}
