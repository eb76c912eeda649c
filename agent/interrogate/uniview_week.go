package interrogate

import (
	"encoding/json"
	"fmt"

	"anagrafe/protocol"
)

// univiewSchedule reads the record schedule of a channel: the Data of
// Storage/Schedule/Record. words are the device's own, also of what is not
// understood; then the schedule is unknown.
//
// Days have the ID 1 to 7, and 8 for holidays. That 1 is Monday is inferred: the
// maker's application counts Sunday as 7 in the rule of summer time, and a device
// with the same interface keeps its day 7 as the first of its week. Num tells how
// many sections count; the others are padded with 24:00:00-24:00:00 by cameras and
// 00:00:00-00:00:00 by recorders. A day with Num 0 is empty; one that is not
// listed is not told, and leaves the week unknown. Enabled 0 switches the week off.
func univiewSchedule(data []byte) (s protocol.Schedule, words []string) {
	var said struct {
		Enabled  lapiValue
		WeekPlan *struct{ Days []univiewDay }
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return s, nil
	}
	words = []string{"Enabled=" + string(said.Enabled)}
	on, ok := said.Enabled.truth()
	switch {
	case !ok:
		return s, words
	case !on:
		return off(), words
	case said.WeekPlan == nil || len(said.WeekPlan.Days) == 0 || len(said.WeekPlan.Days) > 8:
		return s, words
	}
	p, told := &plan{}, map[int]bool{}
	for _, d := range said.WeekPlan.Days {
		w, ok := d.addTo(p)
		if words = append(words, w...); !ok {
			return protocol.Schedule{}, words
		}
		if id, _ := d.ID.number(); id <= 7 {
			told[id] = true
		}
	}
	if len(told) < 7 {
		return protocol.Schedule{}, append(words, fmt.Sprintf("%d of 7 days", len(told)))
	}
	return p.schedule(), words
}

type univiewDay struct {
	ID, Num  lapiValue
	Sections []struct {
		Begin, End string
		Kind       lapiValue `json:"ArmingType"`
	} `json:"TimeSectionInfos"`
}

// addTo adds one day to a plan; ok=false: it is not understood.
func (d univiewDay) addTo(p *plan) (words []string, ok bool) {
	id, ok := d.ID.number()
	if !ok || id < 1 || id > 8 {
		return []string{"day ID=" + string(d.ID)}, false
	}
	day := id % 7
	if id == 8 {
		day = protocol.Holiday
		p.addHoliday()
	}
	sections := d.Sections
	if n, ok := d.Num.number(); ok && n >= 0 {
		sections = head(sections, n)
	}
	for _, s := range head(sections, 64) {
		from, ok1 := clockSeconds(s.Begin)
		until, ok2 := clockSeconds(s.End)
		if !ok1 || !ok2 {
			return append(words, fmt.Sprintf("%s-%s", s.Begin, s.End)), false
		}
		if from != until {
			words = append(words, "ArmingType="+string(s.Kind))
			p.add(day, from, until, univiewMode(s.Kind))
		}
	}
	return words, true
}

// univiewMode is what an ArmingType means. 0 is "by schedule" in all sources; 1 is
// motion in the maker's application and something else in a program of others, to
// whom 2 is motion: with any but 0 something has to happen first.
func univiewMode(kind lapiValue) protocol.Mode {
	if kind == "0" {
		return protocol.Continuous
	}
	return protocol.Analytics
}
