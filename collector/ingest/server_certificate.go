package ingest

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"anagrafe/collector/certfile"
)

// serverIdentity keeps the server's certificate and makes or reads the next one
// while connections come in: the authority's own, 30 days before its end and when
// another authority signs; one of the public Web PKI, when its files change.
type serverIdentity struct {
	authority *Authority
	hosts     []string
	files     *certfile.Pair // nil: the authority signs
	now       func() time.Time

	mu     sync.Mutex
	cert   *tls.Certificate
	signed *authorities     // when cert was made
	public *tls.Certificate // that of files in cert
}

func (s *serverIdentity) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, now := s.authority.current(), s.now()
	if s.files != nil {
		public := s.files.Latest()
		if s.cert == nil || s.signed != held || s.public != public {
			cert, err := held.withPath(public, now)
			if err != nil {
				return nil, err
			}
			s.cert, s.signed, s.public = cert, held, public
		}
		return s.cert, nil
	}
	if s.cert == nil || s.signed != held || now.After(s.cert.Leaf.NotAfter.Add(-serverRenewal)) {
		cert, err := held.serverCertificate(s.hosts, now)
		if err != nil {
			return nil, err
		}
		s.cert, s.signed = cert, held
	}
	return s.cert, nil
}

// withPath adds to a certificate of the public Web PKI the way to the private
// authority: its issuer's name and key in a certificate that the authority signs,
// good for the certificate's own names and nothing else. Agents and links that
// know the authority alone so recognise a collector that has moved to the public
// Web PKI, and are told by Renew that they may rely on that from then on.
func (s *authorities) withPath(public *tls.Certificate, now time.Time) (*tls.Certificate, error) {
	issuer, err := x509.ParseCertificate(public.Certificate[1]) // see forAgents
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		RawSubject: issuer.RawSubject, SubjectKeyId: issuer.SubjectKeyId,
		NotBefore: now.Add(-backdated), NotAfter: public.Leaf.NotAfter,
		KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		PermittedDNSDomainsCritical: true,
	}
	for _, name := range public.Leaf.DNSNames {
		template.PermittedDNSDomains = append(template.PermittedDNSDomains, strings.TrimPrefix(name, "*."))
	}
	for _, ip := range public.Leaf.IPAddresses {
		bits := 8 * len(ip)
		template.PermittedIPRanges = append(template.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)})
	}
	cross, err := x509.CreateCertificate(rand.Reader, template, s.signs.cert, issuer.PublicKey, s.signs.key)
	if err != nil {
		return nil, fmt.Errorf("sign the public issuer's key: %w", err)
	}
	c := *public
	c.Certificate = append(append(c.Certificate[:len(c.Certificate):len(c.Certificate)], cross), s.path()...)
	return &c, nil
}

// forAgents checks a certificate of the public Web PKI: it comes with its issuer's, and
// names the hosts that agents call.
func forAgents(pair *tls.Certificate, hosts []string) error {
	if len(pair.Certificate) < 2 {
		return errors.New("no certificate of the issuer comes after the server's own: give the full chain")
	}
	issuer, err := x509.ParseCertificate(pair.Certificate[1])
	if err != nil {
		return err
	}
	if err := pair.Leaf.CheckSignatureFrom(issuer); err != nil {
		return fmt.Errorf("its second certificate is not the issuer of the first: %w", err)
	}
	for _, host := range hosts {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			return fmt.Errorf("%w (agents call the host of public_url)", err)
		}
	}
	return nil
}
