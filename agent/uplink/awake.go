package uplink

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	// lookAround is how often to look whether this machine slept or moved. It
	// costs a socket that sends nothing.
	lookAround = 10 * time.Second
	// asleep is the least sleep that is worth a new connection: the collector
	// keeps one for a minute of silence.
	asleep = 30 * time.Second
	// probeTimeout is how long the way from a new address is tried.
	probeTimeout = 3 * time.Second
	// mostMoves is how often one connection moves. Each leaves a socket behind
	// until the connection ends.
	mostMoves = 4
)

var (
	errSlept = errors.New("this machine was asleep")
	errMoved = errors.New("this machine has another address")
)

// stayAwake ends the session with errSlept or errMoved when its connections are
// of no more use: the next session then connects at once, not when timers that
// stood still, or a back-off from when there was no network, have run out.
func (u *Uplink) stayAwake(ctx context.Context, l *line) error {
	select { // before it there is nothing to lose
	case <-l.transport.dialled:
	case <-ctx.Done():
		return nil
	}
	wall, steady := u.now(), u.steady()
	last, _ := l.transport.local()
	for pause(ctx, u.pace.look) {
		w, s := u.now(), u.steady()
		// A machine that sleeps stops its monotonic clock, on most systems; on the
		// others the transport's own timers go on and find the silence.
		slept := w.Round(0).Sub(wall.Round(0)) - (s - steady)
		wall, steady = w, s
		if slept > asleep {
			u.log.InfoContext(ctx, "this machine was asleep: connecting again", "for", slept.Round(time.Second))
			return errSlept
		}
		addr, ok := l.transport.local()
		if !ok { // no network now
			last = netip.Addr{}
			continue
		}
		switch moved, err := l.transport.follow(ctx, addr); {
		case err != nil:
			u.log.InfoContext(ctx, "this machine has another address: connecting again", "err", err)
			return errMoved
		case moved:
			u.log.InfoContext(ctx, "this machine has another address: the connection goes on from there")
		case last != addr && !l.transport.connected() && !l.parking.resting():
			return errMoved
		}
		last = addr
	}
	return nil
}

// towards notes where UDP is tried.
func (r *transport) towards(to *net.UDPAddr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == nil {
		close(r.dialled)
	}
	r.to = to
}

// local is this machine's address towards the collector; not ok when there is
// none. It is called after the first dial.
func (r *transport) local() (netip.Addr, bool) {
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	return r.localTo(to)
}

// localTo asks the system which address it would send from. Nothing is sent.
func localTo(to *net.UDPAddr) (netip.Addr, bool) {
	c, err := net.DialUDP("udp", nil, to)
	if err != nil {
		return netip.Addr{}, false
	}
	defer c.Close()
	a, ok := netip.AddrFromSlice(c.LocalAddr().(*net.UDPAddr).IP)
	return a.Unmap(), ok
}

// connected reports whether there is a QUIC connection.
func (r *transport) connected() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conn != nil && r.conn.alive()
}

// follow moves the QUIC connection, if there is one, to this machine's address
// of now (RFC 9000, section 9): the notice stream goes on. moved is false when
// there was nothing to do.
func (r *transport) follow(ctx context.Context, addr netip.Addr) (moved bool, err error) {
	r.mu.Lock()
	c := r.conn
	r.mu.Unlock()
	if c == nil || !c.alive() || c.local == addr {
		return false, nil
	}
	if err := c.move(ctx); err != nil {
		return false, err
	}
	c.local = addr // only follow reads it, and only stayAwake calls that
	return true, nil
}
