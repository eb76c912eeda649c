package discover

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Method says how a device was found, e.g. "ws-discovery Device", "mdns
// _axis-video._tcp", "target".
type Method string

// The methods. That of mDNS is followed by the service type.
const (
	MethodTransmitter Method = "ws-discovery NetworkVideoTransmitter"
	MethodDevice      Method = "ws-discovery Device"
	MethodUntyped     Method = "ws-discovery untyped"
	MethodHello       Method = "ws-discovery hello" // it announced itself, unasked
	MethodMDNS        Method = "mdns "
	MethodSSDP        Method = "ssdp"
	MethodSADP        Method = "sadp"         // Hikvision's own search
	MethodDHDiscover  Method = "dhdiscover"   // Dahua's own search
	MethodTarget      Method = "target"       // a host named by itself: reported even when silent
	MethodRange       Method = "target range" // one of a CIDR that accepts web connections, whatever it is
)

// Sighting is one device as it announced itself. All texts come from the
// network: bounded in size, and otherwise untrusted.
type Sighting struct {
	Number    int            // of the device within one scan, from 1: the same when it is announced and in the end
	Endpoint  string         // WS-Discovery endpoint reference ("urn:uuid:..."); "" when it was not found that way
	Address   netip.AddrPort // where to talk HTTP: the host that answered, with the port that it named; IPv6 link-local with its zone
	Interface string         // the network interface it was seen on; "" for a target
	Methods   []Method       // merged, sorted
	XAddrs    []string       // service addresses as the device gave them; only their scheme, port and path are of use
	Types     []string       // as "{namespace}local", so that prefixes do not matter
	Scopes    []string
	// What SSDP, mDNS and the makers' own searches tell of the device; "" when
	// they did not. For who cannot be asked by ONVIF; serial and MAC never leave.
	Vendor, Model, Serial, MAC string

	At time.Time // when it was first seen
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

// Key is the first of Keys.
func (s Sighting) Key() string { return s.Keys()[0] }

// Vague reports that the methods also find hosts other than cameras, so that the
// device is worth listing only if it answers.
func (s Sighting) Vague() bool {
	return !slices.ContainsFunc(s.Methods, func(m Method) bool {
		return m != MethodRange && m != MethodSSDP && m != MethodMDNS+"_rtsp._tcp" && m != MethodMDNS+"_http._tcp"
	})
}

// loose reports whether the port of a sighting is a guess: the device named no
// service address that can be used, and the owner no port.
func (s Sighting) loose() bool {
	if _, _, ok := bestXAddr(s.Address.Addr(), s.XAddrs); ok {
		return false
	}
	return s.Address.Port() == defaultPort || !slices.Contains(s.Methods, MethodTarget)
}

// complete reports whether nothing that may still come would change where and
// under which key the device is asked.
func (s Sighting) complete() bool {
	return s.Endpoint != "" && s.Address.Addr().Is4() && !s.loose()
}

func (s Sighting) clone() Sighting {
	s.Methods, s.XAddrs = slices.Clone(s.Methods), slices.Clone(s.XAddrs)
	s.Types, s.Scopes = slices.Clone(s.Types), slices.Clone(s.Scopes)
	return s
}

// text makes a claim of a device one printable line of at most maxText bytes.
func text(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	s = strings.ToValidUTF8(s, "")
	for len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}

// Options of a scan.
type Options struct {
	Interfaces []string      // names; empty: every suitable one
	Targets    []string      // host, host:port, URL, or IPv4 CIDR of at most 1,024 addresses (/22)
	Window     time.Duration // how long answers are awaited; 0: 3 s
	Log        *slog.Logger  // nil: silent
}
