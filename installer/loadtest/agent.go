package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"anagrafe/agent/uplink"
	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// What an agent's connection is like: package uplink's road.
const (
	handshakeIdle = 2 * time.Second
	keepAlive     = 20 * time.Second
	maxIdle       = 60 * time.Second
	callTimeout   = 60 * time.Second
	userAgent     = "anagrafe-agent"
	version       = "loadtest"
)

// agent is one agent, as far as the collector can see.
type agent struct {
	fleet  *fleet
	number int
	code   string

	// After the enrolment.
	shows       *tls.Certificate
	authorities [][]byte // DER: who signed it
	id, siteID  string
	epoch       int64
	sessions    tls.ClientSessionCache
	message     []byte // not acknowledged yet; nil: none
	messageID   string
	last        string // the newest acknowledged one
	camera      string // one that is declared
	cameras     int    // that it declares
	revision    int64

	says sync.Mutex // one message at a time

	mu    sync.Mutex
	line  *line     // nil: not connected
	since time.Time // when line was acknowledged
	left  int       // hosts that it has left for the next
	tried int       // of them, since something was acknowledged

	// In the phase day.
	off    context.CancelFunc // nil: it is not on by itself
	opened time.Time          // when it last came on
	gone   bool               // it was switched off
}

// line is one QUIC connection with the collector's services at its end.
type line struct {
	quic      *quic.Conn
	enrolment wire.EnrolmentServiceClient
	delivery  wire.DeliveryServiceClient
}

func (l *line) close() {
	_ = l.quic.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
}

// config is the agent's side of TLS; it shows its certificate, if it has one.
func (a *agent) config(host string, roots *x509.CertPool) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: host, RootCAs: roots}
	if a.shows != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return a.shows, nil }
	}
	return c
}

func (a *agent) socket() *quic.Transport {
	return a.fleet.sockets[a.number%len(a.fleet.sockets)]
}

func clientQUIC() *quic.Config {
	return &quic.Config{HandshakeIdleTimeout: handshakeIdle, KeepAlivePeriod: keepAlive, MaxIdleTimeout: maxIdle, MaxIncomingStreams: -1}
}

// dial connects to the collector.
func (a *agent) dial(ctx context.Context) (*line, error) {
	c := http3.ConfigureTLSConfig(a.config(a.fleet.host, a.fleet.roots))
	c.ClientSessionCache = a.sessions
	conn, err := a.reach(ctx, c)
	if err != nil {
		return nil, err
	}
	if conn.ConnectionState().TLS.DidResume {
		a.fleet.resumed.Add(1)
	}
	client := &http.Client{Transport: named{(&http3.Transport{DisableCompression: true}).NewClientConn(conn)}}
	return &line{quic: conn, enrolment: wire.NewEnrolmentServiceClient(client, a.fleet.collector),
		delivery: wire.NewDeliveryServiceClient(client, a.fleet.collector)}, nil
}

// reach tries the collector's hosts until one shakes hands. As the answers of a name
// server are in turn, so is the host with which each agent begins.
func (a *agent) reach(ctx context.Context, c *tls.Config) (conn *quic.Conn, err error) {
	for range a.fleet.servers {
		a.mu.Lock()
		to := a.fleet.servers[(a.number+a.left)%len(a.fleet.servers)]
		a.mu.Unlock()
		if conn, err = a.socket().Dial(ctx, to, c, clientQUIC()); err == nil || ctx.Err() != nil {
			return conn, err
		}
		a.mu.Lock()
		a.left++
		a.mu.Unlock()
	}
	return nil, err
}

// elsewhere leaves a host that said that it cannot work now, if there is another, as
// package uplink does.
func (a *agent) elsewhere(l *line, err error) {
	if retryAfter(err) == 0 || len(a.fleet.servers) == 1 {
		return
	}
	a.mu.Lock()
	if a.line == nil || a.line == l {
		a.left++
		a.tried++
	}
	a.mu.Unlock()
	l.close()
}

// asked is how long to leave the next host alone: not at all for what another asked.
func (a *agent) asked(err error) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if 0 < a.tried && a.tried < len(a.fleet.servers) {
		return 0
	}
	return retryAfter(err)
}

// enrol makes a key and buys a certificate for it, on a connection of its own.
func (a *agent) enrol(ctx context.Context) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return err
	}
	l, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	resp, err := l.enrolment.Enrol(ctx, connect.NewRequest(&wire.EnrolRequest{Code: a.code, Csr: csr, AgentVersion: version}))
	if err != nil {
		return err
	}
	chain := resp.Msg.GetCertificateChain()
	if len(chain) == 0 {
		return errors.New("the answer holds no certificate")
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return err
	}
	a.id = leaf.Subject.CommonName
	a.shows = &tls.Certificate{Certificate: chain, PrivateKey: key}
	a.authorities = resp.Msg.GetAuthorities()
	a.siteID, a.epoch = resp.Msg.GetGrant().GetSiteId(), resp.Msg.GetGrant().GetEpoch()
	a.sessions = tls.NewLRUClientSessionCache(1)
	return nil
}

// stay keeps a notice stream open until ctx ends. turn, if not nil, holds back
// the first attempt.
func (a *agent) stay(ctx context.Context, turn chan struct{}) {
	var b backoff
	for ctx.Err() == nil {
		if turn != nil {
			turn <- struct{}{}
		}
		err := a.listen(ctx, func() {
			b = backoff{}
			if turn != nil {
				<-turn
				turn = nil
			}
		})
		if turn != nil { // not acknowledged: in turn again
			<-turn
		}
		if err != nil && ctx.Err() == nil {
			a.fleet.failed.add(err)
		}
		pause(ctx, b.next(err))
	}
}

// listen connects, opens the notice stream, and reads it to its end.
// acknowledged is called once the collector has said that it is open: until
// then an agent may only think that it is connected.
func (a *agent) listen(ctx context.Context, acknowledged func()) error {
	l, err := a.dial(ctx)
	if err != nil {
		return err
	}
	var watched sync.WaitGroup
	watched.Go(func() { uplink.CloseWhenSilent(l.quic) })
	defer watched.Wait()
	defer l.close()
	stream, err := l.delivery.Notices(ctx, connect.NewRequest(&wire.NoticesRequest{AgentVersion: version}))
	if err != nil {
		return err
	}
	defer stream.Close()
	if stream.ResponseHeader().Get(protocol.NoticesHeader) == "" { // waits for the headers
		stream.Receive()
		a.elsewhere(l, stream.Err())
		return errors.Join(errors.New("the collector did not acknowledge"), stream.Err())
	}
	a.connected(l)
	defer a.connected(nil)
	acknowledged()
	for stream.Receive() {
		a.fleet.heard.notice(stream.Msg())
	}
	a.elsewhere(l, stream.Err())
	return stream.Err()
}

func (a *agent) connected(l *line) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.line, a.since = l, time.Now()
	if l != nil {
		a.fleet.up.Add(1)
	} else {
		a.fleet.up.Add(-1)
	}
}

func (a *agent) now() (*line, time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.line, a.since
}

var errNotConnected = errors.New("not connected")

// deliver sends a declaration until the collector says that it is recorded; one
// that got no answer goes out again as it is.
func (a *agent) deliver(ctx context.Context) error {
	l, _ := a.now()
	if l == nil {
		return errNotConnected
	}
	if a.message == nil {
		if err := a.write(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	resp, err := l.delivery.Deliver(ctx, connect.NewRequest(&wire.DeliverRequest{Message: a.message, After: a.last}))
	if err != nil {
		a.elsewhere(l, err)
		return err
	}
	sum := sha256.Sum256(a.message)
	if string(resp.Msg.GetReceipt().GetMessageSha256()) != string(sum[:]) {
		return fmt.Errorf("the receipt of message %s is for other bytes", a.messageID)
	}
	if err := a.fleet.ledger.note(noted{Event: "acknowledged", Message: a.messageID, SHA256: hex.EncodeToString(sum[:])}); err != nil {
		return err
	}
	a.last, a.message = a.messageID, nil
	a.mu.Lock()
	a.tried = 0
	a.mu.Unlock()
	return nil
}

// named has the calls bear the agent's name.
type named struct{ http.RoundTripper }

func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", userAgent)
	return n.RoundTripper.RoundTrip(r)
}
