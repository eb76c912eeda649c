//go:build long

package ingest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// TestLongThousandRenewals: a thousand agents whose certificates end in the same hour
// ask at once. Each is served, or told when to come again, or finds the door shut
// for a moment, and none is lost.
func TestLongThousandRenewals(t *testing.T) {
	const agents = 1000
	r := start(t, nil)
	certs := make([]*tls.Certificate, agents)
	keys := make([]any, agents)
	for i := range certs {
		_, certs[i], keys[i] = r.agent(t, time.Now().Add(-26*24*time.Hour))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i, cert := range certs {
		csr := csrOf(t, keys[i])
		all.Go(func() {
			<-begin
			if err := renewUntilServed(ctx, r, transports[i%2], cert, csr); err != nil {
				t.Errorf("agent %d over %s: %v", i, transports[i%2], err)
			}
		})
	}
	close(begin)
	all.Wait()
	if n := len(r.register.serials()); n < agents {
		t.Errorf("%d certificates noted for %d agents", n, agents)
	}
}

// renewUntilServed asks as an agent does: again after a failure of the line, or
// when the collector has said.
func renewUntilServed(ctx context.Context, r *rig, transport string, cert *tls.Certificate, csr []byte) error {
	config := &tls.Config{RootCAs: poolOf(r.authority),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }}
	for {
		var rt interface {
			http.RoundTripper
			CloseIdleConnections()
		} = &http.Transport{TLSClientConfig: config.Clone(), ForceAttemptHTTP2: true}
		if transport == "h3" {
			rt = &http3.Transport{TLSClientConfig: config.Clone(), QUICConfig: &quic.Config{HandshakeIdleTimeout: 30 * time.Second}}
		}
		resp, err := wire.NewEnrolmentServiceClient(&http.Client{Transport: rt}, "https://"+r.Addr()).
			Renew(ctx, connect.NewRequest(&wire.RenewRequest{Csr: csr}))
		if h3, ok := rt.(*http3.Transport); ok {
			_ = h3.Close()
		}
		rt.CloseIdleConnections()
		if err == nil {
			_, err = x509.ParseCertificate(resp.Msg.GetCertificateChain()[0])
			return err
		}
		wait := time.Duration(0)
		if ce := new(connect.Error); asError(err, &ce) && connect.IsWireError(err) {
			seconds, told := strconv.Atoi(ce.Meta().Get(protocol.RetryAfterHeader))
			if reason(err) != protocol.ReasonTemporary || told != nil || seconds < 1 {
				return err // a refusal, or no word of when to come again
			}
			wait = time.Duration(seconds) * time.Second
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}
