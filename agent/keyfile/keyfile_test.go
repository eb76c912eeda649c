package keyfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.key")
	if _, err := Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	for _, secret := range []string{"one", "another, that is longer"} {
		if err := Write(path, []byte(secret)); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil || string(got) != secret {
			t.Errorf("%q, %v", got, err)
		}
	}
	if left, _ := filepath.Glob(path + ".new-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil {
		t.Error("an endless file is read")
	}
	if err := Write(filepath.Join(path, "below"), []byte("x")); err == nil {
		t.Error("written below a file")
	}
}
