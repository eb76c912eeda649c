// Package registry is the collector's system of record: sites, cameras and contacts with
// their history, enrolments, users, cases, notices, and the rows of the audit trail. It
// hides the database engine (all SQL of the collector is here), encryption at rest, and
// erasure. Ingest records messages through it (it implements ingest.Register), search
// follows its change feed, and the pages read and administer through it.
//
// Where to look:
//
//	the tables                          schema/sqlite/00001_register.sql begins with their list
//	what a message changes              record.go, then apply.go, observe.go, withdraw.go, replies.go
//	the past of a site                  history.go, snapshot.go, diff.go
//	who changed what, and why           history_changes.go; how that is recorded, authors.go
//	what search reads                   facts.go, by the feed of changefeed.go
//	requests to preserve                requests_drafts.go, requests.go, requests_sent.go; notice_queue.go
//	faults (the technical queue)        fault_list.go; of one site, technical.go
//	adhesion without an agent           submissions.go, adhere.go
//	encryption and its keys             vault.go, master.go, rotate.go, rekey.go
//	what expires; what is erased        ageing.go, thin.go; erase.go, ledger.go, wipe.go
//
// # Messages
//
// All effects of a message are committed together, and durable before Record returns;
// concurrent messages share a transaction (writer.go). Messages of one agent about a site
// are ordered by (epoch, revision). A repeated message gets its first receipt again.
//
//   - A declaration is the agent's full view of the site, and replaces its older one. What
//     differs from the record gets a new version, valid from made_at, but not before the
//     version it follows or after its arrival. An older one is stale.
//   - An observation adds to what is declared, and may arrive late, because each fact has
//     its own time. Facts about what is no longer declared are ignored; facts about what
//     was never declared refuse the whole message.
//   - A withdrawal wins over every message of its epoch: it erases the site and ends all its
//     grants, and only a new enrolment brings the site back. If another agent was enrolled
//     after it was made and still speaks for the site, or has declared something, only the
//     withdrawing agent's part goes (Receipt.SiteStays).
//   - A reply reports how far a notice has come, also after the notice was closed. One to a
//     notice that the site never got is refused.
//
// A site may have several agents. It declares all their views together (union): of a
// recorder the view recorded last stands; of the site and its contacts, the latest
// declaration. What a revoked agent or an ended visit declared stays until an agent that
// replaces it declares, or until the site goes.
//
// Notices wait in a numbered queue until the agent has kept them or they are closed. The
// owner's code (owner.go), derived from the root secret, suspends, resumes or withdraws a
// site from any browser.
//
// # History
//
// Each row has two times: since when it is true (valid_from, or at) and when the register
// learnt it (recorded_at). Rows are added and never changed, except that each gets an end,
// with both times. historyAsOf reads what the register knew at a moment; History.At and
// Changes say what was true, what changed, and by whom. Old observations are thinned
// (thin.go).
//
// Erased things do not return in any history: History.Erased says that something went, and
// when. A withdrawn camera's versions, positions and observations are erased, as are replaced
// contacts and all but an agent's newest declaration. A withdrawn site keeps its id, grants,
// anonymous acts, and message ids and hashes.
//
// # Encryption
//
// Names, addresses, positions, contacts and free text are sealed with a data key of their
// site; cases and notices with the key of consultation and a data key of their own. Data
// keys are sealed with the master key, a file outside the database, which can be changed
// while the register is in use. Erasure destroys the data key, so that no copy of the
// database opens what was erased. Contacts are found by keyed hashes (lookup.go); counts by
// district use clear columns (districts.go). The schema says for each column why it is
// sealed or clear.
//
// Backup writes the tables without data keys, BackupKeys the keys apart, to be deleted
// within 30 days. Restore then repeats the erasures of the ledger, which lies outside the
// database. Agents send again what the backup lacks.
//
// # Engines
//
// SQLite, one file, is the default; PostgreSQL 15 or later serves several collectors.
// Statements are written once for both (engine.go), and all tests run on both. One goroutine
// writes, under SQLite's write lock or a PostgreSQL advisory lock that all collectors share;
// readers never wait for it and see one state. Migrations are in schema/ENGINE, numbered
// alike, and never edited after a release; the comments are in SQLite's.
//
// Each commit notifies whoever follows (Follow), on PostgreSQL all collectors; they read by
// cursor: change and notice numbers become visible in order, so a lost notification only
// delays. Rate limits are counted in each collector's memory. An acknowledgement means a
// durable commit, on the synchronous standby too if there is one. A silent host is given up
// within half a minute (steady.go). Collectors are upgraded one after another: once a newer
// one has migrated, older ones write nothing (fence), and so acknowledge nothing and answer
// no search.
package registry
