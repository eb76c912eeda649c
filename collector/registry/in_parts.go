package registry

import (
	"context"
	"time"
)

// A list of a hundred thousand rows is read in parts: no more of them is in memory at
// once, and a slow reader, a browser that saves a file say, holds no connection and
// no old state of the database meanwhile. A part begins behind the last row of the one
// before, wherever that stands by then: a row is given once, and one that was in the
// list all the time and did not change its place is not left out.

// firstPart and mostInPart bound the rows of a part: the first comes soon, and the later
// ones are few.
const firstPart, mostInPart = 500, 4_000

// rowPlace is where a row stands in the order of its list.
type rowPlace struct {
	at time.Time // zero: it has none, and stands behind those that have one
	id any
}

// inParts calls row for each of a window of a list; read gives a window in one view.
func inParts[T any](ctx context.Context, in Window, read func(Window) ([]T, error), stands func(T) rowPlace, row func(T) error) error {
	for size := firstPart; in.Limit > 0; size = min(2*size, mostInPart) {
		part := in
		part.Limit = min(in.Limit, size)
		rows, err := read(part)
		if err != nil {
			return err
		}
		for _, one := range rows {
			if err := row(one); err != nil {
				return err
			}
		}
		if len(rows) < part.Limit {
			return nil
		}
		after := stands(rows[len(rows)-1])
		in.Limit, in.Offset, in.after = in.Limit-part.Limit, 0, &after
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// behind narrows w to what stands behind the last row before the window.
func (in Window) behind(w *where, at, id string) {
	if in.after == nil {
		return
	}
	beyond := " > "
	if !in.Ascending {
		beyond = " < "
	}
	switch {
	case in.after.at.IsZero():
		w.and(at+" IS NULL AND "+id+beyond+"?", in.after.id)
	case always[at]:
		w.and("("+at+", "+id+")"+beyond+"(?, ?)", micros(in.after.at), in.after.id)
	default:
		w.and("(("+at+", "+id+")"+beyond+"(?, ?) OR "+at+" IS NULL)", micros(in.after.at), in.after.id)
	}
}
