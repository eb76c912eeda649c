//go:build unix

package update

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// checkSpace returns errFull if the disk has fewer bytes free for this user.
func checkSpace(dir string, bytes int64) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return fmt.Errorf("how much room there is: %w", err)
	}
	if free := int64(s.Bavail) * int64(s.Bsize); free < bytes {
		return fmt.Errorf("%w (%d MiB are free, %d are needed)", errFull, free>>20, bytes>>20)
	}
	return nil
}

// asErrFull turns the system's error for a full disk into errFull.
func asErrFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", errFull, err)
	}
	return err
}

// checkOwner says what is wrong with running programs of a directory: that it is somebody
// else's, or that others write in it.
func checkOwner(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not this user's own: no program in it is run", dir)
	}
	return nil
}
