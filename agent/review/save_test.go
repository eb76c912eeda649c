package review

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// families are all of them, and the general one.
var families = []interrogate.Family{interrogate.Hikvision, interrogate.Dahua, interrogate.Axis, interrogate.Uniview, interrogate.Synology,
	interrogate.Reolink, interrogate.UniFi, interrogate.Hanwha, interrogate.Nx, interrogate.Frigate, interrogate.ZoneMinder, interrogate.MediaMTX, ""}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	m, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What the recorder's own clock shows from half past two to three o'clock.
func TestOnRecorder(t *testing.T) {
	clock := func(offset, within time.Duration, when string) *protocol.Clock {
		return &protocol.Clock{OffsetMs: offset.Milliseconds(), UncertaintyMs: within.Milliseconds(), At: at(t, when)}
	}
	const november, october, june = "2026-11-21T12:00:00Z", "2026-10-25T03:00:00Z", "2026-06-21T12:00:00Z"
	rome := "Europe/Rome"
	w := start(t).pages.Words(pages.It)
	for _, tc := range []struct {
		name     string
		from, to string
		device   inventory.Device
		want     string
		season   bool
		assumed  bool
	}{
		{"a right clock", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z", inventory.Device{Zone: rome, Clock: clock(0, 0, november)}, "20/11/2026 14:30, 20/11/2026 15:00", false, false},
		{"rounded outwards", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z",
			inventory.Device{Zone: rome, Clock: clock(0, 500*time.Millisecond, november)}, "20/11/2026 14:29, 20/11/2026 15:01", false, false},
		{"ahead", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z", inventory.Device{Zone: rome, Clock: clock(58*time.Minute, 20*time.Second, november)}, "20/11/2026 15:27, 20/11/2026 15:59", false, false},
		{"behind, over midnight", "2026-11-20T23:10:00Z", "2026-11-20T23:20:00Z",
			inventory.Device{Zone: rome, Clock: clock(-15*time.Minute, 0, november)}, "20/11/2026 23:55, 21/11/2026 00:05", false, false},
		{"not known", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z", inventory.Device{Zone: rome}, "20/11/2026 14:15, 20/11/2026 15:15", false, false},
		{"another zone", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z", inventory.Device{Zone: "UTC+03:00", Clock: clock(0, 0, november)}, "20/11/2026 16:30, 20/11/2026 17:00", false, false},
		{"no summer time", "2026-06-20T13:30:00Z", "2026-06-20T14:00:00Z", inventory.Device{Zone: "UTC+01:00", Clock: clock(0, 0, june)}, "20/06/2026 14:30, 20/06/2026 15:00", false, false},
		{"UTC", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z", inventory.Device{Zone: "UTC+00:00", Clock: clock(0, 0, november)}, "20/11/2026 13:30, 20/11/2026 14:00", false, false},
		{"no zone", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z", inventory.Device{Clock: clock(0, 0, november)}, "20/11/2026 14:30, 20/11/2026 15:00", false, true},
		{"not this machine's zone", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z", inventory.Device{Zone: "Local", Clock: clock(0, 0, november)}, "20/11/2026 14:30, 20/11/2026 15:00", false, true},
		{"a zone that is not known here", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z",
			inventory.Device{Zone: "Mars/Base", Clock: clock(0, 0, november)}, "20/11/2026 14:30, 20/11/2026 15:00", false, true},
		{"an assumed zone", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z", inventory.Device{Zone: rome, ZoneAssumed: true, Clock: clock(0, 0, november)}, "20/11/2026 14:30, 20/11/2026 15:00", false, true},
		{"read in another season", "2026-10-20T12:30:00Z", "2026-10-20T13:00:00Z", inventory.Device{Zone: rome, Clock: clock(0, 0, november)}, "20/10/2026 14:30, 20/10/2026 15:00", true, false},
		{"the night in which an hour comes twice", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", inventory.Device{Zone: rome, Clock: clock(0, 0, october)},
			"25/10/2026 02:30 (ora legale, UTC+2), 25/10/2026 02:30 (ora solare, UTC+1)", true, false},
		{"a clock of 1970", "2026-11-20T13:30:00Z", "2026-11-20T14:00:00Z", inventory.Device{Zone: rome, Clock: clock(-at(t, november).Sub(time.Unix(0, 0)), 0, november)},
			"31/12/1969 02:30, 31/12/1969 03:00", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := onRecorder(asked{at(t, tc.from), at(t, tc.to)}, tc.device)
			if text := figures(w, got.From) + ", " + figures(w, got.To); text != tc.want || got.Season != tc.season || got.ZoneAssumed != tc.assumed {
				t.Errorf("%s, season %t, assumed %t; want %s, %t, %t", text, got.Season, got.ZoneAssumed, tc.want, tc.season, tc.assumed)
			}
		})
	}
}

func TestFateOf(t *testing.T) {
	now := at(t, "2026-11-21T12:00:00Z")
	hours := func(n int) time.Time { return now.Add(-time.Duration(n) * time.Hour) }
	age := protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, OldestFootage: hours(71), ObservedAt: now}
	full := protocol.Retention{Kind: protocol.RetentionCapacity, OldestFootage: hours(100), ObservedAt: now, Settled: true}
	always := protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous}
	nights := protocol.Schedule{Kind: protocol.ScheduleWeekly, Zone: "Europe/Rome"}
	for d := range 7 {
		nights.Days[d] = []protocol.Interval{{From: 0, To: 360, Mode: protocol.Motion}}
	}
	for _, tc := range []struct {
		name      string
		from, to  int // hours ago
		schedule  protocol.Schedule
		retention protocol.Retention
		want      string
	}{
		{"there, and it stays", 10, 9, always, age, ""},
		{"nothing is known", 10, 9, protocol.Schedule{}, protocol.Retention{}, ""},
		{"it is about to go", 70, 69, always, age, "until 2h0m0s"},
		{"about to go, in a full store", 60, 59, always, full, "until 40h0m0s"},
		{"its beginning is gone", 73, 70, always, age, "partly"},
		{"it is gone", 80, 79, always, age, "gone"},
		{"older than all that is there", 200, 199, always, full, "gone"},
		{"gone whatever the week says", 80, 79, protocol.Schedule{}, age, "gone"},
		{"switched off", 10, 9, protocol.Schedule{Kind: protocol.ScheduleOff}, age, "off"},
		{"outside its hours", 3, 2, nights, age, "off"},
		{"partly within its hours", 8, 5, nights, age, "event"},
		{"only if something moves", 10, 9, protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Motion}, age, "event"},
		{"it still goes on", 1, -1, always, age, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := fateOf(asked{hours(tc.from), hours(tc.to)}, protocol.Camera{Schedule: tc.schedule, Retention: tc.retention}, now)
			var got []string
			for word, is := range map[string]bool{"gone": f.Gone, "partly": f.Partly, "off": f.Off, "event": f.OnEvent} {
				if is {
					got = append(got, word)
				}
			}
			if !f.Until.IsZero() {
				got = append(got, "until "+f.Until.Sub(now).String())
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestInterval(t *testing.T) {
	now := at(t, "2026-11-21T12:00:00Z")
	for _, tc := range []struct {
		from, to string
		want     string // both in UTC, or what is wrong
	}{
		{"2026-11-20T14:30:00+01:00", "2026-11-20T15:00:00+01:00", "2026-11-20T13:30:00Z 2026-11-20T14:00:00Z"},
		{"2026-11-20T14:30", "2026-11-20T15:00:30", "2026-11-20T13:30:00Z 2026-11-20T14:00:30Z"},
		{"2026-07-20T14:30", "2026-07-20T15:00", "2026-07-20T12:30:00Z 2026-07-20T13:00:00Z"},
		{"2026-10-25T02:30", "2026-10-25T02:30", "2026-10-25T00:30:00Z 2026-10-25T01:30:00Z"}, // both of the two
		{"2026-03-29T02:30", "2026-03-29T04:00", "from wrong.skipped"},                        // on no clock
		{"", "2026-11-20T15:00", "from wrong.when"},
		{"2026-11-20T15:00", "", "to wrong.when"},
		{"ieri", "oggi", "from wrong.when"},
		{"0001-01-01T00:00", "2026-11-20T15:00", "from wrong.when"},
		{"9999-12-31T23:59:59Z", "2026-11-20T15:00", "from wrong.when"},
		{"2026-11-20T15:00", "2026-11-20T15:00", "to wrong.order"},
		{"2026-11-20T15:00", "2026-11-20T14:00", "to wrong.order"},
		{"2026-11-21T13:01", "2026-11-21T14:00", "from wrong.future"},
		{"2026-11-21T12:59", "2026-11-21T14:00", "2026-11-21T11:59:00Z 2026-11-21T13:00:00Z"},
		{"2026-11-10T15:00", "2026-11-17T15:01", "to wrong.long"},
	} {
		a, field, key := interval(tc.from, tc.to, now)
		got := field + " " + key
		if key == "" {
			got = a.From.Format(time.RFC3339) + " " + a.To.Format(time.RFC3339)
		}
		if got != tc.want {
			t.Errorf("%q to %q: %s, want %s", tc.from, tc.to, got, tc.want)
		}
	}
}

func FuzzMoment(f *testing.F) {
	for _, text := range []string{"2026-11-20T14:30", "2026-10-25T02:30:59", "2026-11-20T14:30:00+01:00", "2026-03-29T02:30", "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, ok := moment(text, false)
		last, too := moment(text, true)
		if ok != too || last.Before(first) || ok && (first.Year() < 1999 || last.Year() > 2200) || last.Sub(first) > time.Hour {
			t.Errorf("%q: %v %t, %v %t", text, first, ok, last, too)
		}
	})
}

// Every family has its own steps and its own account, in both languages, and as
// many as a person follows.
func TestEveryFamilyHasSteps(t *testing.T) {
	o := start(t)
	for _, lang := range []pages.Lang{pages.It, pages.En} {
		w := o.pages.Words(lang)
		general := strings.Join(familySteps(w, "save", ""), "")
		for _, f := range families {
			todo := append([]string{w.T("save.open")}, familySteps(w, "save", f, "camera", "C", "from", "F", "to", "T")...)
			text := strings.Join(todo, " ")
			if len(todo) < 4 || len(todo) > 7 || strings.ContainsAny(text, "{}[]") || !strings.Contains(text, " C") || !strings.Contains(text, " F") || !strings.Contains(text, " T") {
				t.Errorf("%s, %s: %q", lang, f, todo)
			}
			if f != "" && strings.Contains(text, general) {
				t.Errorf("%s has the general steps", f)
			}
			account := strings.Join(familySteps(w, "account", f), " ")
			if account == "" || strings.ContainsAny(account, "{}[]") || f != "" && f != interrogate.ZoneMinder &&
				!strings.Contains(account, map[pages.Lang]string{pages.It: "i solito", pages.En: "sually"}[lang]) {
				t.Errorf("%s, %s: %q", lang, f, account)
			}
		}
		if got := familySteps(w, "save", "never-heard-of"); strings.Join(got, "") != general {
			t.Errorf("an unknown family: %q", got)
		}
	}
}

// The page, for each family and in both languages, as people and as programs
// read it.
func TestSavePage(t *testing.T) {
	o := start(t)
	o.signIn(t)
	to := time.Now().UTC().Truncate(time.Minute).Add(-2 * time.Hour)
	from := to.Add(-30 * time.Minute)
	for _, f := range families {
		d := recorder()
		d.Family, d.Kept, d.Zone = f, interrogate.KeptDisk, "Europe/Rome"
		d.Channels[0].Facts = map[string]interrogate.Fact{"name": {From: "GET /example"}}
		if f == "" {
			d.Channels[0].Facts["name"] = interrogate.Fact{From: "onvif"}
		}
		o.found = append(o.found[:0], d)
		<-o.start()
		var all listed
		o.api(t, "GET", "/cameras", nil, &all)
		path := "/save?" + url.Values{"camera": {all.Cameras[0].ID}, "from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}.Encode()
		var program saveJSON
		if status := o.api(t, "GET", path, nil, &program); status != http.StatusOK || !program.ClockKnown || program.Family != all.Devices[0].Family {
			t.Fatalf("%s: %d %+v", f, status, program)
		}
		// 58 minutes ahead, and half a second either way.
		wantFrom, wantTo := from.Add(57*time.Minute).In(pages.Rome()), to.Add(59*time.Minute).In(pages.Rome())
		if program.RecorderFrom != wantFrom.Format("2006-01-02T15:04") || program.RecorderTo != wantTo.Format("2006-01-02T15:04") {
			t.Errorf("%s: on the recorder %s to %s, want %s to %s", f, program.RecorderFrom, program.RecorderTo, wantFrom, wantTo)
		}
		for _, lang := range []pages.Lang{pages.It, pages.En} {
			w := o.pages.Words(lang)
			status, body, _ := o.send(t, "GET", path+"&lang="+string(lang), "")
			for _, want := range []string{wall(w, wantFrom), wall(w, wantTo), w.DateTime(from), w.DateTime(to), w.T("kept.disk"), w.T("save.untried"), "192.168.7.10"} {
				if !strings.Contains(body, want) {
					t.Errorf("%s, %s: %d without %q", f, lang, status, want)
				}
			}
			if n := strings.Count(body, "<li>"); n < 9 {
				t.Errorf("%s: %d steps", f, n)
			}
		}
	}
}

func TestSavePageAsksAndRefuses(t *testing.T) {
	o := start(t)
	o.signIn(t)
	<-o.start()
	var all listed
	o.api(t, "GET", "/cameras", nil, &all)
	id := all.Cameras[0].ID
	for _, tc := range []struct {
		query  string
		status int
		want   string
	}{
		{"camera=" + id, 200, `type="datetime-local"`},
		{"camera=" + id + "&from=2026-11-20T14:30", 422, "Scrivi giorno e ora."},
		{"camera=" + id + "&from=2026-03-29T02:30&to=2026-03-29T03:30", 422, `value="2026-03-29T02:30"`},
		{"camera=" + id + "&from=%3Cscript%3E&to=x", 422, "&lt;script&gt;"},
		{"camera=no-such&from=2026-11-20T14:30&to=2026-11-20T15:30", 404, "non c&#39;è più"},
		{"", 404, "non c&#39;è più"},
	} {
		if status, body, _ := o.send(t, "GET", "/save?"+tc.query, ""); status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%q: %d, without %q", tc.query, status, tc.want)
		}
	}
	var refused struct{ Error, Field string }
	for query, field := range map[string]string{"": "from", "&from=x&to=y": "from", "&from=2026-11-20T14:30&to=2026-11-20T14:30": "to"} {
		if status := o.api(t, "GET", "/save?camera="+id+query, nil, &refused); status < 400 || status >= 500 || refused.Field != field {
			t.Errorf("%q: %d %+v", query, status, refused)
		}
	}
	if status, _, _ := o.send(t, "POST", "/save?camera="+id, ""); status != http.StatusMethodNotAllowed && status != http.StatusNotFound {
		t.Errorf("the page takes a POST: %d", status)
	}
	o.client.Jar = nil
	if status, body, _ := o.send(t, "GET", "/save?camera="+id, ""); status != http.StatusUnauthorized || strings.Contains(body, "Ingresso") {
		t.Errorf("without a session: %d", status)
	}
}

// What is known of the footage is said before the steps; what is not known too.
func TestSavePageWarns(t *testing.T) {
	o := start(t)
	o.signIn(t)
	d := recorder()
	o.found = append(o.found[:0], d)
	<-o.start()
	var all listed
	o.api(t, "GET", "/cameras", nil, &all)
	ask := func(hours int) string {
		t.Helper()
		to := time.Now().Add(-time.Duration(hours) * time.Hour)
		q := url.Values{"camera": {all.Cameras[0].ID}, "from": {to.Add(-10 * time.Minute).Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
		_, body, _ := o.send(t, "GET", "/save?lang=it&"+q.Encode(), "")
		return body
	}
	w := o.pages.Words(pages.It)
	check := func(body string, want ...string) {
		t.Helper()
		for _, key := range []string{"save.gone", "save.partly", "save.off", "save.event", "save.noclock", "save.nozone"} {
			should := strings.Contains(fmt.Sprint(want), key)
			if strings.Contains(body, html.EscapeString(w.T(key))) != should {
				t.Errorf("%s is said: %t", key, !should)
			}
		}
	}
	check(ask(5), "save.event", "save.nozone")
	check(ask(200), "save.gone", "save.event", "save.nozone")
	if body := ask(60); !strings.Contains(body, "Il registratore le cancella presto") {
		t.Error("footage that is deleted in half a day is not called urgent")
	}

	blind := locked()
	o.found = append(o.found[:0], blind)
	<-o.start()
	o.api(t, "GET", "/cameras", nil, &all)
	for i, c := range all.Cameras {
		if c.Device.Model == blind.Model {
			all.Cameras[0] = all.Cameras[i]
		}
	}
	check(ask(5), "save.noclock", "save.nozone")
}
