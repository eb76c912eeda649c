package protocol

import "time"

// Footage answers "does footage of t still exist, and until when?".
type Footage struct {
	Exists   Answer    `json:"exists"`
	Until    time.Time `json:"until,omitzero"` // when it is overwritten; zero: not known
	Observed bool      `json:"observed"`       // Exists rests on a measured oldest footage, not on configuration alone
}

// staleAfter is how long a measured oldest footage speaks for a store of
// unknown limit: an agent gives a daily sign of life, and shops close for a week.
const staleAfter = 7 * 24 * time.Hour

// FootageOf reports whether footage of t exists at now, by these rules in order.
// Both series are ordered by From; before its first era a series is unknown,
// and eras and measurements later than now are not looked at.
//
//  1. Of the future there is none; nor of a time at which it was not recording.
//  2. Older than the newest measured oldest footage: No, observed.
//  3. Age reached the retention in force at some moment from t to now: No.
//     Event retention counts for footage of events, the other for continuous;
//     where the schedule is unknown, the longer of the two. A full store's
//     measured span is a limit as well, of which a schedule of events is not
//     sure: Unknown. A measurement made after the supposed deletion that
//     reaches back before t contradicts it: Unknown.
//  4. Age has passed the shortest retention in force from t to now, without
//     ever having reached the one then in force (it was lengthened in time):
//     Unknown, since we know when a change was seen, not when it was made.
//  5. Within every retention in force from t to now: it exists.
//  6. Where one of them is unknown: it exists if a measurement of the last
//     seven days reaches back to t, or has shown the store to hold as much;
//     otherwise Unknown.
//
// "Exists" is the schedule's answer at t: Yes, OnEvent or Unknown. Until is t
// plus the retention in force now, zero while a store is filling or unknown.
func FootageOf(t, now time.Time, schedules []Era[Schedule], retentions []Era[Retention]) Footage {
	recorded := Unknown
	if s, ok := inForce(schedules, t); ok {
		recorded = s.Recording(t)
	}
	return FootageRecorded(t, now, recorded, retentions)
}

// FootageRecorded is FootageOf where it is known already whether t was recorded:
// a search asks of many cameras that share few schedules.
func FootageRecorded(t, now time.Time, recorded Answer, retentions []Era[Retention]) Footage {
	if t.After(now) || recorded == No {
		return Footage{Exists: No}
	}
	oldest, observedAt := newestOldest(retentions, now)
	if t.Before(oldest) {
		return Footage{Exists: No, Observed: true}
	}
	reaches := !oldest.IsZero() && !t.After(observedAt) // t lies within what was measured

	k := keptThrough(t, now, observedAt, reaches, recorded, retentions)
	f := Footage{Exists: recorded, Observed: reaches}
	switch {
	case k.gone:
		return Footage{Exists: No}
	case k.doubtful:
		f.Exists, f.Observed = Unknown, false
	case k.unknown:
		fresh := reaches && now.Sub(observedAt) <= staleAfter
		held := !oldest.IsZero() && now.Sub(t) < observedAt.Sub(oldest)
		if !fresh && !held {
			f.Exists, f.Observed = Unknown, false
		}
	}
	if f.Exists == Unknown {
		f.Observed = false
	}
	if r, ok := inForce(retentions, now); ok {
		if limit, ok := r.endsAfter(recorded); ok && t.Add(limit).After(now) {
			f.Until = t.Add(limit)
		}
	}
	return f
}

// kept is what the retentions in force from t to now say of footage of t.
type kept struct{ gone, doubtful, unknown bool }

func keptThrough(t, now, observedAt time.Time, reaches bool, recorded Answer, eras []Era[Retention]) kept {
	var k kept
	start, first := t, len(eras) // first: the era in force at t
	for i := range eras {
		if eras[i].From.After(t) {
			break
		}
		first = i
	}
	if first == len(eras) {
		first = 0
		// Nothing is known of the time from t to the first era, unless a later
		// measurement has seen past it.
		k.unknown = len(eras) == 0 || !(reaches && !observedAt.Before(eras[0].From))
	}
	for i := first; i < len(eras); i++ {
		e := &eras[i]
		if e.From.After(now) {
			break
		}
		if i+1 < len(eras) && eras[i+1].From.Equal(e.From) {
			continue // superseded before it was ever in force
		}
		start = Later(start, e.From)
		end, ended := now, false // an era that ended was not in force at its end
		if i+1 < len(eras) && !eras[i+1].From.After(now) {
			end, ended = eras[i+1].From, true
		}
		// deletes tells whether a limit deleted the footage within this era,
		// and no later measurement says otherwise.
		deletes := func(limit time.Duration) (deleted, contradicted bool) {
			at := Later(t.Add(limit), start)
			deleted = at.Before(end) || !ended && at.Equal(end)
			return deleted, deleted && reaches && !observedAt.Before(at)
		}

		limit, configured := e.Value.ageLimit(recorded)
		if configured {
			switch deleted, contradicted := deletes(limit); {
			case deleted && !contradicted:
				k.gone = true
			case deleted, now.Sub(t) >= limit:
				k.doubtful = true
			}
		}
		span, settled := e.Value.settledSpan()
		if settled {
			switch deleted, contradicted := deletes(span); {
			case !deleted, contradicted:
			case recorded == Yes:
				k.gone = true
			default:
				k.doubtful = true
			}
		}
		if !configured && !settled && !(reaches && !observedAt.Before(end)) {
			k.unknown = true
		}
	}
	return k
}

// newestOldest is the newest measurement not later than now: zero times when
// there is none.
func newestOldest(eras []Era[Retention], now time.Time) (oldest, observedAt time.Time) {
	for i := range eras {
		e, r := &eras[i], &eras[i].Value
		if e.From.After(now) || r.OldestFootage.IsZero() || r.ObservedAt.IsZero() || r.ObservedAt.After(now) {
			continue
		}
		if !r.ObservedAt.Before(observedAt) {
			oldest, observedAt = r.OldestFootage, r.ObservedAt
		}
	}
	return oldest, observedAt
}

// inForce is the value of the last era that began at or before t.
func inForce[T any](eras []Era[T], t time.Time) (v T, ok bool) {
	for i := len(eras) - 1; i >= 0; i-- {
		if e := &eras[i]; !e.From.After(t) {
			return e.Value, true
		}
	}
	return v, false
}

// Earlier is the earlier of two times.
func Earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Later is the later of two times.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
