package ingest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	agentLife     = 30 * 24 * time.Hour // DESIGN 5.3; agents renew from day 20
	serverLife    = 90 * 24 * time.Hour
	serverRenewal = 30 * 24 * time.Hour // before its end a new one is made
	maxCSR        = 4 << 10             // bytes; ours are about 230
)

// request is what ingest takes from a certificate request: the key, and proof
// that its sender holds it. Names and extensions asked for are not read.
type request struct {
	key  *ecdsa.PublicKey
	spki []byte // the key as SubjectPublicKeyInfo, DER
}

// parseRequest reads a PKCS #10 request (DER) for a P-256 key.
func parseRequest(der []byte) (request, error) {
	if len(der) > maxCSR {
		return request{}, fmt.Errorf("is %d bytes long, at most %d are allowed", len(der), maxCSR)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return request{}, errors.New("is not a PKCS #10 request")
	}
	key, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return request{}, errors.New("is not for a P-256 key")
	}
	if err := csr.CheckSignature(); err != nil {
		return request{}, errors.New("is not signed by its own key")
	}
	return request{key: key, spki: csr.RawSubjectPublicKeyInfo}, nil
}

// agentCertificate signs a certificate for an agent, valid 30 days from now.
func (a *Authority) agentCertificate(key *ecdsa.PublicKey, agentID string, now time.Time) (*x509.Certificate, error) {
	return a.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: agentID},
		NotBefore:   now.Add(-backdated),
		NotAfter:    now.Add(agentLife),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, key)
}

// serverCertificate makes a key and a certificate for the given host names
// and addresses. The authority's own certificate follows in the chain: an
// agent that knows only its pin finds it there.
func (a *Authority) serverCertificate(hosts []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a server key: %w", err)
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "Anagrafe Telecamere"},
		NotBefore:   now.Add(-backdated),
		NotAfter:    now.Add(serverLife),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	cert, err := a.sign(template, &key.PublicKey)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{cert.Raw, a.cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}

func (a *Authority) sign(template *x509.Certificate, key *ecdsa.PublicKey) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// verifyAgent checks that the chain that an agent presented ends at this
// authority, at the earlier of now and the certificate's end: whether an
// expired one will do is for each call to say.
func (a *Authority) verifyAgent(chain []*x509.Certificate, now time.Time) error {
	leaf, at := chain[0], now
	if leaf.IsCA { // its own chain is good, for any use
		return errors.New("this is the certificate of an authority, not of an agent")
	}
	if leaf.NotAfter.Before(at) {
		at = leaf.NotAfter
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: a.pool, Intermediates: between, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}

// serverIdentity keeps the server's certificate, and makes the next one 30
// days before its end, while connections come in.
type serverIdentity struct {
	authority *Authority
	hosts     []string
	now       func() time.Time

	mu   sync.Mutex
	cert *tls.Certificate
}

func (s *serverIdentity) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); s.cert == nil || now.After(s.cert.Leaf.NotAfter.Add(-serverRenewal)) {
		cert, err := s.authority.serverCertificate(s.hosts, now)
		if err != nil {
			return nil, err
		}
		s.cert = cert
	}
	return s.cert, nil
}
