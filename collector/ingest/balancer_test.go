package ingest

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

// Behind a balancer TCP has a port of its own, and who calls is who called the balancer:
// what one source is let do is counted for each of them.
func TestBehindABalancer(t *testing.T) {
	r := start(t, func(s *Server) {
		s.o.ListenTCP = "127.0.0.1:0"
		s.arrivals.sources = newBuckets[netip.Prefix](limit{most: 2}, maxSources)
		s.o.Balancers = []netip.Prefix{netip.MustParsePrefix("127.83.43.0/24")}
	})
	if tcp, udp := r.sockets.tcp.Addr().String(), r.sockets.udp.LocalAddr().String(); r.Addr() != tcp || strings.HasSuffix(udp, tcp[strings.LastIndex(tcp, ":"):]) {
		t.Errorf("TCP at %s, UDP at %s", tcp, udp)
	}
	for _, tt := range []struct {
		caller string
		let    bool
	}{{"192.0.2.7:40000", true}, {"192.0.2.7:40001", true}, {"192.0.2.7:40002", false}, {"198.51.100.9:40000", true}} {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 83, 43, 1)}}
		c, err := d.DialContext(t.Context(), "tcp", r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		h := proxyproto.HeaderProxyFromAddrs(2, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(tt.caller)), c.RemoteAddr())
		if _, err := h.WriteTo(c); err != nil {
			t.Fatal(err)
		}
		secured := tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err := secured.HandshakeContext(t.Context()); (err == nil) != tt.let {
			t.Errorf("%s: %v", tt.caller, err)
		}
	}
}
