//go:build !windows

package keyfile

import (
	"fmt"
	"os"
)

// closed refuses a file whose mode lets others in, as ssh does: it was copied
// back, or opened by somebody, and its owner should know.
func closed(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w (mode %04o): close it with chmod 600 %s; if somebody may have read it, "+
			"move it away, and enrol with a new code or type the passwords again", ErrOpen, info.Mode().Perm(), f.Name())
	}
	return nil
}

func closeToOthers(*os.File) error { return nil } // os.CreateTemp did

func seal(secret []byte) ([]byte, error) { return secret, nil }

func unseal(b []byte) ([]byte, error) { return b, nil }

func makeDir(dir string) error { return os.MkdirAll(dir, 0o700) }
