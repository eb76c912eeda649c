package cameratest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
)

const (
	nsNetwork    = "http://www.onvif.org/ver10/network/wsdl"
	nsAddressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
	nsDiscovery  = "http://schemas.xmlsoap.org/ws/2005/04/discovery"

	// maxProbe is the largest UDP datagram.
	maxProbe = 64 << 10
)

// Where WS-Discovery 1.0 sends its probes.
var (
	discoveryGroup  = net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 3702}
	discoveryGroup6 = net.UDPAddr{IP: net.ParseIP("ff02::c"), Port: 3702}
)

// respond starts to answer probes on the device's interface, if it has one: those
// to the group, and those to its own address alone. Of several devices with one
// address only one gets the latter.
func (d *Device) respond(ctx context.Context) error {
	if d.o.Interface == "" || d.paths == nil {
		return nil
	}
	ifi, err := net.InterfaceByName(d.o.Interface)
	if err != nil {
		return fmt.Errorf("answer probes on %s: %w", d.o.Interface, err)
	}
	own := netip.AddrPortFrom(d.address.Addr(), uint16(discoveryGroup.Port))
	d.group = discoveryGroup
	if own.Addr().Is6() {
		d.group = discoveryGroup6
		d.group.Zone = ifi.Name
	}
	direct, err := d.speaker(ctx, ifi, own)
	if err != nil {
		return fmt.Errorf("answer probes on %s: %w", d.o.Interface, err)
	}
	d.voice = direct
	from := own
	if other := d.o.Quirks.Discovery.From; other != "" {
		a, err := netip.ParseAddr(other)
		if err != nil {
			return fmt.Errorf("answer probes from %s: %w", other, err)
		}
		from = netip.AddrPortFrom(a, from.Port())
	}
	if d.o.Quirks.EphemeralPort {
		from = netip.AddrPortFrom(from.Addr(), 0)
	}
	if from != own {
		if d.voice, err = d.speaker(ctx, ifi, from); err != nil {
			return fmt.Errorf("answer probes on %s: %w", d.o.Interface, err)
		}
	}
	if len(d.o.AnswerTo) == 0 {
		return nil
	}
	in, err := hear(ifi, d.group)
	if err != nil {
		return fmt.Errorf("answer probes on %s: %w", d.o.Interface, err)
	}
	d.closers = append(d.closers, func() { _ = in.conn.Close() })
	d.running.Go(func() { d.listen(ctx, in.read) })
	if !d.o.Quirks.Discovery.NoUnicast {
		d.running.Go(func() { d.listen(ctx, direct.ReadFrom) })
	}
	return nil
}

// speaker is one that ends with the device.
func (d *Device) speaker(ctx context.Context, ifi *net.Interface, from netip.AddrPort) (*net.UDPConn, error) {
	conn, err := speaker(ctx, ifi, from)
	if err == nil {
		d.closers = append(d.closers, func() { _ = conn.Close() })
	}
	return conn, err
}

// listen answers until the socket is closed.
func (d *Device) listen(ctx context.Context, read func([]byte) (int, net.Addr, error)) {
	buf := make([]byte, maxProbe)
	for {
		n, from, err := read(buf)
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		if err != nil || n == 0 || d.o.Quirks.Discovery.OneLine && bytes.ContainsAny(buf[:n], "\r\n") {
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
			d.match(ctx, probe, from)
			continue
		}
		d.running.Go(func() { // listen itself is counted, so this cannot come after Wait
			if pause(ctx, d.o.Quirks.SlowProbe) {
				d.match(ctx, probe, from)
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
func (d *Device) match(ctx context.Context, p probe, to net.Addr) {
	q := d.o.Quirks
	if q.Discovery.Flood > 0 && d.flooded.CompareAndSwap(false, true) {
		d.flood(ctx, p.id, to)
	}
	good := d.announcement(sayMatches, p.id, d.xaddrs())
	messages := [][]byte{good}
	if q.GarbageProbeMatch {
		noXAddrs := bytes.Replace(good, []byte(d.xaddrs()), nil, 1)
		badXAddrs := bytes.Replace(good, []byte(d.xaddrs()), []byte("onvif"), 1)
		messages = [][]byte{{}, []byte("HELLO\x00\xff\xfe"), good[:len(good)/2], noXAddrs, badXAddrs, []byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")}
	}
	if q.AnswersTwice {
		messages = append(messages, messages...)
	}
	if q.Discovery.ThenXAddrs != "" {
		messages = append(messages, d.announcement(sayMatches, p.id, d.fill(q.Discovery.ThenXAddrs)))
	}
	for _, m := range messages {
		if q.Discovery.EmptyFirst {
			_, _ = d.voice.WriteTo(nil, to)
		}
		_, _ = d.voice.WriteTo(m, to)
	}
}

// flood sends the forged ProbeMatches. It can only forge what they say, not
// where they come from.
func (d *Device) flood(ctx context.Context, relatesTo string, to net.Addr) {
	for i := range d.o.Quirks.Discovery.Flood {
		if ctx.Err() != nil {
			return
		}
		m := fmt.Appendf(nil, `<s:Envelope xmlns:s="%s" xmlns:a="%s" xmlns:d="%s" xmlns:dn="%s"><s:Header><a:RelatesTo>%s</a:RelatesTo>`+
			`<a:Action>%s/ProbeMatches</a:Action></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:00000000-0000-4000-8000-%012x</a:Address></a:EndpointReference>`+
			`<d:Types>dn:NetworkVideoTransmitter</d:Types><d:XAddrs>http://198.51.100.%d/onvif/device_service</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>`+
			`</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`,
			nsEnvelope, nsAddressing, nsDiscovery, nsNetwork, escape(relatesTo), nsDiscovery, i, 1+i%254)
		_, _ = d.voice.WriteTo(m, to)
	}
}

// Hello announces the device by multicast on its interface, as one does that was
// just switched on.
func (d *Device) Hello() error { return d.call(sayHello) }

// Bye takes leave by multicast on its interface; the device goes on to answer.
func (d *Device) Bye() error { return d.call(sayBye) }

func (d *Device) call(kind string) error {
	if d.voice == nil {
		return fmt.Errorf("send %s of %s: the device is on no interface", kind, d.o.Name)
	}
	if _, err := d.voice.WriteTo(d.announcement(kind, "", d.xaddrs()), &d.group); err != nil {
		return fmt.Errorf("send %s of %s: %w", kind, d.o.Name, err)
	}
	return nil
}
