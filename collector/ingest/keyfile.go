package ingest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

const (
	keyFile  = "ca.key" // mode 0600
	certFile = "ca.pem"
	maxPEM   = 64 << 10 // a key or a certificate is under 2 KiB

	// Headers of the certificates in ca.key. One file holds all the authorities
	// and what each does, so that a change is there whole or not at all: it is
	// a list of PEM blocks, of each authority its key (PKCS #8, none when it is
	// retiring), its certificate with these, and its cross-certificate.
	headerRole  = "Anagrafe-Role"
	headerSince = "Anagrafe-Since" // RFC 3339
	roleCross   = "cross"
)

func (s *authorities) encode() []byte {
	var b bytes.Buffer
	for _, r := range s.list() {
		if r.key != nil {
			der, err := x509.MarshalPKCS8PrivateKey(r.key)
			if err != nil {
				panic(err) // a P-256 key that we have made or read
			}
			_ = pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
		}
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: r.cert.Raw, Headers: map[string]string{
			headerRole: string(s.role(r)), headerSince: r.since.UTC().Format(time.RFC3339Nano)}})
		if r.cross != nil {
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: r.cross.Raw, Headers: map[string]string{headerRole: roleCross}})
		}
	}
	return b.Bytes()
}

// encodePublic lists the certificates, for ca.pem.
func (s *authorities) encodePublic() []byte {
	var b bytes.Buffer
	for _, c := range s.former {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	for _, r := range s.list() {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: r.cert.Raw})
	}
	return b.Bytes()
}

// parseAuthorities reads what encode has written.
func parseAuthorities(b []byte) (*authorities, error) {
	s := &authorities{}
	var key *ecdsa.PrivateKey
	var last *root
	for len(b) > 0 {
		block, rest := pem.Decode(b)
		if block == nil {
			return nil, errors.New("not a list of PEM keys and certificates")
		}
		b = bytes.TrimSpace(rest)
		var err error
		switch {
		case block.Type == "PRIVATE KEY" && key == nil:
			key, err = parseKey(block.Bytes)
		case block.Type != "CERTIFICATE":
			err = errors.New("not a list of PEM keys and certificates")
		case block.Headers[headerRole] == roleCross:
			err = last.addCross(block.Bytes)
		default:
			if last, err = parseRoot(block, key); err == nil {
				err = s.add(Role(block.Headers[headerRole]), last)
			}
			key = nil
		}
		if err != nil {
			return nil, err
		}
	}
	if s.signs == nil || key != nil || s.next != nil && s.retiring != nil {
		return nil, errors.New("its list of authorities is not complete")
	}
	return s, nil
}

func parseRoot(block *pem.Block, key *ecdsa.PrivateKey) (*root, error) {
	cert, err := parseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	since, err := time.Parse(time.RFC3339Nano, block.Headers[headerSince])
	if err != nil {
		return nil, errors.New("an authority in it has no date")
	}
	if key != nil && !key.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("a certificate in it is not for the key before it")
	}
	return &root{key: key, cert: cert, since: since}, nil
}

func (s *authorities) add(role Role, r *root) error {
	at, ok := map[Role]**root{RoleSigns: &s.signs, RoleNext: &s.next, RoleRetiring: &s.retiring}[role]
	if !ok || *at != nil || (r.key == nil) != (role == RoleRetiring) {
		return fmt.Errorf("its list of authorities makes no sense at %q", role)
	}
	*at = r
	return nil
}

func (r *root) addCross(der []byte) error {
	cross, err := parseCertificate(der)
	if err == nil && (r == nil || r.cross != nil || !bytes.Equal(cross.RawSubjectPublicKeyInfo, r.cert.RawSubjectPublicKeyInfo)) {
		err = errors.New("a cross-certificate in it is not for the key before it")
	}
	if err == nil {
		r.cross = cross
	}
	return err
}

func parseKey(der []byte) (*ecdsa.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("not a PKCS #8 private key") // its error may tell of the key
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("not a P-256 key")
	}
	return key, nil
}

func parseCertificate(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if !cert.IsCA {
		return nil, errors.New("not the certificate of an authority")
	}
	return cert, nil
}

func parseCertificates(b []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for len(b) > 0 {
		block, rest := pem.Decode(b)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("not a list of PEM certificates")
		}
		b = bytes.TrimSpace(rest)
		c, err := parseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}
