// Package update keeps the agent's program up to date. It hides The Update Framework
// (TUF 1.0, by go-tuf), the files of downloaded programs, the choice of the one to run,
// and the roll-back of a bad one.
//
// The agent's main makes an Updater, asks it at the start which program to run (Next,
// Start, Try), and lets it check the channel from time to time (Look).
//
// No message from the collector can make an agent scan, read or send more than was
// confirmed, and an update is no message of the collector's: it is a program signed by
// two of three people, one of them outside the Comune. The collector carries it without
// holding a key. A hostile collector can withhold updates until the owner sees that the
// channel has expired, and no more. The owner sees each update and can hold it.
//
//   - The trust anchor is the root.json shipped with the installed program, or a later one
//     that it leads to by two of three signatures each step. Without one, or where a package
//     of the system looks after the program, nothing is downloaded: the first root never
//     comes from the collector.
//   - go-tuf checks roll-back, freeze, mix-and-match, fast-forward, signatures and lengths.
//     This package adds: it keeps the newest root seen (an old one could be replayed with
//     revoked keys), limits each file in bytes and time, downloads a program in parts
//     that resume, and verifies its hash before use.
//   - Only a higher version is taken. Publishers take a release back by publishing the old
//     program under a higher number. A failed version is not tried again, except one that was
//     silent, after a day: the line or the collector may have been away.
//   - Programs lie in DIR/updates/VERSION/, owned by the agent's user, and are verified
//     against their recorded hash at each start. Only "run" starts them, never a command
//     that somebody types (perhaps as administrator), and never from another user's directory.
//   - The installed program is never touched. It is the fallback, and wins when it is newer.
//   - A new version starts on trial, as a child of the old one, which ends it if it is not
//     healthy in time. Until the verdict it opens the inventory, serves the pages and asks
//     the collector to admit it; changes are refused, and nothing is sent, scanned or
//     received. So the copy of the inventory made before can be put back without losing a
//     decision, whatever a new schema did to it.
//   - After the verdict, roll-back stays possible for the version's first hour, if the old
//     program can read the schema: a decision is worth more than a version.
//   - The state is one small file (state.json), replaced whole and flushed before each step.
//     After a power cut the step is repeated or already done. A full disk changes nothing.
package update
