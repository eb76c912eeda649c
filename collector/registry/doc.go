// Package registry is the collector's system of record: sites, cameras and
// contacts with their history, enrolments, users, and the rows of the audit
// trail. It hides the database engine: every line of SQL of the collector is
// here. Ingest records through it (it implements ingest.Register), search
// follows its change feed, the pages read and administer through it.
//
// # What a message does to the record
//
// Everything of one message happens in one transaction that is on disk before
// the method returns. Messages of a site are ordered by (epoch, revision):
//
//   - The same message twice is one message: its first receipt is given again.
//   - A declaration is the site's full state. It is compared with what stands;
//     what changed gets a new version, valid from made_at (never before the
//     version it follows, never after its arrival). One that is not newer than
//     the recorded one changes nothing and is stale.
//   - An observation may arrive late or be overtaken, for each of its facts has
//     its own time. It only ever adds to what is declared: facts about
//     something that a newer declaration no longer names are left out, facts
//     about something that no declaration names refuse the whole message.
//   - A withdrawal wins over every message of its epoch, in whatever order they
//     arrive: it ends the site's grants, so nothing brings the site back but a
//     new enrolment with a new epoch. One that arrives after a declaration of
//     such a later epoch is stale.
//
// # What is kept of what is gone
//
// A camera that a declaration no longer names was withdrawn by its owner: its
// versions, positions and observations are erased, and one row says when. A
// replaced contact is erased too; so is every declaration but the newest. A
// withdrawn site leaves its id, when it was withdrawn, its grants, and the ids
// and hashes of its messages. No copy stays in the files: see wipe.go.
//
// # Connections
//
// One writer connection takes the write lock when a transaction begins; a pool
// of read-only connections never waits for it. Migrations lie in
// schema/ENGINE, numbered and embedded, and are never edited after a release.
package registry
