package discover

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"
)

// announce is a Hello or a Bye as devices write it.
func announce(kind, endpoint, xaddrs string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/%[1]s</a:Action><a:MessageID>urn:uuid:0</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To><d:AppSequence InstanceId="1" MessageNumber="1"/></s:Header>
<s:Body><d:%[1]s><a:EndpointReference><a:Address>%[2]s</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes/><d:XAddrs>%[3]s</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:%[1]s></s:Body></s:Envelope>`, kind, endpoint, xaddrs)
}

// testHearer gives a hearer that writes down what it hands over.
func testHearer(t *testing.T) (h *hearer, got *[]string) {
	got = new([]string)
	return newHearer(func(s Sighting) {
		*got = append(*got, fmt.Sprint("hello ", s.Endpoint, " ", s.Address, " ", s.Interface, " ", s.Methods))
	}, func(e string) { *got = append(*got, "bye "+e) }, slog.New(slog.NewTextHandler(t.Output(), nil))), got
}

var eth0 = []link{{Interface: net.Interface{Index: 1, Name: "eth0"}, prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fe80::1/64")}}}

func TestHandleAnnouncements(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	h, got := testHearer(t)
	host, neighbour := netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("fe80::7%eth0")
	hello := announce("Hello", "urn:uuid:1", "http://192.168.2.57:8000/onvif http://[fe80::7]:8001/onvif")
	for _, step := range []struct {
		datagram string
		from     netip.Addr
		after    time.Duration
		want     string // "": nothing new
	}{
		{hello, host, 0, "hello urn:uuid:1 10.0.0.7:8000 eth0 [ws-discovery hello]"},
		{hello, host, time.Second, ""}, // sent twice, as the protocol wants
		{hello, neighbour, time.Second, "hello urn:uuid:1 [fe80::7%eth0]:8001 eth0 [ws-discovery hello]"},
		{hello, netip.MustParseAddr("203.0.113.9"), 0, ""},
		{hello, netip.MustParseAddr("fe80::7%eth1"), 0, ""},
		{announce("Bye", "urn:uuid:1", ""), host, 0, "bye urn:uuid:1"},
		{announce("Bye", "urn:uuid:1", ""), host, 0, ""},
		{hello, host, helloAgain, "hello urn:uuid:1 10.0.0.7:8000 eth0 [ws-discovery hello]"},
		{"", host, 0, ""},
		{"\x00\xff", host, 0, ""},
		{hello[:len(hello)/2], host, 0, ""},
		{announce("Hello", "", "http://10.0.0.7/onvif"), host, 0, ""},
		{announce("Bye", " ", ""), host, 0, ""},
		{match("urn:uuid:1", "urn:uuid:2", "http://10.0.0.7/onvif"), host, 0, ""},
		{string(newProbes()[0].packet), host, 0, ""},
	} {
		before := len(*got)
		now = now.Add(step.after)
		h.handle([]byte(step.datagram), step.from, eth0, now)
		new := (*got)[before:]
		if step.want == "" && len(new) > 0 || step.want != "" && (len(new) != 1 || new[0] != step.want) {
			t.Errorf("%.60q from %s gave %q, want %q", step.datagram, step.from, new, step.want)
		}
	}
}

// A flood of announcements costs neither calls nor memory.
func TestHandleBoundsAFlood(t *testing.T) {
	h, got := testHearer(t)
	now := time.Now()
	for i := range 20 * helloHosts {
		h.handle([]byte(announce("Bye", fmt.Sprint("urn:uuid:", i), "")), netip.MustParseAddr("10.0.0.66"), eth0, now)
	}
	if len(*got) != helloBurst || len(h.heard) > helloHosts {
		t.Errorf("%d calls, %d remembered", len(*got), len(h.heard))
	}
	h.handle([]byte(announce("Hello", "urn:uuid:x", "http://10.0.0.7/onvif")), netip.MustParseAddr("10.0.0.7"), eth0, now.Add(time.Minute))
	if len(*got) != helloBurst+1 {
		t.Error("after the flood a camera was not heard")
	}
}
