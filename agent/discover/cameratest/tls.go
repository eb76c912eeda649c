package cameratest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"time"
)

// selfSigned makes the certificate that a camera makes for itself: its own
// issuer, for a name that nobody asks for, valid for ten years around 2020.
func selfSigned(name string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of %s: %w", name, err)
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "camera"},
		NotBefore: time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of %s: %w", name, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// secure puts TLS on a listener. Each connection is shown the certificate of its
// time.
func (d *Device) secure(l net.Listener) net.Listener {
	c := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return d.certificate.Load(), nil },
	}
	if d.o.Quirks.HTTP.OldTLS {
		c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	}
	return tls.NewListener(l, c)
}

// Certificate is the self-signed one that an HTTPS device shows, in DER; nil
// without Options.HTTPS.
func (d *Device) Certificate() []byte {
	if c := d.certificate.Load(); c != nil {
		return c.Certificate[0]
	}
	return nil
}

// ChangeCertificate makes a new key and certificate for the next connections,
// as a camera does after a factory reset, or a stranger in its place.
func (d *Device) ChangeCertificate() error {
	c, err := selfSigned(d.o.Name)
	if err != nil {
		return err
	}
	d.certificate.Store(c)
	return nil
}
