package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
)

type requestKey struct{}

// identified gives each request an id, by which operators find in the log what a page
// that broke has shown. It is random, and new for each: it reveals nothing of the caller,
// and nothing that a client sends is taken for one.
func identified(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		inner := r.WithContext(context.WithValue(r.Context(), requestKey{}, rand.Text()[:12])) // 60 bits: what is in one log
		defer func() { r.Pattern = inner.Pattern }()                                           // for who counts
		h.ServeHTTP(rw, inner)
	})
}

// requestID is that of the request under way; "" outside one.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// requestLog adds the id of the request to what is logged in it.
type requestLog struct{ slog.Handler }

// LogRequests has a log tell of which request each line is.
func LogRequests(h slog.Handler) slog.Handler { return requestLog{h} }

// Handle implements slog.Handler.
func (l requestLog) Handle(ctx context.Context, r slog.Record) error {
	if id := requestID(ctx); id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l requestLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestLog{l.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (l requestLog) WithGroup(name string) slog.Handler { return requestLog{l.Handler.WithGroup(name)} }
