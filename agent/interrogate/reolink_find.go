package interrogate

import (
	"context"
	"errors"
	"strconv"
	"time"

	"anagrafe/protocol"
)

// find asks for the files of an interval, by the wall clock. A search that begins on
// one day and ends on another is not answered by all: each day is asked alone.
func (reolink) find(ctx context.Context, w *web, on recorderTime) (search, error) {
	if on.local == nil {
		return nil, errors.New("it dates footage by its wall clock, whose zone is not known")
	}
	if err := reolinkLogin(ctx, w); err != nil {
		return nil, err
	}
	return func(ctx context.Context, want Wanted, within window) (all []dated, more bool, err error) {
		channel, err := strconv.ParseInt(want.Channel, 10, 16)
		if err != nil {
			return nil, false, errors.New("its number does not say which recording is its")
		}
		from, until := inZone(within.from.In(on.local), time.UTC), inZone(within.until.In(on.local), time.UTC)
		if within.any {
			return reolinkAnything(ctx, w, channel, until)
		}
		for day := from; day.Before(until); day = day.Truncate(24*time.Hour).AddDate(0, 0, 1) {
			end := protocol.Earlier(until, day.Truncate(24*time.Hour).AddDate(0, 0, 1).Add(-time.Second))
			found, err := reolinkFiles(ctx, w, channel, day, end)
			if err != nil {
				return nil, false, err
			}
			all = append(all, found...)
		}
		return all, false, nil
	}, nil
}

// reolinkAnything tells whether there is footage of this month or the one before: as
// one stretch, of which nothing but its being there counts.
func reolinkAnything(ctx context.Context, w *web, channel int64, now time.Time) ([]dated, bool, error) {
	for _, month := range []time.Time{now, now.AddDate(0, 0, -now.Day())} {
		first := time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)
		day, _, err := reolinkMonth(ctx, w, channel, first)
		if err != nil || day > 0 {
			at := stamp{first.AddDate(0, 0, max(day, 1)-1), true, ""}
			return []dated{{at, at}}[:min(day, 1)], true, err
		}
	}
	return nil, false, nil
}

// reolinkFiles gives the files of one day.
func reolinkFiles(ctx context.Context, w *web, channel int64, from, until time.Time) ([]dated, error) {
	r, _, err := reolinkAsk[reolinkFound](ctx, w, "Search", reolinkSearch(channel, 0, from, until))
	if err != nil {
		return nil, err
	}
	return r.files()
}

// files reads the files of an answer.
func (r reolinkFound) files() (all []dated, err error) {
	if r.SearchResult == nil {
		return nil, errors.New("its answer holds no result of the search")
	}
	for _, f := range r.SearchResult.File {
		start, ok := f.StartTime.wall()
		end, ended := f.EndTime.wall()
		if !ok || !ended {
			return nil, errors.New("the dates of its footage cannot be read")
		}
		all = append(all, dated{stamp{start, true, ""}, stamp{end, true, ""}})
	}
	return all, nil
}
