package cameratest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// descriptionPath is where the UPnP description of a device is.
const descriptionPath = "/upnp/description.xml"

// searchGroup is where SSDP sends its searches (UPnP Device Architecture 1.1,
// section 1.3.2).
var searchGroup = net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 1900}

// basicDevice is the type under which cameras and recorders are seen to
// announce themselves.
const basicDevice = "urn:schemas-upnp-org:device:Basic:1"

// answerSearches starts to answer the searches of SSDP, over IPv4, at once and
// not within the MX seconds that a device may take.
func (d *Device) answerSearches() error {
	if !d.o.SSDP || d.o.Interface == "" {
		return nil
	}
	ifi, err := net.InterfaceByName(d.o.Interface)
	if err != nil {
		return fmt.Errorf("answer SSDP on %s: %w", d.o.Interface, err)
	}
	if !d.address.Addr().Is4() {
		return fmt.Errorf("answer SSDP on %s: over IPv4 only, and the device is at %s", d.o.Interface, d.address.Addr())
	}
	in, err := hear(ifi, searchGroup)
	if err != nil {
		return fmt.Errorf("answer SSDP on %s: %w", d.o.Interface, err)
	}
	d.closers = append(d.closers, func() { _ = in.conn.Close() })
	out, err := d.speaker(context.Background(), ifi, netip.AddrPortFrom(d.address.Addr(), 0))
	if err != nil {
		return fmt.Errorf("answer SSDP on %s: %w", d.o.Interface, err)
	}
	d.running.Go(func() {
		buf := make([]byte, maxProbe)
		for {
			n, from, err := in.read(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if target := searched(buf[:n]); err == nil && slices.Contains([]string{"ssdp:all", "upnp:rootdevice", basicDevice, d.udn()}, target) {
				_, _ = out.WriteTo(d.found(target), from) // an error is that of one that went away
			}
		}
	})
	return nil
}

// searched is the target of a search, "" if it is none.
func searched(b []byte) string {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil || r.Method != "M-SEARCH" || r.Header.Get("MAN") != `"ssdp:discover"` {
		return ""
	}
	return r.Header.Get("ST")
}

// found is the answer to a search (section 1.3.3).
func (d *Device) found(target string) []byte {
	name := target
	if target == "ssdp:all" {
		name = "upnp:rootdevice"
	}
	usn := d.udn() + "::" + name
	if name == d.udn() {
		usn = name
	}
	u := url.URL{Scheme: d.scheme(), Host: d.address.String(), Path: descriptionPath}
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT:\r\nLOCATION: %s\r\nSERVER: Linux/4.9 UPnP/1.0 camera/1.0\r\nST: %s\r\nUSN: %s\r\n\r\n", u.String(), name, usn)
}

// udn is the unique device name: the endpoint reference without its scheme urn.
func (d *Device) udn() string { return strings.TrimPrefix(d.o.Endpoint, "urn:") }

// description is that of section 2.3, with what a reader of it may want.
func (d *Device) description() []byte {
	serial := ""
	for _, a := range d.answers {
		if a.Operation == "GetDeviceInformation" && a.Status == 200 {
			serial = first(texts(a.Body, "SerialNumber"))
		}
	}
	maker, model, shown := d.c.Maker, d.c.Model, d.address
	if d.web != nil && d.web.file.SSDP != nil {
		s := d.web.file.SSDP
		maker, model = cmp.Or(s.Manufacturer, maker), cmp.Or(s.Model, model)
		shown = netip.AddrPortFrom(shown.Addr(), cmp.Or(s.Port, shown.Port()))
	}
	u := url.URL{Scheme: d.scheme(), Host: shown.String(), Path: "/"}
	return fmt.Appendf(nil, `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>`+
		`<device><deviceType>%s</deviceType><friendlyName>%s</friendlyName><manufacturer>%s</manufacturer><modelName>%s</modelName>`+
		`<serialNumber>%s</serialNumber><UDN>%s</UDN><presentationURL>%s</presentationURL></device></root>`,
		basicDevice, escape(d.o.Name), escape(maker), escape(model), escape(serial), escape(d.udn()), escape(u.String()))
}
