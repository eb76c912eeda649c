//go:build long || bench

package installer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
)

// partEnv names what the test binary, started again, plays: devices in another
// network namespace, or in a process whose memory nobody measures.
const partEnv = "ANAGRAFE_INSTALLER_PART"

func TestMain(m *testing.M) {
	var lan *cameratest.LAN
	var err error
	switch os.Getenv(partEnv) {
	case "":
		os.Exit(m.Run())
	case "town": // shared interface first-host
		lan, err = cameratest.Town(cameratest.TownOptions{Shared: os.Args[1], Cameras: filepath.Join("..", "testdata", "cameras"),
			Interface: os.Args[2], FirstHost: os.Args[3], Port: 80}) // onvif-util knows no other port
	case "fleet": // devices latency
		var latency time.Duration
		if latency, err = time.ParseDuration(os.Args[2]); err == nil {
			n, _ := strconv.Atoi(os.Args[1])
			lan, err = cameratest.Simulated(n, latency, cameratest.SimulatedOptions{})
		}
	case "shuffle": // of datagrams: listen target
		err = shuffle(os.Args[1], os.Args[2], os.Stdin, os.Stdout)
	}
	if err == nil && lan != nil {
		err = play(lan, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// standIn is a device as its own process describes it.
type standIn struct {
	Name      string
	Address   netip.AddrPort
	AnswersTo []string
	Scopes    []string
	Asks      cameratest.Auth
	User      string
	Password  string // "" with User "": none is right, or none is wanted
	OffsetS   float64
	Retention string // of the recordings, where the device has been given some
	Wrong     int    // attempts with wrong credentials until now
}

// play writes what devices there are, and again for each line that comes in,
// until in ends.
func play(lan *cameratest.LAN, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for {
		all := []standIn{}
		for _, d := range lan.Devices {
			o := d.Options()
			s := standIn{Name: o.Name, Address: d.Address(), AnswersTo: o.AnswerTo, Scopes: o.Scopes, Asks: o.Auth, OffsetS: o.ClockOffset.Seconds(), Wrong: d.WrongAttempts()}
			s.User, s.Password, _ = d.Credential()
			if o.ProfileG != nil {
				s.Retention = o.ProfileG.Retention
			}
			all = append(all, s)
		}
		if err := json.NewEncoder(out).Encode(all); err != nil {
			return err
		}
		if !lines.Scan() {
			return lan.Close()
		}
	}
}

// addNetwork makes a namespace with a loopback interface, until the test ends.
// It needs root.
func addNetwork(t *testing.T, name string) (network, error) {
	t.Helper()
	name = fmt.Sprintf("anagrafe-%s%d", name, os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		return "", fmt.Errorf("no network namespace can be made (%w: %s); this needs root and the ip command", err, bytes.TrimSpace(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
			t.Errorf("remove the namespace: %v: %s", err, out)
		}
	})
	ip(t, "-n", name, "link", "set", "lo", "up")
	return network(name), nil
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// devices is a process that plays devices.
type devices struct {
	t     *testing.T
	ask   io.Writer
	lines *bufio.Reader
}

// start plays a part in the network until the test ends.
func (n network) start(t *testing.T, part string, args ...string) *devices {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := n.command(context.Background(), self, args...) // ends when its standard input does
	cmd.Env = append(os.Environ(), partEnv+"="+part)
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the devices: %v", err)
		}
	})
	return &devices{t, in, bufio.NewReader(out)}
}

// next reads what devices there are: first when they answer, then after again.
func (d *devices) next() []standIn {
	d.t.Helper()
	line, err := d.lines.ReadBytes('\n')
	if err != nil {
		d.t.Fatalf("the devices have ended: %v", err)
	}
	var all []standIn
	if err := json.Unmarshal(line, &all); err != nil {
		d.t.Fatalf("%v: %s", err, line)
	}
	if len(all) == 0 {
		d.t.Fatal("no devices")
	}
	return all
}

// binary is one of the real programs, as `make build` left it.
func binary(t *testing.T, name string) string {
	t.Helper()
	path := absolute(t, filepath.Join("..", "build", name))
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make build first", err)
	}
	return path
}

// lacking is what a test cannot do without: in CI that is a failure.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip("LEFT OUT: " + what)
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
