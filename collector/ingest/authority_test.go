package ingest

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAuthorityIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "keys", keyFile))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("ca.key has mode %v", info.Mode())
	}
	b, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	if a.Pin() != b.Pin() || !a.held.signs.cert.Equal(b.held.signs.cert) {
		t.Error("the second start has another authority")
	}
	// A first start that was cut after the key: same key, so same pin.
	if err := os.Remove(filepath.Join(dir, "keys", certFile)); err != nil {
		t.Fatal(err)
	}
	c, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.Pin() != a.Pin() {
		t.Error("the completed authority has another pin")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "keys", "*.new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAuthorityIsNeverReplaced(t *testing.T) {
	other := t.TempDir()
	if _, err := OpenAuthority(other); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, file string
		damage     func(path string) error
	}{
		{"key gone", keyFile, os.Remove},
		{"key empty", keyFile, func(p string) error { return os.WriteFile(p, nil, 0o600) }},
		{"key is noise", keyFile, func(p string) error { return os.WriteFile(p, []byte("noise"), 0o600) }},
		{"key endless", keyFile, func(p string) error { return os.WriteFile(p, make([]byte, maxPEM+1), 0o600) }},
		{"key is a folder", keyFile, func(p string) error { _ = os.Remove(p); return os.Mkdir(p, 0o700) }},
		{"key of another", keyFile, func(p string) error {
			b, err := os.ReadFile(filepath.Join(other, "keys", keyFile))
			if err != nil {
				return err
			}
			return os.WriteFile(p, b, 0o600)
		}},
		{"certificate is noise", certFile, func(p string) error { return os.WriteFile(p, []byte("noise"), 0o600) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := OpenAuthority(dir); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "keys", tt.file)
			if err := tt.damage(path); err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, dir)
			_, err := OpenAuthority(dir)
			if err == nil {
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), "backup") && !strings.Contains(err.Error(), "right to read") {
				t.Errorf("no remedy in %q", err)
			}
			if after := snapshot(t, dir); after != before {
				t.Errorf("the files changed:\n%s\n%s", before, after)
			}
		})
	}
}

// snapshot is the content of the keys folder.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	for _, e := range entries {
		b, _ := os.ReadFile(filepath.Join(dir, "keys", e.Name())) // a folder reads as nothing
		s.WriteString(e.Name() + "\n" + string(b))
	}
	return s.String()
}

func TestServerCertificateIsRenewed(t *testing.T) {
	a, err := OpenAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	s := &serverIdentity{authority: a, hosts: []string{"collector.example", "192.0.2.7"}, now: func() time.Time { return now }}
	get := func() *x509.Certificate {
		c, err := s.certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range s.hosts {
			if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: poolOf(a), DNSName: host, CurrentTime: now}); err != nil {
				t.Errorf("for %s: %v", host, err)
			}
		}
		return c.Leaf
	}
	first := get()
	now = now.Add(serverLife - serverRenewal - time.Minute)
	if !get().Equal(first) {
		t.Error("renewed too early")
	}
	now = now.Add(2 * time.Minute)
	if get().Equal(first) {
		t.Error("not renewed 30 days before its end")
	}
}
