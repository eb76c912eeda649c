package discover

import (
	"log/slog"
	"net/netip"
	"time"
)

// Method says how a device was found, e.g. "ws-discovery Device", "mdns
// _axis-video._tcp", "target".
type Method string

// The ways of finding a device. That of mDNS is followed by the service type.
const (
	MethodTransmitter Method = "ws-discovery NetworkVideoTransmitter"
	MethodDevice      Method = "ws-discovery Device"
	MethodUntyped     Method = "ws-discovery untyped"
	MethodMDNS        Method = "mdns "
	MethodTarget      Method = "target"       // a host named by itself: reported even when silent
	MethodRange       Method = "target range" // one of a CIDR that accepts web connections, whatever it is
)

// Sighting is one device as it announced itself. All texts come from the
// network: bounded in size, and otherwise untrusted.
type Sighting struct {
	Number    int            // of the device within one scan, from 1: the same when it is announced and in the end
	Endpoint  string         // WS-Discovery endpoint reference ("urn:uuid:..."); "" when found by mDNS or by address only
	Address   netip.AddrPort // where to talk HTTP: the host that answered, with the port of its XAddr
	Interface string         // the network interface it was seen on; "" for a target
	Methods   []Method       // merged, sorted
	XAddrs    []string       // service addresses as the device gave them; only their scheme, port and path are of use
	Types     []string       // as "{namespace}local", so that prefixes do not matter
	Scopes    []string
	At        time.Time // when it was first seen
}

// Keys are what this device may be known by elsewhere: the endpoint reference,
// if it gave one, and the address. Either may change when a device is replaced
// or moved, so neither is an identity by itself.
func (s Sighting) Keys() []string {
	if s.Endpoint == "" {
		return []string{s.Address.String()}
	}
	return []string{s.Endpoint, s.Address.String()}
}

// Options of a scan.
type Options struct {
	Interfaces []string      // names; empty: every suitable one
	Targets    []string      // host, host:port, URL, or CIDR of at most 1,024 addresses (/22)
	Window     time.Duration // how long answers are awaited; 0: 3 s
	Log        *slog.Logger  // nil: silent
}
