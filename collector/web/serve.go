package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"anagrafe/collector/proxied"
)

// shutdownTime is how long answers under way may take once the program ends.
const shutdownTime = 10 * time.Second

// Listen opens an address of this listener: with TLS, or on loopback only.
func (w *Web) Listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w: write it as HOST:PORT", addr, err)
	}
	if w.TLS == nil && !loopback(host) {
		return nil, fmt.Errorf("listen on %q: without a certificate only this machine may connect: give a certificate, or listen on 127.0.0.1", addr)
	}
	l, err := proxied.Listen(addr, w.Balancers)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w: is another program using it?", addr, err)
	}
	if w.TLS == nil {
		return l, nil
	}
	c := w.TLS.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.NextProtos = []string{"h2", "http/1.1"}
	return tls.NewListener(l, c), nil
}

// Serve answers on the listeners until ctx ends, then lets answers under way
// finish, and returns when all is done.
func (w *Web) Serve(ctx context.Context, h http.Handler, listeners ...net.Listener) error {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second, // a handler that streams moves it on
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(w.Log.Handler(), slog.LevelDebug), // handshakes that fail, mostly
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	g, ending := errgroup.WithContext(ctx)
	for _, l := range listeners {
		g.Go(func() error {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	g.Go(func() error {
		<-ending.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if err := s.Shutdown(stop); err != nil {
			return s.Close()
		}
		return nil
	})
	return g.Wait()
}
