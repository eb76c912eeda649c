package ingest

import (
	"context"
	"errors"
	"time"

	"anagrafe/protocol"
)

// Register is the system of record as ingest needs it; package registry
// implements it. What a method changes is durable when it returns nil: ingest
// acknowledges right after. Methods are called from many goroutines at once.
//
// An error that is none of this package's sentinels (as errors.Is sees it)
// counts as temporary: the agent is told to come back, and nothing is lost.
type Register interface {
	// Redeem binds a code to a key at first use and answers with the grant.
	// The same code with the same key answers with the same grant again, so
	// that a lost answer locks nobody out, also after the code's expiry. A
	// key that is known keeps its agent id and gains a grant. Other agents'
	// grants for the site go on beside it, unless it replaces them.
	// Errors: ErrUnknownCode, ErrExpiredCode, ErrUsedCode, ErrRevoked.
	Redeem(ctx context.Context, r Redemption) (protocol.Grant, error)

	// Admit checks whether an agent may speak at all, at each call and at each
	// connection's first use. It must be cheap: one read.
	// Errors: ErrUnknownAgent, ErrRevoked.
	Admit(ctx context.Context, agentID string) error

	// Record stores one decoded message with its bytes, exactly once. at is
	// when it arrived. A message that is already recorded with the same bytes
	// answers with the first receipt and Duplicate set, also when a later one
	// has been recorded since. The receipt has all but its Note and OwnerLink;
	// OwnerCode may be empty.
	// Errors: ErrNotGranted (no grant for this site, its epoch is another, or
	// it has ended; an agent that never had one is refused a recorded message too),
	// ErrStale (a declaration that is not after this agent's newest recorded
	// one, a withdrawal of an epoch before it; an observation never is),
	// ErrConflict (the id is recorded with other bytes), ErrRevoked,
	// protocol.FieldErrors for what only the register can see.
	Record(ctx context.Context, agentID string, m protocol.Message, raw []byte, at time.Time) (protocol.Receipt, error)

	// Knows reports whether a message of a site is recorded; false for an agent that
	// never had a grant for the site. It must be cheap: one read.
	Knows(ctx context.Context, agentID, siteID, messageID string) (bool, error)

	// Site returns an agent's own grant for a site, and the recorded state of the site
	// as a message: the newest declaration as it arrived or, where several agents
	// declare parts of the site, with the others' parts added. The
	// revision is that of the newest; raw is nil before the first declaration,
	// and after a withdrawal. Errors: ErrNotGranted.
	Site(ctx context.Context, agentID, siteID string) (g protocol.Grant, revision int64, raw []byte, err error)

	// Waiting returns the open notices whose receipt an agent has not confirmed, the
	// oldest first, a page at a time: those after number after, at first 0, and the
	// number to ask on from, 0 where there are no more. It must be cheap when there is
	// none: it is called for each held agent every few minutes.
	Waiting(ctx context.Context, agentID string, at time.Time, after int64) (page []protocol.Notice, next int64, err error)

	// Noticed returns the agents for which something was queued after number after,
	// and the number to ask from next. It may name an agent with nothing waiting.
	Noticed(ctx context.Context, after int64) (agents []string, last int64, err error)

	// Certified records a certificate before it is handed out: its serial number in
	// hexadecimal and its end, so that ops see which expire.
	Certified(ctx context.Context, agentID, serial string, notAfter time.Time) error
}

// Redemption is an agent's attempt to use an enrolment code.
type Redemption struct {
	CodeHash     [32]byte // protocol.Code.Hash
	KeyHash      [32]byte // SHA-256 of the agent's public key (its SubjectPublicKeyInfo, DER)
	AgentID      string   // proposed UUID, used if the key is new
	AgentVersion string   // as the agent says it, at most 64 bytes of printable ASCII
	At           time.Time
	Visit        bool // the grant ends by itself within a day
	// Replace ends the other agents' grants for the site; Former that of the agent
	// that this computer was before it lost its identity. Both may be sent later,
	// with the same code and key.
	Replace bool
	Former  string
}

// Permanent refusals of a Register. An agent does not try again after one of these;
// the text is for the operator's log.
var (
	ErrUnknownCode  = errors.New("enrolment code not known")
	ErrUsedCode     = errors.New("enrolment code already used with another key")
	ErrExpiredCode  = errors.New("enrolment code expired")
	ErrRevoked      = errors.New("agent revoked")
	ErrUnknownAgent = errors.New("agent not known")
	ErrNotGranted   = errors.New("agent has no grant for this site")
	ErrStale        = errors.New("message is not newer than the recorded declaration")
	ErrBehind       = errors.New("message follows one that is not recorded")
	ErrConflict     = errors.New("message id already recorded with other content")
)
