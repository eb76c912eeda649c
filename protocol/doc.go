// Package protocol is the contract between agents and the collector, and the
// vocabulary that both sides share. It hides the wire: it is the only reader
// and writer of the generated package protocol/wire (uplink and ingest use of
// that only the Connect services, whose requests carry encoded messages as
// bytes), and the only place that knows of versions. Every other package may
// call it.
//
// # Services
//
// Connect on HTTP/3, and unchanged on HTTP/2 over TCP where UDP is blocked,
// TLS 1.3 only. EnrolmentService.Enrol is called with a [Code] over a
// connection that authenticates the server alone, by the public Web PKI or by
// the pin of a [Link]; Renew with the agent's own certificate, also for 90 days
// after its end. DeliveryService is called under mutual TLS: Deliver hands over
// one encoded [Message]; GetSite gives the recorded declaration back, for
// take-over and new hardware; Notices stays open, and the collector sends what
// waits, then what comes. No notice makes an agent scan, read or send anything.
//
// MapService is called under mutual TLS, too, while an owner places cameras:
// DescribeMap says what there is, GetTile gives a vector tile, FindPlaces what an
// address may mean. Its answers are bounded ([MaxTile], [MaxTileZoom],
// [MaxPlaceText], eight places). A collector without this service, a map or
// addresses answers with Connect's "unimplemented": cameras are then placed by
// coordinates. It could learn which agent looks at which square of the map and for
// which address; it writes that down nowhere, and nothing of it enters a message.
//
// Updates of the agent's program are no message and no call of these services: a
// collector that has an update channel serves its files by GET below [ChannelPath],
// under mutual TLS, a program in parts of [MaxChannelPart] bytes. They are a repository
// of The Update Framework 1.0; what its publishers sign about each program is a
// [Release]. The collector can neither sign nor change any of it.
//
// # Messages
//
// A message is one numbered statement about one site:
//
//   - [Declaration]: the site's full state as a person confirmed it. A camera
//     that it does not name is no longer declared. Each camera carries the
//     person's yes to "does it film an outdoor area open to the public?".
//   - [Observation]: the closed list of measured facts that leave by
//     themselves: clock, oldest footage, reachability, schedule, retention.
//     Empty, it is the daily sign of life.
//   - [Withdrawal]: the site leaves the register.
//   - [SiteSuspension]: the site is hidden from search, until a day or until it is
//     resumed, which the same message says.
//   - [Reply]: how far a [Notice] has come at the site.
//   - [Health]: how the agent and what it reads stand technically, in words of a
//     closed vocabulary and in counts. It leaves by itself from enrolment on, and
//     names only recorders that are declared.
//   - [Diagnosis]: a text about a recorder that cannot be read, which a person saw
//     and sent.
//
// Order. One agent's messages about a site are ordered by (Epoch, Revision): the
// epoch is given with the grant and grows with each enrolment for the site, the
// revision counts within it. The collector applies a declaration only if its
// pair is above that of the newest one it has from that agent; an older one is
// refused as stale. An observation may arrive late, since each of its facts has
// its own time. A withdrawal wins over every message of its epoch, in whatever
// order they arrive; after it, only a new enrolment brings the site back. Of
// suspending and resuming the later decision holds, by when a person made it
// ([Approval].At), here or with the owner's code; an earlier one that arrives
// after it is refused as stale.
//
// Several agents. A site may have more than one. It declares what they declare
// together; where two name the same recorder, by its id, the declaration that
// was recorded later stands for it and its cameras. A withdrawal by one takes
// the whole site out, unless another was enrolled after it was made
// ([Receipt].SiteStays). An agent that is enrolled for a declared site gets the
// recorded state by GetSite, finds the same recorders and cameras in its
// network, and goes on under their ids; it may be enrolled to replace the
// others, and a computer that lost its identity names the agents that it was, one
// a call with the same code: a collector that was set back may know any of them. The
// grant of a visit ends by itself within a day; what it declared stays.
//
// Acknowledgement. Deliver answers with a [Receipt] only after the message is
// durably recorded; until then the agent keeps it and sends it again. The
// receipt's SHA-256 is over the very bytes sent, so that the agent knows which
// it acknowledges. The same id with the same bytes is recorded once and gets
// the first receipt again, signature and all, with Duplicate; with other bytes it is refused. What
// the owner said yes to is byte for byte what leaves: messages are encoded once,
// when confirmed, and never again.
//
// A collector that was restored from a backup has forgotten what it acknowledged
// since. So a call about a site names the newest message that the agent holds a
// receipt for; who does not know that message says so ([ReasonBehind]), and the
// agent goes back, message by message, to one that is known, and sends from
// there on again.
//
// Identity. Ids are random UUIDs in lower case, made by the side that first
// knows the thing: sites by the collector, messages, recorders and cameras by
// the agent, which keeps them when a device changes its address or name. Which
// agent speaks is told by its certificate, never by the message; which sites it
// may speak for, by its grants.
//
// Nothing that could lead into a site's network is in the schema: no serial
// number, MAC or network address, endpoint reference, stream address, password
// or image. A test reads the schema for it.
//
// # Limits and errors
//
// A message has [MaxMessage] bytes at most; a larger one is refused unread
// ([ErrTooBig]). Cameras ([MaxCameras]), recorders, contacts, intervals and
// suspensions are counted in the bytes before anything is built from them,
// as half a million empty cameras fit into a megabyte. Strings are valid UTF-8
// without control characters, names of 120 characters and lines of 300 at most.
// Times lie between 2015 and 2100 and are kept to the microsecond in UTC. A
// position is inside the world and not 0,0. Every group of values that says
// something carries its source and time ([Fact]).
//
// What is wrong with a well-formed message is told by field, all at once:
// [FieldErrors], with paths as in JSON ("cameras[3].position.lat"; days of a
// schedule are counted from Sunday, 7 is the holiday row). The rest of the site
// stays as it was: a message is applied whole or not at all. Another error
// is for what is no message: truncated, text, a single field twice, two bodies.
// Each refusal of a call carries one word, a [Reason].
//
// # Versions
//
// Each message names the oldest version that knows its body. A reader accepts
// all versions since 1 and gives the newest types, so that no other package asks. From a
// version newer than its own it accepts a message whose body it knows, and
// leaves out fields that it does not; values that it does not know, in fields
// that it does, are errors of that field. A message that claims a version known
// to the reader must hold nothing else: unknown fields are errors. Field
// numbers are never used again, and the meaning of a field never changes. The
// vectors in testdata/protocol are read by every later version.
//
//	1  first version
//	2  Reply; notices to preserve and of a site's change; receipts as signed
//	   notes; visits and take-overs at enrolment
//	3  SiteSuspension; the version of the notice that was read; a contact's wish
//	   for alerts. MapService came with it; who has it is found out by asking
//	4  Health, Diagnosis; the notice Letter
//
// # Answers
//
// The vocabulary's pure functions say what can honestly be said, unknown never
// passing for no: [Schedule.Recording] (was it recording at t?), [FootageOf]
// (does footage of t still exist, until when?), [ClockAt] and [Clock.Shows]
// (what did the recorder's own clock show?), [See] (does it see a point, how
// well?), [MissingForDeclaration] (what must a person still say?).
package protocol
