package inventory

import (
	"testing"
	"time"

	"anagrafe/protocol"
)

// TestSettle: a store is full once its oldest footage moves on, and not because
// the stamp of footage that stands still was read a little otherwise.
func TestSettle(t *testing.T) {
	read := func(oldest, at time.Duration) protocol.Retention {
		return protocol.Retention{OldestFootage: noon.Add(oldest), ObservedAt: noon.Add(at)}
	}
	full := func(r protocol.Retention) protocol.Retention { r.Settled = true; return r }
	const days = 24 * time.Hour
	for name, c := range map[string]struct {
		before, now protocol.Retention
		slack       time.Duration
		want        bool
	}{
		"it rolls on":                         {read(-20*days, 0), read(-20*days+time.Hour, time.Hour), settleSlack, true},
		"it deletes by the day":               {read(-20*days, 0), read(-19*days, time.Hour), settleSlack, true},
		"it stands still":                     {read(-20*days, 0), read(-20*days, time.Hour), settleSlack, false},
		"it stood still, and was full":        {full(read(-20*days, 0)), read(-20*days, time.Hour), settleSlack, true},
		"read to a second":                    {read(-20*days, 0), read(-20*days+time.Second, time.Hour), settleSlack, false},
		"a clock that drifts":                 {read(-20*days, 0), read(-20*days+time.Minute, 30*days), settleSlack, false},
		"a clock that was set":                {read(-20*days, 0), read(-20*days+58*time.Minute, time.Hour), settleSlack + 58*time.Minute, false},
		"the disk was changed":                {full(read(-20*days, 0)), read(0, time.Hour), settleSlack, false},
		"of today nothing is claimed":         {read(0, 0), read(time.Hour, time.Hour), settleSlack, false},
		"nor is it of the day that is over":   {read(10*time.Hour, 10*time.Hour), read(12*time.Hour, 14*time.Hour), settleSlack, false},
		"nothing was read now":                {full(read(-20*days, 0)), protocol.Retention{}, settleSlack, true},
		"nothing was read before":             {protocol.Retention{}, read(-20*days, time.Hour), settleSlack, false},
		"the recorder itself says it is":      {read(-20*days, 0), full(read(-20*days, time.Hour)), settleSlack, true},
		"an agent that was off for a month":   {read(-20*days, 0), read(10*days, 30*days), settleSlack, true},
		"and a disk that was changed by then": {read(-20*days, 0), read(30*days, 30*days), settleSlack, false},
	} {
		if got := settle(c.before, c.now, c.slack); got.Settled != c.want {
			t.Errorf("%s: settled %t, want %t", name, got.Settled, c.want)
		}
	}
}

// TestSettledByClock: setting the recorder's clock right moves all its stamps, and
// fills no disk.
func TestSettledByClock(t *testing.T) {
	v := open(t, t.TempDir())
	for hour, ahead := range []int64{58 * 60_000, 58*60_000 - 900, 0, 0} {
		at := noon.Add(time.Duration(hour) * time.Hour)
		d := cameraDevice(0)
		d.Clock.OffsetMs, d.Clock.At = ahead, at
		r := &d.Channels[0].Retention
		r.OldestFootage = noon.Add(-100*time.Hour - time.Duration(ahead)*time.Millisecond).Truncate(time.Second)
		r.ObservedAt = at
		record(t, v, at, d)
		if got := cameras(t, v)[0].Values.Retention; got.Settled {
			t.Fatalf("after %d hours: %+v is taken for full", hour, got)
		}
	}
}
