package registry

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"anagrafe/protocol/wholefile"
)

func newMaster(t testing.TB) *master {
	t.Helper()
	m, err := openMaster(filepath.Join(t.TempDir(), "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The file is made once, with its mode, read again, and never replaced.
func TestMasterFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	refused := func(what, hint string, mayMake bool) {
		t.Helper()
		if _, err := openMaster(path, mayMake); err == nil || !strings.Contains(err.Error(), hint) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("missing", "restore it", false)
	m, err := openMaster(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	key := bytes.Repeat([]byte{7}, dataKeySize)
	wrapped, err := m.wrap("a", key)
	if err != nil || len(wrapped) != wrappedSize || wrappedWith(wrapped) != m.seals() {
		t.Fatalf("%d bytes, %v", len(wrapped), err)
	}
	again, err := openMaster(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.unwrap("a", wrapped); err != nil || !bytes.Equal(got, key) {
		t.Errorf("read again: %v", err)
	}
	if _, err := again.unwrap("b", wrapped); err == nil {
		t.Error("a data key opens for another owner")
	}
	if _, err := newMaster(t).unwrap("a", wrapped); !errors.Is(err, errOtherMaster) {
		t.Errorf("another master key: %v", err)
	}

	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	refused("readable by others", "chmod 600", true)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range [][]byte{nil, whole[:len(whole)/2], []byte("{}"), []byte("SECRETSECRET")} {
		if err := os.WriteFile(path, wrong, 0o600); err != nil {
			t.Fatal(err)
		}
		refused("wrong", "restore it", true)
		if _, err := openMaster(path, true); strings.Contains(err.Error(), "SECRET") {
			t.Errorf("the error tells what is in the file: %v", err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := openMaster(path, true); err == nil {
		t.Error("a directory was taken for the key")
	}
}

// While it is changed, both keys open; then only the new one.
func TestMasterChanges(t *testing.T) {
	m := newMaster(t)
	key := bytes.Repeat([]byte{7}, dataKeySize)
	wrap := func() []byte {
		t.Helper()
		b, err := m.wrap("a", key)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	opens := func(wrapped []byte) bool {
		t.Helper()
		other, err := openMaster(m.path, false)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.unwrap("a", wrapped)
		if fresh, err2 := other.unwrap("a", wrapped); (err == nil) != (err2 == nil) || !bytes.Equal(got, fresh) {
			t.Errorf("the file says otherwise than the program: %v, %v", err, err2)
		}
		return err == nil && bytes.Equal(got, key)
	}
	old := wrap()
	if err := m.next(); err != nil {
		t.Fatal(err)
	}
	young := wrap()
	if wrappedWith(young) == wrappedWith(old) || !m.changing() || !opens(old) || !opens(young) {
		t.Error("while it is changed, not both keys open, or the new one does not seal")
	}
	if err := m.retire(); err != nil {
		t.Fatal(err)
	}
	if m.changing() || opens(old) || !opens(young) {
		t.Error("after the change the old key opens, or the new one does not")
	}
	// Who had it open before reads the file again.
	behind := newMaster(t)
	if err := writeSecretCopy(behind.path, m.path); err != nil {
		t.Fatal(err)
	}
	if got, err := behind.unwrap("a", young); err != nil || !bytes.Equal(got, key) {
		t.Errorf("another collector, after the file was copied: %v", err)
	}
}

func writeSecretCopy(to, from string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return wholefile.Write(to, b, 0o600)
}
