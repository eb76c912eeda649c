package uplink

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	// attemptDelay is how long an address has for an answer before the next is
	// tried beside it: the Connection Attempt Delay of RFC 8305, section 5.
	attemptDelay = 250 * time.Millisecond
	maxAttempts  = 8 // addresses of one name
)

// attempt is how dialling one address ended.
type attempt struct {
	conn *h3conn
	err  error
}

// dial tries the collector's addresses, families by turns, each a little after
// the one before it, and takes the first that shakes hands: a collector may
// have several hosts, one of which is down, or was left (elsewhere.go). A TLS error
// of any is the answer.
func (r *transport) dial(ctx context.Context) (*h3conn, error) {
	addrs, err := r.addresses(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.left.order(addrs, r.now().Add(-r.retry))
	r.known = len(addrs)
	r.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan attempt, len(addrs))
	started := 0
	start := func() {
		to := net.UDPAddrFromAddrPort(addrs[started])
		started++
		go func() {
			c, err := r.dialAddr(ctx, to)
			ended <- attempt{c, err}
		}()
	}
	// All that was started has ended before this returns.
	var errs []error
	left := func() {
		cancel()
		for ; started > len(errs); errs = append(errs, nil) {
			if late := <-ended; late.conn != nil {
				late.conn.close()
			}
		}
	}
	defer left()

	start()
	next := time.NewTicker(attemptDelay)
	defer next.Stop()
	for len(errs) < len(addrs) {
		select {
		case <-next.C:
			if started < len(addrs) {
				start()
			}
			continue
		case a := <-ended:
			errs = append(errs, a.err)
			if a.err == nil || ctx.Err() != nil || handshakeReason(a.err) != "" {
				return a.conn, a.err
			}
		}
		if started == len(errs) && started < len(addrs) {
			start() // nothing is under way: no reason to wait
		}
	}
	return nil, errors.Join(errs...)
}

// lookUp returns the addresses of the collector's name, IPv6 and IPv4 by turns,
// beginning with the family that the resolver names first.
func (r *transport) lookUp(ctx context.Context) ([]netip.AddrPort, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", r.host)
	if err != nil {
		return nil, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "udp", r.port)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return nil, errors.New("the collector's name has no address")
	}
	var first, other []netip.AddrPort
	for _, ip := range ips {
		ip = ip.Unmap()
		if at := netip.AddrPortFrom(ip, uint16(port)); ip.Is6() == ips[0].Unmap().Is6() {
			first = append(first, at)
		} else {
			other = append(other, at)
		}
	}
	var all []netip.AddrPort
	for i := range max(len(first), len(other)) {
		if i < len(first) {
			all = append(all, first[i])
		}
		if i < len(other) {
			all = append(all, other[i])
		}
	}
	return all[:min(len(all), maxAttempts)], nil
}
