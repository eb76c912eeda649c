// Package wholefile reads and writes small irreplaceable files: keys, identities, the ledger of
// erasures, the choice of the version to run. It hides how each system replaces a file whole and
// durably, and limits what is read. The packages of both sides that keep such a file call it, and
// the mains. A file that must never replace another (the trail's key, a backup) is linked into
// place by its writer.
package wholefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Read returns the content of a file; one of more bytes than most is an error.
func Read(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is over %d bytes long", path, most)
	}
	return b, err
}

// Write puts a file in place, of this mode, whole or not at all, and on the disk
// before it returns: a start that is cut short leaves nothing that the next one
// must refuse.
func Write(path string, b []byte, mode fs.FileMode) error {
	return WriteGuarded(path, b, mode, func(*os.File) error { return nil })
}

// WriteGuarded is Write; guard closes the file to others while it is still empty,
// where its mode does not.
func WriteGuarded(path string, b []byte, mode fs.FileMode, guard func(*os.File) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone after the rename
	if err = guard(f); err == nil {
		_, err = f.Write(b)
	}
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return SyncDir(dir)
}

// SyncDir makes the names in a directory durable. Windows has no need of it (NTFS
// writes names to its journal), and some file systems of a NAS or of a container no
// way: they answer EINVAL or that it is not supported.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
