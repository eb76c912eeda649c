package discover

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

func at(address string, methods ...Method) Sighting {
	return Sighting{Address: netip.MustParseAddrPort(address), Methods: methods}
}

func named(s Sighting, endpoint string, xaddrs ...string) Sighting {
	s.Endpoint, s.XAddrs = endpoint, xaddrs
	return s
}

// TestMerge says what is one device, whatever comes first.
func TestMerge(t *testing.T) {
	camera := named(at("10.0.0.7:8000", MethodUntyped), "urn:uuid:1", "http://10.0.0.7:8000/onvif")
	other := named(at("10.0.0.7:8001", MethodUntyped), "urn:uuid:2", "http://10.0.0.7:8001/onvif")
	for _, c := range []struct {
		name string
		in   []Sighting
		want string // address key, of each
	}{
		{"all ways at once", []Sighting{camera, at("10.0.0.7:80", MethodSADP), at("10.0.0.7:8080", MethodMDNS+"_http._tcp"),
			at("10.0.0.7:80", MethodSSDP), at("10.0.0.7:8081", MethodDHDiscover), at("10.0.0.7:80", MethodTarget)},
			"10.0.0.7:8000 urn:uuid:1"},
		{"several devices on one host, and one of them by its port", []Sighting{camera, other, at("10.0.0.7:8001", MethodSADP)}, "10.0.0.7:8000 urn:uuid:1, 10.0.0.7:8001 urn:uuid:2"},
		{"several on one host, none of them surely", []Sighting{camera, other, at("10.0.0.7:85", MethodSADP)}, "10.0.0.7:85 10.0.0.7:85, 10.0.0.7:8000 urn:uuid:1, 10.0.0.7:8001 urn:uuid:2"},
		{"a port that the owner typed is no guess", []Sighting{camera, at("10.0.0.7:9000", MethodTarget)}, "10.0.0.7:8000 urn:uuid:1, 10.0.0.7:9000 10.0.0.7:9000"},
		{"by IPv4 and IPv6", []Sighting{camera, named(at("[fe80::7%eth0]:8000", MethodUntyped), "urn:uuid:1", "http://[fe80::7]:8000/onvif")}, "10.0.0.7:8000 urn:uuid:1"},
		{"who repeats the endpoint of a camera", []Sighting{camera,
			named(at("10.0.0.66:9999", MethodUntyped), "urn:uuid:1", "http://10.0.0.7:9999/steal", "http://10.0.0.7:8000/steal")}, "10.0.0.7:8000 urn:uuid:1"},
		{"who does so with a camera that names no address", []Sighting{named(at("10.0.0.7:80", MethodUntyped), "urn:uuid:1"),
			named(at("10.0.0.66:9999", MethodUntyped), "urn:uuid:1", "http://10.0.0.66:9999/steal")}, "10.0.0.7:80 urn:uuid:1"},
		{"who does so with one that names a wrong host", []Sighting{named(at("10.0.0.7:8000", MethodUntyped), "urn:uuid:1",
			"http://192.168.1.64:8000/onvif"), named(at("10.0.0.66:80", MethodUntyped), "urn:uuid:1", "http://10.0.0.7:8000/steal")}, "10.0.0.7:8000 urn:uuid:1"},
		{"seen without endpoint on its second address", []Sighting{at("10.0.0.8:80", MethodTarget), camera,
			named(at("10.0.0.8:8000", MethodUntyped), "urn:uuid:1", "http://10.0.0.8:8000/onvif")}, "10.0.0.7:8000 urn:uuid:1"},
	} {
		forward, backward := merged(c.in), c.in[len(c.in)-1:]
		for i := len(c.in) - 2; i >= 0; i-- {
			backward = append(backward[:len(backward):len(backward)], c.in[i])
		}
		if forward != c.want {
			t.Errorf("%s: %s, want %s", c.name, forward, c.want)
		}
		if got := merged(backward); got != c.want && !strings.HasPrefix(c.name, "who") && !strings.HasPrefix(c.name, "several on") && !strings.HasPrefix(c.name, "seen") {
			t.Errorf("%s, the other way round: %s, want %s", c.name, got, c.want)
		}
		for _, s := range results(c.in) {
			if strings.Contains(s.Service().String(), "steal") {
				t.Errorf("%s: it would be asked at %s", c.name, s.Service())
			}
		}
	}
}

func results(in []Sighting) []Sighting {
	found := make(chan Sighting, len(in))
	for _, s := range in {
		found <- s
	}
	close(found)
	m := &merger{}
	m.collect(found, defaultWindow)
	return m.sorted()
}

func merged(in []Sighting) string {
	var out []string
	for _, s := range results(in) {
		out = append(out, fmt.Sprint(s.Address, " ", s.Key()))
	}
	return strings.Join(out, ", ")
}

// The first call gives the number under which the device can be found afterwards.
func TestNumberStays(t *testing.T) {
	found := make(chan Sighting)
	told := make(chan int, 8)
	m := &merger{first: func(s Sighting) { told <- s.Number }}
	done := make(chan struct{})
	go func() { defer close(done); m.collect(found, 0) }()
	found <- at("10.0.0.7:80", MethodSADP)
	number := <-told
	found <- named(at("10.0.0.7:80", MethodUntyped), "urn:uuid:1", "http://10.0.0.7/onvif")
	close(found)
	<-done
	all := m.sorted()
	if len(all) != 1 || all[0].Key() != "urn:uuid:1" || all[0].Number != number || len(told) != 0 {
		t.Errorf("announced as %d, then %d more; found %+v", number, len(told), all)
	}
}

// Two announced ones that turn out to be one keep the number of the one that stays.
func TestAbsorbedNumbers(t *testing.T) {
	found, told := make(chan Sighting), make(chan int, 8)
	m := &merger{first: func(s Sighting) { told <- s.Number }}
	done := make(chan struct{})
	go func() { defer close(done); m.collect(found, 0) }()
	found <- at("10.0.0.8:80", MethodSADP)
	<-told
	found <- named(at("10.0.0.7:80", MethodUntyped), "urn:uuid:1", "http://10.0.0.7/onvif")
	number := <-told
	found <- named(at("10.0.0.8:80", MethodUntyped), "urn:uuid:1", "http://10.0.0.8/onvif")
	found <- at("10.0.0.9:80", MethodSADP)
	other := <-told
	close(found)
	<-done
	all := m.sorted()
	if len(all) != 2 || all[0].Number != number || len(all[0].Methods) != 2 || all[1].Number != other || other == number || len(told) != 0 {
		t.Errorf("announced as %d and %d, then %d more; found %+v", number, other, len(told), all)
	}
}

// What was announced at an address is not moved to another behind the caller's back.
func TestAnnouncedAddressStays(t *testing.T) {
	found, told := make(chan Sighting), make(chan Sighting, 8)
	m := &merger{first: func(s Sighting) { told <- s }}
	done := make(chan struct{})
	go func() { defer close(done); m.collect(found, 0) }()
	found <- named(at("[fe80::7%eth0]:8000", MethodUntyped), "urn:uuid:1", "http://[fe80::7]:8000/onvif")
	first := <-told
	found <- named(at("10.0.0.7:8000", MethodUntyped), "urn:uuid:1", "http://10.0.0.7:8000/onvif")
	close(found)
	<-done
	if all := m.sorted(); len(all) != 1 || all[0].Address != first.Address || len(told) != 0 {
		t.Errorf("announced at %s, found at %+v", first.Address, all)
	}
}

type countingDialect struct{ n *int }

func (countingDialect) questions() [][]byte { return nil }
func (c countingDialect) read([]byte, netip.Addr) ([]Sighting, error) {
	*c.n++
	return nil, errNoMatch
}

// What one host sends beyond its share is not even read; others are.
func TestProberBoundsAHost(t *testing.T) {
	read := 0
	p := &prober{dialect: countingDialect{&read}, log: slog.New(slog.DiscardHandler), heard: map[netip.Addr]int{},
		locate: func(netip.Addr) (string, bool) { return "eth0", true }}
	datagram := make([]byte, 1024-overhead)
	for range 10 * maxHeard / 1024 {
		p.believe(datagram, testHost)
	}
	if want := maxHeard / 1024; read != want {
		t.Errorf("%d datagrams were read, want %d", read, want)
	}
	p.believe(datagram, testHost.Next())
	if read != maxHeard/1024+1 {
		t.Error("another host was not read")
	}
	for a := testHost; len(p.heard) < maxHeardHosts; a = a.Next() {
		p.believe(nil, a)
	}
	for _, a := range []string{"10.9.9.9", "10.9.9.10", "10.9.9.11"} {
		p.believe(nil, netip.MustParseAddr(a))
	}
	if len(p.heard) != maxHeardHosts+1 {
		t.Errorf("%d hosts are counted", len(p.heard))
	}
}

// What devices say of themselves takes a bounded place, whoever they are.
func TestMergeBoundsTexts(t *testing.T) {
	var in []Sighting
	for i := range 3000 {
		s := named(at(fmt.Sprintf("10.0.%d.%d:80", i/64, i%64), MethodUntyped), fmt.Sprint("urn:uuid:", i))
		for j := range maxTexts {
			s.Scopes = append(s.Scopes, fmt.Sprint(i, " ", j, strings.Repeat("x", maxText-12)))
		}
		in = append(in, s)
	}
	found := make(chan Sighting, len(in))
	for _, s := range in {
		found <- s
	}
	close(found)
	m := &merger{}
	m.collect(found, defaultWindow)
	size := 0
	for _, e := range m.all {
		size += e.size()
	}
	if len(m.all) != len(in) || size > maxBytes+maxTexts*(maxText+16)*3 {
		t.Errorf("%d devices of %d, with %d bytes", len(m.all), len(in), size)
	}
}

func TestVague(t *testing.T) {
	for _, c := range []struct {
		methods []Method
		want    bool
	}{
		{[]Method{MethodRange}, true}, {[]Method{MethodSSDP, MethodMDNS + "_rtsp._tcp"}, true}, {[]Method{MethodMDNS + "_http._tcp"}, true},
		{[]Method{MethodRange, MethodSADP}, false}, {[]Method{MethodTarget}, false}, {[]Method{MethodMDNS + "_axis-video._tcp"}, false}, {[]Method{MethodUntyped}, false},
	} {
		if got := (Sighting{Methods: c.methods}).Vague(); got != c.want {
			t.Errorf("%q: %v", c.methods, got)
		}
	}
}
