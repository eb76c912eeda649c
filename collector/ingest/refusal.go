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

// Reasons that no agent gets: they stand in logs and metrics only.
const (
	reasonExpiredCode        protocol.Reason = "expired-code"         // told as unknown
	reasonForeignCertificate protocol.Reason = "foreign-certificate"  // refused in the handshake
	reasonBroken             protocol.Reason = "broken"               // a request that could not be read to its end
	reasonTooManyConnections protocol.Reason = "too-many-connections" // refused before the handshake
	reasonBusy               protocol.Reason = "busy"                 // told as temporary
	reasonBudget             protocol.Reason = "budget"               // told as too many
	reasonTooManyCalls       protocol.Reason = "too-many-calls"       // of a connection on trial, which is closed
	reasonUnproven           protocol.Reason = "unproven"             // a connection that ended, or was ended, without an admitted call
)

const (
	retryAfter   = 15 * time.Second
	maxErrorText = 2 << 10 // bytes of an error's sentence on the wire
)

// refusal is one row of the table that turns an error into an answer.
type refusal struct {
	err    error
	reason protocol.Reason // as counted
	says   protocol.Reason // as told to the agent, where it differs
	code   connect.Code
	text   string
}

func refusals() []refusal {
	return []refusal{
		{ErrUnknownCode, protocol.ReasonUnknownCode, "", connect.CodeNotFound, unknownCodeText},
		{ErrExpiredCode, reasonExpiredCode, protocol.ReasonUnknownCode, connect.CodeNotFound, unknownCodeText},
		{ErrUsedCode, protocol.ReasonUsedCode, "", connect.CodeAlreadyExists, "this code has already been used by another installation: ask for a new one"},
		{ErrRevoked, protocol.ReasonRevoked, "", connect.CodePermissionDenied, "this agent's right to send has been revoked: ask the municipality"},
		{ErrUnknownAgent, protocol.ReasonUnknownAgent, "", connect.CodePermissionDenied, "this collector does not know this agent: enrol it with a new code"},
		{ErrNotGranted, protocol.ReasonNotGranted, "", connect.CodePermissionDenied, "site_id: this agent has no valid grant for this site and epoch: enrol it with a new code"},
		{ErrStale, protocol.ReasonStale, "", connect.CodeFailedPrecondition, "revision: a declaration with this or a later epoch and revision is already recorded"},
		{ErrBehind, protocol.ReasonBehind, "", connect.CodeFailedPrecondition, "after: this message is not recorded here: send it again first"},
		{ErrConflict, protocol.ReasonConflict, "", connect.CodeAlreadyExists, "id: another message with this id is already recorded"},
	}
}

// Unknown and expired codes get one answer: who guesses learns nothing.
const unknownCodeText = "code: not known, or expired: check it, or ask for a new one"

// refuse counts a refusal and makes its answer.
func (s *Server) refuse(reason protocol.Reason, code connect.Code, text string) *connect.Error {
	s.metrics.refused.WithLabelValues(string(reason)).Inc()
	return refusalError(reason, code, text)
}

func refusalError(reason protocol.Reason, code connect.Code, text string) *connect.Error {
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "..."
	}
	e := connect.NewError(code, errors.New(text))
	e.Meta().Set(protocol.ReasonHeader, string(reason))
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
		s.log.InfoContext(ctx, "call refused", "op", op, "agent", agentID, "reason", protocol.ReasonInvalid, "fields", names)
		return s.refuse(protocol.ReasonInvalid, connect.CodeInvalidArgument, fields.Error())
	}
	for _, r := range refusals() {
		if !errors.Is(err, r.err) {
			continue
		}
		s.log.InfoContext(ctx, "call refused", "op", op, "agent", agentID, "reason", r.reason)
		e := s.refuse(r.reason, r.code, r.text)
		if r.says != "" {
			e.Meta().Set(protocol.ReasonHeader, string(r.says))
		}
		return e
	}
	if ctx.Err() != nil {
		// The caller went away; it will come back with the same message.
		return connect.NewError(connect.CodeCanceled, ctx.Err())
	}
	s.log.ErrorContext(ctx, "call failed", "op", op, "agent", agentID, "err", err)
	return s.temporary("the register cannot take this now, nothing was recorded: try again later")
}

func (s *Server) temporary(text string) *connect.Error {
	e := s.refuse(protocol.ReasonTemporary, connect.CodeUnavailable, text)
	e.Meta().Set(protocol.RetryAfterHeader, seconds(retryAfter))
	return e
}

// seconds rounds up: a wait that is too short would be refused again.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
