package interrogate

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

func calendar(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString("BEGIN:VEVENT\nSUMMARY:x\n" + strings.ReplaceAll(e, "|", "\n") + "\nEND:VEVENT\n")
	}
	return "BEGIN:VCALENDAR\nVERSION:2.0\n" + b.String() + "END:VCALENDAR\n"
}

func TestReadWeek(t *testing.T) {
	const office = "DTSTART:19700105T080000|DTEND:19700105T190000|RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
	for name, c := range map[string]struct {
		text string
		want string // days from Sunday on; "": not read
	}{
		"office":           {calendar(office), "[[] [{480 1140}] [{480 1140}] [{480 1140}] [{480 1140}] [{480 1140}] []]"},
		"carriage returns": {strings.ReplaceAll(calendar(office), "\n", "\r\n"), "[[] [{480 1140}] [{480 1140}] [{480 1140}] [{480 1140}] [{480 1140}] []]"},
		"folded":           {strings.Replace(calendar(office), "WEEKLY", "WEE\n KLY", 1), "[[] [{480 1140}] [{480 1140}] [{480 1140}] [{480 1140}] [{480 1140}] []]"},
		"to midnight":      {calendar("DTSTART:19700101T200000|DTEND:19700102T000000|RRULE:FREQ=WEEKLY;BYDAY=SA"), "[[] [] [] [] [] [] [{1200 1440}]]"},
		"over midnight":    {calendar("DTSTART:19700101T220000|DTEND:19700102T060000|RRULE:FREQ=WEEKLY;BYDAY=SA"), "[[{0 360}] [] [] [] [] [] [{1320 1440}]]"},
		"to the last second": {calendar("DTSTART:19700101T000000|DTEND:19700101T235959|RRULE:FREQ=WEEKLY;BYDAY=SU"),
			"[[{0 1440}] [] [] [] [] [] []]"},
		"daily":             {calendar("DTSTART:19700101T060000|DTEND:19700101T070000|RRULE:FREQ=DAILY"), "[[{360 420}] [{360 420}] [{360 420}] [{360 420}] [{360 420}] [{360 420}] [{360 420}]]"},
		"day of its start":  {calendar("DTSTART:19700101T060000|DTEND:19700101T070000|RRULE:FREQ=WEEKLY"), "[[] [] [] [] [{360 420}] [] []]"}, // 1 January 1970 was a Thursday
		"two":               {calendar("DTSTART:19700101T060000|DTEND:19700101T070000|RRULE:FREQ=WEEKLY;BYDAY=SU", "DTSTART:19700101T080000|DTEND:19700101T090000|RRULE:FREQ=WEEKLY;BYDAY=SU"), "[[{360 420} {480 540}] [] [] [] [] [] []]"},
		"until":             {calendar(office + ";UNTIL=20270101T000000"), ""},
		"every other week":  {calendar(office + ";INTERVAL=2"), ""},
		"monthly":           {calendar("DTSTART:19700101T060000|DTEND:19700101T070000|RRULE:FREQ=MONTHLY"), ""},
		"once":              {calendar("DTSTART:19700101T060000|DTEND:19700101T070000"), ""},
		"but not on":        {calendar(office + "|EXDATE:19700112T080000"), ""},
		"second Monday":     {calendar("DTSTART:19700101T060000|DTEND:19700101T070000|RRULE:FREQ=WEEKLY;BYDAY=2MO"), ""},
		"universal time":    {calendar("DTSTART:19700101T060000Z|DTEND:19700101T070000Z|RRULE:FREQ=WEEKLY"), ""},
		"in another zone":   {calendar("DTSTART;TZID=Asia/Tokyo:19700101T060000|DTEND:19700101T070000|RRULE:FREQ=WEEKLY"), ""},
		"backwards":         {calendar("DTSTART:19700101T070000|DTEND:19700101T060000|RRULE:FREQ=WEEKLY"), ""},
		"longer than a day": {calendar("DTSTART:19700101T070000|DTEND:19700103T060000|RRULE:FREQ=WEEKLY"), ""},
		"no events":         {calendar(), ""},
		"cut":               {calendar(office)[:80], ""},
		"nothing":           {"", ""},
	} {
		w, err := readWeek(scheduleItem{Standard: c.text})
		got := ""
		if err == nil {
			got = fmt.Sprint(w.days)
		}
		if got != c.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, c.want)
		}
	}
}

func TestScheduledJobs(t *testing.T) {
	w, err := readWeek(scheduleItem{Standard: calendar("DTSTART:19700105T080000|DTEND:19700105T190000|RRULE:FREQ=WEEKLY;BYDAY=MO")})
	if err != nil {
		t.Fatal(err)
	}
	always, err := readWeek(scheduleItem{Standard: calendar("DTSTART:19700101T000000|DTEND:19700102T000000|RRULE:FREQ=DAILY")})
	if err != nil {
		t.Fatal(err)
	}
	closed := w
	closed.special = []span{}
	weeks := map[string]week{"office": w, "always": always, "closed": closed}
	job := func(schedule, topic string) recordingJob {
		j := recordingJob{Configuration: jobConf{Mode: "Active"}}
		if schedule != "-" {
			j.Configuration.Schedule = &schedule
		}
		if topic != "" {
			j.Configuration.Events = &struct {
				Topics []string `xml:"Filter>Topic"`
			}{[]string{topic}}
		}
		return j
	}
	const M, C = protocol.Motion, protocol.Continuous
	row := func(i ...protocol.Interval) []protocol.Interval { return i }
	weekly := func(s protocol.Schedule) protocol.Schedule { s.Kind = protocol.ScheduleWeekly; return s }
	var mixed protocol.Schedule
	for d := range 7 {
		mixed.Days[d] = row(protocol.Interval{From: 0, To: 1440, Mode: M})
	}
	mixed.Days[1] = row(protocol.Interval{From: 0, To: 480, Mode: M}, protocol.Interval{From: 480, To: 1140, Mode: C}, protocol.Interval{From: 1140, To: 1440, Mode: M})
	monday := protocol.Schedule{Days: [8][]protocol.Interval{1: row(protocol.Interval{From: 480, To: 1140, Mode: C})}}
	holiday := monday
	holiday.Days[protocol.Holiday] = row()
	if holiday.Days[protocol.Holiday] == nil {
		holiday.Days[protocol.Holiday] = []protocol.Interval{}
	}
	for name, c := range map[string]struct {
		jobs []recordingJob
		want protocol.Schedule
	}{
		"scheduled":                       {[]recordingJob{job("office", "")}, weekly(monday)},
		"on motion, and by schedule":      {[]recordingJob{job("-", "Motion"), job("office", "")}, weekly(mixed)},
		"all week":                        {[]recordingJob{job("always", "Motion")}, protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: M}},
		"always besides":                  {[]recordingJob{job("office", ""), job("-", "")}, protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: C}},
		"one is not known":                {[]recordingJob{job("office", ""), job("other", "")}, protocol.Schedule{}},
		"an empty token":                  {[]recordingJob{job("", "")}, protocol.Schedule{}},
		"special days":                    {[]recordingJob{job("closed", "")}, weekly(holiday)},
		"special days of one, not of all": {[]recordingJob{job("closed", ""), job("-", "Motion")}, protocol.Schedule{}},
	} {
		if got := readSchedule(c.jobs, nil, weeks); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n %+v, want\n %+v", name, got, c.want)
		}
	}
}

// TestScheduleService gives a recorder the written answers of the Schedule
// service: only a job that names a schedule is read by it.
func TestScheduleService(t *testing.T) {
	dir := filepath.Join(filepath.Dir(sharedOnvif(t)), "recorders", "synthetic", "onvif")
	c := &cameratest.Conversation{Name: "synthetic", Source: cameratest.HandWritten}
	for _, a := range []struct{ operation, namespace string }{
		{"GetSystemDateAndTime", nsDevice}, {"GetScopes", nsDevice}, {"GetGeoLocation", nsDevice}, {"GetStorageConfigurations", nsDevice},
		{"GetRecordings", nsRecording}, {"GetRecordingJobs", nsRecording}, {"GetRecordingSummary", nsSearch}, {"GetSchedules", nsSchedule},
	} {
		body, err := os.ReadFile(filepath.Join(dir, a.operation+"_response.xml"))
		if err != nil {
			t.Fatal(err)
		}
		c.Answers = append(c.Answers, cameratest.Answer{File: a.operation, Namespace: a.namespace, Operation: a.operation, Status: 200, Body: body})
	}
	offer := "<tds:GetServicesResponse>"
	for _, ns := range []string{nsDevice, nsRecording, nsSearch, nsSchedule} {
		offer += "<tds:Service><tds:Namespace>" + ns + "</tds:Namespace><tds:XAddr>http://192.0.2.1/onvif/device_service</tds:XAddr></tds:Service>"
	}
	c.Answers = append(c.Answers, cameratest.Answer{File: "GetServices", Namespace: nsDevice, Operation: "GetServices", Status: 200, Body: []byte(envelopeWith(offer + "</tds:GetServicesResponse>"))})
	d := start(t, c, cameratest.Options{})
	got := asker(t, nil).Ask(t.Context(), sighted(d))
	if len(got.Channels) != 3 || got.Suggested == nil || *got.Suggested != (place{45.4642, 9.19}) || got.Kept != KeptDisk {
		t.Fatalf("read as %+v", got)
	}
	night := got.Channels[1].Schedule
	want := []protocol.Interval{{From: 0, To: 360, Mode: protocol.Motion}, {From: 1200, To: 1440, Mode: protocol.Motion}}
	if night.Kind != protocol.ScheduleWeekly || night.Zone != "Europe/Rome" || !reflect.DeepEqual(night.Days[3], want) || night.Days[protocol.Holiday] != nil {
		t.Errorf("the scheduled channel: %+v", night)
	}
	if s := got.Channels[0].Schedule; s.Kind != protocol.ScheduleAlways || s.Mode != protocol.Continuous {
		t.Errorf("the channel without a schedule: %+v", s)
	}
	if s := got.Channels[2].Schedule; s.Kind != protocol.ScheduleUnknown {
		t.Errorf("the channel without a job: %+v", s)
	}
	if n := got.Channels[1].Name; n != "Ingresso Via Roma" {
		t.Errorf("named %q", n)
	}
}

// FuzzCalendar reads any text as a schedule: no panic, and only weeks that a
// message may carry.
func FuzzCalendar(f *testing.F) {
	f.Add(calendar("DTSTART:19700105T080000|DTEND:19700105T190000|RRULE:FREQ=WEEKLY;BYDAY=MO,TU"), "08:00:00", "20:00:00")
	f.Add(calendar("DTSTART:19700101T220000|DTEND:19700102T060000|RRULE:FREQ=DAILY"), "00:00:00", "")
	f.Add("BEGIN:VEVENT\n X\nBEGIN:VALARM\nEND:VALARM\nEND:VEVENT", "", "24:00:00")
	f.Fuzz(func(t *testing.T, text, from, until string) {
		item := scheduleItem{Token: "s", Standard: text}
		item.Special = append(item.Special, struct {
			Ranges []struct {
				From  string
				Until string
			} `xml:"TimeRange"`
		}{[]struct {
			From  string
			Until string
		}{{from, until}}})
		for _, special := range []bool{true, false} {
			if !special {
				item.Special = nil
			}
			w, err := readWeek(item)
			if err != nil {
				continue
			}
			token := "s"
			s := readSchedule([]recordingJob{{Configuration: jobConf{Mode: "Active", Schedule: &token}}}, nil, map[string]week{"s": w})
			if s.Kind == protocol.ScheduleUnknown || s.Kind == protocol.ScheduleOff {
				t.Errorf("%q became %+v", text, s)
			}
			for _, day := range s.Days {
				last := -1
				for _, i := range day {
					if i.From <= last || i.From >= i.To || i.To > 1440 || i.Mode == "" {
						t.Errorf("%q: intervals %v", text, day)
					}
					last = i.To - 1
				}
			}
		}
	})
}
