package cameratest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net"
	"strings"
	"testing"
	"unicode/utf8"
)

// probed is the first datagram with which a device of these quirks answers.
func probed(t *testing.T, q DiscoveryQuirks, edits ...func(*Options)) ([]byte, *Device) {
	t.Helper()
	host := ownHost()
	o := Options{Host: host, Interface: "lo", Quirks: Quirks{Discovery: q}}
	for _, f := range edits {
		f(&o)
	}
	d := start(t, load(t, "videofavola-cubo"), o)
	p := newProber(t, host)
	p.probe("urn:uuid:1", "")
	b, _ := p.datagram()
	return b, d
}

// TestXAddrs: each form of wrong addresses in a ProbeMatch.
func TestXAddrs(t *testing.T) {
	const path = "/onvif/device_service"
	for form, want := range map[XAddrs]string{
		"":                   "http://{}" + path,
		XAddrsNone:           "",
		XAddrsOtherHost:      "http://192.0.2.99" + path,
		XAddrsPublic:         "http://203.0.113.99" + path,
		XAddrsNoPath:         "http://{}",
		XAddrsHTTPSFirst:     "https://{host}:1" + path + " http://{}" + path,
		XAddrsLinkLocalFirst: "http://169.254.0.99" + path + " http://{}" + path,
		XAddrsFE80First:      "http://[fe80::99]" + path + " http://{}" + path,
	} {
		b, d := probed(t, DiscoveryQuirks{XAddrs: form})
		want = strings.NewReplacer("{}", d.Address().String(), "{host}", d.Address().Addr().String()).Replace(want)
		var m probeMatches
		if err := xml.Unmarshal(b, &m); err != nil || len(m.Matches) != 1 || m.Matches[0].XAddrs != want {
			t.Errorf("%q: %v %+v, want %s", form, err, m, want)
		}
		if form == XAddrsNone && bytes.Contains(b, []byte("XAddrs")) {
			t.Errorf("%q: %s", form, b)
		}
	}
	d := start(t, load(t, "videofavola-cubo"), Options{Quirks: Quirks{Discovery: DiscoveryQuirks{XAddrs: XAddrsNoPath}}})
	if status, _ := ask(t, d, "/", "", op(nsDevice, "GetScopes", "")); status != 200 {
		t.Errorf("the address without a path: HTTP %d", status)
	}
}

// TestProbeMatchQuirks looks at one ProbeMatch of each quirk.
func TestProbeMatchQuirks(t *testing.T) {
	plain, _ := probed(t, DiscoveryQuirks{})
	for name, tc := range map[string]struct {
		q  DiscoveryQuirks
		is func(b []byte) bool
	}{
		"no metadata version": {DiscoveryQuirks{NoMetadataVersion: true}, func(b []byte) bool { return !bytes.Contains(b, []byte("MetadataVersion")) }},
		"second address": {DiscoveryQuirks{HeaderAddress: true}, func(b []byte) bool {
			at := texts(b, "Address")
			return len(at) == 2 && !strings.HasPrefix(at[0], "urn:uuid:") && strings.HasPrefix(at[1], "urn:uuid:")
		}},
		"prefix tdn": {DiscoveryQuirks{TypesPrefix: "tdn"}, func(b []byte) bool {
			return first(texts(b, "Types")) == "tdn:NetworkVideoTransmitter tds:Device" && bytes.Contains(b, []byte(`xmlns:tdn="`+nsNetwork+`"`))
		}},
		"undeclared prefix": {DiscoveryQuirks{UndeclaredPrefix: true}, func(b []byte) bool {
			return bytes.Contains(b, []byte("<a:Address>")) && !bytes.Contains(b, []byte("xmlns:a="))
		}},
		"newlines in scopes": {DiscoveryQuirks{NewlinesInScopes: true}, func(b []byte) bool { return strings.Count(first(texts(b, "Scopes")), "\n") > 3 }},
		"unescaped": {DiscoveryQuirks{Unescaped: true}, func(b []byte) bool {
			return bytes.Contains(b, []byte("Bar&Grill")) && xml.Unmarshal(b, new(probeMatches)) != nil
		}},
		"ISO-8859-1": {DiscoveryQuirks{Latin1: true}, func(b []byte) bool {
			return !utf8.Valid(b) && bytes.Contains(b, []byte("perch\xe8")) && bytes.HasPrefix(b, []byte(`<?xml version="1.0" encoding="ISO-8859-1"?>`))
		}},
		"empty datagram first": {DiscoveryQuirks{EmptyFirst: true}, func(b []byte) bool { return len(b) == 0 }},
		"over 8192 bytes": {DiscoveryQuirks{Padded: 9000}, func(b []byte) bool {
			return len(b) > 9000 && xml.Unmarshal(b, new(probeMatches)) == nil
		}},
		"not over a datagram": {DiscoveryQuirks{Padded: 1 << 20}, func(b []byte) bool { return len(b) > 60000 }},
	} {
		if tc.is(plain) {
			t.Errorf("%s: also without the quirk", name)
		}
		if b, _ := probed(t, tc.q); !tc.is(b) {
			t.Errorf("%s: %.2000q", name, b)
		}
	}
}

func TestProbeManners(t *testing.T) {
	c := load(t, "videofavola-cubo")
	t.Run("then other XAddrs", func(t *testing.T) {
		host := ownHost()
		d := start(t, c, Options{Host: host, Interface: "lo", Quirks: Quirks{Discovery: DiscoveryQuirks{ThenXAddrs: "http://192.0.2.7:{port}/x"}}})
		p := newProber(t, host)
		p.probe("urn:uuid:1", "")
		one, two := p.reply(), p.reply()
		if one.Matches[0].XAddrs != d.URL() || two.Matches[0].XAddrs != fmt.Sprintf("http://192.0.2.7:%d/x", d.Address().Port()) || one.Matches[0].Endpoint != two.Matches[0].Endpoint {
			t.Errorf("%+v, %+v", one, two)
		}
	})
	t.Run("from another interface", func(t *testing.T) {
		host, other := ownHost(), ownHost()
		d := start(t, c, Options{Host: host, Interface: "lo", Quirks: Quirks{Discovery: DiscoveryQuirks{From: other}}})
		p := newProber(t, host, other)
		p.probe("urn:uuid:1", "")
		if m := p.reply(); m.from.Addr().String() != other || m.Matches[0].XAddrs != d.URL() {
			t.Errorf("%+v from %s", m, m.from)
		}
		conn, err := net.Dial("tcp", net.JoinHostPort(other, fmt.Sprint(d.Address().Port())))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	})
	t.Run("only without newlines", func(t *testing.T) {
		host := ownHost()
		start(t, c, Options{Host: host, Interface: "lo", Quirks: Quirks{Discovery: DiscoveryQuirks{OneLine: true}}})
		p := newProber(t, host)
		p.probe("urn:uuid:1", "\n")
		p.probe("urn:uuid:2", "")
		if m := p.reply(); m.RelatesTo != "urn:uuid:2" {
			t.Errorf("answered %s", m.RelatesTo)
		}
	})
	t.Run("flood", func(t *testing.T) {
		const forged = 40 // a loopback socket holds that many
		host := ownHost()
		d := start(t, c, Options{Host: host, Interface: "lo", Quirks: Quirks{Discovery: DiscoveryQuirks{Flood: forged}}})
		p := newProber(t, host)
		p.probe("urn:uuid:1", "")
		seen := map[string]bool{}
		for range forged {
			m := p.reply()
			seen[m.Matches[0].Endpoint] = true
			if !strings.HasPrefix(m.Matches[0].XAddrs, "http://198.51.100.") || m.RelatesTo != "urn:uuid:1" {
				t.Fatalf("%+v", m)
			}
		}
		if m := p.reply(); len(seen) != forged || m.Matches[0].XAddrs != d.URL() {
			t.Errorf("%d endpoints, then %+v", len(seen), m)
		}
		p.probe("urn:uuid:2", "")
		if m := p.reply(); m.RelatesTo != "urn:uuid:2" || m.Matches[0].XAddrs != d.URL() {
			t.Errorf("flooded again: %+v", m)
		}
	})
}

// TestUnicastProbe: a probe to the device alone is answered, over IPv6 too,
// unless the device is one that does not.
func TestUnicastProbe(t *testing.T) {
	c := load(t, "videofavola-cubo")
	host, deaf := ownHost(), ownHost()
	start(t, c, Options{Host: host, Interface: "lo"})
	start(t, c, Options{Host: deaf, Interface: "lo", Quirks: Quirks{Discovery: DiscoveryQuirks{NoUnicast: true}}})
	p := newProber(t, host, deaf)
	for i, to := range []string{deaf, host} {
		p.sendTo(net.UDPAddr{IP: net.ParseIP(to), Port: 3702}, probeText(fmt.Sprint("urn:uuid:", i), typesNVT))
	}
	if m := p.reply(); m.RelatesTo != "urn:uuid:1" || m.from.String() != host+":3702" {
		t.Errorf("%+v from %s", m, m.from)
	}
	p.probe("urn:uuid:2", "")
	got := map[string]bool{}
	for range 2 {
		got[p.reply().from.Addr().String()] = true
	}
	if !got[deaf] {
		t.Error("the device that ignores probes to itself ignores those to the group")
	}

	six := start(t, c, Options{Host: "::1", Interface: "lo"})
	conn, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	if err != nil {
		t.Fatal(err)
	}
	p = &prober{t, conn, []string{"::1"}}
	t.Cleanup(func() { _ = conn.Close() })
	p.sendTo(net.UDPAddr{IP: net.IPv6loopback, Port: 3702}, probeText("urn:uuid:6", ""))
	if m := p.reply(); m.RelatesTo != "urn:uuid:6" || m.Matches[0].XAddrs != six.URL() || !strings.HasPrefix(six.URL(), "http://[::1]:") {
		t.Errorf("%+v, want %s", m, six.URL())
	}
}

// TestHelloBye: a listener on lo hears both, as a service hears them.
func TestHelloBye(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenMulticastUDP("udp4", lo, &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 3702})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	host := ownHost()
	d := start(t, load(t, "videofavola-cubo"), Options{Host: host, Interface: "lo", Endpoint: "urn:uuid:greeter"})
	p := &prober{t, conn, []string{host}}
	for _, tc := range []struct {
		kind string
		send func() error
	}{{"Hello", d.Hello}, {"Bye", d.Bye}} {
		if err := tc.send(); err != nil {
			t.Fatal(err)
		}
		b, from := p.datagram()
		var m struct {
			Action string `xml:"Header>Action"`
			Body   struct {
				Said struct {
					XMLName  xml.Name
					Endpoint string `xml:"EndpointReference>Address"`
					XAddrs   string
				} `xml:",any"`
			}
		}
		want := d.URL()
		if tc.kind == "Bye" {
			want = ""
		}
		if err := xml.Unmarshal(b, &m); err != nil || m.Action != nsDiscovery+"/"+tc.kind || m.Body.Said.XMLName != (xml.Name{Space: nsDiscovery, Local: tc.kind}) ||
			m.Body.Said.Endpoint != "urn:uuid:greeter" || m.Body.Said.XAddrs != want || from.Port() != 3702 {
			t.Errorf("%s: %v %+v from %s: %s", tc.kind, err, m, from, b)
		}
	}
	if err := start(t, load(t, "videofavola-cubo"), Options{}).Hello(); err == nil {
		t.Error("a device on no interface says hello")
	}
}
