package ingest

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/quic-go/quic-go"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"anagrafe/collector/certfile"
	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

const (
	// minRootSecret is the least length of Options.RootSecret, in bytes.
	minRootSecret = 32
	// readLimit leaves room for the request around a Message, and lets one
	// that is a little over its limit in far enough to be refused by name.
	readLimit = protocol.MaxMessage + 64<<10
	// shutdownGrace is how long calls under way may take to end.
	shutdownGrace = 5 * time.Second
)

// Options are what main gives to a Server.
type Options struct {
	Authority  *Authority
	ReceiptKey *ReceiptKey
	// OwnerLink is the page on which an owner's code is typed; it stands in every
	// receipt that carries one.
	OwnerLink string
	Register  Register
	Listen    string // host:port, of UDP and TCP alike, e.g. ":8443"
	// ListenTCP is host:port of TCP where that is another, because a balancer takes the
	// port of UDP; "": the same.
	ListenTCP string
	// Balancers are addresses of those who pass TCP on and say who calls (package
	// proxied); nil: none.
	Balancers []netip.Prefix
	Hosts     []string // names and addresses that agents know the server by, without port, for its certificate
	// CertificateFile and KeyFile are PEM files of a certificate of the public
	// Web PKI, with its issuers', read again when they change; "": the authority
	// signs the server's certificate.
	CertificateFile, KeyFile string
	// RootSecret is the content of root.secret, at least 32 bytes: the keys
	// of QUIC's stateless resets and tokens, and of session tickets, are derived from it, so that they
	// outlive a restart and are the same on all collectors behind one address.
	RootSecret []byte
	Metrics    prometheus.Registerer // nil: counted, not shown
	Tracer     trace.Tracer          // nil: calls are not traced
	Log        *slog.Logger          // nil: discarded
	// Browser is the public page to which a browser is sent that opens an enrolment
	// link, as a telephone does that reads its QR; "": it finds nothing.
	Browser string
	// Map is what agents show their owners for placing cameras; nil: there is none.
	Map Map
	// Channel is the directory of the update channel, which need not be there yet;
	// "": there is none.
	Channel string
	// MaxHeld is how many agents may keep a notice stream open at once, at about
	// 100 KiB each; the others are parked.
	MaxHeld int
	Now     func() time.Time // nil: time.Now
}

// Server serves the agents.
type Server struct {
	o        Options
	log      *slog.Logger
	now      func() time.Time
	identity *serverIdentity
	metrics  *metrics
	channel  http.Handler // of the files below protocol.ChannelPath; nil: there are none
	errors   *connect.ErrorWriter
	guesses  *guessGuard
	arrivals *arrivals
	writes   *writeQueue
	bodies   *semaphore.Weighted // bytes, up to maxBodies
	budgets  *buckets[string]    // bytes, by agent
	shown    *buckets[string]    // bytes of map and addresses given out, by agent
	given    *buckets[string]    // bytes of the update channel given out, by agent
	resetKey quic.StatelessResetKey
	tokenKey quic.TokenGeneratorKey
	stopping chan struct{} // closed when Run is told to end: streams end too
	tickets  *sessionTickets
	held     *held
	queued   chan struct{} // Notify
	recheck  time.Duration // readmission, and
	timeout  time.Duration // callTimeout, and
	look     time.Duration // lookAgain, and
	window   time.Duration // parkWindow, all shorter in tests

	mu      sync.Mutex
	sockets *sockets // nil until Listen
}

// New checks the options; it neither listens nor starts anything.
func New(o Options) (*Server, error) {
	switch {
	case o.Authority == nil || o.Register == nil || o.ReceiptKey == nil:
		return nil, errors.New("make the agents' server: it needs an authority, a key of receipts and a register")
	case len(o.Hosts) == 0:
		return nil, errors.New("make the agents' server: no host name for its certificate; set public_url")
	case len(o.RootSecret) < minRootSecret:
		return nil, fmt.Errorf("make the agents' server: the root secret has %d bytes, at least %d are needed; restore root.secret from a backup", len(o.RootSecret), minRootSecret)
	}
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{o: o, log: o.Log, now: o.Now, errors: connect.NewErrorWriter(), guesses: newGuessGuard(o.Now), arrivals: newArrivals(o.Now),
		writes: &writeQueue{now: o.Now, each: firstTaken}, bodies: semaphore.NewWeighted(maxBodies),
		budgets:  newBuckets[string](limit{budgetDay, float64(budgetDay) / (24 * time.Hour).Seconds()}, maxBudgets),
		shown:    newBuckets[string](limit{shownDay, float64(shownDay) / (24 * time.Hour).Seconds()}, maxBudgets),
		given:    newBuckets[string](limit{givenDay, float64(givenDay) / (24 * time.Hour).Seconds()}, maxBudgets),
		identity: &serverIdentity{authority: o.Authority, hosts: o.Hosts, now: o.Now},
		tickets:  &sessionTickets{secret: o.RootSecret, now: o.Now}, held: &held{most: o.MaxHeld}, queued: make(chan struct{}, 1),
		stopping: make(chan struct{}), recheck: readmission, timeout: callTimeout, look: lookAgain, window: parkWindow}
	var err error
	if s.metrics, err = newMetrics(o.Metrics, s.writes.length); err != nil {
		return nil, fmt.Errorf("make the agents' server: %w", err)
	}
	if o.Channel != "" {
		if s.channel, err = newChannel(o.Channel, o.Metrics); err != nil {
			return nil, fmt.Errorf("make the agents' server: %w", err)
		}
	}
	if o.CertificateFile != "" {
		check := func(c *tls.Certificate) error { return forAgents(c, o.Hosts) }
		if s.identity.files, err = certfile.Open("the agents' listener", o.CertificateFile, o.KeyFile, check, o.Log); err != nil {
			return nil, fmt.Errorf("make the agents' server: %w", err)
		}
	}
	for info, key := range map[string][]byte{
		"anagrafe quic stateless reset": s.resetKey[:],
		"anagrafe quic token":           s.tokenKey[:],
	} {
		derived, err := hkdf.Key(sha256.New, o.RootSecret, nil, info, len(key))
		if err != nil {
			return nil, fmt.Errorf("make the agents' server: %w", err)
		}
		copy(key, derived)
	}
	if _, err := s.identity.certificate(nil); err != nil {
		return nil, fmt.Errorf("make the agents' server: %w", err)
	}
	return s, nil
}

// Run serves until ctx ends, then ends the streams, lets calls under way
// finish for some seconds, and returns when all has stopped. It listens
// first, if Listen was not called. A Server runs once.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	k := s.sockets
	defer k.close()
	h2, h3 := s.tcpServer(k), s.udpServer()

	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serving("TCP", h2.ServeTLS(door{k.tcp, s}, "", "")) })
	g.Go(func() error { return serving("UDP", h3.ServeListener(k.quic)) })
	g.Go(func() error { return s.Watch(gctx) })
	g.Go(func() error {
		<-gctx.Done()
		close(s.stopping)
		// The grace has to outlive the context that has just ended.
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		var both sync.WaitGroup
		both.Go(func() {
			if h2.Shutdown(grace) != nil {
				_ = h2.Close()
			}
		})
		both.Go(func() { _ = h3.Shutdown(grace) }) // closes what is left
		both.Wait()
		return nil
	})
	return g.Wait()
}

func serving(what string, err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve agents over %s: %w", what, err)
}

// Addr is the address of TCP, e.g. "127.0.0.1:8443", and of UDP too unless
// Options.ListenTCP is another; empty before Listen.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sockets == nil {
		return ""
	}
	return s.sockets.tcp.Addr().String()
}

// Certificate is the server certificate that agents see now.
func (s *Server) Certificate() (tls.Certificate, error) {
	c, err := s.identity.certificate(nil)
	if err != nil {
		return tls.Certificate{}, err
	}
	return *c, nil
}

// Handler is what both transports serve. It identifies the caller by the request's TLS
// state, which the listener has verified.
func (s *Server) Handler() http.Handler {
	limits := connect.WithHandlerOptions(connect.WithInterceptors(s.metrics.timed(s.o.Tracer)), connect.WithReadMaxBytes(readLimit),
		// No compressed requests: what is 1 KiB on the line may be 1 MiB here.
		connect.WithCompression("gzip", nil, nil))
	mux := http.NewServeMux()
	mux.Handle(wire.NewEnrolmentServiceHandler(enrolment{s}, limits))
	mux.Handle(wire.NewDeliveryServiceHandler(delivery{s}, limits))
	mux.Handle(wire.NewMapServiceHandler(maps{s}, limits))
	if s.o.Browser != "" {
		// The same to everybody: it looks at no code. That stands in the link's fragment,
		// which no browser sends.
		mux.Handle("GET "+protocol.EnrolmentPath, http.RedirectHandler(s.o.Browser, http.StatusSeeOther))
	}
	if s.channel != nil {
		mux.Handle("GET "+protocol.ChannelPath, s.updates(s.channel))
	}
	return s.withCaller(mux)
}
