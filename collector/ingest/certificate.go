package ingest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"time"
)

const (
	agentLife     = 30 * 24 * time.Hour // agents renew from day 20
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
	a.mu.RLock() // to the end of signing: see change
	defer a.mu.RUnlock()
	return a.held.signs.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: agentID},
		NotBefore:   now.Add(-backdated),
		NotAfter:    now.Add(agentLife),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, key)
}

// serverCertificate makes a key and a certificate for the given host names
// and addresses.
func (s *authorities) serverCertificate(hosts []string, now time.Time) (*tls.Certificate, error) {
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
	cert, err := s.signs.sign(template, &key.PublicKey)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: append([][]byte{cert.Raw}, s.path()...), PrivateKey: key, Leaf: cert}, nil
}

// path is what follows in the server's chain: the authority's own certificate,
// where an agent that knows only its pin finds it; while another one retires, the
// cross-certificate has that key, and leads on to the old one.
func (s *authorities) path() [][]byte {
	if s.signs.cross != nil && s.retiring != nil {
		return [][]byte{s.signs.cross.Raw, s.retiring.cert.Raw}
	}
	return [][]byte{s.signs.cert.Raw}
}

func (r *root) sign(template *x509.Certificate, key *ecdsa.PublicKey) (*x509.Certificate, error) {
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, template, r.cert, key, r.key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// verifyAgent checks that the chain that an agent presented ends at the authority of
// this collector that its certificate names, perhaps a former one, at the earlier of
// now and the certificate's end: whether an expired one, or a former one's, will do
// is for each call to say, by that name (accepts). It may end at no other: the key of
// a former one may be known to others, and what it signs can name any.
func (a *Authority) verifyAgent(chain []*x509.Certificate, now time.Time) error {
	leaf, at := chain[0], now
	if leaf.IsCA { // its own chain is good, for any use
		return errors.New("this is the certificate of an authority, not of an agent")
	}
	if leaf.NotAfter.Before(at) {
		at = leaf.NotAfter
	}
	named := x509.NewCertPool()
	for _, c := range a.current().known() {
		if bytes.Equal(c.SubjectKeyId, leaf.AuthorityKeyId) {
			named.AddCert(c)
		}
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: named, Intermediates: between, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}

// announced are the authorities that agents are told of (X.509, DER).
func (a *Authority) announced() [][]byte {
	var all [][]byte
	for _, r := range a.current().list() {
		all = append(all, r.cert.Raw)
	}
	return all
}
