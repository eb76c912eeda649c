// Package inventory is all that this site knows: which sightings are one
// camera, what the owner decided, what is still to be sent, and the passwords
// of the recorders. It hides identity (the same camera at a new address), the
// one SQLite file, and the hand-over to the collector.
//
// The agent's main opens it and records each look at the network; review shows
// it to the owner and passes the owner's decisions on; interrogate asks it for
// passwords; uplink empties the outbox, through an interface of its own.
//
// Where a question finds its place:
//
//	what a look found becomes what is known  record.go
//	same camera, new address                 identity.go; channels.go of a recorder's
//	seen by itself and by its recorder       paths.go, merge.go
//	the owner's corrections, hours           edit.go, said.go
//	the owner's yes; what it would send      approve.go; preview.go
//	what leaves the site                     declaration.go; by itself, observe.go
//	the queue of unsent messages             outbox.go
//	notices, and what they ask for           notices.go, check.go, presence.go
//	what the register already held           takeover.go
//	passwords of devices                     secrets.go
//
// Decisions:
//   - Approving writes the decision and the encoded Declaration in one
//     transaction: what the owner said yes to is byte for byte what leaves.
//     What a site has declared is read back from those bytes and kept nowhere
//     else, so that the two cannot disagree.
//   - A device is a recorder: a camera that keeps its own footage is the
//     recorder of its one channel. Both get a UUID here; nothing that comes
//     from the device (serial number, MAC, address, endpoint reference) is
//     used as an identifier that leaves. Texts of the device that contain one
//     of those are not taken over (see tells).
//   - A camera that was never answered, or answered no, enters no message,
//     whatever is asked. Answering no for a declared camera takes it out at once.
//   - After adhesion the closed list of measured facts is queued by Record. An
//     observation that nobody has seen yet is replaced by the next one; one
//     that uplink was given, or that carries a change of schedule or retention,
//     never is. Revisions are never reused, so they may have gaps.
//   - A message that a restored collector has forgotten waits again, in its old
//     place; but none from before the site's last withdrawal.
//   - A site's messages leave by the identity that holds its grant, and by no other:
//     one that was enrolled anew, site after site, would have those of the later
//     sites refused for good. They wait for the next code.
//   - A notice is kept once, with the word that it was received, in one
//     transaction; likewise what a person did with it. By itself it makes nothing be
//     asked of a device: whether footage is still there is told from looks that take
//     place in any case, and only where all cameras asked for recorded all the time;
//     that it is gone, where the oldest footage is younger by more than a day. On the
//     owner's act (an answer that is no refusal, or the button) the recorder is asked
//     for that interval, of declared cameras alone. What it says stays here; a yes
//     leaves when every camera has something of it, a no when none has. Its content goes 30 days after it was closed;
//     one that nobody answers is closed after 90, when the register gives it up.
//   - What was refused because the collector knows no such grant is told again under
//     the next one: observations by the next look, replies at once. Until then the
//     pages ask for a new code, whatever kind of message was refused.
//   - A site that was withdrawn with the owner's link, or by another agent, is closed without a withdrawal
//     of our own; messages before that count for nothing any more, and nothing but
//     a new code opens it again.
//   - Withdrawing the last camera of a site withdraws the site, contacts and all.
//   - A password that a device refused is remembered as a keyed hash, under
//     every endpoint and address that the device is known by; the owner typing
//     it again is a decision, and gives it one more try.
//   - A camera that a recorder shows and that answers by itself is one entry, the
//     recorder's, when serial number, MAC or endpoint reference say so, in what
//     both tell. A name or an address alone is a hint for the owner. The entry
//     that is declared goes on under its id; nothing leaves by a merge, and where
//     a yes meets a no the owner is asked again. What is declared stays so
//     meanwhile: a device that only claims to be another must not be able to take
//     a camera out of the register, which cannot be undone.
//   - A channel keeps its entry when it is told by another interface: a recorder's
//     own one, or ONVIF's again once the password no longer holds. The words by
//     which each tells it are remembered (see recognise); a bare number never
//     decides between two interfaces where anything better is known.
//   - A changed schedule or retention leaves at once, all else at most hourly: put
//     back within the hour it would never have been another, and footage would be
//     asked for that was not recorded.
//   - What a look finds as it was is kept in memory, and written down every four hours
//     (times): decisions, messages and whatever is new are durable at once.
//   - How far back footage reaches is kept for 30 days, a reading a day, for the
//     owner alone. Like his answers it stays when a camera is withdrawn.
//   - What the register already holds of a site when this computer is enrolled for
//     it is shown beside what was found, and the owner chooses which is which. A
//     found camera goes on under the recorded id, with what was said of it there
//     as a suggestion; one that was not found is listed as well, if the owner
//     keeps it. Nothing is declared by it. There is nothing in the register that
//     identifies a device, so what fits is a proposal, never a decision.
//   - What the owner says of when a camera records and how long images stay lies
//     beside what the device tells; one rule says which of the two counts (see hoursSaid).
//     Cameras that he lists himself are those of the recorder's channels with their
//     numbers or names, under their ids, as soon as the recorder tells them.
//   - What the owner keeps for himself (answers to advice, the text of his sign) is in
//     a table of its own, which nothing that makes a message reads.
//   - The device's own words for a value are shown to the owner and never leave.
//   - A device's certificate is kept at first use. Another one is refused until
//     the owner types the device's password again.
//   - Losing secrets.key loses the passwords, never the inventory: they are
//     asked for again, and the log says so.
package inventory
