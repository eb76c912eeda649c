package daemon

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
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
// loggers that come of others; elsewhere nothing is added.
func TestLog(t *testing.T) {
	for _, c := range []struct{ stream, want string }{
		{"8:1234", "<7>level=DEBUG msg=d\n<6>level=INFO msg=i\n<4>level=WARN msg=w part=x g.n=1\n<3>level=ERROR msg=\"two\\nlines\"\n"},
		{"", "level=DEBUG msg=d\nlevel=INFO msg=i\nlevel=WARN msg=w part=x g.n=1\nlevel=ERROR msg=\"two\\nlines\"\n"},
	} {
		t.Setenv("JOURNAL_STREAM", c.stream)
		var out strings.Builder
		log := slog.New(Log(&out, text))
		log.Debug("d")
		log.Info("i")
		log.With("part", "x").WithGroup("g").Warn("w", "n", 1)
		log.Error("two\nlines")
		if out.String() != c.want {
			t.Errorf("JOURNAL_STREAM %q:\n%s\nwant\n%s", c.stream, out.String(), c.want)
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
