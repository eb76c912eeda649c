package inventory

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// Trend is where the depth of a store is going.
type Trend string

const (
	TrendUnknown   Trend = ""          // too few days
	TrendGrowing   Trend = "growing"   // also a new store that fills
	TrendSteady    Trend = "steady"    // within a tenth, or within a day
	TrendShrinking Trend = "shrinking" // footage is lost earlier than it was
)

// Depth is how far back a camera's footage was seen to reach, over the last days.
type Depth struct {
	About  time.Duration // "about_seconds" in JSON; with no Points it is not known
	Trend  Trend
	Points []DepthPoint // oldest first, at most one a day, at most depthDays
}

// DepthPoint is the last reading of one day, to within depthNews.
type DepthPoint struct {
	Day  time.Time     // midnight UTC
	Span time.Duration // from the oldest footage to the reading; "span_seconds" in JSON
}

const (
	depthDays = 30 // kept

	depthRecent = 3              // days whose middle is Depth.About
	depthFew    = 4              // days below which no trend is told
	depthGap    = 7              // days of silence after which the store is looked at anew
	depthDay    = 24 * time.Hour // of change that is no more than the hour of the reading
	depthMost   = 100 * 365 * 24 * time.Hour
	depthNews   = time.Hour // less is not written down again: the point of each camera lies on a page of its own
)

// depthOf reads the points, oldest first, of which each day has at most one. It
// goes by the last stretch alone: before a silence of weeks or a store that
// began anew, nothing is told of the store there is now.
func depthOf(points []DepthPoint) Depth {
	d := Depth{Points: points}
	if len(points) == 0 {
		return d
	}
	run := points[lastStart(points):]
	last := run[len(run)-1]
	var recent []DepthPoint
	for _, p := range run {
		if last.Day.Sub(p.Day) < depthRecent*24*time.Hour {
			recent = append(recent, p)
		}
	}
	d.About = middle(recent)
	if len(run) < depthFew {
		return d
	}
	third := len(run) / 3
	before, now := middle(run[:third]), middle(run[len(run)-third:])
	switch change := now - before; {
	case change.Abs() <= depthDay || change.Abs() <= before/10:
		d.Trend = TrendSteady
	case change > 0:
		d.Trend = TrendGrowing
	default:
		d.Trend = TrendShrinking
	}
	return d
}

// lastStart is the index at which the last stretch begins.
func lastStart(points []DepthPoint) (start int) {
	for i := 1; i < len(points); i++ {
		if points[i].Day.Sub(points[i-1].Day) > depthGap*24*time.Hour || beganAnew(points, i) {
			start = i
		}
	}
	return start
}

// beganAnew reports whether the store was lost before the i-th point: a new or
// wiped disk, or footage of before that was deleted at one stroke. It reaches
// less than half as far back, and nothing that came after reaches back to before
// that: else the one reading was wrong.
func beganAnew(points []DepthPoint, i int) bool {
	fell := points[i-1].Span - points[i].Span
	if fell <= depthDay || points[i].Span >= points[i-1].Span/2 {
		return false
	}
	began := points[i].oldest().Add(-depthDay)
	return !slices.ContainsFunc(points[i+1:], func(p DepthPoint) bool { return p.oldest().Before(began) })
}

// oldest is when the footage of the point began, to within a day.
func (p DepthPoint) oldest() time.Time { return p.Day.Add(-p.Span) }

// middle is the median; of two in the middle the shorter: how far back footage
// reaches is never made longer.
func middle(points []DepthPoint) time.Duration {
	spans := make([]time.Duration, len(points))
	for i, p := range points {
		spans[i] = p.Span
	}
	slices.Sort(spans)
	return spans[(len(spans)-1)/2]
}

// keepDepth keeps how far back the channel was seen to reach in this look; the
// last look of a day counts, to within depthNews. Points of days to come are of a time when this
// machine's clock ran ahead.
func (c *camera) keepDepth(ctx context.Context, tx *sql.Tx, ch interrogate.Channel, f interrogate.Device, at time.Time) error {
	oldest := ch.Retention.OldestFootage
	if !f.Answered || oldest.IsZero() || ch.Retention.Fact.Source == protocol.SourceUnknown {
		return nil
	}
	read := later(ch.Retention.ObservedAt, at)
	span := read.Sub(oldest)
	if span < 0 || span > depthMost {
		return nil
	}
	day := dayOf(at)
	if _, err := tx.ExecContext(ctx, `DELETE FROM depth WHERE camera_id = ? AND (day > ? OR day <= ?)`, c.id, day, day-depthDays); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO depth (camera_id, day, span) VALUES (?1, ?2, ?3)
		ON CONFLICT (camera_id, day) DO UPDATE SET span = excluded.span WHERE abs(excluded.span - span) >= ?4`,
		c.id, day, int64(span/time.Second), int64(depthNews/time.Second))
	return err
}

// dayOf counts days since 1970, UTC.
func dayOf(t time.Time) int64 {
	const day = 24 * 60 * 60
	return (t.Unix() - (t.Unix()%day+day)%day) / day
}

// loadDepths reads the points. Only what is shown needs them.
func (b *book) loadDepths(ctx context.Context, tx *sql.Tx) error {
	byID := make(map[string]*camera, len(b.cameras))
	for _, c := range b.cameras {
		byID[c.id] = c
	}
	err := each(ctx, tx, `SELECT camera_id, day, span FROM depth ORDER BY camera_id, day`, func(rows *sql.Rows) error {
		var of string
		var day, span int64
		if err := rows.Scan(&of, &day, &span); err != nil {
			return err
		}
		c := byID[of]
		c.depths = append(c.depths, DepthPoint{time.Unix(day*24*60*60, 0).UTC(), time.Duration(span) * time.Second})
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading how far back footage reaches: %w", err)
	}
	return nil
}

// As in protocol, spans are whole seconds in JSON.
type (
	depthJSON struct {
		AboutSeconds int64        `json:"about_seconds"`
		Trend        Trend        `json:"trend,omitempty"`
		Points       []DepthPoint `json:"points"`
	}
	depthPointJSON struct {
		Day         string `json:"day"` // 2026-11-21
		SpanSeconds int64  `json:"span_seconds"`
	}
)

// MarshalJSON writes spans in seconds.
func (d Depth) MarshalJSON() ([]byte, error) {
	return json.Marshal(depthJSON{int64(d.About / time.Second), d.Trend, d.Points})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Depth) UnmarshalJSON(b []byte) error {
	var j depthJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*d = Depth{time.Duration(j.AboutSeconds) * time.Second, j.Trend, j.Points}
	return nil
}

// IsZero leaves out, in JSON, what was never seen.
func (d Depth) IsZero() bool { return len(d.Points) == 0 }

// MarshalJSON writes the day and the span in seconds.
func (p DepthPoint) MarshalJSON() ([]byte, error) {
	return json.Marshal(depthPointJSON{p.Day.Format(time.DateOnly), int64(p.Span / time.Second)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *DepthPoint) UnmarshalJSON(b []byte) error {
	var j depthPointJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	day, err := time.Parse(time.DateOnly, j.Day)
	*p = DepthPoint{day, time.Duration(j.SpanSeconds) * time.Second}
	return err
}
