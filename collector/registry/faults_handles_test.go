package registry

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// noMoreFiles lets this process open no further file until again is called.
func noMoreFiles(t *testing.T) (again func()) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// The limit is on numbers: the gaps below it are closed, too.
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = uint64(f.Fd()) + 16
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	taken := []*os.File{f}
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		taken = append(taken, f)
	}
	again = sync.OnceFunc(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
		for _, f := range taken {
			f.Close()
		}
	})
	t.Cleanup(again)
	return again
}

// Without a file handle left who needs one is told what to do, what goes on with
// those that there are is recorded, and all goes on once there are more.
func TestFewFileHandles(t *testing.T) {
	store := storeAt(t, filepath.Join(t.TempDir(), "registry.db"))
	b := underLoad(t, store, time.Now)
	b.goesOn(t, 50)
	idle := openStore(t, store) // has as few connections as can be
	again := noMoreFiles(t)
	if err := manyViews(t.Context(), idle); err == nil || !strings.Contains(err.Error(), remedyFiles) {
		t.Errorf("reading on many connections: %v", err)
	}
	if _, err := openToo(t, store); err == nil || !strings.Contains(err.Error(), remedyFiles) {
		t.Errorf("opened without a file handle: %v", err)
	}
	b.goesOn(t, 1) // on the connections that there are
	again()
	if err := manyViews(t.Context(), idle); err != nil {
		t.Error(err)
	}
	b.goesOn(t, 50)
	b.temporary(t)
	b.audits(t, true)
}

// manyViews reads on more connections than are open, all at once.
func manyViews(ctx context.Context, r *Registry) error {
	var views func(n int) error
	views = func(n int) error {
		return r.view(ctx, func(tx *tx) error {
			var one int
			if err := tx.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil || n == 0 {
				return err
			}
			return views(n - 1)
		})
	}
	return views(readers - 1)
}

const strippedEnv = "ANAGRAFE_TEST_STRIPPED"

// A directory that the collector's user may not enter any more: the files that
// are open serve on, nothing that was acknowledged is lost, and who cannot open
// one is told what to do. Root may enter everything: as root the test runs again
// without that.
func TestDirectoryWithoutPermission(t *testing.T) {
	onlySQLite(t)
	if os.Geteuid() == 0 && os.Getenv(strippedEnv) == "" {
		cmd := exec.CommandContext(t.Context(), "setpriv", "--bounding-set", "-dac_override,-dac_read_search",
			os.Args[0], "-test.run=^TestDirectoryWithoutPermission$", "-test.v")
		cmd.Env = append(os.Environ(), strippedEnv+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	store := "sqlite:" + filepath.Join(dir, "registry.db")
	idle := openStore(t, store) // has as few connections as can be
	b := underLoad(t, store, time.Now)
	b.goesOn(t, 50)
	if err := os.Chmod(dir, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	b.goesOn(t, 50)
	if err := manyViews(t.Context(), idle); err == nil || !strings.Contains(err.Error(), remedyPermission) {
		t.Errorf("read through a connection that could not be opened: %v", err)
	}
	if r, err := openToo(t, store); err == nil || !strings.Contains(err.Error(), remedyPermission) {
		if err == nil {
			r.Close()
		}
		t.Errorf("opened in a directory that may not be entered: %v", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	b.goesOn(t, 50)
	if err := manyViews(t.Context(), idle); err != nil {
		t.Error(err)
	}
	b.temporary(t)
	b.audits(t, true)
}
