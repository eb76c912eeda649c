package discover

import (
	"cmp"
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Limits of one answer. What is over them is left out.
const (
	maxMatches = 64 // in one datagram
	maxTexts   = 64 // scopes, types or addresses of a device
	maxText    = 256
)

// matches is the body of a ProbeMatches message. Paths matter: the header of
// an answer may hold an Address (ReplyTo) of its own.
type matches struct {
	RelatesTo string  `xml:"Header>RelatesTo"`
	Matches   []claim `xml:"Body>ProbeMatches>ProbeMatch"`
}

// claim is what a device says of itself.
type claim struct {
	Endpoint string   `xml:"EndpointReference>Address"`
	Types    []string `xml:"Types"`
	Scopes   []string `xml:"Scopes"`
	XAddrs   []string `xml:"XAddrs"`
}

func (c claim) sighting(prefixes map[string]string) Sighting {
	return Sighting{
		Endpoint: endpoint(c.Endpoint),
		Types:    qualified(words(c.Types), prefixes),
		Scopes:   words(c.Scopes),
		XAddrs:   words(c.XAddrs),
	}
}

var errNoMatch = errors.New("it names no device")

// readMatches reads one datagram. It gives the bare id of the probe that was
// answered and the devices named, without address, method and time. Devices
// that say they are something else (a printer answers an untyped probe too) are
// left out.
func readMatches(datagram []byte) (relatesTo string, found []Sighting, err error) {
	var m matches
	prefixes, err := unmarshal(datagram, &m, known)
	if err != nil {
		return "", nil, err
	}
	for _, p := range m.Matches[:min(len(m.Matches), maxMatches)] {
		if s := p.sighting(prefixes); isCamera(s) {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		return "", nil, errNoMatch
	}
	return bareID(m.RelatesTo), found, nil
}

// words splits lists at any white space: a scope may even hold a line break
// (daniela-hase/onvif-server writes them), which cannot be told from the end.
func words(lists []string) []string {
	var out []string
	for _, l := range lists {
		for w := range strings.FieldsSeq(l) {
			if len(out) == maxTexts {
				return out
			}
			if len(w) <= maxText {
				out = append(out, w)
			}
		}
	}
	return out
}

// qualified writes QNames as "{namespace}local"; of an undeclared prefix only
// the local name is left.
func qualified(names []string, prefixes map[string]string) []string {
	for i, n := range names {
		prefix, local, ok := strings.Cut(n, ":")
		if !ok {
			continue
		}
		names[i] = local
		if space := prefixes[prefix]; space != "" && len(space) <= maxText {
			names[i] = "{" + space + "}" + local
		}
	}
	return names
}

// isCamera reports whether an answer may come from a device of interest: one of
// ONVIF's types, or, as types may be missing or badly declared, a scope or an
// address that speaks of ONVIF, or no word at all about what it is.
func isCamera(s Sighting) bool {
	for _, t := range s.Types {
		if strings.HasPrefix(t, "{http://www.onvif.org/") || t == "NetworkVideoTransmitter" {
			return true
		}
	}
	for _, text := range append(s.Scopes, s.XAddrs...) {
		if strings.Contains(strings.ToLower(text), "onvif") {
			return true
		}
	}
	return len(s.Types) == 0 && len(s.XAddrs) > 0
}

// endpoint gives one form to the forms of a UUID that devices use.
func endpoint(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxText || strings.ContainsAny(s, " \t\r\n") {
		return ""
	}
	if bare := bareID(s); len(bare) == 36 && strings.Count(bare, "-") == 4 {
		return "urn:uuid:" + bare
	}
	return s
}

// bareID returns a UUID without "urn:uuid:" or "uuid:", in lower case.
func bareID(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.TrimPrefix(strings.TrimPrefix(s, "urn:"), "uuid:")
}

// addressed sets where to talk to the device: the host that answered, with the
// port of the best address that it gave.
func (s Sighting) addressed(from netip.Addr) Sighting {
	from = from.Unmap()
	port := uint16(80)
	if _, p, ok := bestXAddr(from, s.XAddrs); ok {
		port = p
	}
	s.Address = netip.AddrPortFrom(from, port)
	return s
}

// Service returns the address of the device service: the scheme and the path that
// the device named, on the host and port that answered; ONVIF's usual path when
// it named none.
func (s Sighting) Service() *url.URL {
	u := &url.URL{Scheme: "http", Host: s.Address.String(), Path: "/onvif/device_service"}
	best, port, ok := bestXAddr(s.Address.Addr(), s.XAddrs)
	if !ok || port != s.Address.Port() {
		return u
	}
	u.Scheme = best.Scheme
	if best.Path != "" && best.Path != "/" {
		u.Path, u.RawPath, u.RawQuery = best.Path, best.RawPath, best.RawQuery
	}
	return u
}

// bestXAddr chooses plain HTTP on the very host that answered, then HTTPS there,
// then plain HTTP, then HTTPS: behind a translating router, and in more than one
// camera's factory setting, the host in it is wrong while port and path are right.
func bestXAddr(host netip.Addr, xaddrs []string) (best *url.URL, port uint16, ok bool) {
	rank := 0
	for _, x := range xaddrs {
		u, p, ok := parseXAddr(x)
		if !ok {
			continue
		}
		r := 1
		if u.Scheme == "http" {
			r++
		}
		if namesHost(x, host) {
			r += 2
		}
		if r > rank {
			rank, best, port = r, u, p
		}
	}
	return best, port, rank > 0
}

// namesHost reports whether a service address is on that host. Zones do not count:
// a device does not know ours.
func namesHost(x string, host netip.Addr) bool {
	u, _, ok := parseXAddr(x)
	if !ok {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && a.Unmap().WithZone("") == host.WithZone("")
}

// parseXAddr reads one service address.
func parseXAddr(x string) (*url.URL, uint16, bool) {
	u, err := url.Parse(x)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, 0, false
	}
	def := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	p, err := strconv.ParseUint(cmp.Or(u.Port(), def), 10, 16)
	if err != nil || p == 0 {
		return nil, 0, false
	}
	return u, uint16(p), true
}
