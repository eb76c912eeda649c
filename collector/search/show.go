package search

import (
	"context"
	"slices"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// Show returns the results of the hits from..until of an answer, counted from 0 and at
// most as many as there are. It reads their sites from the register, each in one state
// of the record, and evaluates them anew. Hits of a site that has changed since change
// too: the returned answer has them, and the results are its hits from..until. Its
// Hidden stays.
func (x *Index) Show(ctx context.Context, a Answer, from, until int) (Answer, []Result, error) {
	read := make(map[string]*siteAnswer)
	for {
		var missing []string
		for _, h := range part(a.Hits, from, until) {
			if read[h.SiteID] == nil && !slices.Contains(missing, h.SiteID) {
				missing = append(missing, h.SiteID)
			}
		}
		if len(missing) == 0 {
			break
		}
		var sites []*siteAnswer
		var err error
		if a, sites, err = x.reevaluate(ctx, a, missing); err != nil {
			return a, nil, err
		}
		for _, s := range sites {
			read[s.history.SiteID] = s
		}
	}
	var shown []Result
	for _, h := range part(a.Hits, from, until) {
		shown = append(shown, read[h.SiteID].result(a.Query, h))
	}
	return a, shown, nil
}

func part(hits []Hit, from, until int) []Hit {
	return hits[min(from, len(hits)):min(until, len(hits))]
}

// siteAnswer is a site that was read from the register.
type siteAnswer struct {
	history registry.History
	hits    []Hit
	hidden  Hidden
}

// reevaluate has the sites' hits in an answer be those of the register as it is now.
func (x *Index) reevaluate(ctx context.Context, a Answer, sites []string) (Answer, []*siteAnswer, error) {
	anew := make(map[string]bool, len(sites))
	for _, id := range sites {
		anew[id] = true
	}
	hits := make([]Hit, 0, len(a.Hits))
	for _, h := range a.Hits {
		if !anew[h.SiteID] {
			hits = append(hits, h)
		}
	}
	all := make([]*siteAnswer, len(sites))
	for i, id := range sites {
		s, err := x.evaluateSite(ctx, a.Query, id)
		if err != nil {
			return a, nil, err
		}
		all[i] = s
		hits = append(hits, s.hits...)
	}
	sortHits(hits)
	a.Hits = hits
	return a, all, nil
}

// evaluateSite answers for one site by its history.
func (x *Index) evaluateSite(ctx context.Context, q Query, id string) (*siteAnswer, error) {
	h, err := x.r.History(ctx, id, q.From)
	if err != nil {
		return nil, err
	}
	alone := New(x.r, x.log)
	alone.put(pack(&alone.values, factsOf(h, q.Now), q.From))
	ev := newEvaluation(q)
	hits, err := ev.hits(ctx, alone.near(q, nil))
	return &siteAnswer{h, hits, ev.hidden}, err
}

// factsOf are the facts in a history, as of now.
func factsOf(h registry.History, now time.Time) registry.Facts {
	f := registry.Facts{SiteID: h.SiteID, Clocks: make(map[string]time.Time, len(h.Clocks))}
	for id, samples := range h.Clocks {
		for _, c := range samples {
			if !c.At.After(now) {
				f.Clocks[id] = protocol.Later(f.Clocks[id], c.At)
			}
		}
	}
	for id, versions := range h.Cameras {
		if versions[0].Withdrawn || h.Suspended {
			continue
		}
		f.Cameras = append(f.Cameras, registry.CameraFacts{ID: id, Versions: versions, Schedules: h.Schedules[id], Retentions: h.Retentions[id]})
	}
	if n := len(h.Sites); n > 0 {
		f.Category = h.Sites[n-1].Value.Category
	}
	return f
}

// result is a hit with what its site's history has to show.
func (s *siteAnswer) result(q Query, hit Hit) Result {
	h := s.history
	q.From, q.Until = hit.From, hit.Until
	versions := h.Cameras[hit.CameraID]
	then, newest := versions[0].Camera, versions[len(versions)-1].Camera
	for _, v := range versions {
		if !v.ValidFrom.After(q.From) {
			then = v.Camera
		}
	}
	r := Result{Hit: hit, Trust: h.Trust, CameraName: newest.Name, Camera: then}
	if n := len(h.Sites); n > 0 {
		site := h.Sites[n-1].Value
		r.SiteName, r.Category, r.Address = site.Name, site.Category, site.Address
	}
	if then.Name != newest.Name {
		r.OldName = then.Name
	}
	if recorders := h.Recorders[then.RecorderID]; len(recorders) > 0 {
		r.Recorder = recorders[len(recorders)-1].Value
		if was := eraAt(recorders, q.From); was.Name != r.Recorder.Name {
			r.OldRecorderName = was.Name
		}
	}
	r.Schedule = eraAt(h.Schedules[hit.CameraID], q.From)
	r.Retention = eraAt(h.Retentions[hit.CameraID], q.Now)
	r.setRecorderClock(q, h.Clocks[then.RecorderID])
	r.age(q, newest.NameFact)
	return r
}

// eraAt is the value of the last era that began at or before t; zero before the
// first.
func eraAt[T any](eras []protocol.Era[T], t time.Time) (v T) {
	for i := len(eras) - 1; i >= 0; i-- {
		if e := &eras[i]; !e.From.After(t) {
			return e.Value
		}
	}
	return v
}

// setRecorderClock finds what the recorder's own clock showed.
func (r *Result) setRecorderClock(q Query, samples []protocol.Clock) {
	first, ok := protocol.ClockAt(samples, q.From)
	if !ok {
		return
	}
	last, _ := protocol.ClockAt(samples, q.Until)
	from, within := first.Shows(q.From)
	until, withinLast := last.Shows(q.Until)
	r.Clock, r.ClockWithin = &first, max(within, withinLast)
	r.ClockFrom, r.ClockUntil = from.Add(-r.ClockWithin), until.Add(r.ClockWithin)
}

// age lists the facts behind a result.
func (r *Result) age(q Query, name protocol.Fact) {
	add := func(group string, f protocol.Fact) {
		if f.Source == protocol.SourceUnknown {
			return
		}
		fact := Fact{Group: group, Fact: f, Age: q.Now.Sub(f.At)}
		r.Facts = append(r.Facts, fact)
		r.FactAge = max(r.FactAge, fact.Age)
	}
	add("name", name)
	add("position", r.Camera.Position.Fact)
	add("view", r.Camera.View.Fact)
	add("schedule", r.Schedule.Fact)
	add("retention", r.Retention.Fact)
	if r.Clock != nil {
		add("clock", protocol.Fact{Source: protocol.Measured, At: r.Clock.At})
	}
}
