package ingest

import (
	"io"
	"net/http"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// Limits of an admitted agent.
const (
	// maxSmall bounds the request of every call but Deliver: a certificate
	// request and a code are under 5 KiB.
	maxSmall = 16 << 10 // bytes
	// maxBodies bounds the messages that are being read, decoded or recorded
	// at once. Decoded they take some four times as much.
	maxBodies = 64 << 20 // bytes
	// budgetDay is what one agent may send in a day, and at once; its largest
	// message is 1 MiB, and on a quiet day it sends some KiB.
	budgetDay = 8 << 20 // bytes
	// callCost is what a call counts at least: about its frames and headers.
	callCost = 256 // bytes
	// maxBudgets is how many agents' budgets are kept; one that is whole needs
	// no keeping. About 150 bytes each.
	maxBudgets = 200_000
)

// measured lets a call in with what it may send: it bounds its body, before a
// byte of it is read, and pays for it from the agent's budget. done is to be
// called with the answer's status.
func (s *Server) measured(w http.ResponseWriter, r *http.Request, c caller) (done func(status int), refused *connect.Error) {
	size := int64(callCost)
	large := r.URL.Path == wire.DeliveryServiceDeliverProcedure
	// Nobody pays for a certificate of an authority that was given up: who has
	// its key can write any agent's name into one.
	named := c.cert != nil && s.o.Authority.current().accepts(c.cert)
	switch {
	case large && !named:
		r.Body = http.NoBody // it will be refused for that
	case large:
		if size = r.ContentLength; size < 0 || size > readLimit {
			size = readLimit
		}
		size = max(size, callCost)
	default:
		r.Body = http.MaxBytesReader(w, r.Body, maxSmall)
	}
	if !named {
		return func(int) {}, nil
	}
	if large && arrivalOf(r.Context()).onTrial() {
		// Before the message, which may take longer to come than the trial.
		if _, refused := s.admit(r.Context(), "deliver", 0); refused != nil {
			return nil, refused
		}
	}
	agent := c.cert.Subject.CommonName
	if wait, ok := s.budgets.take(agent, float64(size), s.now()); !ok {
		e := s.refuse(reasonBudget, connect.CodeResourceExhausted, "this agent has sent more than a day's share: what waits is taken later")
		e.Meta().Set(protocol.ReasonHeader, string(protocol.ReasonTooMany))
		e.Meta().Set(protocol.RetryAfterHeader, seconds(wait))
		return nil, e
	}
	if !large {
		return func(int) {}, nil
	}
	if !s.bodies.TryAcquire(size) {
		s.budgets.add(agent, float64(size), s.now())
		return nil, s.busy(minRetry)
	}
	body := &counted{ReadCloser: r.Body}
	r.Body = body
	return func(status int) {
		s.bodies.Release(size)
		switch {
		case status == http.StatusServiceUnavailable: // our own trouble: it has to send all again
			s.budgets.add(agent, float64(size), s.now())
		case r.ContentLength < 0:
			s.budgets.add(agent, float64(max(0, size-max(body.n, callCost))), s.now())
		}
	}, nil
}

// counted counts what is read of a body.
type counted struct {
	io.ReadCloser
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	return n, err
}
