// Package uplink connects the agent to the collector. It hides the agent's identity (its
// key, made once on this host, and its certificate), the recognition of the collector, the
// choice of transport (HTTP/3 over QUIC, or HTTP/2 over TCP where UDP is blocked), and
// delivery: each message of the Outbox is sent, in order and again, until the collector
// has durably recorded it or refused it for good.
//
// Main enrols with Enrol, reads the identity with Open, and runs an Uplink. Package
// inventory implements Outbox. uplink does not look into messages: it sends the bytes
// that the owner confirmed.
//
// Where to look:
//
//	what runs, with one identity            uplink.go
//	the agent's key and certificate         identity.go; enrol.go, renew.go
//	whom the agent believes                 trust.go; receipts, receipt.go
//	HTTP/3 or HTTP/2, dialling              transport.go, dial.go, proxy.go
//	sending what waits                      deliver.go
//	notices; held or parked                 listen.go; parking.go
//	a line that fails or moves              silence.go, moving.go, awake.go, elsewhere.go
//	what the register holds, and has lost   recorded.go, listen.go (resume)
//	what is wrong with the line             examine.go, errors.go
//
// # Trust
//
// An enrolment link carries the pin of the collector's private authority: the connection
// is accepted if the server's chain contains a certificate with that key and leads from
// it to the server's name. Without a pin the public Web PKI decides at enrolment. Each
// answer to Enrol and Renew says what later connections trust: one or two authorities
// (two during a roll-over), or the public Web PKI too.
//
// # Transport
//
// HTTP/3 is tried first, on a connection that this package dials itself, so that the
// transport is chosen before a request is sent. If UDP gets no answer, HTTP/2 is used, and
// QUIC is tried again some minutes later. A TLS error is an answer, and never a reason to
// try the other transport.
//
// The collectors are the addresses of the one name in the enrolment link, resolved again
// at each dial. They are tried in the resolver's order, a quarter of a second apart
// (dial.go); one that answers that it cannot work now is left for another (elsewhere.go).
//
// # Held and parked
//
// A held agent keeps the notice stream open, with a ping every 28 seconds. A parked one, by
// the owner's choice or the collector's, closes it, and comes back at the slot that the
// collector gave or when there is something to send, with a resumed TLS session and never
// with 0-RTT: some 8 kB a visit (TestParkedVisit in package installer bounds it). The daily
// sign of life waits for the slot. Session tickets belong to one identity.
//
// A notice is handed to Keep and acknowledged once it is durably kept. The connection
// survives a changed port (the collector follows) and a changed address of this machine
// (it is migrated). If that fails, and after the machine slept, it is dialled anew at once.
//
// # Receipts
//
// A receipt counts if it covers the exact bytes sent and, once the collector has announced
// its receipt key (at enrolment and renewal), is signed with that key. If the key changed,
// an early renewal fetches the new one, and messages wait for it (receipt.go).
//
// # The map
//
// While somebody places cameras, map tiles and addresses are requested over the same
// connection (maps.go). Such a request names one square of the map, or the address as
// typed, and no site or camera.
//
// # Refusals and forgetting
//
// A message goes to Outbox.Reject only when the collector refused that message. When the
// collector refuses the agent (revoked, unknown, bad certificate) or is unreachable,
// messages wait.
//
// A collector that was restored from a backup has forgotten some acknowledged messages.
// Each delivery, and one call for each site on a new connection, names the site's newest
// acknowledged message. If the collector does not know it, that message is queued again,
// and so on back to a known one. Outbox keeps the order.
package uplink
