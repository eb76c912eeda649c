package search

import (
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// thin thins the retentions of a site's cameras.
func thin(f registry.Facts) registry.Facts {
	for i := range f.Cameras {
		f.Cameras[i].Retentions = thinned(f.Cameras[i].Retentions)
	}
	return f
}

// thinned leaves out of a camera's retentions what cannot change an answer that
// is given at or after the newest of their times. It rests on three rules of
// protocol.FootageOf, in which O is when the store's depth was looked at last:
//
//   - Of the looks, the newest tells how far back the footage reaches.
//   - The depth of an era that ended by O deletes nothing that is asked for: if it
//     was recorded by O, the look at O either found it gone, or contradicts the
//     era; and if later, the era was over.
//   - What is configured in two such eras that follow each other, alike in both,
//     deletes at the same moment when they are taken for one, and O contradicts
//     both or none.
//
// So of eras that ended by O there stays what was configured, and where it
// changed. Their facts go: nobody asks for those of a retention that is over.
func thinned(eras []protocol.Era[protocol.Retention]) []protocol.Era[protocol.Retention] {
	if len(eras) < 2 {
		return eras
	}
	ever := newest(nil, eras)
	oldest, observed := newestLook(eras, ever)
	thin := make([]protocol.Era[protocol.Retention], 0, min(len(eras), 4))
	for i, e := range eras {
		if i+1 < len(eras) && !eras[i+1].From.After(observed) {
			e.Value = configured(e.Value)
			if n := len(thin); n > 0 && thin[n-1].Value == e.Value {
				continue
			}
		}
		thin = append(thin, e)
	}
	// A series is in the order of its looks, or else stays as it is.
	if o, at := newestLook(thin, ever); !o.Equal(oldest) || !at.Equal(observed) {
		return eras
	}
	return thin
}

// newestLook is the newest measured oldest footage that was known at now, of
// equally new ones the last; zero times when there is none.
func newestLook(eras []protocol.Era[protocol.Retention], now time.Time) (oldest, observed time.Time) {
	for i := range eras {
		e, r := &eras[i], &eras[i].Value
		if !e.From.After(now) && !r.ObservedAt.After(now) && !r.OldestFootage.IsZero() && !r.ObservedAt.IsZero() && !r.ObservedAt.Before(observed) {
			oldest, observed = r.OldestFootage, r.ObservedAt
		}
	}
	return oldest, observed
}

// newest is the newest time in both series: an answer as of an earlier moment
// does not look at all of them.
func newest(schedules []protocol.Era[protocol.Schedule], retentions []protocol.Era[protocol.Retention]) (t time.Time) {
	for _, e := range schedules {
		t = protocol.Later(t, e.From)
	}
	for _, e := range retentions {
		t = protocol.Later(protocol.Later(t, e.From), e.Value.ObservedAt)
	}
	return t
}
