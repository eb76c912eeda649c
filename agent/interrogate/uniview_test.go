package interrogate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

func TestUniview(t *testing.T) {
	d := start(t, loadRecorder(t, "panetteria-uniview"), cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	if got.Family != Uniview || got.Kind != KindRecorder || got.Name != "Panetteria corso Buenos Aires" || got.Model != "NVR301-04X" || got.Firmware != "NVR-B3801.20.15.230412" || got.Serial != "SENTINEL-SERIAL-1101" {
		t.Errorf("read as %+v", got)
	}
	if len(got.Errors) != 0 || got.Needs != NeedsNothing || got.Zone != "Europe/Rome" || got.ZoneAssumed || got.Kept != KeptDisk {
		t.Errorf("problems %v, needs %q, zone %q, kept %q", got.Errors, got.Needs, got.Zone, got.Kept)
	}
	checkClock(t, got, 7*time.Minute)
	if f := got.Facts["zone"]; !strings.Contains(f.Raw, "GMT+01:00") || !strings.Contains(got.Facts["kept"].Raw, "Status=3") {
		t.Errorf("facts %+v", got.Facts)
	}
	all := channelsByID(t, got)
	if len(all) != 3 {
		t.Fatalf("channels %+v", got.Channels)
	}
	for id, name := range map[string]string{"1": "Ingresso corso Buenos Aires", "2": "Banco del pane", "3": "Forno"} {
		c := all[id]
		if c.Name != name || c.Facts["schedule"].From != "GET /LAPI/V1.0/Channels/"+id+"/Storage/Schedule/Record" || c.Retention.Kind != protocol.RetentionUnknown || !strings.Contains(c.Facts["retention"].Raw, "WhenFull") {
			t.Errorf("channel %s: %+v", id, c)
		}
	}
	if c := all["1"].Camera; c == nil || c.Address != "192.0.2.31" || c.Serial != "SENTINEL-SERIAL-1131" || all["3"].Camera != nil {
		t.Errorf("behind channel 1: %+v, behind 3: %+v", c, all["3"].Camera)
	}
	if s := all["1"].Schedule; s.Kind != protocol.ScheduleAlways || s.Mode != protocol.Continuous || s.Zone != "Europe/Rome" {
		t.Errorf("channel 1 records %+v", s)
	}
	if s := all["3"].Schedule; s.Kind != protocol.ScheduleOff {
		t.Errorf("channel 3 records %+v", s)
	}
	if s := all["2"].Schedule; !reflect.DeepEqual(s.Days, bakery) || !strings.Contains(all["2"].Facts["schedule"].Raw, "ArmingType=2") {
		t.Errorf("channel 2 records %+v, want %+v; %+v", s.Days, bakery, all["2"].Facts["schedule"])
	}
	oldestNear(t, all["1"], endOfDay(t, d, 216*time.Hour))
	if r := all["3"].Retention; !r.OldestFootage.IsZero() {
		t.Errorf("channel 3 has footage since %s", r.OldestFootage)
	}
	if f := all["1"].Facts["oldest"]; !strings.Contains(f.Raw, "a whole day") || !strings.Contains(f.From, "Year=") {
		t.Errorf("of the oldest footage: %+v", f)
	}
	for _, r := range d.Requests() {
		if strings.HasPrefix(r.Path, lapiRoot) && r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

// bakery is the week of channel 2: the night of Sunday ends on Monday.
var bakery = func() (days [8][]protocol.Interval) {
	for day := 1; day <= 6; day++ {
		days[day] = []protocol.Interval{{From: 0, To: 420, Mode: protocol.Analytics}, {From: 420, To: 1200, Mode: protocol.Continuous}, {From: 1200, To: 1440, Mode: protocol.Analytics}}
	}
	days[0] = []protocol.Interval{{From: 1320, To: 1440, Mode: protocol.Analytics}}
	days[protocol.Holiday] = []protocol.Interval{{From: 600, To: 750, Mode: protocol.Continuous}}
	return days
}()

func TestUniviewSchedules(t *testing.T) {
	week := func(section string) string {
		var days []string
		for id := 1; id <= 7; id++ {
			days = append(days, fmt.Sprintf(`{"ID":%d,"Num":1,"TimeSectionInfos":[%s]}`, id, section))
		}
		return `{"Enabled":1,"WeekPlan":{"Days":[` + strings.Join(days, ",") + `]}}`
	}
	monday := protocol.Schedule{Kind: protocol.ScheduleWeekly}
	monday.Days[time.Monday] = []protocol.Interval{{From: 480, To: 540, Mode: protocol.Continuous}}
	for name, c := range map[string]struct {
		data string
		want protocol.Schedule
	}{
		"whole days":               {week(`{"Begin":"00:00:00","End":"24:00:00","ArmingType":0}`), always(protocol.Continuous)},
		"whole days to the second": {week(`{"Begin":"00:00:00","End":"23:59:59","ArmingType":"0"}`), always(protocol.Continuous)},
		"motion, in the app":       {week(`{"Begin":"00:00:00","End":"24:00:00","ArmingType":1}`), always(protocol.Analytics)},
		"motion, elsewhere":        {week(`{"Begin":"00:00:00","End":"24:00:00","ArmingType":2}`), always(protocol.Analytics)},
		"no ArmingType":            {week(`{"Begin":"00:00:00","End":"24:00:00"}`), always(protocol.Analytics)},
		"padded by a camera":       {week(`{"Begin":"24:00:00","End":"24:00:00","ArmingType":0}`), off()},
		"padded by a recorder":     {week(`{"Begin":"00:00:00","End":"00:00:00","ArmingType":0}`), off()},
		"more sections than Num":   {strings.ReplaceAll(week(`{"Begin":"00:00:00","End":"24:00:00","ArmingType":0},{"Begin":"01:00:00","End":"02:00:00","ArmingType":7}`), `"Num":1`, `"Num":0`), off()},
		"one day told":             {`{"Enabled":true,"WeekPlan":{"Days":[{"ID":1,"TimeSectionInfos":[{"Begin":"08:00:00","End":"09:00:00","ArmingType":0}]}]}}`, protocol.Schedule{}},
		"all days, one in use":     {strings.Replace(week(""), `[]}`, `[{"Begin":"08:00:00","End":"09:00:00","ArmingType":0}]}`, 1), monday},
		"switched off":             {`{"Enabled":0,"WeekPlan":{"Days":[{"ID":1}]}}`, off()},
		"switched off, alone":      {`{"Enabled":false}`, off()},
		"no switch":                {strings.Replace(week(`{"Begin":"00:00:00","End":"24:00:00","ArmingType":0}`), `"Enabled":1,`, "", 1), protocol.Schedule{}},
		"a switch not understood":  {`{"Enabled":2}`, protocol.Schedule{}},
		"no week":                  {`{"Enabled":1}`, protocol.Schedule{}},
		"no days":                  {`{"Enabled":1,"WeekPlan":{"Days":[]}}`, protocol.Schedule{}},
		"a ninth day":              {`{"Enabled":1,"WeekPlan":{"Days":[{"ID":9}]}}`, protocol.Schedule{}},
		"an hour not understood":   {week(`{"Begin":"8","End":"24:00:00","ArmingType":0}`), protocol.Schedule{}},
		"null":                     {`null`, protocol.Schedule{}},
		"text":                     {`"null"`, protocol.Schedule{}},
		"a list":                   {`[]`, protocol.Schedule{}},
	} {
		if got, _ := univiewSchedule([]byte(c.data)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// TestUniviewSynthetic reads the answers that are shared between projects.
func TestUniviewSynthetic(t *testing.T) {
	data, err := lapiData(sharedAnswer(t, "synthetic/uniview/Channels_1_Storage_Schedule_Record.json"))
	if err != nil {
		t.Fatal(err)
	}
	s, words := univiewSchedule(data)
	whole := []protocol.Interval{{From: 0, To: 1440, Mode: protocol.Continuous}}
	weekend := []protocol.Interval{{From: 0, To: 480, Mode: protocol.Analytics}, {From: 480, To: 1200, Mode: protocol.Continuous}, {From: 1200, To: 1440, Mode: protocol.Analytics}}
	if want := [8][]protocol.Interval{weekend, whole, whole, whole, whole, whole, weekend, {}}; s.Kind != protocol.ScheduleWeekly || !reflect.DeepEqual(s.Days, want) {
		t.Errorf("the week: %+v, %q", s, words)
	}
	var days struct{ Distribution []lapiValue }
	data, err = lapiData(sharedAnswer(t, "synthetic/uniview/Records_DailyDistribution.json"))
	if err != nil || json.Unmarshal(data, &days) != nil {
		t.Fatal(err)
	}
	day, err := walkCalendar(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC), func(y int, m time.Month) ([]bool, error) {
		if y == 2026 && m == 11 {
			return univiewDays(days.Distribution), nil
		}
		return make([]bool, 31), nil
	})
	if err != nil || day.Format(time.DateOnly) != "2026-11-15" {
		t.Errorf("the oldest day: %s, %v", day, err)
	}
	conversation := loadRecorder(t, "panetteria-uniview").Replacing(map[string][]byte{
		"channels.json":   sharedAnswer(t, "synthetic/uniview/Channels_System_ChannelDetailInfos.json"),
		"schedule-1.json": sharedAnswer(t, "synthetic/uniview/Channels_1_Storage_Schedule_Record.json"),
		"disks.json":      sharedAnswer(t, "synthetic/uniview/Storage_Containers_DetailInfos.json"),
	})
	d := start(t, conversation, cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	all := channelsByID(t, got)
	if c := all["1"]; len(all) != 2 || c.Name != "Ingresso Via Roma" || !reflect.DeepEqual(c.Schedule.Days, s.Days) || all["2"].Name != "Cortile retro" || got.Kept != KeptDisk {
		t.Errorf("read as %+v", got)
	}
}

// TestUniviewOtherWays: the second path of the schedule, the status 599, a camera.
func TestUniviewOtherWays(t *testing.T) {
	d := start(t, loadRecorder(t, "panetteria-uniview"), cameratest.Options{})
	for name, c := range map[string]struct {
		instead  func(*http.Request) http.HandlerFunc
		channels int
	}{
		"schedules of the web page": {func(r *http.Request) http.HandlerFunc {
			if strings.HasSuffix(r.URL.Path, "/Storage/Schedule/Record") && r.Header.Get("Authorization") != "" {
				return faults["absent"]
			}
			if strings.HasSuffix(r.URL.Path, "/Storage/Private/Schedule/Record/") {
				return envelope599(http.StatusOK, `{"Enabled":0}`)
			}
			return nil
		}, 3},
		"schedules with 599": {func(r *http.Request) http.HandlerFunc {
			if strings.HasSuffix(r.URL.Path, "/Storage/Schedule/Record") && r.Header.Get("Authorization") != "" {
				return envelope599(599, `{"Enabled":"0"}`)
			}
			return nil
		}, 3},
		"a camera": {func(r *http.Request) http.HandlerFunc {
			switch {
			case r.Header.Get("Authorization") == "":
			case strings.HasSuffix(r.URL.Path, lapiChannels):
				return faults["absent"]
			case strings.HasSuffix(r.URL.Path, lapiDevice):
				return envelope599(http.StatusOK, `{"DeviceModel":"IPC2122LB"}`)
			case strings.HasSuffix(r.URL.Path, "/Channels/0/Storage/Schedule/Record"):
				return envelope599(http.StatusOK, `{"Enabled":0}`)
			}
			return nil
		}, 1},
	} {
		got := asker(t, owner(d)).Ask(t.Context(), fronted(t, d, c.instead))
		if len(got.Channels) != c.channels {
			t.Fatalf("%s: %+v", name, got)
		}
		for _, ch := range got.Channels {
			if ch.Schedule.Kind != protocol.ScheduleOff {
				t.Errorf("%s: channel %s records %+v", name, ch.ID, ch.Schedule)
			}
		}
	}
}

func envelope599(status int, data string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"Response":{"ResponseURL":"/LAPI/V1.0","ResponseCode":0,"StatusCode":0,"Data":%s}}`, data)
	}
}

// TestUniviewRefusesInWords: a password refused, or an account locked, with another
// status than 401 is not tried again.
func TestUniviewRefusesInWords(t *testing.T) {
	for _, c := range []struct {
		status, code, looks, want int
	}{
		{http.StatusOK, 50801, 2, 1},
		{599, 50801, 2, 1},
		{http.StatusOK, 50808, 1, 1},
		{599, 364, 1, 1},
	} {
		tries := 0
		d := start(t, loadRecorder(t, "panetteria-uniview"), cameratest.Options{})
		s := fronted(t, d, func(r *http.Request) http.HandlerFunc {
			if r.Header.Get("Authorization") == "" || !strings.HasPrefix(r.URL.Path, "/LAPI/") {
				return nil
			}
			return func(w http.ResponseWriter, _ *http.Request) {
				tries++
				w.WriteHeader(c.status)
				fmt.Fprintf(w, `{"Response":{"ResponseURL":"/LAPI/V1.0","ResponseCode":1,"StatusCode":%d,"Data":"null"}}`, c.code)
			}
		})
		m := owner(d)
		for range c.looks {
			asker(t, m).Ask(t.Context(), s)
		}
		if tries != c.want {
			t.Errorf("status %d with %d: the password was sent %d times, want %d", c.status, c.code, tries, c.want)
		}
	}
}

// TestUniviewLocked: an account that is locked is left alone for this look, and the
// password is not taken for wrong.
func TestUniviewLocked(t *testing.T) {
	for _, code := range []string{lapiLockedUser, lapiLockedCamera} {
		signed := 0
		s := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				w.Header().Set("WWW-Authenticate", `Digest realm="NVRDVR", nonce="1", qop="auth"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			signed++
			w.WriteHeader(lapiStatus)
			fmt.Fprintf(w, `{"Response":{"ResponseCode":1,"StatusCode":%s}}`, code)
		})
		m := &memory{given: Credential{User: "u", Password: "p"}}
		w := webTo(t, s, m)
		for range 3 {
			if _, _, err := lapi[struct{}](t.Context(), w, lapiTime, ""); err == nil {
				t.Errorf("%s: no error", code)
			}
		}
		if signed != 1 || len(m.refused) != 0 {
			t.Errorf("%s: the password was sent %d times, refused %v", code, signed, m.refused)
		}
	}
}

func TestUniviewZones(t *testing.T) {
	rule := func(enabled, begin, end string) string {
		return fmt.Sprintf(`{"Enabled":%s,"BeginTime":{"Month":%s},"EndTime":{"Month":%s}}`, enabled, begin, end)
	}
	for _, c := range []struct{ zone, rule, want string }{
		{"GMT+01:00", rule("1", "3", "10"), "Europe/Rome"},
		{"GMT+00:00", rule("1", "3", "10"), "Europe/London"},
		{"GMT+02:00", rule("true", "3", "10"), "Europe/Athens"},
		{"GMT+01:00", rule("0", "3", "10"), "UTC+01:00"},
		{"GMT+01:00", `{}`, "UTC+01:00"},
		{"GMT+01:00", rule("1", "4", "10"), ""},
		{"GMT-05:00", rule("0", "3", "11"), "UTC-05:00"},
		{"GMT-05:00", rule("1", "3", "11"), ""}, // it keeps a summer time that is not understood
		{"GMT+08:00", rule("1", "3", "10"), ""},
		{"GMT", rule("0", "3", "10"), ""},
		{"CET", rule("0", "3", "10"), ""},
		{"GMT+1:00", rule("0", "3", "10"), ""},
	} {
		s := serveWeb(t, envelope599(http.StatusOK, c.rule))
		if got, raw := univiewZone(t.Context(), webTo(t, s, &memory{}), c.zone); got != c.want || !strings.HasPrefix(raw, c.zone) {
			t.Errorf("%s with %s: %q (%s), want %q", c.zone, c.rule, got, raw, c.want)
		}
	}
}

// FuzzLAPI reads any bytes as answers of LAPI.
func FuzzLAPI(f *testing.F) {
	f.Add([]byte(`{"Response":{"ResponseURL":"/LAPI/V1.0","ResponseCode":0,"Data":{"Enabled":1,"WeekPlan":{"Days":[{"ID":7,"Num":1,"TimeSectionInfos":[{"Begin":"22:00:00","End":"06:00:00","ArmingType":1}]}]}}}}`))
	f.Add([]byte(`{"Enabled":"1","WeekPlan":{"Days":[{"ID":"8","Num":-1}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		lapiDenies(answer{body: b})
		data, err := lapiData(b)
		if err != nil {
			data = b
		}
		s, _ := univiewSchedule(data)
		sound(t, s)
		var v struct{ A, B lapiValue }
		_ = json.Unmarshal(data, &v)
		v.A.number()
		v.B.truth()
	})
}

// sound checks that a message could carry a schedule.
func sound(t *testing.T, s protocol.Schedule) {
	t.Helper()
	for day, intervals := range s.Days {
		last := -1
		for _, i := range intervals {
			if i.From < 0 || i.From <= last-1 || i.To <= i.From || i.To > 1440 || i.Mode == "" {
				t.Errorf("day %d: %+v", day, intervals)
			}
			last = i.To
		}
	}
}
