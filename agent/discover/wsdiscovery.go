package discover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
)

// multicastGroup of WS-Discovery.
var multicastGroup = netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 255, 255, 250}), 3702)

// rounds are when the questions are put, as parts of the window: a lost packet
// and a device that was busy get another two chances.
var rounds = [...]float64{0, 0.2, 0.5}

// maxDatagram is more than UDP over IPv4 can carry: nothing is cut.
const maxDatagram = 64 << 10

// prober owns one UDP socket: it asks from there, and reads the answers.
type prober struct {
	conn  *net.UDPConn
	iface string                  // "" for targets
	to    func() []netip.AddrPort // where the questions go
	ours  func(netip.Addr) bool   // answers from elsewhere are not believed
	found chan<- Sighting
	log   *slog.Logger

	mu    sync.Mutex
	asked map[string]Method // by the id of the probe
}

// listenOn opens the socket for one network of an interface.
func listenOn(l link, from netip.Addr, found chan<- Sighting, log *slog.Logger) (*prober, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)))
	if err != nil {
		return nil, fmt.Errorf("listen on %s (%s): %w", l.Name, from, err)
	}
	pc := ipv4.NewPacketConn(conn)
	// One hop: the search is for this network, whatever routers forward.
	err = errors.Join(pc.SetMulticastInterface(&l.Interface), pc.SetMulticastTTL(1), pc.SetMulticastLoopback(true))
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("send multicast on %s (%s): %w", l.Name, from, err)
	}
	return &prober{conn: conn, iface: l.Name, found: found, log: log, asked: map[string]Method{},
		to: func() []netip.AddrPort { return []netip.AddrPort{multicastGroup} },
	}, nil
}

// listenForTargets opens the socket for questions to single hosts.
func listenForTargets(hosts []netip.Addr, found chan<- Sighting, log *slog.Logger) (*prober, error) {
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return nil, fmt.Errorf("listen for the answers of targets: %w", err)
	}
	return &prober{conn: conn, found: found, log: log, asked: map[string]Method{},
		to: func() []netip.AddrPort {
			to := make([]netip.AddrPort, len(hosts))
			for i, h := range hosts {
				to[i] = netip.AddrPortFrom(h, multicastGroup.Port())
			}
			return to
		},
		ours: func(a netip.Addr) bool { return slices.Contains(hosts, a) },
	}, nil
}

// run asks and listens until the window has passed or ctx ends. It returns when
// its reader has ended.
func (p *prober) run(ctx context.Context, window time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, window)
	defer cancel()
	var reader sync.WaitGroup
	reader.Go(func() { p.read(ctx) })
	defer reader.Wait()
	defer p.conn.Close()

	start := time.Now()
	for _, part := range rounds {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(start.Add(time.Duration(part * float64(window))))):
		}
		if !p.ask(ctx) {
			break
		}
	}
	<-ctx.Done()
}

// ask puts the three questions to every destination.
func (p *prober) ask(ctx context.Context) bool {
	probes := newProbes()
	p.mu.Lock()
	for _, q := range probes {
		p.asked[q.id] = q.method
	}
	p.mu.Unlock()
	for _, to := range p.to() {
		for _, q := range probes {
			if ctx.Err() != nil {
				return false
			}
			// A host that refused an earlier packet shows as an error here, too:
			// it says nothing about the others.
			if _, err := p.conn.WriteToUDPAddrPort(q.packet, to); err != nil {
				p.log.Debug("probe not sent", "interface", p.iface, "to", to.Addr(), "err", err)
			}
		}
	}
	return true
}

// read hands over what answers, until the socket is closed.
func (p *prober) read(ctx context.Context) {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // such as "port unreachable" from one target
			if ctx.Err() != nil {
				return
			}
			p.log.Debug("answer not read", "interface", p.iface, "err", err)
			if !pause(ctx, 10*time.Millisecond) { // should an error stay, this is no busy loop
				return
			}
			continue
		}
		for _, s := range p.believe(buf[:n], from.Addr().Unmap()) {
			select {
			case p.found <- s:
			case <-ctx.Done():
				return
			}
		}
	}
}

// believe gives the sightings in one datagram, none if it answers no question
// of this socket. Answers may come from any port.
func (p *prober) believe(datagram []byte, from netip.Addr) []Sighting {
	if p.ours != nil && !p.ours(from) {
		return nil
	}
	relatesTo, found, err := readMatches(datagram)
	if err != nil {
		p.log.Debug("answer not understood", "interface", p.iface, "from", from, "err", err)
		return nil
	}
	p.mu.Lock()
	method, ok := p.asked[relatesTo]
	p.mu.Unlock()
	if !ok {
		p.log.Debug("answer to no question of ours", "interface", p.iface, "from", from)
		return nil
	}
	now := time.Now()
	for i, s := range found {
		s = s.addressed(from)
		s.Interface, s.Methods, s.At = p.iface, []Method{method}, now
		found[i] = s
	}
	return found
}

// pause waits, or gives false as soon as ctx ends.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
