// Package ingest is the collector's server for agents. It hides the private certificate
// authority, mutual TLS 1.3 over QUIC and TCP, enrolment, admission, size and time limits,
// and the Connect services of protocol/wire. It decodes what it admits and hands it to the
// Register that main gives it; a message is acknowledged only after Register.Record has
// returned.
//
// Main opens an Authority and a Server, runs the Server, and has the Authority make the
// steps of a roll-over (rollover.go) when an operator says so. Package registry implements
// Register.
//
// Where to look:
//
//	what the register and main must provide  register.go; Options in server.go
//	an agent connects                        listen.go; on trial until proven, trial.go
//	which calls are allowed, how large       admission.go, load.go
//	what happens to a message                deliver.go; its signed receipt, receipts.go
//	enrolment, and guessed codes             enrol.go, guess.go
//	notices; the agents that stay connected  notice_stream.go; held.go
//	back-pressure; its wording               write_queue.go, bucket.go; refusal.go
//	certificates and their authority         authority.go, rollover.go
//	updates of the agents' program           updates.go, channel.go
//
// # Admission
//
// The listener requests a client certificate and accepts none, or any of this collector's
// authorities, even expired or given up: a listener that required a valid one would refuse
// the agent that comes to renew it, in the handshake and without a reason. Each call then
// checks what it needs:
//
//	Enrol                              no certificate, a code
//	Renew                              a certificate that expired at most 90 days ago
//	Deliver, GetSite, Notices          a valid certificate
//	DescribeMap, GetTile, FindPlaces   a valid certificate
//
// All but Enrol also call Register.Admit each time, so that a revocation holds from the
// next call on, in resumed TLS sessions too (tickets.go). 0-RTT is off, because early data
// can be replayed. A browser that opens an enrolment link is redirected (Options.Browser).
//
// # Notices
//
// A held agent keeps its Notices stream open and receives a notice as soon as main calls
// Notify, for this collector or another one on the same register, and within seconds if
// that signal is lost. Readmit announces a revocation; should that be lost, the stream ends
// with the next readmission at the latest. A parked agent
// collects what waits, is told when to return (every six hours, each agent at its own
// moment) and closes: by its owner's choice, or above Options.MaxHeld.
//
// A notice is sent again, on each new stream and every few minutes on an open one, until the
// agent says that it kept it. Held agents are admitted anew as often, and before each
// notice. One goroutine wakes all streams.
//
// # Receipts
//
// A receipt is a note signed with keys/receipt.key (protocol.SignReceipt), the same one for
// a duplicate; Enrol and Renew announce the public key. It carries the owner's code, if the
// Register gives one, and the page to type it on.
//
// # The map
//
// While an owner places cameras, their agent requests map tiles and addresses (maps.go),
// which reveal where the owner looks before anything is declared. No log, counter or table
// records them; only the bytes of the answers count, in memory, towards the agent's daily
// share.
//
// # Overload
//
// A connection is on trial until one of its calls is admitted (trial.go): it ends after
// 30 s or 32 calls, and unproven connections draw on token buckets by address and in total,
// beyond which they are refused before the handshake. Requests are bounded before they are
// read (load.go): 16 KiB, for Deliver 1 MiB out of the agent's 8 MiB a day, and 64 MiB of
// all agents at once; compressed requests are refused. Writes queue before the register
// (write_queue.go); a call that would wait over 5 s is refused with a time to come back.
//
// Over TCP a balancer may stand between (package proxied); the address that counts is the
// caller's. An agent refused because the register is unreachable tries another collector.
//
// # Metrics
//
// All begin with "anagrafe_ingest_". The most useful ones:
//
//	refused_total{reason="unproven"}              connections without an admitted call: port scans, slow handshakes,
//	                                              floods; a few are normal
//	refused_total{reason="too-many-connections"}  refused before the handshake: an attack, or over 1,000 failing agents
//	                                              behind one address; agents in good standing come through
//	refused_total{reason="too-many-calls"}        connections on trial, closed for their calls
//	refused_total{reason="foreign-certificate"}   certificates of another authority, or of none
//	refused_total{reason="busy"}                  told to come back: the disk is too slow; see writes_waiting
//	refused_total{reason="budget"}                an agent sent over 8 MiB a day, or fetched over 32 MiB of the map: find
//	                                              the cause in that machine's log, or revoke it
//	refused_total{reason="broken"}                malformed or truncated requests
//	refused_total{reason="unknown-code"}          guessed codes; also "expired-code", "used-code", "too-many-attempts"
//	writes_waiting                                the queue; above 500 the register is the bottleneck
//	connections_open{transport}                   h3 over UDP, h2 over TCP
//
// # Refusals
//
// Each refusal is a Connect error with a sentence for the log and a stable word in the
// metadata "anagrafe-reason" (protocol.Reason), which the agent words for its owner. A
// temporary one carries "retry-after" in seconds. The metrics count all by reason. The
// response to Notices has the header "anagrafe-notices: open" once the stream is open.
package ingest
