package protocol

import "time"

// nationalHoliday reports whether a date is a public holiday in all of Italy,
// Sundays apart: law 260/1949 with its changes; San Francesco (4 October)
// since 2026 by law 151/2025. Patron saints of towns are not in it.
func nationalHoliday(year int, month time.Month, day int) bool {
	switch int(month)*100 + day {
	case 101, 106, 425, 501, 602, 815, 1101, 1208, 1225, 1226:
		return true
	case 1004:
		return year >= 2026
	}
	m, d := easter(year)
	sunday := time.Date(year, m, d, 0, 0, 0, 0, time.UTC)
	date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return date.Equal(sunday) || date.Equal(sunday.AddDate(0, 0, 1))
}

// easter returns Easter Sunday of a Gregorian year: the method printed
// anonymously in Nature of 20 April 1876.
func easter(year int) (time.Month, int) {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	n := (h + l - 7*m + 90) / 25
	p := (h + l - 7*m + 33*n + 19) % 32
	return time.Month(n), p
}
