package review

import (
	"slices"
	"strings"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// alert is one thing that is wrong with a recorder or a camera and that its owner
// would want to know, in words.
type alert struct{ Of, What, Do string }

// alertsOf tells, of what the owner has not put aside: a recorder that stopped to
// answer, a clock that is wrong, a camera that records no more, and images that are
// overwritten earlier than they were.
func alertsOf(w *pages.Words, devices []inventory.Device, cameras []inventory.Camera) (all []alert) {
	add := func(of, key string, pairs ...any) {
		all = append(all, alert{of, w.T("alert."+key, pairs...), w.T("alert." + key + ".do")})
	}
	for _, d := range devices {
		if !slices.ContainsFunc(cameras, func(c inventory.Camera) bool { return c.Device.ID == d.ID && !keptBack(c) }) {
			continue
		}
		name := or(strings.TrimSpace(d.Vendor+" "+or(d.Model, d.Name)), d.Address)
		if !d.Reachable && !d.AnsweredAt.IsZero() {
			add(name, "silent", "when", w.Short(d.AnsweredAt))
		}
		if gap, ok := hoursOff(d); ok {
			add(name, "hours", "clock", clockWords(w, &protocol.Clock{OffsetMs: gap.Milliseconds()}))
		} else if c := d.Clock; c != nil && wrongClock(c) {
			add(name, "clock", "clock", clockWords(w, c))
		}
	}
	for _, c := range cameras {
		if keptBack(c) {
			continue
		}
		now := c.Values.Retention
		switch was := c.Declared; {
		case was != nil && slices.Contains(c.Differs, "schedule") && c.Values.Schedule.Kind == protocol.ScheduleOff:
			add(nameOf(w, c), "off", "day", w.Day(c.Values.Schedule.Fact.At))
		case was != nil && slices.Contains(c.Differs, "retention") && now.Shorter(was.Retention):
			add(nameOf(w, c), "shorter", "was", limitWords(w, was.Retention), "now", limitWords(w, now))
		case c.Depth.Trend == inventory.TrendShrinking:
			add(nameOf(w, c), "shrinking", "depth", depthWords(w, c.Depth))
		}
	}
	return all
}
