package discover

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
)

// quirk is one way in which real devices differ from the book when they are
// looked for, and what is done about it here. Each device is to be found once.
type quirk struct {
	name    string
	source  string             // where it was seen or told
	cure    string             // what fails the row when it is taken away
	options cameratest.Options // of the device that has it
	found   string             // address and service path that are right; "{host}", "{port}"; "": the device's own
	methods string             // by which it is found; "": the three probes
	check   func(s Sighting) bool
}

const allProbes = "ws-discovery Device, ws-discovery NetworkVideoTransmitter, ws-discovery untyped"

// discoveryQuirks is the table.
var discoveryQuirks = []quirk{
	{name: "answers only NetworkVideoTransmitter", source: "vicmaeg/onvif-discovery#49 (the reverse)", cure: "probeKinds", methods: "ws-discovery NetworkVideoTransmitter",
		options: cameratest.Options{AnswerTo: []string{cameratest.ProbeNVT}}},
	{name: "answers only Device", source: "vicmaeg/onvif-discovery#49, GyeongHoKim/onvif-simulator", cure: "probeKinds", methods: "ws-discovery Device",
		options: cameratest.Options{AnswerTo: []string{cameratest.ProbeDevice}}},
	{name: "answers only an untyped probe", source: "eight devices at hand: 8 of 8 answer it, 7 each of the others", cure: "probeKinds", methods: "ws-discovery untyped",
		options: cameratest.Options{AnswerTo: []string{cameratest.ProbeUntyped}}},
	{name: "answers each probe twice", source: "vicmaeg/onvif-discovery#17", cure: "merger.same, by endpoint",
		options: cameratest.Options{Quirks: cameratest.Quirks{AnswersTwice: true}}},
	{name: "answers twice, with different addresses", source: "mrtian2016/onvifsim discovery.reply_twice", cure: "merger.same, by endpoint; union keeps the first",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{ThenXAddrs: "http://192.0.2.99:81/elsewhere"}}}},
	{name: "answers from another port than 3702", source: "GyeongHoKim/onvif-simulator, daniela-hase/onvif-server", cure: "prober.believe looks at the host alone",
		options: cameratest.Options{Quirks: cameratest.Quirks{EphemeralPort: true}}},
	{name: "answers late", source: "WS-Discovery 1.0 section 5.3: APP_MAX_DELAY; with use-go/onvif a reply at 1.5 s is lost", cure: "Options.Window",
		options: cameratest.Options{Quirks: cameratest.Quirks{SlowProbe: 1200 * time.Millisecond}}},
	{name: "answers with the address of another host", source: "blakeblackshear/frigate#18352, python-onvif-zeep-async PR 250", cure: "Sighting.addressed: the host that answered",
		options: cameratest.Options{XAddrs: []string{"http://192.0.2.99:{port}/onvif/device_service"}}},
	{name: "answers with a public address", source: "FalkTannhaeuser/python-onvif-zeep#61", cure: "Sighting.addressed: the host that answered", found: "{host}:80/onvif/device_service",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{XAddrs: cameratest.XAddrsPublic}}}},
	{name: "names no address", source: "mrtian2016/onvifsim discovery.no_xaddrs", cure: "Sighting.addressed: port 80, Service: the usual path", found: "{host}:80/onvif/device_service",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{XAddrs: cameratest.XAddrsNone}}}},
	{name: "names an address without a path", source: "KoynovStas/onvif_srvd", cure: "Service: the usual path", found: "{host}:{port}/onvif/device_service",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{XAddrs: cameratest.XAddrsNoPath}}}},
	{name: "names HTTPS first", source: "agsh/onvif#63 (Bosch)", cure: "bestXAddr: plain HTTP before HTTPS",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{XAddrs: cameratest.XAddrsHTTPSFirst}}}},
	{name: "names 169.254 first", source: "agsh/onvif#63 (Axis)", cure: "bestXAddr: the host that answered comes first",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{XAddrs: cameratest.XAddrsLinkLocalFirst}}}},
	{name: "names fe80 first", source: "agsh/onvif#93", cure: "bestXAddr: the host that answered comes first",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{XAddrs: cameratest.XAddrsFE80First}}}},
	{name: "answers from another of its interfaces", source: "GuilhermeC18/node-onvif#28, #41", cure: "Sighting.addressed: the host that answered", found: "127.0.54.200:{port}/onvif/device_service",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{From: "127.0.54.200"}}}},
	{name: "leaves MetadataVersion out", source: "mrtian2016/onvifsim", cure: "claim does not need it",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{NoMetadataVersion: true}}}},
	{name: "answers only a probe without line breaks", source: "edgexfoundry#134 (Hikvision)", cure: "newProbes writes none",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{OneLine: true}}}},
	{name: "writes another Address in the header", source: "roleoroleo/onvif_simple_server", cure: "claim takes the endpoint by its path",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{HeaderAddress: true}}}},
	{name: "writes types with an unusual prefix", source: "roleoroleo/onvif_simple_server (tdn:), openhab/openhab-addons#9022", cure: "qualified resolves prefixes",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{TypesPrefix: "tdn"}}},
		check:   func(s Sighting) bool { return slices.Contains(s.Types, "{"+nsNetwork+"}NetworkVideoTransmitter") }},
	{name: "does not declare the prefix of WS-Addressing", source: "home-assistant.io#40942", cure: "known: an undeclared prefix is the right one",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{UndeclaredPrefix: true}}}},
	{name: "breaks lines inside scopes", source: "daniela-hase/onvif-server", cure: "words splits at any white space",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{NewlinesInScopes: true}}},
		check: func(s Sighting) bool {
			return len(s.Scopes) > 1 && !slices.ContainsFunc(s.Scopes, func(x string) bool { return strings.ContainsAny(x, "\r\n ") })
		}},
	{name: "writes a bare & in a scope", source: "python-zeep#1205", cure: "unmarshal: Strict is off",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{Unescaped: true}}}},
	{name: "writes ISO-8859-1", source: "use-go/onvif reads UTF-8 alone", cure: "unmarshal: CharsetReader",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{Latin1: true}}},
		check:   func(s Sighting) bool { return strings.Contains(strings.Join(s.Scopes, " "), "è") }},
	{name: "sends an empty datagram before each answer", source: "use-go/onvif panics", cure: "readMatches: an error, no more",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{EmptyFirst: true}}}},
	{name: "sends garbage before and instead of an answer", source: "use-go/onvif: one bad packet hides all", cure: "prober.read goes on", found: "{host}:80/onvif/device_service",
		options: cameratest.Options{Quirks: cameratest.Quirks{GarbageProbeMatch: true}}},
	{name: "answers with 20 kB", source: "bluecherry-apps#182; use-go/onvif cuts at 8192", cure: "maxDatagram",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{Padded: 20_000}}}},
	{name: "sends forged answers before the right one, naming other hosts", source: "use-go/onvif connects to whatever they name", cure: "Sighting.addressed: the host that answered", methods: "*",
		options: cameratest.Options{Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{Flood: 40}}}},
	{name: "has discovery off, but mDNS on", source: "onvif/specs#520; Kane610/axis", cure: "mdnsServices", methods: "mdns _axis-video._tcp",
		options: cameratest.Options{AnswerTo: []string{}, MDNS: []string{"_axis-video._tcp"}}},
	{name: "announces a web page, and who it is in the TXT", source: "Home Assistant's axis integration: macaddress", cure: "cameraTXT", methods: "mdns _http._tcp",
		options: cameratest.Options{AnswerTo: []string{}, MDNS: []string{"_http._tcp"}, MDNSText: []string{"macaddress=00408C000001"}}},
	{name: "announces RTSP alone", source: "devices that announce _rtsp._tcp by mDNS", cure: "mdnsServices", methods: "mdns _rtsp._tcp", found: "{host}:80/onvif/device_service",
		options: cameratest.Options{AnswerTo: []string{}, MDNS: []string{"_rtsp._tcp"}}},
	{name: "is seen by SSDP alone", source: "Home Assistant's axis integration: manufacturer AXIS", cure: "ssdp", methods: "ssdp",
		options: cameratest.Options{AnswerTo: []string{}, SSDP: true}, check: func(s Sighting) bool { return s.Vendor == "AXIS" }},
	{name: "answers in all ways at once", source: "one device is one entry", cure: "merger.same", methods: "mdns _axis-video._tcp, ssdp, " + allProbes,
		options: cameratest.Options{MDNS: []string{"_axis-video._tcp"}, SSDP: true}},
	{name: "answers to nobody", source: "onvif/specs#520, KoynovStas/onvif_srvd#12, #32", cure: "a named target is reported even when silent", methods: "target",
		options: cameratest.Options{AnswerTo: []string{}, Quirks: cameratest.Quirks{Discovery: cameratest.DiscoveryQuirks{NoUnicast: true}}}},
}

func TestDiscoveryQuirks(t *testing.T) {
	c, err := cameratest.LoadDir(filepath.Join("..", "..", "testdata", "cameras", "videofavola-cubo"))
	if err != nil {
		t.Fatal(err)
	}
	c.Maker = "AXIS"
	var devices []*cameratest.Device
	var targets []string
	for i, q := range discoveryQuirks {
		o := q.options
		o.Host, o.Interface = fmt.Sprintf("127.0.54.%d", i+1), "lo"
		o.Name, o.Endpoint = fmt.Sprint("quirk-", i), fmt.Sprintf("urn:uuid:5e471e15-0054-4000-8000-%012d", i)
		d, err := cameratest.Start(c, o)
		if err != nil {
			t.Fatalf("%s: %v", q.name, err)
		}
		t.Cleanup(func() { d.Close() })
		devices = append(devices, d)
		if q.methods == string(MethodTarget) {
			targets = append(targets, d.Address().String())
		}
	}
	first, all := scanLoopback(t, Options{Window: 3 * time.Second, Targets: targets})
	for i, q := range discoveryQuirks {
		t.Run(q.name, func(t *testing.T) { checkQuirk(t, q, devices[i], first, all) })
	}
}

func checkQuirk(t *testing.T, q quirk, d *cameratest.Device, first []Sighting, all map[string]Sighting) {
	u := strings.TrimPrefix(d.URL(), "http://")
	if q.found != "" {
		u = strings.NewReplacer("{host}", d.Address().Addr().String(), "{port}", fmt.Sprint(d.Address().Port())).Replace(q.found)
	}
	address, path, _ := strings.Cut(u, "/")
	s, ok := all[d.Options().Endpoint]
	if !ok {
		s, ok = all[address]
	}
	if !ok {
		t.Fatalf("not found; the cure is: %s (%s)", q.cure, q.source)
	}
	if s.Address != netip.MustParseAddrPort(address) || s.Service().String() != "http://"+address+"/"+path {
		t.Errorf("found at %s, to be asked at %s, want http://%s; the cure is: %s (%s)", s.Address, s.Service(), u, q.cure, q.source)
	}
	var methods []string
	for _, m := range s.Methods {
		methods = append(methods, string(m))
	}
	want := q.methods
	if want == "" {
		want = allProbes
	}
	if got := strings.Join(methods, ", "); got != want && want != "*" {
		t.Errorf("found by %s, want %s", got, want)
	}
	if q.check != nil && !q.check(s) {
		t.Errorf("read as %+v; the cure is: %s (%s)", s, q.cure, q.source)
	}
	n := 0
	for _, f := range first {
		if f.Number == s.Number {
			n++
		}
	}
	if n != 1 {
		t.Errorf("announced %d times", n)
	}
	if want != "*" {
		for _, o := range all {
			if o.Address.Addr() == s.Address.Addr() && o.Key() != s.Key() {
				t.Errorf("there is a second one of it: %+v", o)
			}
		}
	}
}
