package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"anagrafe/protocol"
)

// A handshake costs the collector about 1.3 ms of a core and 60 KiB, and a
// stranger nothing: so a connection is on trial until one of its calls is
// admitted (a certificate of an agent that may speak, or a good code). Each
// arrival takes a token and gets it back when it has proven itself: agents come
// as fast as they can be served, even ten thousand behind one address, and only
// unproven connections run out of tokens. A bound on how many are on trial at
// once would be no defence: strangers would fill it.
//
// With these numbers one source costs at most 3 % of a core, and holds at most
// 1,000 + 20 x 30 s = 1,600 connections, about 100 MiB; all sources together
// 2,000 + 200 x 30 s = 8,000, about 500 MiB.
const (
	trialTime  = 30 * time.Second // from its arrival, to prove itself
	trialCalls = 32               // on one connection: calls to prove itself with
	maxSources = 16384            // addresses that are kept in mind

	sourceBurst, sourceRate   = 1000, 20  // arrivals on trial, of one address that is its own
	allBurst, allRate         = 2000, 200 // of all of them
	unseenBurst, unseenRate   = 100, 20   // over UDP, in the name of one address, before it must show that it is its own (Retry)
	unseenAllBurst, unseenAll = 1000, 100 // of all of them
)

// arrivals are the tokens of connections on trial. Whoever forges addresses
// takes tokens of the unseen only, and has everyone else make one round trip
// more.
type arrivals struct {
	now       func() time.Time
	trial     time.Duration // trialTime, shorter in tests
	sources   *buckets[netip.Prefix]
	all       *buckets[struct{}]
	unseen    *buckets[netip.Prefix]
	unseenAll *buckets[struct{}]
}

func newArrivals(now func() time.Time) *arrivals {
	return &arrivals{now: now, trial: trialTime,
		sources:   newBuckets[netip.Prefix](limit{sourceBurst, sourceRate}, maxSources),
		all:       newBuckets[struct{}](limit{allBurst, allRate}, 1),
		unseen:    newBuckets[netip.Prefix](limit{unseenBurst, unseenRate}, maxSources),
		unseenAll: newBuckets[struct{}](limit{unseenAllBurst, unseenAll}, 1)}
}

// mustShow is quic.Transport's VerifySourceAddress: whether a client must first
// show that it receives what is sent to its address.
func (a *arrivals) mustShow(addr net.Addr) bool {
	from, now := protocol.SourceOf(addrOf(addr)), a.now()
	if _, ok := a.unseen.take(from, 1, now); !ok {
		return true
	}
	if _, ok := a.unseenAll.take(struct{}{}, 1, now); !ok {
		a.unseen.add(from, 1, now)
		return true
	}
	return false
}

// arrive lets a connection in, on trial, or gives nil. seen: its address is
// its own; one that is not has passed mustShow.
func (a *arrivals) arrive(addr net.Addr, seen bool) *arrival {
	x := &arrival{of: a, from: protocol.SourceOf(addrOf(addr)), seen: seen}
	if !seen {
		return x
	}
	now := a.now()
	if _, ok := a.sources.take(x.from, 1, now); !ok {
		return nil
	}
	if _, ok := a.all.take(struct{}{}, 1, now); !ok {
		a.sources.add(x.from, 1, now)
		return nil
	}
	return x
}

func (a *arrivals) giveBack(x *arrival) {
	sources, all, now := a.sources, a.all, a.now()
	if !x.seen {
		sources, all = a.unseen, a.unseenAll
	}
	sources.add(x.from, 1, now)
	all.add(struct{}{}, 1, now)
}

// arrival is one connection as the trial sees it. A nil arrival, of a handler
// without listener, is never on trial.
type arrival struct {
	of   *arrivals
	from netip.Prefix
	seen bool

	mu     sync.Mutex
	proven bool
	calls  int         // made on trial
	timer  *time.Timer // ends the connection with the trial
	close  func()
}

type arrivalKey struct{}

func arrivalOf(ctx context.Context) *arrival {
	x, _ := ctx.Value(arrivalKey{}).(*arrival)
	return x
}

// begin starts the clock of the trial. close ends the connection.
func (x *arrival) begin(close func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.close = close
	x.timer = time.AfterFunc(x.of.trial, close)
}

// call counts a call, and reports whether it may be made.
func (x *arrival) call() bool {
	if x == nil {
		return true
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calls++
	return x.proven || x.calls <= trialCalls
}

func (x *arrival) onTrial() bool {
	if x == nil {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.proven
}

// prove ends the trial well.
func (x *arrival) prove() {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.proven {
		return
	}
	x.proven = true
	x.of.giveBack(x)
	if x.timer != nil {
		x.timer.Stop()
	}
}

// end is called when the connection is over. It tells whether it had proven
// itself.
func (x *arrival) end() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.timer != nil {
		x.timer.Stop()
	}
	return x.proven
}

// addrOf reads an address as net gives it; zero if it is of no kind known.
func addrOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.AddrPort().Addr()
	case *net.UDPAddr:
		return a.AddrPort().Addr()
	}
	return netip.Addr{}
}

var errTooMany = errors.New("too many connections that prove nothing")

// arriveQUIC is quic.Transport's ConnContext. An error refuses the connection
// before anything of it is decrypted.
func (s *Server) arriveQUIC(ctx context.Context, c *quic.ClientInfo) (context.Context, error) {
	x := s.arrivals.arrive(c.RemoteAddr, c.AddrVerified)
	if x == nil {
		s.metrics.refused.WithLabelValues(string(reasonTooManyConnections)).Inc()
		return nil, errTooMany
	}
	// Also of one whose handshake does not come to its end.
	context.AfterFunc(ctx, func() { s.ended(x) })
	return context.WithValue(ctx, arrivalKey{}, x), nil
}

// ended counts a connection that is over.
func (s *Server) ended(x *arrival) {
	if !x.end() {
		s.metrics.refused.WithLabelValues(string(reasonUnproven)).Inc()
	}
}

// door is the TCP listener. Its Accept does nothing that could wait.
type door struct {
	net.Listener
	server *Server
}

// Accept returns the next connection that may come in.
func (d door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		x := d.server.arrivals.arrive(c.RemoteAddr(), true)
		if x != nil {
			d.server.metrics.connections.WithLabelValues("h2").Inc()
			d.server.metrics.open.WithLabelValues("h2").Inc()
			x.begin(func() { _ = c.Close() })
			return &visitor{Conn: c, arrival: x, over: sync.OnceFunc(func() {
				d.server.metrics.open.WithLabelValues("h2").Dec()
				d.server.ended(x)
			})}, nil
		}
		d.server.metrics.refused.WithLabelValues(string(reasonTooManyConnections)).Inc()
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset: it leaves no state here
		}
		_ = c.Close()
	}
}

// visitor is a TCP connection that knows its arrival.
type visitor struct {
	net.Conn
	arrival *arrival
	over    func()
}

// Close also ends the trial.
func (v *visitor) Close() error {
	v.over()
	return v.Conn.Close()
}

// withVisitor is http.Server's ConnContext.
func withVisitor(ctx context.Context, c net.Conn) context.Context {
	if secured, ok := c.(*tls.Conn); ok {
		if v, ok := secured.NetConn().(*visitor); ok {
			return context.WithValue(ctx, arrivalKey{}, v.arrival)
		}
	}
	return ctx
}
