// Package proxied reads the PROXY protocol, by which a TCP balancer (HAProxy) announces the
// caller's address at the start of each connection. It hides the balancer: all code behind
// the listener counts, limits and logs the caller's address. Main's faces (package web) and
// ingest listen through it.
//
// The operator lists the balancers by address. A connection from a balancer must begin with
// a header, or it is closed; in any other connection a header is ordinary data.
package proxied

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"
)

// headerTime is how long a balancer may take for its header, which it sends at once.
const headerTime = 3 * time.Second

// Listen listens on TCP. Connections from balancers come with their callers' addresses.
func Listen(addr string, balancers []netip.Prefix) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil || len(balancers) == 0 {
		return l, err
	}
	d := &door{Listener: l, balancers: balancers, come: make(chan arrival)}
	d.ctx, d.end = context.WithCancel(context.Background())
	d.working.Go(d.accept)
	return d, nil
}

// door hands connections on once it is known who calls.
type door struct {
	net.Listener
	balancers []netip.Prefix
	come      chan arrival
	ctx       context.Context // ends with Close
	end       context.CancelFunc
	working   sync.WaitGroup
}

type arrival struct {
	conn net.Conn
	err  error
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	select {
	case a := <-d.come:
		return a.conn, a.err
	case <-d.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener; connections that were not handed on are closed.
func (d *door) Close() error {
	d.end()
	err := d.Listener.Close()
	d.working.Wait()
	return err
}

// accept takes what comes; a balancer that is slow keeps nobody else waiting.
func (d *door) accept() {
	for {
		c, err := d.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || !d.ofBalancer(c):
			d.hand(c, err)
		default:
			d.working.Go(func() { d.introduce(c) })
		}
	}
}

func (d *door) ofBalancer(c net.Conn) bool {
	at, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	from := at.AddrPort().Addr().Unmap()
	return slices.ContainsFunc(d.balancers, func(p netip.Prefix) bool { return p.Contains(from) })
}

// introduce reads who calls.
func (d *door) introduce(c net.Conn) {
	stop := context.AfterFunc(d.ctx, func() { _ = c.Close() })
	known := proxyproto.NewConn(c, proxyproto.WithPolicy(proxyproto.REQUIRE), proxyproto.SetReadHeaderTimeout(headerTime))
	header := known.ProxyHeader()
	if !stop() || header == nil {
		_ = c.Close()
		return
	}
	d.hand(known, nil)
}

func (d *door) hand(c net.Conn, err error) {
	select {
	case d.come <- arrival{c, err}:
	case <-d.ctx.Done():
		if c != nil {
			_ = c.Close()
		}
	}
}
