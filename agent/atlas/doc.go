// Package atlas keeps the map and the addresses that the collector gave, on this
// computer's own disk, so that cameras can be placed without a connection, and that
// nothing is asked for twice. It hides the files, their bound and their age.
//
// The agent's main opens one over its uplink and hands it to the pages.
//
// Decisions:
//   - What is kept lies in one directory, which is the agent's own: each thing in a
//     file with its sum and the time at which it came. A file that is damaged, cut
//     or not ours is removed and asked for again: it is never an error.
//   - At most 32 MiB are kept; what was used longest ago goes first.
//   - A tile is asked for again after 30 days, and all of them when the collector
//     has another map; where it does not answer, the old one is shown.
//   - An answer to an address is kept under the hash of its text. What was found
//     nowhere is not kept: the list of addresses grows.
//   - Who waited for a collector that does not answer is followed by others who do
//     not wait: a page asks for some ten tiles at once.
//   - Forget removes all of it. What the files tell is where somebody looked on the
//     map, so it goes when the last camera leaves the register.
package atlas
