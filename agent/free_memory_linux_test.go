package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestProgramMaps(t *testing.T) {
	const program, smaps = "/opt/un posto/anagrafe-agent", `00403000-00fb3000 r-xp 00003000 fe:00 10160002                           /opt/un posto/anagrafe-agent
Size:              11968 kB
Rss:                2740 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me sd
00fb3000-01faf000 r--p 00bb3000 fe:00 10160002                           /opt/un posto/anagrafe-agent
Anonymous:             0 kB
01faf000-01fb2000 r--p 01baf000 fe:00 10160002                           /opt/un posto/anagrafe-agent
Anonymous:             8 kB
01fb2000-020ef000 rw-p 01bb2000 fe:00 10160002                           /opt/un posto/anagrafe-agent
Anonymous:             0 kB
020ef000-020ff000 r--p 01bb2000 fe:00 10160002                           /opt/un posto/anagrafe-agent (deleted)
Anonymous:             0 kB
2b433b000000-2b433d000000 rw-p 00000000 00:00 0 
Anonymous:             0 kB
7f50253a2000-7f50254f8000 r-xp 00026000 fe:00 326269                     /usr/lib/x86_64-linux-gnu/libc.so.6
Anonymous:             0 kB
x-y r-xp 00003000 fe:00 10160002                           /opt/un posto/anagrafe-agent
Anonymous:             0 kB
`
	if got, want := programMaps([]byte(smaps), program), []mapped{{0x403000, 0xfb3000}, {0xfb3000, 0x1faf000}}; !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	if got := programMaps([]byte("Anonymous: 0 kB\n"), program); got != nil {
		t.Errorf("%x out of nothing", got)
	}
}

// The program goes on when its pages were let go.
func TestGiveBackProgram(t *testing.T) {
	before := fileResident(t)
	releaseProgram()
	if after := fileResident(t); after >= before {
		t.Errorf("%d kB of files are resident, %d were before", after, before)
	}
}

// fileResident is how much of files is mapped and in memory, kB (proc_pid_status(5)).
func fileResident(t *testing.T) (kB int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		t.Fatal(err)
	}
	return kB
}
