package pages

import (
	"testing"
	"time"
)

func bothWords(t *testing.T) (it, en *Words) {
	set, err := loadStatements(quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	return set.Words(It), set.Words(En)
}

func TestTimesInWords(t *testing.T) {
	it, en := bothWords(t)
	at := time.Date(2026, 11, 21, 13, 30, 5, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{it.DateTime(at), "sabato 21 novembre 2026, ore 14:30"},
		{en.DateTime(at), "Saturday 21 November 2026, 14:30"},
		{it.Short(at), "21/11/2026 14:30"},
		{it.Seconds(at), "14:30:05"},
		{it.Day(at), "21/11/2026"},
		// The night on which 02:30 comes twice: the offset tells them apart.
		{it.Clock(time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)), "02:30 (ora legale, UTC+2)"},
		{it.Clock(time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC)), "02:30 (ora solare, UTC+1)"},
		{it.Clock(time.Date(2026, 10, 25, 2, 0, 0, 0, time.UTC)), "03:00"},
		{it.Clock(time.Date(2026, 10, 24, 23, 59, 0, 0, time.UTC)), "01:59"},
		{it.Duration(5*time.Hour + 20*time.Minute + 59*time.Second), "5 ore e 20 minuti"},
		{en.Duration(25 * time.Hour), "1 day and 1 hour"},
		{it.Duration(8*24*time.Hour + 5*time.Hour), "8 giorni"},
		{it.Duration(2 * time.Hour), "2 ore"},
		{it.Duration(30 * time.Second), "meno di un minuto"},
		{it.Duration(-90 * time.Minute), "1 ora e 30 minuti"},
		{it.Ago(10 * time.Second), "adesso"},
		{it.Ago(3*24*time.Hour + time.Hour), "3 giorni fa"},
		{en.Ago(61 * time.Minute), "1 hour ago"},
		{it.Ago(729 * 24 * time.Hour), "729 giorni fa"},
		{it.Ago(900 * 24 * time.Hour), "2 anni fa"},
		{it.Side(226), "sud-ovest (226°)"},
		{it.Side(359.7), "nord (0°)"},
		{en.Side(-45), "north-west (315°)"},
		{it.Number(12345), "12.345"},
		{en.Number(12345), "12,345"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestInstants(t *testing.T) {
	for _, c := range []struct {
		month        time.Month
		day, h, m    int
		wantUTCHours []int
	}{
		{time.July, 1, 12, 0, []int{10}},
		{time.January, 1, 12, 0, []int{11}},
		{time.October, 25, 2, 30, []int{0, 1}}, // twice
		{time.October, 25, 3, 0, []int{2}},
		{time.March, 29, 2, 30, nil}, // never
		{time.March, 29, 3, 0, []int{1}},
		{time.March, 29, 1, 59, []int{0}},
	} {
		got := Instants(2026, c.month, c.day, c.h, c.m)
		if len(got) != len(c.wantUTCHours) {
			t.Errorf("%v: got %v", c, got)
			continue
		}
		for i, g := range got {
			if g.UTC().Hour() != c.wantUTCHours[i] {
				t.Errorf("%v: got %v", c, got)
			}
		}
	}
}
