package protocol

import "time"

// Clock is one measurement of a recorder's clock against UTC.
type Clock struct {
	OffsetMs      int64     `json:"offset_ms"` // device minus UTC
	UncertaintyMs int64     `json:"uncertainty_ms"`
	Method        string    `json:"method"` // how it was read, e.g. "onvif GetSystemDateAndTime"
	At            time.Time `json:"at"`
}

// ClockAt returns the sample nearest t (the later of two equally near), and
// false when there is none. The samples may come in any order.
func ClockAt(samples []Clock, t time.Time) (Clock, bool) {
	if len(samples) == 0 {
		return Clock{}, false
	}
	best := samples[0]
	for _, c := range samples[1:] {
		near, nearest := c.At.Sub(t).Abs(), best.At.Sub(t).Abs()
		if near < nearest || near == nearest && c.At.After(best.At) {
			best = c
		}
	}
	return best, true
}

// Shows returns what the recorder's own clock shows at t, plus or minus within: the
// interval to ask for. It uses the offset measured at c.At; readers judge the drift since
// by that date. Format the answer in the
// recorder's zone.
func (c Clock) Shows(t time.Time) (shown time.Time, within time.Duration) {
	return t.Add(milliseconds(c.OffsetMs)), milliseconds(c.UncertaintyMs).Abs()
}

// milliseconds stops at the ends of Duration (292 years) instead of wrapping.
func milliseconds(n int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return time.Duration(min(max(n, -most), most)) * time.Millisecond
}
