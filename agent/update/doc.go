// Package update keeps the agent's program up to date. It hides The Update Framework
// (TUF 1.0, by go-tuf), the files of fetched programs, which of them is started, and
// the way back from one that is no good.
//
// The agent's main makes an Updater, asks it at the start which program to run
// (Next, Start, Try), and has it look at the channel from time to time (Look).
//
// What an update is. "No message from the collector can make an agent scan, read or
// send more than was confirmed" (DESIGN 1): an update is no message of the
// collector's. It is a program signed by two of three people, of whom one is outside
// the Comune; the collector keeps no key of it and only carries it. Who holds the
// collector can withhold updates until the owner sees that the channel has expired,
// and no more. The owner sees what came and what it changes, and can hold it.
//
// Decisions:
//   - The anchor of trust is root.json as it was shipped with the program that was
//     installed, or a later one that it leads to, two of three signatures each step.
//     Where none was shipped, or where something else looks after the program (a
//     package of the system), nothing is fetched: the first root is never taken
//     from the collector.
//   - go-tuf judges the metadata: roll-back, freeze, mix-and-match, fast-forward,
//     signatures, lengths. What it does not do is here: the newest root that was seen
//     is kept (an old root could be played back with keys that were revoked since),
//     each file has an end in bytes and in time, and a program is fetched in parts
//     into a file, goes on where it stopped, and is hashed before it is used.
//   - Only a higher version is taken. To take a release back its publishers release
//     the old program under a higher number.
//   - Programs lie in DIR/updates/VERSION/, read and run by the agent's own user, who
//     is nobody else: what a file there holds is checked against its recorded hash at
//     each start. Only "run" starts them, never a command that somebody types, who
//     may be the administrator; and never from a directory of another user.
//   - The program that was installed is never touched. It is what is left when all
//     else fails, and wins when it is newer.
//   - A new version is on trial: its judge is the old one, which starts it as a child,
//     and ends it if it is not healthy in time. Until the verdict it opens the
//     inventory, serves the pages and asks the collector to admit it, and does nothing
//     else: what somebody wants to change is refused for that minute, and nothing is
//     sent, scanned or received. So the copy of the inventory that was made before can
//     be put back, whatever a new schema has done to it, and no decision is lost.
//   - After the verdict the way back is open for as long as the version has not run an
//     hour, if the schema is the old one's: a program that cannot read the inventory
//     is no way back, and a decision is worth more than a version.
//   - A version that failed is not tried again: a repaired one has a new number.
//   - One small file (state.json) says how it stands, replaced whole before each step
//     and flushed. A power cut before it leaves what was; after it, the step is done
//     again or was done. Nothing is fetched into the way of a running program: a full
//     disk leaves all as it is.
package update
