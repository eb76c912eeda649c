package ingest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"anagrafe/protocol"
)

const (
	authorityLife = 20 * 365 * 24 * time.Hour
	// authorityBackdated lets a certificate that was made anew for the same
	// key cover all agents' certificates that may still be renewed.
	authorityBackdated = 365 * 24 * time.Hour
	// backdated is how long before its making a certificate is already valid,
	// for agents whose clock is behind.
	backdated = time.Hour
	keyFile   = "ca.key"
	certFile  = "ca.pem"
	maxPEM    = 64 << 10 // a key or a certificate is under 2 KiB
)

// Authority is the collector's private certificate authority. It signs the
// agents' certificates and, for collectors without one of the public Web PKI,
// the server's own. Its methods may be called at the same time.
type Authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

// OpenAuthority reads the authority of a collector's directory from
// keys/ca.key (PKCS #8, mode 0600) and keys/ca.pem, and makes it at the first
// start. It never replaces a key: one that cannot be read, or that is gone
// while its certificate is there, is an error that says what to do.
func OpenAuthority(dir string) (*Authority, error) {
	keys := filepath.Join(dir, "keys")
	keyPath, certPath := filepath.Join(keys, keyFile), filepath.Join(keys, certFile)
	keyPEM, keyErr := readLimited(keyPath)
	certPEM, certErr := readLimited(certPath)

	switch {
	case errors.Is(keyErr, fs.ErrNotExist) && errors.Is(certErr, fs.ErrNotExist):
		return makeAuthority(keys)
	case errors.Is(keyErr, fs.ErrNotExist):
		return nil, fmt.Errorf("open the certificate authority: %s is missing but its certificate is there; restore it from a backup (or, to start anew and enrol every agent again, remove %s)", keyPath, certPath)
	case keyErr != nil:
		return nil, fmt.Errorf("open the certificate authority: %w; give the collector's user the right to read it", keyErr)
	}
	key, err := parseKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("open the certificate authority: %s: %w; restore it from a backup", keyPath, err)
	}
	if errors.Is(certErr, fs.ErrNotExist) {
		// A first start that was cut between the two files. The certificate
		// only repeats the key, which is what agents have pinned.
		return certify(key, certPath)
	}
	if certErr != nil {
		return nil, fmt.Errorf("open the certificate authority: %w; give the collector's user the right to read it", certErr)
	}
	cert, err := parseCertificate(certPEM)
	if err != nil {
		return nil, fmt.Errorf("open the certificate authority: %s: %w; restore it from a backup", certPath, err)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("open the certificate authority: %s is not the certificate of %s; restore both from the same backup", certPath, keyPath)
	}
	return newAuthority(key, cert), nil
}

// Pin identifies the authority's key in enrolment links (protocol.PinOf).
func (a *Authority) Pin() string { return protocol.PinOf(a.cert.RawSubjectPublicKeyInfo) }

func newAuthority(key *ecdsa.PrivateKey, cert *x509.Certificate) *Authority {
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &Authority{key: key, cert: cert, pool: pool}
}

// makeAuthority writes the key first: a key without certificate is completed
// at the next start, a certificate without key could not be.
func makeAuthority(keys string) (*Authority, error) {
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return nil, fmt.Errorf("make the certificate authority: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the certificate authority: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate authority: %w", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := writeDurably(filepath.Join(keys, keyFile), block, 0o600); err != nil {
		return nil, fmt.Errorf("make the certificate authority: %w", err)
	}
	return certify(key, filepath.Join(keys, certFile))
}

// certify makes the authority's own certificate and writes it to path.
func certify(key *ecdsa.PrivateKey, path string) (*Authority, error) {
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("make the authority's certificate: %w", err)
	}
	sum := sha256.Sum256(spki)
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		// The key's own mark in the name keeps two authorities apart in a
		// list of accepted ones.
		Subject:               pkix.Name{CommonName: "Anagrafe Telecamere " + hex.EncodeToString(sum[:4])},
		NotBefore:             now.Add(-authorityBackdated),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		SubjectKeyId:          sum[:20],
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the authority's certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the authority's certificate: %w", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := writeDurably(path, block, 0o644); err != nil {
		return nil, fmt.Errorf("make the authority's certificate: %w", err)
	}
	return newAuthority(key, cert), nil
}

func parseKey(b []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("not a PEM private key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("not a PKCS #8 private key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("not a P-256 key")
	}
	return key, nil
}

func parseCertificate(b []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("not a PEM certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	if !cert.IsCA {
		return nil, errors.New("not the certificate of an authority")
	}
	return cert, nil
}

// newSerial gives 127 random bits: never negative, never zero in practice.
func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	return n, nil
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxPEM {
		return nil, fmt.Errorf("%s is over %d bytes long, which no key or certificate is", path, maxPEM)
	}
	return bytes.TrimSpace(b), nil
}

// writeDurably puts a new file in place whole or not at all, and on the disk
// before it returns.
func writeDurably(path string, b []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone after the rename
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
