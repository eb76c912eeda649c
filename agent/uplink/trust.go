package uplink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/quic-go/quic-go"

	"anagrafe/protocol"
)

// trust says how the collector is recognised, and what the agent shows.
type trust struct {
	pin         string              // protocol.PinOf an authority's key; "": the next two decide
	authorities []*x509.Certificate // private ones; one of them is enough
	public      bool                // the public Web PKI will do, too
	show        *tls.Certificate    // nil: none, at enrolment
	receiptKey  string              // verifies its receipts; "": not announced yet
}

// config is for connections to host, over either protocol.
func (t trust) config(host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: host}
	if t.show != nil {
		// Not Certificates: those are held back when the server's list of
		// authorities does not name their issuer, as during a roll-over.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.show, nil }
	}
	if t.pin != "" {
		c.InsecureSkipVerify = true // VerifyConnection does it, by the pin
		c.VerifyConnection = func(cs tls.ConnectionState) error { return verifyPinned(cs, t.pin, host) }
		return c
	}
	c.RootCAs = x509.NewCertPool()
	if t.public {
		if system, err := x509.SystemCertPool(); err == nil {
			c.RootCAs = system
		}
	}
	for _, a := range t.authorities {
		c.RootCAs.AddCert(a)
	}
	return c
}

// errPin is a chain without the pinned key: another collector, or somebody in
// between.
var errPin = errors.New("the server does not show the authority that the enrolment link names")

// verifyPinned accepts a chain that leads from the server's name to the
// authority with the pinned key. The name is not cs.ServerName: that is empty
// for an address.
func verifyPinned(cs tls.ConnectionState, pin, host string) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	found := false
	for _, c := range cs.PeerCertificates[1:] {
		if c.IsCA && protocol.PinOf(c.RawSubjectPublicKeyInfo) == pin {
			roots.AddCert(c)
			found = true
		} else {
			between.AddCert(c)
		}
	}
	if !found {
		return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: errPin}
	}
	_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, DNSName: host,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
	}
	return nil
}

// handshakeReason tells a TLS failure from one of the network: ours of the
// server's certificate, or the server's of ours. "" is neither.
func handshakeReason(err error) Reason {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ServerUntrusted
	}
	if te, ok := errors.AsType[*quic.TransportError](err); ok && te.ErrorCode.IsCryptoError() {
		if te.Remote {
			return CertificateRefused
		}
		return ServerUntrusted
	}
	if oe, ok := errors.AsType[*net.OpError](err); ok && oe.Op == "remote error" { // a TLS alert, over TCP
		return CertificateRefused
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok { // something else speaks on that port
		return ServerUntrusted
	}
	return ""
}
