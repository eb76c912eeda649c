package uplink

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
)

// Reason is a stable word for what went wrong, for the command line and the
// pages to put into the owner's language: the collector's own, from package
// protocol, or one of these.
type Reason = protocol.Reason

const (
	NotEnrolled        Reason = "not-enrolled"
	IdentityUnreadable Reason = "identity-unreadable"
	OtherCollector     Reason = "other-collector" // the agent belongs to another one

	BadCode     Reason = "bad-code" // mistyped: found before anything is sent
	NoCollector Reason = "no-collector"

	Unreachable        Reason = "unreachable"
	ServerUntrusted    Reason = "server-untrusted"
	CertificateRefused Reason = "certificate-refused" // in the handshake, so without a word
	UnexpectedAnswer   Reason = "unexpected-answer"
	ProxyRefused       Reason = "proxy-refused"
)

const (
	maxRetryAfter       = time.Hour // a collector may not silence an agent for longer
	maxCollectorMessage = 1 << 10   // bytes of its text that are kept
)

// Error is an error for the agent's owner: Reason selects the words in their language,
// Error says what failed and why, Hint what to do.
type Error struct {
	Reason Reason
	Hint   string // what to do, in English; may be empty

	what  string
	cause error
	after time.Duration // as the collector asked; 0: nothing asked
}

// Error says what failed and why.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.what
	}
	return e.what + ": " + e.cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// refusesMessage reports whether the collector will never take this message,
// whoever sends it and whenever.
func (e *Error) refusesMessage() bool {
	switch e.Reason {
	case protocol.ReasonNotGranted, protocol.ReasonStale, protocol.ReasonConflict, protocol.ReasonTooLarge, protocol.ReasonInvalid:
		return true
	}
	return false
}

// refusesAgent reports whether the line works only after a person did something.
func (e *Error) refusesAgent() bool {
	switch e.Reason {
	case protocol.ReasonRevoked, protocol.ReasonUnknownAgent, protocol.ReasonNoCertificate, protocol.ReasonExpiredCertificate,
		protocol.ReasonRetiredAuthority, CertificateRefused, ServerUntrusted:
		return true
	}
	return false
}

// why is the cause alone, for where the operation is plain.
func (e *Error) why() string {
	if e.cause == nil {
		return e.what
	}
	return e.cause.Error()
}

// hint is what to do about a reason.
func hint(r Reason) string {
	switch r {
	case NotEnrolled:
		return "enrol this agent with the code that you received"
	case BadCode:
		return "type the code again, as it is printed"
	case NoCollector:
		return "use the whole enrolment link, or give the collector's address with the code"
	case protocol.ReasonUnknownCode:
		return "check the code, or ask the municipality for a new one: codes last 14 days"
	case protocol.ReasonUsedCode:
		return "ask the municipality for a new code: each one serves one installation"
	case protocol.ReasonTooMany:
		return "wait a few minutes, then try again"
	case Unreachable:
		return "check that this machine reaches the internet; what waits is kept and sent by itself"
	case ProxyRefused:
		return "set HTTPS_PROXY of the agent's service to http://USER:PASSWORD@HOST:PORT as who keeps the proxy says, " +
			"or have the proxy let the collector through, or name the collector in NO_PROXY"
	case ServerUntrusted:
		return "use the whole enrolment link, which carries the collector's pin, and the host name that it names; check this machine's date; " +
			"if this agent was enrolled, the collector has another key, or somebody is in between: ask the municipality, and for a new link if it has"
	case CertificateRefused:
		return "the collector does not recognise this agent: ask the municipality, or enrol with a new code"
	case protocol.ReasonRetiredAuthority:
		return "ask the municipality for a new link and enrol again: it has replaced the key that this agent was enrolled with; the choices stay, and what has not left may have to be confirmed again"
	case protocol.ReasonExpiredCertificate, protocol.ReasonUnknownAgent, protocol.ReasonNoCertificate:
		return "ask the municipality for a new code and enrol again; the choices stay, and what has not left may have to be confirmed again"
	case protocol.ReasonRevoked:
		return "ask the municipality why; what waits is kept"
	case protocol.ReasonNotGranted:
		return "ask the municipality for a new code for this site"
	case protocol.ReasonInvalid, protocol.ReasonStale, protocol.ReasonConflict, protocol.ReasonTooLarge:
		return "correct the entry and confirm it again"
	case protocol.ReasonNoMap:
		return "place the cameras by coordinates"
	case protocol.ReasonTemporary, protocol.ReasonBehind, UnexpectedAnswer:
		return "nothing to do: it is tried again by itself"
	}
	return ""
}

func newError(r Reason, cause error, what string) *Error {
	return &Error{Reason: r, Hint: hint(r), what: what, cause: cause}
}

// explain turns the outcome of a call into an Error. what is the operation.
func explain(what string, err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if r := handshakeReason(err); r != "" {
		return newError(r, plain(err), what)
	}
	ce, ok := errors.AsType[*connect.Error](err)
	if !ok || !connect.IsWireError(err) {
		return newError(Unreachable, plain(err), what)
	}
	return fromWire(what, ce)
}

// fromWire reads an error that the collector sent.
func fromWire(what string, ce *connect.Error) *Error {
	e := newError(reasonOf(ce), nil, what)
	e.cause = errors.New(strings.ToValidUTF8(ce.Message()[:min(len(ce.Message()), maxCollectorMessage)], ""))
	if s, err := strconv.Atoi(ce.Meta().Get(protocol.RetryAfterHeader)); err == nil && s > 0 {
		e.after = min(time.Duration(s)*time.Second, maxRetryAfter)
	}
	return e
}

// reasonOf reads the collector's own word; without one (its limits on the
// transport, a proxy between) the code decides, and what is not clear is
// temporary: a message is never given up by mistake.
func reasonOf(ce *connect.Error) Reason {
	switch r := Reason(ce.Meta().Get(protocol.ReasonHeader)); r {
	case protocol.ReasonUnknownCode, protocol.ReasonUsedCode, protocol.ReasonTooMany,
		protocol.ReasonNoCertificate, protocol.ReasonExpiredCertificate, protocol.ReasonUnknownAgent, protocol.ReasonRevoked,
		protocol.ReasonRetiredAuthority, protocol.ReasonNotGranted, protocol.ReasonStale, protocol.ReasonConflict, protocol.ReasonTooLarge, protocol.ReasonInvalid,
		protocol.ReasonBehind, protocol.ReasonTemporary:
		return r
	}
	switch ce.Code() {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeCanceled:
		return protocol.ReasonTemporary
	}
	return UnexpectedAnswer
}

// plain drops what the libraries wrap around a cause, which says nothing to a
// person.
func plain(err error) error {
	if ve, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ve.Err
	}
	if ce, ok := errors.AsType[*connect.Error](err); ok && ce.Unwrap() != nil {
		return ce.Unwrap()
	}
	return err
}

func wrongf(r Reason, format string, args ...any) *Error {
	return newError(r, nil, fmt.Sprintf(format, args...))
}
