package interrogate

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"anagrafe/protocol"
)

// reolinkMode is what a table of GetRecV20 is for: TIMING records by the clock, MD
// on motion, AI_PEOPLE, AI_VEHICLE and their like on what the camera makes out.
// Other names are kept raw; something has to happen for them.
func reolinkMode(kind string) protocol.Mode {
	switch kind {
	case "TIMING":
		return protocol.Continuous
	case "MD":
		return protocol.Motion
	}
	return protocol.Analytics
}

// oneTable stands for the only table of the older GetRec. Its characters are 0 for
// off and others for on; what starts a recording then is not told, so it counts as
// something that has to happen.
const oneTable = "table"

// reolinkWeek reads schedule.table: tables of 7 x 24 hours by kind (GetRecV20), each
// a string of 168 characters, 0 for off; or a single such string (GetRec). Where all
// days of every table are alike it is certain, and only then: that the first day is
// Sunday is likely and disputed, so otherwise the schedule is unknown, with
// errFirstDay. said are the tables, short.
func reolinkWeek(table []byte) (s protocol.Schedule, said []string, err error) {
	var tables map[string]anyText
	var one string
	switch {
	case len(table) == 0 || string(table) == "null":
		return s, nil, nil
	case json.Unmarshal(table, &one) == nil:
		tables = map[string]anyText{oneTable: anyText(one)}
	case json.Unmarshal(table, &tables) != nil:
		return s, nil, errors.New("its schedule is no table")
	}
	if len(tables) == 0 {
		return s, nil, nil
	}
	var p plan
	for _, kind := range slices.Sorted(maps.Keys(tables)) {
		words, alike, bad := p.addHours(kind, string(tables[kind]))
		said = append(said, words...)
		if bad != nil {
			return protocol.Schedule{}, said, bad
		}
		if !alike {
			err = errFirstDay
		}
	}
	if err != nil {
		return s, said, err
	}
	return p.schedule(), said, nil
}

// addHours adds one table, with Sunday as its first day, and tells whether its days
// are all alike.
func (p *plan) addHours(kind, table string) (said []string, alike bool, err error) {
	const days, hours = 7, 24
	kind = clean(kind)
	if len(table) != days*hours {
		return nil, false, fmt.Errorf("its table %s has %d characters, not %d", kind, len(table), days*hours)
	}
	rows := make([][]hourFlag, days)
	for day := range rows {
		rows[day] = []hourFlag(table[day*hours : (day+1)*hours])
		for hour, on := range rows[day] {
			if on != '0' {
				p.add(day, hour*3600, (hour+1)*3600, reolinkMode(kind))
			}
		}
	}
	if alike = sameRows(rows); alike {
		return []string{kind + " every day " + runs(rows[0])}, true, nil
	}
	for day, row := range rows {
		said = append(said, fmt.Sprintf("%s day %d: %s", kind, day+1, runs(row)))
	}
	return said, false, nil
}

// hourFlag is one hour of a table.
type hourFlag byte

// String is the flag as it was told.
func (f hourFlag) String() string { return strings.ToValidUTF8(string([]byte{byte(f)}), "?") }
