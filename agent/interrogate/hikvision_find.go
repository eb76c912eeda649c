package interrogate

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Of a search for an interval.
const (
	hikMatches = 50 // in one answer
	hikPages   = 4
)

var errDates = errors.New("its dates may be in UTC or by its wall clock, and nothing shows which")

// find asks by the search that tells the oldest footage.
func (hikvision) find(_ context.Context, w *web, on recorderTime) (search, error) {
	if on.local == nil {
		return nil, errors.New("it dates footage by its wall clock, whose zone is not known")
	}
	f := &hikFinder{w: w, wall: wallOf(on)}
	dates := map[string]bool{} // by track: in UTC
	return func(ctx context.Context, want Wanted, within window) ([]dated, bool, error) {
		if channelNumber(want.Channel) == "" {
			return nil, false, errors.New("its number does not say which recording is its")
		}
		track := mainOf(want.Channel)
		if _, known := dates[track]; !known {
			utc, err := f.dates(ctx, track, on.zone, want.Continuous)
			if err != nil {
				return nil, false, err
			}
			dates[track] = utc
		}
		all, more, err := f.spans(ctx, track, within, dates[track])
		if err != nil || len(all) > 0 || within.any || !dates[track] {
			return all, more, err
		}
		// A recorder that stopped just as long ago as its zone is from UTC looks as if
		// it dated in UTC: that there is none must hold for both.
		if others, _, err := f.spans(ctx, track, within, false); err != nil || len(others) > 0 {
			return nil, false, cmp.Or(err, errDates)
		}
		return nil, false, nil
	}, nil
}

// wallOf is the recorder's wall clock now, as digits.
func wallOf(on recorderTime) time.Time {
	t := on.now.Add(on.offset()).In(on.local)
	return inZone(t, time.UTC)
}

// dates tells whether a track is dated in UTC and not by the wall clock. Only a
// channel that always records proves it: see inUTC.
func (f *hikFinder) dates(ctx context.Context, track, zone string, continuous bool) (utc bool, err error) {
	first, err := f.first(ctx, track, wideFrom, wideTo)
	switch {
	case statusOf(err) == http.StatusInternalServerError:
		return false, nil // some units do so to the wide window: by the wall clock, as was seen
	case err != nil:
		return false, err
	case !first.known() || f.count == 0 || !f.inUTC(ctx, track, zone):
		return false, nil
	}
	if !continuous {
		return false, errDates
	}
	return true, nil
}

// spans gives the footage of a track in a window.
func (f *hikFinder) spans(ctx context.Context, track string, within window, utc bool) (all []dated, more bool, err error) {
	from, until, err := within.wall(isapiStamp)
	if utc {
		from, until = within.from.UTC().Format(isapiStamp), within.until.UTC().Format(isapiStamp)
	}
	if err != nil {
		return nil, false, err
	}
	for range hikPages {
		found, _, err := f.search(ctx, track, from, until, len(all), within.most(hikMatches))
		if err != nil {
			return nil, false, err
		}
		some, err := found.spans(track, utc)
		if err != nil {
			return nil, false, err
		}
		all = append(all, some...)
		if more = strings.EqualFold(strings.TrimSpace(found.status()), "MORE"); !more || within.any || len(found.Items) == 0 {
			break
		}
	}
	return all, more, nil
}

// spans reads the matches of an answer.
func (found hikFound) spans(track string, utc bool) (all []dated, err error) {
	for _, item := range head(found.Items, hikMatches) {
		if named := strings.TrimSpace(item.Track); named != "" && named != track {
			return nil, errors.New("it told of another track than was asked for")
		}
		s := dated{wallStamp(item.From, isapiStamp), wallStamp(item.To, isapiStamp)}
		if !s.from.known() || !s.until.known() {
			return nil, errors.New("the dates of its footage cannot be read")
		}
		s.from.wall, s.until.wall = !utc, !utc
		all = append(all, s)
	}
	return all, nil
}
