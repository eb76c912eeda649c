package protocol

import (
	"net/netip"
	"testing"
)

func TestSourceOf(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8:1:2f3:4::5": "2001:db8:1:200::/56", "fe80::1%eth0": "fe80::/56",
	} {
		if got := SourceOf(netip.MustParseAddr(a)); got.String() != want {
			t.Errorf("%s: %v, not %s", a, got, want)
		}
	}
	if got := SourceOf(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("no address: %v", got)
	}
}
