package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"anagrafe/collector/proxied"
)

const (
	maxHeader      = 16 << 10 // bytes; ours are under 1 KiB
	maxStreams     = 16       // calls at once on one connection; an agent uses three
	maxUniStreams  = 8        // HTTP/3 needs three
	streamWindow   = 256 << 10
	connWindow     = 512 << 10
	idleTimeout    = 75 * time.Second // agents keep alive every 28 s
	headerTimeout  = 10 * time.Second
	portAttempts   = 10 // to find a port that is free on UDP and TCP
	connectionIDLn = 8  // the default of 4 collides at 100,000 connections
)

// sockets are one port on TCP and UDP.
type sockets struct {
	tcp       net.Listener
	udp       *net.UDPConn
	transport *quic.Transport
	quic      *quic.EarlyListener
}

// Listen opens the port on TCP and UDP. Run calls it, if nobody has.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sockets != nil {
		return nil
	}
	k, err := s.openSockets()
	if err != nil {
		return fmt.Errorf("listen for agents on %s: %w; choose another port, or stop what uses it", s.o.Listen, err)
	}
	k.transport = &quic.Transport{
		Conn:                k.udp,
		ConnectionIDLength:  connectionIDLn,
		StatelessResetKey:   &s.resetKey,
		TokenGeneratorKey:   &s.tokenKey,
		VerifySourceAddress: s.arrivals.mustShow,
		ConnContext:         s.arriveQUIC,
	}
	k.quic, err = k.transport.ListenEarly(http3.ConfigureTLSConfig(s.tlsConfig()), &quic.Config{
		HandshakeIdleTimeout:           5 * time.Second,
		MaxIdleTimeout:                 idleTimeout,
		MaxIncomingStreams:             maxStreams,
		MaxIncomingUniStreams:          maxUniStreams,
		InitialStreamReceiveWindow:     64 << 10,
		MaxStreamReceiveWindow:         streamWindow,
		InitialConnectionReceiveWindow: 128 << 10,
		MaxConnectionReceiveWindow:     connWindow,
		Allow0RTT:                      false, // early data could be replayed
		// Every path carries it (RFC 9000, section 14), and none larger is tried: agents do
		// the same. Most visits are over before a trial packet has paid for itself.
		InitialPacketSize:       1200,
		DisablePathMTUDiscovery: true,
	})
	if err != nil {
		k.close()
		return fmt.Errorf("listen for agents on %s: %w", s.o.Listen, err)
	}
	s.sockets = k
	return nil
}

// openSockets opens the same port on both, unless TCP has an address of its own.
func (s *Server) openSockets() (*sockets, error) {
	if s.o.ListenTCP == "" {
		return samePort(s.o.Listen, s.o.Balancers)
	}
	tcp, err := proxied.Listen(s.o.ListenTCP, s.o.Balancers)
	if err != nil {
		return nil, err
	}
	at, err := net.ResolveUDPAddr("udp", s.o.Listen)
	if err == nil {
		var udp *net.UDPConn
		if udp, err = net.ListenUDP("udp", at); err == nil {
			return &sockets{tcp: tcp, udp: udp}, nil
		}
	}
	return nil, errors.Join(err, tcp.Close())
}

// samePort opens one port. With port 0 the system chooses one for TCP, which
// something else may hold on UDP: then it is asked again.
func samePort(addr string, balancers []netip.Prefix) (*sockets, error) {
	var errs []error
	for range portAttempts {
		tcp, err := proxied.Listen(addr, balancers)
		if err != nil {
			return nil, err
		}
		at := tcp.Addr().(*net.TCPAddr)
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: at.IP, Port: at.Port, Zone: at.Zone})
		if err == nil {
			return &sockets{tcp: tcp, udp: udp}, nil
		}
		errs = append(errs, err, tcp.Close())
		if _, port, _ := net.SplitHostPort(addr); port != "0" {
			break
		}
	}
	return nil, errors.Join(errs...)
}

func (k *sockets) close() {
	_ = k.tcp.Close() // the servers have closed it, in most cases
	if k.quic != nil {
		_ = k.quic.Close()
	}
	if k.transport != nil {
		_ = k.transport.Close()
	}
	_ = k.udp.Close()
}

// tlsConfig is what both transports start from; each sets its own protocol.
func (s *Server) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: s.identity.certificate,
		// No list of accepted authorities (ClientCAs): agents have one certificate
		// and show it, and the list would be that of the start.
		ClientAuth:    tls.RequestClientCert,
		WrapSession:   s.tickets.wrap,
		UnwrapSession: s.tickets.unwrap,
		Time:          s.now,
		VerifyConnection: func(cs tls.ConnectionState) error {
			if len(cs.PeerCertificates) == 0 {
				return nil // may enrol, and nothing else
			}
			if cs.DidResume {
				// Verified when the session began: its ticket opens with our key alone. What
				// may have changed since (the authority, the certificate's end, the agent's
				// right), each call asks. Verifying it again would cost an eighth of a return's processor time.
				return nil
			}
			if err := s.o.Authority.verifyAgent(cs.PeerCertificates, s.now()); err != nil {
				s.metrics.refused.WithLabelValues(string(reasonForeignCertificate)).Inc()
				s.log.Info("connection refused", "reason", reasonForeignCertificate, "err", err)
				return err
			}
			return nil
		},
	}
}

func (s *Server) tcpServer(k *sockets) *http.Server {
	var only http.Protocols
	only.SetHTTP2(true)
	return &http.Server{
		Handler:           s.Handler(),
		TLSConfig:         s.tlsConfig(),
		Protocols:         &only,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReceiveBufferPerStream:     streamWindow,
			MaxReceiveBufferPerConnection: connWindow,
			SendPingTimeout:               idleTimeout,
		},
		// Handshakes of strangers are no event of ours.
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ConnContext: withVisitor,
	}
}

func (s *Server) udpServer() *http3.Server {
	return &http3.Server{
		Handler:        s.Handler(),
		MaxHeaderBytes: maxHeader,
		IdleTimeout:    10 * time.Minute, // between calls; the notice stream is one
		Logger:         s.log,
		ConnContext: func(ctx context.Context, c *quic.Conn) context.Context {
			s.metrics.connections.WithLabelValues("h3").Inc()
			s.metrics.open.WithLabelValues("h3").Inc()
			context.AfterFunc(c.Context(), s.metrics.open.WithLabelValues("h3").Dec)
			arrivalOf(ctx).begin(func() { _ = c.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeExcessiveLoad), "") })
			return ctx
		},
	}
}
