package interrogate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// univiewClock reads the clock, an epoch, and its zone. It gives the digits of the
// wall clock, zero if it is not known.
func univiewClock(ctx context.Context, w *web, t *deviceReport) time.Time {
	said, a, err := lapi[struct {
		TimeZone   string
		DeviceTime lapiValue
	}](ctx, w, lapiTime, "")
	if lapiAbsent(err) {
		return time.Time{}
	}
	seconds, ok := said.DeviceTime.number()
	at := time.Unix(int64(seconds), 0).UTC()
	if err == nil && (!ok || at.Before(earliest) || at.Year() > 2200) {
		err = errors.New("the time that it tells is none")
	}
	if err != nil {
		t.problem(lapiTime, err)
		return time.Time{}
	}
	zone, raw := univiewZone(ctx, w, said.TimeZone)
	t.clock = &ownClock{at: at, timing: a.when, method: "lapi System/Time", zone: zone, zoneRaw: raw, from: a.from}
	if local, ok := loadZone(zone); ok {
		_, offset := at.In(local).Zone()
		return at.Add(time.Duration(offset) * time.Second)
	}
	return time.Time{}
}

// univiewZone makes a zone of "GMT+01:00", east being positive, and of whether
// summer time is on. The rule of summer time is only looked at for its months:
// those of Europe are those of Europe's zones, others are not understood.
func univiewZone(ctx context.Context, w *web, text string) (zone, raw string) {
	offset, ok := strings.CutPrefix(strings.TrimSpace(text), "GMT")
	zone = "UTC" + offset
	if _, known := loadZone(zone); !ok || offset == "" || !known {
		return "", text
	}
	type day struct{ Month lapiValue }
	rule, _, err := lapi[struct {
		Enabled            lapiValue
		BeginTime, EndTime day
	}](ctx, w, lapiSummerTime, "")
	if on, told := rule.Enabled.truth(); err != nil || !told || !on {
		return zone, text
	}
	raw = fmt.Sprintf("%s, summer time from month %s to month %s", text, rule.BeginTime.Month, rule.EndTime.Month)
	if rule.BeginTime.Month != "3" || rule.EndTime.Month != "10" {
		return "", raw
	}
	return map[string]string{"UTC+00:00": "Europe/London", "UTC+01:00": "Europe/Rome", "UTC+02:00": "Europe/Athens"}[zone], raw
}
