// Package discover finds the devices of the local networks: it hides
// multicast, network interfaces, and the three dialects of WS-Discovery's
// probe, mDNS, and addresses that the owner typed.
//
// The agent's main calls Scan and hands each Sighting to interrogate as soon
// as it is known. A sighting is a claim, not a fact: any host of the network
// can send one. Nothing here connects to what a datagram names; a sighting's
// Address is the host that answered, and no other.
//
// Decisions:
//   - Three probes (NetworkVideoTransmitter, Device, untyped) leave each
//     interface, each more than once, because real devices answer only one of
//     them and UDP loses packets. What answers is merged by endpoint reference.
//   - Suitable interfaces are those that are up, can multicast, are neither
//     loopback nor point-to-point, and have an IPv4 address, save those that a
//     host makes for its own containers and virtual machines (see suitable).
//     Loopback is used only when named.
//   - A device that answers without a responder (discovery switched off,
//     another subnet) is reached by a named target, never by a sweep of ports.
package discover
