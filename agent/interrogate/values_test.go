package interrogate

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"anagrafe/protocol"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for s, want := range map[string]time.Duration{
		"PT0S": 0, "P0D": 0, "P14D": 14 * day, "PT1209600S": 14 * day, "PT336H": 14 * day, "P2W": 14 * day,
		"PT1H": time.Hour, "P1DT12H30M5.5S": day + 12*time.Hour + 30*time.Minute + 5*time.Second,
		"P1M": 30 * day, "P1Y": 365 * day, " P7D ": 7 * day, "PT5.S": 5 * time.Second,
		"P": -1, "PT": -1, "P1DT": -1, "-P1D": -1, "": -1, "14": -1, "P14": -1, "PT1D": -1, "forever": -1,
		"P999999999999Y": -1, "P300Y": -1, "PT99999999999999999999S": -1,
	} {
		got, ok := parseDuration(s)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is %v, %v; want %v", s, got, ok, want)
		}
	}
}

func TestReadSchedule(t *testing.T) {
	empty, night := "", "sched_notte"
	type events = struct {
		Topics []string `xml:"Filter>Topic"`
	}
	on := func(topic string) *events { return &events{Topics: []string{topic}} }
	job := func(mode string, schedule *string, e *events) recordingJob {
		return recordingJob{Token: "j", Configuration: jobConf{Mode: mode, Schedule: schedule, Events: e}}
	}
	for name, c := range map[string]struct {
		jobs  []recordingJob
		state string
		want  protocol.Mode // "": unknown
	}{
		"none":              {nil, "", ""},
		"active":            {[]recordingJob{job("Active", nil, nil)}, "", protocol.Continuous},
		"active and runs":   {[]recordingJob{job("Active", nil, nil)}, "Active", protocol.Continuous},
		"active, in error":  {[]recordingJob{job("Active", nil, nil)}, "Error", ""},
		"active, but idle":  {[]recordingJob{job("Active", nil, nil)}, "Idle", ""},
		"idle":              {[]recordingJob{job("Idle", nil, nil)}, "", ""},
		"unknown mode":      {[]recordingJob{job("", nil, nil)}, "", ""},
		"scheduled":         {[]recordingJob{job("Active", &night, nil)}, "", ""},
		"empty schedule":    {[]recordingJob{job("Active", &empty, nil)}, "", ""},
		"motion":            {[]recordingJob{job("Active", nil, on("tns1:RuleEngine/CellMotionDetector/Motion"))}, "", protocol.Motion},
		"alarm":             {[]recordingJob{job("Active", nil, on("tns1:Device/Trigger/DigitalInput"))}, "", protocol.Alarm},
		"line":              {[]recordingJob{job("Active", nil, on("tns1:RuleEngine/LineDetector/Crossed"))}, "", protocol.Analytics},
		"motion, scheduled": {[]recordingJob{job("Active", &night, on("Motion"))}, "", ""},
		"both":              {[]recordingJob{job("Active", nil, on("Motion")), job("active", nil, nil)}, "", protocol.Continuous},
	} {
		got := readSchedule(c.jobs, map[string]string{"j": c.state}, nil)
		if got.Mode != c.want || (got.Kind == protocol.ScheduleAlways) != (c.want != "") || got.Kind == protocol.ScheduleOff {
			t.Errorf("%s: %+v, want mode %q", name, got, c.want)
		}
	}
}

func TestReadOldest(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	hour := func(n int) *protocol.Clock { return &protocol.Clock{OffsetMs: int64(n) * 3600_000} }
	for name, c := range map[string]struct {
		from, until string
		clock       *protocol.Clock
		want        string // "": unknown
		doubt       bool
		zone        string
	}{
		"right clock":               {"2026-11-15T12:00:00Z", "2026-11-22T12:00:00Z", hour(0), "2026-11-15T12:00:00Z", false, ""},
		"an hour ahead":             {"2026-11-15T13:00:00Z", "2026-11-22T13:00:00Z", hour(1), "2026-11-15T12:00:00Z", false, ""},
		"other zone":                {"2026-11-15T13:00:00+01:00", "", hour(0), "2026-11-15T12:00:00Z", false, ""},
		"epoch":                     {"1970-01-01T00:03:15Z", "2026-11-22T12:00:00Z", hour(0), "", false, ""},
		"before there were any":     {"2001-01-01T00:00:00Z", "", hour(0), "", false, ""},
		"absent":                    {"", "", hour(0), "", false, ""},
		"nonsense":                  {"yesterday", "", hour(0), "", false, ""},
		"clock unread":              {"2026-11-15T12:00:00Z", "", nil, "", true, ""},
		"clock days off":            {"2026-11-15T12:00:00Z", "", hour(-72), "", true, ""},
		"local time with a Z":       {"2026-11-15T13:00:00Z", "2026-11-22T13:00:00Z", hour(0), "", true, ""},
		"local time, zone known":    {"2026-11-15T13:00:00Z", "2026-11-22T13:00:00Z", hour(0), "2026-11-15T12:00:00Z", false, "Europe/Rome"},
		"local since summer":        {"2026-10-20T14:00:00Z", "2026-11-22T13:00:00Z", hour(0), "2026-10-20T12:00:00Z", false, "Europe/Rome"},
		"local, an hour ahead":      {"2026-11-15T14:00:00Z", "2026-11-22T14:00:00Z", hour(1), "2026-11-15T12:00:00Z", false, "Europe/Rome"},
		"local, west of Greenwich":  {"2026-11-15T07:00:00Z", "2026-11-22T07:00:00Z", hour(0), "2026-11-15T12:00:00Z", false, "America/New_York"},
		"stopped two days ago":      {"2026-11-15T12:00:00Z", "2026-11-20T12:00:00Z", hour(0), "2026-11-15T12:00:00Z", false, "Europe/Rome"},
		"another zone's local time": {"2026-11-15T13:00:00Z", "2026-11-22T17:00:00Z", hour(0), "", true, "Europe/Rome"},
		"in the future":             {"2026-11-22T13:00:00Z", "", hour(0), "", true, ""},
		"seconds after its reading": {"2026-11-22T12:00:02Z", "2026-11-22T12:00:03Z", hour(0), "2026-11-22T12:00:00Z", false, ""},
	} {
		got, err := readOldest(c.from, c.until, c.clock, c.zone, now)
		text := ""
		if !got.IsZero() {
			text = got.Format(time.RFC3339)
		}
		if text != c.want || (err != nil) != c.doubt {
			t.Errorf("%s: %q, %v; want %q, a doubt: %v", name, text, err, c.want, c.doubt)
		}
	}
}

func TestReadZone(t *testing.T) {
	winter := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	at := func(hour string) *dateTime {
		return &dateTime{Hour: hour, Minute: "0", Second: "0", Year: "2026", Month: "7", Day: "10"}
	}
	for name, c := range map[string]struct {
		rule, region string
		utc, local   *dateTime
		want         string
	}{
		"rome":               {rule: "CET-1CEST,M3.5.0,M10.5.0/3", want: "Europe/Rome"},
		"rome, hikvision":    {rule: "CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00", want: "Europe/Rome"},
		"beijing":            {rule: "CST-8", want: "UTC+08:00"},
		"utc":                {rule: "UTC0", want: "UTC"},
		"india":              {rule: "IST-5:30", want: "UTC+05:30"},
		"region":             {rule: "MST7MDT,M3.2.0,M11.1.0", region: ":America/Edmonton", want: "America/Edmonton"},
		"no daylight saving": {rule: "CET-1CEST,M3.5.0,M10.5.0/3", utc: at("10"), local: at("11"), want: "UTC+01:00"},
		"daylight saving":    {rule: "CET-1CEST,M3.5.0,M10.5.0/3", utc: at("10"), local: at("12"), want: "Europe/Rome"},
		"only its clocks":    {utc: at("10"), local: at("12"), want: "UTC+02:00"},
		"nothing":            {},
		"nonsense":           {rule: "here\x00", want: ""},
		"words":              {rule: "Rome", want: ""},
		"far":                {utc: at("0"), local: at("23"), want: ""},
	} {
		var a systemDateAndTime
		a.Set.Zone, a.Set.Region, a.Set.UTC, a.Set.Local = c.rule, c.region, c.utc, c.local
		got := readZone(a, winter)
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestReadClock(t *testing.T) {
	sent := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	received := sent.Add(400 * time.Millisecond)
	at := &dateTime{"13", "0", "0", "2026", "11", "22"}
	noon := &dateTime{"12", "0", "0", "2026", "11", "22"}
	for name, c := range map[string]struct {
		utc, local *dateTime
		rule       string
		offset     int64
		ok         bool
	}{
		"utc":                {at, nil, "", 3600_300, true},
		"local, zone":        {nil, at, "CET-1", 300, true},
		"local alone":        {nil, at, "", 0, false},
		"local time as utc":  {at, at, "CET-1", 300, true},
		"an hour ahead":      {at, &dateTime{"14", "0", "0", "2026", "11", "22"}, "CET-1", 3600_300, true},
		"zone is not for it": {noon, noon, "CET-1", 300, true},
		"no such day":        {&dateTime{"0", "0", "0", "2026", "2", "30"}, nil, "", 0, false},
		"no number":          {&dateTime{"0", "0", "x", "2026", "2", "3"}, nil, "", 0, false},
		"nothing":            {nil, nil, "CET-1", 0, false},
	} {
		var a systemDateAndTime
		a.Set.UTC, a.Set.Local, a.Set.Zone = c.utc, c.local, c.rule
		shown, method, err := readTime(a, sent)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if !c.ok {
			continue
		}
		got := clockOf([]reading{{at: shown, method: method, timing: timing{sent, received}}})
		if got.OffsetMs != c.offset || got.UncertaintyMs != 1200 || !got.At.Equal(sent.Add(200*time.Millisecond)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestClockEdge reads clocks of every phase: four readings within a second put
// the offset into a quarter of one.
func TestClockEdge(t *testing.T) {
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	const trip = 20 * time.Millisecond
	for ms := range 1000 {
		offset := 58*time.Minute + time.Duration(ms)*time.Millisecond
		var all []reading
		for i := range 4 {
			sent := start.Add(time.Duration(i) * edgeStep)
			all = append(all, reading{at: sent.Add(trip/2 + offset).Truncate(time.Second), timing: timing{sent, sent.Add(trip)}})
			if i > 0 && !all[i].at.Equal(all[0].at) {
				break
			}
		}
		c := clockOf(all)
		off, within := time.Duration(c.OffsetMs)*time.Millisecond, time.Duration(c.UncertaintyMs)*time.Millisecond
		if (off-offset).Abs() > within || within > 140*time.Millisecond {
			t.Fatalf("an offset of %s was read as %s +- %s from %d readings", offset, off, within, len(all))
		}
	}
	jump := []reading{{at: start, timing: timing{start, start}}, {at: start.Add(time.Hour), timing: timing{start, start}}}
	if c := clockOf(jump); c.OffsetMs != 500 || c.UncertaintyMs != 1000 {
		t.Errorf("a clock that was set between two readings: %+v", c)
	}
}

func TestClockFault(t *testing.T) {
	winter := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		offset time.Duration
		zone   string
		want   string // part of it; "": none
	}{
		"right":          {200 * time.Millisecond, "Europe/Rome", ""},
		"58 minutes":     {58 * time.Minute, "Europe/Rome", ""},
		"drifted":        {62 * time.Minute, "Europe/Rome", ""},
		"an hour":        {time.Hour + 3*time.Second, "", "1 hour ahead: daylight saving"},
		"an hour behind": {-time.Hour, "Europe/Rome", "1 hour behind: daylight saving"},
		"its zone":       {time.Hour, "Europe/Rome", "keep local time"},
		"China's":        {7*time.Hour + time.Second, "Europe/Rome", "7 hours ahead: the time zone"},
		"fixed":          {8 * time.Hour, "UTC+08:00", "keep local time"},
		"days":           {48 * time.Hour, "Europe/Rome", ""},
	} {
		got := clockFault(&protocol.Clock{OffsetMs: c.offset.Milliseconds(), At: winter}, c.zone, methodUTC, systemDateAndTime{})
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"  a\r\n b\t": "a b", "x\x00y\u202e": "xy", "": "",
		strings.Repeat("è", 300): strings.Repeat("è", maxText-1) + "…",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestReadScopes(t *testing.T) {
	got := readScopes([]string{"onvif://www.onvif.org/name/Porta%20Nord\n", "onvif://www.onvif.org/name/IPC", "onvif://www.onvif.org/hardware/N%C2%B08",
		"onvif://www.onvif.org/type/Network_Video_Storage", "http://x/name/no", "onvif://www.onvif.org/MAC/58:50:ed:1f:e3:85", "onvif://www.onvif.org/name/%zz"})
	if got != (identity{"Porta Nord", "N°8", "58:50:ed:1f:e3:85", true}) {
		t.Errorf("%+v", got)
	}
}

func TestReadMACs(t *testing.T) {
	got := readMACs([]string{"B8-A4-4F-66-14-D7", "b8:a4:4f:66:14:d7", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "x", "b8a4.4f66.14d8"})
	if strings.Join(got, " ") != "b8:a4:4f:66:14:d7 b8:a4:4f:66:14:d8" {
		t.Error(got)
	}
}

func TestFromIsBounded(t *testing.T) {
	long := "GET /zm/" + strings.Repeat("à", 5000)
	var d Device
	var c Channel
	d.fact("kept", long, "", time.Now())
	c.fact("oldest", long, true, nil, time.Now())
	for _, f := range []Fact{d.Facts["kept"], c.Facts["oldest"]} {
		if n := utf8.RuneCountInString(f.From); n > 480 || !strings.HasPrefix(f.From, "GET /zm/") {
			t.Errorf("the question that is kept beside a fact has %d characters", n)
		}
	}
}
