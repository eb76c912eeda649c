// Package discover finds devices on the local networks. It hides multicast, network
// interfaces, the discovery protocols (WS-Discovery, mDNS, SSDP, Hikvision's SADP,
// Dahua's DHDiscover), and the probing of addresses that the owner typed.
//
// The agent's main calls Scan and hands each Sighting to package interrogate; as a
// service it also calls Listen, for devices that announce themselves. A sighting is a
// claim, not a fact, because any host can send one. Sighting.Address is always the
// host that answered, whatever the datagram says. The package connects to no host
// that a datagram names; it only fetches UPnP descriptions from the host that answered, and
// tries the web port of addresses that the owner named.
//
//   - Three WS-Discovery probes (NetworkVideoTransmitter, Device, untyped) leave each
//     interface in two rounds, each sent twice: some devices answer only one of them,
//     and UDP loses packets. Answers are merged by endpoint reference; what the other
//     protocols find joins the device on the same host, if there is exactly one.
//   - WS-Discovery and mDNS use IPv4 and link-local IPv6, the others IPv4 only, as the
//     devices do. A device that answers on both is listed with its IPv4 address.
//   - Interfaces are chosen by their properties, never by name (suitable). Loopback is
//     used only when named.
//   - Multicast answers are accepted only from the link's own networks and from private
//     addresses (believes).
//   - A device that answers no multicast is reached as a named target, never by a port
//     sweep: two packets a host, at most 64 hosts at a time.
//   - A device is reported at once if its address is certain, otherwise after a fifth
//     of the window.
//   - Searches whose messages are not known for certain (Ubiquiti's on UDP 10001) are
//     not sent to anybody's recorder.
package discover
