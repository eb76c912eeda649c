package cameratest

import (
	"encoding/xml"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
)

// prober is a WS-Discovery client on lo, of its own making: it shares no code
// with the responder.
type prober struct {
	t     *testing.T
	conn  *net.UDPConn
	hosts []string
}

// newProber hears only the devices on these hosts: the tests of other packages
// have devices on lo at the same time, which answer these probes too.
func newProber(t *testing.T, hosts ...string) *prober {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := ipv4.NewPacketConn(conn).SetMulticastInterface(lo); err != nil {
		t.Fatal(err)
	}
	return &prober{t, conn, hosts}
}

// lastHost counts the loopback addresses that were given out.
var lastHost atomic.Uint32

// ownHost is a loopback address that no other test process has.
func ownHost() string {
	pid := os.Getpid()
	return fmt.Sprintf("127.%d.%d.%d", 1+pid>>8%254, pid%256, lastHost.Add(1))
}

const (
	typesNVT    = `<d:Types xmlns:x="http://www.onvif.org/ver10/network/wsdl">x:NetworkVideoTransmitter</d:Types>`
	typesDevice = `<d:Types xmlns:dev="http://www.onvif.org/ver10/device/wsdl"> dev:Device </d:Types>`
	typesOther  = `<d:Types xmlns:x="urn:printers">x:NetworkVideoTransmitter</d:Types>`
	typesBoth   = `<d:Types xmlns:x="http://www.onvif.org/ver10/network/wsdl" xmlns:dev="http://www.onvif.org/ver10/device/wsdl">x:NetworkVideoTransmitter dev:Device</d:Types>`
)

func (p *prober) probe(id, types string) {
	p.t.Helper()
	p.send(probeText(id, types))
}

func probeText(id, types string) string {
	return `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" ` +
		`xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><w:MessageID>` + id + `</w:MessageID>` +
		`<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></s:Header><s:Body><d:Probe>` + types + `</d:Probe></s:Body></s:Envelope>`
}

func (p *prober) send(message string) {
	p.t.Helper()
	p.sendTo(net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 3702}, message)
}

func (p *prober) sendTo(to net.UDPAddr, message string) {
	p.t.Helper()
	if _, err := p.conn.WriteTo([]byte(message), &to); err != nil {
		p.t.Fatal(err)
	}
}

// probeMatches is what a reply must hold, with its namespaces.
type probeMatches struct {
	XMLName   xml.Name `xml:"http://www.w3.org/2003/05/soap-envelope Envelope"`
	RelatesTo string   `xml:"Header>RelatesTo"`
	Action    string   `xml:"Header>Action"`
	Matches   []struct {
		Endpoint string `xml:"http://schemas.xmlsoap.org/ws/2004/08/addressing EndpointReference>Address"`
		Types    string `xml:"http://schemas.xmlsoap.org/ws/2005/04/discovery Types"`
		Scopes   string `xml:"http://schemas.xmlsoap.org/ws/2005/04/discovery Scopes"`
		XAddrs   string `xml:"http://schemas.xmlsoap.org/ws/2005/04/discovery XAddrs"`
		Version  int    `xml:"http://schemas.xmlsoap.org/ws/2005/04/discovery MetadataVersion"`
	} `xml:"Body>ProbeMatches>ProbeMatch"`
	from netip.AddrPort
}

// datagram is the next one; the limit is only there to end a failing test.
func (p *prober) datagram() ([]byte, netip.AddrPort) {
	p.t.Helper()
	buf := make([]byte, 64<<10)
	if err := p.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		p.t.Fatal(err)
	}
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			p.t.Fatalf("no answer: %v", err)
		}
		if slices.Contains(p.hosts, from.Addr().String()) {
			return buf[:n], from
		}
	}
}

func (p *prober) reply() probeMatches {
	p.t.Helper()
	b, from := p.datagram()
	m := probeMatches{from: from}
	if err := xml.Unmarshal(b, &m); err != nil {
		p.t.Fatalf("%v in %q", err, b)
	}
	if len(m.Matches) != 1 || m.Action != "http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches" {
		p.t.Fatalf("reply %+v", m)
	}
	return m
}

// TestProbeMatch: two devices on one host answer one multicast probe, each from
// its own address.
func TestProbeMatch(t *testing.T) {
	c := load(t, "videofavola-nvr")
	hostA, hostB := ownHost(), ownHost()
	a := start(t, c, Options{Host: hostA, Interface: "lo"})
	b := start(t, c, Options{Host: hostB, Interface: "lo", Endpoint: "urn:uuid:other",
		XAddrs: []string{"http://169.254.1.1/onvif/device_service", "http://{host}:{port}/x"}})
	p := newProber(t, hostA, hostB)
	p.send("<not a probe")
	p.probe("urn:uuid:77", typesBoth)
	got := map[string]probeMatches{}
	for range 2 {
		m := p.reply()
		got[m.Matches[0].Endpoint] = m
	}
	first, second := got[c.Defaults.Endpoint], got["urn:uuid:other"]
	if len(got) != 2 || first.RelatesTo != "urn:uuid:77" || second.RelatesTo != "urn:uuid:77" {
		t.Fatalf("replies %+v", got)
	}
	m := first.Matches[0]
	if first.from != netip.MustParseAddrPort(hostA+":3702") || m.XAddrs != a.URL() || m.Version != 1 ||
		m.Types != "dn:NetworkVideoTransmitter tds:Device" || m.Scopes != strings.Join(c.Defaults.Scopes, " ") || len(c.Defaults.Scopes) < 5 {
		t.Errorf("from %s: %+v", first.from, m)
	}
	if want := "http://169.254.1.1/onvif/device_service http://" + b.Address().String() + "/x"; second.from.Addr().String() != hostB || second.Matches[0].XAddrs != want {
		t.Errorf("from %s: %+v, want XAddrs %s", second.from, second.Matches[0], want)
	}
}

// TestAnswerTo: a device handles probes one after the other, so the first reply
// tells which it answered.
func TestAnswerTo(t *testing.T) {
	c := load(t, "videofavola-cubo")
	for name, tc := range map[string]struct {
		answers   []string
		ignored   []string
		respected string
	}{
		"transmitter": {[]string{ProbeNVT}, []string{typesDevice, "", typesBoth, typesOther}, typesNVT},
		"device":      {[]string{ProbeDevice}, []string{typesNVT, "", typesBoth}, typesDevice},
		"untyped":     {[]string{ProbeUntyped}, []string{typesNVT, typesDevice}, ""},
		"all":         {nil, []string{typesOther}, typesNVT},
	} {
		t.Run(name, func(t *testing.T) {
			host := ownHost()
			d := start(t, c, Options{Host: host, Interface: "lo", AnswerTo: tc.answers})
			p := newProber(t, host)
			for _, types := range tc.ignored {
				p.probe("urn:uuid:ignored", types)
			}
			p.probe("urn:uuid:answered", tc.respected)
			if m := p.reply(); m.RelatesTo != "urn:uuid:answered" {
				t.Errorf("answered %s", m.RelatesTo)
			}
			if got := len(d.Probes()); got < len(tc.ignored)+1 {
				t.Errorf("%d probe types noted, at least %d sent", got, len(tc.ignored)+1)
			}
		})
	}
}

// TestNoProbes: a device without answers or without an interface has no
// responder, so another's reply comes alone.
func TestNoProbes(t *testing.T) {
	c := load(t, "videofavola-cubo")
	host, noAnswers, noInterface := ownHost(), ownHost(), ownHost()
	silent := []*Device{start(t, c, Options{Host: noAnswers, Interface: "lo", AnswerTo: []string{}}), start(t, c, Options{Host: noInterface})}
	start(t, c, Options{Host: host, Interface: "lo", Endpoint: "urn:uuid:witness"})
	p := newProber(t, host, noAnswers, noInterface)
	for _, id := range []string{"urn:uuid:1", "urn:uuid:2"} {
		p.probe(id, "")
		if m := p.reply(); m.RelatesTo != id || m.Matches[0].Endpoint != "urn:uuid:witness" {
			t.Errorf("%s answered by %+v", id, m)
		}
	}
	for _, d := range silent {
		if len(d.Probes()) != 0 {
			t.Errorf("%s heard %v", d.o.Name, d.Probes())
		}
	}
}

func TestDiscoveryQuirks(t *testing.T) {
	c := load(t, "videofavola-cubo")
	t.Run("twice, from an ephemeral port", func(t *testing.T) {
		host := ownHost()
		start(t, c, Options{Host: host, Interface: "lo", Quirks: Quirks{AnswersTwice: true, EphemeralPort: true}})
		p := newProber(t, host)
		p.probe("urn:uuid:1", "")
		one, two := p.reply(), p.reply()
		if one.Matches[0] != two.Matches[0] || one.from != two.from || one.from.Port() == 3702 || one.from.Addr().String() != host {
			t.Errorf("%+v from %s, %+v from %s", one, one.from, two, two.from)
		}
	})
	t.Run("garbage", func(t *testing.T) {
		host := ownHost()
		start(t, c, Options{Host: host, Interface: "lo", Quirks: Quirks{GarbageProbeMatch: true}})
		p := newProber(t, host)
		p.probe("urn:uuid:1", "")
		var kinds []string
		for range 6 {
			b, _ := p.datagram()
			var m probeMatches
			switch err := xml.Unmarshal(b, &m); {
			case len(b) == 0:
				kinds = append(kinds, "empty")
			case err != nil:
				kinds = append(kinds, "ill-formed")
			case m.Matches[0].XAddrs == "":
				kinds = append(kinds, "no XAddrs")
			case !strings.Contains(m.Matches[0].XAddrs, "//"):
				kinds = append(kinds, "no URL")
			default:
				kinds = append(kinds, "good")
			}
		}
		if want := []string{"empty", "ill-formed", "ill-formed", "no XAddrs", "no URL", "ill-formed"}; !slices.Equal(kinds, want) {
			t.Errorf("datagrams %q, want %q", kinds, want)
		}
	})
	t.Run("slow", func(t *testing.T) {
		host, witness := ownHost(), ownHost()
		d := start(t, c, Options{Host: host, Interface: "lo", Quirks: Quirks{SlowProbe: time.Hour}})
		start(t, c, Options{Host: witness, Interface: "lo", Endpoint: "urn:uuid:witness"})
		p := newProber(t, host, witness)
		for range 2 {
			p.probe("urn:uuid:1", "")
			if m := p.reply(); m.Matches[0].Endpoint != "urn:uuid:witness" {
				t.Errorf("answered by %+v", m)
			}
		}
		if err := d.Close(); err != nil { // does not wait for the hour
			t.Error(err)
		}
	})
}

// TestNoResponder: what cannot be done is said at the start.
func TestNoResponder(t *testing.T) {
	c := load(t, "videofavola-cubo")
	for name, o := range map[string]Options{
		"no such interface": {Interface: "no-such-interface"},
		"no such address":   {Host: "192.0.2.1"},
	} {
		if d, err := Start(c, o); err == nil {
			_ = d.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

func TestIPv6(t *testing.T) {
	d := start(t, load(t, "videofavola-cubo"), Options{Host: "::1"})
	if status, _ := ask(t, d, devicePath, "", op(nsDevice, "GetScopes", "")); status != 200 {
		t.Errorf("HTTP %d", status)
	}
}

func FuzzReadProbe(f *testing.F) {
	for _, s := range []string{"", "<", typesNVT, `<a><b/><Body xmlns="x"><Probe/></Body></a>`, `</a>`,
		`<s:Envelope xmlns:s="x"><s:Header><MessageID>1</MessageID></s:Header><s:Body><Probe xmlns="` + nsDiscovery + `"><Types>dn:X y</Types></Probe></s:Body></s:Envelope>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := readProbe(b); err == nil && p.id == "" {
			t.Error("a probe without id")
		}
	})
}
