package update

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

// checkSpace returns errFull if the disk has fewer bytes free for this user.
func checkSpace(dir string, bytes int64) error {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return fmt.Errorf("how much room there is: %w", err)
	}
	if free < uint64(bytes) {
		return fmt.Errorf("%w (%d MiB are free, %d are needed)", errFull, free>>20, bytes>>20)
	}
	return nil
}

// asErrFull turns the system's error for a full disk into errFull.
func asErrFull(err error) error {
	if errors.Is(err, windows.ERROR_DISK_FULL) {
		return fmt.Errorf("%w: %w", errFull, err)
	}
	return err
}

// checkOwner does nothing here: the directory's access list admits the service alone.
func checkOwner(string) error { return nil }
