package discover

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
	case "listen":
		err = runListen(os.Args[1:], os.Stdout)
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
		if endpoint, six := strings.CutPrefix(host, "six "); six {
			stop, err := neighbour(iface, endpoint)
			if err != nil {
				return err
			}
			defer stop()
			continue
		}
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

// neighbour answers probes on an interface by IPv6 from its link-local address, and
// says Hello every now and then, until stopped.
func neighbour(name, endpoint string) (stop func(), err error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	l, err := newLink(*i)
	if err != nil {
		return nil, err
	}
	own, _ := l.six()
	in, err := net.ListenMulticastUDP("udp6", i, net.UDPAddrFromAddrPort(multicastGroup6))
	if err != nil {
		return nil, err
	}
	out, err := net.ListenUDP("udp6", net.UDPAddrFromAddrPort(netip.AddrPortFrom(own, 0)))
	if err != nil {
		return nil, err
	}
	xaddrs := fmt.Sprintf("http://[%s]:8000/onvif/device_service", own.WithZone(""))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			group := netip.AddrPortFrom(multicastGroup6.Addr().WithZone(name), multicastGroup6.Port())
			if _, err := out.WriteToUDPAddrPort([]byte(announce("Hello", endpoint, xaddrs)), group); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			pause(ctx, 50*time.Millisecond)
		}
	})
	running.Go(func() {
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := in.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			var p receivedProbe
			if xml.Unmarshal(buf[:n], &p) == nil && p.MessageID != "" && from.Addr().Zone() == name {
				_, _ = out.WriteToUDPAddrPort([]byte(match(p.MessageID, endpoint, xaddrs)), from)
			}
		}
	})
	return func() {
		cancel()
		in.Close()
		out.Close()
		running.Wait()
	}, nil
}

// runListen hears every suitable interface until each of the endpoints has said
// hello, and writes how it was heard.
func runListen(endpoints []string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	heard := map[string]Sighting{}
	err := Listen(ctx, Options{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}, func(s Sighting) {
		if heard[s.Endpoint] = s; !slices.ContainsFunc(endpoints, func(e string) bool { return heard[e].Endpoint == "" }) {
			cancel()
		}
	}, nil)
	if err != nil {
		return err
	}
	for _, e := range endpoints {
		fmt.Fprintln(out, heard[e].Interface, e, heard[e].Address)
	}
	return nil
}

// runScan searches every suitable interface and writes what it found.
func runScan(out io.Writer) error {
	found, err := Scan(context.Background(), Options{Window: 1500 * time.Millisecond, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}, nil)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(found)
}

// TestNamespaces searches real networks by real multicast: cables between a host
// and its cameras, with IPv4, with both, and with IPv6 alone, a bridge for
// containers and the end of a container's cable that must be left alone, and a
// cable that is down.
// It is long because it is one way, step by step.
func TestNamespaces(t *testing.T) {
	ip := needNamespaces(t)
	agent, lan := fmt.Sprintf("anagrafe-a%d", os.Getpid()), fmt.Sprintf("anagrafe-b%d", os.Getpid())
	for _, ns := range []string{agent, lan} {
		ip("netns", "add", ns)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	}
	for i := 1; i <= 4; i++ {
		ends := [2]struct{ ns, name, four, six string }{{agent, fmt.Sprint("cable", i, "a"), "1", "a"}, {lan, fmt.Sprint("cable", i, "b"), "10", "b"}}
		ip("-n", agent, "link", "add", ends[0].name, "type", "veth", "peer", "name", ends[1].name, "netns", lan)
		for _, end := range ends {
			ip("-n", end.ns, "link", "set", end.name, "addrgenmode", "none") // an address of its own making is not usable at once
			ip("-n", end.ns, "link", "set", end.name, "up")
		}
		for _, end := range ends {
			if i <= 2 {
				ip("-n", end.ns, "addr", "add", fmt.Sprintf("10.99.%d.%s/24", i, end.four), "dev", end.name)
			}
			if i >= 2 {
				ip("-n", end.ns, "addr", "add", fmt.Sprintf("fe80::%s/64", end.six), "dev", end.name, "nodad")
			}
			if i == 3 {
				ip("-n", end.ns, "addr", "add", fmt.Sprintf("fd00:99::%s/64", end.six), "dev", end.name, "nodad")
			}
		}
	}
	ip("-n", agent, "link", "add", "containers0", "type", "bridge")
	ip("-n", agent, "addr", "add", "10.99.3.1/24", "dev", "containers0")
	ip("-n", agent, "link", "set", "containers0", "up")
	ip("-n", agent, "link", "add", "down0", "type", "veth", "peer", "name", "down1")
	ip("-n", agent, "addr", "add", "10.99.4.1/24", "dev", "down0")

	// The camera of cable 2 answers by both families. On cable 4 the agent's end
	// has no address but IPv6's own, as a host's end of a container's cable has.
	cameras := part(t, lan, "cameras", "cable1b=10.99.1.10", "cable2b=10.99.2.10", "cable2b=six urn:test:cable2b=10.99.2.10",
		"cable3b=six urn:test:neighbour", "cable4b=six urn:test:container")
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
	want := []string{"cable1a urn:test:cable1b=10.99.1.10 10.99.1.10", "cable2a urn:test:cable2b=10.99.2.10 10.99.2.10",
		"cable3a urn:test:neighbour fe80::b%cable3a"}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if s := found[len(found)-1]; s.Service().String() != "http://[fe80::b%25cable3a]:8000/onvif/device_service" {
		t.Errorf("the camera of IPv6 would be asked at %s", s.Service())
	}

	text, err = part(t, agent, "listen", "urn:test:cable2b=10.99.2.10", "urn:test:neighbour").Output()
	if want := "cable2a urn:test:cable2b=10.99.2.10 [fe80::b%cable2a]:8000\ncable3a urn:test:neighbour [fe80::b%cable3a]:8000\n"; err != nil || string(text) != want {
		t.Errorf("heard %q, %v; want %q", text, err, want)
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
