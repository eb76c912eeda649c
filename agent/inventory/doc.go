// Package inventory stores all that this site knows: which sightings are one camera,
// what the owner decided, which messages wait to be sent, which notices came, and the
// passwords of the recorders. It hides device identity (the same camera at a new
// address), the one SQLite file, and the encoding of messages.
//
// The agent's main opens it and records each scan; review shows it to the owner and
// passes on the owner's decisions; interrogate reads passwords from it; uplink empties
// its outbox, through an interface that uplink declares.
//
// Where to look:
//
//	from a scan to what is known         record.go
//	same camera, new address             identity.go; channels.go for a recorder's
//	seen by itself and by its recorder   paths.go, merge.go
//	the owner's corrections, hours       edit.go, said.go
//	the owner's yes; its preview         approve.go; preview.go
//	what leaves the site                 declaration.go; by itself, observe.go and health.go; diagnosis.go
//	the queue of unsent messages         outbox.go
//	notices, and what they ask for       notices.go, check.go, presence.go
//	what the register already held       takeover.go
//	all that a page shows, at one time   view.go
//	passwords of devices                 secrets.go
//
// What leaves the site:
//
//   - Approval writes the decision and the encoded Declaration in one transaction: the
//     bytes that the owner confirmed are the bytes that leave. The declared state is
//     read back from those bytes and stored nowhere else.
//   - Recorders and cameras get UUIDs here. No identifier of the device (serial number,
//     MAC, address, endpoint reference) leaves the site, not even inside a text (tells).
//   - A camera enters a message only after a person answered yes for it. A no for a
//     declared camera withdraws it at once; withdrawing the last camera withdraws the site.
//   - After adhesion, Record queues the closed list of measured facts, at most hourly;
//     a changed schedule or retention leaves at once, because one changed back within
//     the hour would otherwise go unreported. A waiting observation is replaced by the
//     next one, unless uplink has it already or it carries such a change. Revisions are
//     never reused and may have gaps.
//   - Messages leave under the identity that holds the site's grant and no other. After
//     a new enrolment they wait for the next code of their site.
//   - A message that a restored collector has forgotten is queued again in its old
//     place, but none from before the site's last withdrawal. Observations and replies
//     refused for a missing grant are sent again under the next one.
//   - A site withdrawn by the owner's link or by another agent is closed without a
//     withdrawal of our own; only a new code reopens it.
//   - What the owner keeps private (answers to advice, the text of the sign) and the
//     device's own words for a value never leave.
//
// Identity:
//
//   - A camera with its own storage is the recorder of its one channel.
//   - A camera seen both directly and through a recorder becomes one entry, the
//     recorder's, when serial number, MAC or endpoint reference match on both sides; a
//     matching name or address is only a hint. A merge sends nothing, keeps the declared
//     entry's id, and asks the owner again where a yes meets a no. A device that imitates
//     another one can therefore not remove a camera from the register.
//   - A channel keeps its entry when another interface (the maker's own, or ONVIF once
//     the password fails) reports it. The identifiers of both are remembered (recognise);
//     a bare channel number decides only if nothing better is known.
//   - At enrolment the register's entries are shown beside the cameras found, and the
//     owner matches them. A match is a proposal; nothing is declared by it.
//   - Hours and retention that the owner states are stored beside what the device
//     reports; one rule says which counts (hoursSaid). Cameras that the owner lists by
//     hand keep their ids when the recorder later reports channels with those numbers
//     or names.
//
// Notices and footage:
//
//   - A notice and the acknowledgement of its receipt are written in one transaction, as
//     are the owner's replies. Content is deleted 30 days after closing; an unanswered
//     notice is closed after 90 days, when the register gives it up.
//   - A notice alone makes the agent ask nothing of a device. Whether the footage still
//     exists is derived from regular scans. Only the owner's act asks the recorder for
//     the interval, for declared cameras alone; the details stay here, a yes leaves when
//     every camera has something of it, a no when none has.
//
// Storage:
//
//   - Decisions, messages and new findings are durable at once; unchanged findings are
//     kept in memory and written every four hours (times).
//   - How far back footage reaches is kept for 30 days, one reading a day, for the owner
//     alone, also after a withdrawal.
//   - A refused password is remembered as a keyed hash under every endpoint and address
//     of the device; typing it again allows one more try.
//   - A device's certificate is pinned at first use; another one is refused until the
//     owner types the password again.
//   - Losing secrets.key loses the passwords, which are asked for again, and nothing else.
package inventory
