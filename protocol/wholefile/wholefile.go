// Package wholefile reads and writes small irreplaceable files: keys, identities, the ledger of
// erasures, the choice of the version to run. It hides how each system writes a file whole and
// durably, in place of another or never, and limits what is read. The packages of both sides that
// keep such a file call it, the mains, and the publishers' program.
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
	return put(path, mode, os.Rename, func(f *os.File) error {
		if err := guard(f); err != nil {
			return err
		}
		_, err := f.Write(b)
		return err
	})
}

// WriteNew is Write of a file that never takes the place of another: one that is there is
// left alone, an error that is fs.ErrExist. (Where a file system has no links, one that
// appears meanwhile is replaced.)
func WriteNew(path string, b []byte, mode fs.FileMode) error {
	return putNew(path, mode, func(f io.Writer) error {
		_, err := f.Write(b)
		return err
	})
}

// CreateNew is WriteNew, for its owner alone, of what write makes: a place where nothing can
// be written ends it before write is called, and of what write broke off nothing stays.
func CreateNew(path string, write func(io.Writer) error) error {
	return putNew(path, 0o600, write)
}

func putNew(path string, mode fs.FileMode, write func(io.Writer) error) error {
	taken := fmt.Errorf("%s is there already and is never overwritten, give another name: %w", path, fs.ErrExist)
	if _, err := os.Lstat(path); err == nil {
		return taken
	}
	link := func(from, to string) error {
		err := os.Link(from, to)
		if errors.Is(err, fs.ErrExist) {
			return taken
		}
		if err != nil { // a file system without links
			err = os.Rename(from, to)
		}
		return err
	}
	return put(path, mode, link, func(f *os.File) error { return write(f) })
}

// put has a file filled beside its place, and moved there.
func put(path string, mode fs.FileMode, move func(from, to string) error, fill func(*os.File) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // of a rename it is gone
	if err := errors.Join(fill(f), f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := move(f.Name(), path); err != nil {
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
