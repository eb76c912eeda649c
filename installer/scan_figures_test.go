//go:build bench

package installer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// window is what the probe window of a scan is fixed at, mDNS inside it.
const window = 3.0

// scanFigures are scan_64, scan_64.256, scan_vs_sequential and scan_rss. The
// devices are on a loopback interface, in a process of their own.
func scanFigures(t *testing.T) []figure {
	asAfterBoot(t, binary(t, "anagrafe-agent"))
	lan, err := addNetwork(t, "bench")
	if err != nil {
		t.Logf("measured on this machine's own loopback, where others' devices may answer, too: %v", err)
	}
	var took64, took256, peak []float64
	t.Run("64", func(t *testing.T) {
		fleet := lan.start(t, "fleet", "64", "20ms").next()
		for range 3 {
			s := scanFleet(t, lan, fleet)
			took64 = append(took64, s.seconds)
		}
	})
	asked := benchAgent(t, lan, "BenchmarkAsk")
	var missed string
	var figures []figure
	t.Run("256", func(t *testing.T) {
		fleet := lan.start(t, "fleet", "256", "20ms").next()
		for range 3 {
			s := scanFleet(t, lan, fleet)
			took256, peak = append(took256, s.seconds), append(peak, s.mebibytes)
		}
		if t.Failed() {
			return
		}
		scan64 := middle(took64)
		figures = []figure{
			atMost("scan_64", "scan of 64 devices, 20 ms each; against a 3 s window + the slowest device alone", scan64, "s", window+asked["s/alone"], 1.3),
			atMost("scan_64.256", "scan of 256 devices; against that of 64", middle(took256), "s", scan64, 2),
			bounded("scan_rss", "peak memory of the scan of 256 devices", slices.Max(peak), "MiB", 40),
		}
		for _, f := range figures {
			if !f.Met {
				missed += " " + f.ID
			}
		}
		if missed != "" { // while the devices are still there
			benchAgent(t, lan, "BenchmarkScan", "cpu", "alloc")
		}
	})
	if t.Failed() {
		return nil
	}
	sequential := timesFaster("scan_vs_sequential", fmt.Sprintf("asking 64 devices, %.3g calls each; against use-go/onvif, one device after the other", asked["calls/device"]),
		asked["s/together"], asked["s/peer"], 10)
	if !sequential.Met {
		benchAgent(t, lan, "BenchmarkAsk", "cpu")
	}
	return append(figures, sequential)
}

type scanned struct{ seconds, mebibytes float64 }

// scanFleet runs the real program until its end. It is no measurement if it
// has not found and read every device of the fleet.
func scanFleet(t *testing.T, lan network, fleet []standIn) scanned {
	t.Helper()
	cmd := lan.command(t.Context(), binary(t, "anagrafe-agent"), "scan", "-json", "-interface", "lo", "-data", t.TempDir())
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var answer bytes.Buffer
	// The kernel forgets the high-water mark of a process's memory when it ends:
	// it is read while the answer comes in, which is the last that a scan does.
	peak := 0.0
	for {
		n, err := io.CopyN(&answer, out, 4<<10)
		peak = max(peak, highWater(cmd.Process.Pid))
		if err != nil || n == 0 {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("scan: %v: %s", err, complaint.Bytes())
	}
	took := time.Since(start).Seconds()
	// The kernel's own figure includes what this process had when it forked: it
	// is exact where it is more than that.
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		if of := float64(usage.Maxrss) / 1024; of > highWater(os.Getpid()) {
			peak = max(peak, of)
		}
	}

	if peak == 0 {
		t.Error("the peak of its memory was not seen: this is no measurement")
	}
	var report struct {
		Devices []struct {
			Address  string
			Channels []json.RawMessage
			Errors   []json.RawMessage
		}
	}
	if err := json.Unmarshal(answer.Bytes(), &report); err != nil {
		t.Fatalf("%v in %s", err, answer.Bytes())
	}
	read := map[string]bool{}
	for _, d := range report.Devices {
		read[d.Address] = len(d.Channels) > 0 && len(d.Errors) == 0
	}
	lost := 0
	for _, d := range fleet {
		if !read[d.Address.String()] {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("scan did not find and read %d of %d devices: this is no measurement", lost, len(fleet))
	}
	return scanned{took, peak}
}

// highWater is the peak of a process's resident memory in MiB, 0 if it is gone.
func highWater(pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`).FindSubmatch(status)
	if m == nil {
		return 0
	}
	kib, _ := strconv.ParseFloat(string(m[1]), 64)
	return kib / 1024
}

// benchAgent runs a benchmark of package agent in the network and gives its
// metrics by unit. With profiles, "cpu" or "alloc", it prints the head of each.
func benchAgent(t *testing.T, lan network, name string, profiles ...string) map[string]float64 {
	t.Helper()
	dir := t.TempDir()
	test := filepath.Join(dir, "agent.test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "bench", "-o", test, "../agent").CombinedOutput(); err != nil {
		t.Fatalf("building the benchmarks: %v: %s", err, out)
	}
	args := []string{"-test.run", "^$", "-test.bench", "^" + name + "$", "-test.benchtime", "1x", "-test.timeout", "5m"}
	for _, p := range profiles {
		flag := map[string]string{"cpu": "-test.cpuprofile", "alloc": "-test.memprofile"}[p]
		args = append(args, flag, filepath.Join(dir, p))
	}
	cmd := lan.command(t.Context(), test, args...)
	cmd.Dir = filepath.Join("..", "agent")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	for _, p := range profiles {
		view := map[string]string{"cpu": "-cum", "alloc": "-sample_index=alloc_space"}[p]
		head, err := exec.CommandContext(t.Context(), "go", "tool", "pprof", "-top", "-nodecount=25", view, test, filepath.Join(dir, p)).CombinedOutput()
		if err != nil {
			t.Fatalf("the %s profile of %s: %v: %s", p, name, err, head)
		}
		fmt.Printf("%s profile of %s\n%s\n", p, name, head)
	}
	metrics := map[string]float64{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(words[0], name) {
			continue
		}
		for i := 2; i+1 < len(words); i += 2 {
			if metrics[words[i+1]], err = strconv.ParseFloat(words[i], 64); err != nil {
				t.Fatalf("%v in %q", err, line)
			}
		}
	}
	if len(metrics) == 0 {
		t.Fatalf("%s measured nothing: %s", name, out)
	}
	return metrics
}
