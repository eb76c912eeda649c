//go:build long

package interrogate

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/protocol"
)

// program is a program of others that runs until the test ends, with all that it
// has started.
type program struct {
	t     *testing.T
	name  string
	ended chan error // what it ended with
}

// installed fails the test where one of these programs is missing.
func installed(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%v: run make recorders, or apt-get install --no-install-recommends zoneminder mariadb-server apache2 libapache2-mod-php php-mysql ffmpeg", err)
		}
	}
}

// run starts a program in a process group of its own. Its output is the test's.
func run(t *testing.T, environment []string, name string, args ...string) *program {
	t.Helper()
	installed(t, name)
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{t, name, make(chan error, 1)}
	waited := make(chan struct{})
	go func() {
		p.ended <- cmd.Wait()
		close(waited)
	}()
	t.Cleanup(func() {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("end %s: %v", name, err)
		}
		<-waited
	})
	return p
}

// until waits for a condition; that the program ends, or patience, ends the test.
func (p *program) until(ctx context.Context, what string, holds func(context.Context) bool) {
	p.t.Helper()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for !holds(ctx) {
		select {
		case <-poll.C:
		case err := <-p.ended:
			p.t.Fatalf("%s ended (%v) before %s", p.name, err, what)
		case <-ctx.Done():
			p.t.Fatalf("%s: %v, waiting until %s", p.name, ctx.Err(), what)
		}
	}
}

// feed makes a camera of 320x240 that streams to where the last arguments say.
func feed(t *testing.T, to ...string) *program {
	t.Helper()
	return run(t, nil, "ffmpeg", append(strings.Fields("-nostdin -loglevel error -re -f lavfi -i testsrc2=size=320x240:rate=5"+
		" -c:v libx264 -preset ultrafast -tune zerolatency -g 5"), to...)...)
}

// freePort is a port of loopback that nobody listens at, of UDP as of TCP.
func freePort(t *testing.T) string {
	t.Helper()
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		_ = tcp.Close()
		if err != nil {
			continue
		}
		_ = udp.Close()
		return strconv.Itoa(tcp.Addr().(*net.TCPAddr).Port)
	}
	t.Fatal("no port is free")
	return ""
}

// watched stands in front of a recorder and notes what it is asked: method and
// path, never a query or a body, where secrets are.
type watched struct {
	at netip.AddrPort

	mu     sync.Mutex
	asked  []string
	signed int // with a password in the header
}

func watch(t *testing.T, port string) *watched {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "127.0.0.1:" + port})
	w := &watched{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r.Method+" "+r.URL.Path)
		if r.Header.Get("Authorization") != "" {
			w.signed++
		}
		w.mu.Unlock()
		proxy.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.at = netip.MustParseAddrPort(server.Listener.Addr().String())
	return w
}

// sighting is the recorder as an owner names it.
func (w *watched) sighting() discover.Sighting {
	return discover.Sighting{Address: w.at, Methods: []discover.Method{discover.MethodTarget}}
}

// ask asks it what it is, and gives its answer and what it was asked.
func (w *watched) ask(t *testing.T, m *memory) (Device, []string) {
	t.Helper()
	w.mu.Lock()
	w.asked = nil
	w.mu.Unlock()
	d := asker(t, m).Ask(t.Context(), w.sighting())
	w.mu.Lock()
	defer w.mu.Unlock()
	return d, w.asked
}

// reads fails for a question below root that is no GET, but for the one allowed, and
// gives those below root: what other families are recognised by is not theirs.
func reads(t *testing.T, asked []string, root, allowed string) (own []string) {
	t.Helper()
	for _, q := range asked {
		method, path, _ := strings.Cut(q, " ")
		if !strings.HasPrefix(path, root) {
			continue
		}
		own = append(own, q)
		if method != http.MethodGet && q != allowed {
			t.Errorf("it was asked %s", q)
		}
	}
	if len(own) == 0 {
		t.Fatalf("it was asked nothing below %s", root)
	}
	return own
}

// liveChannel is what must be read of a channel. Age 0: it keeps nothing.
type liveChannel struct {
	name     string
	schedule protocol.Schedule
	age      time.Duration
	width    int // 0: not told
}

// checkLive checks the channels of a recorder that has recorded since began.
func checkLive(t *testing.T, d Device, began time.Time, want map[string]liveChannel) {
	t.Helper()
	if len(d.Channels) != len(want) {
		t.Errorf("%d channels, want %d", len(d.Channels), len(want))
	}
	for _, c := range d.Channels {
		w, ok := want[c.ID]
		if !ok || c.Name != w.name || c.Schedule.Kind != w.schedule.Kind || c.Schedule.Mode != w.schedule.Mode || c.WidthPx != w.width {
			t.Errorf("channel %s: read %q %+v, %d px wide; want %+v", c.ID, c.Name, c.Schedule, c.WidthPx, w)
		}
		oldest := c.Retention.OldestFootage
		if w.age == 0 {
			if !oldest.IsZero() {
				t.Errorf("channel %s: the oldest footage is of %s, of one that records nothing", c.ID, oldest)
			}
			continue
		}
		if c.Retention.Kind != protocol.RetentionAge || c.Retention.Age != w.age {
			t.Errorf("channel %s: retention %+v, want %s", c.ID, c.Retention, w.age)
		}
		// By a second: stamps and the clock are whole ones.
		if oldest.Before(began.Add(-2*time.Second)) || oldest.After(time.Now().Add(2*time.Second)) {
			t.Errorf("channel %s: the oldest footage is of %s; it records since %s at the earliest", c.ID, oldest, began)
		}
	}
}
