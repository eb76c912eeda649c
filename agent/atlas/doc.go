// Package atlas caches, on this computer's disk, the map tiles and address lookups
// that the collector served, so that cameras can be placed without a connection and
// nothing is fetched twice. It hides the files, their total size and their age.
// The agent's main opens one over its uplink and hands it to the pages.
//
//   - Each file carries a checksum and the time of its download. A damaged, truncated
//     or foreign file is removed and fetched again; it is never an error.
//   - At most 32 MiB are kept; the least recently used file goes first.
//   - A tile is fetched again after 30 days, and all tiles when the collector has a
//     new map. While the collector does not answer, the old tile is shown.
//   - The answer to an address is stored under the hash of its text. An empty answer
//     is not stored, because the list of addresses grows.
//   - A page asks for some ten tiles at once: once one request has waited in vain for
//     the collector, the others do not wait.
//   - The files reveal where somebody looked on the map: Forget removes them when the
//     last camera leaves the register.
package atlas
