package interrogate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

var (
	errTooLong   = errors.New("the answer is longer than 1 MiB")
	errRedirect  = errors.New("it redirects, which is not followed")
	errSilent    = errors.New("it no longer answers")
	errStopped   = errors.New("not asked, since it refused the password")
	errForbidden = errors.New("this user may not read it")
	errBroken    = errors.New("the connection broke before the answer was complete")
)

// unsupportedError: the device does not know the operation.
type unsupportedError struct{ words string }

func (e *unsupportedError) Error() string { return "it does not offer this: " + e.words }

// faultError: the device knows the operation, and does not do it.
type faultError struct{ words string }

func (e *faultError) Error() string { return "it answered with a fault: " + e.words }

// notSOAPError: something answered, but no ONVIF service.
type notSOAPError struct {
	status int
	empty  bool
	words  string
}

func (e *notSOAPError) Error() string { return e.words }

// why says what a failed call means. The address is left out: whoever reads
// the report knows it, and the report may be handed on.
func (c *conversation) why(ctx context.Context, err error) error {
	return explain(ctx, err, c.trust, c.auth, c.callTime)
}

func explain(ctx context.Context, err error, t *trust, auth *authenticator, callTime time.Duration) error {
	var netErr net.Error
	switch {
	case errors.Is(err, errTooLong):
		return errTooLong
	case t.broken():
		return errCertificate
	case errors.Is(ctx.Err(), context.Canceled):
		return errors.New("the search was ended")
	case ctx.Err() != nil:
		return fmt.Errorf("it took longer than the time allowed for one device")
	case errors.As(err, &netErr) && netErr.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %s", callTime)
	case strings.Contains(err.Error(), "tls: "), strings.Contains(err.Error(), "remote error"):
		return errors.New("its encryption (TLS) is too old or broken: update its firmware, or allow plain HTTP on this network")
	case strings.Contains(err.Error(), "malformed HTTP"):
		return errors.New("what it answers is not HTTP as it is spoken today")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("no connection: %s", auth.words(op.Err.Error()))
	}
	return errBroken
}

func hungUp(err error) bool {
	if netErr, ok := errors.AsType[net.Error](err); ok && netErr.Timeout() {
		return false
	}
	op, ok := errors.AsType[*net.OpError](err)
	return !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && (!ok || op.Op != "dial")
}
