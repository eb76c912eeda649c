package uplink

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// connectProxy is an HTTP proxy that takes CONNECT alone, and leads the name that
// no name server knows to a collector.
type connectProxy struct {
	t         *testing.T
	addr      string
	to        map[string]string // host:port asked for -> where it is
	want      string            // "user:password"; "": anybody
	status    int               // answered instead; 0: as it should
	mu        sync.Mutex
	asked     []string // host:port of each CONNECT
	listening net.Listener
}

func newConnectProxy(t *testing.T) *connectProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &connectProxy{t: t, addr: l.Addr().String(), to: map[string]string{}, listening: l}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	return p
}

func (p *connectProxy) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	req, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, req.Host)
	p.mu.Unlock()
	answer := func(status int) {
		_ = (&http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: req}).Write(conn)
	}
	authorised := p.want == "" || req.Header.Get("Proxy-Authorization") == "Basic "+base64.StdEncoding.EncodeToString([]byte(p.want))
	switch {
	case req.Method != http.MethodConnect:
		answer(http.StatusMethodNotAllowed)
		return
	case p.status != 0:
		answer(p.status)
		return
	case !authorised:
		answer(http.StatusProxyAuthRequired)
		return
	}
	out, err := net.Dial("tcp", p.to[req.Host])
	if err != nil {
		answer(http.StatusBadGateway)
		return
	}
	defer out.Close()
	answer(http.StatusOK)
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
	both.Go(func() { _, _ = io.Copy(conn, out); _ = conn.Close() })
	both.Wait()
}

func (p *connectProxy) connects() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

// behindProxy is a collector whose name leads nowhere but through a proxy, which
// the environment names, with this user and password.
func behindProxy(t *testing.T, userinfo string) (*collector, *connectProxy) {
	t.Helper()
	const name = "collector.test" // RFC 2606: no name server knows it
	c, p := newCollector(t), newConnectProxy(t)
	u, err := url.Parse(c.addr)
	if err != nil {
		t.Fatal(err)
	}
	c.serve(servers{tcp: true}, c.tlsConfig(c.authority, name), nil) // UDP is dropped
	at := net.JoinHostPort(name, u.Port())
	p.to[at] = u.Host
	c.addr = "https://" + at
	t.Setenv("HTTPS_PROXY", "http://"+userinfo+p.addr)
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")
	return c, p
}

func TestThroughProxy(t *testing.T) {
	c, p := behindProxy(t, "anna:se%20greto@")
	p.want = "anna:se greto"
	dir := t.TempDir()
	if _, err := Enrol(t.Context(), dir, "", c.link(c.authority.pin()), EnrolOptions{}); err != nil {
		t.Fatal(err)
	}
	id, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	run(t, id, newOutbox("a1"), nil).expect(t, outcome{"a", "h2", ""})
	if p.connects() < 2 {
		t.Errorf("%d connections through the proxy", p.connects())
	}
	states(t, Examine(t.Context(), id, "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c001", nil), map[Part]State{partName: StateSlow, PartUDP: StateSlow}, p.addr)
}

func TestNoProxy(t *testing.T) {
	c, p := behindProxy(t, "")
	t.Setenv("NO_PROXY", "collector.test")
	_, err := Enrol(t.Context(), t.TempDir(), "", c.link(c.authority.pin()), EnrolOptions{})
	if got := reasonFrom(t, err); got != Unreachable {
		t.Errorf("%q (%v)", got, err)
	}
	if p.connects() != 0 {
		t.Error("the proxy was asked")
	}
}

// states compares what is found with what is expected, good where nothing is said.
func states(t *testing.T, findings []Finding, want map[Part]State, route string) {
	t.Helper()
	for _, f := range findings {
		expected := StateGood
		if w, ok := want[f.Part]; ok {
			expected = w
		}
		if f.State != expected {
			t.Errorf("%s is %s, want %s: %s (%s)", f.Part, f.State, expected, f.Found, f.Raw)
		}
		if f.State != StateGood && f.State != StateUnknown && f.Do == "" {
			t.Errorf("%s: nothing is said of what to do: %s", f.Part, f.Found)
		}
		if f.Part == partRoute && !strings.Contains(f.Found, route) {
			t.Errorf("the route does not name %q: %s", route, f.Found)
		}
	}
}

// A proxy that does not let through is told in words, and what HTTPS_PROXY holds
// of user and password stands in no error, finding or log.
func TestProxyRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		userinfo, want string
		status         int
		environment    string // instead
		says           string
	}{
		"it wants a password":         {want: "anna:segreto", says: "wants a user name and a password"},
		"the password is wrong":       {userinfo: "anna:sbagliata@", want: "anna:segreto", says: "does not take this user name and password"},
		"it lets nobody through":      {userinfo: "anna:sbagliata@", status: http.StatusForbidden, says: "403"},
		"it cannot be read":           {environment: "http://anna:sbagliata@[", says: "not the address of a proxy"},
		"the proxy is not there":      {environment: "http://anna:sbagliata@127.0.0.1:1", says: "does not answer"},
		"the proxy is something else": {userinfo: "anna:sbagliata@", status: 999, says: "999"},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := behindProxy(t, tt.userinfo)
			p.want, p.status = tt.want, tt.status
			if tt.environment != "" {
				t.Setenv("HTTPS_PROXY", tt.environment)
			}
			_, err := Enrol(t.Context(), t.TempDir(), "", c.link(c.authority.pin()), EnrolOptions{})
			want := ProxyRefused
			if tt.says == "does not answer" {
				want = Unreachable
			}
			if got := reasonFrom(t, err); got != want || want == ProxyRefused && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q (%v), want %q", got, err, want)
			}
			var log bytes.Buffer
			id := c.authority.identity(t, c.addr, time.Now().Add(-time.Hour))
			findings := Examine(t.Context(), id, "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c001", nil)
			name := StateSlow
			if tt.says == "not the address of a proxy" {
				name = StateBad
			}
			if name == StateSlow {
				states(t, findings, map[Part]State{partName: name, partRoute: StateBad, partTLS: StateUnknown, PartUDP: StateBad,
					PartAdmission: StateBad, partClock: StateUnknown}, tt.says)
			}
			u := New(Options{Identity: id, Outbox: newOutbox(), Log: slog.New(slog.NewTextHandler(&log, nil))})
			l, err := newLine(id.Collector, id.trust(), lineOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.transport.close()
			u.stream(t.Context(), l)
			all := log.String() + u.Status().LastError
			for _, f := range findings {
				all += f.Found + f.Do + f.Raw
			}
			if strings.Contains(all, "sbagliata") || strings.Contains(all, "anna") {
				t.Errorf("the user or password is told: %s", all)
			}
			if u.Status().LastReason != want || u.Status().Transport != "" {
				t.Errorf("status %+v", u.Status())
			}
		})
	}
}
