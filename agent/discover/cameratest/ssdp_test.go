package cameratest

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"testing"
)

// TestSSDP: a search is answered with the place of a description that says what
// the device is.
func TestSSDP(t *testing.T) {
	host, silent := ownHost(), ownHost()
	d := start(t, load(t, "videofavola-cubo"), Options{Name: "Bar & Grill", Host: host, Interface: "lo", SSDP: true})
	start(t, load(t, "videofavola-cubo"), Options{Host: silent, Interface: "lo"})
	p := newProber(t, host, silent)
	search := func(man, target string) {
		p.sendTo(net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 1900},
			fmt.Sprintf("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: %q\r\nMX: 1\r\nST: %s\r\n\r\n", man, target))
	}
	p.sendTo(net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 1900}, "nonsense")
	search("ssdp:other", "ssdp:all")
	search("ssdp:discover", "urn:schemas-upnp-org:device:Printer:1")
	for target, want := range map[string]string{"ssdp:all": "upnp:rootdevice", "upnp:rootdevice": "upnp:rootdevice", basicDevice: basicDevice, d.udn(): d.udn()} {
		search("ssdp:discover", target)
		b, from := p.datagram()
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
		if err != nil {
			t.Fatalf("%v in %q", err, b)
		}
		usn := d.udn() + "::" + want
		if want == d.udn() {
			usn = want
		}
		h := resp.Header
		if resp.StatusCode != 200 || h.Get("ST") != want || h.Get("USN") != usn || from.Addr().String() != host || h.Get("Location") != "http://"+d.Address().String()+descriptionPath {
			t.Errorf("search for %s: %v from %s", target, h, from)
		}
	}
	resp, err := http.Get("http://" + d.Address().String() + descriptionPath)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var m struct {
		XMLName xml.Name `xml:"urn:schemas-upnp-org:device-1-0 root"`
		Device  struct {
			Type  string `xml:"deviceType"`
			Name  string `xml:"friendlyName"`
			Maker string `xml:"manufacturer"`
			UDN   string
		} `xml:"device"`
	}
	if err := xml.NewDecoder(resp.Body).Decode(&m); err != nil || m.Device.Type != basicDevice || m.Device.Name != "Bar & Grill" || m.Device.Maker != d.conversation().Maker || m.Device.UDN != d.udn() {
		t.Errorf("description %+v, %v", m, err)
	}
}
