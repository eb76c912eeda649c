package interrogate

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// loadShop reads one of the hand-written recorders.
func loadShop(t *testing.T, name string) *cameratest.Conversation {
	t.Helper()
	return loadWritten(t, filepath.Join("recorders", name))
}

// aimed is a device as the owner names it, by its address alone.
func aimed(at netip.AddrPort) discover.Sighting {
	return discover.Sighting{Address: at, Methods: []discover.Method{discover.MethodTarget}}
}

// givenTo is a memory with the right password.
func givenTo(d *cameratest.Device) *memory {
	return &memory{given: Credential{d.Options().User, d.Options().Password}}
}

// sharedRecorder is a recorded or synthetic answer; without it the test is left out.
func sharedRecorder(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(filepath.Dir(sharedOnvif(t)), "recorders", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// channelsByID also fails for two with the same number.
func channelsByID(t *testing.T, d Device) map[string]Channel {
	t.Helper()
	all := map[string]Channel{}
	for _, c := range d.Channels {
		if _, twice := all[c.ID]; twice {
			t.Errorf("two channels are %q", c.ID)
		}
		all[c.ID] = c
	}
	return all
}

// oldestNear checks when the footage of a channel begins, to the second that the
// rounding of two clocks takes.
func oldestNear(t *testing.T, c Channel, want time.Time) {
	t.Helper()
	if got := c.Retention.OldestFootage; got.Sub(want).Abs() > 3*time.Second || c.Retention.ObservedAt.IsZero() || c.Facts["oldest"].From == "" {
		t.Errorf("channel %s: footage since %s, want %s; %+v", c.ID, got, want, c.Facts["oldest"])
	}
}

// endOfDay is the midnight after the day on which a device's wall clock showed at,
// in true time.
func endOfDay(t *testing.T, d *cameratest.Device, ago time.Duration) time.Time {
	t.Helper()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	y, m, day := d.Now().Add(-ago).In(rome).Date()
	return time.Date(y, m, day+1, 0, 0, 0, 0, rome).Add(-d.Options().ClockOffset)
}

// TestShopsSeeOneWrongPassword: over two looks each family's device sees one wrong
// password.
func TestShopsSeeOneWrongPassword(t *testing.T) {
	for _, shop := range []string{"ferramenta-axis", "panetteria-uniview", "libreria-hanwha"} {
		t.Run(shop, func(t *testing.T) {
			d := start(t, loadShop(t, shop), cameratest.Options{})
			m := &memory{given: Credential{d.Options().User, "SENTINEL-WRONG"}}
			for range 2 {
				got := asker(t, m).Ask(t.Context(), aimed(d.Address()))
				if got.Needs != NeedsWrongPassword || len(got.Channels) != 0 || len(got.Errors) != 1 {
					t.Errorf("needs %q, channels %+v, problems %v", got.Needs, got.Channels, got.Errors)
				}
				if text := fmt.Sprint(got.Errors); strings.Contains(text, "SENTINEL") {
					t.Errorf("problems with secrets: %s", text)
				}
			}
			if n := d.WrongAttempts(); n != 1 {
				t.Errorf("%d wrong passwords were sent, want 1", n)
			}
		})
	}
}

// TestShopsWithoutPassword: without one the device is still known for what it is.
func TestShopsWithoutPassword(t *testing.T) {
	for shop, want := range map[string]Family{"ferramenta-axis": Axis, "panetteria-uniview": Uniview, "libreria-hanwha": Hanwha} {
		d := start(t, loadShop(t, shop), cameratest.Options{})
		if got := asker(t, nil).Ask(t.Context(), aimed(d.Address())); got.Family != want || got.Needs != NeedsCredentials {
			t.Errorf("%s: %q, needs %q", shop, got.Family, got.Needs)
		}
	}
}

// TestPartsThatFail: whatever one part of an interface answers, the others are read
// as before, and of that part nothing else is told than when it works: what was
// refused or garbled is unknown, never off.
func TestPartsThatFail(t *testing.T) {
	for _, shop := range []string{"ferramenta-axis", "panetteria-uniview", "libreria-hanwha"} {
		t.Run(shop, func(t *testing.T) {
			t.Parallel()
			d := start(t, loadShop(t, shop), cameratest.Options{})
			well := channelsByID(t, asker(t, givenTo(d)).Ask(t.Context(), aimed(d.Address())))
			if len(well) == 0 {
				t.Fatal("it tells no channels when nothing fails")
			}
			parts := map[string]bool{}
			for _, r := range d.Requests() {
				if r.Scheme == "digest" {
					parts[part(r.Path, r.Query)] = true
				}
			}
			if len(parts) < 5 {
				t.Fatalf("it was asked only %v", parts)
			}
			for p := range parts {
				for fault, answer := range faults {
					s := fronted(t, d, func(r *http.Request) http.HandlerFunc {
						if r.Header.Get("Authorization") != "" && part(r.URL.Path, r.URL.RawQuery) == p {
							return answer
						}
						return nil
					})
					for id, c := range channelsByID(t, asker(t, givenTo(d)).Ask(t.Context(), s)) {
						lessThan(t, p+" "+fault, c, well[id])
					}
				}
			}
			if n := d.WrongAttempts(); n != 0 {
				t.Errorf("%d wrong passwords", n)
			}
		})
	}
}

// part names what a request is about.
func part(path, query string) string {
	q, _ := url.ParseQuery(query)
	return path + " " + q.Get("msubmenu") + q.Get("sortorder")
}

var faults = map[string]http.HandlerFunc{
	"forbidden": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
	"refused":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
	"absent":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
	"broken":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	"empty":     func(http.ResponseWriter, *http.Request) {},
	"a page":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html><body>Login = 1</body></html>") },
	"an object": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) },
	"odd JSON": func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"Response":{"ResponseCode":0,"Data":[]},"data":7}`)
	},
	"its NG": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "NG\r\nError Code: 604\r\n") },
	"half":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"Response":{"ResponseCode":0,"Da`) },
	"an error": func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"Response":{"ResponseCode":5,"Data":null}}`)
	},
	"very large": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat(" ", maxAnswer+1)) },
}

// fronted puts something before a device that answers some requests in its place.
func fronted(t *testing.T, d *cameratest.Device, instead func(*http.Request) http.HandlerFunc) discover.Sighting {
	t.Helper()
	through := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: d.Address().String()})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := instead(r); h != nil {
			h(w, r)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return aimed(netip.MustParseAddrPort(s.Listener.Addr().String()))
}

// lessThan checks that a channel tells the same as when all is well, or nothing.
func lessThan(t *testing.T, fault string, got, well Channel) {
	t.Helper()
	if well.ID == "" {
		t.Errorf("%s: a channel %q that there is not", fault, got.ID)
	}
	if got.Name != "" && got.Name != well.Name {
		t.Errorf("%s: channel %s is called %q", fault, got.ID, got.Name)
	}
	got.Schedule.Fact, well.Schedule.Fact = protocol.Fact{}, protocol.Fact{}
	got.Schedule.Zone, got.Schedule.ZoneAssumed = well.Schedule.Zone, well.Schedule.ZoneAssumed // the clock may be what fails
	if got.Schedule.Kind != protocol.ScheduleUnknown && !reflect.DeepEqual(got.Schedule, well.Schedule) {
		t.Errorf("%s: channel %s records %+v, want unknown or %+v", fault, got.ID, got.Schedule, well.Schedule)
	}
	r, w := got.Retention, well.Retention
	if r.Kind != protocol.RetentionUnknown && (r.Kind != w.Kind || r.Age != w.Age) {
		t.Errorf("%s: channel %s keeps %+v, want unknown or %+v", fault, got.ID, r, w)
	}
	if !r.OldestFootage.IsZero() && r.OldestFootage.Before(w.OldestFootage.Add(-3*time.Second)) {
		t.Errorf("%s: channel %s has footage since %s, which is more than it has", fault, got.ID, r.OldestFootage)
	}
}

// TestRecognised: each family is known by what only it answers, and by nothing else.
func TestRecognised(t *testing.T) {
	challenge := func(realm string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Digest realm="`+realm+`", nonce="1", qop="auth"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	body := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); fmt.Fprint(w, text) }
	}
	info := `{"data":{"propertyList":{"Brand":"%s","ProdNbr":"F1"}}}`
	envelope := `{"Response":{"ResponseURL":"/LAPI/V1.0/System/DeviceInfo","ResponseCode":3}}`
	for name, c := range map[string]struct {
		answer                http.HandlerFunc
		axis, uniview, hanwha likeness
	}{
		"Axis":                     {body(200, fmt.Sprintf(info, "AXIS")), known, stranger, stranger},
		"another's with its words": {body(200, fmt.Sprintf(info, "Other")), stranger, stranger, stranger},
		"Uniview":                  {challenge("NVRDVR"), locked, known, locked},
		"Uniview, in words":        {body(401, envelope), stranger, known, stranger},
		"Uniview, with success":    {body(200, envelope), stranger, known, stranger},
		"Hanwha":                   {challenge("iPolis_02-5E-47-00-00-01"), locked, locked, known},
		"Hanwha, older":            {challenge("iPOLiS"), locked, locked, known},
		"Hanwha, open":             {body(200, "Model=XRN-1\nDeviceType=NVR\n"), stranger, stranger, known},
		"anybody with a password":  {challenge("router"), locked, locked, locked},
		"no challenge":             {body(401, ""), stranger, stranger, stranger},
		"a page for everything":    {body(200, "<html>Model=1</html>"), stranger, stranger, stranger},
		"an object for everything": {body(200, `{"Response":{"ResponseCode":0},"Model":"x"}`), stranger, stranger, stranger},
		"a list":                   {body(200, `[]`), stranger, stranger, stranger},
		"nothing":                  {body(404, ""), stranger, stranger, stranger},
		"too much":                 {body(200, strings.Repeat("x", maxAnswer+1)), stranger, stranger, stranger},
	} {
		s := serveWeb(t, c.answer)
		w := func() *web { return webTo(t, s, &memory{}) }
		got := [...]likeness{axis{}.recognise(t.Context(), w()), uniview{}.recognise(t.Context(), w()), hanwha{}.recognise(t.Context(), w())}
		if want := [...]likeness{c.axis, c.uniview, c.hanwha}; got != want {
			t.Errorf("%s: %v, want %v (Axis, Uniview, Hanwha)", name, got, want)
		}
	}
}
