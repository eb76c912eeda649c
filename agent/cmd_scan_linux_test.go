package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"anagrafe/agent/discover/cameratest"
)

// ownNetwork names, in the environment, the test that runs in one.
const ownNetwork = "ANAGRAFE_OWN_NETWORK"

// inOwnNetwork runs the test again in a network namespace of its own, where no
// other test's cameras are, and tells whether this is that one.
func inOwnNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(ownNetwork) == t.Name() {
		return true
	}
	again := exec.CommandContext(t.Context(), "sh", "-c", `ip link set lo up && exec "$@"`, "sh", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), ownNetwork+"="+t.Name())
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		again.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: gid, Size: 1}}
	}
	said, err := again.CombinedOutput()
	if err != nil || !bytes.Contains(said, []byte("--- PASS: "+t.Name())) {
		t.Fatalf("in a network of its own (this wants root, or user namespaces, and the command ip): %v\n%s", err, said)
	}
	return false
}

// scanCommand is a scan of lo by a process of its own, which gets its own
// signals: this binary, that behaves as the program does.
func scanCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"scan", "-data", filepath.Join(t.TempDir(), "agent"), "-interface", "lo"}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// quickAndSlow are two cameras on lo, of which the second never answers in time.
func quickAndSlow(t *testing.T, quickHost, slowHost string) (quick, slow *cameratest.Device) {
	t.Helper()
	written, err := cameratest.LoadDirs(filepath.Join("..", "testdata", "cameras"))
	if err != nil || len(written) < 2 {
		t.Fatalf("%d cameras: %v", len(written), err)
	}
	start := func(c *cameratest.Conversation, o cameratest.Options) *cameratest.Device {
		o.Interface, o.Auth = "lo", cameratest.AuthNone
		d, err := cameratest.Start(c, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		return d
	}
	quick = start(written[0], cameratest.Options{Host: quickHost})
	slow = start(written[1], cameratest.Options{Host: slowHost, Quirks: cameratest.Quirks{Slow: time.Hour}})
	return quick, slow
}

// screen is a terminal of which all that was written to it is kept.
type screen struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{} // buffered 1
}

// openTerminal gives the two ends of a new pseudo-terminal: what the person
// sees, and what the program writes to.
func openTerminal(t *testing.T) (*screen, *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("this test wants a pseudo-terminal: %v", err)
	}
	var n, unlock int32
	for _, call := range []struct {
		request uintptr
		arg     *int32
	}{{syscall.TIOCSPTLCK, &unlock}, {syscall.TIOCGPTN, &n}} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), call.request, uintptr(unsafe.Pointer(call.arg))); errno != 0 {
			t.Fatal(errno)
		}
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(int(n)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{wrote: make(chan struct{}, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(s, master) // ends when both ends are closed
	}()
	t.Cleanup(func() { _ = slave.Close(); <-ended; _ = master.Close() })
	return s, slave
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.wrote <- struct{}{}:
	default:
	}
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until the screen has shown text.
func (s *screen) await(ctx context.Context, text string) error {
	for !strings.Contains(s.String(), text) {
		select {
		case <-s.wrote:
		case <-ctx.Done():
			return errors.New("the terminal shows " + strconv.Quote(s.String()))
		}
	}
	return nil
}

// Ctrl-C in the middle of a scan: what has answered is listed whole, the rest
// with a reason, the next step is said, and the exit code is 3.
func TestScanInterrupted(t *testing.T) {
	if !inOwnNetwork(t) {
		return
	}
	quick, slow := quickAndSlow(t, "127.0.0.101", "127.0.0.102")
	for _, form := range []string{"-json", "table"} {
		args := []string{"-timeout", "10m"}
		if form == "-json" {
			args = append(args, form)
		}
		terminal, tty := openTerminal(t)
		cmd := scanCommand(t, args...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, tty
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := terminal.await(ctx, "2 found, 1 being asked, 1 done"); err != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		err := cmd.Wait()
		_ = tty.Close()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitPartly {
			t.Errorf("%s: ended with %v, want exit code %d\n%s", form, err, exitPartly, terminal)
		}
		if err := terminal.await(ctx, "scan again to see the rest"); err != nil {
			t.Errorf("%s: no next step: %v", form, err)
		}
		if form == "-json" {
			report := decodeReport(t, out.Bytes())
			if d := deviceAt(report, quick); d == nil || d.Model == "" || len(d.Channels) == 0 || d.Clock == nil {
				t.Errorf("the device that had answered: %+v", d)
			}
			if d := deviceAt(report, slow); d == nil || len(d.Errors) == 0 {
				t.Errorf("the device that had not: %+v", d)
			}
			continue
		}
		for _, want := range []string{"ADDRESS", quick.Address().String(), slow.Address().String(), "scan -target ADDRESS"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the table lacks %q:\n%s", want, &out)
			}
		}
	}
}

// The time is over: the same, by itself. Nobody looks, so no progress is drawn.
func TestScanTimeout(t *testing.T) {
	if !inOwnNetwork(t) {
		return
	}
	quick, slow := quickAndSlow(t, "127.0.0.103", "127.0.0.104")
	cmd := scanCommand(t, "-json", "-timeout", "6s")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitPartly {
		t.Errorf("ended with %v, want exit code %d\n%s", err, exitPartly, &errs)
	}
	report := decodeReport(t, out.Bytes())
	if deviceAt(report, quick) == nil || deviceAt(report, slow) == nil {
		t.Errorf("devices are missing: %+v", report.Devices)
	}
	if !strings.Contains(errs.String(), "-timeout 12s") || strings.Contains(errs.String(), "Searching") || strings.Contains(errs.String(), "\x1b") {
		t.Errorf("stderr is %q", errs.String())
	}
}

// Nothing there: the next step is said, in both forms, and that is no error.
func TestScanFindsNothing(t *testing.T) {
	if !inOwnNetwork(t) {
		return
	}
	for _, form := range []string{"-json=true", "-json=false"} {
		cmd := scanCommand(t, form)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v\n%s", form, err, &errs)
		}
		if said := out.String() + errs.String(); strings.Count(said, "scan -target ADDRESS") != 1 {
			t.Errorf("%s: no next step:\n%s", form, said)
		}
		if form == "-json=true" && len(decodeReport(t, out.Bytes()).Devices) != 0 {
			t.Errorf("found %s", &out)
		}
	}
	cmd := scanCommand(t, "-interface", "none0")
	said, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "scan -target ADDRESS") {
		t.Errorf("%v, no next step: %s", err, said)
	}
}

func decodeReport(t *testing.T, out []byte) (report scanReport) {
	t.Helper()
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	var keys struct {
		Devices []map[string]json.RawMessage `json:"devices"`
	}
	if err := json.Unmarshal(out, &keys); err != nil {
		t.Fatal(err)
	}
	// The documented keys, all of them, of every device (scripts rely on them).
	want := []string{"address", "channels", "clock", "errors", "family", "firmware", "found_by", "kept", "kind", "model", "needs", "serial", "vendor"}
	for _, d := range keys.Devices {
		var got []string
		for k := range d {
			got = append(got, k)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("keys %v, want %v", got, want)
		}
	}
	return report
}

func deviceAt(r scanReport, d *cameratest.Device) *scanDevice {
	for i := range r.Devices {
		if r.Devices[i].Address == d.Address().String() {
			return &r.Devices[i]
		}
	}
	return nil
}
