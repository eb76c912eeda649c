package ingest

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
)

const (
	// callTimeout is the time in which a call's request has to arrive, and
	// after that its answer to leave.
	callTimeout = 30 * time.Second
)

// caller identifies the agent of a call, as the connection shows it.
type caller struct {
	cert    *x509.Certificate // nil: none; else its chain has been verified
	address netip.Addr
	answer  *http.ResponseController // to set deadlines of a long answer
}

type callerKey struct{}

// withCaller hands the caller's certificate to the services, limits the time
// of each call, and counts the requests that fail before a service sees them.
func (s *Server) withCaller(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := caller{answer: http.NewResponseController(w)}
		if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
			c.cert = r.TLS.PeerCertificates[0]
		}
		if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			c.address = at.Addr()
		}
		// Not supported would mean a transport that we do not serve.
		if err := c.deadlines(s.timeout); err != nil {
			http.Error(w, "this transport has no deadlines", http.StatusInternalServerError)
			return
		}
		seen := &statusSeen{ResponseWriter: w}
		if x := arrivalOf(r.Context()); !x.call() {
			s.metrics.refused.WithLabelValues(string(reasonTooManyCalls)).Inc()
			x.close()
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
		done, refused := s.measured(seen, r, c)
		if refused != nil {
			_ = s.errors.Write(seen, r, refused) // who is gone need not be told
			return
		}
		// Also when the service panics.
		defer func() { done(seen.status) }()
		next.ServeHTTP(seen, r)
		if seen.status >= http.StatusBadRequest && w.Header().Get(protocol.ReasonHeader) == "" {
			reason := reasonBroken
			if seen.status == http.StatusTooManyRequests { // Connect's "resource exhausted"
				reason = protocol.ReasonTooLarge
			}
			s.metrics.refused.WithLabelValues(string(reason)).Inc()
		}
	})
}

// deadlines limits reading to d from now on, and writing to twice that, so
// that a slow caller still gets an answer; 0 lifts the limits.
func (c caller) deadlines(d time.Duration) error {
	var read, write time.Time
	if d > 0 {
		read = time.Now().Add(d)
		write = read.Add(d)
	}
	if err := c.answer.SetReadDeadline(read); err != nil {
		return err
	}
	return c.answer.SetWriteDeadline(write)
}

// statusSeen remembers the status of an answer.
type statusSeen struct {
	http.ResponseWriter
	status int
}

func (w *statusSeen) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Flush is what Connect's streams look for.
func (w *statusSeen) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush() // the next write reports it
}

// Unwrap is for http.ResponseController.
func (w *statusSeen) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// admit reports which agent calls, and refuses one that may not. expired is how
// long after its end a certificate will still do.
func (s *Server) admit(ctx context.Context, op string, expired time.Duration) (string, *connect.Error) {
	c := callerOf(ctx)
	if c.cert == nil {
		return "", s.refuse(protocol.ReasonNoCertificate, connect.CodeUnauthenticated,
			"this call needs the agent's certificate: enrol the agent first")
	}
	agentID := c.cert.Subject.CommonName
	// At each call: the connection may be older than the retirement.
	if !s.o.Authority.current().accepts(c.cert) {
		s.log.InfoContext(ctx, "call refused", "op", op, "agent", agentID, "reason", protocol.ReasonRetiredAuthority)
		return "", s.refuse(protocol.ReasonRetiredAuthority, connect.CodeUnauthenticated,
			"this agent's certificate was signed by an authority that the collector has given up: enrol it with a new code")
	}
	// Before the certificate's age: to renew it is no remedy for an agent that
	// is shut out, and its owner reads what was answered last.
	if err := s.o.Register.Admit(ctx, agentID); err != nil {
		return "", s.answer(ctx, op, agentID, err)
	}
	if now := s.now(); now.After(c.cert.NotAfter.Add(expired)) {
		text := "this agent's certificate has expired: renew it"
		if now.After(c.cert.NotAfter.Add(protocol.RenewAfterExpiry)) {
			text = "this agent's certificate expired more than 90 days ago: enrol it with a new code"
		}
		s.log.InfoContext(ctx, "call refused", "op", op, "agent", agentID, "reason", protocol.ReasonExpiredCertificate)
		return "", s.refuse(protocol.ReasonExpiredCertificate, connect.CodeUnauthenticated, text)
	}
	arrivalOf(ctx).prove()
	return agentID, nil
}
