package search

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// record is all that a register says, read whole, without an index.
type record map[string]registry.History

func readAll(t *testing.T, r *registry.Registry) record {
	t.Helper()
	sites, _, err := r.ChangedSites(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	all := make(record)
	for _, site := range sites {
		if all[site], err = r.History(t.Context(), site, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// brute answers from the whole record, without cleverness. Everything in the
// histories of this test happens at a multiple of step, so that looking at each
// multiple and right before it misses nothing. What it gives of a hit is all that
// decides its place, and its doubts.
func (all record) brute(t *testing.T, q Query) []Hit {
	t.Helper()
	q, err := q.checked()
	if err != nil {
		t.Fatal(err)
	}
	var hits []Hit
	for site, h := range all {
		for id, versions := range h.Cameras {
			if versions[0].Withdrawn || h.Suspended {
				continue
			}
			then := versions[0]
			for _, v := range versions {
				if !v.ValidFrom.After(q.From) {
					then = v
				}
			}
			l, listed := seen(q.In, then.Camera)
			if !listed {
				continue
			}
			hit := Hit{CameraID: id, SiteID: site, Sight: l.Sight, From: q.From.Add(l.after), Until: q.Until.Add(l.until)}
			if hit.Until.Before(hit.From) {
				hit.Until = hit.From
			}
			hit.BeforeDeclared = hit.From.Before(versions[0].ValidFrom)
			hit.keeps(h, q.Now)
			hit.believe(h, then.Camera, q.Now)
			category := h.Sites[len(h.Sites)-1].Value.Category
			if !q.Only.hides(category, &hit, &Hidden{}) {
				hits = append(hits, hit)
			}
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.TimeLeft, b.TimeLeft), cmp.Compare(a.Sight.DistanceM, b.Sight.DistanceM),
			cmp.Compare(a.CameraID, b.CameraID), cmp.Compare(a.SiteID, b.SiteID))
	})
	return hits
}

// seen is what a camera sees of an area. Polygons and routes have brute tests of
// their own.
func seen(in Area, c protocol.Camera) (look, bool) {
	circle, ok := in.(Circle)
	if !ok {
		return in.look(c.Position, c.View)
	}
	sight := protocol.See(c.Position, c.View, circle.At)
	return look{Sight: sight}, protocol.DistanceM(c.Position.Point, circle.At) <= float64(circle.RadiusM)
}

// keeps finds whether the camera recorded within the hit's times, and what of it
// is still there.
func (hit *Hit) keeps(h registry.History, now time.Time) {
	schedules, retentions := h.Schedules[hit.CameraID], h.Retentions[hit.CameraID]
	hit.Recording, hit.Footage.Exists = protocol.No, protocol.No
	left, gone := time.Duration(-1), false
	var last protocol.Footage
	var lastRecording protocol.Answer
	for _, at := range instants(hit.From, hit.Until, now) {
		schedule := protocol.Schedule{}
		for _, e := range schedules {
			if !e.From.After(at) {
				schedule = e.Value
			}
		}
		recording := schedule.Recording(at)
		hit.Recording = best(hit.Recording, recording)
		f := protocol.FootageOf(at, now, schedules, retentions)
		if f.Exists == protocol.No {
			gone = gone || recording != protocol.No
			last = protocol.Footage{}
			continue
		}
		// What is overdue, or gone, ends where what is there begins: now.
		overdue := last.Exists != "" && last.Until.IsZero() && lastRecording == recording && !f.Until.IsZero()
		last, lastRecording = f, recording
		hit.Footage.Exists = best(hit.Footage.Exists, f.Exists)
		if gone || overdue {
			left = 0
		} else if !f.Until.IsZero() && (left < 0 || f.Until.Sub(now) < left) {
			left = f.Until.Sub(now)
		}
	}
	hit.Class = ClassA
	switch {
	case hit.Footage.Exists == protocol.No:
		hit.Class, left = ClassC, 0
	case left < 0:
		left, hit.TimeLeftAssumed = 24*time.Hour, true
	}
	if hit.Class == ClassA && hit.Sight.Sees == protocol.No {
		hit.Class = ClassB
	}
	hit.TimeLeft = left
}

// believe tells what of the hit's facts is too old to be sure.
func (hit *Hit) believe(h registry.History, c protocol.Camera, now time.Time) {
	on := facts{position: c.Position.Fact, view: c.View.Fact}
	for _, e := range h.Schedules[hit.CameraID] {
		if !e.From.After(hit.From) {
			on.schedule = e.Value.Fact
		}
	}
	for _, e := range h.Retentions[hit.CameraID] {
		if !e.From.After(now) {
			on.retention, on.looked = e.Value.Fact, e.Value.ObservedAt
		}
	}
	for _, s := range h.Clocks[c.RecorderID] {
		if s.At.After(on.looked) && !s.At.After(now) {
			on.looked = s.At
		}
	}
	hit.doubt(c.Position.Point, &on, now, sunAt)
}

const step = 10 * time.Minute

func instants(from, until, now time.Time) (all []time.Time) {
	if until.After(now) {
		until = now
	}
	if from.After(until) {
		from = until
	}
	all = []time.Time{from, until}
	for at := from.Truncate(step).Add(step); at.Before(until); at = at.Add(step) {
		all = append(all, at.Add(-time.Microsecond), at)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

func best(a, b protocol.Answer) protocol.Answer {
	for _, x := range []protocol.Answer{protocol.Yes, protocol.OnEvent, protocol.Unknown} {
		if a == x || b == x {
			return x
		}
	}
	return protocol.No
}

// said is what is compared of hits; sites have names that are the same on all
// registers.
func said(hits []Hit, names map[string]string) (all []string) {
	for _, h := range hits {
		all = append(all, fmt.Sprint(h.Class, " ", names[h.SiteID], " ", h.CameraID[24:], " ", h.Sight.Sees, " ", h.Doubts.Names(), " ", h.Recording, " ",
			h.Footage.Exists, " ", h.TimeLeft, " ", h.TimeLeftAssumed, " ", h.BeforeDeclared, " ", h.From.UnixMicro(), " ", h.Until.UnixMicro()))
	}
	return all
}
