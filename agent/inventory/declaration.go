package inventory

import (
	"context"
	"database/sql"
	"time"

	"anagrafe/protocol"
)

// declare writes the declaration of s with the complete ones of cameras added.
func (v *Inventory) declare(ctx context.Context, tx *sql.Tx, b *book, s *site, cameras []*camera, by protocol.Approval) ([]Result, error) {
	now := v.now()
	next := protocol.Declaration{
		Site:     protocol.Site{Name: s.SiteName, Category: protocol.Category(s.Category), Address: s.Address},
		Contacts: b.contactsOf(s),
	}
	if s.declared != nil {
		next.Recorders, next.Cameras = s.declared.Recorders, s.declared.Cameras
	}
	var results []Result
	var in []*camera
	for _, c := range cameras {
		r := Result{ID: c.id, Missing: b.missing(c, s, c.draft())}
		if len(r.Missing) == 0 {
			var err error
			if next.Approval, err = b.approval(s, by, now); err != nil {
				return nil, err
			}
			value, keeper := confirmed(c.draft(), next.Approval.By, now), c.device.recorder()
			if r.Error = s.refuses(next, keeper, value, now); r.Error == "" {
				next.Recorders = replace(next.Recorders, keeper, func(r protocol.Recorder) string { return r.ID })
				next.Cameras = replace(next.Cameras, value, func(c protocol.Camera) string { return c.ID })
				in = append(in, c)
			}
		}
		results = append(results, r)
	}
	if len(in) == 0 {
		return results, nil
	}
	for _, c := range in {
		next.Cameras = without(next.Cameras, c.merged)
	}
	next.Recorders = keepersOf(next.Recorders, next.Cameras)
	if err := v.enqueue(ctx, tx, s, next, false); err != nil {
		return nil, err
	}
	s.declared = &next
	for _, c := range in {
		if err := c.decide(ctx, tx, s.SiteID, StateDeclared, next.Approval); err != nil {
			return nil, err
		}
	}
	return results, s.knows(ctx, tx, in, now)
}

// draft is what would be declared of c now, built field by field: nothing of
// the device is taken over as a whole.
func (c *camera) draft() protocol.Camera {
	schedule, _ := c.scheduleNow()
	retention, _ := c.retentionNow()
	out := protocol.Camera{
		ID: c.id, RecorderID: c.deviceID, Channel: line(c.safe(c.channel)),
		Schedule: schedule, Retention: retention,
		View: protocol.View{DirectionDeg: c.direction, AngleDeg: c.angle, RangeM: c.reach,
			Turns: c.turns, Infrared: c.infrared, WidthPx: c.width, HeightPx: c.height},
	}
	found := line(c.safe(c.foundName))
	switch {
	case c.name != "" && c.name != found:
		out.Name, out.NameFact = c.name, protocol.Fact{Source: protocol.Declared, At: c.nameAt}
	case found != "":
		out.Name, out.NameFact = found, protocol.Fact{Source: protocol.Measured, At: c.foundAt}
	}
	switch {
	case !c.aimedAt.IsZero():
		out.View.Fact = protocol.Fact{Source: protocol.Declared, At: c.aimedAt}
	case out.View != protocol.View{}:
		out.View.Fact = protocol.Fact{Source: protocol.Measured, At: later(c.viewAt, c.seen)}
	}
	if c.lon != nil && c.lat != nil {
		out.Position = protocol.Position{Point: protocol.Point{Lon: *c.lon, Lat: *c.lat}, AccuracyM: c.accuracy,
			Method: c.placedBy, Fact: protocol.Fact{Source: protocol.Declared, At: c.placedAt}}
	}
	if c.outdoor != nil {
		out.OutdoorPublic = protocol.Outdoor{Yes: *c.outdoor, By: c.outdoorBy, At: c.outdoorAt}
	}
	return out
}

// confirmed is what a draft becomes by a person's yes at the time at.
func confirmed(c protocol.Camera, by string, at time.Time) protocol.Camera {
	for _, f := range []*protocol.Fact{&c.NameFact, &c.View.Fact, &c.Schedule.Fact, &c.Retention.Fact} {
		if f.Source == protocol.Measured {
			*f = protocol.Fact{Source: protocol.Confirmed, At: at}
		}
	}
	if c.OutdoorPublic.By == "" {
		c.OutdoorPublic.By = by
	}
	return c
}
