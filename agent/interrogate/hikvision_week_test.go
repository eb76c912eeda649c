package interrogate

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

// hikRow is one action of a schedule, "Monday 08:00:00 Monday 19:30:00 CMR".
func hikRow(text string) hikAction {
	f := append(strings.Fields(text), "", "")
	return hikAction{FromDay: f[0], From: f[1], ToDay: f[2], To: f[3], Mode: f[4], Record: f[5]}
}

func hikTrackOf(enabled string, rows ...string) hikTrack {
	t := hikTrack{Blocks: &hikBlocks{}, DefaultMode: "CMR", Extensions: []hikExtension{{}, {Enabled: enabled}}}
	for _, row := range rows {
		if day, ok := strings.CutPrefix(row, "holiday "); ok {
			t.Extensions[1].Holiday = append(t.Extensions[1].Holiday, hikRow(day))
			continue
		}
		t.Blocks.Actions = append(t.Blocks.Actions, hikRow(row))
	}
	return t
}

func TestHikvisionSchedule(t *testing.T) {
	var next, same []string
	for day := time.Sunday; day <= time.Saturday; day++ {
		next = append(next, day.String()+" 00:00:00 "+((day+1)%7).String()+" 00:00:00 CMR true")
		same = append(same, day.String()+" 00:00:00 "+day.String()+" 24:00:00 CMR true")
	}
	night := oneRow(5, protocol.Interval{From: 1320, To: 1440, Mode: protocol.Motion})
	night.Days[6] = []protocol.Interval{{From: 0, To: 360, Mode: protocol.Motion}}
	three := oneRow(6, protocol.Interval{From: 720, To: 1440, Mode: protocol.Continuous})
	three.Days[0], three.Days[1] = []protocol.Interval{{From: 0, To: 1440, Mode: protocol.Continuous}}, []protocol.Interval{{From: 0, To: 60, Mode: protocol.Continuous}}
	one := func(mode protocol.Mode) protocol.Schedule {
		return oneRow(1, protocol.Interval{From: 480, To: 540, Mode: mode})
	}
	holiday := func(row ...protocol.Interval) protocol.Schedule {
		s := one(protocol.Continuous)
		s.Days[protocol.Holiday] = append([]protocol.Interval{}, row...)
		return s
	}
	const monday = "Monday 08:00:00 Monday 09:00:00 "
	for _, c := range []struct {
		name    string
		enabled string
		rows    []string
		want    protocol.Schedule
	}{
		{"whole days until the next day's midnight", "true", next, always(protocol.Continuous)},
		{"whole days until 24:00:00", "true", same, always(protocol.Continuous)},
		{"switched off", "false", next, off()},
		{"the switch is not told", "", next, protocol.Schedule{}},
		{"the switch is a word of its own", "auto", next, protocol.Schedule{}},
		{"no rows", "true", nil, off()},
		{"rows that do not record", "true", []string{monday + "CMR false"}, off()},
		{"a row that does not say whether it records", "true", []string{monday + "CMR"}, one(protocol.Continuous)},
		{"a row without a mode", "true", []string{"Monday 08:00:00 Monday 09:00:00"}, one(protocol.Continuous)},
		{"across midnight", "true", []string{"Friday 22:00:00 Saturday 06:00:00 MOTION true"}, night},
		{"across midnight, with one day's name", "true", []string{"Friday 22:00:00 Friday 06:00:00 MOTION true"}, night},
		{"over a weekend", "true", []string{"Saturday 12:00:00 Monday 01:00:00 CMR true"}, three},
		{"an unused row", "true", []string{"Monday 00:00:00 Monday 00:00:00 CMR true", monday + "CMR true"}, one(protocol.Continuous)},
		{"motion", "true", []string{monday + "MOTION true"}, one(protocol.Motion)},
		{"alarm", "true", []string{monday + "ALARM true"}, one(protocol.Alarm)},
		{"motion or alarm", "true", []string{monday + "EDR true"}, one(protocol.Motion)},
		{"the same in other words", "true", []string{monday + "ALARMORMOTION true"}, one(protocol.Motion)},
		{"motion and alarm", "true", []string{monday + "ALARMANDMOTION true"}, one(protocol.Alarm)},
		{"all events", "true", []string{monday + "AllEvent true"}, one(protocol.Motion)},
		{"another word", "true", []string{monday + "FieldDetection true"}, one(protocol.Analytics)},
		{"a day that is none", "true", []string{monday + "CMR true", "Someday 00:00:00 Someday 01:00:00 CMR true"}, protocol.Schedule{}},
		{"a time that is none", "true", []string{monday + "CMR true", "Monday 25:00:00 Monday 26:00:00 CMR true"}, protocol.Schedule{}},
		{"from the day's end", "true", []string{"Monday 24:00:00 Tuesday 01:00:00 CMR true"}, protocol.Schedule{}},
		{"a holiday", "true", []string{monday + "CMR true", "holiday Monday 00:00:00 Tuesday 00:00:00 MOTION true"}, holiday(protocol.Interval{From: 0, To: 1440, Mode: protocol.Motion})},
		{"a holiday without a day", "true", []string{monday + "CMR true", "holiday Holiday 20:00:00 Holiday 06:00:00 MOTION true"}, holiday(protocol.Interval{From: 1200, To: 1440, Mode: protocol.Motion})},
		{"a holiday whose end has no day", "true", []string{monday + "CMR true", "holiday Monday 08:00:00 Holiday 10:00:00 MOTION true"}, holiday(protocol.Interval{From: 480, To: 600, Mode: protocol.Motion})},
		{"a holiday of three days", "true", []string{monday + "CMR true", "holiday Monday 20:00:00 Wednesday 01:00:00 MOTION true"}, holiday(protocol.Interval{From: 1200, To: 1440, Mode: protocol.Motion})},
		{"a holiday that does not record", "true", []string{monday + "CMR true", "holiday Monday 00:00:00 Tuesday 00:00:00 CMR false"}, holiday()},
		{"a holiday at no time", "true", []string{monday + "CMR true", "holiday Monday noon Tuesday 00:00:00 CMR true"}, protocol.Schedule{}},
	} {
		if got, raw := hikvisionSchedule(hikTrackOf(c.enabled, c.rows...)); !reflect.DeepEqual(got, c.want) || !strings.Contains(raw[0], c.enabled) || len(raw) != 1+len(c.rows) {
			t.Errorf("%s: %+v, want %+v, words %q", c.name, got, c.want, raw)
		}
	}
	blocks := hikTrackOf("true")
	blocks.Blocks = nil
	if got, raw := hikvisionSchedule(blocks); got.Kind != protocol.ScheduleUnknown || !strings.Contains(raw[1], "ScheduleBlockList") {
		t.Errorf("without a list of blocks: %+v, words %q", got, raw)
	}
	blocks.Extensions[1].Enabled = "false"
	if got, _ := hikvisionSchedule(blocks); got.Kind != protocol.ScheduleOff {
		t.Errorf("switched off without a list of blocks: %+v", got)
	}
}

func TestHikvisionRetention(t *testing.T) {
	days := func(n int) protocol.Retention {
		return protocol.Retention{Kind: protocol.RetentionAge, Age: time.Duration(n) * 24 * time.Hour}
	}
	full, unknown := protocol.Retention{Kind: protocol.RetentionCapacity}, protocol.Retention{}
	for _, c := range []struct {
		duration, expires, loop string
		want                    protocol.Retention
	}{
		{"P7DT0H", "true", "true", days(7)},
		{"P0DT12H", "true", "true", protocol.Retention{Kind: protocol.RetentionAge, Age: 12 * time.Hour}},
		{"P7DT0H", "true", "false", days(7)},
		{"P7DT0H", "false", "true", full},
		{"P7DT0H", "false", "false", unknown},
		{"P7DT0H", "", "true", unknown}, // stated, not proven
		{"P0DT0H", "", "true", full},
		{"P0DT0H", "true", "true", full},
		{"P0DT0H", "true", "", unknown},
		{"", "", "true", full},
		{"", "true", "true", unknown},
		{"a week", "true", "true", unknown},
		{"a week", "false", "true", full},
	} {
		got, raw := hikvisionRetention(hikTrack{Duration: c.duration, Expires: c.expires, Loop: c.loop})
		if got != c.want || len(raw) != 3 {
			t.Errorf("%+v: %+v, words %q", c, got, raw)
		}
	}
}

// TestHikvisionShared plays the answers of ../shared: channels, tracks and disks in
// the place of this folder's.
func TestHikvisionShared(t *testing.T) {
	made := func(name string) []byte { return sharedAnswer(t, "synthetic", "hikvision", name) }
	c := loadRecorder(t, "merceria-hikvision").Replacing(map[string][]byte{
		"channels.xml": made("inputproxy_channels.xml"), "tracks.xml": made("record_tracks.xml"), "storage.xml": made("storage.xml"),
		"streams.xml": sharedAnswer(t, "mezz64+pyHik", "streaming_channels_xml.xml"),
	})
	week := everyDay(protocol.Interval{From: 0, To: 480, Mode: protocol.Motion}, protocol.Interval{From: 480, To: 1200, Mode: protocol.Continuous}, protocol.Interval{From: 1200, To: 1440, Mode: protocol.Motion})
	week.Days[time.Saturday] = []protocol.Interval{{From: 0, To: 1440, Mode: protocol.Motion}}
	week.Days[time.Sunday] = week.Days[time.Saturday]
	want := hikvisionShop
	want.channels = []ownExpectedChannel{
		{id: "1", name: "Ingresso Via Roma", behind: &Identity{Serial: "DS-2CD2046G2-I20230101AAWRXXXXXXXXX", Name: "Ingresso Via Roma", Address: "192.168.254.2"},
			schedule: always(protocol.Continuous), retention: protocol.Retention{Kind: protocol.RetentionAge, Age: 7 * 24 * time.Hour}, oldest: 160 * time.Hour},
		{id: "2", name: "Cortile retro", behind: &Identity{Name: "Cortile retro", Address: "192.168.254.3"}, schedule: week, retention: protocol.Retention{Kind: protocol.RetentionCapacity}, oldest: 1000 * time.Hour},
	}
	d := start(t, c, cameratest.Options{})
	compareOwn(t, asker(t, owner(d)).Ask(t.Context(), named(d)), want)

	// What real devices told, of another kind.
	d = start(t, loadRecorder(t, "vetrina-hikvision").Replacing(map[string][]byte{
		"deviceInfo.xml": sharedAnswer(t, "mezz64+pyHik", "device_info_xml.xml"), "storage.xml": sharedAnswer(t, "mezz64+pyHik", "storage_xml.xml"),
	}), cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	if got.Model != "DS-2CD2142FWD-I" || got.Serial != "DS-2CD2142FWD-I20170101AAWRC12345678" || got.Firmware != "V5.4.5" || got.Name != "Test Camera" || got.Kept != KeptDisk || got.Kind != KindCamera {
		t.Errorf("device %+v", got)
	}
}

// TestHikvisionSharedTracks reads the rows of the shared answers one by one.
func TestHikvisionSharedTracks(t *testing.T) {
	list, err := xmlOf[hikTracks](answer{body: sharedAnswer(t, "synthetic", "hikvision", "record_tracks.xml")})
	if err != nil || len(list.Tracks) < 2 {
		t.Fatal(len(list.Tracks), err)
	}
	night := oneRow(5, protocol.Interval{From: 1200, To: 1440, Mode: protocol.Motion})
	night.Days[6] = []protocol.Interval{{From: 0, To: 360, Mode: protocol.Motion}}
	night.Days[1] = []protocol.Interval{{From: 0, To: 720, Mode: protocol.Analytics}}
	for _, track := range list.Tracks {
		week, _ := hikvisionSchedule(track)
		kept, _ := hikvisionRetention(track)
		want, ok := map[string]struct {
			week protocol.Schedule
			age  time.Duration // 0: until the disk is full
		}{
			"101": {always(protocol.Continuous), 7 * 24 * time.Hour}, "102": {always(protocol.Continuous), 0}, "201": {week, 0}, // played above
			"301": {off(), 0}, "401": {off(), 0}, "501": {night, 24 * time.Hour},
		}[track.ID]
		if !ok || !reflect.DeepEqual(week, want.week) || kept.Age != want.age || kept.Kind == protocol.RetentionUnknown {
			t.Errorf("track %s: %+v, %+v", track.ID, week, kept)
		}
	}
	times, err := xmlOf[hikTime](answer{body: sharedAnswer(t, "synthetic", "hikvision", "time.xml")})
	if err != nil || ruleZone(times.Zone, time.Date(2026, 7, 10, 0, 0, 0, 0, time.UTC)) != "Europe/Rome" {
		t.Errorf("time %+v: %v", times, err)
	}
	days, err := xmlOf[hikDays](answer{body: sharedAnswer(t, "synthetic", "hikvision", "dailyDistribution_response.xml")})
	if err != nil || len(days.Days) != 30 || days.Days[14].Record != "true" || days.Days[13].Record != "false" {
		t.Errorf("calendar %+v: %v", days, err)
	}
	found, err := xmlOf[hikFound](answer{body: sharedAnswer(t, "synthetic", "hikvision", "search_oldest_response.xml")})
	if err != nil || len(found.Items) != 1 || found.Items[0].Track != "101" || found.Items[0].From != "2026-11-15T08:32:14Z" {
		t.Errorf("search %+v: %v", found, err)
	}
	request := string(sharedAnswer(t, "synthetic", "hikvision", "search_oldest_request.xml"))
	sent := searchText("C77384AD-66A0-0001-E7C2-1151F04F90B0", "101", wideFrom, wideTo, 0, 1, false)
	for _, element := range []string{"searchID", "trackList", "trackID", "startTime", "endTime", "maxResults", "searchResultPostion", "metadataDescriptor"} {
		if !strings.Contains(request, "<"+element+">") || !strings.Contains(sent, textOf(request, element)) {
			t.Errorf("the search lacks %s", textOf(request, element))
		}
	}
}

// textOf is an element with its text, of a document in which it stands once.
func textOf(document, element string) string {
	_, rest, _ := strings.Cut(document, "<"+element+">")
	text, _, _ := strings.Cut(rest, "</"+element+">")
	return "<" + element + ">" + text + "</" + element + ">"
}

func FuzzHikvision(f *testing.F) {
	f.Add([]byte(oneTrack(101, 7)))
	f.Add([]byte(`<TrackList xmlns="http://www.hikvision.com/ver20/XMLSchema">` + oneTrack(201, 0) + `</TrackList>`))
	f.Add([]byte(found("101", "2026-11-15T08:32:14")))
	f.Add([]byte(`<Time><localTime>2026-07-10T15:35:53+01:00</localTime><timeZone>CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00</timeZone></Time>`))
	f.Add([]byte(`<trackDailyDistribution><dayList><day><dayOfMonth>15</dayOfMonth><record>true</record></day></dayList></trackDailyDistribution>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := answer{body: b}
		check := func(track hikTrack) {
			week, raw := hikvisionSchedule(track)
			for day, row := range week.Days {
				for i, part := range row {
					if part.From < 0 || part.To > dayMinutes || part.From >= part.To || i > 0 && part.From < row[i-1].To {
						t.Errorf("day %d: %+v of %q", day, row, raw)
					}
				}
			}
			if kept, _ := hikvisionRetention(track); kept.Age < 0 || (kept.Kind == protocol.RetentionAge) != (kept.Age > 0) {
				t.Errorf("retention %+v", kept)
			}
		}
		if list, err := xmlOf[hikTracks](a); err == nil {
			for _, track := range list.Tracks {
				check(track)
			}
		}
		if track, err := xmlOf[hikTrack](a); err == nil {
			check(track)
		}
		if set, err := xmlOf[hikTime](a); err == nil {
			if zone := ruleZone(set.Zone, time.Now()); zone != "" {
				if _, ok := loadZone(zone); !ok {
					t.Errorf("the zone %q", zone)
				}
			}
		}
		_, err := xmlOf[hikFound](a)
		_, err2 := xmlOf[hikDays](a)
		if err == nil && err2 == nil {
			t.Error("one document is two")
		}
	})
}
