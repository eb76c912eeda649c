//go:build !windows

package keyfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that others may read is refused, and its owner told what to do; closed
// again it is read.
func TestOpenToOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.key")
	if err := Write(path, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o620, 0o604, 0o777, 0o600, 0o400} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		if refused := errors.Is(err, ErrOpen); refused != (mode&0o077 != 0) || refused && !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}
