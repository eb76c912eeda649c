package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// One entry is one entry, and two are entries.
func TestVerifyCountsInWords(t *testing.T) {
	out := t.TempDir()
	dir := filepath.Join(out, "data")
	verified := func(export, checkpoint string) string {
		t.Helper()
		b, err := os.ReadFile(export)
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := bytes.Cut(b, []byte("\n"))
		var first struct {
			Key        string `json:"verifier_key"`
			Checkpoint string `json:"checkpoint"`
		}
		if err := json.Unmarshal(line, &first); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(checkpoint); err != nil {
			if err := os.WriteFile(checkpoint, []byte(first.Checkpoint), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return string(typed(t, dir, "audit", "verify", "-key", first.Key, "-checkpoint", checkpoint, "-export", export))
	}
	one, two, older := filepath.Join(out, "one"), filepath.Join(out, "two"), filepath.Join(out, "older")
	typed(t, dir, "audit", "export", one) // which is an entry itself
	if got := verified(one, older); !strings.Contains(got, "verified: 1 entry, ") || !strings.Contains(got, "checkpoint of 1 entry\n") {
		t.Error(got)
	}
	typed(t, dir, "audit", "export", two)
	if got := verified(two, older); !strings.Contains(got, "verified: 2 entries, ") || !strings.Contains(got, "checkpoint of 1 entry\n") {
		t.Error(got)
	}
}
