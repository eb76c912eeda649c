package uplink

import (
	"net/http"
	"testing"
	"time"
)

type answers func(*http.Request) *http.Response

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func TestCompared(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		date  string
		took  time.Duration
		tells bool
		off   time.Duration
		wrong bool
	}{
		"right":             {at.Format(http.TimeFormat), 200 * time.Millisecond, true, -400 * time.Millisecond, false},
		"an hour ahead":     {at.Add(-time.Hour).Format(http.TimeFormat), 0, true, time.Hour - time.Second/2, true},
		"two minutes slow":  {at.Add(2 * time.Minute).Format(http.TimeFormat), 2 * time.Second, true, -2*time.Minute + time.Second/2, true},
		"too slow to tell":  {at.Add(-time.Hour).Format(http.TimeFormat), time.Minute, false, 0, false},
		"clock set between": {at.Format(http.TimeFormat), -time.Hour, false, 0, false},
		"no date":           {"", 0, false, 0, false},
		"nonsense":          {"yesterday", 0, false, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			now := at
			var told Clock
			transport := compared{next: answers(func(*http.Request) *http.Response {
				now = now.Add(c.took)
				return &http.Response{Header: http.Header{"Date": {c.date}}}
			}), now: func() time.Time { return now }, tell: func(x Clock) { told = x }}
			if _, err := transport.RoundTrip(nil); err != nil {
				t.Fatal(err)
			}
			if told.At.IsZero() == c.tells || told.Offset != c.off || told.Wrong() != c.wrong {
				t.Errorf("told %+v (wrong: %t), want offset %v, wrong %t", told, told.Wrong(), c.off, c.wrong)
			}
		})
	}
}
