package interrogate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"anagrafe/protocol"
)

// errFirstDay: a week that says other hours for one day than for another, in a
// family of which no document says with which day it begins.
var errFirstDay = errors.New("its hours differ from day to day, and with which day its week begins is not known")

// synologyModes are the values of a half hour in camSchedule. Only 1 was seen
// (DSM 6); 2 is by the client's list of recStatus. What the others wait for (a
// digital input, or what the owner put together as "customised") is not told apart.
var synologyModes = map[int64]protocol.Mode{0: "", 1: protocol.Continuous, 2: protocol.Motion, 3: protocol.Alarm}

// synologyWeek reads camSchedule: seven lists of 48 half hours from midnight. Where
// all days are the same it is certain, and only then: otherwise the schedule is
// unknown, with errFirstDay. said is the table, short.
func synologyWeek(table []byte) (s protocol.Schedule, said []string, err error) {
	const halves = 48
	if len(table) == 0 || string(table) == "null" {
		return s, nil, nil
	}
	var rows [][]anyInt
	if json.Unmarshal(table, &rows) != nil {
		return s, nil, errors.New("its camSchedule is no table")
	}
	if len(rows) != 7 {
		return s, nil, fmt.Errorf("its camSchedule has %d rows, not 7", len(rows))
	}
	var p plan
	for day, row := range rows {
		if len(row) != halves {
			return s, nil, fmt.Errorf("a row of its camSchedule has %d cells, not %d", len(row), halves)
		}
		for i, cell := range row {
			mode, usual := synologyModes[cell.value]
			switch {
			case !cell.known || cell.value < 0:
				return s, nil, errors.New("a cell of its camSchedule is no number")
			case !usual:
				mode = protocol.Analytics
			}
			p.add(day, i*1800, (i+1)*1800, mode)
		}
	}
	same := sameRows(rows)
	for i, row := range rows {
		if i == 0 || !same {
			said = append(said, fmt.Sprintf("camSchedule row %d: %s", i+1, runs(row)))
		}
	}
	if same {
		said[0] = strings.Replace(said[0], "row 1", "all rows", 1)
		return p.schedule(), said, nil
	}
	return s, said, errFirstDay
}

// sameRows tells that all days of a table are alike.
func sameRows[T comparable](rows [][]T) bool {
	return !slices.ContainsFunc(rows, func(r []T) bool { return !slices.Equal(r, rows[0]) })
}

// runs writes a row of a table short: "7x0 41x1".
func runs[T fmt.Stringer](row []T) string {
	var out []string
	for i := 0; i < len(row); {
		n := 1
		for i+n < len(row) && row[i+n].String() == row[i].String() {
			n++
		}
		out = append(out, fmt.Sprintf("%dx%s", n, row[i]))
		i += n
	}
	return strings.Join(out, " ")
}
