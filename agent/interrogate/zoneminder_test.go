package interrogate

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

const zmWritten = "bottega-zoneminder"

// readChannel is what a test expects of one channel; age of the oldest in hours, 0
// if it is not known.
type readChannel struct {
	id, name string
	w, h     int
	turns    bool
	schedule protocol.Schedule
	keeps    protocol.Retention
	oldest   float64
}

const (
	fullDisk = protocol.RetentionCapacity
	byAge    = protocol.RetentionAge
)

// compareChannels checks all that a driver reads of channels.
func compareChannels(t *testing.T, d Device, want []readChannel) {
	t.Helper()
	var got []readChannel
	for _, c := range d.Channels {
		r := readChannel{id: c.ID, name: c.Name, w: c.WidthPx, h: c.HeightPx, turns: c.Turns, schedule: protocol.Schedule{Kind: c.Schedule.Kind, Mode: c.Schedule.Mode},
			keeps: protocol.Retention{Kind: c.Retention.Kind, Age: c.Retention.Age, EventAge: c.Retention.EventAge}}
		if !c.Retention.OldestFootage.IsZero() {
			r.oldest = time.Since(c.Retention.OldestFootage).Round(time.Minute).Hours()
		}
		got = append(got, r)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read\n %+v, want\n %+v", got, want)
	}
}

func TestZoneMinder(t *testing.T) {
	got, d := lookAt(t, loadRecorder(t, zmWritten))
	days3, half := protocol.Retention{Kind: byAge, Age: 72 * time.Hour}, protocol.Retention{Kind: byAge, Age: 12 * time.Hour}
	compareChannels(t, got, []readChannel{
		{"1", "Vetrina corso Buenos Aires", 1920, 1080, false, always(protocol.Continuous), days3, 71},
		{"2", "Cassa", 1280, 720, false, always(protocol.Motion), half, 11},
		{"3", "Cortile di carico", 2560, 1440, true, always(protocol.Continuous), days3, 49.5},
		{"4", "Porta sul retro", 1920, 1080, false, always(protocol.Alarm), half, 0},
		{"5", "Solo in diretta", 1920, 1080, false, off(), days3, 0},
		{"6", "Magazzino (smontata)", 1920, 1080, false, off(), days3, 0},
		{"7", "Scala", 1920, 1080, false, protocol.Schedule{}, days3, 0},
	})
	if got.Family != ZoneMinder || got.Kind != KindRecorder || got.Vendor != "ZoneMinder" || got.Firmware != "1.36.33" || got.Zone != "Europe/Rome" ||
		got.Kept != KeptUnknown || got.Needs != NeedsNothing || len(whats(ownProblems(got))) != 0 {
		t.Errorf("read %+v", got)
	}
	checkClock(t, got, 4*time.Minute)
	for fact, raw := range map[string]string{
		"schedule":  "Function Record | Enabled 0",
		"retention": "PurgeWhenFull: Archived = 0, DiskPercent >= 95, EndDateTime IS NOT NULL | Tre giorni: EndDateTime < -3 day",
	} {
		if f := got.Channels[6].Facts[fact]; f.Raw != raw {
			t.Errorf("%s is said to be %q, want %q", fact, f.Raw, raw)
		}
	}
	for _, r := range d.Requests() {
		login := r.Method == "POST" && r.Path == "/zm/api/host/login.json"
		if strings.HasPrefix(r.Path, "/zm/") && r.Method != "GET" && !login || strings.Contains(r.Path, "configs") || strings.Contains(r.Path, "users") {
			t.Errorf("it was asked %s %s", r.Method, r.Path)
		}
	}
	if opened, open := d.Sessions(); opened != 1 || open != 0 {
		t.Errorf("%d sessions, %d left open", opened, open)
	}
	holdsNone(t, got, "SENTINEL-wrong", "SENTINEL-P", "SENTINEL-STREAM", "SENTINEL-SECRET")
}

func TestZoneMinderRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		answer   string // to the login; "" as it stands
		attempts int    // in three looks
		needs    Needs
	}{
		"the password":        {"", 1, NeedsWrongPassword},
		"a user unknown":      {`{"data":{"exception":{"message":"Could not retrieve user x details"}}}`, 1, NeedsWrongPassword},
		"the use of the API":  {`{"data":{"exception":{"message":"API disabled for: anagrafe"}}}`, 3, NeedsNothing},
		"in no known words":   {`{"data":{"exception":{"message":"Tornate domani"}}}`, 2, NeedsWrongPassword}, // the second time
		"in another language": {`<html>no</html>`, 2, NeedsWrongPassword},
	} {
		t.Run(name, func(t *testing.T) {
			c := loadRecorder(t, zmWritten)
			if tc.answer != "" {
				c = c.Replacing(map[string][]byte{"login_wrong.json": []byte(tc.answer)})
			}
			d := start(t, c, cameratest.Options{})
			m := &memory{given: Credential{User: "anagrafe", Password: "SENTINEL-wrong"}}
			for look := range 3 {
				got := asker(t, m).Ask(t.Context(), named(d))
				if needs := map[bool]Needs{true: NeedsNothing, false: tc.needs}[look == 0 && tc.attempts == 2]; got.Needs != needs || len(got.Channels) != 0 || !slices.Contains(whats(ownProblems(got)), "zoneminder") {
					t.Errorf("needs %q, %d channels, problems %v", got.Needs, len(got.Channels), got.Errors)
				}
				holdsNone(t, got, "SENTINEL-wrong", "SENTINEL-P", "SENTINEL-STREAM", "SENTINEL-SECRET")
			}
			if d.WrongAttempts() != tc.attempts {
				t.Errorf("%d attempts", d.WrongAttempts())
			}
		})
	}
}

// TestZoneMinderBroken plays answers that are wrong in part: the rest is read, what
// is lacking is unknown, and the session is closed.
func TestZoneMinderBroken(t *testing.T) {
	huge := slices.Repeat([]byte("x"), maxAnswer+1)
	for name, tc := range map[string]struct {
		file     string
		content  []byte
		channels int
		problems []string
		lacks    func(Channel) bool // of the first channel
	}{
		"no monitors":             {"monitors.json", []byte(`[]`), 0, []string{"zoneminder"}, nil},
		"huge monitors":           {"monitors.json", huge, 0, []string{"zoneminder"}, nil},
		"a monitor without order": {"monitors.json", []byte(`{"monitors":[{"Monitor":{"Id":[1]}},{"Monitor":7},{}]}`), 0, []string{"zoneminder"}, nil},
		"no zone": {"timezone.json", []byte(`{"tz":null}`), 7, []string{"oldest footage", "oldest footage", "oldest footage"},
			func(c Channel) bool { return c.Retention.OldestFootage.IsZero() && c.Schedule.Zone == "" }},
		"no events": {"events-1.json", []byte(`{`), 7, []string{"oldest event of 1"}, func(c Channel) bool { return c.Retention.OldestFootage.IsZero() }},
		"of another": {"events-1.json", []byte(`{"events":[{"Event":{"MonitorId":2,"StartDateTime":"2026-01-02 03:04:05"}}]}`), 7, nil,
			func(c Channel) bool { return c.Retention.OldestFootage.IsZero() }},
		"an archived one": {"events-1.json", []byte(`{"events":[{"Event":{"MonitorId":1,"Archived":1,"StartDateTime":"2026-01-02 03:04:05"}}]}`), 7, nil,
			func(c Channel) bool { return c.Retention.OldestFootage.IsZero() }},
		"no filters shown": {"filters.html", []byte(`<html><body>Accesso negato</body></html>`), 7, []string{"filters"}, keepsUnknown},
		"another filter":   {"filter-4.html", []byte(`<select name="Id"><option value="9" selected>9 Altro*</option></select>`), 7, []string{"filters"}, keepsUnknown},
		"a huge filter":    {"filter-4.html", huge, 7, []string{"filters"}, keepsUnknown},
		"only a full disk": {"filter-4.html", []byte(`<select name="Id"><option value="4" selected>4 Tre giorni*</option></select>`), 7, nil, func(c Channel) bool { return c.Retention.Kind == fullDisk }},
		"too many filters": {"filters.html", []byte(`<input name="filter[Name]"><select name="Id">` + strings.Repeat(`<option value="1">1 x*</option>`, maxFilters+1)), 7, []string{"filters"}, keepsUnknown},
		"storage is told":  {"privileges.json", []byte(`{`), 7, nil, func(c Channel) bool { return true }},
		"a schedule to come": {"monitors.json", []byte(`{"monitors":[{"Monitor":{"Id":1,"Function":"Sempre","Enabled":1}}]}`), 1, nil,
			func(c Channel) bool {
				return c.Schedule.Kind == protocol.ScheduleUnknown && c.Facts["schedule"].Raw == "Function Sempre | Enabled 1"
			}},
	} {
		t.Run(name, func(t *testing.T) {
			got, d := lookAt(t, loadRecorder(t, zmWritten).Replacing(map[string][]byte{tc.file: tc.content}))
			if len(got.Channels) != tc.channels || !slices.Equal(whats(ownProblems(got)), tc.problems) {
				t.Errorf("%d channels, problems %v", len(got.Channels), got.Errors)
			}
			if len(got.Channels) > 0 && !tc.lacks(got.Channels[0]) {
				t.Errorf("read %+v", got.Channels[0])
			}
			if opened, open := d.Sessions(); opened != 1 || open != 0 {
				t.Errorf("%d sessions, %d left open", opened, open)
			}
		})
	}
}

func keepsUnknown(c Channel) bool { return c.Retention.Kind == protocol.RetentionUnknown }

// TestZoneMinderRecorded reads what a running 1.36.33 answered.
func TestZoneMinderRecorded(t *testing.T) {
	dir := filepath.Join(sharedOnvif(t), "..", "recorders", "captured", "zoneminder-1.36.33")
	body, err := os.ReadFile(filepath.Join(dir, "monitors.json"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := zmMonitors(answer{body: body})
	if err != nil || len(all) != 4 {
		t.Fatalf("%d monitors, %v", len(all), err)
	}
	for i, want := range []struct {
		name     string
		schedule protocol.Schedule
	}{
		{"Ingresso Via Roma", always(protocol.Continuous)}, {"Cortile retro", always(protocol.Motion)}, {"Parcheggio (solo live)", off()}, {"Magazzino (spenta)", off()},
	} {
		if c := all[i]; c.name != want.name || c.schedule.Kind != want.schedule.Kind || c.schedule.Mode != want.schedule.Mode || c.width != 320 || c.height != 240 || c.turns {
			t.Errorf("read %+v, want %+v", c, want)
		}
	}
}

func TestZoneMinderSchedules(t *testing.T) {
	unknown := protocol.Schedule{}
	for _, tc := range []struct {
		m    zmMonitor
		want protocol.Schedule
	}{
		{zmMonitor{Function: "Record", Enabled: "1"}, always(protocol.Continuous)},
		{zmMonitor{Function: "Mocord", Enabled: "true"}, always(protocol.Continuous)},
		{zmMonitor{Function: "Modect", Enabled: "1"}, always(protocol.Motion)},
		{zmMonitor{Function: "Modect", Enabled: "0"}, unknown},
		{zmMonitor{Function: "Nodect", Enabled: "1"}, always(protocol.Alarm)},
		{zmMonitor{Function: "Monitor", Enabled: "0"}, off()},
		{zmMonitor{Function: "None"}, off()},
		{zmMonitor{Enabled: "1"}, unknown},
		{zmMonitor{}, unknown},
		{zmMonitor{Function: "Monitor", Enabled: "1", Capturing: "Always", Analysing: "Always", Recording: "OnMotion"}, always(protocol.Motion)},
		{zmMonitor{Capturing: "Always", Analysing: "None", Recording: "OnMotion"}, always(protocol.Alarm)},
		{zmMonitor{Capturing: "Always", Analysing: "None", Recording: "Always"}, always(protocol.Continuous)},
		{zmMonitor{Capturing: "Ondemand", Analysing: "Always", Recording: "Always"}, unknown},
		{zmMonitor{Capturing: "None", Analysing: "Always", Recording: "Always"}, off()},
		{zmMonitor{Capturing: "Always", Analysing: "Always", Recording: "None"}, off()},
		{zmMonitor{Capturing: "Always", Analysing: "Always", Recording: "Talvolta"}, unknown},
	} {
		if got := tc.m.schedule(); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%q: read %+v, want %+v", tc.m.words(), got, tc.want)
		}
	}
}

func TestZoneMinderRetention(t *testing.T) {
	deletes := func(terms ...zmTerm) zmFilter { return zmFilter{name: "f", deletes: true, terms: terms} }
	aged := func(value string) zmTerm { return zmTerm{"StartDateTime", "<=", value} }
	full, notArchived := zmTerm{"DiskPercent", ">", "90"}, zmTerm{"Archived", "=", "0"}
	hours := func(n int) protocol.Retention {
		return protocol.Retention{Kind: byAge, Age: time.Duration(n) * time.Hour}
	}
	untilFull, unknown := protocol.Retention{Kind: fullDisk}, protocol.Retention{}
	mixed := deletes(aged("-1 day"))
	mixed.mixed = true
	for name, tc := range map[string]struct {
		filters []zmFilter
		want    protocol.Retention
	}{
		"nothing deletes":        {nil, unknown},
		"one that only counts":   {[]zmFilter{{name: "f", terms: []zmTerm{aged("-1 day")}}}, unknown},
		"until full":             {[]zmFilter{deletes(notArchived, full)}, untilFull},
		"the shortest":           {[]zmFilter{deletes(full), deletes(aged("-1 week")), deletes(aged("-90 minutes"), notArchived), deletes(aged("-3 day"))}, protocol.Retention{Kind: byAge, Age: 90 * time.Minute}},
		"and full after":         {[]zmFilter{deletes(aged("-2 days ")), deletes(full)}, hours(48)},
		"days ago":               {[]zmFilter{deletes(aged("4 Days ago"))}, hours(96)},
		"both must hold":         {[]zmFilter{deletes(aged("-3 day"), aged("-1 day"))}, hours(72)},
		"old, once full":         {[]zmFilter{deletes(aged("-1 day"), full)}, untilFull},
		"of this one":            {[]zmFilter{deletes(full), deletes(zmTerm{"MonitorName", "=", "Cassa"}, aged("-1 day"))}, hours(24)},
		"of these":               {[]zmFilter{deletes(zmTerm{"MonitorId", "=[]", "1, 7"}, aged("-1 day"))}, hours(24)},
		"of another":             {[]zmFilter{deletes(full), deletes(zmTerm{"MonitorName", "=", "Vetrina"}, aged("-1 day"))}, untilFull},
		"of others":              {[]zmFilter{deletes(full), deletes(zmTerm{"MonitorId", "=[]", "17,27"}, zmTerm{"Cause", "=", "Motion"})}, untilFull},
		"of all but others":      {[]zmFilter{deletes(full), deletes(zmTerm{"MonitorId", "![]", "17,27"}, aged("-1 day"))}, unknown},
		"of one that is removed": {[]zmFilter{deletes(full), deletes(zmTerm{"MonitorName", "=", ""}, aged("-1 day"))}, unknown},
		"some events":            {[]zmFilter{deletes(full), deletes(zmTerm{"AlarmFrames", "=", "0"}, aged("-1 day"))}, unknown},
		"archived ones":          {[]zmFilter{deletes(zmTerm{"Archived", "=", "1"}, aged("-1 day"))}, unknown},
		"either or":              {[]zmFilter{deletes(full), mixed}, unknown},
		"a month":                {[]zmFilter{deletes(aged("-1 month"))}, unknown},
		"a date":                 {[]zmFilter{deletes(aged("2026-01-02"))}, unknown},
		"the future":             {[]zmFilter{deletes(aged("3 days"))}, unknown},
		"no time":                {[]zmFilter{deletes(aged("-0 day"))}, unknown},
		"newer ones":             {[]zmFilter{deletes(zmTerm{"StartDateTime", ">", "-3 day"})}, unknown},
		"everything":             {[]zmFilter{deletes()}, unknown},
	} {
		if got, _ := zmRetention(tc.filters, "7", "Cassa"); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: read %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestZoneMinderForm(t *testing.T) {
	page := func(inner string) form {
		return readForm([]byte(`<input name="filter[Name]" value="x"><input type=checkbox name="filter[AutoDelete]" value=1 checked>` +
			`<input type=checkbox name="filter[Background]" value=1 checked>` + inner))
	}
	const term = `<select name="filter[Query][terms][0][attr]"><option value="MonitorName" selected></select><input name="filter[Query][terms][0][op]" value="=">`
	or := strings.ReplaceAll(term, "[0]", "[1]") + `<select name="filter[Query][terms][1][cnj]"><option value="and"><option value="or" selected></select>`
	for name, tc := range map[string]struct {
		f    form
		want zmFilter
	}{
		"a monitor that is removed": {page(term + `<select name="filter[Query][terms][0][val]"><option value="Cassa"><option value="Scala"></select>`),
			zmFilter{"x", true, []zmTerm{{"MonitorName", "=", ""}}, false}},
		"a monitor":    {page(term + `<select name="filter[Query][terms][0][val]"><option value="Cassa"><option value="Scala" selected></select>`), zmFilter{"x", true, []zmTerm{{"MonitorName", "=", "Scala"}}, false}},
		"either or":    {page(term + or), zmFilter{"x", true, []zmTerm{{"MonitorName", "=", ""}, {"MonitorName", "=", ""}}, true}},
		"brackets":     {page(term + `<select name="filter[Query][terms][0][obr]"><option value="0"><option value="1" selected></select>`), zmFilter{"x", true, []zmTerm{{"MonitorName", "=", ""}}, true}},
		"not by it":    {readForm([]byte(`<input name="filter[Name]" value="x"><input type=checkbox name="filter[AutoDelete]" value=1 checked><input type="checkbox" name="filter[Background]" value="1">`)), zmFilter{name: "x"}},
		"in a script":  {readForm([]byte(`<script>'<input name="filter[Name]" value="x">'</script>`)), zmFilter{}},
		"in a comment": {readForm([]byte(`<!-- <input name="filter[Name]" value="x"> -->`)), zmFilter{}},
	} {
		if got := tc.f.filter(); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: read %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestZoneMinderIsNotAnybody(t *testing.T) {
	refusal := func(class, path string) string {
		return `{"data":{"url":"` + path + `","exception":{"class":"` + class + `"}}}`
	}
	for name, tc := range map[string]struct {
		status int
		body   string
		want   likeness
	}{
		"itself":                   {200, `{"version":"1.37.60","apiversion":"2.0"}`, known},
		"itself, locked":           {401, refusal("UnauthorizedException", "/zm/api/host/getVersion.json"), known},
		"its refusal, as no one":   {200, refusal("UnauthorizedException", "/zm/api/host/getVersion.json"), stranger},
		"another's refusal":        {401, refusal("UnauthorizedException", "/negozio/login"), stranger},
		"a page that is not found": {401, refusal("NotFoundException", "/zm/api/host/getVersion.json"), stranger},
		"another version":          {200, `{"version":"3"}`, stranger},
		"a page":                   {200, `<html>benvenuti</html>`, stranger},
		"a list":                   {200, `[]`, stranger},
		"nothing":                  {401, ``, stranger},
	} {
		s := serveWeb(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte(tc.body))
		})
		if got := (zoneMinder{}).recognise(t.Context(), webTo(t, s, &memory{})); got != tc.want {
			t.Errorf("%s: likeness %d, want %d", name, got, tc.want)
		}
	}
}

// TestZoneMinderOpen reads one that asks for no login.
func TestZoneMinderOpen(t *testing.T) {
	d := start(t, loadRecorder(t, zmWritten), cameratest.Options{Auth: cameratest.AuthNone})
	got := asker(t, nil).Ask(t.Context(), named(d))
	if got.Family != ZoneMinder || len(got.Channels) != 7 || slices.ContainsFunc(d.Requests(), func(r cameratest.Request) bool { return r.Method == "POST" && strings.HasPrefix(r.Path, "/zm/") }) {
		t.Errorf("taken for %q, with %d channels, asked %+v", got.Family, len(got.Channels), d.Requests())
	}
}

func FuzzZoneMinder(f *testing.F) {
	f.Add([]byte(`{"monitors":[{"Monitor":{"Id":"1","Name":null,"Function":"Modect","Enabled":1,"Width":1e9}}],"data":{"url":1}}`))
	f.Add([]byte(`<input name="filter[Name]"><select name="Id"><option value=1 selected>1 a*</select><select name="filter[Query][terms][0][attr]"><option value="DiskPercent">`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := answer{body: b}
		_, _ = jsonOf[zmReply](a)
		all, err := zmMonitors(a)
		if err == nil && len(all) > maxChannels {
			t.Errorf("%d channels", len(all))
		}
		form := readForm(b)
		filter := form.filter()
		if r, _ := zmRetention([]zmFilter{filter}, "1", "x"); r.Kind == byAge && r.Age <= 0 || len(filter.terms) > maxTerms {
			t.Errorf("read %+v of %+v", r, filter)
		}
	})
}
