package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"google.golang.org/protobuf/proto"

	"anagrafe/protocol/wire"
)

// Handshakes over TCP of which a byte comes now and then: the trial ends them.
func TestSlowHandshakesTCP(t *testing.T) {
	const many = 200
	r := start(t, func(s *Server) { s.arrivals.trial = 500 * time.Millisecond })
	// A real ClientHello, of which they send one byte at a time.
	hello := clientHello(t)
	var ended sync.WaitGroup
	r.attacked(t, 32<<20, func() {
		for range many {
			conn := r.rawTCP(t)
			ended.Go(func() {
				go io.Copy(io.Discard, conn)
				drip := time.NewTicker(20 * time.Millisecond)
				defer drip.Stop()
				for i := range hello { // half a minute
					<-drip.C
					if _, err := conn.Write(hello[i : i+1]); err != nil {
						return
					}
				}
				t.Error("a slow handshake was waited for to its end")
			})
		}
	})
	r.serves(t)
	ended.Wait() // each was closed by the server
	r.stop()
	if n := r.count(t, "connections_open", "h2"); n != 0 {
		t.Errorf("%v connections open", n)
	}
}

// clientHello is what a TLS client says first.
func clientHello(t *testing.T) []byte {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	go func() { _ = tls.Client(there, hostileTLS("h2", nil)).HandshakeContext(t.Context()) }()
	b := make([]byte, 64<<10)
	n, err := here.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// Connections over TCP beyond what one address may have on trial are refused
// before their handshake; those of agents are not counted against it.
func TestTooManyOnTrialTCP(t *testing.T) {
	const few, more = 50, 200
	r := start(t, func(s *Server) {
		now := time.Now()
		s.arrivals.now = func() time.Time { return now } // no token comes back by itself
		s.arrivals.sources.most = few
	})
	for range 3 * few { // proven: they cost nothing
		_, cert, _ := r.agent(t, time.Now())
		c := r.dial(t, "h2", cert)
		if _, err := deliver(t.Context(), c, message(t, time.Now().UnixMicro(), observation())); err != nil {
			t.Fatal(err)
		}
	}
	for range few + more {
		conn, err := net.Dial("tcp", r.Addr())
		if err != nil {
			continue // reset already
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	r.counts(t, reasonTooManyConnections, more)
}

// deaf sends, and hears nothing.
type deaf struct {
	net.PacketConn
	sent atomic.Int64
}

func (d *deaf) WriteTo(p []byte, to net.Addr) (int, error) {
	d.sent.Add(1)
	return d.PacketConn.WriteTo(p, to)
}

func (d *deaf) ReadFrom([]byte) (int, net.Addr, error) {
	b := make([]byte, 2048)
	for {
		if _, _, err := d.PacketConn.ReadFrom(b); err != nil {
			return 0, nil, err
		}
	}
}

// First packets without end over UDP, from someone who may have forged their
// address: from some number on the server keeps nothing of them.
func TestEndlessInitials(t *testing.T) {
	const many = 5 * unseenBurst
	r := start(t, func(s *Server) {
		now := time.Now()
		s.arrivals.now = func() time.Time { return now }
	})
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	d := &deaf{PacketConn: socket}
	transport := &quic.Transport{Conn: d}
	ctx, cancel := context.WithCancel(t.Context())
	var dials sync.WaitGroup
	r.attacked(t, 96<<20, func() {
		for range many {
			dials.Go(func() {
				if conn, err := transport.Dial(ctx, r.udpAddr(t), hostileTLS("h3", nil), &quic.Config{HandshakeIdleTimeout: time.Minute}); err == nil {
					_ = conn.CloseWithError(0, "")
					t.Error("a deaf client shook hands")
				}
			})
		}
		for d.sent.Load() < 2*many { // a ClientHello takes two packets
			runtime.Gosched()
		}
	})
	r.serves(t)
	cancel()
	dials.Wait()
	_ = transport.Close()
	_ = socket.Close()
	r.stop()
	// Each handshake that was begun, and no more: also the agents' own were.
	if n := r.count(t, "refused_total", string(reasonUnproven)); n == 0 || n > unseenBurst {
		t.Errorf("%v handshakes were begun for one address that never showed to be its own, at most %d are meant", n, unseenBurst)
	}
}

// A QUIC client that shows its address, and nothing else, is refused when it
// comes too often, before its handshake.
func TestTooManyOnTrialQUIC(t *testing.T) {
	const few, more = 20, 20
	r := start(t, func(s *Server) {
		now := time.Now()
		s.arrivals.now = func() time.Time { return now }
		s.arrivals.sources.most, s.arrivals.unseen.most = few, 0
	})
	for range few {
		r.rawQUIC(t, nil)
	}
	for range more {
		if conn, err := quic.DialAddr(t.Context(), r.Addr(), hostileTLS("h3", nil), nil); err == nil {
			_ = conn.CloseWithError(0, "")
			t.Fatal("let in")
		}
	}
	// Each of the packets that a ClientHello takes is refused by itself.
	r.countsAtLeast(t, reasonTooManyConnections, more)
}

// Connections that prove nothing do not stay, however alive they are; those of
// agents do.
func TestIdleStrangersLeave(t *testing.T) {
	for _, transport := range transports {
		r := start(t, func(s *Server) { s.arrivals.trial = time.Second })
		_, cert, _ := r.agent(t, time.Now())
		agent := r.dial(t, transport, cert)
		if _, err := deliver(t.Context(), agent, message(t, time.Now().UnixMicro(), observation())); err != nil {
			t.Fatal(err)
		}
		if transport == "h3" {
			<-r.rawQUIC(t, nil).Context().Done()
		} else {
			conn, err := tls.Dial("tcp", r.Addr(), hostileTLS("h2", nil))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
		r.counts(t, reasonUnproven, 1)
		if _, err := deliver(t.Context(), agent, message(t, time.Now().UnixMicro(), observation())); err != nil {
			t.Fatal(err)
		}
		if n := r.count(t, "connections_total", transport); n != 2 {
			t.Errorf("%s: %v connections, want the agent's and the stranger's", transport, n)
		}
	}
}

// An agent on a slow line is no stranger: its first message may take longer
// than the trial.
func TestSlowAgentStays(t *testing.T) {
	for _, transport := range transports {
		r := start(t, func(s *Server) { s.arrivals.trial = 500 * time.Millisecond })
		_, cert, _ := r.agent(t, time.Now())
		c := r.dial(t, transport, cert)
		body, err := proto.Marshal(&wire.DeliverRequest{Message: message(t, 1, observation())})
		if err != nil {
			t.Fatal(err)
		}
		from, to := io.Pipe()
		answered := make(chan error, 1)
		go func() {
			resp, err := c.http.Post(c.url+wire.DeliveryServiceDeliverProcedure, "application/proto", from)
			if err == nil {
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					err = errors.New(resp.Status)
				}
			}
			answered <- err
		}()
		if _, err := to.Write(body[:1]); err != nil {
			t.Fatal(err)
		}
		// Who came after the agent and proves nothing is gone.
		<-r.rawQUIC(t, nil).Context().Done()
		if _, err := to.Write(body[1:]); err != nil {
			t.Fatal(err)
		}
		_ = to.Close()
		if err := <-answered; err != nil {
			t.Errorf("%s: %v", transport, err)
		}
	}
}
