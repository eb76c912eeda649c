package lan

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"anagrafe/agent/keyfile"
)

// The life of a certificate: what Apple's systems take at most, and when a new one
// is made at the next start. Each has another fingerprint, which the owner has to
// compare anew, so they live as long as they can.
const (
	life  = 825 * 24 * time.Hour
	renew = 90 * 24 * time.Hour
)

// Certificate returns this machine's own certificate for the pages, made where there
// is none or the one there is ends soon: P-256, signed by itself, for the names and
// addresses given. No authority is made that browsers could be taught to trust.
func Certificate(dir string, names []string, now time.Time) (tls.Certificate, error) {
	file := filepath.Join(dir, "lan.pem")
	kept, err := keyfile.Read(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return tls.Certificate{}, fmt.Errorf("reading the certificate for access from the network: %w", err)
	default:
		c, err := tls.X509KeyPair(kept, kept)
		if err != nil {
			return c, fmt.Errorf("the certificate %s cannot be read: %w (remove the file: a new one is made)", file, err)
		}
		if now.Before(c.Leaf.NotAfter.Add(-renew)) {
			return c, nil
		}
	}
	made, err := makeCertificate(names, now)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making the certificate for access from the network: %w", err)
	}
	if err := keyfile.Write(file, made); err != nil {
		return tls.Certificate{}, fmt.Errorf("keeping the certificate for access from the network: %w", err)
	}
	return tls.X509KeyPair(made, made)
}

// makeCertificate returns certificate and key as PEM.
func makeCertificate(names []string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Anagrafe Telecamere"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life - time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range names {
		if a, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, a.WithZone("").AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := errors.Join(pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.Encode(&out, &pem.Block{Type: "PRIVATE KEY", Bytes: private})); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Fingerprint is the SHA-256 of a certificate as browsers show it: "AB:CD:…".
func Fingerprint(c tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}
