// Package registrytest opens registers for tests, as main opens the collector's: with
// all keys and a ledger. It hides what a register needs; the tests of packages above
// package registry call it, and no program does.
package registrytest

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
)

// consult is the key of consultation of all: what one test opens, the next one reads.
const consult = "AGE-SECRET-KEY-1QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSKMP32K"

// Options are those of the register in SQLite of a directory: the same each time.
func Options(dir string, log *slog.Logger) registry.Options {
	key, err := age.ParseX25519Identity(consult)
	if err != nil {
		panic(err) // it is a constant
	}
	secret := bytes.Repeat([]byte{3}, 32)
	return registry.Options{Store: "sqlite:" + filepath.Join(dir, "registry.db"), Ledger: filepath.Join(dir, "erased.ledger"), Log: log,
		Keys: registry.Keys{Master: filepath.Join(dir, "master.key"), Consult: key, Lookup: secret, Owners: secret, Ledger: secret}}
}

// KeyFiles are the files of such a register that a backup of its keys has to hold.
func KeyFiles(dir string) ([]registry.KeyFile, error) {
	master, err := os.ReadFile(filepath.Join(dir, "master.key"))
	return []registry.KeyFile{{Path: "master.key", Content: master}}, err
}

// Open opens a register until the test ends.
func Open(t testing.TB, o registry.Options) *registry.Registry {
	t.Helper()
	r, _ := OpenTrail(t, o)
	return r
}

// OpenTrail is Open for a test that also writes the audit trail.
func OpenTrail(t testing.TB, o registry.Options) (*registry.Registry, trail.Store) {
	t.Helper()
	r, store, err := registry.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, store
}
