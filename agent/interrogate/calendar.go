package interrogate

import "time"

// Bounds of a walk through a calendar of footage, for recorders that tell of each
// day only whether there is some.
const (
	mostMonths  = 25 // two years of footage and the month under way
	emptyMonths = 3  // in a row at the start: then there is none to find
)

// walkCalendar finds the first day with footage: it walks back from the month of now
// and ends at the first month without any. What lies before an empty month is not
// looked for: less footage is claimed than there may be, never more. now is the
// recorder's wall clock, with its digits as if they were UTC; month gives the days
// of one month, the first at 0, and an error of it ends the walk. The zero time
// without error is none found.
func walkCalendar(now time.Time, month func(year int, m time.Month) ([]bool, error)) (time.Time, error) {
	var oldest time.Time
	this := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	for i := range mostMonths {
		first := this.AddDate(0, -i, 0)
		days, err := month(first.Year(), first.Month())
		if err != nil {
			return time.Time{}, err
		}
		day, found := firstMarked(first, now, days)
		switch {
		case found:
			oldest = day
		case !oldest.IsZero(), i+1 >= emptyMonths:
			return oldest, nil
		}
	}
	return oldest, nil
}

// firstMarked is the first day of a month that is set. One beyond the month's end or
// after now is no footage: a calendar has 31 places for every month, and a clock
// that was set back leaves days of the future.
func firstMarked(first, now time.Time, days []bool) (time.Time, bool) {
	for i, has := range head(days, 31) {
		day := first.AddDate(0, 0, i)
		if has && day.Month() == first.Month() && !day.After(now) {
			return day, true
		}
	}
	return time.Time{}, false
}

// wholeDayStamp dates footage of which only the day is known. It is taken to begin at
// the day's end: of the day itself nothing is claimed. Of footage that begins today
// nothing is known yet. Both times are digits of the recorder's wall clock.
func wholeDayStamp(day, now time.Time) stamp {
	end := day.AddDate(0, 0, 1)
	if day.IsZero() || end.After(now) {
		return stamp{}
	}
	return stamp{at: end, wall: true, text: day.Format(time.DateOnly) + ", a whole day: its end is taken"}
}
