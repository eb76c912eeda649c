package protocol

import "net/netip"

// SourceOf is what counts as one caller where tries are counted: an IPv4 address, or
// an IPv6 /56. A site gets between a /64 and a /48 (RFC 6177), a home mostly a /56
// (RIPE-690): counted by /64, one subscriber would be 256 callers; counted by /48,
// 256 subscribers one, and a neighbour's tries would shut them out. A holder of a /48
// is as 256 callers: what all may try together has to be far more than theirs. The zero
// Addr, of a caller without address, gives the zero Prefix.
func SourceOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 56
	}
	p, err := a.Prefix(bits)
	if err != nil { // the zero Addr
		return netip.Prefix{}
	}
	return p
}
