package pages

import (
	"fmt"
	"math"
	"sync"
	"time"
	_ "time/tzdata" // a host without zone files must not show other times
)

// Rome gives the zone in which every page shows and asks times.
var Rome = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("Europe/Rome")
	if err != nil { // cannot happen: tzdata is linked in
		return time.UTC
	}
	return loc
})

// DateTime writes a moment in full: "sabato 21 novembre 2026, ore 14:30",
// "Saturday 21 November 2026, 14:30".
func (w *Words) DateTime(t time.Time) string {
	t = t.In(Rome())
	return w.T("time.full", "weekday", w.T(fmt.Sprintf("time.weekday.%d", t.Weekday())), "day", t.Day(),
		"month", w.T(fmt.Sprintf("time.month.%d", t.Month())), "year", t.Year(), "clock", t.Format("15:04")) + w.offset(t)
}

// Short writes a moment in figures: "21/11/2026 14:30".
func (w *Words) Short(t time.Time) string {
	t = t.In(Rome())
	return t.Format("02/01/2006 15:04") + w.offset(t)
}

// Day writes a day in figures: "21/11/2026".
func (w *Words) Day(t time.Time) string { return t.In(Rome()).Format("02/01/2006") }

// Clock writes the time of day: "14:30".
func (w *Words) Clock(t time.Time) string {
	t = t.In(Rome())
	return t.Format("15:04") + w.offset(t)
}

// Seconds writes the time of day with seconds: "14:30:05".
func (w *Words) Seconds(t time.Time) string {
	t = t.In(Rome())
	return t.Format("15:04:05") + w.offset(t)
}

// offset is what tells the two hours apart that carry the same name on the
// last Sunday of October, and nothing on all other moments.
func (w *Words) offset(t time.Time) string {
	if len(Instants(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute())) < 2 {
		return ""
	}
	_, seconds := t.Zone()
	if t.IsDST() {
		return " " + w.T("time.summer", "offset", seconds/3600)
	}
	return " " + w.T("time.winter", "offset", seconds/3600)
}

// Instants returns the moments at which clocks in Rome show a wall time: one, or
// none (the night in March on which an hour is left out), or two in order (the
// night in October on which one comes twice).
func Instants(year int, month time.Month, day, hour, minute int) []time.Time {
	var found []time.Time
	// Europe/Rome is UTC+1 or UTC+2: a wall time is one of these two moments.
	utc := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	for _, ahead := range []time.Duration{2 * time.Hour, time.Hour} {
		t := utc.Add(-ahead).In(Rome())
		if t.Hour() == utc.Hour() && t.Minute() == utc.Minute() && t.Day() == utc.Day() {
			found = append(found, t)
		}
	}
	return found
}

// Duration writes a span in its two largest units, rounded down so that a time
// left is never made longer: "5 ore e 20 minuti", "3 giorni e 4 ore".
func (w *Words) Duration(d time.Duration) string {
	d = d.Abs()
	days, hours, minutes := int(d/(24*time.Hour)), int(d%(24*time.Hour)/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case days >= 7:
		return w.N("span.days", days)
	case days > 0:
		return w.and(w.N("span.days", days), "span.hours", hours)
	case hours > 0:
		return w.and(w.N("span.hours", hours), "span.minutes", minutes)
	case minutes > 0:
		return w.N("span.minutes", minutes)
	default:
		return w.T("span.moment")
	}
}

func (w *Words) and(first, unit string, n int) string {
	if n == 0 {
		return first
	}
	return w.T("span.and", "first", first, "second", w.N(unit, n))
}

// year is a year without its leap day, for spans that nobody counts in days.
const year = 365 * 24 * time.Hour

// Ago writes how long ago something was in one unit: "3 giorni fa", "2 anni
// fa", "adesso".
func (w *Words) Ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return w.T("span.now")
	case d < time.Hour:
		return w.T("span.ago", "span", w.N("span.minutes", int(d/time.Minute)))
	case d < 24*time.Hour:
		return w.T("span.ago", "span", w.N("span.hours", int(d/time.Hour)))
	case d < 2*year:
		return w.T("span.ago", "span", w.N("span.days", int(d/(24*time.Hour))))
	default:
		return w.T("span.ago", "span", w.N("span.years", int(d/year)))
	}
}

// Side names a direction, degrees clockwise from north: "sud-ovest (226°)".
func (w *Words) Side(deg float64) string {
	deg = math.Mod(math.Mod(deg, 360)+360, 360)
	return fmt.Sprintf("%s (%d°)", w.Wind(deg), int(math.Round(deg))%360)
}

// Wind names a direction by the nearest of eight: "sud-ovest".
func (w *Words) Wind(deg float64) string {
	deg = math.Mod(math.Mod(deg, 360)+360, 360)
	return w.T(fmt.Sprintf("wind.%d", int(math.Round(deg/45))%8))
}
