package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"filippo.io/age"
)

// Commands that root types while no collector runs leave nothing in the directory that
// the service's user cannot open; root's own files are read and written as root, also
// those of a restore.
func TestRootLeavesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test plays root and the service's user: run it as root")
	}
	const serviceUser = 65534
	theirs := func() string {
		t.Helper()
		place := t.TempDir()
		if err := os.Chmod(filepath.Dir(place), 0o755); err != nil { // the service passes through /var/lib
			t.Fatal(err)
		}
		dir := filepath.Join(place, "data")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, serviceUser, serviceUser); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	whole := func(dir string, words ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), console{nil, &out, &errs}, append(words, "-data", dir)); code != exitDone {
			t.Fatalf("%v: %d: %s", words, code, errs.String())
		}
		if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 || gid != 0 {
			t.Fatalf("after %v this process acts as %d:%d", words, uid, gid)
		}
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if stat := info.Sys().(*syscall.Stat_t); stat.Uid != serviceUser || stat.Gid != serviceUser {
				t.Errorf("after %v %s belongs to %d:%d", words, path, stat.Uid, stat.Gid)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	dir, own := theirs(), filepath.Join(t.TempDir(), "own")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(own, name) }
	key := newIdentity(t, at("key"))
	whole(dir, "migrate")
	whole(dir, "invite", "-site", "Bar Centrale", "-qr", at("qr.png"))
	whole(dir, "audit", "export", at("trail.jsonl"))
	whole(dir, "backup", at("backup"), "-recipient", key)
	whole(dir, "backup-keys", at("keys"), "-recipient", key)
	again := theirs()
	whole(again, "restore", at("backup"), "-identity", at("key"), "-keys", at("keys"), "-ledger", ledgerFile(dir))
	if files, err := os.ReadDir(own); err != nil || len(files) != 5 {
		t.Errorf("root's own files: %v, %v", files, err)
	}
}

// newIdentity writes a key to restore with, and gives its public half.
func newIdentity(t *testing.T, path string) string {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(key.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return key.Recipient().String()
}
