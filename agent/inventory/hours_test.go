package inventory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// row writes a day as "20:00-24:00 motion".
func row(intervals []protocol.Interval) string {
	var texts []string
	for _, i := range intervals {
		texts = append(texts, fmt.Sprintf("%d:%02d-%d:%02d %s", i.From/60, i.From%60, i.To/60, i.To%60, i.Mode))
	}
	return strings.Join(texts, ", ")
}

func TestParseHours(t *testing.T) {
	const c = " continuous"
	for text, want := range map[string][7]string{ // from Sunday
		"20:00-08:00": {"0:00-8:00" + c + ", 20:00-24:00" + c, "0:00-8:00" + c + ", 20:00-24:00" + c, "0:00-8:00" + c + ", 20:00-24:00" + c,
			"0:00-8:00" + c + ", 20:00-24:00" + c, "0:00-8:00" + c + ", 20:00-24:00" + c, "0:00-8:00" + c + ", 20:00-24:00" + c, "0:00-8:00" + c + ", 20:00-24:00" + c},
		"mon-tue 8-19:30":     {1: "8:00-19:30" + c, 2: "8:00-19:30" + c},
		"Sat,Sun 0-24 Motion": {0: "0:00-24:00 motion", 6: "0:00-24:00 motion"},
		"sat 22:00-6":         {0: "0:00-6:00" + c, 6: "22:00-24:00" + c},
		"fri-mon 9-0":         {0: "9:00-24:00" + c, 1: "9:00-24:00" + c, 5: "9:00-24:00" + c, 6: "9:00-24:00" + c},
		" wed  8:05-8:06 ":    {3: "8:05-8:06" + c},
	} {
		s, err := ParseHours(text)
		if err != nil || s.Kind != protocol.ScheduleWeekly {
			t.Errorf("%q: %q, %v", text, s.Kind, err)
		}
		for d := range want {
			if got := row(s.Days[d]); got != want[d] {
				t.Errorf("%q on %s: %q, want %q", text, time.Weekday(d), got, want[d])
			}
		}
	}
	for text, want := range map[string]protocol.Schedule{
		"always": {Kind: protocol.ScheduleAlways, Mode: protocol.Continuous}, "MOTION": {Kind: protocol.ScheduleAlways, Mode: protocol.Motion}, "unknown": {},
	} {
		if s, err := ParseHours(text); err != nil || s.Kind != want.Kind || s.Mode != want.Mode {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "never", "8", "8-", "-8", "8-8", "0-0:00x", "24:00-8", "8-25", "8:5-9", "8:60-9", "mon", "mon-", "lun 8-9", "mon,,tue 8-9",
		"mon 8-9 tue", "8-9 alarm", "mon tue 8-9", "008-9", "+8-9", "always motion", "mon-fri motion", "8-9-10", "24:30-8", "8-24:01", strings.Repeat("8", 200)} {
		if s, err := ParseHours(text); err == nil {
			t.Errorf("%q is read as %+v", text, s)
		}
	}
}

// Whatever is read can be declared.
func FuzzParseHours(f *testing.F) {
	for _, text := range []string{"always", "unknown", "mon-fri,sun 20:00-8 motion", "sat-mon 0-24", "0:00-0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseHours(text)
		if err != nil {
			return
		}
		s.Fact = protocol.Fact{Source: protocol.Declared, At: noon}
		o := protocol.Observation{Cameras: []protocol.CameraObservation{{CameraID: siteA, At: noon, Schedule: &s}}}
		if err := (protocol.Message{ID: siteA, SiteID: siteB, Epoch: 1, Revision: 1, MadeAt: noon, Body: o}).Validate(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		for _, d := range s.Days {
			if !slices.IsSortedFunc(d, func(a, b protocol.Interval) int { return a.From - b.From }) {
				t.Errorf("%q: %s", text, row(d))
			}
		}
	})
}
