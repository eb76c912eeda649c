package uplink

import (
	"net/netip"
	"slices"
	"time"
)

// left says when each of the collector's addresses was last left because who answers
// there could not work: its database is away, it is being upgraded. Hands it shakes all
// the same, so the order of the addresses alone would lead there again.
type left map[netip.AddrPort]time.Time

// order puts the addresses that were left since a moment behind the others, the one
// longest ago first.
func (l left) order(addrs []netip.AddrPort, since time.Time) {
	when := func(a netip.AddrPort) time.Time {
		if at := l[a]; at.After(since) {
			return at
		}
		return time.Time{}
	}
	slices.SortStableFunc(addrs, func(a, b netip.AddrPort) int { return when(a).Compare(when(b)) })
}

// elsewhere has the next connection lead to another of the collector's addresses, if its
// name has one. Over TCP the balancer sees to that. It tells whether one is left that has
// not been left itself: what the other asked for is nothing to that one.
func (r *transport) elsewhere() bool {
	r.mu.Lock()
	c := r.conn
	if c == nil || r.known < 2 {
		r.mu.Unlock()
		return false
	}
	for at := range r.left { // names change their addresses
		if !r.left[at].After(r.now().Add(-r.retry)) {
			delete(r.left, at)
		}
	}
	r.left[c.at] = r.now()
	fresh := len(r.left) < r.known
	r.mu.Unlock()
	r.drop(c)
	return fresh
}
