package protocol

import (
	"fmt"
	"time"

	"anagrafe/protocol/wire"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Encode validates a message and gives its bytes, always the same for the same
// message. Times are kept to the microsecond. Errors: ErrTooBig, FieldErrors.
func Encode(m Message) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(toWire(m))
	if err != nil {
		return nil, fmt.Errorf("encode message: %w: %v", errMalformed, err)
	}
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("encode message: %w: it has %d bytes", ErrTooBig, len(b))
	}
	return b, nil
}

func toWire(m Message) *wire.Message {
	w := &wire.Message{
		Version:  m.version(),
		Id:       m.ID,
		SiteId:   m.SiteID,
		Epoch:    m.Epoch,
		Revision: m.Revision,
		MadeAt:   timeToWire(m.MadeAt),
	}
	switch b := m.Body.(type) {
	case Declaration:
		w.Body = &wire.Message_Declaration{Declaration: declarationToWire(b)}
	case Observation:
		w.Body = &wire.Message_Observation{Observation: observationToWire(b)}
	case Withdrawal:
		w.Body = &wire.Message_Withdrawal{Withdrawal: &wire.Withdrawal{Approval: approvalToWire(b.Approval)}}
	case SiteSuspension:
		w.Body = &wire.Message_Suspension{Suspension: &wire.SiteSuspension{
			Resumed: b.Resumed, Until: timeToWire(b.Until), Approval: approvalToWire(b.Approval),
		}}
	case Health:
		w.Body = &wire.Message_Health{Health: healthToWire(b)}
	case Diagnosis:
		w.Body = &wire.Message_Diagnosis{Diagnosis: &wire.Diagnosis{Text: b.Text, Approval: approvalToWire(b.Approval)}}
	case Reply:
		w.Body = &wire.Message_Reply{Reply: &wire.Reply{
			NoticeId: b.NoticeID, State: string(b.State), At: timeToWire(b.At), By: b.By, Note: b.Note,
		}}
	}
	return w
}

func declarationToWire(d Declaration) *wire.Declaration {
	w := &wire.Declaration{
		Site:     &wire.Site{Name: d.Site.Name, Category: string(d.Site.Category), Address: d.Site.Address},
		Approval: approvalToWire(d.Approval),
	}
	for _, c := range d.Contacts {
		w.Contacts = append(w.Contacts, &wire.Contact{
			Name: c.Name, Role: string(c.Role), Phone: c.Phone, Email: c.Email, Pec: c.PEC, Hours: c.Hours, Alerts: c.Alerts,
		})
	}
	for _, r := range d.Recorders {
		w.Recorders = append(w.Recorders, &wire.Recorder{
			Id: r.ID, Vendor: r.Vendor, Model: r.Model, Name: r.Name,
			Storage: string(r.Storage), StorageNote: r.StorageNote, Clock: clockToWire(r.Clock),
		})
	}
	for _, c := range d.Cameras {
		w.Cameras = append(w.Cameras, cameraToWire(c))
	}
	return w
}

func cameraToWire(c Camera) *wire.Camera {
	return &wire.Camera{
		Id:         c.ID,
		RecorderId: c.RecorderID,
		Channel:    c.Channel,
		Name:       c.Name,
		NameFact:   factToWire(c.NameFact),
		Position: &wire.Position{
			LonMicrodegrees: c.Position.Lon,
			LatMicrodegrees: c.Position.Lat,
			AccuracyM:       uint32(c.Position.AccuracyM),
			Method:          c.Position.Method,
			Fact:            factToWire(c.Position.Fact),
		},
		View: &wire.View{
			DirectionDeg: numberToWire(c.View.DirectionDeg),
			AngleDeg:     numberToWire(c.View.AngleDeg),
			RangeM:       numberToWire(c.View.RangeM),
			HeightCm:     numberToWire(c.View.HeightCm),
			Turns:        c.View.Turns,
			Infrared:     c.View.Infrared,
			WidthPx:      uint32(c.View.WidthPx),
			HeightPx:     uint32(c.View.HeightPx),
			Fact:         factToWire(c.View.Fact),
		},
		Schedule:      scheduleToWire(&c.Schedule),
		Retention:     retentionToWire(&c.Retention),
		OutdoorPublic: &wire.Outdoor{Yes: c.OutdoorPublic.Yes, By: c.OutdoorPublic.By, At: timeToWire(c.OutdoorPublic.At)},
	}
}

func observationToWire(o Observation) *wire.Observation {
	w := &wire.Observation{}
	for _, r := range o.Recorders {
		w.Recorders = append(w.Recorders, &wire.RecorderObservation{
			RecorderId: r.RecorderID, At: timeToWire(r.At), Reachable: r.Reachable, Clock: clockToWire(r.Clock),
		})
	}
	for _, c := range o.Cameras {
		w.Cameras = append(w.Cameras, &wire.CameraObservation{
			CameraId: c.CameraID, At: timeToWire(c.At), OldestFootage: timeToWire(c.OldestFootage),
			Schedule: scheduleToWire(c.Schedule), Retention: retentionToWire(c.Retention),
		})
	}
	return w
}

func scheduleToWire(s *Schedule) *wire.Schedule {
	if s == nil {
		return nil
	}
	w := &wire.Schedule{
		Kind: string(s.Kind), AlwaysMode: string(s.Mode), Zone: s.Zone, ZoneAssumed: s.ZoneAssumed, Fact: factToWire(s.Fact),
	}
	for day, row := range s.Days {
		// An empty holiday row says that the recorder has one and rests then;
		// an empty weekday says no more than no row.
		if len(row) == 0 && (day != Holiday || row == nil) {
			continue
		}
		r := &wire.DayRow{Day: uint32(day)}
		for _, i := range row {
			r.Intervals = append(r.Intervals, &wire.Interval{
				FromMinute: uint32(i.From), ToMinute: uint32(i.To), Mode: string(i.Mode),
			})
		}
		w.Days = append(w.Days, r)
	}
	for _, p := range s.Suspensions {
		w.Suspensions = append(w.Suspensions, &wire.Suspension{From: timeToWire(p.From), To: timeToWire(p.To)})
	}
	return w
}

func retentionToWire(r *Retention) *wire.Retention {
	if r == nil {
		return nil
	}
	return &wire.Retention{
		Kind:            string(r.Kind),
		AgeSeconds:      int64(r.Age / time.Second),
		EventAgeSeconds: int64(r.EventAge / time.Second),
		OldestFootage:   timeToWire(r.OldestFootage),
		ObservedAt:      timeToWire(r.ObservedAt),
		Settled:         r.Settled,
		Fact:            factToWire(r.Fact),
	}
}

func clockToWire(c *Clock) *wire.Clock {
	if c == nil {
		return nil
	}
	return &wire.Clock{OffsetMs: c.OffsetMs, UncertaintyMs: c.UncertaintyMs, Method: c.Method, At: timeToWire(c.At)}
}

func approvalToWire(a Approval) *wire.Approval {
	return &wire.Approval{By: a.By, Role: string(a.Role), At: timeToWire(a.At), NoticeVersion: a.NoticeVersion}
}

func factToWire(f Fact) *wire.Fact {
	w := &wire.Fact{At: timeToWire(f.At)}
	switch f.Source {
	case Declared:
		w.Source = wire.Source_SOURCE_DECLARED
	case Measured:
		w.Source = wire.Source_SOURCE_MEASURED
	case Confirmed:
		w.Source = wire.Source_SOURCE_CONFIRMED
	}
	return w
}

func numberToWire(n *int) *uint32 {
	if n == nil {
		return nil
	}
	u := uint32(*n)
	return &u
}

func timeToWire(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t.UTC().Truncate(time.Microsecond))
}
