// Package keyfile writes the small files that nothing else can bring back: keys,
// the root secret, the ledger of erasures. It hides what makes one whole and
// durable. Packages ingest and registry and main call it; what must never take
// another file's place (trail's key, a backup) is linked there by who makes it.
package keyfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write puts a file in place, of this mode, whole or not at all, and on the disk
// before it returns: a start that is cut short leaves nothing that the next one
// must refuse. The caller holds DIR/lock, so nobody else writes there.
func Write(path string, b []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone after the rename
	_, err = f.Write(b)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
