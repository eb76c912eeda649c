package update

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

// room says errFull where a disk has not so many bytes free for this user.
func room(dir string, bytes int64) error {
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

// noRoom gives the system's word for a full disk ours.
func noRoom(err error) error {
	if errors.Is(err, windows.ERROR_DISK_FULL) {
		return fmt.Errorf("%w: %w", errFull, err)
	}
	return err
}

// mine is nothing here: the directory's access list is its service's alone.
func mine(string) error { return nil }
