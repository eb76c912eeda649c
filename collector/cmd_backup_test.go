package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"anagrafe/collector/registry"
)

// restorable is a directory of files to restore from, made while the collector in
// dir served.
func restorable(t *testing.T, dir string) restoration {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	at := t.TempDir()
	in := restoration{backup: filepath.Join(at, "backup"), keys: filepath.Join(at, "keys"), identity: filepath.Join(at, "key"), ledgers: []string{ledgerFile(dir)}}
	if err := os.WriteFile(in.identity, []byte(key.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := opened(t, dir, func(*Config) {})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- o.serve(ctx, io.Discard) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	for name, file := range map[string]string{"backup": in.backup, "backup-keys": in.keys} {
		var out, complaint bytes.Buffer
		if code := run(ctx, console{nil, &out, &complaint}, []string{name, file, "-data", dir, "-recipient", key.Recipient().String()}); code != exitDone {
			t.Fatalf("%s: %d: %s", name, code, complaint.String())
		}
	}
	return in
}

// Keys that are too old are refused, unless somebody says why: the erasure of a
// site reaches its backups in 30 days.
func TestOldKeys(t *testing.T) {
	dir := t.TempDir()
	in := restorable(t, dir)
	now := time.Now()
	for _, c := range []struct {
		after  time.Duration
		reason string
		want   string // of the error; "": none
	}{
		{0, "", ""},
		{registry.KeysLife - time.Hour, "", ""},
		{registry.KeysLife + time.Hour, "", "30 days"},
		{registry.KeysLife + time.Hour, "all newer ones burnt", ""},
	} {
		in := in
		in.oldKeys = c.reason
		err := in.check(t.TempDir(), now.Add(c.after))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v later, %q: %v", c.after, c.reason, err)
		}
	}
}

// What the keys' backup holds goes nowhere but to its places, and over nothing.
func TestKeyFilesGoNowhereElse(t *testing.T) {
	for _, path := range []string{"../x", "keys/../../x", "/etc/x", "keys/", "collector.toml", `keys/a\b`, "keys/a/b", "keys/..", ""} {
		in := restoration{files: []registry.KeyFile{{Path: path}}}
		if err := in.checkFiles(t.TempDir()); !errors.Is(err, registry.ErrDamaged) {
			t.Errorf("%q: %v", path, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, rootSecretFile), []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	for content, refused := range map[string]bool{"one": false, "other": true} {
		in := restoration{files: []registry.KeyFile{{Path: rootSecretFile, Content: []byte(content)}}}
		if err := in.checkFiles(dir); (err != nil) != refused {
			t.Errorf("%q: %v", content, err)
		}
	}
}
