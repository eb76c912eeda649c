package ingest

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// returning is an agent that keeps its sessions, and tells when it has one.
type returning struct {
	rig   *rig
	cert  *tls.Certificate
	cache tls.ClientSessionCache
	got   chan struct{} // a ticket came
}

func (r *rig) returning(cert *tls.Certificate) *returning {
	return &returning{rig: r, cert: cert, cache: tls.NewLRUClientSessionCache(1), got: make(chan struct{}, 16)}
}

func (a *returning) Get(key string) (*tls.ClientSessionState, bool) { return a.cache.Get("") }

// Put keeps the session under one name: a server that starts again on another
// port is the same.
func (a *returning) Put(_ string, s *tls.ClientSessionState) {
	a.cache.Put("", s)
	if s != nil {
		a.got <- struct{}{}
	}
}

// calls makes one call over a connection of its own, and tells whether that was
// resumed.
func (a *returning) calls(t *testing.T, transport string) (resumed bool, err error) {
	t.Helper()
	seen := &resumption{}
	config := &tls.Config{RootCAs: poolOf(a.rig.authority), ClientSessionCache: a, ServerName: "127.0.0.1", Time: a.rig.now}
	if a.cert != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return a.cert, nil }
	}
	if transport == "h3" {
		h3 := &http3.Transport{TLSClientConfig: config, QUICConfig: &quic.Config{},
			Dial: func(ctx context.Context, addr string, tc *tls.Config, qc *quic.Config) (*quic.Conn, error) {
				return quic.DialAddr(ctx, addr, tc, qc)
			}}
		defer h3.Close()
		seen.next = h3
	} else {
		h2 := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
		defer h2.CloseIdleConnections()
		seen.next = h2
	}
	delivery := wire.NewDeliveryServiceClient(&http.Client{Transport: seen}, "https://"+a.rig.Addr())
	_, err = delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: site}))
	seen.mu.Lock()
	defer seen.mu.Unlock()
	return seen.resumed, err
}

// ticket waits for the ticket of a full handshake.
func (a *returning) ticket(t *testing.T) {
	t.Helper()
	select {
	case <-a.got:
	case <-t.Context().Done():
		t.Fatal("no ticket came")
	}
}

// resumption notes how the connection of an answer began.
type resumption struct {
	next    http.RoundTripper
	mu      sync.Mutex
	resumed bool
}

func (r *resumption) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if err == nil && resp.TLS != nil {
		r.mu.Lock()
		r.resumed = resp.TLS.DidResume
		r.mu.Unlock()
	}
	return resp, err
}

// shifted is a clock that a test moves.
type shifted struct {
	mu sync.Mutex
	by time.Duration
}

func (c *shifted) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.by)
}

func (c *shifted) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by += by
}

// follow has a server go by the clock.
func (c *shifted) follow(s *Server) {
	s.now, s.identity.now, s.tickets.now = c.now, c.now, c.now
}

// TestResumed: who comes back is known by its ticket, and each call is admitted
// as ever: not when the agent was revoked meanwhile, not when the certificate
// in the ticket has ended, not when its authority was replaced.
func TestResumed(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			clock := &shifted{}
			r := start(t, clock.follow)
			id, cert, key := r.agent(t, time.Now().Add(-29*day-12*time.Hour)) // has twelve hours left
			a := r.returning(cert)
			if resumed, err := a.calls(t, transport); resumed || err != nil {
				t.Fatalf("the first: resumed %v, %v", resumed, err)
			}
			a.ticket(t)
			if resumed, err := a.calls(t, transport); !resumed || err != nil {
				t.Fatalf("the second: resumed %v, %v", resumed, err)
			}
			a.ticket(t)
			// A full handshake shows the renewed one; until then the old one counts.
			clock.move(13 * time.Hour)
			if _, err := a.calls(t, transport); reason(err) != protocol.ReasonExpiredCertificate {
				t.Errorf("with an expired certificate: %v", err)
			}
			a.cert = certOf(t, r.authority, key, id, clock.now())
			if resumed, err := a.calls(t, transport); resumed || err != nil {
				t.Errorf("with the renewed certificate: resumed %v, %v", resumed, err)
			}
			a.ticket(t)
			r.register.revoke(id)
			if resumed, err := a.calls(t, transport); !resumed || reason(err) != protocol.ReasonRevoked {
				t.Errorf("revoked: resumed %v, %v", resumed, err)
			}
			a.ticket(t)
			if err := r.authority.Replace(); err != nil {
				t.Fatal(err)
			}
			if resumed, err := a.calls(t, transport); !resumed || reason(err) != protocol.ReasonRetiredAuthority {
				t.Errorf("with the certificate of an authority that was replaced: resumed %v, %v", resumed, err)
			}
		})
	}
}

// TestExpiresWhileResumed: a resumed connection that outlives the certificate in
// its ticket is refused call by call.
func TestExpiresWhileResumed(t *testing.T) {
	clock := &shifted{}
	r := start(t, clock.follow)
	_, cert, _ := r.agent(t, time.Now().Add(-29*day-12*time.Hour))
	a := r.returning(cert)
	if _, err := a.calls(t, "h3"); err != nil {
		t.Fatal(err)
	}
	a.ticket(t)
	config := &tls.Config{RootCAs: poolOf(r.authority), ClientSessionCache: a, ServerName: "127.0.0.1",
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }}
	seen := &resumption{next: dialledByUs(t, config)}
	delivery := wire.NewDeliveryServiceClient(&http.Client{Transport: seen}, "https://"+r.Addr())
	call := func() error {
		_, err := delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: site}))
		return err
	}
	if err := call(); err != nil || !seen.resumed {
		t.Fatalf("resumed %v, %v", seen.resumed, err)
	}
	clock.move(13 * time.Hour)
	if err := call(); reason(err) != protocol.ReasonExpiredCertificate {
		t.Errorf("after the certificate's end: %v", err)
	}
}

// TestTicketKeys: a ticket is good until the end of the day after it was given,
// on every collector with the same root secret and on no other; whoever came
// without a certificate gets none.
func TestTicketKeys(t *testing.T) {
	clock := &shifted{}
	r := start(t, clock.follow)
	_, cert, _ := r.agent(t, time.Now())
	midnight := r.now().UTC().Truncate(day).Add(day)
	a := r.returning(cert)
	fresh := func() {
		t.Helper()
		a.cache = tls.NewLRUClientSessionCache(1)
		if resumed, err := a.calls(t, "h2"); resumed || err != nil {
			t.Fatalf("resumed %v, %v", resumed, err)
		}
		a.ticket(t)
	}
	comes := func(what string, want bool) {
		t.Helper()
		kept, _ := a.cache.Get("")
		resumed, err := a.calls(t, "h2")
		if resumed != want || err != nil {
			t.Errorf("%s: resumed %v, %v", what, resumed, err)
		}
		a.ticket(t)
		a.cache.Put("", kept) // the same ticket the next time
	}
	fresh()
	comes("the same day", true)
	clock.move(midnight.Add(day - time.Minute).Sub(clock.now()))
	comes("the end of the next day", true)
	clock.move(2 * time.Minute)
	comes("the day after", false)

	fresh()
	peer := start(t, func(s *Server) {
		clock.follow(s)
		s.identity, s.o.Authority, s.o.Register = r.identity, r.authority, r.register
	})
	a.rig = peer
	peer.authority = r.authority
	comes("another collector", true)
	stranger := start(t, func(s *Server) {
		clock.follow(s)
		s.identity, s.o.Authority, s.o.Register = r.identity, r.authority, r.register
		s.tickets.secret = []byte("another root secret, of 32 bytes")
	})
	a.rig = stranger
	stranger.authority = r.authority
	comes("a collector with another secret", false)

	bare := r.returning(nil)
	if _, err := bare.calls(t, "h2"); reason(err) != protocol.ReasonNoCertificate {
		t.Fatal(err)
	}
	bare.ticket(t)
	bare.cert = cert
	if resumed, err := bare.calls(t, "h2"); resumed || err != nil {
		t.Errorf("enrolled since: resumed %v, %v", resumed, err)
	}
}
