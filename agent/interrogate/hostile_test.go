package interrogate

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
)

// TestBadDevicesAreReported asks bad devices and a good one at the same time.
// It is long because it is one table.
func TestBadDevicesAreReported(t *testing.T) {
	devices := map[string]discover.Sighting{
		"good": sighted(start(t, loadWritten(t, "videofavola-cubo"), cameratest.Options{})),
	}
	for name, quirks := range map[string]cameratest.Quirks{
		"garbage": {GarbageXML: true},
		"huge":    {Huge: 1 << 30},
		"slow":    {Slow: time.Hour},
		"drip":    {Drip: time.Second},
		"bomb 2":  {SOAP: cameratest.SOAPQuirks{EntityBomb: true}},
		"cut":     {SOAP: cameratest.SOAPQuirks{Cut: true}},
		"loop":    {HTTP: cameratest.HTTPQuirks{RedirectLoop: true}},
		"away":    {HTTP: cameratest.HTTPQuirks{RedirectTo: "https://192.0.2.7/"}},
		"0.9":     {HTTP: cameratest.HTTPQuirks{Bare: true}},
		"zero":    {HTTP: cameratest.HTTPQuirks{ZeroLength: true}},
		"drop":    {HTTP: cameratest.HTTPQuirks{Drop: true}},
		"half":    {HTTP: cameratest.HTTPQuirks{Truncated: true}},
	} {
		devices[name] = sighted(start(t, loadWritten(t, "videofavola-cubo"), cameratest.Options{Quirks: quirks}))
	}
	devices["TLS of 1999"] = sighted(start(t, loadWritten(t, "videofavola-cubo"), cameratest.Options{HTTPS: true, Quirks: cameratest.Quirks{HTTP: cameratest.HTTPQuirks{OldTLS: true}}}))
	devices["NTLM"] = sighted(start(t, loadWritten(t, "videofavola-cubo"), cameratest.Options{Auth: cameratest.AuthNTLM}))
	devices["Basic"] = sighted(start(t, loadWritten(t, "videofavola-cubo"), cameratest.Options{Auth: cameratest.AuthBasic, User: "u", Password: "p"}))
	for name, answer := range map[string]http.HandlerFunc{
		"page": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html><body><p>Login</body></html>") },
		"bomb": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>`+envelopeWith("<tds:GetSystemDateAndTimeResponse>&b;</tds:GetSystemDateAndTimeResponse>"))
		},
		"deep": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, envelopeWith(strings.Repeat("<a>", 100_000)))
		},
		"empty": func(http.ResponseWriter, *http.Request) {},
		"drops": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"encoding": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `<?xml version="1.0" encoding="UTF-16"?>`+envelopeWith("<tds:GetSystemDateAndTimeResponse/>"))
		},
		"no encoding": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `<?xml version="1.0" encoding="klingon"?>`+envelopeWith("<tds:GetSystemDateAndTimeResponse/>"))
		},
		"compressed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "\x1f\x8b\x08\x00")
		},
		"other": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, envelopeWith("<tds:SetUserResponse/>"))
		},
	} {
		devices[name] = soapServer(t, answer)
	}
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	devices["closed"] = discover.Sighting{Address: netip.MustParseAddrPort(closed.Addr().String())}
	closed.Close()

	m := &memory{given: Credential{User: "u", Password: "p"}}
	a := asker(t, m)
	a.callTime = 2 * time.Second
	var asking sync.WaitGroup
	results := make(chan struct {
		name string
		Device
	}, len(devices))
	for name, s := range devices {
		asking.Go(func() {
			results <- struct {
				name string
				Device
			}{name, a.Ask(t.Context(), s)}
		})
	}
	asking.Wait()
	close(results)
	if len(m.refused) > 0 {
		t.Errorf("passwords were refused: %v", m.refused)
	}
	for r := range results {
		if r.name == "good" {
			if r.Model == "" || len(r.Channels) != 1 || len(r.Errors) > 0 || r.Clock == nil {
				t.Errorf("the good device was read as %+v", r.Device)
			}
			continue
		}
		t.Logf("%s: %v", r.name, r.Errors)
		if len(r.Errors) == 0 || r.Errors[0].Why == "" || len(r.Channels) > 0 {
			t.Errorf("%s was read as %+v", r.name, r.Device)
		}
		if text := fmt.Sprint(r.Errors); strings.Contains(text, "127.0.0.1") {
			t.Errorf("%s: an address in the report: %s", r.name, text)
		}
	}
}

// TestHangsUpOnUnknown: a device that closes the connection on each operation
// that it does not know is still asked the others (KoynovStas/onvif_srvd).
func TestHangsUpOnUnknown(t *testing.T) {
	s := soapServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch op, _ := operationOf(r); op {
		case "GetSystemDateAndTime", "GetDeviceInformation", "GetCapabilities":
			io.WriteString(w, envelopeWith("<tds:"+op+"Response><tds:Model>M</tds:Model></tds:"+op+"Response>"))
		case "GetProfiles":
			io.WriteString(w, envelopeWith(`<tds:GetProfilesResponse><tds:Profiles token="p"><tt:VideoSourceConfiguration><tt:SourceToken>1</tt:SourceToken></tt:VideoSourceConfiguration></tds:Profiles></tds:GetProfilesResponse>`))
		default:
			panic(http.ErrAbortHandler)
		}
	})
	if got := asker(t, nil).Ask(t.Context(), s); got.Model != "M" || len(got.Channels) != 1 {
		t.Errorf("read as %+v", got)
	}
}

func TestAskEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := soapServer(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	if got := asker(t, nil).Ask(ctx, s); len(got.Errors) != 1 || got.Answered {
		t.Errorf("read as %+v", got)
	}
}

// TestStaysWithTheHostThatAnswered: neither a redirect nor an address in an
// answer leads to another host.
func TestStaysWithTheHostThatAnswered(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was asked: %s", r.URL)
	}))
	t.Cleanup(other.Close)
	s := soapServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	if got := asker(t, nil).Ask(t.Context(), s); len(got.Errors) == 0 {
		t.Errorf("read as %+v", got)
	}

	d := start(t, loadWritten(t, "ottimmago-bullet"), cameratest.Options{Auth: cameratest.AuthNone,
		XAddrs: []string{"http://169.254.7.7/onvif/device_service", other.URL + "/onvif/device_service"}})
	sighting := sighted(d)
	sighting.XAddrs = d.Options().XAddrs
	if got := asker(t, nil).Ask(t.Context(), sighting); len(got.Channels) != 1 {
		t.Errorf("read as %+v", got)
	}
}

// TestFindsThePath: a device whose named path is wrong is found at the usual one.
func TestFindsThePath(t *testing.T) {
	d := start(t, loadWritten(t, "videofavola-cubo"), cameratest.Options{})
	for _, x := range []string{"http://" + d.Address().String(), "http://" + d.Address().String() + "/wrong"} {
		s := discover.Sighting{Address: d.Address(), XAddrs: []string{x}}
		if got := asker(t, nil).Ask(t.Context(), s); got.Model != "VF-C1" {
			t.Errorf("%s: read as %+v", x, got)
		}
	}
}
