package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// machine is where a sweep was measured.
type machine struct {
	Processor string  `json:"processor"`
	Cores     int     `json:"cores"`
	Memory    float64 `json:"memory_gib"`
	System    string  `json:"system"`
}

// thisMachine says where this runs, as far as /proc does.
func thisMachine() machine {
	m := machine{Cores: runtime.NumCPU(), Processor: runtime.GOARCH, System: runtime.GOOS}
	if name, ok := valueOf("/proc/cpuinfo", "model name"); ok {
		m.Processor = name
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		release, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-")
		m.System = "Linux " + release
	}
	if total, ok := valueOf("/proc/meminfo", "MemTotal"); ok {
		kib, _ := strconv.ParseFloat(strings.TrimSuffix(total, " kB"), 64)
		m.Memory = float64(int(kib/(1<<20)*10)) / 10
	}
	return m
}

// valueOf reads the first line "name : value" of a file.
func valueOf(file, name string) (string, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(text)) {
		if is, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(is) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// loadAverage is the machine's.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}
