// Package protocol is the contract between agents and the collector, and the vocabulary that both
// share. It hides the wire format and its versions: it alone reads and writes the messages of
// protocol/wire (uplink and ingest use only the Connect services, whose requests carry encoded
// messages as bytes). All packages may import it.
//
// # Services
//
// The services run on Connect over HTTP/3, or HTTP/2 over TCP where UDP is blocked, with TLS 1.3
// only. EnrolmentService.Enrol is called with a [Code] over a connection that authenticates the
// server alone, by the public Web PKI or the pin of a [Link]; Renew with the agent's certificate,
// until 90 days after its expiry. DeliveryService needs mutual TLS: Deliver takes one encoded
// [Message]; GetSite returns the recorded declaration, for take-over and new hardware; Notices stays
// open, and the collector sends what waits, then what comes. No notice makes an agent scan or
// read a device. By itself the agent replies that a notice arrived and, once a regular look
// shows it, that the footage asked for is there or gone.
//
// MapService, also under mutual TLS, serves the map while an owner places cameras: DescribeMap,
// GetTile (vector tiles), FindPlaces (an address). Its answers are bounded ([MaxTile],
// [MaxTileZoom], [MaxPlaceText], eight places). A collector without it answers "unimplemented", and
// cameras are placed by coordinates. The collector writes down nothing of these calls.
//
// The update channel is plain GET below [ChannelPath], under mutual TLS, a program in parts of
// [MaxChannelPart] bytes: a repository of The Update Framework 1.0, whose publishers sign a [Release]
// for each program. The collector can neither sign nor change it.
//
// # Messages
//
// A message is one numbered statement about one site:
//
//   - [Declaration]: the site's full state as a person confirmed it, each camera with the person's
//     yes to "does it film an outdoor area open to the public?". A camera that it does not name is
//     no longer declared.
//   - [Observation]: the closed list of measured facts that leave by themselves: clock, oldest
//     footage, reachability, schedule, retention. An empty one is the daily sign of life.
//   - [Withdrawal]: the site leaves the register.
//   - [SiteSuspension]: the site is hidden from search, until a day or until resumed, which the
//     same message says.
//   - [Reply]: how far a [Notice] has come at the site.
//   - [Health]: the technical state of the agent and its devices, in a closed vocabulary and counts.
//     It leaves by itself from enrolment on, and names only declared recorders.
//   - [Diagnosis]: a text about an unreadable recorder, which a person saw and sent.
//
// Order. One agent's messages about a site are ordered by (Epoch, Revision): the epoch comes with the
// grant and grows with each enrolment, the revision counts within it. A declaration is applied only
// if its pair is above that agent's newest one; otherwise it is stale. An observation may arrive
// late, since each fact has its own time. A withdrawal wins over every message of its epoch,
// whatever the order of arrival; only a new enrolment brings the site back. Of suspending and
// resuming the later decision holds, by when a person made it ([Approval].At), here or with the
// owner's code; an earlier one is stale.
//
// Several agents. A site declares what its agents declare together; for a recorder named by two (by
// its id), the declaration recorded later stands. A withdrawal by one takes the whole site out,
// unless another was enrolled after it was made ([Receipt].SiteStays). A new agent of a declared site
// gets the recorded state by GetSite and goes on under the ids of the recorders and cameras that it
// finds. It may be enrolled to replace the others; a computer that lost its identity names the
// agents that it was, one a call with the same code. A visit's grant ends within a day; what it
// declared stays.
//
// Acknowledgement. Deliver returns a [Receipt] only after the message is durably recorded; until then
// the agent sends it again. The receipt covers the SHA-256 of the bytes sent. The same id with the
// same bytes is recorded once and gets the first receipt again, with Duplicate; with other bytes it
// is refused. A message is encoded once, when confirmed, so that what the owner confirmed is byte for
// byte what leaves.
//
// A collector restored from a backup has forgotten some messages. A call about a site therefore names
// the newest message that the agent holds a receipt for; a collector that does not know it answers
// [ReasonBehind], and the agent goes back, message by message, to a known one and sends again from
// there.
//
// Identity. Ids are random UUIDs in lower case, made by the side that first knows the thing: sites by
// the collector, messages, recorders and cameras by the agent, which keeps them when a device changes
// its address or name. The certificate says which agent speaks, its grants for which sites.
//
// The schema has no serial number, MAC or network address, endpoint reference, stream address,
// password or image; a test reads the schema for it.
//
// # Limits and errors
//
// A message has at most [MaxMessage] bytes; a larger one is refused unread ([ErrTooBig]). Cameras
// ([MaxCameras]), recorders, contacts, intervals and suspensions are counted in the bytes before
// anything is built from them, since half a million empty cameras fit into a megabyte. Strings are
// valid UTF-8 without control characters, names at most 120 characters and lines 300. Times lie
// between 2015 and 2100, to the microsecond in UTC. A position is inside the world and not 0,0. Every
// group of values carries its source and time ([Fact]).
//
// A well-formed message with wrong values returns all of them as [FieldErrors], with paths as in JSON
// ("cameras[3].position.lat"; days of a schedule count from Sunday, 7 is the holiday row). It is
// applied whole or not at all. Anything else (truncated, a single field twice, two bodies) is another
// error. Each refused call carries one word, a [Reason].
//
// # Versions
//
// Each message names the oldest version that knows its body. A reader accepts all versions since 1
// and returns the newest types. From a newer version it accepts a body that it knows and drops
// unknown fields; unknown values in known fields are errors of that field. In a known version unknown
// fields are errors. Field numbers are never reused, and the meaning of a field never changes. Every
// later version reads the vectors in testdata/protocol.
//
//	1  first version
//	2  Reply; notices to preserve and of a site's change; receipts as signed
//	   notes; visits and take-overs at enrolment
//	3  SiteSuspension; the version of the notice that was read; a contact's wish
//	   for alerts. MapService came with it; callers find out whether it is there
//	4  Health, Diagnosis; the notice Letter
//
// # Answers
//
// The vocabulary's pure functions say what can honestly be said, and never turn unknown into no:
// [Schedule.Recording] (was it recording at t?), [FootageOf] (does footage of t still exist, until
// when?), [ClockAt] and [Clock.Shows] (what did the recorder's own clock show?), [See] (does it see a
// point, how well?), [MissingForDeclaration] (what must a person still say?).
package protocol
