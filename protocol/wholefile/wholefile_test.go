package wholefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.key")
	for _, mode := range []fs.FileMode{0o600, 0o644} { // the second takes the first one's place
		if err := Write(path, []byte(mode.String()), mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%v, %v", info, err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != mode.String() {
			t.Errorf("%q, %v", b, err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "taken"), nil, 0o600); err == nil {
		t.Error("a directory was replaced")
	}
	if err := Write(filepath.Join(dir, "no", "a.key"), nil, 0o600); err == nil {
		t.Error("written where there is no directory")
	}
	for most, whole := range map[int64]bool{0: false, 9: false, 10: true, 1 << 20: true} { // it has ten, "-rw-r--r--"
		if b, err := Read(path, most); (err == nil) != whole || whole && len(b) != 10 {
			t.Errorf("up to %d bytes: %q, %v", most, b, err)
		}
	}
	if _, err := Read(filepath.Join(dir, "none"), 9); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left beside it: %v, %v", left, err)
	}
}

// What breaks off leaves no file; one that is there is left alone.
func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "backup")
	broken := errors.New("broken off")
	if err := CreateNew(path, func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		return errors.Join(err, broken)
	}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
	if err := WriteNew(path, []byte("older"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := CreateNew(path, func(io.Writer) error { t.Error("asked for nothing"); return nil }); !errors.Is(err, fs.ErrExist) {
		t.Error("written over", err)
	}
	second := filepath.Join(dir, "second")
	if err := CreateNew(second, func(w io.Writer) error { return os.WriteFile(second, []byte("older"), 0o600) }); !errors.Is(err, fs.ErrExist) {
		t.Error("written over what came meanwhile", err)
	}
	for _, path := range []string{path, second} {
		if b, err := os.ReadFile(path); err != nil || string(b) != "older" {
			t.Errorf("%q, %v", b, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Error(info, err)
	}
}
