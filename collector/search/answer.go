package search

import (
	"cmp"
	"context"
	"slices"
	"time"

	"anagrafe/protocol"
)

// Search answers a query with every camera that the area lists, in one total
// order: class; within A and B the time left, shortest first; then distance;
// then camera id and site id. A query outside the limits is a QueryError.
func (x *Index) Search(ctx context.Context, q Query) (Answer, error) {
	q, err := q.checked()
	if err != nil {
		return Answer{}, err
	}
	if err := x.CatchUp(ctx); err != nil {
		return Answer{}, err
	}
	cameras := x.near(q)
	if err := x.older(ctx, q, cameras); err != nil {
		return Answer{}, err
	}
	a := Answer{Query: q, Hits: make([]Hit, 0, len(cameras))}
	for _, f := range cameras {
		if err := ctx.Err(); err != nil {
			return Answer{}, err
		}
		if f.camera == nil {
			continue
		}
		if r := f.answer(q); !q.Only.hides(r.Category, &r.Hit, &a.Hidden) {
			a.Hits = append(a.Hits, r.Hit)
		}
	}
	slices.SortFunc(a.Hits, order)
	return a, nil
}

// older reads from the register what the index no longer holds for a question
// about long ago; a camera that was withdrawn meanwhile becomes nil.
func (x *Index) older(ctx context.Context, q Query, cameras []found) error {
	read := make(map[string]*site)
	for i, f := range cameras {
		if !q.From.Before(f.site.since) {
			continue
		}
		s := read[f.site.id]
		if s == nil {
			h, err := x.r.History(ctx, f.site.id, q.From)
			if err != nil {
				return err
			}
			s = newSite(h, q.From)
			read[s.id] = s
		}
		cameras[i].camera = nil
		for _, c := range s.cameras {
			if c.id == f.id {
				cameras[i].camera = c
			}
		}
	}
	return nil
}

// order is the total order of hits.
func order(a, b Hit) int {
	return cmp.Or(
		cmp.Compare(a.Class, b.Class),
		cmp.Compare(a.TimeLeft, b.TimeLeft), // zero in class C
		cmp.Compare(a.Sight.DistanceM, b.Sight.DistanceM),
		cmp.Compare(a.CameraID, b.CameraID),
		cmp.Compare(a.SiteID, b.SiteID),
	)
}

func (f found) answer(q Query) Result {
	q.From, q.Until = q.From.Add(f.look.after), q.Until.Add(f.look.until)
	if q.Until.Before(q.From) { // by a microsecond, rounded
		q.Until = q.From
	}
	newest := &f.versions[len(f.versions)-1].Camera
	r := Result{
		Hit: Hit{CameraID: f.id, SiteID: f.site.id, BeforeDeclared: q.From.Before(f.versions[0].ValidFrom),
			Sight: f.look.Sight, From: q.From, Until: q.Until},
		SiteName: f.site.now.Name, Category: f.site.now.Category, Address: f.site.now.Address, Trust: f.site.trust,
		CameraName: newest.Name, Camera: *f.then,
	}
	if f.then.Name != newest.Name {
		r.OldName = f.then.Name
	}
	recorders := f.site.recorders[f.then.RecorderID]
	if n := len(recorders); n > 0 {
		r.Recorder = recorders[n-1].Value
		then, known := inForce(recorders, q.From)
		if known && then.Name != r.Recorder.Name {
			r.OldRecorderName = then.Name
		}
	}
	r.Schedule, _ = inForce(f.schedules, q.From)
	r.Retention, _ = inForce(f.retentions, q.Now)
	f.askRecorder(q, &r)
	f.askFootage(q, &r)
	r.rank(q)
	r.age(q, newest.NameFact)
	r.doubt(f.then.Position.Point, f.facts(q, &r), q.Now)
	return r
}

// facts are what an answer rests on. An agent's look is seen in what it tells
// every day, whether it has changed or not: the recorder's clock, and how far
// back its footage reaches.
func (f found) facts(q Query, r *Result) facts {
	looked := r.Retention.ObservedAt
	for _, c := range f.site.clocks[f.then.RecorderID] {
		if c.At.After(looked) && !c.At.After(q.Now) {
			looked = c.At
		}
	}
	return facts{r.Camera.Position.Fact, r.Camera.View.Fact, r.Schedule.Fact, r.Retention.Fact, looked}
}

// inForce is the value of the last era that began at or before t.
func inForce[T any](eras []protocol.Era[T], t time.Time) (v T, ok bool) {
	for _, e := range eras {
		if e.From.After(t) {
			break
		}
		v, ok = e.Value, true
	}
	return v, ok
}

// askRecorder finds what the recorder's own clock showed.
func (f found) askRecorder(q Query, r *Result) {
	samples := f.site.clocks[f.then.RecorderID]
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

// askFootage finds the best that the window holds, and what of it goes first.
func (f found) askFootage(q Query, r *Result) {
	r.Recording, r.Footage.Exists = protocol.No, protocol.No
	gone := false // an earlier moment was recorded and is overwritten
	for _, t := range f.moments(q) {
		schedule, _ := inForce(f.schedules, t)
		recording := schedule.Recording(t)
		if better(recording, r.Recording) {
			r.Recording = recording
		}
		one := protocol.FootageOf(t, q.Now, f.schedules, f.retentions)
		if one.Exists == protocol.No {
			gone = gone || recording != protocol.No
			if r.Footage.Exists == protocol.No {
				r.Footage.Observed = r.Footage.Observed || one.Observed
			}
			continue
		}
		until := r.Footage.Until
		switch {
		case gone:
			until = q.Now // the edge between gone and there lies within the window
		case until.IsZero() || !one.Until.IsZero() && one.Until.Before(until):
			until = one.Until
		}
		if better(one.Exists, r.Footage.Exists) {
			r.Footage = one
		}
		r.Footage.Until = until
	}
}

// better orders answers by how much there is to hope for.
func better(a, b protocol.Answer) bool { return hope(a) > hope(b) }

func hope(a protocol.Answer) int {
	switch a {
	case protocol.Yes:
		return 3
	case protocol.OnEvent:
		return 2
	case protocol.Unknown:
		return 1
	}
	return 0
}

// rank gives the class and the time left.
func (r *Result) rank(q Query) {
	switch {
	case r.Footage.Exists == protocol.No:
		r.Class = ClassC
		return
	case r.Sight.Sees == protocol.No:
		r.Class = ClassB
	default:
		r.Class = ClassA
	}
	if r.Footage.Until.IsZero() {
		r.TimeLeft, r.TimeLeftAssumed = AssumedTimeLeft, true
		return
	}
	r.TimeLeft = max(r.Footage.Until.Sub(q.Now), 0)
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
