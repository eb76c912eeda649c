package discover

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/grandcat/zeroconf"
)

// match is an answer as most devices write it.
func match(relatesTo, endpoint, xaddrs string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<s:Header><a:MessageID>urn:uuid:0</a:MessageID><a:RelatesTo>%s</a:RelatesTo><a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo></s:Header>
<s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>%s</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/Test
 onvif://www.onvif.org/type/ptz</d:Scopes><d:XAddrs>%s</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`, relatesTo, endpoint, xaddrs)
}

// FuzzReadMatches reads any datagram: no panic, and nothing beyond the limits.
func FuzzReadMatches(f *testing.F) {
	good := match("urn:uuid:1", "urn:uuid:33333333-0000-4000-8000-000000000001", "http://192.168.2.57/onvif/device_service https://192.168.2.57/onvif/device_service")
	f.Add([]byte(good))
	f.Add([]byte(strings.ReplaceAll(good, "xmlns:", "x")))
	f.Add([]byte(""))
	f.Add([]byte("<d:ProbeMatch/>"))
	for _, s := range recordedLAN() {
		f.Add([]byte(match("1", s.Endpoint, strings.Join(s.XAddrs, " "))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, found, err := readMatches(b)
		if err != nil {
			return
		}
		if len(found) == 0 || len(found) > maxMatches {
			t.Errorf("%d devices and no error", len(found))
		}
		for _, s := range found {
			s = s.addressed(netip.MustParseAddr("10.0.0.1"))
			u := s.Service()
			if s.Address.Port() == 0 || u.Hostname() != "10.0.0.1" || u.Path == "" || len(s.Scopes) > maxTexts || len(s.Endpoint) > maxText {
				t.Errorf("%+v, service %s", s, u)
			}
		}
	})
}

func FuzzUnmarshal(f *testing.F) {
	for _, s := range untrustedSamples {
		f.Add([]byte(s.xml))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v sample
		_ = Unmarshal(b, &v)
	})
}

// FuzzReadAnnouncement reads any Hello or Bye.
func FuzzReadAnnouncement(f *testing.F) {
	f.Add([]byte(announce("Hello", "urn:uuid:1", "http://192.168.2.57/onvif/device_service")))
	f.Add([]byte(announce("Bye", "urn:uuid:1", "")))
	f.Add([]byte("<Envelope><Body><Hello/><Bye/></Body></Envelope>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		hello, bye, err := readAnnouncement(b)
		if n := map[bool]int{true: 1}; n[hello != nil]+n[bye != ""]+n[err != nil] != 1 {
			t.Errorf("%+v, %q, %v", hello, bye, err)
		}
		if len(bye) > maxText || hello != nil && (hello.Endpoint == "" || hello.addressed(testHost).Address.Port() == 0) {
			t.Errorf("%+v, %q", hello, bye)
		}
	})
}

// checkClaims are what the readers of the makers' searches promise.
func checkClaims(t *testing.T, s Sighting) {
	t.Helper()
	if s.Address.Addr() != testHost || s.Address.Port() == 0 || s.Service().Hostname() != testHost.String() {
		t.Errorf("on another host: %+v", s)
	}
	for _, c := range []string{s.Vendor, s.Model, s.Serial, s.MAC} {
		if len(c) > maxText || strings.ContainsAny(c, "\r\n\t\x00") || !utf8.ValidString(c) {
			t.Errorf("%q", c)
		}
	}
}

func FuzzReadSADP(f *testing.F) {
	f.Add([]byte(sadpAnswer("A", "80")))
	f.Add((&sadp{}).questions()[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, s, err := readSADP(b, testHost); err == nil {
			checkClaims(t, s)
		}
	})
}

func FuzzReadDHDiscover(f *testing.F) {
	f.Add([]byte(dhAnswerText(dhInfo)))
	f.Add(dhdiscover{}.questions()[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := readDHDiscover(b, testHost); err == nil {
			checkClaims(t, s)
		}
	})
}

func FuzzReadSSDP(f *testing.F) {
	f.Add([]byte(ssdpAnswer("http://10.0.0.7:49152/d.xml")))
	f.Add(newSSDP().questions()[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		if u, err := readSSDP(b, testHost); err == nil && (u.Scheme != "http" || u.Hostname() != testHost.String() || u.User != nil || u.Port() == "0") {
			t.Errorf("%v would be fetched", u)
		}
	})
}

func FuzzReadDescription(f *testing.F) {
	f.Add([]byte(upnpDescription("AXIS", "M1065", "http://10.0.0.7:8080/")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := readDescription(b, testHost); err == nil {
			checkClaims(t, s)
		}
	})
}

// FuzzMDNSSighting converts any entry that the resolver may give.
func FuzzMDNSSighting(f *testing.F) {
	f.Add(80, "vendor=Synology", []byte{10, 0, 0, 7}, []byte(net.ParseIP("fe80::7")), uint8(4))
	f.Add(-1, "macaddress", []byte{}, []byte{1}, uint8(0))
	on := []link{{Interface: net.Interface{Index: 1, Name: "eth0"}, prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fe80::1/64")}}}
	f.Fuzz(func(t *testing.T, port int, txt string, four, six []byte, service uint8) {
		e := &zeroconf.ServiceEntry{Port: port, Text: strings.Split(txt, ","), AddrIPv4: []net.IP{four}, AddrIPv6: []net.IP{six}}
		s, ok := mdnsSighting(e, int(service)%len(mdnsServices), on)
		if ok && (!on[0].believes(s.Address.Addr()) || s.Address.Port() == 0 || s.Interface != "eth0" || len(s.MAC) > maxText || len(s.Methods) != 1) {
			t.Errorf("%+v", s)
		}
	})
}

// recordedLAN reads the recorded search of one real LAN, if it is there.
func recordedLAN() (all []Sighting) {
	shared := os.Getenv("ANAGRAFE_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	text, err := os.ReadFile(filepath.Join(shared, "devices", "onvif", "discovery_raw.log"))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "Endpoint: "); ok {
			all = append(all, Sighting{Endpoint: v})
		} else if v, ok := strings.CutPrefix(line, "XAddr: "); ok && len(all) > 0 {
			s := &all[len(all)-1]
			s.XAddrs = append(s.XAddrs, v)
		}
	}
	return all
}
