package cameratest

import (
	"slices"
	"strings"
	"testing"
)

func TestServiceQuirks(t *testing.T) {
	c := load(t, "videofavola-nvr")
	get := func(q ServiceQuirks, operation, children string) (int, []byte) {
		return ask(t, start(t, c, Options{Auth: AuthNone, Quirks: Quirks{Services: q}}), devicePath, "", op(nsDevice, operation, children))
	}
	if status, _ := get(ServiceQuirks{NoGetServices: true}, "GetServices", ""); status != 500 {
		t.Errorf("GetServices refused: HTTP %d", status)
	}
	if status, _ := get(ServiceQuirks{NoGetServices: true}, "GetCapabilities", ""); status != 200 {
		t.Errorf("GetServices refused, GetCapabilities: HTTP %d", status)
	}
	for value, want := range map[string]int{"true": 200, "false": 400} {
		if status, _ := get(ServiceQuirks{IncludeCapability: "true"}, "GetServices", "<IncludeCapability>"+value+"</IncludeCapability>"); status != want {
			t.Errorf("IncludeCapability %s: HTTP %d", value, status)
		}
	}
	named := func(body []byte) string { return strings.Join(texts(body, "XAddr"), " ") }
	_, body := get(ServiceQuirks{RecordingOnlyInServices: true}, "GetCapabilities", "")
	if got := named(body); strings.Contains(got, "recording") || strings.Contains(got, "search") || !strings.Contains(got, "media") {
		t.Errorf("capabilities %s", got)
	}
	if _, body = get(ServiceQuirks{RecordingOnlyInServices: true}, "GetServices", ""); !strings.Contains(named(body), "recording") {
		t.Errorf("services %s", named(body))
	}
	for form, want := range map[XAddrs]string{XAddrsOtherHost: "http://192.0.2.99/onvif/device_service", XAddrsPublic: "http://203.0.113.99/onvif/device_service", XAddrsNoPath: "http://192.0.2.21"} {
		for _, operation := range []string{"GetServices", "GetCapabilities"} {
			if _, body := get(ServiceQuirks{XAddrs: form}, operation, ""); first(texts(body, "XAddr")) != want {
				t.Errorf("%s of %s: %s", operation, form, named(body))
			}
		}
	}
	if status, _ := ask(t, start(t, c, Options{Auth: AuthNone, Quirks: Quirks{Services: ServiceQuirks{XAddrs: XAddrsNoPath}}}), "/", "", op(nsMedia, "GetProfiles", "")); status != 200 {
		t.Errorf("media without a path: HTTP %d", status)
	}
	_, body = get(ServiceQuirks{Missing: "HardwareId,SerialNumber"}, "GetDeviceInformation", "")
	if texts(body, "HardwareId") != nil || texts(body, "SerialNumber") != nil || texts(body, "Model") == nil {
		t.Errorf("missing: %s", body)
	}
	d := start(t, c, Options{Auth: AuthNone, Quirks: Quirks{Services: ServiceQuirks{SerialIsAddress: true}}})
	if _, body = ask(t, d, devicePath, "", op(nsDevice, "GetDeviceInformation", "")); first(texts(body, "SerialNumber")) != d.Address().String() {
		t.Errorf("serial number %s", texts(body, "SerialNumber"))
	}
}

// TestMedia2First: named first, at a path where Media's operations are unknown.
func TestMedia2First(t *testing.T) {
	d := start(t, load(t, "videofavola-nvr"), Options{Auth: AuthNone, RewriteHost: true, Quirks: Quirks{Services: ServiceQuirks{Media2First: true}}})
	_, body := ask(t, d, devicePath, "", op(nsDevice, "GetServices", ""))
	if root, err := bodyElement(body); err != nil || root.Local != "GetServicesResponse" {
		t.Errorf("%v %s", err, body)
	}
	spaces, at := texts(body, "Namespace"), texts(body, "XAddr")
	two, one := slices.Index(spaces, nsMedia2), slices.Index(spaces, nsMedia)
	if two != 0 || one < 1 || at[0] != "http://"+d.Address().String()+media2Path {
		t.Fatalf("services %q at %q", spaces, at)
	}
	if status, _ := ask(t, d, media2Path, "", op(nsMedia, "GetProfiles", "")); status != 500 {
		t.Errorf("Media at Media2: HTTP %d", status)
	}
	if status, _ := ask(t, d, "/onvif/media_service", "", op(nsMedia, "GetProfiles", "")); status != 200 {
		t.Errorf("Media: HTTP %d", status)
	}
	if status, _ := ask(t, start(t, load(t, "videofavola-nvr"), Options{Auth: AuthNone}), media2Path, "", op(nsMedia, "GetProfiles", "")); status != 404 {
		t.Errorf("without the quirk: HTTP %d", status)
	}
}

// TestMedia2FirstMoves: a Media2 service that was there already is named once.
func TestMedia2FirstMoves(t *testing.T) {
	service := func(ns string) string {
		return "<tds:Service><tds:Namespace>" + ns + "</tds:Namespace><tds:XAddr>http://192.0.2.1/x</tds:XAddr></tds:Service>"
	}
	body := media2First(envelope("", []byte("<tds:GetServicesResponse>"+service(nsDevice)+service(nsMedia)+service(nsMedia2)+"</tds:GetServicesResponse>")))
	if got := texts(body, "Namespace"); !slices.Equal(got, []string{nsMedia2, nsDevice, nsMedia}) {
		t.Errorf("services %q", got)
	}
}
