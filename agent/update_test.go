package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/agent/update"
)

// A version that was taken before updates were switched off is not left for having been
// ended by somebody.
func TestUpdatesOffCountsNoStart(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "state.json")
	if err := os.WriteFile(file, []byte(`{"kept":"v1.1.0","starts":2,"programs":{"v1.1.0":{"sha256":"","size":1}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s := &agent{log: log, lookNow: make(chan struct{}, 1), programs: update.New(update.Options{Dir: dir, Mode: update.Off, Version: "v1.1.0", Log: log})}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.lookForUpdates(ctx); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(file); err != nil || !strings.Contains(string(raw), `"starts": 1`) {
		t.Errorf("%s, %v", raw, err)
	}
}
