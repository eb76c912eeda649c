package ingest

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"google.golang.org/protobuf/proto"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// eager is a session cache that says of each session that its server takes
// early data, whatever the server said.
type eager struct {
	mu   sync.Mutex
	kept map[string]*tls.ClientSessionState
}

func (e *eager) Put(key string, s *tls.ClientSessionState) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept[key] = s
}

func (e *eager) Get(key string) (*tls.ClientSessionState, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.kept[key]
	if s == nil {
		return nil, false
	}
	ticket, state, err := s.ResumptionState()
	if err != nil {
		return nil, false
	}
	state.EarlyData = true
	forced, err := tls.NewResumptionState(ticket, state)
	return forced, err == nil
}

// kept remembers what a client sends, packet by packet.
type kept struct {
	net.PacketConn
	mu      sync.Mutex
	packets [][]byte
}

func (k *kept) WriteTo(p []byte, to net.Addr) (int, error) {
	k.mu.Lock()
	k.packets = append(k.packets, bytes.Clone(p))
	k.mu.Unlock()
	return k.PacketConn.WriteTo(p, to)
}

// deliverEarly delivers a message over a new connection, in early data if the
// client can bring itself to it. It gives the packets that it sent.
func (r *rig) deliverEarly(t *testing.T, config *tls.Config, message []byte) (packets [][]byte, early bool) {
	t.Helper()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	k := &kept{PacketConn: socket}
	transport := &quic.Transport{Conn: k}
	defer func() { _ = transport.Close(); _ = socket.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := transport.DialEarly(ctx, r.udpAddr(t), config, &quic.Config{Allow0RTT: true})
	if err != nil {
		t.Fatal(err)
	}
	body, err := proto.Marshal(&wire.DeliverRequest{Message: message})
	if err != nil {
		t.Fatal(err)
	}
	h := (&http3.Transport{}).NewClientConn(conn)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+r.Addr()+wire.DeliveryServiceDeliverProcedure, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/proto")
	resp, err := h.RoundTrip(req)
	if err != nil {
		t.Logf("the request in early data: %v", err)
	} else {
		_ = resp.Body.Close()
	}
	<-conn.HandshakeComplete()
	early = conn.ConnectionState().Used0RTT
	_ = conn.CloseWithError(0, "")
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.packets, early
}

// Early data could be recorded on the line and sent again by anyone: the server
// takes none, with and without a session to resume; and a whole connection that
// is sent again, packet by packet and from elsewhere, does nothing a second
// time.
func TestReplay(t *testing.T) {
	r := start(t, nil)
	_, cert, _ := r.agent(t, time.Now())
	config := hostileTLS("h3", cert)
	config.ServerName = "127.0.0.1"
	config.ClientSessionCache = &eager{kept: map[string]*tls.ClientSessionState{}}
	const rounds = 3 // the first cannot have a session
	for i := range rounds {
		m := message(t, int64(i+1), protocol.Observation{})
		packets, early := r.deliverEarly(t, config, m)
		if early {
			t.Error("early data was accepted")
		}
		before := r.count(t, "messages_recorded_total", "observation")
		elsewhere, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer elsewhere.Close()
		if len(packets) < 4 {
			t.Fatalf("only %d packets were recorded", len(packets))
		}
		for range 3 {
			for _, p := range packets {
				if _, err := elsewhere.WriteTo(p, r.udpAddr(t)); err != nil {
					t.Fatal(err)
				}
				runtime.Gosched()
			}
		}
		r.serves(t) // when this has been answered, what came before it has been read
		recorded := r.count(t, "messages_recorded_total", "observation") - before
		if n := r.count(t, "messages_duplicate_total", ""); n != 0 || recorded != float64(len(transports)) {
			t.Errorf("round %d: %v duplicates, %v messages beyond the two of the agents in good standing", i, n, recorded-2)
		}
	}
}
