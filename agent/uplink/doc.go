// Package uplink is the agent's side of the line to the collector. It hides
// the agent's identity (its key, made once on this host, and the certificate
// that a code buys), how the collector is recognised, which road is taken
// (HTTP/3 over QUIC, or HTTP/2 over TCP where UDP is blocked), and delivery:
// each message of the Outbox goes out, in order, again and again, until the
// collector has said that it is durably recorded or that it never will be.
//
// Main enrols with Enrol, reads the identity with Open, and runs an Uplink.
// Package inventory implements Outbox. uplink does not look into messages: the
// bytes that it sends are those that the owner confirmed.
//
// # Who is trusted
//
// An enrolment link carries the pin of the collector's private authority: the
// connection is good if the chain that the server shows holds a certificate
// with that key, and leads from there to the server's name. The answer then
// brings the authority itself, and later connections trust it alone. Without a
// pin the public Web PKI decides at enrolment. Each answer to Enrol and Renew says
// by what the collector is recognised from then on: by these authorities, two
// while one takes the place of the other, or by the public Web PKI too.
//
// # Roads
//
// HTTP/3 is tried first, on a connection that this package dials itself, so
// that the road is chosen before the first byte of a request is spent. When
// UDP gets no answer, HTTP/2 is used, and QUIC is tried again some minutes
// later. A TLS error is an answer: it is never worked around by another road.
//
// # Several collectors
//
// The list of collectors is the addresses of the one name that the enrolment link
// carries: it is asked anew at each dial, so that it is right once the municipality
// has changed it in its zone, and nothing of it is kept here. They are tried in the
// order that the resolver gives, each a quarter of a second after the one before
// (dial.go), and who answers but says that it cannot work now is left for another
// (elsewhere.go).
//
// # Held and parked
//
// A held agent keeps the notice stream open, and its connection alive with a
// ping every 28 seconds. A parked one, by the owner's choice or the collector's,
// closes it, and comes back at the slot that the collector gave or when there is
// something new to send, with a resumed TLS session (never with 0-RTT): a visit of 8
// kB, which TestParkedVisit in package installer bounds. What says that all is as it
// was, once a day, waits for the slot. Tickets belong to one identity: a resumed
// session shows the certificate of the first.
//
// A notice is handed to Keep; only what was durably kept counts as come. The
// connection goes on when a router gives it another port, since the collector
// follows, and when this machine has another address, to which it is moved. Where
// that fails, and after this machine was asleep, the line is dialled anew at once.
//
// # Receipts
//
// A receipt counts if it is for the very bytes that were sent and, once the
// collector has told its key of receipts (at enrolment and at each renewal), is
// signed with that key. A collector whose key is another one since is asked for it
// by an early renewal; until then its messages wait. See receipt.go.
//
// # The map
//
// While somebody places cameras, tiles of the map and addresses are asked for over
// the same line (maps.go). No site, camera or position is named: a request is one
// square of the map, or the address as it was typed. How the line stands is told by
// deliveries and notices, not by that.
//
// # Giving up
//
// A message is handed to Outbox.Reject only when the collector refused that
// message. When it refuses the agent (revoked, unknown, certificate refused)
// or is not there, messages wait.
//
// # A collector that forgets
//
// One that was restored from a backup does not know what it acknowledged since.
// Each delivery names the site's newest acknowledged message, and so does a
// question asked for each site when a line is new. A collector that does not
// know that message says so; the message then waits again, and so on back to
// one that is known. Outbox keeps the order.
package uplink
