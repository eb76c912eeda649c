package protocol

import "time"

// RenewAfterExpiry is how long after its end an agent's certificate may still
// call Renew, and nothing else.
const RenewAfterExpiry = 90 * 24 * time.Hour

// Reason is the stable word for why the collector refused a call. It travels
// in the metadata of the Connect error, under [ReasonHeader]; the agent chooses
// by it whether to try again and what to tell its owner. A word never changes
// its meaning; on one that it does not know, an agent tries again.
type Reason string

const (
	ReasonUnknownCode Reason = "unknown-code" // not known, or expired: who guesses is not told which
	ReasonUsedCode    Reason = "used-code"    // by another key
	ReasonTooMany     Reason = "too-many-attempts"

	ReasonNoCertificate      Reason = "no-certificate"
	ReasonExpiredCertificate Reason = "expired-certificate"
	ReasonUnknownAgent       Reason = "unknown-agent"
	ReasonRevoked            Reason = "revoked"
	ReasonRetiredAuthority   Reason = "retired-authority" // the collector has given up who signed the certificate

	// These refuse one message for good; sent again it gets the same answer.
	ReasonNotGranted Reason = "not-granted"
	ReasonStale      Reason = "stale"
	ReasonConflict   Reason = "conflict" // its id is recorded with other bytes
	ReasonTooLarge   Reason = "too-large"
	ReasonInvalid    Reason = "invalid"

	// ReasonBehind: the collector does not know the message that the agent holds
	// a receipt for; it was set back to an earlier state. That message comes
	// first, then this one again.
	ReasonBehind Reason = "behind"

	// ReasonNoMap: this collector has no map, or no addresses, to give.
	ReasonNoMap Reason = "no-map"

	ReasonTemporary Reason = "temporary" // nothing was recorded; the same call may succeed later
)

// Headers and metadata of the services' answers.
const (
	ReasonHeader     = "Anagrafe-Reason"
	RetryAfterHeader = "Retry-After" // whole seconds, with a temporary refusal
	// NoticesHeader stands in the answer to an agent whose notice stream is
	// open. One that is refused gets headers too, and its error only at the end.
	NoticesHeader = "Anagrafe-Notices"
)
