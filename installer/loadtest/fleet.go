package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/time/rate"

	"anagrafe/protocol"
)

// fleet is all the agents of this process.
type fleet struct {
	collector string // https://host:port
	host      string
	servers   []*net.UDPAddr // the addresses of its name
	roots     *x509.CertPool // what the collector's certificate must lead to
	sockets   []*quic.Transport
	agents    []*agent
	ledger    *ledger

	inflight int
	pace     *rate.Limiter

	up      atomic.Int64 // agents that are connected and acknowledged
	resumed atomic.Int64 // TLS sessions
	failed  failures
	heard   heard
	staying sync.WaitGroup
	leave   context.CancelFunc // ends those that stay
	stayed  context.Context    // ends then; nil: nobody stays
}

// patience is how long all agents may take to connect.
const patience = 5 * time.Minute

// newFleet reads the links and opens the sockets; nobody calls yet.
func newFleet(ctx context.Context, p plan, links []string) (*fleet, error) {
	f := &fleet{inflight: p.inflight, pace: rate.NewLimiter(rate.Inf, 1), leave: func() {}}
	if p.rate > 0 {
		f.pace.SetLimit(rate.Limit(p.rate))
	}
	var err error
	if f.ledger, err = openLedger(p.ledger); err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	var pin string
	for i, text := range links {
		link, err := protocol.ParseLink(text)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			f.collector, pin = link.Collector, link.Pin
		} else if link.Collector != f.collector || link.Pin != pin {
			return nil, errors.New("the codes are of several collectors: play against one at a time")
		}
		f.agents = append(f.agents, &agent{fleet: f, number: i, code: link.Code.String(), cameras: cameras})
	}
	if err := f.find(ctx); err != nil {
		return nil, err
	}
	if f.roots, err = authority(ctx, f.collector, pin); err != nil {
		return nil, fmt.Errorf("recognise the collector: %w", err)
	}
	return f, f.open(p.sockets)
}

// find resolves the collector's addresses once, not 10,000 times.
func (f *fleet) find(ctx context.Context) error {
	u, err := url.Parse(f.collector)
	if err != nil {
		return err
	}
	f.host = u.Hostname()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", f.host)
	if err != nil {
		return err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "udp", u.Port())
	if err != nil {
		return err
	}
	four := slices.ContainsFunc(ips, func(ip netip.Addr) bool { return ip.Unmap().Is4() })
	for _, ip := range ips {
		if ip = ip.Unmap(); ip.Is4() == four {
			f.servers = append(f.servers, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(port))))
		}
	}
	return nil
}

// open opens the sockets. On loopback each has an address of its own, as the
// agents of a city have, so that what the collector counts for each address
// does not take them all for one.
func (f *fleet) open(n int) error {
	for i := range n {
		local := &net.UDPAddr{}
		if f.servers[0].IP.IsLoopback() && f.servers[0].IP.To4() != nil {
			local.IP = net.IPv4(127, 0, 1, byte(i+1))
		}
		socket, err := net.ListenUDP("udp", local)
		if err != nil {
			f.close()
			return err
		}
		f.sockets = append(f.sockets, &quic.Transport{Conn: socket, ConnectionIDLength: 8})
	}
	return nil
}

// close ends those that stay, and closes the sockets.
func (f *fleet) close() {
	f.leave()
	f.staying.Wait()
	for _, s := range f.sockets {
		_ = s.Close()
		_ = s.Conn.Close()
	}
	_ = f.ledger.close() // all its lines are on disk
}

// authority returns the pool that the collector's certificate must lead to: the
// one with the pinned key; nil, the system's, without a pin. It asks once, over
// TCP, so that the agents need not look for the pin at each call.
func authority(ctx context.Context, collector, pin string) (*x509.CertPool, error) {
	if pin == "" {
		return nil, nil
	}
	u, err := url.Parse(collector)
	if err != nil {
		return nil, err
	}
	// Nothing is sent here; what is found is verified at each connection.
	d := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, NextProtos: []string{"h2"}}}
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	for _, c := range conn.(*tls.Conn).ConnectionState().PeerCertificates {
		if c.IsCA && protocol.PinOf(c.RawSubjectPublicKeyInfo) == pin {
			pool := x509.NewCertPool()
			pool.AddCert(c)
			return pool, nil
		}
	}
	return nil, errors.New("it does not show the authority that the link names")
}

// together is the context of those that stay until leave is called.
func (f *fleet) together() context.Context {
	if f.stayed == nil || f.stayed.Err() != nil {
		f.stayed, f.leave = context.WithCancel(context.Background()) // they end with the fleet
	}
	return f.stayed
}

// each has every agent do something once.
func (f *fleet) each(ctx context.Context, do func(context.Context, *agent) error) (phase, error) {
	return f.all(ctx, f.agents, do)
}

// all has agents do something once, so many at a time, again until it succeeds. It ends
// at once with what can only go wrong again.
func (f *fleet) all(ctx context.Context, agents []*agent, do func(context.Context, *agent) error) (phase, error) {
	var next atomic.Int64
	var failed failures
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	start := time.Now()
	var workers sync.WaitGroup
	for range min(f.inflight, len(agents)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(agents) && f.pace.Wait(ctx) == nil; i = next.Add(1) - 1 {
				if err := attempts(ctx, &failed, func() error { return do(ctx, agents[i]) }); err != nil {
					stop(fmt.Errorf("agent %d: %w", i, err))
				}
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return phase{}, context.Cause(ctx)
	}
	return phase{Done: len(agents), Failed: failed.take(), Seconds: time.Since(start).Seconds()}, nil
}

// until waits for a number of agents to be up, and not for ever.
func (f *fleet) until(ctx context.Context, ready func(up int) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for !ready(int(f.up.Load())) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d agents are connected, attempts failed with %v: %w", f.up.Load(), len(f.agents), f.failed.take(), context.Cause(ctx))
		case <-again.C:
		}
	}
	return nil
}
