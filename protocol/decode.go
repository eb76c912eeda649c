package protocol

import (
	"fmt"
	"time"

	"anagrafe/protocol/wire"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Decode reads a message of any supported version into the newest types and
// validates it. Times come out in UTC. Errors: ErrTooBig before anything is
// read, FieldErrors, or what says that it is no message.
func Decode(b []byte) (Message, error) {
	m, err := decode(b)
	if err != nil {
		return Message{}, fmt.Errorf("decode message: %w", err)
	}
	return m, nil
}

func decode(b []byte) (Message, error) {
	if len(b) > MaxMessage {
		return Message{}, fmt.Errorf("%w: it has %d bytes", ErrTooBig, len(b))
	}
	s, err := scan(b)
	if err != nil {
		return Message{}, err
	}
	var w wire.Message
	if err := proto.Unmarshal(b, &w); err != nil {
		return Message{}, fmt.Errorf("%w: %v", errMalformed, err)
	}
	var errs FieldErrors
	if w.Version == 0 {
		errs.add("version", "is missing")
	}
	if w.Version <= Version {
		errs = append(errs, s.unknown...)
	}
	m := fromWire(&w, &errs)
	if w.Version != 0 && w.Version < m.version() {
		errs.add("version", "%d does not know all that this %s says", w.Version, m.Kind())
	}
	m.check(&errs)
	if len(errs) > 0 {
		return Message{}, errs
	}
	return m, nil
}

// fromWire converts; what the types cannot hold goes to errs, and what they
// hold but may not be is left to check.
func fromWire(w *wire.Message, errs *FieldErrors) Message {
	m := Message{
		ID:       w.GetId(),
		SiteID:   w.GetSiteId(),
		Epoch:    w.GetEpoch(),
		Revision: w.GetRevision(),
		MadeAt:   timeFromWire(w.GetMadeAt()),
	}
	switch b := w.GetBody().(type) {
	case *wire.Message_Declaration:
		m.Body = declarationFromWire(b.Declaration, errs)
	case *wire.Message_Observation:
		m.Body = observationFromWire(b.Observation, errs)
	case *wire.Message_Withdrawal:
		m.Body = Withdrawal{Approval: approvalFromWire(b.Withdrawal.GetApproval())}
	case *wire.Message_Suspension:
		m.Body = SiteSuspension{Resumed: b.Suspension.GetResumed(), Until: timeFromWire(b.Suspension.GetUntil()),
			Approval: approvalFromWire(b.Suspension.GetApproval())}
	case *wire.Message_Health:
		m.Body = healthFromWire(b.Health)
	case *wire.Message_Diagnosis:
		m.Body = Diagnosis{Text: b.Diagnosis.GetText(), Approval: approvalFromWire(b.Diagnosis.GetApproval())}
	case *wire.Message_Reply:
		m.Body = Reply{NoticeID: b.Reply.GetNoticeId(), State: ReplyState(b.Reply.GetState()), At: timeFromWire(b.Reply.GetAt()),
			By: b.Reply.GetBy(), Note: b.Reply.GetNote()}
	}
	return m
}

func declarationFromWire(w *wire.Declaration, errs *FieldErrors) Declaration {
	d := Declaration{
		Site: Site{
			Name: w.GetSite().GetName(), Category: Category(w.GetSite().GetCategory()), Address: w.GetSite().GetAddress(),
		},
		Approval: approvalFromWire(w.GetApproval()),
	}
	for _, c := range w.GetContacts() {
		d.Contacts = append(d.Contacts, Contact{
			Name: c.GetName(), Role: Role(c.GetRole()), Phone: c.GetPhone(), Email: c.GetEmail(), PEC: c.GetPec(), Hours: c.GetHours(),
			Alerts: c.GetAlerts(),
		})
	}
	for _, r := range w.GetRecorders() {
		d.Recorders = append(d.Recorders, Recorder{
			ID: r.GetId(), Vendor: r.GetVendor(), Model: r.GetModel(), Name: r.GetName(),
			Storage: Storage(r.GetStorage()), StorageNote: r.GetStorageNote(), Clock: clockFromWire(r.GetClock()),
		})
	}
	for i, c := range w.GetCameras() {
		d.Cameras = append(d.Cameras, cameraFromWire(c, fmt.Sprintf("cameras[%d].", i), errs))
	}
	return d
}

func cameraFromWire(w *wire.Camera, path string, errs *FieldErrors) Camera {
	p, v, o := w.GetPosition(), w.GetView(), w.GetOutdoorPublic()
	c := Camera{
		ID:         w.GetId(),
		RecorderID: w.GetRecorderId(),
		Channel:    w.GetChannel(),
		Name:       w.GetName(),
		NameFact:   factFromWire(w.GetNameFact()),
		Position: Position{
			Point:     Point{Lon: p.GetLonMicrodegrees(), Lat: p.GetLatMicrodegrees()},
			AccuracyM: int(p.GetAccuracyM()),
			Method:    p.GetMethod(),
			Fact:      factFromWire(p.GetFact()),
		},
		View: View{
			Turns:    v.GetTurns(),
			Infrared: v.GetInfrared(),
			WidthPx:  int(v.GetWidthPx()),
			HeightPx: int(v.GetHeightPx()),
			Fact:     factFromWire(v.GetFact()),
		},
		OutdoorPublic: Outdoor{Yes: o.GetYes(), By: o.GetBy(), At: timeFromWire(o.GetAt())},
	}
	if v != nil {
		c.View.DirectionDeg = numberFromWire(v.DirectionDeg)
		c.View.AngleDeg = numberFromWire(v.AngleDeg)
		c.View.RangeM = numberFromWire(v.RangeM)
		c.View.HeightCm = numberFromWire(v.HeightCm)
	}
	if s := scheduleFromWire(w.GetSchedule(), path+"schedule.", errs); s != nil {
		c.Schedule = *s
	}
	if r := retentionFromWire(w.GetRetention()); r != nil {
		c.Retention = *r
	}
	return c
}

func observationFromWire(w *wire.Observation, errs *FieldErrors) Observation {
	var o Observation
	for _, r := range w.GetRecorders() {
		o.Recorders = append(o.Recorders, RecorderObservation{
			RecorderID: r.GetRecorderId(), At: timeFromWire(r.GetAt()), Reachable: r.GetReachable(), Clock: clockFromWire(r.GetClock()),
		})
	}
	for i, c := range w.GetCameras() {
		o.Cameras = append(o.Cameras, CameraObservation{
			CameraID: c.GetCameraId(), At: timeFromWire(c.GetAt()), OldestFootage: timeFromWire(c.GetOldestFootage()),
			Schedule:  scheduleFromWire(c.GetSchedule(), fmt.Sprintf("cameras[%d].schedule.", i), errs),
			Retention: retentionFromWire(c.GetRetention()),
		})
	}
	return o
}

func scheduleFromWire(w *wire.Schedule, path string, errs *FieldErrors) *Schedule {
	if w == nil {
		return nil
	}
	s := &Schedule{
		Kind: ScheduleKind(w.GetKind()), Mode: Mode(w.GetAlwaysMode()), Zone: w.GetZone(), ZoneAssumed: w.GetZoneAssumed(),
		Fact: factFromWire(w.GetFact()),
	}
	var seen [8]bool
	for n, r := range w.GetDays() {
		day := r.GetDay()
		if day > Holiday || seen[day] {
			errs.add(fmt.Sprintf("%sdays[%d].day", path, n), "must be 0 (Sunday) to 6 or 7 (holiday), each once")
			continue
		}
		seen[day] = true
		if day == Holiday {
			s.Days[day] = []Interval{}
		}
		for _, i := range r.GetIntervals() {
			s.Days[day] = append(s.Days[day], Interval{From: int(i.GetFromMinute()), To: int(i.GetToMinute()), Mode: Mode(i.GetMode())})
		}
	}
	for _, p := range w.GetSuspensions() {
		s.Suspensions = append(s.Suspensions, Suspension{From: timeFromWire(p.GetFrom()), To: timeFromWire(p.GetTo())})
	}
	return s
}

func retentionFromWire(w *wire.Retention) *Retention {
	if w == nil {
		return nil
	}
	return &Retention{
		Kind:          RetentionKind(w.GetKind()),
		Age:           secondsFromWire(w.GetAgeSeconds()),
		EventAge:      secondsFromWire(w.GetEventAgeSeconds()),
		OldestFootage: timeFromWire(w.GetOldestFootage()),
		ObservedAt:    timeFromWire(w.GetObservedAt()),
		Settled:       w.GetSettled(),
		Fact:          factFromWire(w.GetFact()),
	}
}

func clockFromWire(w *wire.Clock) *Clock {
	if w == nil {
		return nil
	}
	return &Clock{OffsetMs: w.GetOffsetMs(), UncertaintyMs: w.GetUncertaintyMs(), Method: w.GetMethod(), At: timeFromWire(w.GetAt())}
}

func approvalFromWire(w *wire.Approval) Approval {
	return Approval{By: w.GetBy(), Role: Role(w.GetRole()), At: timeFromWire(w.GetAt()), NoticeVersion: w.GetNoticeVersion()}
}

func factFromWire(w *wire.Fact) Fact {
	f := Fact{At: timeFromWire(w.GetAt())}
	switch w.GetSource() {
	case wire.Source_SOURCE_UNSPECIFIED:
	case wire.Source_SOURCE_DECLARED:
		f.Source = Declared
	case wire.Source_SOURCE_MEASURED:
		f.Source = Measured
	case wire.Source_SOURCE_CONFIRMED:
		f.Source = Confirmed
	default:
		f.Source = "of a newer version" // no known source: check refuses it
	}
	return f
}

func numberFromWire(u *uint32) *int {
	if u == nil {
		return nil
	}
	n := int(*u)
	return &n
}

// secondsFromWire stops just outside the limits that check holds, where a
// Duration would overflow.
func secondsFromWire(s int64) time.Duration {
	most := int64(maxAge/time.Second) + 1
	return time.Duration(min(max(s, -1), most)) * time.Second
}

func timeFromWire(w *timestamppb.Timestamp) time.Time {
	if w == nil {
		return time.Time{}
	}
	return w.AsTime().Truncate(time.Microsecond)
}
