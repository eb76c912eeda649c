package consult

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// TestClockWords: the interval to ask for is in the digits of the recorder's own
// display. One that keeps no summer time has a right clock and shows an hour less.
func TestClockWords(t *testing.T) {
	set, err := pages.Load(files, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	w := set.Words(pages.It)
	july := time.Date(2026, 7, 10, 12, 0, 0, 0, time.UTC) // 14:00 in Rome
	for name, c := range map[string]struct {
		schedule  protocol.Schedule
		offset    time.Duration
		ask, note string
	}{
		"right":               {protocol.Schedule{Zone: "Europe/Rome"}, 0, "dalle 14:00:00 alle 14:30:00", "giusto)"},
		"ahead":               {protocol.Schedule{Zone: "Europe/Rome"}, 7 * time.Minute, "dalle 14:07:00 alle 14:37:00", "7 minuti: già contato)"},
		"no summer time":      {protocol.Schedule{Zone: "UTC+01:00"}, 0, "dalle 13:00:00 alle 13:30:00", "l'ora di UTC+01:00, non quella italiana: già contato)"},
		"and a few minutes":   {protocol.Schedule{Zone: "UTC+01:00"}, 2 * time.Minute, "dalle 13:02:00 alle 13:32:00", "non quella italiana: già contato)"},
		"over midnight":       {protocol.Schedule{Zone: "Asia/Shanghai"}, 4 * time.Hour, "11/07/2026, dalle 00:00:00 alle 00:30:00", "Asia/Shanghai"},
		"no zone":             {protocol.Schedule{}, 0, "dalle 14:00:00 alle 14:30:00", "giusto)"},
		"assumed":             {protocol.Schedule{Zone: "UTC+01:00", ZoneAssumed: true}, 0, "dalle 14:00:00 alle 14:30:00", "giusto)"},
		"a zone of elsewhere": {protocol.Schedule{Zone: "Mars/Base"}, 0, "dalle 14:00:00 alle 14:30:00", "giusto)"},
	} {
		clock := protocol.Clock{OffsetMs: c.offset.Milliseconds(), At: july}
		ask, note := clockWords(w, search.Result{Schedule: c.schedule, Clock: &clock, ClockFrom: july.Add(c.offset), ClockUntil: july.Add(c.offset + 30*time.Minute)})
		if !strings.HasSuffix(ask, c.ask) || !strings.HasSuffix(note, c.note) && !strings.Contains(note, c.note) {
			t.Errorf("%s: %q %q, want %q %q", name, ask, note, c.ask, c.note)
		}
	}
}
