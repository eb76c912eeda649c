package ingest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
)

// Reason is the stable word for why a call was refused. It travels in the
// error's metadata; the agent chooses by it whether to try again and what to
// tell its owner, and ops see refusals counted by it.
type Reason string

const (
	ReasonUnknownCode Reason = "unknown-code" // also an expired one, to the outside
	ReasonExpiredCode Reason = "expired-code" // in logs and metrics only
	ReasonUsedCode    Reason = "used-code"
	ReasonTooMany     Reason = "too-many-attempts"

	ReasonNoCertificate      Reason = "no-certificate"
	ReasonForeignCertificate Reason = "foreign-certificate" // refused in the handshake, so counted only
	ReasonExpiredCertificate Reason = "expired-certificate"
	ReasonUnknownAgent       Reason = "unknown-agent"
	ReasonRevoked            Reason = "revoked"

	ReasonNotGranted Reason = "not-granted"
	ReasonStale      Reason = "stale"
	ReasonConflict   Reason = "conflict"
	ReasonTooLarge   Reason = "too-large"
	ReasonInvalid    Reason = "invalid"
	ReasonBroken     Reason = "broken" // a request that could not be read to its end; counted only

	ReasonTemporary Reason = "temporary"
)

const (
	reasonHeader     = "Anagrafe-Reason"
	retryAfterHeader = "Retry-After" // whole seconds
	retryAfter       = 15 * time.Second
	maxErrorText     = 2 << 10 // bytes of an error's sentence on the wire
)

// refusal is one row of the table that turns an error into an answer.
type refusal struct {
	err    error
	reason Reason // as counted
	says   Reason // as told to the agent, where it differs
	code   connect.Code
	text   string
}

func refusals() []refusal {
	return []refusal{
		{ErrUnknownCode, ReasonUnknownCode, "", connect.CodeNotFound, unknownCodeText},
		{ErrExpiredCode, ReasonExpiredCode, ReasonUnknownCode, connect.CodeNotFound, unknownCodeText},
		{ErrUsedCode, ReasonUsedCode, "", connect.CodeAlreadyExists, "this code has already been used by another installation: ask for a new one"},
		{ErrRevoked, ReasonRevoked, "", connect.CodePermissionDenied, "this agent's right to send has been revoked: ask the municipality"},
		{ErrUnknownAgent, ReasonUnknownAgent, "", connect.CodePermissionDenied, "this collector does not know this agent: enrol it with a new code"},
		{ErrNotGranted, ReasonNotGranted, "", connect.CodePermissionDenied, "site_id: this agent has no valid grant for this site and epoch: enrol it with a new code"},
		{ErrStale, ReasonStale, "", connect.CodeFailedPrecondition, "revision: a message with this or a later revision is already recorded"},
		{ErrConflict, ReasonConflict, "", connect.CodeAlreadyExists, "id: another message with this id is already recorded"},
	}
}

// Unknown and expired codes get one answer: who guesses learns nothing.
const unknownCodeText = "code: not known, or expired: check it, or ask for a new one"

// refuse counts a refusal and makes its answer.
func (s *Server) refuse(reason Reason, code connect.Code, text string) *connect.Error {
	s.metrics.refused.WithLabelValues(string(reason)).Inc()
	return refusalError(reason, code, text)
}

func refusalError(reason Reason, code connect.Code, text string) *connect.Error {
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "..."
	}
	e := connect.NewError(code, errors.New(text))
	e.Meta().Set(reasonHeader, string(reason))
	return e
}

// answer turns what the Register or protocol.Decode said into what the agent
// hears. An error that is no refusal is temporary, and its text stays here.
func (s *Server) answer(ctx context.Context, op, agentID string, err error) *connect.Error {
	if fields, ok := errors.AsType[protocol.FieldErrors](err); ok {
		names := make([]string, 0, len(fields))
		for _, f := range fields {
			names = append(names, f.Field)
		}
		s.log.InfoContext(ctx, "call refused", "op", op, "agent", agentID, "reason", ReasonInvalid, "fields", names)
		return s.refuse(ReasonInvalid, connect.CodeInvalidArgument, fields.Error())
	}
	for _, r := range refusals() {
		if !errors.Is(err, r.err) {
			continue
		}
		s.log.InfoContext(ctx, "call refused", "op", op, "agent", agentID, "reason", r.reason)
		e := s.refuse(r.reason, r.code, r.text)
		if r.says != "" {
			e.Meta().Set(reasonHeader, string(r.says))
		}
		return e
	}
	if ctx.Err() != nil {
		// The caller went away; it will come back with the same message.
		return connect.NewError(connect.CodeCanceled, ctx.Err())
	}
	s.log.ErrorContext(ctx, "call failed", "op", op, "agent", agentID, "err", err)
	return s.temporary("the register cannot take this now, nothing was recorded: try again later", retryAfter)
}

func (s *Server) temporary(text string, after time.Duration) *connect.Error {
	e := s.refuse(ReasonTemporary, connect.CodeUnavailable, text)
	e.Meta().Set(retryAfterHeader, seconds(after))
	return e
}

// seconds rounds up: a wait that is too short would be refused again.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
