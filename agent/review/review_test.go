package review

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// owner is a running set of pages and the browser in front of it.
type owner struct {
	*Review
	server *httptest.Server
	client *http.Client
	scans  int
	found  []interrogate.Device

	tries []string // devices on which a password was tried
	try   func(device string, c interrogate.Credential) (interrogate.Needs, error)

	finds  chan string                                // notices for which recorders were asked
	answer func(ctx context.Context, id string) error // what they say
}

// known is what the inventory holds.
func (o *owner) known(t *testing.T) inventory.View {
	t.Helper()
	known, err := o.Inventory.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return known
}

const siteID = "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c001"

func grant() inventory.Site {
	return inventory.Site{Grant: protocol.Grant{SiteID: siteID, SiteName: "Bar Centrale", Category: "bar-restaurant", Address: "via Torino 1, Milano",
		Epoch: 1, From: time.Now().Add(-time.Hour)}, Collector: "https://collettore.example:8443"}
}

// start serves the pages of an empty inventory.
func start(t *testing.T) *owner {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	inv, err := inventory.Open(t.Context(), t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inv.Close() })
	o := &owner{server: httptest.NewUnstartedServer(nil), finds: make(chan string, 64), answer: func(context.Context, string) error { return nil }}
	o.Review, err = New(Options{
		Inventory: inv,
		Scan: func(ctx context.Context) error {
			o.scans++
			return inv.Record(ctx, o.found, time.Now())
		},
		Try: func(ctx context.Context, device string, c interrogate.Credential) (interrogate.Needs, error) {
			o.tries = append(o.tries, device)
			if err := inv.SetCredential(ctx, device, c); err != nil || o.try == nil {
				return interrogate.NeedsNothing, err
			}
			return o.try(device, c)
		},
		Find: func(ctx context.Context, id string) error {
			o.finds <- id
			return o.answer(ctx, id)
		},
		Enrol: func(ctx context.Context, code, collector string, replace bool) error {
			if code != "GIUSTO" {
				return errors.New("the collector does not know this code")
			}
			return inv.AddGrant(ctx, grant().Grant, grant().Collector)
		},
		Explain: func(err error) (string, string) { return "unknown-code", "ask for a new one" },
		Status: func(context.Context) (any, error) {
			return map[string]any{"version": "1.2.3", "transport": "h3", "last_acknowledged": time.Now()}, nil
		},
		Addr: o.server.Listener.Addr().String(),
		Log:  log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	o.server.Config.Handler = o.Pages()
	o.server.Start()
	t.Cleanup(o.server.Close)
	o.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Jar: jar{}}
	o.found = []interrogate.Device{recorder()}
	return o
}

// jar keeps the cookies of the one site there is.
type jar map[string]*http.Cookie

func (j jar) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		j[c.Name] = c
	}
}

func (j jar) Cookies(*url.URL) (all []*http.Cookie) {
	for _, c := range j {
		all = append(all, c)
	}
	return all
}

// recorder has two cameras, and marks that must never leave.
func recorder() interrogate.Device {
	now := time.Now().UTC()
	measured := protocol.Fact{Source: protocol.Measured, At: now}
	channel := func(id, name string) interrogate.Channel {
		return interrogate.Channel{ID: id, Name: name, WidthPx: 1920, HeightPx: 1080,
			Schedule:  protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Motion, Zone: "Europe/Rome", Fact: measured},
			Retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, OldestFootage: now.Add(-70 * time.Hour), ObservedAt: now, Fact: measured}}
	}
	return interrogate.Device{
		Sighting: discover.Sighting{Endpoint: "urn:uuid:5f5a69c2-e0ae-504f-829b-00166cff0001", Address: netip.MustParseAddrPort("192.168.7.10:80"),
			Methods: []discover.Method{discover.MethodTransmitter}},
		Kind: interrogate.KindRecorder, Vendor: "Ditta", Model: "NVR 8", Serial: "SERIALE7001", Name: "Retro", MACs: []string{"00:16:6c:ff:00:01"},
		Clock: &protocol.Clock{OffsetMs: 3_480_000, UncertaintyMs: 500, Method: "onvif GetSystemDateAndTime", At: now},
		Needs: interrogate.NeedsNothing, Answered: true, Channels: []interrogate.Channel{channel("1", "Ingresso"), channel("2", "Cassa")},
	}
}

func locked() interrogate.Device {
	return interrogate.Device{
		Sighting: discover.Sighting{Endpoint: "urn:uuid:5f5a69c2-e0ae-504f-829b-00166cff0002", Address: netip.MustParseAddrPort("192.168.7.11:80")},
		Kind:     interrogate.KindCamera, Vendor: "Altra", Model: "Dome 2", Needs: interrogate.NeedsCredentials, Answered: true,
		Errors: []interrogate.Problem{{What: "GetDeviceInformation", Why: "not authorised"}},
	}
}

// send makes one request as the browser, or as the command line with JSON.
func (o *owner) send(t *testing.T, method, path, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, o.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := o.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		if raw := rawKey.FindString(forScripts.ReplaceAllString(string(text), "")); raw != "" {
			t.Errorf("%s %s shows a key instead of words: %s", method, path, raw)
		}
	}
	return resp.StatusCode, string(text), resp.Header
}

// rawKey is what a key without a text, or a value that was not filled in,
// looks like.
var rawKey = regexp.MustCompile(`\[[a-z]+(\.[a-z_-]*)+\]|>[^<]*\{[a-z]+\}`)

// forScripts is what a page's script fills in itself.
var forScripts = regexp.MustCompile(`(?s)<script type="application/json".*?</script>`)

// signIn opens a session by a link.
func (o *owner) signIn(t *testing.T) {
	t.Helper()
	u, err := url.Parse(o.NewLink())
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := o.send(t, "POST", "/open", "token="+u.Query().Get("token")); status != http.StatusSeeOther {
		t.Fatalf("the link gives %d", status)
	}
}
