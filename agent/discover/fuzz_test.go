package discover

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
