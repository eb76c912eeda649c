package main

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseProgram lets go of the pages of this program's file, which the system maps
// many at a time as they are used and takes back only when it is short of memory. They
// stay in its cache of files as long as there is room: to use one again reads no card.
func releaseProgram() {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return // it is only memory
	}
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	for _, m := range programMaps(maps, program) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED)
	}
}

// mapped is a part of the address space.
type mapped struct{ from, to uintptr }

// programMaps reads /proc/self/smaps (proc_pid_smaps(5)) and gives the parts of the
// program's file that are as they are in it. What the loader has written to
// (relocations, even if they are read-only since) would be lost for good.
func programMaps(smaps []byte, program string) (all []mapped) {
	var at mapped
	ours := false
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		fields := strings.SplitN(lines.Text(), " ", 6)
		if low, high, ok := strings.Cut(fields[0], "-"); ok && len(fields) == 6 {
			from, err := strconv.ParseUint(low, 16, strconv.IntSize)
			to, errTo := strconv.ParseUint(high, 16, strconv.IntSize)
			at = mapped{uintptr(from), uintptr(to)}
			ours = err == nil && errTo == nil && from < to && strings.HasPrefix(fields[1], "r-") && strings.TrimLeft(fields[5], " ") == program
			continue
		}
		if written, ok := strings.CutPrefix(lines.Text(), "Anonymous:"); ok && ours && strings.TrimSpace(written) == "0 kB" {
			all = append(all, at)
		}
	}
	return all
}
