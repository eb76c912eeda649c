// Package registry is the collector's system of record: sites, cameras and
// contacts with their history, enrolments, users, and the rows of the audit
// trail. It hides the database engine: every line of SQL of the collector is
// here. Ingest records through it (it implements ingest.Register), search
// follows its change feed, the pages read and administer through it.
//
// # Where a question finds its place
//
//   - How does the camera table look now? It is versions, of the kind camera: schema/current.ENGINE.sql.
//   - What does a message change? record.go begins; apply.go declares, observe.go measures,
//     withdraw.go ends, replies.go answers.
//   - What was true, or known, at a moment? history.go, diff.go, snapshot.go; who changed it: authors.go, historychanges.go.
//   - What of a camera does the search read? facts.go, by the feed of changefeed.go.
//   - What was an owner asked to keep? requests.go; before it is sent requests_drafts.go,
//     afterwards requests_sent.go; what their agents are told: notices.go.
//   - What is wrong at sites (the technical queue)? faultlist.go; of one site: technical.go.
//   - Who adheres without an agent? submissions.go, then adhere.go.
//   - What is sealed, and with which key? vault.go, master.go, rotate.go.
//   - What ends or goes by itself? ageing.go, thin.go; by an office: erase.go, ledger.go.
//
// # What a message does to the record
//
// Everything of one message happens as one, and is on disk before the method
// returns; messages that come at the same time share a transaction (writer.go).
// Messages of one agent about a site are ordered by (epoch, revision), for its
// outbox sends in that order:
//
//   - The same message twice is one message: its first receipt is given again.
//   - A declaration is the agent's full view of the site, and takes the place of
//     its older one. What the site declares (see below) is compared with what
//     stands; what changed gets a new version, valid from made_at (never before
//     the version it follows, never after its arrival). One that is not newer
//     than the agent's recorded one changes nothing and is stale.
//   - An observation may arrive late or be overtaken, for each of its facts has
//     its own time. It only ever adds to what is declared: facts about
//     something that a newer declaration no longer names, or that another
//     agent's later view of the recorder leaves out, are left out; facts about
//     something that no declaration names refuse the whole message.
//   - A withdrawal wins over every message of its epoch, in whatever order they
//     arrive: it takes the whole site out and ends its grants, other agents' too,
//     so nothing brings the site back but a new enrolment with a new epoch; the
//     other agents are told by a notice. One
//     that arrives after the agent's declaration of such a later epoch is stale.
//     If another agent was enrolled after the withdrawal was made, and may still
//     speak for the site or has declared what stands, that later decision of the
//     owner's stands: only the withdrawing agent's own view, what it was enrolled
//     to replace, and its grants go, and the receipt says so (SiteStays).
//   - A reply says how far a notice has come. It may be late, also after the
//     notice was closed or the grant has ended; one to a notice that the site
//     was never given is refused. It changes nothing of what is declared, and
//     is a change of its site like every message.
//
// # Notices
//
// What a site's agents are to be told stands in a queue, numbered as it came:
// requests to preserve of the forces, what became of the site elsewhere,
// reminders. Each agent with a grant is told until it says that it keeps the
// notice, or the notice is closed: by a person's last word, by the site's
// withdrawal, or when it is of no use any more. An agent whose grant ended with
// what a SiteChange tells is told that, too; a visit is told nothing else. What a notice and a person's reply
// say is sealed with the key of consultation (Unseal), which lies outside the
// database; that they exist, of which site, kind and force, and when, may be
// seen.
//
// # Cases
//
// A case is one investigation of a force, seen by others only if it is shared with
// them. What officers saw and did in it is copied into its records, so that it
// outlives the register's own copy. All of it is sealed with the key of
// consultation, and that with a data key of the case, which is destroyed at the
// case's term (DestroyCases). In clear stand whose case it is, with whom it is
// shared, and when something of which kind was done in it. Its papers (NumberPaper)
// are sealed in the same way; their numbers, by force and year, outlive it.
//
// # Several agents for one site
//
// Each code adds a grant beside those that there are. The site declares all its
// agents' views together (union): of a recorder, with its cameras, the view
// declared later, in the order of recording, stands; of the site itself and its
// contacts, the latest declaration. A recorder that an agent names no longer
// leaves its view; if another view has it, that stands. What all say together
// keeps to the limits of one message, for it is what Site gives an agent that
// takes over.
//
// Who may speak and what was said are two things: a revoked agent, and a visit
// whose grant has ended by itself, declare nothing any more, and what they
// declared stays. It goes when an agent that was enrolled to replace the others
// declares for the first time under that grant, or with the site.
//
// # What an owner does from a browser
//
// The receipts of a site carry its owner's code, derived from the root secret; the
// register keeps a keyed hash of it. With it the owner suspends the site (no search
// finds it, messages are recorded as before, a new declaration does not lift it),
// resumes it, or withdraws it: that counts as a withdrawal of the newest epoch.
// Each act stands in the history and goes to the site's agents as a notice. The
// code ends with any withdrawal: who adheres after it gets another one.
//
// # History has two times
//
// Each row says since when it is true (valid_from, or at) and when the register
// learnt it (recorded_at). Rows are added, and never changed but for their end,
// which has both its times too. So HistoryAsOf leaves out what was recorded
// after a moment and has what the register knew then; History is the same for
// now, by the same statements. History.At gives what was true at a moment, and
// Diff and Changes what differs: between two moments, or between two states of
// knowledge of one moment. Each change has its author and reason: a version
// names its row of acts (who approved the declaration, or did what to the site),
// and what an agent measured is the agent's. A message that changes nothing is
// no act.
//
// What was erased does not come back in a history as of before: it is missing
// there, and History.Erased says that, and when, something went since. Of a
// recorder that no camera needs any more, nothing says so.
//
// Old looks at recorders are thinned (thin.go), so that nothing that was said is
// lost, but some of how often it was said. Messages that arrive more than 30
// days late may fall where looks were thinned: as of the days in between, the
// look before the one that went answers.
//
// # What is kept of what is gone
//
// A camera that a declaration no longer names was withdrawn by its owner: its
// versions, positions and observations are erased, and one row says when, also
// after it is declared again. A replaced contact is erased too; so is every
// declaration of an agent but its newest. A withdrawn site leaves its id, when it
// was withdrawn, its grants, its acts without their authors' names, and the ids
// and hashes of its messages; of its notices, that they were and how far they
// came. What a notice says is deleted 30 days after it was closed. Its name and
// address stay while somebody may still begin anew, by a later grant or a code.
//
// # What is sealed
//
// Names, addresses, positions, contacts and people's words are sealed, each site's
// with a data key of its own (vault.go); so is each notice, beneath the key of
// consultation. The schema says for each column why it is sealed or clear. The
// data keys are sealed with the master key, a file outside the database (master.go),
// that is changed while the register is in use (rotate.go). What is erased goes by
// its key: a withdrawal destroys the site's, and what a site loses while it stays
// goes with the key of before, for the rest is sealed anew (rekey.go). So no copy
// of it opens any more: not in the database's log, in the gaps of its pages, or in
// a copy of the database without the data keys. wipe.go says how long copies of a
// destroyed key itself remain. A contact is found by a keyed hash of its phone
// number or address (lookup.go).
//
// In which municipio and neighbourhood a site lies stands in clear (districts.go), for
// sites are counted by it; it is found anew whenever the site or the map changes, and
// goes with the site.
//
// # Backups
//
// Backup writes all tables, of one instant and for either engine, encrypted to a
// public key, without the data keys; BackupKeys writes those, with the files of
// keys, to be kept apart and 30 days at most (archive.go has the format). Restore
// fills a new database, at the backup's schema, and then migrates it. What was
// erased meanwhile is erased again, by the ledger that lies outside the database
// (ledger.go): each erasure, suspension and resumption stands there before it is
// acknowledged. What agents sent meanwhile they send again.
//
// # Connections
//
// SQLite is the default, one file; PostgreSQL 15 or later serves many collectors
// at once. Statements are written once for both (engine.go), and all tests run on
// both. One goroutine writes, in transactions that take their turn when they
// begin: on SQLite by its write lock, on one connection, on PostgreSQL by an
// advisory lock that all collectors share. Readers never wait for it, and see one
// state of the record. Migrations lie in schema/ENGINE, numbered alike and
// embedded, and are never edited after a release. The first, 00001_register.sql, begins
// with a table of contents: where the cameras are, say. SQLite's has all the comments.
//
// # Several collectors
//
// What a commit has changed it tells all collectors on the same PostgreSQL (tell,
// Follow). Who follows reads by a cursor: the numbers of changes and notices become
// visible in their order, so none is skipped, and a notification that gets lost only
// delays. That an agent was revoked is told by the notification alone: should that
// get lost, its open stream ends within minutes, and nothing is sent on it.
//
// Sessions, links, codes and notices are rows, and the same for all collectors. What
// is counted in memory (guesses, refused logins, an agent's bytes of a day, unproven
// connections) counts at each apart: N collectors let N times as much in, and each
// of these limits protects the collector that counts.
//
// An acknowledgement means that the commit is on the disk, and on the synchronous
// standby where there is one. A host that is gone, or a collector that stands still
// in its turn, is given up within half a minute (steady.go).
//
// They are upgraded one after the other. A migration takes the turn, and from then on
// a program that is older than the schema writes nothing (fence): nothing is
// acknowledged there, and nobody consults, since the trail takes no entry.
package registry
