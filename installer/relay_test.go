package installer

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// relay stands between an agent and a collector, on UDP and TCP with the same
// port, and loses what a test tells it to lose. It reads nothing: all is
// encrypted between the two ends.
type relay struct {
	addr   string                 // of its own, 127.0.0.1:port
	target atomic.Pointer[string] // host:port

	dropUp   atomic.Bool  // UDP, agent to collector
	dropDown atomic.Bool  // both, collector to agent
	up, down atomic.Int64 // bytes that went, UDP and TCP

	mu      sync.Mutex
	flows   map[string]*net.UDPConn // by the agent's address
	conns   map[net.Conn]struct{}
	largest int // bytes of one datagram
	tasks   sync.WaitGroup
	tcp     net.Listener
	udp     *net.UDPConn
}

// newRelay opens a relay to target (host:port) and closes it after the test.
func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	r := &relay{flows: map[string]*net.UDPConn{}, conns: map[net.Conn]struct{}{}}
	r.target.Store(&target)
	var err error
	for range 20 { // a port that is free on both
		if r.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		udp, udpErr := net.ListenPacket("udp", r.tcp.Addr().String())
		if udpErr == nil {
			r.udp = udp.(*net.UDPConn)
			break
		}
		err = errors.Join(udpErr, r.tcp.Close())
	}
	if r.udp == nil {
		t.Fatal("no port free on UDP and TCP: ", err)
	}
	r.addr = r.tcp.Addr().String()
	r.tasks.Go(r.acceptTCP)
	r.tasks.Go(r.readUDP)
	t.Cleanup(r.close)
	return r
}

func (r *relay) close() {
	_ = r.tcp.Close()
	_ = r.udp.Close()
	r.mu.Lock()
	for _, f := range r.flows {
		_ = f.Close()
	}
	for c := range r.conns {
		_ = c.Close()
	}
	r.mu.Unlock()
	r.tasks.Wait()
}

func (r *relay) readUDP() {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := r.udp.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		if r.dropUp.Load() {
			continue
		}
		flow, err := r.flow(from)
		if err != nil {
			continue
		}
		r.up.Add(int64(n))
		r.measured(n)
		_, _ = flow.Write(buffer[:n]) // a collector that is down refuses: that is a loss like any other
	}
}

func (r *relay) measured(datagram int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.largest = max(r.largest, datagram)
}

func (r *relay) flow(from *net.UDPAddr) (*net.UDPConn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.flows[from.String()]; ok {
		return f, nil
	}
	to, err := net.ResolveUDPAddr("udp", *r.target.Load())
	if err != nil {
		return nil, err
	}
	f, err := net.DialUDP("udp", nil, to)
	if err != nil {
		return nil, err
	}
	r.flows[from.String()] = f
	r.tasks.Go(func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := f.Read(buffer)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil || r.dropDown.Load() {
				continue // "connection refused" comes back while the collector is down
			}
			r.down.Add(int64(n))
			r.measured(n)
			_, _ = r.udp.WriteToUDP(buffer[:n], from)
		}
	})
	return f, nil
}

func (r *relay) acceptTCP() {
	for {
		in, err := r.tcp.Accept()
		if err != nil {
			return
		}
		out, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", *r.target.Load())
		if err != nil {
			_ = in.Close()
			continue
		}
		r.mu.Lock()
		r.conns[in], r.conns[out] = struct{}{}, struct{}{}
		r.mu.Unlock()
		r.tasks.Go(func() { r.pipe(out, in, func(n int) bool { r.up.Add(int64(n)); return true }) })
		r.tasks.Go(func() {
			r.pipe(in, out, func(n int) bool { r.down.Add(int64(n)); return !r.dropDown.Load() })
		})
	}
}

func (r *relay) pipe(to, from net.Conn, pass func(int) bool) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && pass(n) {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
