package cameratest

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/net/ipv4"
)

const (
	nsNetwork    = "http://www.onvif.org/ver10/network/wsdl"
	nsAddressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
	nsDiscovery  = "http://schemas.xmlsoap.org/ws/2005/04/discovery"

	// maxProbe is the largest UDP datagram.
	maxProbe = 64 << 10
)

// discoveryGroup is where WS-Discovery 1.0 sends its probes.
var discoveryGroup = net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 3702}

// respond starts to answer probes on the device's interface, if it has one.
//
// Each device joins the group with a socket of its own, as many devices on one
// host must, and answers from the device's own address. The kernel hands a
// datagram of the group to every socket on that port, whichever interface it
// came in on, hence the check of the interface.
func (d *Device) respond(ctx context.Context) error {
	if d.o.Interface == "" || len(d.o.AnswerTo) == 0 {
		return nil
	}
	if !d.address.Addr().Is4() {
		return fmt.Errorf("answer probes on %s: the responder speaks IPv4 only, and the device is at %s", d.o.Interface, d.address.Addr())
	}
	ifi, err := net.InterfaceByName(d.o.Interface)
	if err != nil {
		return fmt.Errorf("answer probes on %s: %w", d.o.Interface, err)
	}
	in, err := net.ListenMulticastUDP("udp4", ifi, &discoveryGroup)
	if err != nil {
		return fmt.Errorf("answer probes on %s: %w (does another program hold UDP port 3702 for itself?)", d.o.Interface, err)
	}
	d.closers = append(d.closers, func() { _ = in.Close() })
	p := ipv4.NewPacketConn(in)
	if err := p.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true); err != nil {
		return fmt.Errorf("answer probes on %s: %w", d.o.Interface, err)
	}
	send := func(b []byte, to net.Addr) error {
		_, err := p.WriteTo(b, &ipv4.ControlMessage{Src: d.address.Addr().AsSlice(), IfIndex: ifi.Index}, to)
		return err
	}
	if d.o.Quirks.EphemeralPort {
		out, err := net.ListenUDP("udp4", &net.UDPAddr{IP: d.address.Addr().AsSlice()})
		if err != nil {
			return fmt.Errorf("answer probes on %s: %w", d.o.Interface, err)
		}
		d.closers = append(d.closers, func() { _ = out.Close() })
		send = func(b []byte, to net.Addr) error {
			_, err := out.WriteTo(b, to)
			return err
		}
	}
	d.running.Go(func() { d.listen(ctx, p, ifi.Index, send) })
	return nil
}

// listen answers until the socket is closed.
func (d *Device) listen(ctx context.Context, p *ipv4.PacketConn, ifIndex int, send func([]byte, net.Addr) error) {
	buf := make([]byte, maxProbe)
	for {
		n, cm, from, err := p.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		if err != nil || cm == nil || cm.IfIndex != ifIndex || !cm.Dst.Equal(discoveryGroup.IP) && !cm.Dst.Equal(d.address.Addr().AsSlice()) {
			continue
		}
		probe, err := readProbe(buf[:n])
		if err != nil {
			continue // another's answer, or nothing for us
		}
		if !d.wants(probe) {
			continue
		}
		if d.o.Quirks.SlowProbe == 0 {
			d.match(probe, from, send)
			continue
		}
		d.running.Go(func() { // listen itself is counted, so this cannot come after Wait
			if pause(ctx, d.o.Quirks.SlowProbe) {
				d.match(probe, from, send)
			}
		})
	}
}

// wants notes the probe, and tells if the device answers one of these types.
func (d *Device) wants(p probe) bool {
	types := p.types
	if len(types) == 0 {
		types = []string{ProbeUntyped}
	}
	d.mu.Lock()
	d.probes = append(d.probes, types...)
	d.mu.Unlock()
	for _, t := range types {
		if !slices.Contains(d.o.AnswerTo, t) {
			return false // a device matches only if it has every type that was named
		}
	}
	return true
}

// match sends the ProbeMatch, or what the quirks want in its place. An error in
// sending is that of a prober that went away.
func (d *Device) match(p probe, to net.Addr, send func([]byte, net.Addr) error) {
	good := d.probeMatch(p.id)
	messages := [][]byte{good}
	if d.o.Quirks.GarbageProbeMatch {
		noXAddrs := bytes.Replace(good, []byte(d.xaddrs()), nil, 1)
		badXAddrs := bytes.Replace(good, []byte(d.xaddrs()), []byte("onvif"), 1)
		messages = [][]byte{{}, []byte("HELLO\x00\xff\xfe"), good[:len(good)/2], noXAddrs, badXAddrs, []byte(xml.Header)}
	}
	if d.o.Quirks.AnswersTwice {
		messages = append(messages, messages...)
	}
	for _, m := range messages {
		_ = send(m, to)
	}
}

func (d *Device) xaddrs() string {
	if d.o.XAddrs == nil {
		return d.URL()
	}
	fill := strings.NewReplacer("{host}", d.address.Addr().String(), "{port}", strconv.Itoa(int(d.address.Port())))
	return fill.Replace(strings.Join(d.o.XAddrs, " "))
}

// probeMatch is the answer to the probe with that message id.
func (d *Device) probeMatch(relatesTo string) []byte {
	esc := func(s string) string {
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
		return b.String()
	}
	return fmt.Appendf(nil, xml.Header+
		`<s:Envelope xmlns:s="%s" xmlns:a="%s" xmlns:d="%s" xmlns:dn="%s" xmlns:tds="%s"><s:Header>`+
		`<a:MessageID>urn:uuid:%s</a:MessageID><a:RelatesTo>%s</a:RelatesTo>`+
		`<a:To>%s/role/anonymous</a:To><a:Action>%s/ProbeMatches</a:Action>`+
		`<d:AppSequence InstanceId="1" MessageNumber="1"/></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>`+
		`<a:EndpointReference><a:Address>%s</a:Address></a:EndpointReference>`+
		`<d:Types>%s</d:Types><d:Scopes>%s</d:Scopes><d:XAddrs>%s</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>`+
		`</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`,
		nsEnvelope, nsAddressing, nsDiscovery, nsNetwork, nsDevice,
		uuid.NewString(), esc(relatesTo), nsAddressing, nsDiscovery,
		esc(d.o.Endpoint), esc(strings.Join(d.o.Types, " ")), esc(strings.Join(d.o.Scopes, " ")), esc(d.xaddrs()))
}

// probe is a WS-Discovery probe: its message id, and the local names of the
// types it asks for, those of a foreign namespace in the form {namespace}name.
type probe struct {
	id    string
	types []string
}

var errNoProbe = errors.New("not a WS-Discovery probe")

// readProbe reads a datagram. The prefixes of types are resolved by the
// namespaces declared anywhere above them.
func readProbe(b []byte) (probe, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	declared := map[string]string{}
	var p probe
	var path []string
	found := false
	for {
		t, err := d.Token()
		if err != nil {
			if found && p.id != "" {
				return p, nil
			}
			return probe{}, errNoProbe
		}
		switch t := t.(type) {
		case xml.StartElement:
			for _, a := range t.Attr {
				if a.Name.Space == "xmlns" {
					declared[a.Name.Local] = a.Value
				}
			}
			path = append(path, t.Name.Local)
			found = found || len(path) == 3 && t.Name.Local == "Probe" && t.Name.Space == nsDiscovery
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			switch strings.Join(path, "/") {
			case "Envelope/Header/MessageID":
				p.id = strings.TrimSpace(string(t))
			case "Envelope/Body/Probe/Types":
				for _, name := range strings.Fields(string(t)) {
					p.types = append(p.types, typeName(name, declared))
				}
			}
		}
	}
}

// typeName gives NetworkVideoTransmitter and Device of their own namespaces by
// name alone, any other with its namespace.
func typeName(qname string, declared map[string]string) string {
	prefix, name, ok := strings.Cut(qname, ":")
	if !ok {
		return "{}" + qname
	}
	switch space := declared[prefix]; {
	case space == nsNetwork && name == ProbeNVT, space == nsDevice && name == ProbeDevice:
		return name
	default:
		return "{" + space + "}" + name
	}
}
