// Package keyfile keeps a secret in a file that only the agent's own account can
// use. It hides how each system does that: mode 0600 on Unix; on Windows the data
// protection API, which seals the content to this machine, and an access list.
//
// Packages uplink (identity.key), inventory (secrets.key), lan and control call it,
// and main for the folder they are in. It is no stage of the data's path, and all
// need the very same: a func that main would hand to each could be left out, and the
// file would then lie open.
package keyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxSize bounds what is read, in bytes; a key is under 1 KiB.
const maxSize = 64 << 10

// MakeDir makes the folder of an agent, closed to others, with those above it. One
// that is there stays as it is.
func MakeDir(dir string) error { return makeDir(dir) }

// ErrOpen says that others than the owner may read the file. What stands in it
// may be known to them.
var ErrOpen = errors.New("other users of this machine can read it")

// Read gives the secret that Write has kept. The error of a file that is not there
// is fs.ErrNotExist; one that others may read is refused, with ErrOpen and what
// to do.
func Read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := closed(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSize {
		return nil, fmt.Errorf("%s is too long to be a key", path)
	}
	return unseal(b)
}

// Write keeps a secret, whole or not at all, and on the disk before it returns.
func Write(path string, secret []byte) error {
	sealed, err := seal(secret)
	if err != nil {
		return err
	}
	return Replace(path, sealed, 0o600)
}

// Replace puts a file in place whole or not at all, and on the disk before it
// returns. With mode 0600 it is closed to others from its first byte on.
func Replace(path string, b []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone after the rename
	if mode == 0o600 {
		err = closeToOthers(f)
	}
	if err == nil {
		_, err = f.Write(b)
	}
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // a directory cannot be synced on every system; the file has been
	return d.Close()
}
