// Package keyfile stores a secret in a file that only the agent's own account can read.
// It hides how each system does that: mode 0600 on Unix; on Windows the data protection
// API, which encrypts the content for this machine, and an access list.
//
// Packages uplink (identity.key), inventory (secrets.key) and lan call it, and main for the
// directory, a file of answers, which holds a code, and the command line's key on Windows. They import it directly, rather than take a func from main,
// so that no caller can leave it out and write the file unprotected.
package keyfile

import (
	"errors"
	"fmt"
	"io"
	"os"

	"anagrafe/protocol/wholefile"
)

// maxSize bounds what is read, in bytes; a key is under 1 KiB.
const maxSize = 64 << 10

// MakeDir makes the folder of an agent, closed to others, with those above it. One
// that is there stays as it is.
func MakeDir(dir string) error { return makeDir(dir) }

// ErrOpen says that others than the owner may read the file. What stands in it
// may be known to them.
var ErrOpen = errors.New("other users of this machine can read it")

// Read returns the secret that Write has kept. The error of a file that is not there
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
	return Replace(path, sealed)
}

// Replace is Write for what needs no seal: closed to others from its first byte on.
func Replace(path string, b []byte) error {
	return wholefile.WriteGuarded(path, b, 0o600, closeToOthers)
}
