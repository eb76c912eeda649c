package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"anagrafe/collector/registry/pgtest"
)

// command runs a program of the system; mounting needs root, as make test-long
// and CI are.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s (as root?): %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// smallDisk mounts a disk that is soon full, and gives the store of a register on
// it.
func smallDisk(t *testing.T) (dir, store string) {
	t.Helper()
	// Not t.TempDir: PostgreSQL runs as somebody else.
	dir, err := os.MkdirTemp("", "disk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	command(t, "mount", "-t", "tmpfs", "-o", "size=32m", "anagrafe-test", dir)
	t.Cleanup(func() { command(t, "umount", dir) })
	if tested == sqlite {
		return dir, "sqlite:" + filepath.Join(dir, "registry.db")
	}
	return dir, databaseOn(t, dir)
}

// databaseOn makes a database whose tables lie in dir.
func databaseOn(t *testing.T, dir string) string {
	t.Helper()
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte(dir))
	name := "d" + hex.EncodeToString(sum[:8])
	at := pgtest.Database(t, dir)
	do := func(queries ...string) {
		c, err := pgx.Connect(context.Background(), at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(context.Background())
		for _, q := range queries {
			if _, err := c.Exec(context.Background(), q); err != nil {
				t.Fatal(q, err)
			}
		}
	}
	do("CREATE TABLESPACE "+name+" LOCATION '"+dir+"'", "CREATE DATABASE "+name+" TABLESPACE "+name)
	t.Cleanup(func() { do("DROP DATABASE "+name+" WITH (FORCE)", "DROP TABLESPACE "+name) })
	there, err := pgx.ParseConfig(at)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(at, "/"+there.Database, "/"+name, 1)
}

// fill takes all room that a disk has, and gives what frees it.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		if err := os.Remove(f.Name()); err != nil {
			t.Fatal(err)
		}
	}
}

// With no room left nothing is acknowledged, reading goes on, and the operator is
// told; once there is room again writing goes on, without a restart.
func TestDiskFull(t *testing.T) {
	dir, store := smallDisk(t)
	b := underLoad(t, store, time.Now)
	for range 3 {
		b.goesOn(t, 100)
		free := fill(t, dir)
		b.fails(t, 50)
		if _, err := b.r.LastChange(t.Context()); err != nil {
			t.Errorf("reading on a full disk: %v", err)
		}
		b.explained(t, remedyFull)
		free()
		b.goesOn(t, 2*loadAgents)
		b.audits(t, false)
	}
	b.temporary(t)
	b.audits(t, true)
}

// A collector that is started while its disk is full says so, and what to do; it
// then has all that it acknowledged before.
func TestStartOnAFullDisk(t *testing.T) {
	onlySQLite(t) // PostgreSQL itself does not start then, and says why in its own log
	dir, store := smallDisk(t)
	b := underLoad(t, store, time.Now)
	b.goesOn(t, 100)
	free := fill(t, dir)
	b.fails(t, 20)
	b.stop()
	r, err := openToo(t, store)
	if err == nil {
		r.Close()
	} else if !strings.Contains(err.Error(), remedyFull) {
		t.Error(err)
	}
	free()
	b.audits(t, true)
}

// A disk that the kernel makes read-only under the register, as it does when the
// disk fails, loses nothing of what was acknowledged: what was not synced before
// is gone once it is unmounted, as in a power cut.
func TestReadOnlyDisk(t *testing.T) {
	onlySQLite(t)
	dir := filepath.Join(t.TempDir(), "disk")
	image := filepath.Join(t.TempDir(), "image")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(image, nil, 0o600), os.Truncate(image, 64<<20)); err != nil {
		t.Fatal(err)
	}
	command(t, "mkfs.ext4", "-q", image)
	command(t, "mount", "-o", "loop", image, dir)
	mounted := true
	t.Cleanup(func() {
		if mounted {
			command(t, "umount", dir)
		}
	})
	b := underLoad(t, "sqlite:"+filepath.Join(dir, "registry.db"), time.Now)
	b.goesOn(t, 200)
	// While the kernel changes over, its fsync may say that it has done what it
	// has not: no act is under way then.
	b.gate.Lock()
	command(t, "mount", "-o", "remount,abort", dir)
	b.gate.Unlock()
	b.fails(t, 50)
	if _, err := b.r.LastChange(t.Context()); err != nil {
		t.Errorf("reading from a disk that is read-only: %v", err)
	}
	b.explained(t, remedyReadOnly)
	b.temporary(t)
	b.stop()
	command(t, "umount", dir)
	mounted = false
	command(t, "mount", "-o", "loop", image, dir)
	mounted = true
	b.audits(t, true)

	command(t, "mount", "-o", "remount,ro", dir)
	r, err := openToo(t, b.store)
	if err == nil {
		r.Close()
	}
	if err == nil || !strings.Contains(err.Error(), remedyReadOnly) {
		t.Errorf("opened on a disk that is read-only: %v", err)
	}
}

// A server that takes no writing, as a standby, is named as what it is.
func TestReadOnlyServer(t *testing.T) {
	onlyPostgres(t)
	store := storeAt(t, t.TempDir())
	r := openStore(t, store)
	c, err := pgx.Connect(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), "ALTER DATABASE "+c.Config().Database+" SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r, err = openToo(t, store)
	if err == nil {
		defer r.Close()
		err = r.AddUser(t.Context(), User{ID: "u", Name: "U", Role: "ops"})
	}
	if err == nil || !strings.Contains(err.Error(), remedyReadServer) {
		t.Errorf("%v", err)
	}
}
