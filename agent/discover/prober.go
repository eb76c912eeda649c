package discover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A dialect is one protocol of questions and answers by datagrams.
type dialect interface {
	// questions gives the datagrams of one round, remembering what was asked.
	questions() [][]byte
	// read gives the devices that a datagram names, with address and method. It
	// is called from several goroutines, with anything that can be sent.
	read(datagram []byte, from netip.Addr) ([]Sighting, error)
}

// rounds are when new questions are put, as parts of the window. Each is sent
// once more after a pause (SOAP-over-UDP, appendix I: the same message again
// after 50 to 250 ms), for a packet that was lost; a device that was busy, or that
// takes the repetition for a duplicate although its answer was lost, gets
// another two chances in the second round. The last answer may take 500 ms by
// WS-Discovery's rule and has half the window.
var rounds = [...]float64{0, 0.45}

const (
	minRepeat, maxRepeat = 50 * time.Millisecond, 250 * time.Millisecond

	// maxDatagram is more than UDP can carry: nothing is cut.
	maxDatagram = 64 << 10

	// maxHeard bytes of one host are read on one socket: 64 devices that answer
	// each of 12 questions with 2 KiB, or one that needs 60. What is over it costs no
	// more than its receipt. Each datagram counts overhead more, as it does in time.
	maxHeard      = 2 << 20
	overhead      = 512
	maxHeardHosts = 4096

	readBuffer = 1 << 20 // so that a flood delays but does not displace answers
)

// prober owns one UDP socket: it asks from there, and reads the answers.
type prober struct {
	conn    *net.UDPConn
	to      netip.AddrPort // where its questions go; invalid: it only hears
	dialect dialect
	locate  func(from netip.Addr) (iface string, ok bool) // of the sender; answers from elsewhere are not believed
	found   chan<- Sighting
	log     *slog.Logger

	heard map[netip.Addr]int // bytes of each host; the reader's own
}

// listenOn opens a socket that asks a multicast group on one link.
func listenOn(l link, from netip.Addr, group netip.AddrPort, d dialect, found chan<- Sighting, log *slog.Logger) (*prober, error) {
	network := "udp4"
	if from.Is6() {
		network = "udp6"
		group = netip.AddrPortFrom(group.Addr().WithZone(l.Name), group.Port())
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)))
	if err != nil {
		return nil, fmt.Errorf("listen on %s (%s): %w", l.Name, from, err)
	}
	// One hop: the search is for this network, whatever routers forward.
	if from.Is6() {
		pc := ipv6.NewPacketConn(conn)
		err = errors.Join(pc.SetMulticastInterface(&l.Interface), pc.SetMulticastHopLimit(1), pc.SetMulticastLoopback(true))
	} else {
		pc := ipv4.NewPacketConn(conn)
		err = errors.Join(pc.SetMulticastInterface(&l.Interface), pc.SetMulticastTTL(1), pc.SetMulticastLoopback(true))
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("send multicast on %s (%s): %w", l.Name, from, err)
	}
	return &prober{conn: conn, to: group, dialect: d, found: found, log: log,
		locate: func(a netip.Addr) (string, bool) { return l.Name, l.believes(a) },
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
		if !p.to.IsValid() {
			break
		}
		if !pause(ctx, time.Until(start.Add(time.Duration(part*float64(window))))) {
			return
		}
		questions := p.dialect.questions()
		p.ask(questions, p.to)
		if !pause(ctx, repeatAfter(window)) {
			return
		}
		p.ask(questions, p.to)
	}
	<-ctx.Done()
}

// repeatAfter returns the pause before a repetition; less in a short window.
func repeatAfter(window time.Duration) time.Duration {
	d := minRepeat + rand.N(maxRepeat-minRepeat)
	return time.Duration(float64(d) * min(1, float64(window)/float64(defaultWindow)))
}

// ask sends questions. A host that refused an earlier packet shows as an error
// here, too: it says nothing about the next one.
func (p *prober) ask(questions [][]byte, to netip.AddrPort) {
	for _, q := range questions {
		if _, err := p.conn.WriteToUDPAddrPort(q, to); err != nil {
			p.log.Debug("question not sent", "to", to, "err", err)
		}
	}
}

// read hands over what answers, until the socket is closed.
func (p *prober) read(ctx context.Context) {
	_ = p.conn.SetReadBuffer(readBuffer) // as much as the system allows
	p.heard = map[netip.Addr]int{}
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
			p.log.Debug("answer not read", "err", err)
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

// believe returns the sightings in one datagram, none if it comes from where no
// answer can come from or answers no question. Answers may come from any port.
func (p *prober) believe(datagram []byte, from netip.Addr) []Sighting {
	iface, ok := p.locate(from)
	if !ok {
		p.log.Debug("answer from another network", "from", from)
		return nil
	}
	host := from
	if _, known := p.heard[host]; !known && len(p.heard) >= maxHeardHosts {
		host = netip.Addr{} // all further ones together
	}
	if p.heard[host] += len(datagram) + overhead; p.heard[host] > maxHeard {
		return nil
	}
	found, err := p.dialect.read(datagram, from)
	if err != nil {
		p.log.Debug("answer not understood", "interface", iface, "from", from, "err", err)
		return nil
	}
	now := time.Now()
	for i := range found {
		found[i].Interface, found[i].At = iface, now
	}
	return found
}

// pause waits, or gives false as soon as ctx ends.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
