package pagestest

import (
	"context"
	"net"
	"net/http"
	"testing"
)

// server is a listener of the collector: a *web.Web.
type server interface {
	Listen(addr string) (net.Listener, error)
	Serve(ctx context.Context, h http.Handler, listeners ...net.Listener) error
}

// Serve serves pages on a port of 127.0.0.1 until the test ends.
func Serve(t *testing.T, s server, pages http.Handler) (port int) {
	t.Helper()
	l, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, pages, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}
