package interrogate

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// dahuaPlan is the table Record of channel 1, counted from 0, from rows as
// "1 2 6 08:00:00-18:00:00": day, part, value. Days without a row have none in use.
func dahuaPlan(holidays string, rows ...string) dahuaLines {
	l := dahuaLines{"[1].Enable": "false", "[1].HolidayEnable": holidays, "[0].TimeSection[1][0]": "1 00:00:00-24:00:00"}
	for day := range 8 {
		l[fmt.Sprintf("[1].TimeSection[%d][0]", day)] = "0 00:00:00-24:00:00"
	}
	for _, row := range rows {
		var day, part int
		fmt.Sscan(row, &day, &part)
		l[fmt.Sprintf("[1].TimeSection[%d][%d]", day, part)] = strings.Join(strings.Fields(row)[2:], " ")
	}
	return l
}

func TestDahuaSchedule(t *testing.T) {
	days := func(value string) (rows []string) {
		for day := range 7 {
			rows = append(rows, fmt.Sprintf("%d 0 %s", day, value))
		}
		return rows
	}
	whole := days("1 00:00:00-23:59:59")
	monday := func(mode protocol.Mode) protocol.Schedule {
		return oneRow(1, protocol.Interval{From: 480, To: 1080, Mode: mode})
	}
	shut := monday(protocol.Continuous)
	shut.Days[protocol.Holiday] = []protocol.Interval{}
	noMonday := dahuaPlan("false", whole...)
	delete(noMonday, "[1].TimeSection[1][0]")
	for _, c := range []struct {
		name string
		mode string
		plan dahuaLines
		want protocol.Schedule
	}{
		{"whole days", "0", dahuaPlan("false", whole...), always(protocol.Continuous)},
		{"whole days until 24:00:00", "0", dahuaPlan("false", days("1 00:00:00-24:00:00")...), always(protocol.Continuous)},
		{"with holidays", "0", dahuaPlan("true", append(whole, "7 0 1 00:00:00-23:59:59")...), always(protocol.Continuous)},
		{"Sunday is the first day", "0", dahuaPlan("false", "0 0 1 08:00:00-18:00:00"), oneRow(0, protocol.Interval{From: 480, To: 1080, Mode: protocol.Continuous})},
		{"Saturday the last", "0", dahuaPlan("false", "6 5 1 08:00:00-18:00:00"), oneRow(6, protocol.Interval{From: 480, To: 1080, Mode: protocol.Continuous})},
		{"nothing on holidays", "0", dahuaPlan("true", "1 0 1 08:00:00-18:00:00"), shut},
		{"nothing is told of holidays but their row", "0", dahuaPlan("", "1 0 1 08:00:00-18:00:00"), shut},
		{"holidays are no matter", "0", dahuaPlan("false", "1 0 1 08:00:00-18:00:00", "7 0 1 00:00:00-24:00:00"), monday(protocol.Continuous)},
		{"nor is what cannot be read of them", "0", dahuaPlan("false", "1 0 1 08:00:00-18:00:00"), monday(protocol.Continuous)},
		{"nothing in use", "0", dahuaPlan("false"), off()},
		{"always by hand", "1", dahuaPlan("false"), always(protocol.Continuous)},
		{"never by hand", "2", dahuaPlan("false", whole...), off()},
		{"a mode of its own", "3", dahuaPlan("false", whole...), protocol.Schedule{}},
		{"no mode", "", dahuaPlan("false", whole...), protocol.Schedule{}},
		{"a mode and no plan", "0", dahuaLines{}, protocol.Schedule{}},
		{"by hand and no plan", "1", dahuaLines{}, always(protocol.Continuous)},
		{"a day is missing", "0", noMonday, protocol.Schedule{}},
		{"a part that is none", "0", dahuaPlan("false", append(whole, "1 3 1 noon-night")...), protocol.Schedule{}},
		{"a time that is none", "0", dahuaPlan("false", append(whole, "1 3 1 25:00:00-26:00:00")...), protocol.Schedule{}},
		{"bit 1: motion", "0", dahuaPlan("false", "1 0 2 08:00:00-18:00:00"), monday(protocol.Motion)},
		{"bit 2: alarm", "0", dahuaPlan("false", "1 0 4 08:00:00-18:00:00"), monday(protocol.Alarm)},
		{"motion or alarm", "0", dahuaPlan("false", "1 0 6 08:00:00-18:00:00"), monday(protocol.Motion)},
		{"bit 3: card", "0", dahuaPlan("false", "1 0 8 08:00:00-18:00:00"), monday(protocol.Analytics)},
		{"bit 4: analytics", "0", dahuaPlan("false", "1 0 16 08:00:00-18:00:00"), monday(protocol.Analytics)},
		{"bit 5: motion and alarm", "0", dahuaPlan("false", "1 0 32 08:00:00-18:00:00"), monday(protocol.Alarm)},
		{"bit 6: till", "0", dahuaPlan("false", "1 0 64 08:00:00-18:00:00"), monday(protocol.Analytics)},
		{"a bit of the future", "0", dahuaPlan("false", "1 0 4096 08:00:00-18:00:00"), monday(protocol.Analytics)},
		{"continuous beside all", "0", dahuaPlan("false", "1 0 39 08:00:00-18:00:00"), monday(protocol.Continuous)},
		{"two parts", "0", dahuaPlan("false", "1 0 1 08:00:00-12:00:00", "1 4 2 12:00:00-18:00:00"),
			oneRow(1, protocol.Interval{From: 480, To: 720, Mode: protocol.Continuous}, protocol.Interval{From: 720, To: 1080, Mode: protocol.Motion})},
		{"across midnight", "0", dahuaPlan("false", "5 0 2 22:00:00-06:00:00"), func() protocol.Schedule {
			s := oneRow(5, protocol.Interval{From: 1320, To: 1440, Mode: protocol.Motion})
			s.Days[6] = []protocol.Interval{{From: 0, To: 360, Mode: protocol.Motion}}
			return s
		}()},
	} {
		modes := dahuaLines{"[1].Mode": c.mode, "[0].Mode": "2", "[1].ModeExtra1": "2"}
		if c.mode == "" {
			delete(modes, "[1].Mode")
		}
		got, raw := dahuaSchedule(c.plan, modes, 1)
		if !reflect.DeepEqual(got, c.want) || raw[0] != "RecordMode "+c.mode {
			t.Errorf("%s: %+v, want %+v, words %q", c.name, got, c.want, raw)
		}
		if strings.Contains(strings.Join(raw, "|"), " 0 00:00:00") {
			t.Errorf("%s: the words tell of what is not in use: %q", c.name, raw)
		}
	}
}

func TestDahuaRetention(t *testing.T) {
	age := func(days int) protocol.Retention {
		return protocol.Retention{Kind: protocol.RetentionAge, Age: time.Duration(days) * 24 * time.Hour}
	}
	full, unknown := protocol.Retention{Kind: protocol.RetentionCapacity}, protocol.Retention{}
	for name, c := range map[string]struct {
		global, groups string // lines
		want           protocol.Retention
	}{
		"a week for all":               {"FileHoldTime=7 OverWrite=true", "[0].FileHoldTime=0 [0].OverWrite=true", age(7)},
		"a week for all and the group": {"FileHoldTime=7", "[0].FileHoldTime=7 [1].FileHoldTime=0", age(7)},
		"they disagree":                {"FileHoldTime=7", "[0].FileHoldTime=3", unknown},
		"the group alone":              {"FileHoldTime=0", "[0].FileHoldTime=30", age(30)},
		"one group of two":             {"FileHoldTime=0", "[0].FileHoldTime=30 [1].FileHoldTime=0", unknown},
		"until the disk is full":       {"FileHoldTime=0", "[0].FileHoldTime=0 [0].OverWrite=true", full},
		"until full, told for all":     {"FileHoldTime=0 OverWrite=true", "[0].FileHoldTime=0", full},
		"stops when full":              {"FileHoldTime=0", "[0].FileHoldTime=0 [0].OverWrite=false", unknown},
		"one of them stops":            {"FileHoldTime=0", "[0].FileHoldTime=0 [0].OverWrite=true [1].FileHoldTime=0 [1].OverWrite=false", unknown},
		"overwriting is not told":      {"FileHoldTime=0", "[0].FileHoldTime=0", unknown},
		"the groups are not told":      {"FileHoldTime=7", "", age(7)},
		"nor is an age":                {"FileHoldTime=0 OverWrite=true", "", unknown},
		"all is not told":              {"", "[0].FileHoldTime=0 [0].OverWrite=true", unknown},
		"only the group is told":       {"", "[0].FileHoldTime=7", age(7)},
		"no number":                    {"FileHoldTime=week", "[0].FileHoldTime=0 [0].OverWrite=true", unknown},
		"below zero":                   {"FileHoldTime=-1", "[0].FileHoldTime=0 [0].OverWrite=true", unknown},
		"more than anybody keeps":      {"FileHoldTime=99999999", "[0].FileHoldTime=0 [0].OverWrite=true", unknown},
		"nothing":                      {"", "", unknown},
	} {
		read := func(text string) dahuaLines {
			if text == "" {
				return nil
			}
			return readLines([]byte(strings.ReplaceAll(text, " ", "\r\n")))
		}
		if got, raw := dahuaRetention(read(c.global), read(c.groups)); got != c.want || (raw == nil) != (name == "nothing") {
			t.Errorf("%s: %+v, want %+v, words %q", name, got, c.want, raw)
		}
	}
}

func TestDahuaZone(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	weeks := func(on string, start, end string) dahuaLines {
		l := dahuaLines{"DSTEnable": on}
		for which, text := range map[string]string{"DSTStart": start, "DSTEnd": end} {
			f := strings.Fields(text)
			for i, field := range []string{"Year", "Month", "Week", "Day", "Hour", "Minute"} {
				l[which+"."+field] = f[i]
			}
		}
		return l
	}
	rome := []string{"2026 3 -1 0 2 0", "2026 10 -1 0 3 0"}
	for name, c := range map[string]struct {
		index  string
		summer dahuaLines
		want   string
	}{
		"Rome":                      {"1", weeks("true", rome[0], rome[1]), "Europe/Rome"},
		"by days of this year":      {"1", weeks("true", "2026 3 0 29 2 0", "2026 10 0 25 3 0"), "Europe/Rome"},
		"by days of another year":   {"1", weeks("true", "2025 3 0 30 2 0", "2025 10 0 26 3 0"), ""},
		"summer time switched off":  {"1", weeks("false", rome[0], rome[1]), "UTC+01:00"},
		"summer time is not told":   {"1", nil, ""},
		"New York":                  {"25", weeks("true", "2026 3 2 0 2 0", "2026 11 1 0 2 0"), "America/New_York"},
		"half an hour east of five": {"8", weeks("false", rome[0], rome[1]), "UTC+05:30"},
		"half an hour west":         {"23", weeks("false", rome[0], rome[1]), "UTC-03:30"},
		"no such zone":              {"33", weeks("false", rome[0], rome[1]), ""},
		"no number":                 {"Rome", weeks("false", rome[0], rome[1]), ""},
		"no such month":             {"1", weeks("true", "2026 13 -1 0 2 0", rome[1]), ""},
		"no such week":              {"1", weeks("true", "2026 3 -3 0 2 0", rome[1]), ""},
	} {
		got, raw := dahuaZone(dahuaLines{"TimeZone": c.index, "TimeZoneDesc": "Beijing"}, c.summer, now)
		if got != c.want || !strings.Contains(raw, "TimeZone "+c.index) || !strings.Contains(raw, "DSTEnable "+c.summer["DSTEnable"]) {
			t.Errorf("%s: %q, want %q, words %q", name, got, c.want, raw)
		}
	}
	// As the wall clock of Rome, also in a leap year.
	leap := time.Date(2028, 7, 1, 12, 0, 0, 0, time.UTC)
	if got, _ := dahuaZone(dahuaLines{"TimeZone": "1"}, weeks("true", "2028 3 0 26 2 0", "2028 10 0 29 3 0"), leap); got != "Europe/Rome" {
		t.Errorf("in a leap year: %q", got)
	}
}

func TestReadLines(t *testing.T) {
	l := readLines([]byte("table.A[0].Name=a=b \r\n\r\nno value\r\ntable.A[10].Name=\r\n=x\ntable.AB[3].Name=c\ntable.A.B=d"))
	a := l.below("table.A")
	if len(l) != 4 || len(a) != 3 || a.of(0, ".Name") != "a=b" || a["B"] != "d" || !reflect.DeepEqual(a.indexes(), []int{0, 10}) || l.below("table.AB").of(3, ".Name") != "c" {
		t.Errorf("%q, of it %q", l, a)
	}
}

// TestDahuaKept: where the images are, by the table of places or by the disks.
func TestDahuaKept(t *testing.T) {
	const disk = "list.info[0].Detail[0].TotalBytes=2495680086016.000000\n"
	for name, c := range map[string]struct {
		places, disks string
		want          Kept
	}{
		"its disk":              {"table.RecordStoragePoint[0].TimingRecord.Local=true\ntable.RecordStoragePoint[0].TimingSnapShot.FTP=true\n", "", KeptDisk},
		"FTP":                   {"table.RecordStoragePoint[0].TimingRecord.Local=false\ntable.RecordStoragePoint[0].TimingRecord.FTP=true\n", disk, KeptRemote},
		"both":                  {"table.RecordStoragePoint[0].TimingRecord.Local=true\ntable.RecordStoragePoint[0].AlarmRecord.Remote=true\n", "", KeptSeveral},
		"elsewhere, some place": {"table.RecordStoragePoint[0].TimingRecord.Remote=true\n", disk, KeptUnknown},
		"no table":              {"403", disk, KeptDisk},
		"no table, older disks": {"403", "list[0].Detail[0].TotalBytes=1000.000000\n", KeptDisk},
		"no disk":               {"403", "list.info[0].Detail[0].TotalBytes=0.000000\n", KeptUnknown},
		"neither":               {"403", "403", KeptUnknown},
	} {
		d := &dahuaDevice{tables: plainTables(), found: map[string]string{}, disks: c.disks}
		d.tables["RecordStoragePoint"] = c.places
		if got := d.ask(t); got.Kept != c.want {
			t.Errorf("%s: %q, want %q, problems %v", name, got.Kept, c.want, got.Errors)
		}
	}
}

// TestDahuaShared plays the answers of ../shared in the place of this folder's.
func TestDahuaShared(t *testing.T) {
	made := map[string][]byte{}
	for file, name := range map[string]string{
		"ChannelTitle.txt": "getConfig_ChannelTitle.txt", "General.txt": "getConfig_General.txt", "Locales.txt": "getConfig_Locales.txt", "NTP.txt": "getConfig_NTP.txt",
		"Record.txt": "getConfig_Record.txt", "RecordMode.txt": "getConfig_RecordMode.txt", "StorageGlobal.txt": "getConfig_StorageGlobal.txt", "StorageGroup.txt": "getConfig_StorageGroup.txt",
		"create.txt": "mediaFileFind_1_factory_create.txt", "ok.txt": "mediaFileFind_2_findFile.txt",
	} {
		made[file] = sharedAnswer(t, "synthetic", "dahua", name)
	}
	d := start(t, loadRecorder(t, "merceria-dahua").Replacing(made), cameratest.Options{})
	want := dahuaShop
	want.name = "NVR Negozio"
	row := protocol.Interval{From: 0, To: 1440, Mode: protocol.Continuous}
	always7 := always(protocol.Continuous)
	second := everyDay(protocol.Interval{From: 0, To: 480, Mode: protocol.Motion}, protocol.Interval{From: 480, To: 1080, Mode: protocol.Continuous}, protocol.Interval{From: 1080, To: 1440, Mode: protocol.Motion})
	second.Days[time.Saturday] = []protocol.Interval{{From: 0, To: 1440, Mode: protocol.Motion}}
	second.Days[time.Sunday], second.Days[protocol.Holiday] = second.Days[time.Saturday], []protocol.Interval{row}
	week := protocol.Retention{Kind: protocol.RetentionAge, Age: 7 * 24 * time.Hour}
	want.channels = []ownExpectedChannel{
		{id: "1", name: "Ingresso Via Roma", w: 2560, h: 1440, schedule: always7, retention: week, oldest: 160 * time.Hour},
		{id: "2", name: "Cortile retro", w: 1920, h: 1080, schedule: second, retention: week, oldest: 160 * time.Hour},
		{id: "3", name: "IPC", w: 1280, h: 720, schedule: always7, retention: week},
	}
	compareOwn(t, asker(t, owner(d)).Ask(t.Context(), named(d)), want)

	if still, out := lockedOut(answer{status: 403, body: sharedAnswer(t, "synthetic", "dahua", "error_403_lockout.json")}); !out || still != 30*time.Minute {
		t.Errorf("locked: %v, for %s", out, still)
	}
	if _, out := lockedOut(answer{status: 403, body: sharedAnswer(t, "synthetic", "dahua", "error_403_permission.txt")}); out {
		t.Error("a permission is taken for a lock")
	}
	items := readLines(sharedAnswer(t, "synthetic", "dahua", "mediaFileFind_3_findNextFile_count1.txt"))
	at := wallStamp(readLines(sharedAnswer(t, "synthetic", "dahua", "getCurrentTime.txt"))["result"], time.DateTime)
	if items["found"] != "1" || items["items[0].Channel"] != "0" || items["items[0].StartTime"] != "2026-11-15 08:00:00" || !at.known() {
		t.Errorf("files %q, time %+v", items, at)
	}
	if disks := readLines(sharedAnswer(t, "synthetic", "dahua", "storageDevice_getDeviceAllInfo.txt")); disks["list.info[0].Detail[0].TotalBytes"] == "" {
		t.Errorf("disks %q", disks)
	}
}

func FuzzDahua(f *testing.F) {
	f.Add([]byte(wholeWeek(39, 0, 1)+"table.Record[0].HolidayEnable=true\n"), []byte("table.RecordMode[0].Mode=0\n"))
	f.Add([]byte("table.Record[0].TimeSection[7][0]=1 22:00:00-06:00:00\n"), []byte(`{"ErrorCode":268632081,"Result":false,"RmLock":1800,"RmLogin":0}`))
	f.Add([]byte("table.StorageGlobal.FileHoldTime=7\ntable.StorageGroup[0].FileHoldTime=7\n"), []byte("table.NTP.TimeZone=1\ntable.Locales.DSTEnable=true\ntable.Locales.DSTStart.Month=3\n"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		a, b := readLines(one), readLines(two)
		for _, n := range head(a.below("table.Record").indexes(), 8) {
			week, raw := dahuaSchedule(a.below("table.Record"), b.below("table.RecordMode"), n)
			for day, row := range week.Days {
				for i, part := range row {
					if part.From < 0 || part.To > dayMinutes || part.From >= part.To || i > 0 && part.From < row[i-1].To {
						t.Errorf("day %d: %+v of %q", day, row, raw)
					}
				}
			}
		}
		if kept, _ := dahuaRetention(a.below("table.StorageGlobal"), a.below("table.StorageGroup")); kept.Age < 0 || (kept.Kind == protocol.RetentionAge) != (kept.Age > 0) {
			t.Errorf("retention %+v", kept)
		}
		if zone, _ := dahuaZone(b.below("table.NTP"), b.below("table.Locales"), time.Now()); zone != "" {
			if _, ok := loadZone(zone); !ok {
				t.Errorf("the zone %q", zone)
			}
		}
		if still, out := lockedOut(answer{status: 403, body: two}); still < 0 || still > 7*24*time.Hour || still > 0 && !out {
			t.Errorf("locked for %s", still)
		}
	})
}
