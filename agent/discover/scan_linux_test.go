package discover

import (
	"context"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
)

// answerer is a device on loopback that answers probes with whatever bytes a
// test wants; cameratest's devices are well-behaved on this level.
func answerer(t *testing.T, addr string, answer func(p receivedProbe) []string) {
	t.Helper()
	responder(t, multicastGroup, addr, func(datagram []byte) []string {
		var p receivedProbe
		if xml.Unmarshal(datagram, &p) != nil || p.MessageID == "" {
			return nil // other packages' tests send here, too, and not only probes
		}
		return answer(p)
	})
}

// responder answers what is sent to a group on loopback, from an address, to
// where the question came from.
func responder(t *testing.T, group netip.AddrPort, addr string, answer func(datagram []byte) []string) {
	t.Helper()
	sender(t, group, addr, func(datagram []byte, send func(string)) {
		for _, a := range answer(datagram) {
			send(a)
		}
	})
}

// sender is a responder with more answers than are made in advance.
func sender(t *testing.T, group netip.AddrPort, addr string, answer func(datagram []byte, send func(string))) {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	in, err := net.ListenMulticastUDP("udp4", lo, net.UDPAddrFromAddrPort(group))
	if err != nil {
		t.Fatal(err)
	}
	out, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(addr)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := in.ReadFromUDP(buf)
			if err != nil {
				return
			}
			answer(buf[:n], func(a string) { _, _ = out.WriteToUDP([]byte(a), from) }) // an error is that of one that went away
		}
	}()
	t.Cleanup(func() {
		in.Close()
		<-done
		out.Close()
	})
}

type receivedProbe struct {
	MessageID string `xml:"Header>MessageID"`
	Types     string `xml:"Body>Probe>Types"`
}

// scanLoopback scans lo and gives what was announced and what was found, by
// endpoint. Devices of tests in other packages share the group: they are there too.
func scanLoopback(t *testing.T, o Options) (first []Sighting, found map[string]Sighting) {
	t.Helper()
	o.Interfaces = []string{"lo"}
	if o.Window == 0 {
		o.Window = 500 * time.Millisecond
	}
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	all, err := Scan(t.Context(), o, func(s Sighting) { first = append(first, s) })
	if unknown := slices.Contains(o.Targets, "no.such.name.invalid"); unknown != (err != nil) || unknown && !strings.Contains(err.Error(), "no.such.name.invalid") {
		t.Fatal(err)
	}
	found = map[string]Sighting{}
	for _, s := range all {
		if found[s.Keys()[0]].Address.IsValid() {
			t.Errorf("%s is reported twice", s.Keys()[0])
		}
		found[s.Keys()[0]] = s
	}
	return first, found
}

func TestScanFindsWhatAnswersOneProbeOnly(t *testing.T) {
	const id = "urn:uuid:11111111-0000-4000-8000-00000000000"
	for i, only := range []string{"dn:NetworkVideoTransmitter", "tds:Device", ""} {
		answerer(t, fmt.Sprintf("127.0.41.%d", i+1), func(p receivedProbe) []string {
			if p.Types != only {
				return nil
			}
			a := match(p.MessageID, fmt.Sprint(id, i), fmt.Sprintf("http://192.168.2.%d:8000/onvif/device_service", i))
			return []string{a, a}
		})
	}
	first, found := scanLoopback(t, Options{})
	for i, method := range []Method{MethodTransmitter, MethodDevice, MethodUntyped} {
		key := fmt.Sprint(id, i)
		s, ok := found[key]
		if !ok {
			t.Errorf("the device that answers only the probe of %q was not found", method)
			continue
		}
		if want := []Method{method}; !slices.Equal(s.Methods, want) {
			t.Errorf("%s: methods %q, want %q", key, s.Methods, want)
		}
		if want := fmt.Sprintf("127.0.41.%d:8000", i+1); s.Address.String() != want {
			t.Errorf("%s: address %s, want %s (the host that answered, the port that it named)", key, s.Address, want)
		}
		if s.Interface != "lo" || len(s.Scopes) != 2 || s.Types[0] != "{http://www.onvif.org/ver10/network/wsdl}NetworkVideoTransmitter" {
			t.Errorf("%s: read as %+v", key, s)
		}
		if n := count(first, key); n != 1 {
			t.Errorf("%s was announced %d times", key, n)
		}
	}
}

func TestScanMergesByEndpoint(t *testing.T) {
	const id = "urn:uuid:22222222-0000-4000-8000-000000000001"
	for _, host := range []string{"127.0.42.1", "127.0.42.2"} { // wired and wireless
		answerer(t, host, func(p receivedProbe) []string {
			upper := strings.ToUpper(strings.TrimPrefix(id, "urn:uuid:"))
			return []string{match(strings.ToUpper(p.MessageID), "uuid:"+upper, "http://"+host+"/onvif/device_service")}
		})
	}
	first, found := scanLoopback(t, Options{Targets: []string{"127.0.42.2"}})
	s := found[id]
	want := []Method{MethodTarget, MethodDevice, MethodTransmitter, MethodUntyped}
	if !slices.Equal(s.Methods, want) || len(s.XAddrs) != 2 {
		t.Errorf("one device on two addresses, also named as a target, was read as %+v", s)
	}
	for key, s := range found {
		if key != id && strings.HasPrefix(s.Address.String(), "127.0.42.") {
			t.Errorf("a second device was made of it: %+v", s)
		}
	}
	if n := count(first, id); n != 1 {
		t.Errorf("it was announced %d times", n)
	}
}

// A device is announced with the address that it gave at last.
func TestScanWaitsForAnAddress(t *testing.T) {
	const id = "urn:uuid:47474747-0000-4000-8000-000000000001"
	answerer(t, "127.0.47.1", func(p receivedProbe) []string {
		return []string{match(p.MessageID, id, ""), match(p.MessageID, id, "onvif"), match(p.MessageID, id, "http://127.0.47.1:8000/onvif/device_service")}
	})
	first, found := scanLoopback(t, Options{})
	i := slices.IndexFunc(first, func(s Sighting) bool { return s.Endpoint == id })
	if i < 0 || first[i].Address.Port() != 8000 || found[id].Address.Port() != 8000 || count(first, id) != 1 {
		t.Errorf("announced %v, found %+v", first, found[id])
	}
}

func TestScanSurvivesBadAnswers(t *testing.T) {
	const good, forged = "urn:uuid:33333333-0000-4000-8000-000000000001", "urn:uuid:33333333-0000-4000-8000-00000000000f"
	bad := func(p receivedProbe) []string {
		return []string{
			"",
			"\x00\xff\xfe",
			"<html><body>no</body></html>",
			`<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>` + match(p.MessageID, forged, "http://127.0.43.9/onvif"),
			match(p.MessageID, forged, "http://127.0.43.9/onvif")[:300],
			match("urn:uuid:00000000-0000-4000-8000-000000000000", forged, "http://127.0.43.9/onvif"),
			match("", forged, "http://127.0.43.9/onvif"),
			strings.Repeat("<a>", 20000),
			strings.Replace(match(p.MessageID, forged, ""), "<d:XAddrs>", "<d:XAddrs", 1),
		}
	}
	answerer(t, "127.0.43.1", bad)
	answerer(t, "127.0.43.2", func(p receivedProbe) []string {
		return append(bad(p), match(p.MessageID, good, "nonsense http:// ://x http://[fe80::1]:99999/ /onvif"))
	})
	_, found := scanLoopback(t, Options{})
	if s := found[good]; s.Address != netip.MustParseAddrPort("127.0.43.2:80") {
		t.Errorf("the device amid the noise was read as %+v", s)
	}
	if s, ok := found[forged]; ok {
		t.Errorf("an answer to no question was believed: %+v", s)
	}
}

// A flood of invented devices takes neither the memory nor the place of others.
func TestScanBoundsAFlood(t *testing.T) {
	const good = "urn:uuid:44444444-0000-4000-8000-000000000001"
	answerer(t, "127.0.44.1", func(p receivedProbe) []string {
		var flood []string
		for i := range 3 * maxPerHost {
			flood = append(flood, match(p.MessageID, fmt.Sprintf("urn:uuid:44444444-0000-4000-9000-%012d", i), "http://x/onvif"))
		}
		return flood
	})
	answerer(t, "127.0.44.2", func(p receivedProbe) []string { return []string{match(p.MessageID, good, "http://x/onvif")} })
	_, found := scanLoopback(t, Options{})
	if _, ok := found[good]; !ok {
		t.Error("the flood hid another device")
	}
	n := 0
	for _, s := range found {
		if s.Address.Addr() == netip.MustParseAddr("127.0.44.1") {
			n++
		}
	}
	if n != maxPerHost {
		t.Errorf("one host was believed to be %d devices, the limit is %d", n, maxPerHost)
	}
}

func TestScanRefusesBadOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"interface": {Interfaces: []string{"no-such-0"}},
		"wide":      {Targets: []string{"10.0.0.0/8"}},
		"six":       {Targets: []string{"fe80::/120"}},
		"port":      {Targets: []string{"127.0.0.1:99999"}},
		"scheme":    {Targets: []string{"ftp://127.0.0.1/"}},
		"name":      {Targets: []string{"no.such.name.invalid"}},
	} {
		if _, err := Scan(t.Context(), o, nil); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Log(err)
		}
	}
}

func TestScanEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	answerer(t, "127.0.46.1", func(p receivedProbe) []string {
		return []string{match(p.MessageID, "urn:uuid:46", "http://x/onvif")}
	})
	found, err := Scan(ctx, Options{Interfaces: []string{"lo"}, Window: 20 * time.Second}, func(s Sighting) {
		if s.Endpoint == "urn:uuid:46" {
			cancel()
		}
	})
	if err == nil || !slices.ContainsFunc(found, func(s Sighting) bool { return s.Endpoint == "urn:uuid:46" }) {
		t.Errorf("found %v, err %v; want what was found until then, and why it is not all", found, err)
	}
}

func count(all []Sighting, key string) int {
	n := 0
	for _, s := range all {
		if s.Keys()[0] == key {
			n++
		}
	}
	return n
}

// setLoopback makes a socket send its multicast on loopback.
func setLoopback(t *testing.T, conn *net.UDPConn) {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	if err == nil {
		err = ipv4.NewPacketConn(conn).SetMulticastInterface(lo)
	}
	if err != nil {
		t.Fatal(err)
	}
}
