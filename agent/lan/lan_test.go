package lan

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

func TestPassword(t *testing.T) {
	cost = bcrypt.MinCost
	t.Cleanup(func() { cost = bcrypt.DefaultCost })
	dir := t.TempDir()
	if set, err := HasPassword(dir); set || err != nil {
		t.Fatalf("of a new directory: %t %v", set, err)
	}
	if right, err := Check(dir, ""); right || !errors.Is(err, ErrNone) {
		t.Errorf("without a password nothing opens: %t %v", right, err)
	}
	for password, want := range map[string]error{"": ErrShort, "undici lett": ErrShort, "àèìòùàèìòù1": ErrShort,
		strings.Repeat("x", 73): ErrLong, strings.Repeat("è", 40): ErrLong} {
		if err := SetPassword(dir, password); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", password, err, want)
		}
	}
	if set, _ := HasPassword(dir); set {
		t.Error("a refused password is kept")
	}
	first, second := "àèìòùàèìòù12", "un'altra password"
	if err := SetPassword(dir, first); err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{first: true, first + " ": false, "": false, first + strings.Repeat("x", 100): false} {
		if right, err := Check(dir, password); right != want || err != nil {
			t.Errorf("%q: %t %v", password, right, err)
		}
	}
	if err := SetPassword(dir, second); err != nil {
		t.Fatal(err)
	}
	if right, _ := Check(dir, first); right {
		t.Error("the old password still opens")
	}
	file := filepath.Join(dir, "lan.password")
	kept, err := os.ReadFile(file)
	if err != nil || bytes.Contains(kept, []byte(second)) {
		t.Errorf("kept as %q: %v", kept, err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if right, err := Check(dir, second); right || err == nil {
		t.Error("a file that others can read is trusted")
	}
	if err := os.WriteFile(file, []byte("no hash"), 0o600); err != nil || os.Chmod(file, 0o600) != nil {
		t.Fatal(err)
	}
	if right, err := Check(dir, second); right || err == nil {
		t.Errorf("a broken file: %t %v", right, err)
	}
}

func TestCertificate(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	names := []string{"nas.local", "127.0.0.1", "fd00::1"}
	made, err := Certificate(dir, names, now)
	if err != nil {
		t.Fatal(err)
	}
	leaf := made.Leaf
	if key, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("its key is %T", leaf.PublicKey)
	}
	if leaf.IsCA || !slices.Equal(leaf.DNSNames, []string{"nas.local"}) || len(leaf.IPAddresses) != 2 || leaf.NotAfter.Sub(leaf.NotBefore) > life {
		t.Errorf("made %+v", leaf)
	}
	info, err := os.Stat(filepath.Join(dir, "lan.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	again, err := Certificate(dir, []string{"other"}, now.Add(life-renew-2*time.Hour))
	if err != nil || Fingerprint(again) != Fingerprint(made) {
		t.Errorf("the fingerprint changes while it is still good: %v", err)
	}
	later, err := Certificate(dir, names, now.Add(life-renew))
	if err != nil || Fingerprint(later) == Fingerprint(made) {
		t.Errorf("one that ends soon is kept: %v", err)
	}
	if f := Fingerprint(made); len(f) != 95 || f != strings.ToUpper(f) || strings.Count(f, ":") != 31 {
		t.Errorf("fingerprint %s", f)
	}
	handshake(t, made)
	if err := os.WriteFile(filepath.Join(dir, "lan.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Certificate(dir, names, now); err == nil || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("of a broken file: %v", err)
	}
}

// handshake speaks TLS with it, by a client that trusts it alone.
func handshake(t *testing.T, c tls.Certificate) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{c}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = io.WriteString(conn, "x")
			_ = conn.Close()
		}
	}()
	trusted := x509.NewCertPool()
	trusted.AddCert(c.Leaf)
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: time.Minute}, "tcp", listener.Addr().String(), &tls.Config{RootCAs: trusted})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Error(err)
	}
	conn.Close()
}

func TestNames(t *testing.T) {
	names := Names([]string{"NAS.casa"})
	if len(names) < 2 || names[0] != "nas.casa" {
		t.Errorf("%q", names)
	}
	for _, n := range names {
		if strings.HasPrefix(n, "127.") || n == "::1" || n != strings.ToLower(n) {
			t.Errorf("%q is among %q", n, names)
		}
	}
}
