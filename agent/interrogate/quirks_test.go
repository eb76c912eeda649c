package interrogate

import (
	"reflect"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// facts is what a quirk must not change.
type facts struct {
	Vendor, Model, Firmware, Serial, HardwareID, Name, Zone string
	MACs                                                    []string
	Kind                                                    Kind
	Needs                                                   Needs
	Channels                                                []Channel
	Problems                                                []string
}

// factsOf leaves out what no two runs have in common: when it was read.
func factsOf(d Device) facts {
	f := facts{d.Vendor, d.Model, d.Firmware, d.Serial, d.HardwareID, d.Name, d.Zone, d.MACs, d.Kind, d.Needs, nil, nil}
	for _, c := range d.Channels {
		age := c.Retention.ObservedAt.Sub(c.Retention.OldestFootage).Round(time.Minute)
		c.Facts, c.Schedule.Fact, c.Retention.Fact = nil, protocol.Fact{}, protocol.Fact{}
		c.Retention.ObservedAt, c.Retention.OldestFootage = time.Time{}, time.Time{}.Add(age)
		f.Channels = append(f.Channels, c)
	}
	for _, p := range d.Errors {
		f.Problems = append(f.Problems, p.What+": "+p.Why)
	}
	return f
}

// TestQuirks is the table of what devices do wrong (reference/onvif.md section
// 4): with each quirk the same is read as without, but for what it changes.
// It is long because it is one table.
func TestQuirks(t *testing.T) {
	const camera, recorder = "fintovista-dome", "videofavola-nvr"
	skewed := cameratest.Options{Auth: cameratest.AuthToken, TokenSkew: 5 * time.Second, ClockOffset: -11 * time.Minute}
	quirk := func(q cameratest.Quirks) cameratest.Options { return cameratest.Options{Quirks: q} }
	soap := func(q cameratest.SOAPQuirks) cameratest.Options { return quirk(cameratest.Quirks{SOAP: q}) }
	service := func(q cameratest.ServiceQuirks) cameratest.Options { return quirk(cameratest.Quirks{Services: q}) }
	recording := func(q cameratest.RecordingQuirks) cameratest.Options {
		return quirk(cameratest.Quirks{Recording: q})
	}
	login := func(a cameratest.Auth, q cameratest.Quirks) cameratest.Options {
		return cameratest.Options{Auth: a, Quirks: q}
	}
	all := func(change func(*Channel)) func(*facts) {
		return func(f *facts) {
			for i := range f.Channels {
				change(&f.Channels[i])
			}
		}
	}
	retention := func(r protocol.Retention) func(*facts) {
		return all(func(c *Channel) { c.Retention.Kind, c.Retention.Age = r.Kind, r.Age })
	}
	for _, c := range []struct {
		quirk, source string
		device        string
		o             cameratest.Options
		change        func(*facts)
	}{
		{"the clock is minutes off, tokens are held to it", "lumeohq/onvif-rs#121, home-assistant/core#121952", camera, skewed, nil},
		{"a wrong token refuses even the time", "AXIS P5655-E, recorded", camera, login(cameratest.AuthToken, cameratest.Quirks{WrongTokenRefusesAll: true}), nil},
		{"credentials are wanted even for the time", "0x524a/onvif-go; YoshieraHuang/node-onvif-ts PR 12", camera, login(cameratest.AuthToken, cameratest.Quirks{Login: cameratest.LoginQuirks{Always: true}}), nil},
		{"so they are with Digest", "0x524a/onvif-go", camera, login(cameratest.AuthDigest, cameratest.Quirks{Login: cameratest.LoginQuirks{Always: true}}), nil},
		{"no universal time", "agsh/onvif PR 65", camera, quirk(cameratest.Quirks{Clock: cameratest.ClockQuirks{NoUTC: true}}), nil},
		{"local time as universal time", "OpenIPC/majestic-webui#292", camera,
			cameratest.Options{Auth: cameratest.AuthToken, TokenSkew: 5 * time.Second, Quirks: cameratest.Quirks{Clock: cameratest.ClockQuirks{LocalAsUTC: true}}},
			func(f *facts) {
				f.Problems = []string{"clock: its clock is right, but it gives its local time as universal time (UTC): if its settings allow it, set the time zone again"}
			}},
		{"no daylight saving", "onvif.md 6", camera, quirk(cameratest.Quirks{Clock: cameratest.ClockQuirks{NoDST: true}}), func(f *facts) {
			f.Zone = fixedZone(int((romeOffset(time.Now()) - time.Hour) / time.Second))
			all(func(c *Channel) { c.Schedule.Zone = f.Zone })(f)
		}},
		{"IPv6", "lumeohq/onvif-rs PR 97", camera, cameratest.Options{Host: "::1"}, nil},
		{"services are named at another host", "blakeblackshear/frigate#18352, python-onvif-zeep-async PR 250", camera, service(cameratest.ServiceQuirks{XAddrs: cameratest.XAddrsOtherHost}), nil},
		{"services are named at a public address", "FalkTannhaeuser/python-onvif-zeep#61", camera, service(cameratest.ServiceQuirks{XAddrs: cameratest.XAddrsPublic}), nil},
		{"services are named without a path", "KoynovStas/onvif_srvd", camera, service(cameratest.ServiceQuirks{XAddrs: cameratest.XAddrsNoPath}), nil},
		{"Digest alone", "agsh/onvif#294", camera, login(cameratest.AuthDigest, cameratest.Quirks{}), nil},
		{"Digest with SHA-256", "RFC 7616", camera, login(cameratest.AuthDigest, cameratest.Quirks{Login: cameratest.LoginQuirks{Digest: cameratest.DigestSHA256}}), nil},
		{"Digest with a choice", "RFC 7616", camera, login(cameratest.AuthDigest, cameratest.Quirks{Login: cameratest.LoginQuirks{Digest: cameratest.DigestBoth}}), nil},
		{"each nonce of a Digest once", "milg0/onvif-java-lib#2", camera, login(cameratest.AuthDigest, cameratest.Quirks{Login: cameratest.LoginQuirks{NonceOnce: true}}), nil},
		{"each nonce of a token once", "milg0/onvif-java-lib#2 (Axis)", camera, login(cameratest.AuthToken, cameratest.Quirks{Login: cameratest.LoginQuirks{NonceOnce: true}}), nil},
		{"a fault and no challenge", "open-nvr PR 470 (Tapo C520WS)", camera, login(cameratest.AuthToken, cameratest.Quirks{}), nil},
		{"refused with 401", "GyeongHoKim/onvif-simulator", camera, login(cameratest.AuthToken, cameratest.Quirks{AuthStatus: 401}), nil},
		{"refused with 500", "0x524a/onvif-go", camera, login(cameratest.AuthToken, cameratest.Quirks{AuthStatus: 500}), nil},
		{"refused without a subcode", "0x524a/onvif-go", camera, login(cameratest.AuthToken, cameratest.Quirks{SOAP: cameratest.SOAPQuirks{FaultForm: cameratest.FaultNoSubcode}}), nil},
		{"refused by a fault of SOAP 1.1", "daniela-hase/onvif-server", camera, login(cameratest.AuthToken, cameratest.Quirks{SOAP: cameratest.SOAPQuirks{FaultForm: cameratest.FaultSOAP11}}), nil},
		{"locks after two wrong passwords", "rroller/dahua#729, home-assistant/core#175333", camera, login(cameratest.AuthBoth, cameratest.Quirks{LockoutAfter: 2}), nil},
		{"no GetServices", "quatanium/python-onvif PR 30 (old Axis)", camera, service(cameratest.ServiceQuirks{NoGetServices: true}), nil},
		{"GetServices only with capabilities", "Hikvision V5.1.6, recorded", camera, service(cameratest.ServiceQuirks{IncludeCapability: "true", RecordingOnlyInServices: true}), nil},
		{"GetServices only without capabilities", "TRENDnet V5.3.4, recorded", camera, service(cameratest.ServiceQuirks{IncludeCapability: "false", RecordingOnlyInServices: true}), nil},
		{"recording in GetServices only", "python-onvif-zeep-async PR 177", camera, service(cameratest.ServiceQuirks{RecordingOnlyInServices: true}), nil},
		{"Media2 before Media", "mrtian2016/onvifsim connect.media2_first", camera, service(cameratest.ServiceQuirks{Media2First: true}), nil},
		{"no HardwareId", "mrtian2016/onvifsim connect.device_info_missing", camera, service(cameratest.ServiceQuirks{Missing: "HardwareId"}), func(f *facts) { f.HardwareID = "" }},
		{"no Model", "mrtian2016/onvifsim connect.device_info_missing", camera, service(cameratest.ServiceQuirks{Missing: "Model"}), nil}, // from the scopes
		{"host:port as serial number", "AlexxIT/go2rtc", camera, service(cameratest.ServiceQuirks{SerialIsAddress: true}), func(f *facts) { f.Serial = "" }},
		{"undeclared prefixes", "python-zeep#1205, home-assistant.io#40942", camera, soap(cameratest.SOAPQuirks{UndeclaredPrefixes: true}), nil},
		{"unusual prefixes", "FalkTannhaeuser/python-onvif-zeep PR 46", camera, soap(cameratest.SOAPQuirks{OddPrefixes: true}), nil},
		{"children in the wrong namespace", "home-assistant/core#47130", recorder, soap(cameratest.SOAPQuirks{WrongNamespace: true}), nil},
		{"ISO-8859-1", "home-assistant/core#92308", camera, soap(cameratest.SOAPQuirks{Latin1: true}), nil},
		{"SOAP 1.1 only", "OpenIPC/viewer PR 65", camera, soap(cameratest.SOAPQuirks{SOAP11Only: true}), nil},
		{"SOAP 1.1 only, with credentials", "OpenIPC/viewer PR 65", camera, login(cameratest.AuthToken, cameratest.Quirks{SOAP: cameratest.SOAPQuirks{SOAP11Only: true}}), nil},
		{"wants an action", "agsh/onvif PR 498 (Pelco)", camera, soap(cameratest.SOAPQuirks{Action: cameratest.ActionNeeded}), nil},
		{"refuses an action", "agsh/onvif#302 (Illustra)", camera, soap(cameratest.SOAPQuirks{Action: cameratest.ActionRefused}), nil},
		{"repeats the token", "Reolink E1 Zoom, Bosch, recorded", camera, login(cameratest.AuthToken, cameratest.Quirks{SOAP: cameratest.SOAPQuirks{EchoToken: true}}), nil},
		{"unknown operations: 200", "mrtian2016/onvifsim", camera, soap(cameratest.SOAPQuirks{FaultStatus: 200}), nil},
		{"unknown operations: 401", "GyeongHoKim/onvif-simulator", camera, soap(cameratest.SOAPQuirks{FaultStatus: 401}), nil},
		{"unknown operations: nothing", "roleoroleo/onvif_simple_server", camera, soap(cameratest.SOAPQuirks{FaultForm: cameratest.FaultEmpty}), nil},
		{"unknown operations: text", "AlexxIT/go2rtc", camera, soap(cameratest.SOAPQuirks{FaultForm: cameratest.FaultText}), nil},
		{"unknown operations: a stack trace", "daniela-hase/onvif-server", camera, soap(cameratest.SOAPQuirks{FaultForm: cameratest.FaultStack}), nil},
		{"unknown operations: hangs up", "KoynovStas/onvif_srvd", recorder, quirk(cameratest.Quirks{HTTP: cameratest.HTTPQuirks{DropUnknown: true}}), nil},
		{"a byte at a time", "mrtian2016/onvifsim transport", camera, quirk(cameratest.Quirks{HTTP: cameratest.HTTPQuirks{ByteByByte: true}}), nil},
		{"keeps until full", "a commercial server; recorders.md 3.4", recorder, recording(cameratest.RecordingQuirks{Retention: "PT0S"}), retention(protocol.Retention{Kind: protocol.RetentionCapacity})},
		{"keeps until full, in days", "onvif.md 2", recorder, recording(cameratest.RecordingQuirks{Retention: "P0D"}), retention(protocol.Retention{Kind: protocol.RetentionCapacity})},
		{"P14D read back in seconds", "onvif.md 2", recorder, recording(cameratest.RecordingQuirks{Retention: "PT1209600S"}), retention(protocol.Retention{Kind: protocol.RetentionAge, Age: 14 * 24 * time.Hour})},
		{"an hour", "Axis, hammeraj/onvif", recorder, recording(cameratest.RecordingQuirks{Retention: "PT1H"}), retention(protocol.Retention{Kind: protocol.RetentionAge, Age: time.Hour})},
		{"footage of 1970", "hammeraj/onvif, recorded", recorder, recording(cameratest.RecordingQuirks{Epoch: true}), all(func(c *Channel) { c.Retention.OldestFootage = time.Time{} })},
		{"an empty ScheduleToken", "onvif.md 2", recorder, recording(cameratest.RecordingQuirks{EmptySchedule: true}), all(func(c *Channel) { c.Schedule = protocol.Schedule{} })},
		{"forgets its searches", "onvif.md 2: a process for each request", recorder, recording(cameratest.RecordingQuirks{ForgetsSearch: true}), nil},
		{"the whole store, whatever the filter", "agsh/onvif#298, quatanium/python-onvif#118", recorder, recording(cameratest.RecordingQuirks{WholeStore: true}), nil},
		{"local time with a false Z", "recorders.md 3.5 (Hikvision)", recorder, recording(cameratest.RecordingQuirks{FalseZ: romeOffset(time.Now())}), nil},
		{"recordings end long ago", "onvif/specs#781", recorder, recording(cameratest.RecordingQuirks{HiddenGap: 5 * time.Hour}), nil},
		{"TLS with its own certificate", "agsh/onvif#63 (Bosch)", camera, cameratest.Options{HTTPS: true, Auth: cameratest.AuthToken}, nil},
	} {
		t.Run(c.quirk, func(t *testing.T) {
			t.Parallel()
			if c.source == "" {
				t.Error("no source")
			}
			plain := start(t, loadWritten(t, c.device), cameratest.Options{Auth: cameratest.AuthNone})
			want := factsOf(asker(t, nil).Ask(t.Context(), sighted(plain)))
			if len(want.Channels) == 0 || len(want.Problems) > 0 {
				t.Fatalf("without the quirk: %+v", want)
			}
			if c.change != nil {
				c.change(&want)
			}
			if c.o.Auth == "" {
				c.o.Auth = cameratest.AuthNone
			}
			c.o.User, c.o.Password = "utente", "parola"
			d := start(t, loadWritten(t, c.device), c.o)
			got := asker(t, &memory{given: Credential{User: "utente", Password: "parola"}}).Ask(t.Context(), sighted(d))
			if f := factsOf(got); !reflect.DeepEqual(f, want) {
				t.Errorf("read\n %+v, want\n %+v", f, want)
			}
			if d.WrongAttempts() > 0 && !c.o.Quirks.Login.NonceOnce {
				t.Errorf("%d wrong attempts to log in", d.WrongAttempts())
			}
			for _, r := range d.Requests() {
				if c.o.Quirks.SOAP.Action == cameratest.ActionRefused && r.Operation == timeOperation && r.Status != 200 {
					t.Error("an action was given without need")
				}
			}
			onlyReads(t, d)
			checkClock(t, got, d.Options().ClockOffset)
		})
	}
}

func romeOffset(at time.Time) time.Duration {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return time.Hour
	}
	return time.Duration(offsetAt(zone, at)) * time.Second
}
