package daemon

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
)

// Log returns a handler that writes to stderr in the format that newHandler makes
// (text or JSON). Where stderr is the journal each line begins with its priority,
// by which "journalctl -p warning" finds it.
func Log(stderr io.Writer, newHandler func(io.Writer) slog.Handler) slog.Handler {
	if !InJournal(stderr) {
		return newHandler(stderr)
	}
	return ByLevel(newHandler, func(level slog.Level, line []byte) error {
		_, err := stderr.Write(append([]byte(priority(level)), line...))
		return err
	})
}

// priority is the prefix by which the journal knows syslog's levels.
func priority(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return "<3>"
	case level >= slog.LevelWarn:
		return "<4>"
	case level >= slog.LevelInfo:
		return "<6>"
	}
	return "<7>"
}

// ByLevel returns a handler that formats by newHandler and hands each record's line,
// with its level, to write: for logs that take the level apart from the text. write
// is called by one goroutine at a time and may not keep the line.
func ByLevel(newHandler func(io.Writer) slog.Handler, write func(slog.Level, []byte) error) slog.Handler {
	shared := &levelled{write: write}
	return byLevel{newHandler(&shared.line), shared}
}

// levelled is what the handlers that come of one another share.
type levelled struct {
	mu    sync.Mutex
	line  bytes.Buffer
	write func(slog.Level, []byte) error
}

type byLevel struct {
	slog.Handler
	*levelled
}

func (h byLevel) Handle(ctx context.Context, r slog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.line.Reset()
	if err := h.Handler.Handle(ctx, r); err != nil {
		return err
	}
	return h.write(r.Level, h.line.Bytes())
}

func (h byLevel) WithAttrs(attrs []slog.Attr) slog.Handler {
	return byLevel{h.Handler.WithAttrs(attrs), h.levelled}
}

func (h byLevel) WithGroup(name string) slog.Handler {
	return byLevel{h.Handler.WithGroup(name), h.levelled}
}
