package discover

import (
	"errors"
	"net/netip"
	"sync"
)

// The multicast groups of WS-Discovery. That of IPv6 is link-local: it gets the
// zone of each link.
var (
	multicastGroup  = netip.MustParseAddrPort("239.255.255.250:3702")
	multicastGroup6 = netip.MustParseAddrPort("[ff02::c]:3702")
)

// wsDiscovery is the dialect of ONVIF's devices. One serves all sockets of a scan.
type wsDiscovery struct {
	mu    sync.Mutex
	asked map[string]Method // by the id of the probe
}

func (w *wsDiscovery) questions() [][]byte {
	var packets [][]byte
	for _, q := range w.probes() {
		packets = append(packets, q.packet)
	}
	return packets
}

// probes makes the three questions, whose answers will be believed.
func (w *wsDiscovery) probes() []probe {
	probes := newProbes()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked == nil {
		w.asked = map[string]Method{}
	}
	for _, q := range probes {
		w.asked[q.id] = q.method
	}
	return probes
}

var errNotAsked = errors.New("an answer to no question of ours")

func (w *wsDiscovery) read(datagram []byte, from netip.Addr) ([]Sighting, error) {
	relatesTo, found, err := readMatches(datagram)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	method, ok := w.asked[relatesTo]
	w.mu.Unlock()
	if !ok {
		return nil, errNotAsked
	}
	for i, s := range found {
		s = s.addressed(from)
		s.Methods = []Method{method}
		found[i] = s
	}
	return found, nil
}
