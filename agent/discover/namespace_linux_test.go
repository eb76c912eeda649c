package discover

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
)

// The parts of TestNamespaces, each the test binary again in a network
// namespace of its own.
const partEnv = "ANAGRAFE_DISCOVER_PART"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(partEnv) {
	case "":
		os.Exit(m.Run())
	case "cameras":
		err = runCameras(os.Args[1:], os.Stdin, os.Stdout)
	case "scan":
		err = runScan(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runCameras starts a camera at each "interface=address" until in ends.
func runCameras(places []string, in io.Reader, out io.Writer) error {
	c, err := cameratest.LoadDir(filepath.Join("..", "..", "testdata", "cameras", "videofavola-cubo"))
	if err != nil {
		return err
	}
	for _, p := range places {
		iface, host, _ := strings.Cut(p, "=")
		d, err := cameratest.Start(c, cameratest.Options{Host: host, Interface: iface, Endpoint: "urn:test:" + p})
		if err != nil {
			return err
		}
		defer d.Close()
	}
	fmt.Fprintln(out, "ready")
	_, err = io.Copy(io.Discard, in)
	return err
}

// runScan searches every suitable interface and writes what it found.
func runScan(out io.Writer) error {
	found, err := Scan(context.Background(), Options{Window: 1500 * time.Millisecond, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}, nil)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(found)
}

// TestNamespaces searches real networks by real multicast: two cables between a
// host and its cameras, a bridge for containers that must be left alone, and a
// cable that is down.
func TestNamespaces(t *testing.T) {
	ip := needNamespaces(t)
	agent, lan := fmt.Sprintf("anagrafe-a%d", os.Getpid()), fmt.Sprintf("anagrafe-b%d", os.Getpid())
	for _, ns := range []string{agent, lan} {
		ip("netns", "add", ns)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	}
	for i := 1; i <= 2; i++ {
		a, b := fmt.Sprint("cable", i, "a"), fmt.Sprint("cable", i, "b")
		ip("-n", agent, "link", "add", a, "type", "veth", "peer", "name", b, "netns", lan)
		ip("-n", agent, "addr", "add", fmt.Sprintf("10.99.%d.1/24", i), "dev", a)
		ip("-n", lan, "addr", "add", fmt.Sprintf("10.99.%d.10/24", i), "dev", b)
		ip("-n", agent, "link", "set", a, "up")
		ip("-n", lan, "link", "set", b, "up")
	}
	ip("-n", agent, "link", "add", "containers0", "type", "bridge")
	ip("-n", agent, "addr", "add", "10.99.3.1/24", "dev", "containers0")
	ip("-n", agent, "link", "set", "containers0", "up")
	ip("-n", agent, "link", "add", "down0", "type", "veth", "peer", "name", "down1")
	ip("-n", agent, "addr", "add", "10.99.4.1/24", "dev", "down0")

	cameras := part(t, lan, "cameras", "cable1b=10.99.1.10", "cable2b=10.99.2.10")
	stop, err := cameras.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cameras.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cameras.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop.Close()
		if err := cameras.Wait(); err != nil {
			t.Error(err)
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the cameras did not start: %q, %v", line, err)
	}

	scan := part(t, agent, "scan")
	text, err := scan.Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []Sighting
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	var got []string
	for _, s := range found {
		if !slices.Equal(s.Methods, []Method{MethodDevice, MethodTransmitter, MethodUntyped}) {
			t.Errorf("%s was found by %q", s.Endpoint, s.Methods)
		}
		got = append(got, fmt.Sprint(s.Interface, " ", s.Endpoint, " ", s.Address.Addr()))
	}
	want := []string{"cable1a urn:test:cable1b=10.99.1.10 10.99.1.10", "cable2a urn:test:cable2b=10.99.2.10 10.99.2.10"}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

// part is the test binary as one part, in a namespace.
func part(t *testing.T, ns, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ip", append([]string{"netns", "exec", ns, self}, args...)...)
	cmd.Env = append(os.Environ(), partEnv+"="+name)
	cmd.Stderr = t.Output()
	return cmd
}

// needNamespaces gives a runner of ip, or leaves the test out where network
// namespaces cannot be made: aloud, and not in CI.
func needNamespaces(t *testing.T) func(args ...string) {
	t.Helper()
	probe := fmt.Sprintf("anagrafe-p%d", os.Getpid())
	out, err := exec.Command("ip", "netns", "add", probe).CombinedOutput()
	if err != nil {
		why := fmt.Sprintf("no network namespace can be made (%v: %s); this needs root and the ip command", err, bytes.TrimSpace(out))
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip("LEFT OUT: " + why)
	}
	if out, err := exec.Command("ip", "netns", "del", probe).CombinedOutput(); err != nil {
		t.Fatalf("remove a namespace: %v: %s", err, out)
	}
	return func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
}
