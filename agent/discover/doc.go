// Package discover finds the devices of the local networks: it hides multicast,
// network interfaces, the dialects in which devices are asked for (WS-Discovery's
// three probes, mDNS, SSDP, Hikvision's and Dahua's own searches), and addresses
// that the owner typed.
//
// The agent's main calls Scan and hands each Sighting to interrogate as soon
// as it is known; while it runs as a service it also calls Listen, for devices
// that announce themselves. A sighting is a claim, not a fact: any host of the
// network can send one. A sighting's Address is the host that answered, and no
// other, whatever the datagram says. Nothing here connects to a host that is
// named: only a UPnP description is fetched, from the host that answered.
//
// Decisions:
//   - Three probes (NetworkVideoTransmitter, Device, untyped) leave each
//     interface in two rounds, each sent twice, because real devices answer only
//     one of them and UDP loses packets. What answers is merged by endpoint
//     reference; what was found in other ways joins the device on its host, if
//     there is one such device and no other.
//   - WS-Discovery and mDNS speak IPv4 and link-local IPv6; the rest IPv4, as the
//     devices do. A device that answers by both is known by its IPv4 address.
//   - Interfaces are chosen by what they are, never by name: see suitable. Loopback
//     is used only when named.
//   - Answers to a multicast question are believed only from the link's own
//     networks and from private addresses: see believes.
//   - A device that answers nobody (discovery switched off, another subnet) is
//     reached by a named target, never by a sweep of ports: two packets a host, at
//     most 64 hosts at a time.
//   - Nothing waits for a device: what is surely where it says is handed over at
//     once, what may still turn out to be elsewhere after a fifth of the window.
//   - Other makers' own searches (Ubiquiti's on UDP 10001 is one) are not spoken:
//     their messages are not certain enough to send them to somebody's recorder.
package discover
