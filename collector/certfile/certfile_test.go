package certfile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// made gives a certificate for a name, and its key, as PEM.
func made(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// TestRenewal: what is shown follows the files, one step at a time; what does not fit, or
// is not wanted, is shown to nobody.
func TestRenewal(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "fullchain.pem"), filepath.Join(dir, "privkey.pem")
	changes := 0
	write := func(path string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		changes++ // a file system's clock may be coarse
		at := time.Now().Add(time.Duration(changes) * time.Second)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	wanted := func(c *tls.Certificate) error {
		if strings.HasPrefix(c.Leaf.DNSNames[0], "other") {
			return errors.New("not ours")
		}
		return nil
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	if _, err := Open("the pages", cert, key, wanted, log); err == nil || !strings.Contains(err.Error(), "the pages") || !strings.Contains(err.Error(), cert) {
		t.Errorf("no file: %v", err)
	}
	otherCert, otherKey := made(t, "other")
	write(cert, otherCert)
	write(key, otherKey)
	if _, err := Open("the pages", cert, key, wanted, log); err == nil || !strings.Contains(err.Error(), "not ours") {
		t.Errorf("not wanted: %v", err)
	}
	firstCert, firstKey := made(t, "first")
	write(cert, firstCert)
	write(key, firstKey)
	p, err := Open("the pages", cert, key, wanted, log)
	if err != nil {
		t.Fatal(err)
	}
	shows := func(when, name string) {
		t.Helper()
		c, err := p.Config().GetCertificate(nil)
		if err != nil || c.Leaf.DNSNames[0] != name {
			t.Errorf("%s: shows %v, %v", when, c.Leaf.DNSNames, err)
		}
	}
	nextCert, nextKey := made(t, "next")
	shows("at first", "first")
	write(cert, nextCert)
	shows("its key is to come", "first")
	write(key, nextKey)
	shows("both are there", "next")
	write(cert, otherCert)
	write(key, otherKey)
	shows("not wanted", "next")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	shows("removed", "next")
	write(cert, firstCert)
	write(key, firstKey)
	shows("another one", "first")
}

// TestHandshake: a listener that is open shows each client what holds then.
func TestHandshake(t *testing.T) {
	dir := t.TempDir()
	files := [2]string{filepath.Join(dir, "fullchain.pem"), filepath.Join(dir, "privkey.pem")}
	write := func(name string) {
		t.Helper()
		cert, key := made(t, name)
		for i, b := range [][]byte{cert, key} {
			if err := os.WriteFile(files[i], append(b, strings.Repeat("\n", len(name))...), 0o600); err != nil { // a size of its own
				t.Fatal(err)
			}
		}
	}
	write("first")
	p, err := Open("the pages", files[0], files[1], nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	config := p.Config()
	for _, name := range []string{"first", "the.next"} {
		write(name)
		c, s := net.Pipe()
		server := tls.Server(s, config)
		done := make(chan error, 1)
		go func() { done <- server.Handshake() }()
		client := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		if err := errors.Join(client.Handshake(), <-done); err != nil {
			t.Fatal(err)
		}
		if got := client.ConnectionState().PeerCertificates[0].DNSNames[0]; got != name {
			t.Errorf("shows %s, not %s", got, name)
		}
		_ = c.Close()
		_ = s.Close()
	}
}
