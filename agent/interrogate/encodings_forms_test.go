package interrogate

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"anagrafe/protocol"
)

// encodedParts calls f for each day of each span, cut at midnight: a form that cannot
// cross it has two parts. Of holidays the next day is not told.
func encodedParts(spans []encodedSpan, f func(day, from, until int, event bool)) {
	for _, s := range spans {
		for _, day := range s.days {
			switch {
			case s.from == s.until:
			case s.from < s.until:
				f(day, s.from, s.until, s.event)
			default:
				f(day, s.from, 24, s.event)
				f((day+1)%7, 0, s.until, s.event)
			}
		}
	}
}

// encodedWhole is the same without the cut.
func encodedWhole(spans []encodedSpan, f func(day, from, until int, event bool)) {
	for _, s := range spans {
		for _, day := range s.days {
			if s.from != s.until {
				f(day, s.from, s.until, s.event)
			}
		}
	}
}

// encodedCells are the 24 hours of seven days: 0 nothing, 1 continuous, 2 on events.
func encodedCells(spans []encodedSpan) (table [7][24]int) {
	encodedParts(spans, func(day, from, until int, event bool) {
		for h := from; h < until; h++ {
			table[day][h] = 1
			if event {
				table[day][h] = 2
			}
		}
	})
	return table
}

// encodedWord is for families that record all week or never.
func encodedWord(spans []encodedSpan, none, continuous, event string) string {
	switch {
	case len(spans) == 0:
		return none
	case spans[0].event:
		return event
	}
	return continuous
}

func encodedHolidays(spans []encodedSpan) bool {
	for _, s := range spans {
		for _, day := range s.days {
			if day == protocol.Holiday {
				return true
			}
		}
	}
	return false
}

// hikvisionEncoded: next ends a whole day with the next day's first second, and
// crosses midnight in one row; else rows end at 24:00:00.
func hikvisionEncoded(t *testing.T, spans []encodedSpan, names [7]string, next bool) protocol.Schedule {
	row := func(day, until, from, to int, event bool) string {
		mode := "CMR"
		if event {
			mode = "MOTION"
		}
		return fmt.Sprintf(`<ScheduleAction><ScheduleActionStartTime><DayOfWeek>%s</DayOfWeek><TimeOfDay>%02d:00:00</TimeOfDay></ScheduleActionStartTime><ScheduleActionEndTime><DayOfWeek>%s</DayOfWeek><TimeOfDay>%02d:00:00</TimeOfDay></ScheduleActionEndTime><Actions><Record>true</Record><ActionRecordingMode>%s</ActionRecordingMode></Actions></ScheduleAction>`, names[day%7], from, names[until%7], to, mode)
	}
	var week, holiday strings.Builder
	write := func(day, from, until int, event bool) {
		switch to := &week; {
		case day == protocol.Holiday:
			holiday.WriteString(row(1, 1, from, until, event)) // its day means nothing
		case next && until == 24:
			to.WriteString(row(day, day+1, from, 0, event))
		default:
			to.WriteString(row(day, day, from, until, event))
		}
	}
	if next {
		for _, s := range spans {
			for _, day := range s.days {
				switch {
				case s.from > s.until:
					week.WriteString(row(day, day+1, s.from, s.until, s.event))
				case s.from == s.until: // an unused row
					holiday.WriteString(row(1, 1, 0, 0, false))
				default:
					write(day, s.from, s.until, s.event)
				}
			}
		}
	} else {
		encodedParts(spans, write)
		if encodedHolidays(spans) && holiday.Len() == 0 {
			holiday.WriteString(row(1, 1, 0, 0, false))
		}
	}
	text := `<Track><id>101</id><TrackSchedule><ScheduleBlockList><ScheduleBlock>` + week.String() + `</ScheduleBlock></ScheduleBlockList></TrackSchedule><CustomExtensionList><CustomExtension><enableSchedule>true</enableSchedule><HolidaySchedule><ScheduleBlock>` + holiday.String() + `</ScheduleBlock></HolidaySchedule></CustomExtension></CustomExtensionList></Track>`
	var track hikTrack
	if err := xml.Unmarshal([]byte(text), &track); err != nil {
		t.Fatal(err)
	}
	s, _ := hikvisionSchedule(track)
	return s
}

// dahuaEncoded: six sections a day, those that are not used with the mask 0. over: a
// section that ends before it begins crosses midnight, which was never seen.
func dahuaEncoded(spans []encodedSpan, end string, over bool) protocol.Schedule {
	var used [8][]string
	each := encodedParts
	if over {
		each = encodedWhole
	}
	each(spans, func(day, from, until int, event bool) {
		mask, to := 1, fmt.Sprintf("%02d:00:00", until)
		if event {
			mask = 2
		}
		if until == 24 {
			to = end
		}
		used[day] = append(used[day], fmt.Sprintf("%d %02d:00:00-%s", mask, from, to))
	})
	var text strings.Builder
	fmt.Fprintf(&text, "table.Record[0].HolidayEnable=%v\r\n", encodedHolidays(spans))
	for day := range 8 {
		for i := range 6 {
			section := "0 00:00:00-23:59:59"
			if i < len(used[day]) {
				section = used[day][i]
			}
			fmt.Fprintf(&text, "table.Record[0].TimeSection[%d][%d]=%s\r\n", day, i, section)
		}
	}
	modes := readLines([]byte("table.RecordMode[0].Mode=0\r\n")).below("table.RecordMode")
	s, _ := dahuaSchedule(readLines([]byte(text.String())).below("table.Record"), modes, 0)
	return s
}

// univiewEncoded: days 1 to 7 from Monday, 8 for holidays; ArmingType 0 is continuous,
// and of the others it is known that something must happen.
func univiewEncoded(spans []encodedSpan, end string) protocol.Schedule {
	var used [8][]string
	encodedParts(spans, func(day, from, until int, event bool) {
		kind, to := 0, fmt.Sprintf("%02d:00:00", until)
		if event {
			kind = 1
		}
		if until == 24 {
			to = end
		}
		used[day] = append(used[day], fmt.Sprintf(`{"Begin":"%02d:00:00","End":"%s","ArmingType":%d}`, from, to, kind))
	})
	var days []string
	for id := 1; id <= 8; id++ {
		day := id % 7
		if id == 8 {
			if day = protocol.Holiday; !encodedHolidays(spans) {
				continue
			}
		}
		sections := append(append([]string{}, used[day]...), `{"Begin":"00:00:00","End":"00:00:00","ArmingType":0}`)
		days = append(days, fmt.Sprintf(`{"ID":%d,"Num":%d,"TimeSectionInfos":[%s]}`, id, len(used[day]), strings.Join(sections, ",")))
	}
	s, _ := univiewSchedule([]byte(`{"Enabled":1,"WeekPlan":{"Days":[` + strings.Join(days, ",") + `]}}`))
	return s
}

func hanwhaEncoded(spans []encodedSpan) protocol.Schedule {
	r := sunapiRecording{recorder: true, enable: "True", normal: "Full", event: "Full"}
	for day, row := range encodedCells(spans) {
		var words []string
		for _, cell := range row {
			words = append(words, [3]string{"0", "1", "E"}[cell])
		}
		r.week[day] = strings.Join(words, " ")
	}
	return r.schedule()
}

func reolinkEncoded(t *testing.T, spans []encodedSpan) protocol.Schedule {
	tables := map[string][]byte{"TIMING": nil, "MD": nil}
	for _, row := range encodedCells(spans) {
		for _, cell := range row {
			for kind, want := range map[string]int{"TIMING": 1, "MD": 2} {
				flag := byte('0')
				if cell == want {
					flag = '1'
				}
				tables[kind] = append(tables[kind], flag)
			}
		}
	}
	s, _, err := reolinkWeek(fmt.Appendf(nil, `{"TIMING":%q,"MD":%q}`, tables["TIMING"], tables["MD"]))
	if err != nil {
		t.Error(err)
	}
	return s
}

func synologyEncoded(t *testing.T, spans []encodedSpan) protocol.Schedule {
	var rows [7][]int
	for day, row := range encodedCells(spans) {
		for _, cell := range row {
			rows[day] = append(rows[day], cell, cell)
		}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := synologyWeek(text)
	if err != nil {
		t.Error(err)
	}
	return s
}

// nxEncoded: every hour of the week is in some cell, if only in one that says
// never.
func nxEncoded(t *testing.T, spans []encodedSpan, end int) protocol.Schedule {
	var tasks []string
	for day, row := range encodedCells(spans) {
		for from := 0; from < 24; {
			until := from
			for until < 24 && row[until] == row[from] {
				until++
			}
			to := until * 3600
			if until == 24 {
				to = end
			}
			tasks = append(tasks, fmt.Sprintf(`{"dayOfWeek":%d,"startTime":%d,"endTime":%d,%s}`, (day+6)%7+1, from*3600, to, [3]string{
				`"recordingType":"never","metadataTypes":"none"`, `"recordingType":"always","metadataTypes":"none"`, `"recordingType":"metadataOnly","metadataTypes":"motion"`}[row[from]]))
			from = until
		}
	}
	var s nxSchedule
	if err := json.Unmarshal([]byte(`{"isEnabled":true,"tasks":[`+strings.Join(tasks, ",")+`]}`), &s); err != nil {
		t.Fatal(err)
	}
	return nxWeek(s, false)
}

func frigateEncoded(t *testing.T, text string) protocol.Schedule {
	var r frigateRecord
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	s, _ := frigatePolicy(r)
	return s
}

// onvifEncoded: a rule a span, from the first Sunday of 2023 on; end is how a day is
// ended, "" with the next day's first second.
func onvifEncoded(t *testing.T, spans []encodedSpan, end string) protocol.Schedule {
	var text strings.Builder
	text.WriteString("BEGIN:VCALENDAR\r\n")
	for _, s := range spans {
		for _, day := range s.days {
			until := fmt.Sprintf("202301%02dT%02d0000", day+1, s.until)
			switch {
			case s.until == 24 && end != "":
				until = fmt.Sprintf("202301%02d%s", day+1, end)
			case s.until == 24:
				until = fmt.Sprintf("202301%02dT000000", day+2)
			case s.from > s.until:
				until = fmt.Sprintf("202301%02dT%02d0000", day+2, s.until)
			}
			fmt.Fprintf(&text, "BEGIN:VEVENT\r\nDTSTART:202301%02dT%02d0000\r\nDTEND:%s\r\nRRULE:FREQ=WEEKLY;BYDAY=%s\r\nEND:VEVENT\r\n", day+1, s.from, until, []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}[day])
		}
	}
	text.WriteString("END:VCALENDAR\r\n")
	w, err := readWeek(scheduleItem{Standard: text.String()})
	if err != nil {
		if len(spans) > 0 {
			t.Error(err)
		}
		return protocol.Schedule{}
	}
	return paint([]layer{{mode: protocol.Continuous, week: &w}})
}
