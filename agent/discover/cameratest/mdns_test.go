package cameratest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/grandcat/zeroconf"
)

// TestMDNS: a device announces itself on lo.
func TestMDNS(t *testing.T) {
	host := ownHost()
	d := start(t, load(t, "videofavola-cubo"), Options{Name: "cube " + host, Host: host, Interface: "lo", MDNS: []string{"_axis-video._tcp"}})
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := zeroconf.NewResolver(zeroconf.SelectIPTraffic(zeroconf.IPv4), zeroconf.SelectIfaces([]net.Interface{*lo}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	entries := make(chan *zeroconf.ServiceEntry, 16)
	if err := resolver.Browse(ctx, "_axis-video._tcp", "local.", entries); err != nil {
		t.Fatal(err)
	}
	for e := range entries {
		if len(e.AddrIPv4) == 1 && e.AddrIPv4[0].String() == host {
			if e.Port != int(d.Address().Port()) {
				t.Errorf("announced port %d, listens on %s", e.Port, d.Address())
			}
			cancel()
			for range entries { // until the resolver has closed it
			}
			return
		}
	}
	t.Error("not announced on lo")
}
