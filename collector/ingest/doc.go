// Package ingest is the collector's door for agents. It hides who may come in
// and how: the private certificate authority, mutual TLS 1.3 over QUIC and
// TCP, the enrolment codes' guard, admission, size and time limits, and the
// Connect services of protocol/wire. What it lets in goes, decoded, to the
// Register that main hands it, and only when Register.Record has returned is a
// message acknowledged.
//
// Main opens an Authority and a Server, and runs the Server. Nobody else
// calls this package; package registry implements its Register.
//
// # Who may call what
//
// The listener asks for a client certificate and accepts none, or one of this
// authority, also one that has expired: a listener that required a valid one
// would refuse, in the handshake, the agent that has come to renew it. So each
// call checks what it needs:
//
//	Enrol                      no certificate, a code
//	Renew                      a certificate that expired at most 90 days ago
//	Deliver, GetSite, Notices  a valid certificate
//
// and all but Enrol ask Register.Admit each time, so that a revocation holds
// from the next call on. Session tickets and 0-RTT are off: a resumed session
// would carry an old certificate, and early data can be replayed.
//
// # Refusals
//
// Each refusal is a Connect error with a sentence for the log and, in the
// metadata "anagrafe-reason", one stable word that the agent turns into what
// its owner reads (protocol.Reason). A temporary one carries "retry-after" in
// seconds. All are counted by reason in the metrics. The answer to Notices has
// the header "anagrafe-notices: open" when the stream is open.
package ingest
