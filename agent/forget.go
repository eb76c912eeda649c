package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// visitMark is the file by which a visit's directory is known: no other is ever
// removed.
const visitMark = "visit"

// visits is where visits have their directories: the user's own, closed to
// others, so that what lies there is a visit's.
func visits() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for the visit: %w (give one with -data DIR)", err)
	}
	return filepath.Join(cache, "anagrafe-visit"), nil
}

// visitDir makes the directory of a new visit: dir, which must be new, empty, or
// what a killed visit left; or one of its own where dir is "".
func visitDir(dir string) (string, error) {
	var err error
	if dir == "" {
		place, err := visits()
		if err != nil {
			return "", err
		}
		if err := makeDir(place); err != nil {
			return "", err
		}
		if dir, err = os.MkdirTemp(place, ""); err != nil {
			return "", fmt.Errorf("making the visit's directory: %w", err)
		}
	} else if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	if err := forgetKilled(dir); err != nil {
		return "", err
	}
	if err := makeDir(dir); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("looking into the visit's directory: %w", err)
	}
	if len(entries) > 0 {
		return "", misuse(fmt.Sprintf("-data %s is not empty, and a visit forgets its directory at the end: give a new one", dir))
	}
	return dir, os.WriteFile(filepath.Join(dir, visitMark), nil, 0o600)
}

// forget removes a visit's directory: the agent's key, the passwords and what
// they are sealed with, what was found.
func forget(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, visitMark)); err != nil {
		return nil // none of ours, or forgotten
	}
	// The mark last: what is left by a failure is found again.
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("forgetting the visit: %w", err)
	}
	for _, e := range entries {
		if e.Name() != visitMark {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	if err == nil {
		err = os.RemoveAll(dir)
	}
	if place, unknown := visits(); unknown == nil && filepath.Dir(dir) == place {
		_ = os.Remove(place) // it goes with the last visit: another one keeps it
	}
	if err != nil {
		return fmt.Errorf("forgetting the visit: %w: remove %s by hand", err, dir)
	}
	return nil
}

// forgetOld forgets the visits that were killed before they could.
func forgetOld(log *slog.Logger) error {
	place, err := visits()
	if err != nil {
		return nil // visitDir says so, where it is needed
	}
	entries, err := os.ReadDir(place)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		dir := filepath.Join(place, e.Name())
		forgotten := forgetKilled(dir)
		if errors.Is(forgotten, errDaemon) {
			continue // a visit that runs
		}
		if err = errors.Join(err, forgotten); forgotten == nil {
			log.Info("forgot what an interrupted visit had left", "directory", dir)
		}
	}
	return err
}

// forgetKilled forgets a visit that no process holds any more; a directory
// without a visit stays as it is.
func forgetKilled(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, visitMark)); err != nil {
		return nil
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	held, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("locking %s: %w", dir, err)
	}
	if !held {
		return fmt.Errorf("%w: %s", errDaemon, dir)
	}
	return errors.Join(forget(dir), lock.Unlock())
}
