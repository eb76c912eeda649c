package keyfile

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// What lies on the disk is not the secret, does not open once changed, and is
// closed to the other users.
func TestSealed(t *testing.T) {
	path, secret := filepath.Join(t.TempDir(), "identity.key"), []byte("-----BEGIN PRIVATE KEY-----")
	if err := Write(path, secret); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || bytes.Contains(b, secret) {
		t.Fatalf("in clear: %q, %v", b, err)
	}
	b[len(b)-1] ^= 1
	for name, damaged := range map[string][]byte{"changed": b, "cut": b[:len(b)/2], "empty": nil, "in clear": secret} {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(path); err == nil {
			t.Errorf("%s: read as %q", name, got)
		}
	}
	if err := Write(path, secret); err != nil {
		t.Fatal(err)
	}
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	got := sd.String()
	for _, who := range []string{"WD", "BU", "AU"} { // everyone, users, whoever has signed in
		if !strings.HasPrefix(got, "D:P") || strings.Contains(got, ";;;"+who+")") {
			t.Errorf("the access list is %s", got)
		}
	}
}
