package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// keptAtHome is the name of a camera that films no public area.
const keptAtHome = "NON-DEVE-USCIRE"

// tap keeps all that an agent sends, before it is encrypted: address, headers
// and body of every request.
type tap struct {
	mu   sync.Mutex
	sent bytes.Buffer
}

func (tp *tap) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		tp.mu.Lock()
		tp.sent.WriteString(r.Method + " " + r.URL.RequestURI() + "\n")
		_ = r.Header.Write(&tp.sent)
		tp.mu.Unlock()
		if r.Body != nil {
			r = r.Clone(r.Context())
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r.Body, tp), r.Body}
		}
		return next.RoundTrip(r)
	})
}

func (tp *tap) Write(b []byte) (int, error) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return tp.sent.Write(b)
}

func (tp *tap) bytes() []byte {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return bytes.Clone(tp.sent.Bytes())
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestNothingElseLeaves runs an agent against devices that carry sentinels in
// their passwords, stream addresses, serial numbers, MAC and endpoint
// references, delivers to a real collector, and looks for them, and for the
// network's addresses, in all that was sent.
// It is long because it is one way, step by step.
func TestNothingElseLeaves(t *testing.T) {
	lan, err := cameratest.Town(cameratest.TownOptions{Cameras: filepath.Join("..", "testdata", "cameras"), FirstHost: freshHost()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lan.Close() })
	link := startCollector(t)

	ctx, stop := context.WithCancel(t.Context())
	config := defaults()
	config.Interfaces = []string{"lo"}
	s := siteFor(t, config)
	var wire tap
	if s.link, err = newLink(s.dir, config, s.inv, s.keepNotice, s.log, wire.wrap); err != nil {
		t.Fatal(err)
	}
	var running errgroup.Group
	running.Go(func() error { return s.link.run(ctx) })
	t.Cleanup(func() {
		stop()
		if err := running.Wait(); err != nil {
			t.Error(err)
		}
	})

	// The owner types the passwords, so that they are really used.
	start := time.Now()
	lookAt(t, s, lan, start)
	passwords := typePasswords(t, s.inv, lan)
	if err := s.link.enrol(ctx, link, "", false); err != nil {
		t.Fatal(err)
	}
	lookAt(t, s, lan, start)
	names := declareAll(t, s)
	// After adhesion what is measured leaves by itself: look again, hours later.
	lookAt(t, s, lan, start.Add(3*time.Hour))
	kinds := delivered(t, s.inv)
	if kinds["declaration"] == 0 || kinds["observation"] == 0 {
		t.Fatalf("delivered %v: the test wants a declaration and an observation", kinds)
	}

	sent := wire.bytes()
	for _, name := range names {
		if !bytes.Contains(sent, []byte(name)) {
			t.Errorf("the tap saw nothing of camera %q: it does not see what leaves", name)
		}
	}
	forbidden := append(cameratest.Sentinels(lan.Devices...), passwords...)
	forbidden = append(forbidden, keptAtHome)
	if len(forbidden) < 20 {
		t.Fatalf("only %d sentinels were planted", len(forbidden))
	}
	for _, d := range lan.Devices {
		forbidden = append(forbidden, d.Address().Addr().String())
	}
	for _, text := range forbidden {
		for how, form := range disguises(text) {
			if bytes.Contains(sent, form) {
				t.Errorf("%q left the site (%s)", text, how)
			}
		}
	}
	if jpeg := []byte{0xff, 0xd8, 0xff}; bytes.Contains(sent, jpeg) {
		t.Error("an image left the site")
	}
	read, err := os.ReadFile(filepath.Join(s.dir, "inventory.db"))
	if err != nil {
		t.Fatal(err)
	}
	if wal, err := os.ReadFile(filepath.Join(s.dir, "inventory.db-wal")); err == nil {
		read = append(read, wal...)
	}
	known := 0
	for _, text := range forbidden {
		if bytes.Contains(read, []byte(text)) {
			known++
		}
	}
	if known == 0 {
		t.Error("the agent never read any sentinel: the test proves nothing")
	}
}

// freshHost is an address with room for a town behind it, at which the tests of
// another checkout that run at the same time have no devices.
func freshHost() string {
	return fmt.Sprintf("127.%d.%d.11", 100+rand.N(100), rand.N(256))
}

// siteFor opens a directory of its own, until the end of the test.
func siteFor(t *testing.T, config Config) *agent {
	t.Helper()
	s, err := openAgent(t.Context(), filepath.Join(t.TempDir(), "agent"), config, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// disguises are the forms in which a text could leave.
func disguises(text string) map[string][]byte {
	return map[string][]byte{
		"plain":       []byte(text),
		"lower case":  []byte(strings.ToLower(text)),
		"upper case":  []byte(strings.ToUpper(text)),
		"base64":      []byte(strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(text)), "=")),
		"hexadecimal": []byte(hex.EncodeToString([]byte(text))),
	}
}

// startCollector builds and starts the real collector and gives an enrolment link.
func startCollector(t *testing.T) string {
	t.Helper()
	return startRealCollector(t).invite("Bar di prova")
}

// realCollector is one that runs.
type realCollector struct {
	t         *testing.T
	bin, data string
}

// invite gives a link for a new site.
func (r realCollector) invite(site string) string {
	r.t.Helper()
	out, err := exec.CommandContext(r.t.Context(), r.bin, "invite", "-data", r.data, "-site", site, "-json").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	var invitation struct{ Link string }
	if err := json.Unmarshal(out, &invitation); err != nil {
		r.t.Fatal(err)
	}
	return invitation.Link
}

func startRealCollector(t *testing.T) realCollector {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "anagrafe-collector")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "anagrafe/collector").CombinedOutput(); err != nil {
		t.Fatalf("building the collector: %v\n%s", err, out)
	}
	port := freePort(t)
	data := filepath.Join(dir, "data")
	var log bytes.Buffer
	serve := exec.Command(bin, "serve", "-data", data, "-public-url", "http://localhost", "-listen-agents", "127.0.0.1:"+port,
		"-listen-public", "127.0.0.1:0", "-listen-ops", "127.0.0.1:0", "-listen-consult", "127.0.0.1:0", "-listen-metrics", "off")
	serve.Stderr = &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(os.Interrupt)
		if err := serve.Wait(); err != nil {
			t.Errorf("the collector: %v\n%s", err, &log)
		}
	})
	wait(t, "the collector", func() bool {
		conn, err := net.Dial("unix", filepath.Join(data, "control.sock"))
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	return realCollector{t, bin, data}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// wait polls a condition; it gives up after a minute, which times nothing.
func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited a minute for %s", what)
		case <-tick.C:
		}
	}
}

// typePasswords gives each device the password it asks for.
func typePasswords(t *testing.T, inv *inventory.Inventory, lan *cameratest.LAN) []string {
	t.Helper()
	var typed []string
	for _, d := range lan.Devices {
		user, password, asked := d.Credential()
		if !asked {
			continue
		}
		for _, k := range known(t, inv).Devices {
			if k.Address == d.Address().String() {
				if err := inv.SetCredential(t.Context(), k.ID, interrogate.Credential{User: user, Password: password}); err != nil {
					t.Fatal(err)
				}
				typed = append(typed, password)
			}
		}
	}
	if len(typed) == 0 {
		t.Fatal("no device asks for a password: the test proves nothing")
	}
	return typed
}

// lookAt looks at the network and records, as of the time at, this town's
// devices alone: those of other tests on this machine come and go.
func lookAt(t *testing.T, s *agent, lan *cameratest.LAN, at time.Time) {
	t.Helper()
	devices, err := findAndAsk(t.Context(), lookOptions{interfaces: s.config.Interfaces, memory: s.inv, log: s.log})
	if err != nil {
		t.Fatal(err)
	}
	devices = slices.DeleteFunc(devices, func(found interrogate.Device) bool {
		return !slices.ContainsFunc(lan.Devices, func(d *cameratest.Device) bool { return d.Address() == found.Sighting.Address })
	})
	if len(devices) != len(lan.Devices) {
		t.Fatalf("%d of the town's %d devices were found", len(devices), len(lan.Devices))
	}
	if err := s.inv.Record(t.Context(), devices, at); err != nil {
		t.Fatal(err)
	}
}

// declareAll answers for every camera and approves; it gives the cameras'
// names. The last one is answered no.
func declareAll(t *testing.T, s *agent) []string {
	t.Helper()
	if err := s.inv.SetContact(t.Context(), "", protocol.Contact{Name: "Ada Bianchi", Role: protocol.RoleOwner, Phone: "+39 02 5550 0100"}); err != nil {
		t.Fatal(err)
	}
	cameras := known(t, s.inv).Cameras
	var names []string
	for i, cam := range cameras {
		edit := inventory.Edit{Outdoor: new(true), Lon: new(9.19), Lat: new(45.46), By: "Ada Bianchi"}
		if i == len(cameras)-1 {
			edit.Outdoor, edit.Name = new(false), new(keptAtHome)
		} else if cam.Values.Name == "" {
			edit.Name = new("Telecamera " + string(rune('A'+i)))
		}
		if err := s.inv.Set(t.Context(), cam.ID, edit); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.inv.Approve(t.Context(), inventory.Selection{All: true}, protocol.Approval{By: "Ada Bianchi", Role: protocol.RoleOwner, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	cameras = known(t, s.inv).Cameras
	for _, cam := range cameras {
		if cam.Values.Name == keptAtHome {
			continue
		}
		if cam.State != inventory.StateDeclared {
			t.Errorf("camera %q of %s is %s, missing %v", cam.Values.Name, cam.Device.Model, cam.State, cam.Missing)
		}
		names = append(names, cam.Values.Name)
	}
	return names
}

// delivered waits until nothing waits and counts what was acknowledged.
func delivered(t *testing.T, inv *inventory.Inventory) map[string]int {
	t.Helper()
	var kinds map[string]int
	wait(t, "the acknowledgements", func() bool {
		kinds = map[string]int{}
		sent, err := inv.Outbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range sent {
			if m.State != inventory.Acknowledged {
				return false
			}
			kinds[m.Kind]++
		}
		return len(sent) > 0
	})
	return kinds
}
