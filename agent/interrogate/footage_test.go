package interrogate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// stores are the recorders whose store can be asked, each with a channel of it and
// its clock as the device keeps it.
var stores = map[Family]struct {
	folder, channel string
	offset          time.Duration
}{
	Hikvision:  {"merceria-hikvision", "1", 7 * time.Minute},
	Dahua:      {"merceria-dahua", "1", 0},
	Synology:   {"bottegabrera-synology", "1", 0},
	Reolink:    {"galleriaisola-reolink", "0", 0},
	Nx:         {"cartoleria-nx", "5e471e15-7001-4000-8000-000000000001", 0},
	Frigate:    {"officina-frigate", "cortile", -2 * time.Minute},
	ZoneMinder: {"bottega-zoneminder", "1", 0},
}

// noSummer is a zone in which no night is special.
var noSummer = time.FixedZone("UTC+01:00", 3600)

// files are stretches of so many minutes before an hour ago: from, until.
func files(end time.Time, minutes ...int) (all []cameratest.Stretch) {
	for i := 0; i+1 < len(minutes); i += 2 {
		all = append(all, cameratest.Stretch{From: end.Add(-time.Duration(minutes[i]) * time.Minute), Until: end.Add(-time.Duration(minutes[i+1]) * time.Minute)})
	}
	return all
}

// TestFootage asks every family for the 30 minutes that ended two hours ago, and
// what it has around them is in the same words for all.
func TestFootage(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	end := now.Add(-2 * time.Hour)
	want := func(channel string) Wanted {
		return Wanted{Channel: channel, Continuous: true, From: end.Add(-30 * time.Minute), Until: end}
	}
	older := []int{26 * 60, 25 * 60}
	for name, c := range map[string]struct {
		minutes []int
		want    Presence
		periods int
		why     string
	}{
		"all of it, in one file":      {append(older, 60, -45), PresenceYes, 1, ""},
		"all of it, in three files":   {append(older, 45, 20, 20, 10, 10, -10), PresenceYes, 1, ""},
		"its beginning is gone":       {[]int{12, -45}, PresencePartly, 1, ""},
		"only its end":                {append(older, 5, -45), PresencePartly, 1, ""},
		"only when something moved":   {append(older, 28, 26, 14, 13), PresencePartly, 2, ""},
		"none of it, but just before": {[]int{90, 40}, PresenceNo, 0, ""},
		"none of it, but before":      {older, PresenceNo, 0, ""},
		"none of it, but after":       {[]int{-30, -45}, PresenceNo, 0, ""},
		"nothing at all":              {nil, PresenceUnknown, 0, "no footage of this camera at all"},
		"more than one answer holds":  {longList(), PresencePartly, 0, ""},
	} {
		for family, store := range stores {
			if name == "more than one answer holds" && family != Hikvision && family != Dahua && family != Synology && family != ZoneMinder {
				continue // they tell all at once
			}
			t.Run(string(family)+"/"+name, func(t *testing.T) {
				c := c
				d := start(t, loadRecorder(t, store.folder), cameratest.Options{Footage: &cameratest.Footage{Zone: noSummer, Channels: map[string][]cameratest.Stretch{store.channel: files(end, c.minutes...)}}})
				if len(c.minutes) == 0 || family == Reolink || family == Frigate {
					c.want, c.why = emptyStore(t, d, family, c.want, c.why)
				}
				found, err := asker(t, owner(d)).Footage(t.Context(), named(d), finderOf(d, family), []Wanted{want(store.channel)})
				if err != nil || len(found) != 1 {
					t.Fatalf("found %+v, %v", found, err)
				}
				got := found[0]
				if got.Presence != c.want || c.why != "" && !strings.Contains(got.Why, c.why) || c.why == "" && got.Why != "" {
					t.Errorf("found %+v, want %s %q", got, c.want, c.why)
				}
				if c.periods > 0 && len(got.Periods) != c.periods {
					t.Errorf("in %d periods, want %d: %v", len(got.Periods), c.periods, got.Periods)
				}
				for _, p := range got.Periods {
					if p.From.Before(end.Add(-30*time.Minute)) || p.Until.After(end) || !p.Until.After(p.From) {
						t.Errorf("%v is not within the interval", p)
					}
				}
				if name == "its beginning is gone" && got.Periods[0].From.Sub(end.Add(-12*time.Minute)).Abs() > 2*time.Second {
					t.Errorf("what is left begins at %v, want %v", got.Periods[0].From, end.Add(-12*time.Minute))
				}
				closedAfter(t, d)
			})
		}
	}
}

// emptyStore: that there is any footage at all Reolink and Frigate tell by the
// answers of the folder, which have some.
func emptyStore(t *testing.T, d *cameratest.Device, family Family, want Presence, why string) (Presence, string) {
	t.Helper()
	if (family == Reolink || family == Frigate) && want == PresenceUnknown {
		return PresenceNo, ""
	}
	return want, why
}

// longList is a file every 4 seconds: more than is read of any interval.
func longList() []int {
	var all []int
	for i := range 1000 {
		all = append(all, 31-i/40, 30-i/40)
	}
	return all
}

// finderOf is what a look would have kept of the device.
func finderOf(d *cameratest.Device, family Family) Finder {
	return Finder{Family: family, Zone: "UTC+01:00",
		Clock: &protocol.Clock{OffsetMs: d.Options().ClockOffset.Milliseconds(), UncertaintyMs: 500, At: time.Now(), Method: "test"}}
}

// TestFootageByBegin: a recorder that lists files by their beginning is searched
// from earlier on, so that a file that holds the interval is not taken for absent.
func TestFootageByBegin(t *testing.T) {
	end := time.Now().UTC().Truncate(time.Second).Add(-2 * time.Hour)
	d := start(t, loadRecorder(t, "merceria-dahua"), cameratest.Options{Footage: &cameratest.Footage{Zone: noSummer, ByBegin: true,
		Channels: map[string][]cameratest.Stretch{"1": files(end, 26*60, 25*60, 70, -20)}}})
	found, err := asker(t, owner(d)).Footage(t.Context(), named(d), finderOf(d, Dahua), []Wanted{{Channel: "1", From: end.Add(-30 * time.Minute), Until: end}})
	if err != nil || found[0].Presence != PresenceYes {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestFootageInUTC: a Hikvision may date its footage in UTC, as it says; only a
// channel that records always proves it.
func TestFootageInUTC(t *testing.T) {
	now := time.Now().UTC()
	end := now.Add(-2 * time.Hour)
	d := start(t, loadRecorder(t, "merceria-hikvision"), cameratest.Options{Footage: &cameratest.Footage{Zone: noSummer, InUTC: true,
		Channels: map[string][]cameratest.Stretch{"1": {{From: now.Add(-20 * time.Hour), Until: now}}}}})
	for continuous, want := range map[bool]Presence{true: PresenceYes, false: PresenceUnknown} {
		found, err := asker(t, owner(d)).Footage(t.Context(), named(d), finderOf(d, Hikvision),
			[]Wanted{{Channel: "1", Continuous: continuous, From: end.Add(-time.Hour), Until: end}})
		if err != nil || found[0].Presence != want {
			t.Errorf("always recording %v: %+v, %v", continuous, found, err)
		}
	}
}

// TestFootageUnknown: what is not sure is not claimed, and nothing is asked for it.
func TestFootageUnknown(t *testing.T) {
	now := time.Now()
	d := start(t, loadRecorder(t, "merceria-dahua"), cameratest.Options{Footage: &cameratest.Footage{Zone: noSummer, Channels: map[string][]cameratest.Stretch{
		"1": {{From: now.Add(-90 * time.Hour), Until: now.Add(-80 * time.Hour)}}}}})
	ask := func(f Finder, w Wanted) ([]Found, error) {
		w.Channel = "1"
		return asker(t, owner(d)).Footage(t.Context(), named(d), f, []Wanted{w})
	}
	good := finderOf(d, Dahua)
	for name, c := range map[string]struct {
		change func(f *Finder, w *Wanted)
		why    string
	}{
		"no clock":    {func(f *Finder, _ *Wanted) { f.Clock = nil }, "clock could not be read"},
		"no zone":     {func(f *Finder, _ *Wanted) { f.Zone = "" }, "zone is not known"},
		"a wrong day": {func(f *Finder, _ *Wanted) { f.Clock.OffsetMs = (48 * time.Hour).Milliseconds() }, ""},
		"a month":     {func(_ *Finder, w *Wanted) { w.From = w.Until.AddDate(0, -1, 0) }, "longer than is asked for"},
		"just now":    {func(_ *Finder, w *Wanted) { w.From, w.Until = now.Add(-5*time.Minute), now.Add(-time.Minute) }, "only just ended"},
		"at its end": {func(f *Finder, w *Wanted) {
			w.From, w.Until = now.Add(-80*time.Hour).Add(time.Second), now.Add(-79*time.Hour)
		}, "so close"},
		"another door": {func(f *Finder, _ *Wanted) { f.Family = Axis }, "cannot be asked"},
	} {
		t.Run(name, func(t *testing.T) {
			f, w := good, Wanted{From: now.Add(-3 * time.Hour), Until: now.Add(-2 * time.Hour)}
			clock := *good.Clock
			f.Clock = &clock
			c.change(&f, &w)
			found, err := ask(f, w)
			why := ""
			if err != nil {
				why = err.Error()
			} else if found[0].Presence == PresenceUnknown {
				why = found[0].Why
			} else if name != "a wrong day" || found[0].Presence == PresenceYes {
				t.Fatalf("claimed %+v", found)
			}
			if !strings.Contains(why, c.why) {
				t.Errorf("because %q, want %q", why, c.why)
			}
		})
	}
	if _, err := ask(Finder{Family: Axis, Clock: good.Clock}, Wanted{}); !errors.Is(err, errNoSearch) {
		t.Errorf("a family without a search: %v", err)
	}
}

// TestFootageRefused: one refused password stops, and is remembered.
func TestFootageRefused(t *testing.T) {
	for family, store := range stores {
		d := start(t, loadRecorder(t, store.folder), cameratest.Options{Footage: &cameratest.Footage{Zone: noSummer}})
		user, _, asked := d.Credential()
		if !asked {
			continue
		}
		m := &memory{given: Credential{User: user, Password: "sbagliata"}}
		a := asker(t, m)
		for range 2 {
			end := time.Now().Add(-time.Hour)
			found, err := a.Footage(t.Context(), named(d), finderOf(d, family), []Wanted{{Channel: store.channel, From: end.Add(-time.Hour), Until: end}, {Channel: store.channel, From: end.Add(-time.Hour), Until: end}})
			if err == nil && slices.ContainsFunc(found, func(f Found) bool { return f.Presence != PresenceUnknown }) {
				t.Errorf("%s let a wrong password in: %+v", family, found)
			}
		}
		if n := d.WrongAttempts(); n != 1 {
			t.Errorf("%s got the wrong password %d times", family, n)
		}
	}
}

// TestTwice: on the two nights in which clocks are changed a date of a wall clock
// means two times, and nothing is said to be there by it.
func TestTwice(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]bool{"2026-10-25T00:30:00Z": true, "2026-10-25T03:30:00Z": true, "2026-10-25T08:00:00Z": false, "2026-03-29T02:00:00Z": true, "2026-07-01T02:00:00Z": false} {
		from, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := (recorderTime{local: rome}).twice(Wanted{From: from, Until: from.Add(10 * time.Minute)}); got != want {
			t.Errorf("%s: %v", at, got)
		}
		on, err := newRecorderTime(Finder{Clock: &protocol.Clock{}, Zone: "Europe/Rome"}, from.Add(48*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		all := func(context.Context, Wanted, window) ([]dated, bool, error) {
			return []dated{{wallStamp(from.Add(-9*time.Hour).Format(time.DateTime), time.DateTime), wallStamp(from.Add(9*time.Hour).Format(time.DateTime), time.DateTime)}}, false, nil
		}
		if found, err := on.presence(t.Context(), all, Wanted{From: from, Until: from.Add(10 * time.Minute)}); (err != nil) != want || err == nil && found.Presence != PresenceYes {
			t.Errorf("%s: %+v, %v", at, found, err)
		}
	}
}

// FuzzFootage reads any bytes as the answer of every family to a search: no panic,
// and no footage that is not within the interval.
func FuzzFootage(f *testing.F) {
	for _, text := range []string{
		`<CMSearchResult><responseStatusStrg>MORE</responseStatusStrg><matchList><searchMatchItem><trackID>101</trackID><timeSpan><startTime>2026-11-21T22:00:00Z</startTime><endTime>2026-11-21T22:10:00Z</endTime></timeSpan></searchMatchItem></matchList></CMSearchResult>`,
		"found=1\r\nitems[0].StartTime=2026-11-21 22:00:00\r\nitems[0].EndTime=2026-11-21 22:10:00\r\n",
		`{"total":1,"recordings":[{"cameraId":1,"startTime":1795298400,"stopTime":1795299000}]}`,
		`[{"start_time":1795298400.5,"end_time":1795299000.1}]`, `[{"startTimeMs":"1795298400000","durationMs":"600000"}]`,
		`{"events":[{"Event":{"MonitorId":"1","StartDateTime":"2026-11-21 22:00:00","EndDateTime":null}}]}`,
		`{"SearchResult":{"File":[{"StartTime":{"year":2026,"mon":11,"day":21,"hour":22,"min":0,"sec":0},"EndTime":{"year":2026,"mon":11,"day":21,"hour":22,"min":10,"sec":0}}]}}`,
	} {
		f.Add([]byte(text))
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	on, err := newRecorderTime(Finder{Clock: &protocol.Clock{OffsetMs: 60_000, UncertaintyMs: 500}, Zone: "Europe/Rome"}, now)
	if err != nil {
		f.Fatal(err)
	}
	want := Wanted{Channel: "1", From: now.Add(-16 * time.Hour), Until: now.Add(-15 * time.Hour)}
	f.Fuzz(func(t *testing.T, b []byte) {
		a := answer{status: 200, body: b}
		for _, read := range []func() ([]dated, error){
			func() ([]dated, error) {
				v, err := xmlOf[hikFound](a)
				if err != nil {
					return nil, err
				}
				return v.spans("101", false)
			},
			func() ([]dated, error) { return dahuaFound(readLines(b), 1) },
			func() ([]dated, error) {
				v, err := jsonOf[synoRecordings](a)
				if err != nil {
					return nil, err
				}
				all, _, err := synoSpans(v, "1")
				return all, err
			},
			func() ([]dated, error) { return frigateSegments(a) },
			func() ([]dated, error) { return nxPeriods(a) },
			func() ([]dated, error) { all, _, err := zmSpans(a, "1"); return all, err },
			func() ([]dated, error) {
				v, err := jsonOf[reolinkFound](a)
				if err != nil {
					return nil, err
				}
				return v.files()
			},
		} {
			all, err := read()
			if err != nil {
				continue
			}
			periods, _, err := on.periods(all, want, time.Minute)
			if err != nil {
				continue
			}
			for i, p := range periods {
				if p.From.Before(want.From) || p.Until.After(want.Until) || !p.Until.After(p.From) || i > 0 && !p.From.After(periods[i-1].Until) {
					t.Fatalf("%v of %+v", periods, all)
				}
			}
		}
	})
}
