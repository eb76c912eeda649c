//go:build long && linux

package update

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"anagrafe/protocol"
)

// TestLongFullDisk: on a disk of its own. What runs is not touched; with room again the
// update comes, from where it stopped.
func TestLongFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=72m,mode=0700"); err != nil {
		t.Fatalf("this test needs root, for a disk of its own: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	r := newRepository(t)
	r.release("v1.1.0", program)
	u, _ := client(t, r)
	u.Dir = filepath.Join(dir, "updates")
	filler := filepath.Join(dir, "filler")
	fill := func() {
		f, err := os.Create(filler)
		for err == nil {
			_, err = f.Write(make([]byte, 1<<16))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	// It fills up between two parts.
	parts := 0
	u.at = func(step string) {
		if parts++; step == "part" && parts == 2 {
			fill()
		}
	}
	if ready, err := u.Look(t.Context()); ready || !errors.Is(err, errFull) || staged(t, u) != "" {
		t.Fatalf("it filled up on the way: %v, %v", ready, err)
	}
	// It is full before: nothing is asked for.
	u.at = func(string) {}
	before := r.count("targets/")
	if ready, err := u.Look(t.Context()); ready || !errors.Is(err, errFull) || r.count("targets/") != before {
		t.Fatalf("it is full: %v, %v", ready, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if ready, err := u.Look(t.Context()); err != nil || !ready || r.count("targets/") != before+1+len(program)/protocol.MaxChannelPart-1 {
		t.Fatalf("there is room again: %v, %v, %v", ready, err, r.asked)
	}
	// It fills up when the trial is to be counted: the version of before runs.
	fill()
	plan, err := u.Next(t.Context())
	if err != nil || !plan.Own {
		t.Fatalf("%+v, %v", plan, err)
	}
}
