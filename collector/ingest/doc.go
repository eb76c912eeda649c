// Package ingest is the collector's door for agents. It hides who may come in
// and how: the private certificate authority, mutual TLS 1.3 over QUIC and
// TCP, the enrolment codes' guard, admission, size and time limits, and the
// Connect services of protocol/wire. What it lets in goes, decoded, to the
// Register that main hands it, and only when Register.Record has returned is a
// message acknowledged.
//
// Main opens an Authority and a Server, and runs the Server; it has the Authority
// make the steps of a roll-over (rollover.go) when an operator says so. Nobody else
// calls this package; package registry implements its Register.
//
// # Where a question finds its place
//
//   - What must the register do for it, and main give it? register.go, Options in server.go.
//   - Who may make a call, and how large and slow may it be? admission.go, load.go.
//   - What happens to a message that arrives? deliver.go; what is signed: receipts.go.
//   - How does a site enrol, and who guesses codes? enrol.go, guess.go.
//   - How does an agent hear of a notice? notices.go; which stay connected: held.go.
//   - When is an agent told to come back later? writeline.go, bucket.go; how: refusal.go.
//   - Whose certificates hold, and how does their authority change? authority.go, rollover.go.
//   - Who opens connections and proves nothing? arrival.go.
//
// # Who may call what
//
// The listener asks for a client certificate and accepts none, or one of this
// collector's authorities, also one that has expired, or whose authority was
// given up since: a listener that required a valid one would refuse, in the
// handshake, the agent that has come to renew it, and could not tell the other why.
// So each call checks what it needs:
//
//	Enrol                      no certificate, a code
//	Renew                      a certificate that expired at most 90 days ago
//	Deliver, GetSite, Notices  a valid certificate
//	DescribeMap, GetTile, FindPlaces  likewise
//
// A browser that opens an enrolment link is sent to a public page (Options.Browser).
//
// and all but Enrol ask Register.Admit each time, so that a revocation holds
// from the next call on. An agent that comes back resumes its session with a
// ticket (tickets.go), which saves both sides their signatures. Such a session
// carries the certificate of the handshake that it began with, so it says who
// calls, and as ever each call checks whether they still may: one that was
// revoked since, or whose certificate has ended, is refused. 0-RTT is off: early
// data can be replayed.
//
// # Notices
//
// An agent is held or parked. One that is held keeps its Notices stream open,
// and hears of a notice as soon as main says that one was queued (Notify), here
// or by another collector on the same register; within seconds, should that word
// get lost. So it is told that it was revoked (Readmit). One that is parked gets
// what waits, is told when to come again, and keeps no connection: those whose
// owners chose it, and those for which there is no room (Options.MaxHeld,
// -max-held). Parked agents come every six hours, each at a moment of its own, the
// same on all collectors.
//
// A notice is handed down until the agent says that it keeps it: again on each
// new stream, and every few minutes on one that stays open. Held agents are
// admitted again just as often; before anything is handed down they are too.
// One goroutine wakes all streams: none has a timer.
//
// # Receipts
//
// What is recorded is acknowledged by a note that the key in keys/receipt.key
// signs (protocol.SignReceipt), the same one for a duplicate; Enrol and Renew tell
// the agent its public half. Where the Register gives an owner's code, the receipt
// carries it with the page on which it is typed.
//
// # The map
//
// While an owner places cameras, their agent asks for tiles of the map and for
// addresses (maps.go), which main hands over as Options.Map. It could be learnt from
// that which agent looks at which square, at zoom 14 some 1.7 km wide in Milan, and
// which address its owner typed, before anything is declared; an agent asks for what
// lies around its own sites, whose address the invitation mostly named already. So no
// log, counter or table gets any of it: calls are counted by the bytes of their
// answers, for the agent's share of the day, in memory alone.
//
// # Overload
//
// A connection is on trial until one of its calls is admitted (arrival.go):
// those that prove nothing run out of tokens, by their address and all
// together, and are then refused before their handshake, over UDP and TCP
// alike; they are ended after 30 s or 32 calls. What a call may send is bounded
// before a byte of it is read (load.go): 16 KiB, for Deliver 1 MiB from the
// agent's share of 8 MiB a day, and 64 MiB of all agents at once. Writes stand in
// a line before the register (writeline.go); who would wait over 5 s in it is told
// when to come back, by how fast the register answers. Compressed requests are
// not taken.
//
// Over TCP a balancer may stand between (package proxied): the address that counts is
// that of who called it. Whoever is refused because the register cannot be reached goes
// to another collector of the name by itself, or is led there by the balancer.
//
// # Metrics
//
// All begin with "anagrafe_ingest_". What operations look at first:
//
//	refused_total{reason="unproven"}              connections that ended without an admitted call: port scans, slow
//	                                              handshakes, floods; a few are normal
//	refused_total{reason="too-many-connections"}  refused before the handshake: an attack, or over 1,000 agents behind
//	                                              one address that all fail; agents in good standing come through
//	refused_total{reason="too-many-calls"}        connections on trial that were closed for their calls
//	refused_total{reason="foreign-certificate"}   certificates of another authority, or of none
//	refused_total{reason="busy"}                  told to come back: the disk is too slow for what comes; see
//	                                              writes_waiting
//	refused_total{reason="budget"}                an agent that sends more than 8 MiB a day, or asks for more than 32
//	                                              MiB of the map: find it in the log of its own machine, or revoke it
//	refused_total{reason="broken"}                requests that are none of ours, or were not sent to their end
//	refused_total{reason="unknown-code"}          also "expired-code", "used-code", "too-many-attempts": who guesses
//	writes_waiting                                the line; above 500 the register is the bottleneck
//	connections_open{transport}                   h3 over UDP, h2 over TCP
//
// # Refusals
//
// Each refusal is a Connect error with a sentence for the log and, in the
// metadata "anagrafe-reason", one stable word that the agent turns into what
// its owner reads (protocol.Reason). A temporary one carries "retry-after" in
// seconds. All are counted by reason in the metrics. The answer to Notices has
// the header "anagrafe-notices: open" when the stream is open.
package ingest
