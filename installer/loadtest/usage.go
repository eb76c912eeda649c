package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc (USER_HZ), 100 a second on Linux
// whatever the kernel's own.
const tick = 10 * time.Millisecond

// processorTime is what a process has used until now, in user and kernel mode.
func processorTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in brackets, may hold anything; utime and stime are the 12th
	// and 13th words after it (proc_pid_stat(5)).
	words := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(words) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has only %d words", pid, len(words))
	}
	var ticks int64
	for _, word := range words[11:13] {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// residentMemory is a process's resident set in bytes.
func residentMemory(pid int) (int64, error) { return memory(pid, "VmRSS:") }

// mostMemory is the largest that it was, in bytes.
func mostMemory(pid int) (int64, error) { return memory(pid, "VmHWM:") }

// forgetMost has mostMemory begin anew (proc_pid_clear_refs(5)).
func forgetMost(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// memory reads a line of /proc/PID/status (proc_pid_status(5)).
func memory(pid int, line string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for text := range strings.Lines(string(status)) {
		words := strings.Fields(text)
		if len(words) == 3 && words[0] == line {
			kib, err := strconv.ParseInt(words[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status says nothing of memory", pid)
}
