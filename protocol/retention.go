package protocol

import (
	"encoding/json"
	"time"
)

// RetentionKind tells what limits how long footage is kept.
type RetentionKind string

const (
	RetentionUnknown  RetentionKind = ""
	RetentionAge      RetentionKind = "age"      // deleted after Age
	RetentionCapacity RetentionKind = "capacity" // overwritten when the disk is full
)

// Retention is how long footage is kept: as configured, and as observed.
type Retention struct {
	Kind          RetentionKind `json:"kind"`
	Age           time.Duration `json:"-"`                       // configured, of RetentionAge; whole seconds, "age_seconds" in JSON
	EventAge      time.Duration `json:"-"`                       // configured for event footage where it differs; 0: the same; "event_age_seconds"
	OldestFootage time.Time     `json:"oldest_footage,omitzero"` // zero: not read; true time, the recorder's offset taken off
	ObservedAt    time.Time     `json:"observed_at,omitzero"`    // when OldestFootage was read
	Settled       bool          `json:"settled,omitempty"`       // the oldest footage has stopped growing older: the store is full
	Fact          Fact          `json:"fact"`
}

// plainRetention is a Retention without its methods.
type plainRetention Retention

type retentionJSON struct {
	plainRetention
	AgeSeconds      int64 `json:"age_seconds,omitempty"`
	EventAgeSeconds int64 `json:"event_age_seconds,omitempty"`
}

// MarshalJSON writes ages in seconds, as a person reads them and as the wire
// has them.
func (r Retention) MarshalJSON() ([]byte, error) {
	return json.Marshal(retentionJSON{plainRetention(r), int64(r.Age / time.Second), int64(r.EventAge / time.Second)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Retention) UnmarshalJSON(b []byte) error {
	var j retentionJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*r = Retention(j.plainRetention)
	r.Age, r.EventAge = secondsFromWire(j.AgeSeconds), secondsFromWire(j.EventAgeSeconds)
	return nil
}

// ageLimit is the configured age after which footage of this kind is surely
// deleted.
func (r *Retention) ageLimit(recorded Answer) (time.Duration, bool) {
	if r.Kind != RetentionAge || r.Age <= 0 {
		return 0, false
	}
	switch {
	case r.EventAge <= 0 || recorded == Yes:
		return r.Age, true
	case recorded == OnEvent:
		return r.EventAge, true
	}
	return max(r.Age, r.EventAge), true
}

// settledSpan is how far back a full store was seen to reach.
func (r *Retention) settledSpan() (time.Duration, bool) {
	if !r.Settled || r.OldestFootage.IsZero() {
		return 0, false
	}
	span := r.ObservedAt.Sub(r.OldestFootage)
	return span, span > 0
}

// endsAfter is the age at which footage is overwritten first, by configuration
// or by a full store; where the schedule is unknown, the shorter age.
func (r *Retention) endsAfter(recorded Answer) (time.Duration, bool) {
	limit, ok := r.ageLimit(recorded)
	if ok && recorded == Unknown && r.EventAge > 0 {
		limit = min(r.Age, r.EventAge)
	}
	if span, settled := r.settledSpan(); settled && (!ok || span < limit) {
		limit, ok = span, true
	}
	return limit, ok
}
