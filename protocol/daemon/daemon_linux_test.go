package daemon

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// systemd hears that the service is ready; where it did not ask, nobody is told, and
// an address at which nobody listens is an error.
func TestReady(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Ready(); err != nil {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "notify")
	t.Setenv("NOTIFY_SOCKET", path)
	if err := Ready(); err == nil {
		t.Error("told nobody, and took it for done")
	}
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	if err := Ready(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 64)
	n, err := systemd.Read(said)
	if err != nil || string(said[:n]) != "READY=1" {
		t.Errorf("systemd read %q, %v", said[:n], err)
	}
}

// The control socket is its user's alone from the start, and takes the place of one that a
// killed process left.
func TestListenControl(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control.sock")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	listener, err := ListenControl(path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := ListenControl(filepath.Join(t.TempDir(), strings.Repeat("x", 120))); err == nil || !strings.Contains(err.Error(), "-data DIR") {
		t.Errorf("a path that is too long: %v", err)
	}
}

// text formats without the time, so that lines can be compared.
func text(w io.Writer) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

// In the journal each record is one line that begins with its priority, also of
// loggers that come of others; elsewhere, also with the name of a journal that another
// program writes to, nothing is added.
func TestLog(t *testing.T) {
	const plain = "level=DEBUG msg=d\nlevel=INFO msg=i\nlevel=WARN msg=w part=x g.n=1\nlevel=ERROR msg=\"two\\nlines\"\n"
	for name, c := range map[string]struct{ of, want string }{
		"the journal":     {"out", "<7>level=DEBUG msg=d\n<6>level=INFO msg=i\n<4>level=WARN msg=w part=x g.n=1\n<3>level=ERROR msg=\"two\\nlines\"\n"},
		"another journal": {"other", plain},
		"none":            {"", plain},
	} {
		dir := t.TempDir()
		files := map[string]*os.File{}
		for _, name := range []string{"out", "other"} {
			f, err := os.Create(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			files[name] = f
		}
		t.Setenv("JOURNAL_STREAM", "")
		if f := files[c.of]; f != nil {
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			stat := info.Sys().(*syscall.Stat_t)
			t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", stat.Dev, stat.Ino))
		}
		log := slog.New(Log(files["out"], text))
		log.Debug("d")
		log.Info("i")
		log.With("part", "x").WithGroup("g").Warn("w", "n", 1)
		log.Error("two\nlines")
		if got, err := os.ReadFile(filepath.Join(dir, "out")); err != nil || string(got) != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// Who cannot write says so.
func TestByLevelFails(t *testing.T) {
	full := errors.New("no room")
	h := ByLevel(text, func(slog.Level, []byte) error { return full })
	if err := h.Handle(t.Context(), slog.Record{Message: "x"}); !errors.Is(err, full) {
		t.Error(err)
	}
}
