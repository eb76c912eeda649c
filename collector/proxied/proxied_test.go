package proxied

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

// balancer is where a test's balancer calls from; others call from 127.0.0.1.
var balancer = netip.MustParsePrefix("127.83.42.0/24")

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := Listen("127.0.0.1:0", []netip.Prefix{balancer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func call(t *testing.T, l net.Listener, from, says string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, says); err != nil {
		t.Fatal(err)
	}
	return c
}

// header is what HAProxy sends (send-proxy-v2) for a caller.
func header(t *testing.T, caller string) string {
	t.Helper()
	var out bytes.Buffer
	h := proxyproto.HeaderProxyFromAddrs(2, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(caller)), net.TCPAddrFromAddrPort(netip.MustParseAddrPort("10.9.1.2:8443")))
	if _, err := h.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A balancer's word counts, and nobody else's.
func TestWhoCalls(t *testing.T) {
	l := listen(t)
	for name, tt := range map[string]struct{ from, says, want, hears string }{
		"through a balancer":                 {"127.83.42.1", header(t, "192.0.2.7:40000") + "hello", "192.0.2.7", "hello"},
		"through a balancer, version 1":      {"127.83.42.2", "PROXY TCP4 192.0.2.8 10.9.1.2 40000 8443\r\nhello", "192.0.2.8", "hello"},
		"by itself":                          {"127.0.0.1", "hello", "127.0.0.1", "hello"},
		"who would like to be somebody else": {"127.0.0.1", "PROXY TCP4 192.0.2.8 10.9.1.2 40000 8443\r\n", "127.0.0.1", "PROXY"},
	} {
		t.Run(name, func(t *testing.T) {
			call(t, l, tt.from, tt.says)
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			heard := make([]byte, 5)
			if _, err := io.ReadFull(c, heard); err != nil {
				t.Fatal(err)
			}
			if at, err := netip.ParseAddrPort(c.RemoteAddr().String()); err != nil || at.Addr().String() != tt.want || string(heard) != tt.hears {
				t.Errorf("%v says %q, want %s and %q", c.RemoteAddr(), heard, tt.want, tt.hears)
			}
		})
	}
}

// A balancer that says nothing, or something else, is not handed on, and keeps nobody
// waiting.
func TestBalancerWithoutHeader(t *testing.T) {
	l := listen(t)
	silent, other := call(t, l, "127.83.42.1", ""), call(t, l, "127.83.42.1", "GET / HTTP/1.1\r\nHost: example\r\n\r\n")
	call(t, l, "127.0.0.1", "hello")
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if from, _, _ := net.SplitHostPort(c.RemoteAddr().String()); from != "127.0.0.1" {
		t.Errorf("%v was handed on", c.RemoteAddr())
	}
	if _, err := other.Read(make([]byte, 1)); err == nil {
		t.Error("what is no header was answered")
	}
	closed := make(chan error, 1)
	go func() { _, err := silent.Read(make([]byte, 1)); closed <- err }()
	if err := l.Close(); err != nil { // waits for what has no header yet
		t.Error(err)
	}
	if err := <-closed; err == nil {
		t.Error("who is silent was answered")
	}
	if _, err := l.Accept(); err == nil {
		t.Error("accepted after the end")
	}
}

// FuzzHeader: whatever a balancer sends, the listener goes on.
func FuzzHeader(f *testing.F) {
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\x0a\x09\x01\x02\x9c\x40\x20\xfb"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x20\x00\xff\xff"))
	l, err := Listen("127.0.0.1:0", []netip.Prefix{balancer})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = l.Close() })
	f.Fuzz(func(t *testing.T, says []byte) {
		call(t, l, "127.83.42.3", string(says)).(*net.TCPConn).CloseWrite()
		call(t, l, "127.0.0.1", "hello")
		for {
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			heard, _ := io.ReadAll(io.LimitReader(c, 5))
			from := fmt.Sprint(c.RemoteAddr())
			_ = c.Close()
			if string(heard) == "hello" && from != "" {
				return
			}
		}
	})
}
