package installer

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// stream opens a notice stream: its answer comes with the first byte, and its
// body ends when the handler returns or the collector is killed.
func (c *collector) stream(req *http.Request) answer {
	ctx, cancel := context.WithCancel(req.Context())
	stop := context.AfterFunc(c.alive, cancel)
	from, to := io.Pipe()
	context.AfterFunc(ctx, func() { _ = from.CloseWithError(context.Canceled) }) // who leaves waits for no more
	w := &streamed{header: http.Header{}, to: to, open: make(chan struct{})}
	w.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	c.streams.Go(func() {
		defer stop()
		c.handler.ServeHTTP(w, req.WithContext(ctx))
		w.WriteHeader(http.StatusOK)
		if c.alive.Err() != nil {
			_ = to.CloseWithError(errReset)
		} else {
			_ = to.Close()
		}
	})
	<-w.open
	return answer{resp: &http.Response{Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: w.sent, Trailer: http.Header{}, Body: body{from, cancel}, ContentLength: -1, Request: req}}
}

// body is the reader's end; closing it tells the handler.
type body struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b body) Close() error {
	b.cancel()
	return b.ReadCloser.Close()
}

// streamed is an answer that is read while it is written.
type streamed struct {
	header http.Header
	to     *io.PipeWriter
	open   chan struct{} // closed when status and sent are set
	once   sync.Once
	status int
	sent   http.Header
}

func (s *streamed) Header() http.Header { return s.header }

func (s *streamed) WriteHeader(status int) {
	s.once.Do(func() {
		s.status, s.sent = status, s.header.Clone()
		close(s.open)
	})
}

func (s *streamed) Write(b []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return s.to.Write(b)
}

func (s *streamed) Flush()                           { s.WriteHeader(http.StatusOK) }
func (s *streamed) SetReadDeadline(time.Time) error  { return nil }
func (s *streamed) SetWriteDeadline(time.Time) error { return nil }
