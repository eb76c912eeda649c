package interrogate

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
)

// dahuaLines are the lines of an answer, by key. Lines end with CR LF.
type dahuaLines map[string]string

// maxLines of an answer of 1 MiB; the shortest that are of use have some 20 bytes.
const maxLines = 64 << 10

func readLines(body []byte) dahuaLines {
	lines := dahuaLines{}
	for line := range strings.Lines(string(body)) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		if key = strings.TrimSpace(key); ok && key != "" && len(lines) < maxLines {
			lines[key] = strings.TrimSpace(value)
		}
	}
	return lines
}

// below gives the lines of a table, without its name: "[0].Name", "MachineName".
func (l dahuaLines) below(table string) dahuaLines {
	out := dahuaLines{}
	for key, value := range l {
		rest, ok := strings.CutPrefix(key, table)
		if ok && (strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, ".")) {
			out[strings.TrimPrefix(rest, ".")] = value
		}
	}
	return out
}

// of is the value of the n-th member's field.
func (l dahuaLines) of(n int, field string) string { return l["["+strconv.Itoa(n)+"]"+field] }

// indexes are the members that a table has, sorted.
func (l dahuaLines) indexes() []int {
	have := map[int]bool{}
	for key := range l {
		number, _, ok := strings.Cut(strings.TrimPrefix(key, "["), "]")
		if n, err := strconv.Atoi(number); ok && err == nil && n >= 0 && n < 1<<12 && strings.HasPrefix(key, "[") {
			have[n] = true
		}
	}
	var all []int
	for n := range have {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// schedules reads the plan of each channel, and what overrides it.
func (d *dahuaTalk) schedules(ctx context.Context) {
	plans, from := d.config(ctx, "Record")
	modes, _ := d.config(ctx, "RecordMode")
	if plans == nil && modes == nil {
		return
	}
	for i := range d.told.channels {
		c := &d.told.channels[i]
		n, err := strconv.Atoi(c.id)
		if err != nil {
			continue
		}
		week, raw := dahuaSchedule(plans, modes, n-1)
		c.schedule = week
		c.say("schedule", from, raw...)
	}
}

// timeSection is a part of a day: a mask of modes and from when to when,
// "39 00:00:00-23:59:59". Up to six a day; those that are not used have the mask 0.
var timeSection = regexp.MustCompile(`^([0-9]{1,9}) +([0-9:]{4,8}) *- *([0-9:]{4,8})$`)

// The bits of a mask. Of "motion and alarm" the alarm counts, without which
// nothing is recorded. Those without a mode of ours (card, analytics, till, and
// whatever else there may be) record when something happens.
var maskBits = []protocol.Mode{protocol.Continuous, protocol.Motion, protocol.Alarm, protocol.Analytics, protocol.Analytics, protocol.Alarm}

// dahuaSchedule reads when a channel, counted from 0, records, and the words for
// it, from the tables Record and RecordMode. The mode beats the week: 0 is the
// week, 1 records always, 2 never; where it is not told, or is another, nothing is
// known. Days are 0 for Sunday to 6, and 7 for holidays, which count unless
// HolidayEnable is false. Enable was seen false on channels that do record: it is
// not read. A week that lacks a day, or has a part that cannot be read, is unknown.
func dahuaSchedule(plans, modes dahuaLines, channel int) (protocol.Schedule, []string) {
	raw := []string{"RecordMode " + modes.of(channel, ".Mode")}
	holidays := !strings.EqualFold(plans.of(channel, ".HolidayEnable"), "false")
	p, complete := &plan{}, true
	for day := range protocol.Holiday + 1 {
		rows := 0
		for part := range 24 {
			text, told := plans[fmt.Sprintf("[%d].TimeSection[%d][%d]", channel, day, part)]
			if !told {
				continue
			}
			rows++
			used, ok := addSection(p, day, text, day < protocol.Holiday || holidays)
			complete = complete && ok
			if used && (day < protocol.Holiday || holidays) {
				raw = append(raw, dayWord(day)+text)
			}
		}
		switch {
		case day < protocol.Holiday:
			complete = complete && rows > 0
		case rows > 0 && holidays:
			p.addHoliday()
		}
	}
	switch modes.of(channel, ".Mode") {
	case "0":
		if complete {
			return p.schedule(), raw
		}
	case "1":
		return always(protocol.Continuous), raw
	case "2":
		return off(), raw
	}
	return protocol.Schedule{}, raw
}

// addSection adds one part of a day to p if it counts. used: it has a mode.
func addSection(p *plan, day int, text string, counts bool) (used, ok bool) {
	m := timeSection.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return true, false
	}
	mask, err := strconv.Atoi(m[1])
	from, ok1 := clockSeconds(m[2])
	until, ok2 := clockSeconds(m[3])
	if err != nil || !ok1 || !ok2 {
		return true, false
	}
	if mask == 0 || !counts {
		return mask != 0, true
	}
	for bit := 0; mask>>bit != 0; bit++ {
		mode := protocol.Analytics
		if bit < len(maskBits) {
			mode = maskBits[bit]
		}
		if mask>>bit&1 == 1 {
			p.add(day, from, until, mode)
		}
	}
	return true, true
}

// dayWord sets the holiday apart in the words of a week.
func dayWord(day int) string {
	if day == protocol.Holiday {
		return "holiday "
	}
	return ""
}

// retention reads how long the footage is kept: for the device as a whole, and for
// the groups of disks, of which it is not told which channel records on which.
func (d *dahuaTalk) retention(ctx context.Context) {
	global, from := d.config(ctx, "StorageGlobal")
	groups, fromGroups := d.config(ctx, "StorageGroup")
	if global == nil {
		from = fromGroups
	}
	kept, raw := dahuaRetention(global, groups)
	if raw == nil {
		return
	}
	for i := range d.told.channels {
		c := &d.told.channels[i]
		c.retention = kept
		c.say("retention", from, raw...)
	}
}

// dahuaRetention reads FileHoldTime, in days, of StorageGlobal and of every group
// of disks in StorageGroup, and the words for it. None of it was seen on a wire.
// Either may be nil: not told. An age counts if no other stands beside it: it is
// set in one place alone, or alike in both. Without any age in either, OverWrite
// means "until the disk is full". Where groups differ, or where one of the two is
// not told and the other sets no age, nothing is known.
func dahuaRetention(global, groups dahuaLines) (protocol.Retention, []string) {
	var raw []string
	overwrites := map[string]bool{}
	hold := func(what, days, overwrite string) (int, bool) {
		raw = append(raw, what+" FileHoldTime "+days+" OverWrite "+overwrite)
		overwrites[strings.ToLower(overwrite)] = true
		n, err := strconv.Atoi(days)
		return n, err == nil && n >= 0 && n <= maxHoldDays
	}
	whole, okWhole := 0, false
	if global != nil {
		whole, okWhole = hold("StorageGlobal", global["FileHoldTime"], global["OverWrite"])
	}
	parts, okParts := []int{}, true
	for _, n := range head(groups.indexes(), maxGroups) {
		days, ok := hold("StorageGroup "+strconv.Itoa(n), groups.of(n, ".FileHoldTime"), groups.of(n, ".OverWrite"))
		okParts = okParts && ok
		parts = append(parts, days)
	}
	okParts = okParts && len(parts) > 0
	slices.Sort(parts)
	parts = slices.Compact(parts)
	age := protocol.Retention{Kind: protocol.RetentionAge}
	switch {
	case okWhole && whole > 0 && okParts && !onlyOrZero(parts, whole):
		return protocol.Retention{}, raw
	case okWhole && whole > 0:
		age.Age = time.Duration(whole) * 24 * time.Hour
		return age, raw
	case okParts && len(parts) == 1 && parts[0] > 0:
		age.Age = time.Duration(parts[0]) * 24 * time.Hour
		return age, raw
	case okWhole && okParts && len(parts) == 1 && overwrites["true"] && !overwrites["false"]:
		return protocol.Retention{Kind: protocol.RetentionCapacity}, raw
	}
	return protocol.Retention{}, raw
}

const (
	maxHoldDays = 36500
	maxGroups   = 64
)

// onlyOrZero tells that all are n or 0.
func onlyOrZero(all []int, n int) bool {
	return !slices.ContainsFunc(all, func(m int) bool { return m != n && m != 0 })
}
