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
	"syscall"
	"testing"
	"time"
)

// answerer is a device on loopback that answers probes with whatever bytes a
// test wants; cameratest's devices are well-behaved on this level.
func answerer(t *testing.T, addr string, answer func(p receivedProbe) []string) {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	in, err := net.ListenMulticastUDP("udp4", lo, net.UDPAddrFromAddrPort(multicastGroup))
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
			var p receivedProbe
			if xml.Unmarshal(buf[:n], &p) != nil {
				continue // other packages' tests send here, too, and not only probes
			}
			for _, a := range answer(p) {
				if _, err := out.WriteToUDP([]byte(a), from); err != nil {
					return
				}
			}
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

func TestScanTargets(t *testing.T) {
	// A device that listens to no multicast, but to questions put to itself.
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { // others may hold the port on all addresses
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
	}}
	packets, err := lc.ListenPacket(t.Context(), "udp4", "127.0.45.1:3702")
	if err != nil {
		t.Fatal(err)
	}
	conn := packets.(*net.UDPConn)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			var p receivedProbe
			if xml.Unmarshal(buf[:n], &p) == nil {
				conn.WriteToUDP([]byte(match(p.MessageID, "", "http://10.0.0.1:8000/onvif/device_service")), from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	web, err := net.Listen("tcp4", "127.0.45.2:80")
	if err == nil { // not everybody may listen there
		defer web.Close()
	}

	first, found := scanLoopback(t, Options{Targets: []string{"127.0.45.1", "http://user:secret@127.0.45.9:8080/x", "127.0.45.2/30"}})
	if s := found["127.0.45.1:8000"]; !slices.Contains(s.Methods, MethodTarget) || !slices.Contains(s.Methods, MethodUntyped) {
		t.Errorf("the target that answers to its own address was read as %+v, all: %v", s, found)
	}
	if s := found["127.0.45.9:8080"]; len(s.XAddrs) != 1 || s.XAddrs[0] != "http://127.0.45.9:8080/x" {
		t.Errorf("the silent target was read as %+v", s)
	}
	if _, ok := found["127.0.45.2:80"]; ok != (web != nil) {
		t.Errorf("of the range, the host that accepts connections was found: %v", ok)
	}
	if n := count(first, "127.0.45.1:8000"); n != 1 {
		t.Errorf("the target was announced %d times", n)
	}
}

// A device that is announced by its address, and tells its endpoint later, is
// one device and known to be that one.
func TestScanKeepsNumbers(t *testing.T) {
	const id = "urn:uuid:48484848-0000-4000-8000-000000000001"
	asked := 0
	answerer(t, "127.0.48.1", func(p receivedProbe) []string {
		if p.Types != "" {
			return nil
		}
		if asked++; asked < 3 { // other packages' scans count too: then it only answers earlier
			return nil
		}
		return []string{match(p.MessageID, id, "http://127.0.48.1:8000/onvif/device_service")}
	})
	first, found := scanLoopback(t, Options{Targets: []string{"127.0.48.1:8000", "no.such.name.invalid"}, Window: 900 * time.Millisecond})
	i := slices.IndexFunc(first, func(s Sighting) bool { return s.Address.String() == "127.0.48.1:8000" })
	if i < 0 || first[i].Number == 0 || found[id].Number != first[i].Number {
		t.Errorf("announced %+v, found %+v", first, found[id])
	}
	numbers := map[int]bool{}
	for _, s := range found {
		if numbers[s.Number] {
			t.Errorf("two devices have the number %d", s.Number)
		}
		numbers[s.Number] = true
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
