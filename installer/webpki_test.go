package installer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/uplink"
	"anagrafe/protocol"
)

// publicCA plays a certificate authority of the public Web PKI.
type publicCA struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newPublicCA(t *testing.T, name string, parent *publicCA) *publicCA {
	t.Helper()
	ca := &publicCA{t: t, key: newP256(t)}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true}
	if parent == nil {
		parent = ca
		ca.cert = template
	}
	ca.cert = parent.sign(template, ca.key)
	return ca
}

func newP256(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (ca *publicCA) sign(template *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	ca.t.Helper()
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(90*24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		ca.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		ca.t.Fatal(err)
	}
	return cert
}

// write puts a server's certificate with its chain, and its key, into two files.
func (ca *publicCA) write(files [2]string, host string) *x509.Certificate {
	ca.t.Helper()
	key := newP256(ca.t)
	leaf := ca.sign(&x509.Certificate{IPAddresses: []net.IP{net.ParseIP(host)}, DNSNames: []string{"*.comune.example.it"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		ca.t.Fatal(err)
	}
	chain := append(pemOf("CERTIFICATE", leaf.Raw), pemOf("CERTIFICATE", ca.cert.Raw)...)
	for i, b := range [][]byte{chain, pemOf("PRIVATE KEY", der)} {
		if err := os.WriteFile(files[i], b, 0o600); err != nil {
			ca.t.Fatal(err)
		}
	}
	return leaf
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// shown is the certificate that a collector shows.
func (o *realCollector) shown() *x509.Certificate {
	o.t.Helper()
	conn, err := tls.Dial("tcp", o.at, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		o.t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

// rootsEnv tells the test, started again, that the roots of its system are ours.
const rootsEnv = "ANAGRAFE_TEST_ROOTS"

// TestPublicCertificate: a collector moves to a certificate of the public Web PKI
// and back, and its files change while it runs.
func TestPublicCertificate(t *testing.T) {
	if os.Getenv(rootsEnv) == "" {
		inOwnRoots(t)
		return
	}
	root := &publicCA{t: t, key: newP256(t)}
	readRoot(t, root)
	files := [2]string{filepath.Join(t.TempDir(), "fullchain.pem"), filepath.Join(t.TempDir(), "key.pem")}
	want := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	o := newRealCollector(t)
	code := func() protocol.Link { // as it is typed, with the address alone
		l := o.link()
		l.Pin = ""
		return l
	}
	pinned, asleep, never := o.enrolled(27), o.enrolled(60), o.enrolled(0)
	old := o.link()
	want("a code without the pin, at a private collector", enrols(t, t.TempDir(), code()), uplink.ServerUntrusted)

	o.public = files
	first := newPublicCA(t, "issuer one", root).write(files, o.host)
	o.restart()
	if !o.shown().Equal(first) {
		t.Error("the certificate of the files is not shown")
	}
	want("pinned, at the public certificate", hears(t, never), uplink.Reason(""))
	want("a link printed before", enrols(t, t.TempDir(), old), uplink.Reason(""))
	want("a code without the pin", enrols(t, t.TempDir(), code()), uplink.Reason(""))
	renews(t, pinned)
	renews(t, asleep)
	for _, dir := range []string{pinned, asleep} {
		if !strings.Contains(identityOf(t, dir), "Anagrafe-Trust: web") {
			t.Error("a renewal does not say that the public certificate will do")
		}
	}

	second := newPublicCA(t, "issuer two", root).write(files, o.host)
	if !o.shown().Equal(second) {
		t.Error("a new certificate waits for a restart")
	}
	want("pinned, at another issuer's", hears(t, never), uplink.Reason(""))
	want("told", hears(t, pinned), uplink.Reason(""))
	for i, damage := range []func() error{
		func() error { return os.WriteFile(files[0], []byte("half"), 0o600) },
		func() error { return os.Remove(files[0]) },
		func() error {
			b, err := os.ReadFile(filepath.Join(o.dir, "keys", "ca.pem"))
			if err != nil {
				return err
			}
			return os.WriteFile(files[0], b, 0o600)
		},
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if !o.shown().Equal(second) {
			t.Errorf("damage %d: the good certificate is given up", i)
		}
	}

	o.public = [2]string{}
	o.restart()
	want("told of the public one, at the private one", hears(t, pinned), uplink.Reason(""))
	want("never told", hears(t, never), uplink.Reason(""))
}

// A certificate for another name, or by another hand, is no way in: what the
// authority has signed of a public issuer is good for this collector's names.
func TestPublicIssuerIsBoundToTheName(t *testing.T) {
	o := newRealCollector(t)
	dir := t.TempDir()
	o.public = [2]string{filepath.Join(dir, "fullchain.pem"), filepath.Join(dir, "key.pem")}
	issuer := newPublicCA(t, "issuer", nil)
	issuer.write(o.public, o.host)
	o.restart()
	conn, err := tls.Dial("tcp", o.at, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	chain := conn.ConnectionState().PeerCertificates
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(chain[len(chain)-1])
	for _, c := range chain[1 : len(chain)-1] {
		between.AddCert(c)
	}
	verify := func(c *x509.Certificate, name string) error {
		_, err := c.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: name})
		return err
	}
	if err := verify(chain[0], o.host); err != nil {
		t.Errorf("the collector's own: %v", err)
	}
	other := issuer.sign(&x509.Certificate{DNSNames: []string{"elsewhere.example"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, newP256(t))
	if err := verify(other, "elsewhere.example"); err == nil {
		t.Error("the issuer's certificate for another name leads to the authority")
	}
}

// inOwnRoots runs this test in a process of its own: the roots of the system are
// read once a process.
func inOwnRoots(t *testing.T) {
	dir := t.TempDir()
	root := newPublicCA(t, "public root", nil)
	der, err := x509.MarshalPKCS8PrivateKey(root.key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"root.pem": pemOf("CERTIFICATE", root.cert.Raw), "root.key": pemOf("PRIVATE KEY", der)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), rootsEnv+"="+dir, "SSL_CERT_FILE="+filepath.Join(dir, "root.pem"), "SSL_CERT_DIR="+filepath.Join(dir, "none"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
}

func readRoot(t *testing.T, root *publicCA) {
	t.Helper()
	dir := os.Getenv(rootsEnv)
	for name, read := range map[string]func([]byte) error{
		"root.pem": func(b []byte) (err error) { root.cert, err = x509.ParseCertificate(b); return err },
		"root.key": func(b []byte) error {
			key, err := x509.ParsePKCS8PrivateKey(b)
			if err == nil {
				root.key = key.(*ecdsa.PrivateKey)
			}
			return err
		},
	} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(b)
		if err := read(block.Bytes); err != nil {
			t.Fatal(err)
		}
	}
}
