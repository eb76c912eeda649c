package consult

import (
	"net/url"
	"testing"
	"time"

	"anagrafe/protocol/pages"
)

// A chip stands for the same wall times whatever the hour at which it is pressed,
// never for a time to come, and its fields say what it searches.
func TestChips(t *testing.T) {
	rome := func(text string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04:05", text, pages.Rome())
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ now, when, from, to, typed string }{
		{"2026-11-21 14:30:40", "now", "2026-11-21 14:30:00", "2026-11-21 14:30:00", "2026-11-21 14:30 "},
		{"2026-11-21 14:30:40", "hour", "2026-11-21 13:30:00", "2026-11-21 14:30:00", "2026-11-21 13:30 14:30"},
		{"2026-11-21 00:20:00", "hour", "2026-11-20 23:20:00", "2026-11-21 00:20:00", "2026-11-20 23:20 00:20"},
		{"2026-11-21 14:30:40", "night", "2026-11-20 22:00:00", "2026-11-21 06:00:00", "2026-11-20 22:00 06:00"},
		{"2026-11-21 03:10:00", "night", "2026-11-20 22:00:00", "2026-11-21 03:10:00", "2026-11-20 22:00 03:10"},
		{"2026-11-21 21:59:00", "night", "2026-11-20 22:00:00", "2026-11-21 06:00:00", "2026-11-20 22:00 06:00"},
		{"2026-11-21 22:05:00", "night", "2026-11-21 22:00:00", "2026-11-21 22:05:00", "2026-11-21 22:00 22:05"},
		{"2026-11-21 22:00:00", "night", "2026-11-21 22:00:00", "2026-11-21 22:00:00", "2026-11-21 22:00 "},
		{"2026-11-21 14:30:40", "yesterday", "2026-11-20 18:00:00", "2026-11-21 00:00:00", "2026-11-20 18:00 00:00"},
		{"2026-11-01 02:00:00", "yesterday", "2026-10-31 18:00:00", "2026-11-01 00:00:00", "2026-10-31 18:00 00:00"},
		{"2026-10-25 12:00:00", "night", "2026-10-24 22:00:00", "2026-10-25 06:00:00", "2026-10-24 22:00 06:00"}, // nine hours
		{"2026-03-29 12:00:00", "night", "2026-03-28 22:00:00", "2026-03-29 06:00:00", "2026-03-28 22:00 06:00"}, // seven
	} {
		now := rome(c.now)
		q := readQuestion(form("when", c.when, "date", "", "time", "never"), now, false)
		if len(q.Errors) > 0 || !q.From.Equal(rome(c.from)) || !q.To.Equal(rome(c.to)) {
			t.Errorf("%s at %s: %v to %v, %v", c.when, c.now, q.From, q.To, q.Errors)
		}
		if got := q.Date + " " + q.Time + " " + q.Until; got != c.typed {
			t.Errorf("%s at %s fills the fields with %q, want %q", c.when, c.now, got, c.typed)
		}
		// What the script writes into the fields finds the same.
		for _, chip := range chipsOf(q, now) {
			if chip.Checked != (chip.Value == c.when) {
				t.Errorf("%q is ticked: %t", chip.Value, chip.Checked)
			}
			if chip.Value == c.when {
				b := readQuestion(form("date", chip.Date, "time", chip.Time, "until", chip.Until), now, false)
				if len(b.Errors) > 0 || !b.From.Equal(q.From) || !b.To.Equal(q.To) {
					t.Errorf("%s at %s by its fields: %v to %v, %v", c.when, c.now, b.From, b.To, b.Errors)
				}
			}
		}
	}
}

// The hour that comes twice is asked back where it is typed, and not where a chip
// means one moment of it.
func TestChipInTheDoubledHour(t *testing.T) {
	second := time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC) // 02:30 for the second time
	for when, from := range map[string]time.Time{"now": second, "hour": second.Add(-time.Hour)} {
		q := readQuestion(form("when", when), second, false)
		if len(q.Errors) > 0 || q.AskWhichOne || !q.From.Equal(from) || !q.To.Equal(second) {
			t.Errorf("%s: %v to %v, asks %t, %v", when, q.From, q.To, q.AskWhichOne, q.Errors)
		}
	}
}

func TestChipsRefused(t *testing.T) {
	if q := readQuestion(form("when", "tomorrow"), noon, false); q.wrong("time") == "" {
		t.Error("a chip that is not there was taken")
	}
	exactly := readQuestion(url.Values{"at": {"9.1,45.4"}, "when": {"hour"}, "time": {"2026-11-20T20:45:00Z"}}, noon, true)
	if !exactly.From.Equal(time.Date(2026, 11, 20, 20, 45, 0, 0, time.UTC)) {
		t.Errorf("a program's time is %v", exactly.From)
	}
}
