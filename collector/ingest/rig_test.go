package ingest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

const site = "0b6a2f64-7c1e-4b70-9a53-0d2f4a9c1e02"

var transports = []string{"h3", "h2"}

// TestMain fails when the tests, all of which stop what they started, leave a
// goroutine of ours or of the transports behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftGoroutines(10 * time.Second); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines left after all tests:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// leftGoroutines gives the stacks that are still there after the patience:
// the last steps of a closed connection are taken by itself.
func leftGoroutines(patience time.Duration) string {
	buf := make([]byte, 4<<20)
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		var left []string
		for i, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if i > 0 && (strings.Contains(stack, "anagrafe/") || strings.Contains(stack, "quic-go") || strings.Contains(stack, "net/http")) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return strings.Join(left, "\n\n")
		}
	}
}

// rig is a running server and what it stands on.
type rig struct {
	*Server
	register  *fakeRegister
	authority *Authority
	metrics   *prometheus.Registry
	stop      func() // ends Run and waits
}

func start(t *testing.T, change func(*Server)) *rig {
	t.Helper()
	a, err := OpenAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	key, err := OpenReceiptKey(t.TempDir(), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{register: newFakeRegister(), authority: a, metrics: prometheus.NewRegistry()}
	r.Server, err = New(Options{MaxHeld: 100, Authority: a, ReceiptKey: key, OwnerLink: "https://telecamere.example/site", Register: r.register, Listen: "127.0.0.1:0", Hosts: []string{"127.0.0.1"},
		RootSecret: bytes.Repeat([]byte{7}, 32), Metrics: r.metrics, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r.Server)
	}
	if err := r.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

// count reads a counter or gauge with one label, or none.
func (r *rig) count(t *testing.T, name, label string) float64 {
	t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "anagrafe_ingest_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			if label == "" || m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

// client is one connection's clients.
type client struct {
	http     *http.Client
	url      string
	enrol    wire.EnrolmentServiceClient
	delivery wire.DeliveryServiceClient
	maps     wire.MapServiceClient
}

// dial makes clients over a transport; cert may be nil.
func (r *rig) dial(t *testing.T, transport string, cert *tls.Certificate) client {
	t.Helper()
	config := &tls.Config{RootCAs: poolOf(r.authority)}
	if cert != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	var rt http.RoundTripper
	if transport == "h3" {
		rt = dialledByUs(t, config)
	} else {
		h2 := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
		t.Cleanup(h2.CloseIdleConnections)
		rt = h2
	}
	c := client{http: &http.Client{Transport: rt}, url: "https://" + r.Addr()}
	c.enrol = wire.NewEnrolmentServiceClient(c.http, c.url)
	c.delivery = wire.NewDeliveryServiceClient(c.http, c.url)
	c.maps = wire.NewMapServiceClient(c.http, c.url)
	return c
}

// dialledByUs is an http3.Transport whose connections are all closed with the
// test: it forgets those on which a request failed, and a server that stops
// would wait for them.
func dialledByUs(t *testing.T, config *tls.Config) http.RoundTripper {
	h3 := &http3.Transport{TLSClientConfig: config, QUICConfig: &quic.Config{},
		Dial: func(ctx context.Context, addr string, tc *tls.Config, qc *quic.Config) (*quic.Conn, error) {
			conn, err := quic.DialAddr(ctx, addr, tc, qc)
			if err == nil {
				t.Cleanup(func() { _ = conn.CloseWithError(0, "") })
			}
			return conn, err
		}}
	t.Cleanup(func() { _ = h3.Close() })
	return h3
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func csrOf(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// agent gives a granted agent with a certificate made at a time.
func (r *rig) agent(t *testing.T, made time.Time) (id string, cert *tls.Certificate, key *ecdsa.PrivateKey) {
	t.Helper()
	id, key = uuid.NewString(), newKey(t)
	r.register.mu.Lock()
	r.register.agents[id] = false
	r.register.grants[id+site] = protocol.Grant{AgentID: id, SiteID: site, Epoch: 1, From: made}
	r.register.mu.Unlock()
	return id, certOf(t, r.authority, key, id, made), key
}

func certOf(t *testing.T, a *Authority, key *ecdsa.PrivateKey, id string, made time.Time) *tls.Certificate {
	t.Helper()
	leaf, err := a.agentCertificate(&key.PublicKey, id, made)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// message gives an encoded sign of life, padded with n observations.
func message(t *testing.T, revision int64, body protocol.Body) []byte {
	t.Helper()
	b, err := protocol.Encode(protocol.Message{ID: uuid.NewString(), SiteID: site, Epoch: 1, Revision: revision,
		MadeAt: time.Now(), Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func deliver(ctx context.Context, c client, message []byte) (*wire.Receipt, error) {
	resp, err := c.delivery.Deliver(ctx, connect.NewRequest(&wire.DeliverRequest{Message: message}))
	if err != nil {
		return nil, err
	}
	return resp.Msg.GetReceipt(), nil
}

// reason reads the machine's word out of an error.
func reason(err error) protocol.Reason {
	ce := new(connect.Error)
	if !asError(err, &ce) {
		return ""
	}
	return protocol.Reason(ce.Meta().Get(protocol.ReasonHeader))
}

// poolOf are an authority's certificates, the former ones too.
func poolOf(a *Authority) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range a.current().known() {
		pool.AddCert(c)
	}
	return pool
}
