package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Commands that root types while no agent runs leave nothing in the directory that the
// service's user cannot open, and write what they were asked for as root.
func TestRootLeavesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test plays root and the service's user: run it as root")
	}
	const serviceUser = 65534
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
	mine := filepath.Join(t.TempDir(), "export.json") // of root alone
	for _, c := range []struct {
		args []string
		in   string
	}{
		{[]string{"contact", "-name", "Anna Neri", "-phone", "+39 02 5550 0100"}, ""},
		{[]string{"cameras"}, ""},
		{[]string{"password"}, strings.Repeat("una frase lunga\n", 2)},
		{[]string{"export", mine}, ""},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), console{strings.NewReader(c.in), &out, &errs}, append(c.args, "-data", dir)); code != exitDone {
			t.Fatalf("%v: %d: %s", c.args, code, errs.String())
		}
		if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 || gid != 0 {
			t.Fatalf("after %v this process acts as %d:%d", c.args, uid, gid)
		}
	}
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != serviceUser || stat.Gid != serviceUser {
			t.Errorf("%s belongs to %d:%d", path, stat.Uid, stat.Gid)
		}
		n++
		return nil
	})
	if err != nil || n < 4 {
		t.Errorf("%d files, %v", n, err)
	}
	if info, err := os.Stat(mine); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("root's own file: %v, %v", info, err)
	}
}
