package interrogate

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

const reolinkFolder = "galleriaisola-reolink"

// beginOfMonth is how long ago the end of the first day of this month was for a
// recorder in Rome, 4 minutes late; on that very day it is now.
func beginOfMonth(t *testing.T) time.Duration {
	t.Helper()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	shown := time.Now().Add(-4 * time.Minute).In(rome)
	ago := shown.Sub(time.Date(shown.Year(), shown.Month(), 2, 0, 0, 0, 0, rome))
	return max(ago, time.Second).Round(time.Minute)
}

func TestReolink(t *testing.T) {
	got, _ := lookAt(t, loadRecorder(t, reolinkFolder))
	if got.Vendor != "Reolink" || got.Model != "RLN-Prova 8" || got.Name != "Galleria Isola" || got.Serial != "SENTINEL-SERIAL-2002" || got.Firmware != "v3.3.0.000_24010101" {
		t.Errorf("read %q %q %q %q %q", got.Vendor, got.Model, got.Name, got.Serial, got.Firmware)
	}
	if got.Zone != "Europe/Rome" || got.ZoneAssumed || got.Clock == nil || got.Clock.Method != "reolink GetTime" || !strings.Contains(got.Facts["zone"].Raw, "timeZone=-3600") {
		t.Errorf("zone %q, assumed %v, clock %+v, %+v", got.Zone, got.ZoneAssumed, got.Clock, got.Facts["zone"])
	}
	checkClock(t, got, -4*time.Minute)
	if got.Kept != KeptDisk || !strings.Contains(got.Facts["kept"].Raw, "capacity=1907729") {
		t.Errorf("kept %q, %+v", got.Kept, got.Facts["kept"])
	}
	i := func(from, to int, m protocol.Mode) protocol.Interval {
		return protocol.Interval{From: from, To: to, Mode: m}
	}
	compareTold(t, got, []expectedTold{
		{"0", "Vetrina via Borsieri", "", 3840, 2160, always(protocol.Continuous), protocol.RetentionAge, 30 * day, beginOfMonth(t), "TIMING every day 24x1", "saveDay=30"},
		{"1", "Retro", "", 2560, 1440, everyDay(i(0, 420, protocol.Motion), i(1200, 1440, protocol.Motion)), protocol.RetentionCapacity, 0, 0, "MD every day 7x1 13x0 4x1", "overwrite=1"},
		{"2", "Sala grande", "", 0, 0, protocol.Schedule{}, protocol.RetentionUnknown, 0, 0, "TIMING day 2: 8x0 12x1 4x0", "overwrite=0"},
		{"3", "Scala", "", 0, 0, always(protocol.Analytics), protocol.RetentionCapacity, 0, 0, "enable=1 | table every day 24x1", "overwrite=1"},
	}, "Europe/Rome")
	if got.Channels[3].Facts["schedule"].From != "POST /cgi-bin/api.cgi?cmd=GetRec" {
		t.Errorf("the older question: %+v", got.Channels[3].Facts["schedule"])
	}
	for what, words := range map[string]string{"schedule of Sala grande": "which day", "oldest footage of Sala grande": "-17", "oldest footage of Scala": "-17"} {
		if why := problemOf(got, what); !strings.Contains(why, words) {
			t.Errorf("%s: %q, want %q", what, why, words)
		}
	}
	if len(ownProblems(got)) != 3 {
		t.Errorf("problems %v", got.Errors)
	}
}

func TestReolinkWeek(t *testing.T) {
	x := strings.Repeat
	i := func(from, to int, m protocol.Mode) protocol.Interval {
		return protocol.Interval{From: from, To: to, Mode: m}
	}
	never := x("0", 168)
	tables := func(kinds ...string) string { // kind, table, kind, table ...
		m := map[string]string{}
		for n := 0; n+1 < len(kinds); n += 2 {
			m[kinds[n]] = kinds[n+1]
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		table string
		want  protocol.Schedule
		said  string
		fails string
	}{
		"not told":             {"", protocol.Schedule{}, "", ""},
		"null":                 {"null", protocol.Schedule{}, "", ""},
		"no tables":            {"{}", protocol.Schedule{}, "", ""},
		"whole days":           {tables("TIMING", x("1", 168), "MD", never), always(protocol.Continuous), "MD every day 24x0 | TIMING every day 24x1", ""},
		"nothing":              {tables("TIMING", never, "MD", never, "AI_PEOPLE", never), off(), "24x0", ""},
		"across midnight":      {tables("TIMING", x(x("1", 6)+x("0", 16)+x("1", 2), 7)), everyDay(i(0, 360, protocol.Continuous), i(1320, 1440, protocol.Continuous)), "6x1 16x0 2x1", ""},
		"motion and analytics": {tables("MD", x(x("0", 12)+x("1", 12), 7), "AI_PEOPLE", x("1", 168)), everyDay(i(0, 720, protocol.Analytics), i(720, 1440, protocol.Motion)), "AI_PEOPLE", ""},
		"an unknown kind":      {tables("DOORBELL", x("1", 168)), always(protocol.Analytics), "DOORBELL", ""},
		"other characters":     {tables("TIMING", x("2", 168)), always(protocol.Continuous), "24x2", ""},
		"a first day apart":    {tables("TIMING", x("0", 24)+x("1", 144)), protocol.Schedule{}, "TIMING day 1: 24x0", "which day"},
		"one kind differs":     {tables("TIMING", x("1", 168), "MD", never[1:]+"1"), protocol.Schedule{}, "MD day 7: 23x0 1x1", "which day"},
		"too short":            {tables("TIMING", x("1", 48)), protocol.Schedule{}, "", "48 characters"},
		"one too short":        {tables("MD", "", "TIMING", x("1", 168)), protocol.Schedule{}, "", "0 characters"},
		"the older one, all":   {`"` + x("1", 168) + `"`, always(protocol.Analytics), "table every day 24x1", ""},
		"the older one, none":  {`"` + never + `"`, off(), "table every day 24x0", ""},
		"the older one, apart": {`"` + never[1:] + `1"`, protocol.Schedule{}, "table day 7", "which day"},
		"a list":               {`["1"]`, protocol.Schedule{}, "", "no table"},
		"a number":             {`7`, protocol.Schedule{}, "", "no table"},
		"not UTF-8":            {tables("TIMING", x("\xff", 168)), protocol.Schedule{}, "", "characters"},
	} {
		got, said, err := reolinkWeek([]byte(c.table))
		if !reflect.DeepEqual(got, c.want) || !strings.Contains(strings.Join(said, " | "), c.said) {
			t.Errorf("%s: %+v %q, want %+v %q", name, got, said, c.want, c.said)
		}
		if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.fails)
		}
	}
}

func TestReolinkZone(t *testing.T) {
	rule := func(start, end string) string {
		s, e := strings.Split(start, "."), strings.Split(end, ".")
		return fmt.Sprintf(`{"enable":1,"offset":1,"startMon":%s,"startWeek":%s,"startWeekday":%s,"startHour":%s,"startMin":0,"startSec":0,"endMon":%s,"endWeek":%s,"endWeekday":%s,"endHour":%s,"endMin":0,"endSec":0}`,
			s[0], s[1], s[2], s[3], e[0], e[1], e[2], e[3])
	}
	winter, summer := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		zone, dst string
		now       time.Time
		want      string
	}{
		"Rome":                   {"-3600", rule("3.5.0.2", "10.5.0.3"), winter, "Europe/Rome"},
		"Rome in summer":         {"-3600", rule("3.5.0.2", "10.5.0.3"), summer, "Europe/Rome"},
		"New York":               {"18000", rule("3.2.0.2", "11.1.0.2"), winter, "America/New_York"},
		"without daylight time":  {"-3600", `{"enable":0}`, summer, "UTC+01:00"},
		"India":                  {"-19800", `{"enable":0}`, summer, "UTC+05:30"},
		"a rule of its own":      {"-3600", rule("4.1.0.2", "9.1.0.3"), summer, "UTC+02:00"},
		"the same, in winter":    {"-3600", rule("4.1.0.2", "9.1.0.3"), winter, "UTC+01:00"},
		"no rule told":           {"-3600", `{}`, winter, ""},
		"no zone told":           {"null", `{"enable":0}`, winter, ""},
		"a rule that is none":    {"-3600", rule("13.9.0.2", "10.5.0.3"), winter, ""},
		"a zone that is none":    {"-999999", `{"enable":0}`, winter, ""},
		"a shift that is none":   {"-3600", strings.Replace(rule("3.5.0.2", "10.5.0.3"), `"offset":1`, `"offset":99`, 1), winter, ""},
		"an hour that is absent": {"-3600", strings.ReplaceAll(rule("3.5.0.2", "10.5.0.3"), `"startMon":3,`, ""), winter, ""},
	} {
		var r reolinkTime
		if err := json.Unmarshal([]byte(`{"Time":{"timeZone":`+c.zone+`},"Dst":`+c.dst+`}`), &r); err != nil {
			t.Fatal(err)
		}
		if got, _ := reolinkZone(r, c.now); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestReolinkWall(t *testing.T) {
	for text, want := range map[string]string{
		`{"year":2026,"mon":11,"day":22,"hour":0,"min":48,"sec":8}`: "2026-11-22 00:48:08",
		`{"year":2026,"mon":2,"day":30,"hour":0,"min":0,"sec":0}`:   "",
		`{"year":2026,"mon":13,"day":1,"hour":0,"min":0,"sec":0}`:   "",
		`{"year":0,"mon":1,"day":1,"hour":0,"min":0,"sec":0}`:       "",
		`{"year":2026,"mon":1,"day":1,"hour":25,"min":0,"sec":0}`:   "",
		`{"mon":1}`: "",
	} {
		var r reolinkTime
		if err := json.Unmarshal([]byte(`{"Time":`+text+`}`), &r); err != nil {
			t.Fatal(err)
		}
		got, ok := r.Time.wall()
		if ok != (want != "") || ok && got.Format(time.DateTime) != want {
			t.Errorf("%s: %s %v, want %q", text, got, ok, want)
		}
		if c := reolinkClock(r, answer{}); (c != nil) != ok {
			t.Errorf("%s: clock %+v", text, c)
		}
	}
}

// reolinkStatus writes the answer to a search: days with footage, by month.
func reolinkStatus(months map[string]string) []byte {
	var all []string
	for month, table := range months {
		at, err := time.Parse("2006-01", month)
		if err != nil {
			panic(err)
		}
		all = append(all, fmt.Sprintf(`{"year":%d,"mon":%d,"table":"%s"}`, at.Year(), at.Month(), table))
	}
	return fmt.Appendf(nil, `[{"cmd":"Search","code":0,"value":{"SearchResult":{"Status":[%s]}}}]`, strings.Join(all, ","))
}

func TestReolinkOldest(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC) // its wall clock
	x := strings.Repeat
	some := func(days int, on ...int) string {
		b := []byte(x("0", days))
		for _, d := range on {
			b[d-1] = '1'
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		months map[string]string
		kept   time.Duration
		want   string // the claimed moment
		fails  bool
	}{
		"this month":                  {map[string]string{"2026-03": some(31, 5, 6, 7, 8, 9, 10)}, 0, "2026-03-06 00:00:00", false},
		"today":                       {map[string]string{"2026-03": some(31, 10)}, 0, "2026-03-10 15:00:00", false},
		"the month before":            {map[string]string{"2026-02": some(28, 20), "2026-03": x("1", 31)}, 0, "2026-02-21 00:00:00", false},
		"over the turn of the year":   {map[string]string{"2025-12": some(31, 31), "2026-01": x("1", 31), "2026-02": x("1", 28), "2026-03": x("1", 31)}, 0, "2026-01-01 00:00:00", false},
		"over an empty month":         {map[string]string{"2026-01": some(31, 3), "2026-03": x("1", 31)}, 0, "2026-01-04 00:00:00", false},
		"not over two":                {map[string]string{"2025-12": x("1", 31), "2026-03": some(31, 2)}, 0, "2026-03-03 00:00:00", false},
		"no further than it is kept":  {map[string]string{"2025-12": x("1", 31), "2026-01": x("1", 31), "2026-02": some(28, 9), "2026-03": x("1", 31)}, 7 * day, "2026-02-10 00:00:00", false},
		"kept within the month":       {map[string]string{"2026-02": x("1", 28), "2026-03": some(31, 3)}, 5 * day, "2026-03-04 00:00:00", false},
		"days that do not exist":      {map[string]string{"2026-02": x("0", 28) + "111", "2026-03": some(31, 9)}, 0, "2026-03-10 00:00:00", false},
		"nothing":                     {nil, 0, "", false},
		"a month that cannot be read": {map[string]string{"2026-03": x("1", 31)}, 400 * day, "", true},
		"more than is looked for":     {everyMonth(now, 20), 0, "", true},
		"as much as is looked for":    {everyMonth(now, 11), 0, "2025-05-02 00:00:00", false},
	} {
		all := reolinkStatus(c.months)
		asked := 0
		s := serveReolink(t, func(body string) []byte {
			if asked++; c.kept == 400*day && asked > 1 {
				return []byte(`[{"cmd":"Search","code":1,"error":{"rspCode":-13,"detail":"x"}}]`)
			}
			return all
		})
		var ch channelReport
		err := reolinkOldest(t.Context(), webTo(t, s, &memory{}), &ch, 0, now, c.kept)
		got := ""
		if ch.oldest.known() {
			got = ch.oldest.at.Format(time.DateTime)
		}
		if got != c.want || (err != nil) != c.fails || asked > reolinkMonths {
			t.Errorf("%s: %q, %v after %d questions; want %q", name, got, err, asked, c.want)
		}
		if ch.oldest.known() && !ch.oldest.wall {
			t.Errorf("%s: it is not of its wall clock", name)
		}
	}
}

// serveReolink answers every command.
func serveReolink(t *testing.T, answer func(body string) []byte) *httptest.Server {
	t.Helper()
	return serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(answer(string(body)))
	})
}

func everyMonth(now time.Time, months int) map[string]string {
	all := map[string]string{}
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	for i := range months {
		m := first.AddDate(0, -i, 0)
		all[m.Format("2006-01")] = strings.Repeat("1", m.AddDate(0, 1, -1).Day())
	}
	return all
}
