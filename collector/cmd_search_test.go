package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/web"
	"anagrafe/protocol"
)

// street declares cameras of every class around one point: they see it, may see
// it, look away, or have long deleted what they saw. Each has a name of its own.
func street(now time.Time) protocol.Declaration {
	d := declared(uuid.NewString())
	fact := protocol.Fact{Source: protocol.Confirmed, At: now.Add(-time.Hour)}
	base := d.Cameras[0]
	d.Cameras = nil
	for i, c := range []struct {
		name            string
		metres          float64 // north of the point
		direction       int     // -1: unknown
		keeps           time.Duration
		turns, infrared bool
	}{
		{"Ingresso", 20, 180, 72 * time.Hour, false, true},
		{"Cortile", 30, -1, 24 * time.Hour, false, true},
		{"Cupola", 40, 180, 96 * time.Hour, true, true},
		{"Retro", 50, 0, 48 * time.Hour, false, true},
		{"Garage", 25, 180, time.Minute, false, true},
		{"Insegna", 60, 10, 0, false, false},
	} {
		camera, angle, reach, direction := base, 90, 90, c.direction
		camera.ID, camera.Name, camera.Channel = uuid.NewString(), c.name, string(rune('1'+i))
		camera.Position.Lat += int32(c.metres / 111_195 * 1e6)
		camera.View = protocol.View{AngleDeg: &angle, RangeM: &reach, WidthPx: 1920, HeightPx: 1080, Turns: c.turns, Infrared: c.infrared, Fact: fact}
		if c.direction >= 0 {
			camera.View.DirectionDeg = &direction
		}
		camera.Schedule = protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: fact}
		if c.keeps > 0 {
			camera.Retention = protocol.Retention{Kind: protocol.RetentionAge, Age: c.keeps, Fact: fact}
		}
		d.Cameras = append(d.Cameras, camera)
	}
	return d
}

// counter is a running collector with a street and an officer.
type counter struct {
	*serving
	file       string // the officer's credential
	credential web.Credential
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	dir, agents, consult := t.TempDir(), freePort(t, "127.83.41.9"), freePort(t, "127.0.0.1")
	c := &counter{serving: serveAt(t, dir, agents, consult), file: filepath.Join(t.TempDir(), "rossi.json")}
	c.officer(c.file)
	a := play(t, c.serving, agents)
	t.Cleanup(func() {
		a.leave()
		c.stop()
	})
	a.sayAt(time.Now().Add(-time.Hour), street(time.Now()))
	raw, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	if c.credential, err = web.ParseCredential(raw); err != nil {
		t.Fatal(err)
	}
	return c
}

// search runs the command; what it prints is results, and errors.
func (c *counter) search(args ...string) (code int, out, problem string) {
	c.t.Helper()
	var o, p bytes.Buffer
	code = run(c.t.Context(), console{out: &o, err: &p}, append([]string{"search", "-credential", c.file, "-case", "annotation:12/2026",
		"-offence", "robbery", "-reason", "rapina in piazza"}, args...))
	return code, o.String(), p.String()
}

// ask posts the page's form, as a browser or as a program.
func (c *counter) ask(accept string, form url.Values) string {
	c.t.Helper()
	for name, value := range map[string]string{"case_kind": "annotation", "case_ref": "12/2026", "offence": "robbery", "reason": "rapina in piazza"} {
		form.Set(name, value)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.credential.Server+"/search", strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("Authorization", "Bearer "+c.credential.Secret)
	follow := &http.Client{CheckRedirect: func(next *http.Request, via []*http.Request) error {
		next.Header = via[0].Header.Clone() // a browser has a cookie
		return nil
	}}
	res, err := follow.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %v\n%s", res.Status, err, body)
	}
	return string(body)
}

// ids of the cameras of a JSON answer, in order, and their names by id.
func ids(t *testing.T, answer string) (all []string, names map[string]string) {
	t.Helper()
	var a struct {
		Results []struct {
			ID   string `json:"camera_id"`
			Name string `json:"camera_name"`
		}
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	names = map[string]string{}
	for _, r := range a.Results {
		all, names[r.ID] = append(all, r.ID), r.Name
	}
	return all, names
}

// TestOneAnswer: the page, the API and the command line give the same cameras in
// the same order to the same question, with the same words.
func TestOneAnswer(t *testing.T) {
	c := newCounter(t)
	from, until := time.Now().Add(-20*time.Minute), time.Now().Add(-10*time.Minute)
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	moment, place := from.UTC().Format(time.RFC3339), []string{"sees the point from the north, 20 m", "does not see the point", "its direction is not known"}
	for name, q := range map[string]struct {
		asked []string // fields and values, as flags are
		want  []string // words
	}{
		"a moment": {[]string{"at", "9.19,45.464", "time", moment, "radius", "200"}, place},
		"a window": {[]string{"at", "9.19,45.464", "time", moment, "until", until.In(rome).Format(time.RFC3339), "radius", "200"}, place},
		"an area":  {[]string{"area", "9.1899,45.4639 9.1901,45.4639 9.1901,45.46435 9.1899,45.46435", "time", moment}, []string{"may see the area from the north", "hangs inside the area"}},
		"a route": {[]string{"route", "9.1890,45.4640 9.1910,45.4640", "time", moment, "means", "car", "radius", "200"},
			[]string{"sees the route from the north", "does not see the route", "may have come by", "its direction is not known"}},
	} {
		form, args := url.Values{}, []string{}
		for i := 0; i < len(q.asked); i += 2 {
			form.Set(q.asked[i], q.asked[i+1])
			args = append(args, "-"+q.asked[i], q.asked[i+1])
		}
		page := c.ask("text/html", form)
		api, names := ids(t, c.ask("application/json", form))
		code, raw, problem := c.search(append(args, "-json")...)
		if code != exitDone {
			t.Fatalf("exit %d: %s", code, problem)
		}
		if command, _ := ids(t, raw); len(api) < 4 || !slices.Equal(api, command) {
			t.Errorf("%s: the API gives %q, the command %q", name, api, command)
		}
		var want []string
		for _, id := range api {
			want = append(want, names[id])
		}
		if shown := submatches(page, `class="channel">([^<]+)<`); !slices.Equal(shown, want) {
			t.Errorf("%s: the page gives %q, the API %q", name, shown, want)
		}
		_, table, _ := c.search(args...)
		if got, want := submatches(table, `(?m)^\d+ +[ABC] .*\n {6}(.*)$`), first(t, raw); !slices.Equal(got, want) {
			t.Errorf("%s: under the rows of the table stands %q, the API says %q", name, got, want)
		}
		if shown := submatches(table, `(?m)^\d+ +[ABC] +(\S+)`); !slices.Equal(shown, want) {
			t.Errorf("%s: the table gives %q, the API %q\n%s", name, shown, want, table)
		}
		for _, words := range append(q.want, "it turns: it may look elsewhere", "already deleted", "deleted in 23 hours") {
			if !strings.Contains(table, words) || !strings.Contains(strings.NewReplacer("<strong>", "", "</strong>", "").Replace(page), words) {
				t.Errorf("%s: table and page do not both say %q\n%s", name, words, table)
			}
		}
	}
}

// first gives the first sentence on each camera of a JSON answer.
func first(t *testing.T, answer string) (all []string) {
	t.Helper()
	var a found
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatal(err)
	}
	for _, r := range a.Results {
		all = append(all, r.Why[0])
	}
	return all
}

func submatches(text, pattern string) (all []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// TestSearchMisused: what cannot be understood exits with 2 and names the flag;
// a time of the night on which clocks change is asked back.
func TestSearchMisused(t *testing.T) {
	c := newCounter(t)
	const at = "9.19,45.464"
	addresses := filepath.Join(t.TempDir(), "civici.csv")
	if err := os.WriteFile(addresses, []byte("street,number,lon,lat\nVia Torino,1,9.19,45.464\nVia Alessandro Manzoni,5,9.193,45.469\nPiazza Alessandro Manzoni,5,9.17,45.45\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.command("addresses", addresses, "-data", c.dir)
	for name, q := range map[string]struct {
		args []string
		want []string
	}{
		"no place":                    {[]string{"-time", "2026-10-25T02:30:00Z"}, []string{"-at is missing, or -address"}},
		"no zone":                     {[]string{"-at", at, "-time", "2026-10-01T12:30:00"}, []string{"-time: ", "no zone", "RFC 3339", "2026-10-01T12:30:00+02:00"}},
		"a time of day":               {[]string{"-at", at, "-time", "12:30"}, []string{"-time: ", "-date", "RFC 3339"}},
		"the hour twice":              {[]string{"-at", at, "-date", "2025-10-26", "-time", "02:30"}, []string{"-time: ", "comes twice", "2025-10-26T02:30:00+02:00 or 2025-10-26T02:30:00+01:00"}},
		"the hour never":              {[]string{"-at", at, "-date", "2027-03-28", "-time", "02:30"}, []string{"-time: ", "never was"}},
		"an area that crosses itself": {[]string{"-area", "9.18,45.46 9.19,45.47 9.19,45.46 9.18,45.47", "-time", "2025-10-26T12:30:00Z"}, []string{"-area: ", "crosses itself"}},
		"one of two places": {[]string{"-address", "Manzoni 5", "-time", "2025-10-26T12:30:00Z"},
			[]string{"-at: ", "Via Alessandro Manzoni 5 (9.193000,45.469000)", "Piazza Alessandro Manzoni 5"}},
		"several":            {[]string{"-at", "95,", "-time", "2025-10-26T12:30:00Z", "-radius", "5", "-reason", "x"}, []string{"-at: ", "-radius: ", "\n-reason: "}},
		"the case":           {[]string{"-at", at, "-time", "2025-10-26T12:30:00Z", "-case", "gossip:1"}, []string{"-case: "}},
		"a fold of no night": {[]string{"-at", at, "-date", "2025-10-26", "-time", "02:30", "-fold", "third"}, []string{"-fold: "}},
	} {
		code, out, problem := c.search(q.args...)
		if code != exitMisuse || out != "" {
			t.Errorf("%s: exit %d %s", name, code, out)
		}
		for _, want := range q.want {
			if !strings.Contains(problem, want) {
				t.Errorf("%s: %q is not in %s", name, want, problem)
			}
		}
	}
	for fold, want := range map[string]string{"first": "2025-10-26T00:30:00Z", "second": "2025-10-26T01:30:00Z"} {
		code, out, problem := c.search("-at", at, "-date", "2025-10-26", "-time", "2:30", "-fold", fold, "-json")
		var a struct{ Asked struct{ From, Until string } }
		if err := json.Unmarshal([]byte(out), &a); err != nil || code != exitDone || a.Asked.From != want || a.Asked.Until != want {
			t.Errorf("%s: exit %d %v %s %s", fold, code, err, out, problem)
		}
	}
	if code, out, problem := c.search("-address", "via Torino 1", "-time", "2025-10-26T12:30:00Z", "-json"); code != exitDone || !strings.Contains(out, `"place":"Via Torino 1"`) {
		t.Errorf("an address: exit %d %s %s", code, out, problem)
	}
	c.credential.Secret = "x"
	raw, err := json.Marshal(c.credential)
	if err == nil {
		err = os.WriteFile(c.file, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if code, _, problem := c.search("-at", at, "-time", "2025-10-26T12:30:00Z"); code != exitFailed || !strings.Contains(problem, "credential") {
		t.Errorf("a credential that is not accepted: exit %d %s", code, problem)
	}
}
