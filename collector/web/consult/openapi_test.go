package consult

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// caller asks a town as programs do, and holds each question and answer to the
// description.
type caller struct {
	*town
	described
	provoked map[string]bool // "POST /search 200"
}

// described is openapi.json, with every object closed: what is answered and not
// described is an error here, though programs pass over it.
type described struct {
	t       *testing.T
	whole   map[string]any
	schemas *jsonschema.Compiler
}

func newDescribed(t *testing.T) described {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(description))
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(value)
	d := described{t, value.(map[string]any), jsonschema.NewCompiler()}
	d.schemas.DefaultDraft(jsonschema.Draft2020) // the dialect of OpenAPI 3.1 adds to it what is no rule
	d.schemas.AssertFormat()
	if err := d.schemas.AddResource("openapi.json", value); err != nil {
		t.Fatal(err)
	}
	return d
}

func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["properties"].(map[string]any); ok && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			closeObjects(inner)
		}
	case []any:
		for _, inner := range v {
			closeObjects(inner)
		}
	}
}

// at gives a part of the description and its JSON pointer (RFC 6901), through
// references.
func (d described) at(keys ...string) (part map[string]any, pointer string) {
	d.t.Helper()
	part = d.whole
	for _, key := range keys {
		part, _ = part[key].(map[string]any)
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		if ref, ok := part["$ref"].(string); ok {
			part, pointer = d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
	}
	if part == nil {
		d.t.Fatalf("not described: %q", keys)
	}
	return part, pointer
}

// fits validates a value by the schema at some place of the description.
func (d described) fits(value any, keys ...string) error {
	d.t.Helper()
	_, pointer := d.at(keys...)
	schema, err := d.schemas.Compile("openapi.json#" + pointer)
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

const formType, jsonType = "application/x-www-form-urlencoded", "application/json"

// formFits validates a form by the schema of an operation's body: a parameter
// that is described as a list or a number is one.
func (d described) formFits(form url.Values, path, method string) error {
	d.t.Helper()
	keys := []string{"paths", path, method, "requestBody", "content", formType, "schema"}
	properties, _ := d.at(append(keys, "properties")...)
	object := map[string]any{}
	for name, values := range form {
		property, _ := properties[name].(map[string]any)
		switch {
		case property["type"] == "array":
			var all []any
			for _, v := range values {
				all = append(all, v)
			}
			object[name] = all
		case property["type"] == "integer":
			object[name] = json.Number(values[0])
		case len(values) == 1:
			object[name] = values[0]
		default:
			return fmt.Errorf("%s is given %d times", name, len(values))
		}
	}
	return d.fits(object, keys...)
}

// call asks, and wants a status. A question that is answered must have been
// one as described.
func (c *caller) call(status int, operation, who string, body url.Values, change ...func(*http.Request)) []byte {
	c.town.t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	for _, of := range []string{"/search/", "/requests/"} {
		if strings.HasPrefix(path, of) {
			path = of + "{id}"
		}
	}
	if status == http.StatusOK && body != nil {
		if err := c.formFits(body, path, strings.ToLower(method)); err != nil {
			c.town.t.Errorf("%s with %s is not as described: %v", operation, body.Encode(), err)
		}
	}
	return c.callRaw(status, operation, path, who, body.Encode(), change...)
}

func (c *caller) callRaw(status int, operation, path, who, body string, change ...func(*http.Request)) []byte {
	t := c.town.t
	t.Helper()
	method, address, _ := strings.Cut(operation, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, c.server.URL+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", formType)
	}
	r.Header.Set("Accept", jsonType)
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+c.secrets[who])
	}
	for _, f := range change {
		f(r)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != status {
		t.Errorf("%s answered %d, want %d: %s", operation, res.StatusCode, status, answer)
	}
	keys := []string{"paths", path, strings.ToLower(method), "responses", strconv.Itoa(res.StatusCode)}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer))
	if err == nil {
		err = c.fits(value, append(keys, "content", res.Header.Get("Content-Type"), "schema")...)
	}
	if err != nil {
		t.Errorf("%s: %d is not as described: %v\n%s", operation, res.StatusCode, err, answer)
	}
	described, _ := c.at(keys...)
	headers, _ := described["headers"].(map[string]any)
	for name := range headers {
		if res.Header.Get(name) == "" {
			t.Errorf("%s: %d comes without %s", operation, res.StatusCode, name)
		}
	}
	c.provoked[fmt.Sprint(method, " ", path, " ", res.StatusCode)] = true
	return answer
}

// TestDescription holds openapi.json to real questions and answers of every
// described status, by the real handlers over a real index and register.
// It is long because it is one table.
func TestDescription(t *testing.T) {
	d := newDescribed(t)
	c := &caller{newTown(t, withPlaces(t)), d, map[string]bool{}}
	c.declare(milan()...)
	c.declare(odd()...)
	c.of("Agente P. Sala", "Questura", "agente di PG")
	c.add(registry.User{Name: "Auditor", Role: registry.RoleForceAuditor, Force: "Questura"})

	var a jsonAnswer
	if err := json.Unmarshal(c.call(200, "POST /search", officerName, d.exampleOf("/search")), &a); err != nil || len(a.Results) != 11 {
		t.Fatalf("the example finds %d: %v", len(a.Results), err)
	}
	c.call(200, "POST /search", officerName, form(), func(r *http.Request) { r.Header.Set("Accept-Language", "it") })
	c.call(200, "POST /search", officerName, form("date", "2026-10-25", "time", "02:30", "until", "02:40", "fold", "first"))
	c.call(200, "POST /search", officerName, without(form("route", route, "speed", "4-15", "arrival", "21:12", "category", "pharmacy", "certain", "1"), "at"))
	c.call(200, "POST /search", officerName, without(form("area", area, "continuous", "1"), "at", "radius"))
	c.call(200, "POST /search", officerName, form("at", "via Orefici 2"))
	c.call(200, "POST /search", officerName, without(form("case", a.Asked.Case), "case_kind", "case_ref", "offence", "reason"))
	c.call(200, "GET /cases", officerName, nil)
	c.call(200, "POST /search", officerName, form("at", "Municipio 1"))
	c.call(200, "POST /addresses", officerName, d.exampleOf("/addresses"))
	c.call(200, "GET /search/"+a.Search, officerName, nil)
	sites := url.Values{"search": {a.Search}, "site": {a.Results[0].SiteID, a.Results[len(a.Results)-1].SiteID}}
	c.call(200, "POST /reveal", officerName, sites)
	silent := url.Values{"search": {a.Search}, "site": {a.Results[0].SiteID}}
	c.call(200, "POST /unanswered", officerName, silent)
	asked := d.exampleOf("/requests")
	asked["camera"] = []string{a.Results[0].CameraID, a.Results[1].CameraID}
	var sent jsonRequest
	if err := json.Unmarshal(c.call(200, "POST /requests", officerName, asked), &sent); err != nil {
		t.Fatal(err)
	}
	c.call(200, "GET /requests", officerName, nil)
	c.call(200, "GET /requests/"+sent.Request, officerName, nil)
	if got := c.call(200, "GET /openapi.json", officerName, nil); !bytes.Equal(got, description) {
		t.Error("what is served is another description")
	}

	for _, path := range []string{"/search", "/reveal", "/unanswered", "/requests", "/addresses"} {
		operation := "POST " + path
		c.callRaw(400, operation, path, officerName, "at=%zz")
		c.callRaw(400, operation, path, officerName, strings.Repeat("x", 70<<10))
		if path != "/addresses" {
			c.call(422, operation, officerName, url.Values{"search": {a.Search}})
		}
	}
	c.call(422, "POST /requests", officerName, with(asked, "camera", uuid.NewString()))
	c.call(422, "POST /search", officerName, exact("time", "2026-11-20T20:45:00+01:00", "until", "2026-11-20T20:40:00+01:00"))
	c.call(422, "POST /search", officerName, without(form("area", "9.18,45.46 9.19,45.47 9.19,45.46 9.18,45.47"), "at"))
	var which jsonProblem
	if err := json.Unmarshal(c.call(422, "POST /search", officerName, form("at", "Manzoni 5")), &which); err != nil || len(which.Errors) != 1 || len(which.Errors[0].Places) != 2 {
		t.Errorf("a place that is not sure is answered with %+v, %v", which, err)
	}
	c.call(403, "POST /requests", "Agente P. Sala", with(asked, "kind", "order"))
	c.call(404, "POST /reveal", officerName, with(sites, "search", "unknown"))
	c.call(404, "POST /unanswered", officerName, with(silent, "search", "unknown"))
	c.call(404, "GET /search/unknown", officerName, nil)
	c.call(404, "GET /requests/unknown", officerName, nil)

	every := d.operations(a.Search)
	for _, operation := range every {
		c.call(401, operation, "", nil)
		c.call(403, operation, "Auditor", nil)
		c.call(421, operation, officerName, nil, func(r *http.Request) { r.Host = "elsewhere.example" })
	}
	c.declare(crowd(101)...)
	halfShown := c.send("POST", "/search", officerName, exact(), true).header.Get("Location")
	if err := c.trail.Close(); err != nil {
		t.Fatal(err)
	}
	c.call(503, "GET "+halfShown, officerName, nil)
	c.call(503, "POST /search", officerName, exact())
	c.call(503, "POST /reveal", officerName, sites)
	c.call(503, "POST /unanswered", officerName, with(silent, "site", sites["site"][1]))
	c.call(503, "POST /requests", officerName, asked)
	c.call(503, "GET /requests", officerName, nil)
	c.call(503, "GET /requests/"+sent.Request, officerName, nil)
	c.secrets["Nobody"] = "x"
	for range 10 {
		c.call(401, "GET /requests", "Nobody", nil)
	}
	for _, operation := range every {
		c.call(429, operation, "Nobody", nil)
	}
	broken := &caller{newTown(t), d, c.provoked}
	if err := broken.reg.Close(); err != nil {
		t.Fatal(err)
	}
	for _, operation := range every {
		broken.call(500, operation, officerName, nil)
	}
	if got, want := slices.Sorted(maps.Keys(c.provoked)), d.statuses(); !slices.Equal(got, want) {
		t.Errorf("provoked  %q\ndescribed %q", got, want)
	}
}

// TestEveryRouteIsDescribed, but for pages and the map's tiles.
func TestEveryRouteIsDescribed(t *testing.T) {
	d := newDescribed(t)
	pagesOnly := []string{"GET /{$}", "GET /search", "GET /basemap.pmtiles", "POST /export", "GET /mine", "GET /cases/{case}", "POST /cases/{case}/refer",
		"POST /cases/{case}/share", "POST /cases/{case}/unshare", "POST /cases/{case}/close", "POST /cases/{case}/reopen", "POST /cases/{case}/called",
		"POST /papers/new", "POST /papers", "GET /papers/{id}", "GET /cases/{case}/papers", "POST /cases/{case}/dossier", "POST /patrol",
		"POST /preserve", "GET /requests/{id}/states", "POST /requests/{id}/contacts"} // programs have it all in JSON
	var got []string
	for _, r := range newTown(t).consult.Routes() {
		if !slices.Contains(pagesOnly, r.Pattern) {
			got = append(got, r.Pattern)
		}
	}
	slices.Sort(got)
	if want := d.operations("{id}"); !slices.Equal(got, want) {
		t.Errorf("routes    %q\ndescribed %q", got, want)
	}
}

// TestDescribedExamples: what the description shows of the two nights is what
// is answered.
func TestDescribedExamples(t *testing.T) {
	d := newDescribed(t)
	c := &caller{newTown(t), d, map[string]bool{}}
	for name, day := range map[string]string{"twice": "2026-10-25", "never": "2027-03-28"} {
		var got map[string]any
		if err := json.Unmarshal(c.call(422, "POST /search", officerName, form("date", day, "time", "02:30", "until", "")), &got); err != nil {
			t.Fatal(err)
		}
		want, _ := d.at("components", "responses", "NotUnderstood", "content", jsonType, "examples", name, "value")
		want["hint"] = got["hint"]
		if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
			t.Errorf("%s: answered %s, described %s", name, g, w)
		}
	}
	if n := len(c.entries("search")); n != 0 {
		t.Errorf("%d entries on the trail for questions that were asked back", n)
	}
}

var (
	night      = protocol.Interval{From: 18 * 60, To: 24 * 60, Mode: protocol.Motion}
	ferragosto = protocol.Suspension{From: made.AddDate(0, -3, 0), To: made.AddDate(0, -2, 0)}
)

// odd are cameras of which all is known that the others lack.
func odd() []siteOf {
	turns := site("Albergo Croce", "hotel", "Via Orefici 20", "Rita Neri", 0,
		hung{name: "Cupola", east: 10, north: -40, direction: 5, angle: 60, reach: 80, keeps: 5 * day, schedule: always, turns: true, infrared: true},
		hung{name: "Portico", east: 14, north: -44, direction: 350, angle: 100, reach: 60, keeps: 5 * day, schedule: always})
	turns.recorder.Storage, turns.recorder.StorageNote = protocol.StorageCloud, "presso il fornitore"
	height := 350
	c := &turns.cameras[1]
	c.View.HeightCm = &height
	c.Schedule.Kind, c.Schedule.Mode, c.Schedule.ZoneAssumed = protocol.ScheduleWeekly, "", true
	c.Schedule.Days[5] = append(c.Schedule.Days[5], night)
	c.Schedule.Suspensions = append(c.Schedule.Suspensions, ferragosto)
	c.Retention.EventAge, c.Retention.OldestFootage, c.Retention.ObservedAt, c.Retention.Settled = 9*day, made.Add(-3*day), made, true
	return []siteOf{turns}
}

// exampleOf is the form that the description shows for a path's POST.
func (d described) exampleOf(path string) url.Values {
	d.t.Helper()
	example, _ := d.at("paths", path, "post", "requestBody", "content", formType, "example")
	v := url.Values{}
	for name, value := range example {
		all, ok := value.([]any)
		if !ok {
			all = []any{value}
		}
		for _, one := range all {
			v.Add(name, fmt.Sprint(one))
		}
	}
	return v
}

// operations are the described ones, as they are asked.
func (d described) operations(search string) (all []string) {
	paths, _ := d.at("paths")
	for path, item := range paths {
		for method := range item.(map[string]any) {
			all = append(all, strings.ToUpper(method)+" "+strings.ReplaceAll(path, "{id}", search))
		}
	}
	slices.Sort(all)
	return all
}

// statuses are the described ones: "POST /search 200".
func (d described) statuses() (all []string) {
	paths, _ := d.at("paths")
	for path, item := range paths {
		for method := range item.(map[string]any) {
			responses, _ := d.at("paths", path, method, "responses")
			for status := range responses {
				all = append(all, strings.ToUpper(method)+" "+path+" "+status)
			}
		}
	}
	slices.Sort(all)
	return all
}

func with(form url.Values, name string, values ...string) url.Values {
	changed := maps.Clone(form)
	changed[name] = values
	return changed
}

func without(form url.Values, names ...string) url.Values {
	for _, name := range names {
		form.Del(name)
	}
	return form
}
