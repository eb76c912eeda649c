package registry

import (
	"encoding/json"
	"fmt"
	"slices"

	"anagrafe/protocol"
)

// A body is the JSON of a site, recorder, camera, contact, schedule or
// retention of package protocol. Equal values have equal bodies: that is how a
// declaration is compared with what stands. testdata/registry/bodies.json
// holds one of each as released, and a test reads them with the types of today.

func encode[T protocol.Site | protocol.Recorder | protocol.Camera | protocol.Contact | protocol.Schedule | protocol.Retention](v T) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("a %T cannot be stored: %w", v, err)
	}
	return string(b), nil
}

func decode[T any](body string) (T, error) {
	var v T
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		return v, fmt.Errorf("a stored %T is damaged: %w", v, err)
	}
	return v, nil
}

// normal gives equal cameras equal bodies: times in UTC and whole microseconds.
func normal(c protocol.Camera) protocol.Camera {
	c.NameFact = normalFact(c.NameFact)
	c.Position.Fact = normalFact(c.Position.Fact)
	c.View.Fact = normalFact(c.View.Fact)
	c.Schedule = normalSchedule(c.Schedule)
	c.Retention = normalRetention(c.Retention)
	c.OutdoorPublic.At = exact(c.OutdoorPublic.At)
	return c
}

func normalFact(f protocol.Fact) protocol.Fact {
	f.At = exact(f.At)
	return f
}

func normalSchedule(s protocol.Schedule) protocol.Schedule {
	s.Fact = normalFact(s.Fact)
	for i, day := range s.Days {
		// An empty holiday row says something else than none.
		if len(day) == 0 && i != protocol.Holiday {
			s.Days[i] = nil
		}
	}
	s.Suspensions = slices.Clone(s.Suspensions)
	for i, p := range s.Suspensions {
		s.Suspensions[i] = protocol.Suspension{From: exact(p.From), To: exact(p.To)}
	}
	return s
}

func normalRetention(r protocol.Retention) protocol.Retention {
	r.Fact = normalFact(r.Fact)
	r.OldestFootage, r.ObservedAt = exact(r.OldestFootage), exact(r.ObservedAt)
	return r
}
