package uplink

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"maps"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/types/known/timestamppb"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// authority is a certificate authority for tests.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-365 * 24 * time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true}
	a.cert = a.create(t, template, template, &a.key.PublicKey)
	return a
}

func (a *authority) create(t *testing.T, template, parent *x509.Certificate, key any) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		t.Error(err)
		return nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Error(err)
	}
	return cert
}

func (a *authority) pin() string { return protocol.PinOf(a.cert.RawSubjectPublicKeyInfo) }

// sign gives a certificate for an agent or, with hosts, a server.
func (a *authority) sign(t *testing.T, name string, key any, made time.Time, hosts ...string) *x509.Certificate {
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: made,
		NotAfter: made.Add(30 * 24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, h := range hosts {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	return a.create(t, template, a.cert, key)
}

// identity gives an enrolled identity in a directory of its own.
func (a *authority) identity(t *testing.T, collector string, made time.Time) *Identity {
	t.Helper()
	dir := t.TempDir()
	key, err := ownKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	id := &Identity{AgentID: "agent-1", Collector: collector, dir: dir, key: key,
		chain: []*x509.Certificate{a.sign(t, "agent-1", &key.PublicKey, made)}, authorities: []*x509.Certificate{a.cert}}
	if err := id.save(); err != nil {
		t.Fatal(err)
	}
	return id
}

// collector is a small one on real sockets: it keeps the messages it got, and
// a test may have it fail at any point.
type collector struct {
	wire.UnimplementedDeliveryServiceHandler
	wire.UnimplementedEnrolmentServiceHandler
	t         *testing.T
	authority *authority
	host      string
	port      int
	addr      string // https://host:port

	mu       sync.Mutex
	before   func(raw []byte) error // asked before a message is recorded
	after    func(raw []byte) error // asked when it is recorded, before the answer
	enrolled func(*wire.EnrolRequest) error
	recorded []byte              // the declaration that GetSite gives
	signer   note.Signer         // of receipts; nil: they are not signed, as by version 1
	key      string              // of receipts, as told at enrolment and renewal
	receipt  func(*wire.Receipt) // changes each one before it is sent
	notify   chan *wire.Notice
	h        heard
	files    http.Handler           // of the update channel; nil: there is none
	ground   wire.MapServiceHandler // nil: as collectors were before there was a map
	stopping chan struct{}
	former   func() // ends the newest notice stream

	listens chan struct{} // signalled at each opened notice stream
}

// heard is what a collector has seen.
type heard struct {
	got     []string // every message that came, duplicates too
	records map[string][]byte
	via     []string // of each call
	headers []http.Header
	shown   []*x509.Certificate // of each call; nil: none
	keys    []string            // of each CSR
	parks   []bool              // of each notice stream: that it was asked to be parked
	resumed []bool              // of each call: over a resumed session
	remotes []string            // of each call
}

// heard gives what was seen until now.
func (c *collector) heard() heard {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.h
	h.records = maps.Clone(h.records) // the slices only grow
	return h
}

type servers struct{ tcp, udp bool }

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{t: t, authority: newAuthority(t), h: heard{records: map[string][]byte{}},
		notify: make(chan *wire.Notice), listens: make(chan struct{}, 100)}
	// An address of its own, and a port that the system gives to nobody: the
	// collector can go down and come up again on it.
	c.host = net.IPv4(127, byte(1+mrand.N(250)), byte(mrand.N(250)), byte(1+mrand.N(250))).String()
	c.port = 20000 + mrand.N(10000)
	c.addr = "https://" + net.JoinHostPort(c.host, strconv.Itoa(c.port))
	return c
}

func (c *collector) sockets() (net.Listener, *net.UDPConn) {
	c.t.Helper()
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(c.host), Port: c.port})
	if err != nil {
		c.t.Fatal(err)
	}
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(c.host), Port: c.port})
	if err != nil {
		c.t.Fatal(err)
	}
	return tcp, udp
}

func (c *collector) tlsConfig(a *authority, hosts ...string) *tls.Config {
	key := newKey(c.t)
	leaf := a.sign(c.t, "collector", &key.PublicKey, time.Now().Add(-time.Hour), hosts...)
	pool := x509.NewCertPool()
	pool.AddCert(c.authority.cert)
	return &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, a.cert.Raw}, PrivateKey: key}}}
}

// serve starts the collector; what it gives stops it. A side that is off is a
// port that takes packets and never answers.
func (c *collector) serve(on servers, tcpTLS, udpTLS *tls.Config) (stop func()) {
	c.t.Helper()
	if tcpTLS == nil {
		tcpTLS = c.tlsConfig(c.authority, c.host)
	}
	if udpTLS == nil {
		udpTLS = tcpTLS
	}
	tcpTLS, udpTLS = tcpTLS.Clone(), udpTLS.Clone() // the servers change them
	tcp, udp := c.sockets()
	c.mu.Lock()
	stopping := make(chan struct{})
	c.stopping = stopping
	c.mu.Unlock()
	mux := http.NewServeMux()
	mux.Handle(wire.NewEnrolmentServiceHandler(c))
	mux.Handle(wire.NewDeliveryServiceHandler(c))
	if c.ground != nil {
		mux.Handle(wire.NewMapServiceHandler(c.ground))
	}
	if c.files != nil {
		mux.Handle(protocol.ChannelPath, c.files)
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.h.headers = append(c.h.headers, r.Header.Clone())
		c.h.via = append(c.h.via, map[int]string{2: "h2", 3: "h3"}[r.ProtoMajor])
		var leaf *x509.Certificate
		if len(r.TLS.PeerCertificates) > 0 {
			leaf = r.TLS.PeerCertificates[0]
		}
		c.h.shown = append(c.h.shown, leaf)
		c.h.resumed = append(c.h.resumed, r.TLS.DidResume)
		c.h.remotes = append(c.h.remotes, r.RemoteAddr)
		c.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
	var running sync.WaitGroup
	h2 := &http.Server{Handler: h, TLSConfig: tcpTLS, ErrorLog: log.New(io.Discard, "", 0)}
	if on.tcp {
		running.Go(func() { _ = h2.ServeTLS(tcp, "", "") })
	}
	h3 := &http3.Server{Handler: h}
	transport := &quic.Transport{Conn: udp, ConnectionIDLength: 8} // as ingest's
	var ln *quic.EarlyListener
	if on.udp {
		var err error
		ln, err = transport.ListenEarly(http3.ConfigureTLSConfig(udpTLS), &quic.Config{})
		if err != nil {
			c.t.Fatal(err)
		}
		running.Go(func() { _ = h3.ServeListener(ln) })
	}
	stop = sync.OnceFunc(func() {
		close(stopping)
		_ = h2.Close()
		_ = h3.Close()
		if ln != nil {
			_ = ln.Close()
			_ = transport.Close()
		}
		_ = udp.Close()
		_ = tcp.Close()
		running.Wait()
	})
	c.t.Cleanup(stop)
	return stop
}

func (c *collector) Enrol(_ context.Context, req *connect.Request[wire.EnrolRequest]) (*connect.Response[wire.EnrolResponse], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.enrolled != nil {
		if err := c.enrolled(req.Msg); err != nil {
			return nil, err
		}
	}
	csr, err := x509.ParseCertificateRequest(req.Msg.GetCsr())
	if err != nil {
		return nil, err
	}
	c.h.keys = append(c.h.keys, string(csr.RawSubjectPublicKeyInfo))
	leaf := c.authority.sign(c.t, "agent-1", csr.PublicKey, time.Now().Add(-time.Hour))
	return connect.NewResponse(&wire.EnrolResponse{AgentId: "agent-1", CertificateChain: [][]byte{leaf.Raw},
		Authorities: [][]byte{c.authority.cert.Raw}, ReceiptKey: c.key,
		Grant: &wire.Grant{SiteId: "site-1", SiteName: "Panificio", Epoch: 3, From: timestamppb.Now()}}), nil
}

func (c *collector) Renew(_ context.Context, req *connect.Request[wire.RenewRequest]) (*connect.Response[wire.RenewResponse], error) {
	csr, err := x509.ParseCertificateRequest(req.Msg.GetCsr())
	if err != nil {
		return nil, err
	}
	leaf := c.authority.sign(c.t, "agent-1", csr.PublicKey, time.Now().Add(-time.Hour))
	c.mu.Lock()
	defer c.mu.Unlock()
	return connect.NewResponse(&wire.RenewResponse{CertificateChain: [][]byte{leaf.Raw}, Authorities: [][]byte{c.authority.cert.Raw},
		ReceiptKey: c.key}), nil
}

func (c *collector) Deliver(_ context.Context, req *connect.Request[wire.DeliverRequest]) (*connect.Response[wire.DeliverResponse], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw := req.Msg.GetMessage()
	if err := c.follows(req.Msg.GetAfter()); err != nil {
		return nil, err
	}
	id := string(raw[:1]) // messages in these tests begin with their id, of one letter
	c.h.got = append(c.h.got, string(raw))
	if c.before != nil {
		if err := c.before(raw); err != nil {
			return nil, err
		}
	}
	_, known := c.h.records[id]
	c.h.records[id] = raw
	if c.after != nil {
		if err := c.after(raw); err != nil {
			if errors.Is(err, errForged) {
				return connect.NewResponse(&wire.DeliverResponse{Receipt: &wire.Receipt{MessageId: id,
					MessageSha256: make([]byte, 32), RecordedAt: timestamppb.Now()}}), nil
			}
			panic(http.ErrAbortHandler) // the line is cut
		}
	}
	sum := sha256.Sum256(raw)
	at := time.Now().UTC().Truncate(time.Microsecond)
	receipt := &wire.Receipt{MessageId: id, MessageSha256: sum[:], RecordedAt: timestamppb.New(at), Duplicate: known}
	if c.signer != nil {
		signed, err := protocol.SignReceipt(protocol.Receipt{MessageID: id, SiteID: "site-1", SHA256: sum, RecordedAt: at}, c.signer)
		if err != nil {
			return nil, err
		}
		receipt.Note = []byte(signed)
	}
	if c.receipt != nil {
		c.receipt(receipt)
	}
	return connect.NewResponse(&wire.DeliverResponse{Receipt: receipt}), nil
}

// follows refuses what comes after a message that was forgotten; mu is held.
func (c *collector) follows(after string) error {
	if _, known := c.h.records[after]; after != "" && !known {
		return refusal(connect.CodeFailedPrecondition, string(protocol.ReasonBehind), "send it again first")
	}
	return nil
}

// errForged has Deliver answer with the receipt of something else.
var errForged = errors.New("forged")

func (c *collector) Notices(ctx context.Context, req *connect.Request[wire.NoticesRequest], s *connect.ServerStream[wire.Notice]) error {
	// An agent has one stream: what is said next is for the newest, also when this
	// side has not seen yet that the one before is broken.
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	defer close(ended)
	defer cancel()
	c.mu.Lock()
	former := c.former
	c.former = func() { cancel(); <-ended }
	stopping := c.stopping
	c.h.parks = append(c.h.parks, req.Msg.GetPark())
	c.mu.Unlock()
	if former != nil {
		former()
	}
	s.ResponseHeader().Set(protocol.NoticesHeader, "open")
	if err := s.Send(nil); err != nil {
		return err
	}
	c.listens <- struct{}{}
	for ctx.Err() == nil {
		select {
		case n := <-c.notify:
			if n == nil {
				return nil
			}
			if err := s.Send(n); err != nil {
				return err
			}
		case <-stopping:
			return nil
		case <-ctx.Done():
		}
	}
	return nil
}

// set changes a hook.
func (c *collector) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// refusal is an error as package ingest sends it.
func refusal(code connect.Code, reason, text string) error {
	e := connect.NewError(code, errors.New(text))
	e.Meta().Set(protocol.ReasonHeader, reason)
	return e
}
