package interrogate

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// TestPartsThatFail: whatever one part of an interface answers, the others are read
// as before, and of that part nothing else is told than when it works: what was
// refused or garbled is unknown, never off.
func TestPartsThatFail(t *testing.T) {
	for _, shop := range []string{"merceria-hikvision", "ferramenta-axis", "panetteria-uniview", "libreria-hanwha"} {
		t.Run(shop, func(t *testing.T) {
			t.Parallel()
			d := start(t, loadRecorder(t, shop), cameratest.Options{})
			well := channelsByID(t, asker(t, owner(d)).Ask(t.Context(), named(d)))
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
					for id, c := range channelsByID(t, asker(t, owner(d)).Ask(t.Context(), s)) {
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
	return path + " " + q.Get("action") + q.Get("name") + q.Get("msubmenu") + q.Get("sortorder")
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
