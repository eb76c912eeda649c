package ingest

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// serverIdentity keeps the server's certificate and makes or reads the next one
// while connections come in: the authority's own, 30 days before its end and when
// another authority signs; one of the public Web PKI, when its files change.
type serverIdentity struct {
	authority *Authority
	hosts     []string
	files     *certificateFiles // nil: the authority signs
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
		public, err := s.files.latest(s.hosts)
		if err != nil {
			return nil, err
		}
		if s.cert == nil || s.signed != held || s.public != public {
			if s.cert, err = held.withPath(public, now); err != nil {
				return nil, err
			}
			s.signed, s.public = held, public
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
	issuer, err := x509.ParseCertificate(public.Certificate[1]) // read by certificateFiles
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

// certificateFiles are a certificate of the public Web PKI and its key, as an
// ACME client renews them in place.
type certificateFiles struct {
	cert, key string // paths
	log       *slog.Logger

	seen [2]stamp // of the files at the last attempt to read them
	pair *tls.Certificate
}

// stamp tells one state of a file from another.
type stamp struct {
	at   time.Time
	size int64
}

// latest returns the certificate, read again if its files have changed. Two files
// never change at the same instant: while they do not fit, or cannot be read, the
// one before holds.
func (f *certificateFiles) latest(hosts []string) (*tls.Certificate, error) {
	seen := [2]stamp{stampOf(f.cert), stampOf(f.key)}
	if f.pair != nil && seen == f.seen {
		return f.pair, nil
	}
	pair, err := f.read(hosts)
	switch {
	case err == nil:
		if f.pair != nil {
			f.log.Info("the agents' listener has a new certificate", "until", pair.Leaf.NotAfter)
		}
		f.pair = pair
	case f.pair == nil:
		return nil, fmt.Errorf("read the certificate of the agents' listener: %w", err)
	default:
		f.log.Warn("the new certificate of the agents' listener is not used; the one before is", "err", err, "until", f.pair.Leaf.NotAfter)
	}
	f.seen = seen
	return f.pair, nil
}

func (f *certificateFiles) read(hosts []string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return nil, err
	}
	if len(pair.Certificate) < 2 {
		return nil, errors.New(f.cert + " holds no certificate of the issuer after the server's own: give the full chain")
	}
	issuer, err := x509.ParseCertificate(pair.Certificate[1])
	if err != nil {
		return nil, err
	}
	if err := pair.Leaf.CheckSignatureFrom(issuer); err != nil {
		return nil, fmt.Errorf("%s: its second certificate is not the issuer of the first: %w", f.cert, err)
	}
	for _, host := range hosts {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			return nil, fmt.Errorf("%s: %w (agents call the host of public_url)", f.cert, err)
		}
	}
	return &pair, nil
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{} // reading it will say why
	}
	return stamp{info.ModTime(), info.Size()}
}
