package interrogate

import (
	"errors"
	"time"

	"anagrafe/protocol"
)

// recorderTime turns true time into a recorder's, and its dates back.
type recorderTime struct {
	clock protocol.Clock
	zone  string
	local *time.Location // nil: not known
	now   time.Time      // true
}

func newRecorderTime(f Finder, now time.Time) (recorderTime, error) {
	if f.Clock == nil {
		return recorderTime{}, errors.New("its clock could not be read, so that nobody knows what its dates mean")
	}
	local, ok := loadZone(f.Zone)
	if !ok {
		local = nil
	}
	return recorderTime{*f.Clock, f.Zone, local, now}, nil
}

func (on recorderTime) offset() time.Duration {
	return time.Duration(on.clock.OffsetMs) * time.Millisecond
}

func (on recorderTime) uncertainty() time.Duration {
	return time.Duration(on.clock.UncertaintyMs) * time.Millisecond
}

// window is an interval by the recorder's own clock.
type window struct {
	from, until time.Time      // instants, whole seconds
	local       *time.Location // of its wall clock; nil: not known
	any         bool           // one stretch of footage anywhere in it is enough
}

// window gives what the recorder's clock shows at true times, rounded outwards.
func (on recorderTime) window(from, until time.Time) window {
	return window{from.Add(on.offset()).Truncate(time.Second), until.Add(on.offset() + time.Second - 1).Truncate(time.Second), on.local, false}
}

// everything is the window of all footage.
func (on recorderTime) everything() window {
	w := on.window(earliest, on.now.Add(time.Hour))
	w.any = true
	return w
}

// most is how many stretches to ask for, where so many fit into one answer.
func (w window) most(fit int) int {
	if w.any {
		return 1
	}
	return fit
}

// wall writes it as the digits of the recorder's wall clock.
func (w window) wall(layout string) (from, until string, err error) {
	if w.local == nil {
		return "", "", errors.New("it dates footage by its wall clock, whose zone is not known")
	}
	return w.from.In(w.local).Format(layout), w.until.In(w.local).Format(layout), nil
}

// period gives a stretch of footage in true time.
func (on recorderTime) period(s dated) (Period, error) {
	from, err := s.from.trueTime(&on.clock, on.zone, on.now)
	if err != nil {
		return Period{}, err
	}
	if from.IsZero() {
		return Period{}, errors.New("it does not say from when its footage is")
	}
	until := on.now
	if s.until.known() {
		if until, err = s.until.trueTime(&on.clock, on.zone, on.now); err != nil {
			return Period{}, err
		}
	}
	if until.Before(from) {
		return Period{}, errors.New("its footage ends before it begins")
	}
	return Period{from, until}, nil
}

// twice tells whether the wall clock was put forward or back around an interval:
// digits of a date then do not say which hour is meant.
func (on recorderTime) twice(want Wanted) bool {
	const around = 3 * time.Hour
	return on.local != nil && offsetAt(on.local, want.From.Add(-around)) != offsetAt(on.local, want.Until.Add(around))
}
