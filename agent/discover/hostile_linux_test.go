package discover

import (
	"encoding/xml"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// TestScanBoundsAFloodOf100000 sends a hundred thousand answers from one host,
// each naming another device at another host, and looks for the camera beside it.
func TestScanBoundsAFloodOf100000(t *testing.T) {
	const good = "urn:uuid:48484848-0000-4000-8000-000000000001"
	head, rest, _ := strings.Cut(match("@", "@", "http://198.51.100.7/onvif"), "@")
	middle, tail, _ := strings.Cut(rest, "@")
	var once sync.Once
	over := make(chan struct{})
	sender(t, multicastGroup, "127.0.48.1", func(datagram []byte, send func(string)) {
		var p receivedProbe
		if xml.Unmarshal(datagram, &p) != nil || p.MessageID == "" {
			return
		}
		once.Do(func() {
			defer close(over)
			for i := range 100_000 {
				send(head + p.MessageID + middle + fmt.Sprintf("urn:uuid:48484848-0000-4000-9000-%012d", i) + tail)
			}
		})
	})
	answerer(t, "127.0.48.2", func(p receivedProbe) []string { return []string{match(p.MessageID, good, "http://x/onvif")} })
	_, found := scanLoopback(t, Options{Window: 2 * time.Second})
	<-over // on a slow computer the scan ends before
	if _, ok := found[good]; !ok {
		t.Error("the flood hid another device")
	}
	n := 0
	for _, s := range found {
		if s.Address.Addr() == netip.MustParseAddr("127.0.48.1") {
			n++
		}
		if strings.HasPrefix(s.Address.String(), "198.51.100.") || strings.HasPrefix(s.Service().Host, "198.51.100.") {
			t.Errorf("a host that did not answer would be asked: %+v", s)
		}
	}
	if n == 0 || n > maxPerHost {
		t.Errorf("one host was believed to be %d devices, the limit is %d", n, maxPerHost)
	}
}

// TestScanReadsOddEncodings reads what can be, and outlives the rest.
func TestScanReadsOddEncodings(t *testing.T) {
	const id = "urn:uuid:49494949-0000-4000-8000-00000000000"
	wide := func(s string) string {
		b := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	for i, change := range []func(string) string{
		func(s string) string { return strings.Replace(s, "UTF-8", "ISO-8859-1", 1) },
		func(s string) string { return strings.Replace(s, "name/Test", "name/caff\xe8", 1) }, // says UTF-8
		func(s string) string { return "\xef\xbb\xbf" + s },
		func(s string) string { return strings.Replace(s, "UTF-8", "klingon", 1) },
		wide,
	} {
		host := fmt.Sprintf("127.0.49.%d", i+1)
		answerer(t, host, func(p receivedProbe) []string {
			return []string{change(match(p.MessageID, fmt.Sprint(id, i), "http://"+host+"/onvif"))}
		})
	}
	_, found := scanLoopback(t, Options{Window: time.Second})
	for i, want := range []bool{true, true, true, false, false} {
		if _, ok := found[fmt.Sprint(id, i)]; ok != want {
			t.Errorf("answer %d was read: %v", i, ok)
		}
	}
}

// An answer that comes when the scan has ended is nobody's.
func TestScanIgnoresLateAnswers(t *testing.T) {
	const id = "urn:uuid:4a4a4a4a-0000-4000-8000-000000000001"
	over := make(chan struct{})
	asked := make(chan struct{}, 64)
	answerer(t, "127.0.50.1", func(p receivedProbe) []string {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-over
		return []string{match(p.MessageID, id, "http://127.0.50.1/onvif")}
	})
	first, found := scanLoopback(t, Options{})
	close(over)
	<-asked
	if _, ok := found[id]; ok || count(first, id) > 0 {
		t.Error("an answer from after the end was found")
	}
}

// A maker's search can be answered by anybody: what the answers say of other
// hosts is not believed.
func TestScanByMakersOwnSearches(t *testing.T) {
	const id = "urn:uuid:4b4b4b4b-0000-4000-8000-000000000001"
	uuidOf := func(q []byte) string {
		_, rest, _ := strings.Cut(string(q), "<Uuid>")
		id, _, _ := strings.Cut(rest, "</Uuid>")
		return id
	}
	sadpOn := func(host, port string) {
		responder(t, sadpGroup, host, func(q []byte) []string {
			if !strings.Contains(string(q), "<Types>inquiry") || strings.Contains(string(q), "ProbeMatch") {
				return nil
			}
			return []string{"", "\xff", sadpAnswer("FORGED", "1"), sadpAnswer(strings.ToLower(uuidOf(q)), port)}
		})
	}
	sadpOn("127.0.55.1", "8080")
	responder(t, dhdiscoverGroup, "127.0.55.2", func([]byte) []string { return []string{"", "{", dhAnswerText(dhInfo)} })
	// This one has ONVIF switched on as well.
	sadpOn("127.0.55.3", "80")
	answerer(t, "127.0.55.3", func(p receivedProbe) []string {
		return []string{match(p.MessageID, id, "http://127.0.55.3:8000/onvif/device_service")}
	})
	// One with old firmware answers to the group.
	old, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 55, 4)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { old.Close() })
	setLoopback(t, old)
	responder(t, sadpGroup, "127.0.55.4", func(q []byte) []string {
		if strings.Contains(string(q), "<Probe>") {
			_, _ = old.WriteToUDPAddrPort([]byte(sadpAnswer(uuidOf(q), "80")), sadpGroup)
		}
		return nil
	})

	_, found := scanLoopback(t, Options{Window: time.Second})
	for key, want := range map[string]string{
		"127.0.55.1:8080": "[sadp] DS-TEST-8 DS-TEST-8000000001 lo",
		"127.0.55.2:8081": "[dhdiscover] NVR-TEST TEST000001 lo",
		"127.0.55.4:80":   "[sadp] DS-TEST-8 DS-TEST-8000000001 lo",
		id:                "[sadp ws-discovery Device ws-discovery NetworkVideoTransmitter ws-discovery untyped] DS-TEST-8 DS-TEST-8000000001 lo",
	} {
		s := found[key]
		if got := fmt.Sprint(s.Methods, " ", s.Model, " ", s.Serial, " ", s.Interface); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	for _, s := range found {
		if s.Address.Addr() == netip.MustParseAddr("203.0.113.9") || s.Address.Port() == 1 || s.Address.Addr() == netip.MustParseAddr("127.0.55.3") && s.Key() != id {
			t.Errorf("reported: %+v", s)
		}
	}
}
