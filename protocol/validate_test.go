package protocol

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// fieldsOf names the fields of FieldErrors in order, nil for another error.
func fieldsOf(err error) []string {
	e, ok := errors.AsType[FieldErrors](err)
	if !ok {
		return nil
	}
	var fields []string
	for _, f := range e {
		fields = append(fields, f.Field)
	}
	return fields
}

// It is long because it is one table.
func TestValidateDeclaration(t *testing.T) {
	long := strings.Repeat("x", 400)
	for _, c := range []struct {
		change func(m *Message, d *Declaration)
		want   string // fields, in order
	}{
		{func(m *Message, d *Declaration) {}, ""},
		{func(m *Message, d *Declaration) { m.ID = "" }, "id"},
		{func(m *Message, d *Declaration) { m.ID = strings.ToUpper(m.ID) }, "id"},
		{func(m *Message, d *Declaration) { m.ID = "urn:uuid:" + m.ID }, "id"},
		{func(m *Message, d *Declaration) { m.ID = "00000000-0000-0000-0000-000000000000" }, "id"},
		{func(m *Message, d *Declaration) { m.SiteID = "../x" }, "site_id"},
		{func(m *Message, d *Declaration) { m.Epoch = 0 }, "epoch"},
		{func(m *Message, d *Declaration) { m.Revision = -1 }, "revision"},
		{func(m *Message, d *Declaration) { m.Revision = 1 << 60 }, "revision"},
		{func(m *Message, d *Declaration) { m.MadeAt = time.Time{} }, "made_at"},
		{func(m *Message, d *Declaration) { m.MadeAt = utc("2014-12-31T23:59:59Z") }, "made_at"},
		{func(m *Message, d *Declaration) { m.MadeAt = utc("2101-01-01T00:00:00Z") }, "made_at"},

		{func(m *Message, d *Declaration) { d.Site.Name = " \t" }, "site.name"},
		{func(m *Message, d *Declaration) { d.Site.Name = "a\x00b" }, "site.name"},
		{func(m *Message, d *Declaration) { d.Site.Name = "a\u202eb" }, "site.name"},
		{func(m *Message, d *Declaration) { d.Site.Name = "a\xffb" }, "site.name"},
		{func(m *Message, d *Declaration) { d.Site.Category = "castle" }, "site.category"},
		{func(m *Message, d *Declaration) { d.Site.Address = long }, "site.address"},
		{func(m *Message, d *Declaration) { d.Site.Address = strings.Repeat("ù", 300) }, ""},
		{func(m *Message, d *Declaration) { d.Approval = Approval{} }, "approval.by approval.role approval.at"},

		{func(m *Message, d *Declaration) { d.Contacts = nil }, "contacts"},
		{func(m *Message, d *Declaration) { d.Contacts, d.Cameras = nil, nil }, ""},
		{func(m *Message, d *Declaration) { d.Contacts = make([]Contact, 0, 33); fill(&d.Contacts, 33) }, "contacts"},
		{func(m *Message, d *Declaration) { d.Contacts[0].Phone = "" }, "contacts[0].phone"},
		{func(m *Message, d *Declaration) { d.Contacts[0].Phone = "chiedere al bar" }, "contacts[0].phone"},
		{func(m *Message, d *Declaration) { d.Contacts[0].Phone = "112" }, ""},
		{func(m *Message, d *Declaration) { d.Contacts[0].Phone = "12" }, "contacts[0].phone"},
		{func(m *Message, d *Declaration) { d.Contacts[1].Email = "a@b@c" }, "contacts[1].email"},
		{func(m *Message, d *Declaration) { d.Contacts[1].Email = "Anna <anna@example.it>" }, "contacts[1].email"},
		{func(m *Message, d *Declaration) { d.Contacts[1].PEC = "nessuna" }, "contacts[1].pec"},
		{func(m *Message, d *Declaration) { d.Contacts[1].Role = "friend" }, "contacts[1].role"},
		{func(m *Message, d *Declaration) { d.Contacts[1].Name = "" }, "contacts[1].name"},
		{func(m *Message, d *Declaration) { d.Contacts[0].Hours = long }, "contacts[0].hours"},

		{func(m *Message, d *Declaration) { d.Recorders[0].ID = "x" }, "recorders[0].id cameras[0].recorder_id cameras[1].recorder_id"},
		{func(m *Message, d *Declaration) { d.Recorders = append(d.Recorders, d.Recorders[0]) }, "recorders[1].id"},
		{func(m *Message, d *Declaration) { d.Recorders[0].Model = long }, "recorders[0].model"},
		{func(m *Message, d *Declaration) { d.Recorders[0].Storage = "attic" }, "recorders[0].storage"},
		{func(m *Message, d *Declaration) { d.Recorders[0].Clock.OffsetMs = 1 << 50 }, "recorders[0].clock.offset_ms"},
		{func(m *Message, d *Declaration) { d.Recorders[0].Clock.OffsetMs = -56 * 366 * 86400 * 1000 }, ""}, // it shows 1970
		{func(m *Message, d *Declaration) { d.Recorders[0].Clock.UncertaintyMs = -1 }, "recorders[0].clock.uncertainty_ms"},
		{func(m *Message, d *Declaration) { d.Recorders[0].Clock.At = time.Time{} }, "recorders[0].clock.at"},

		{func(m *Message, d *Declaration) { d.Cameras[1].ID = d.Cameras[0].ID }, "cameras[1].id"},
		{func(m *Message, d *Declaration) { d.Cameras[1].RecorderID = sampleSite }, "cameras[1].recorder_id"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Name = "" }, "cameras[0].name"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Name = "one\ntwo" }, "cameras[0].name"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Channel = long }, "cameras[0].channel"},
		{func(m *Message, d *Declaration) { d.Cameras[0].NameFact = Fact{} }, "cameras[0].name_fact.source"},
		{func(m *Message, d *Declaration) { d.Cameras[0].NameFact.Source = "rumour" }, "cameras[0].name_fact.source"},
		{func(m *Message, d *Declaration) { d.Cameras[0].NameFact.At = time.Time{} }, "cameras[0].name_fact.at"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Position.Point = Point{} }, "cameras[0].position.lat"},
		{func(m *Message, d *Declaration) { d.Cameras[1].Position.Lat = 90_000_001 }, "cameras[1].position.lat"},
		{func(m *Message, d *Declaration) { d.Cameras[1].Position.Lon = -180_000_001 }, "cameras[1].position.lon"},
		{func(m *Message, d *Declaration) { d.Cameras[1].Position.AccuracyM = -1 }, "cameras[1].position.accuracy_m"},
		{func(m *Message, d *Declaration) { d.Cameras[1].Position.Method = "dowsing" }, "cameras[1].position.method"},
		{func(m *Message, d *Declaration) { d.Cameras[0].View.DirectionDeg = deg(360) }, "cameras[0].view.direction_deg"},
		{func(m *Message, d *Declaration) { d.Cameras[0].View.AngleDeg = deg(0) }, "cameras[0].view.angle_deg"},
		{func(m *Message, d *Declaration) { d.Cameras[0].View.RangeM = deg(2001) }, "cameras[0].view.range_m"},
		{func(m *Message, d *Declaration) { d.Cameras[0].View.HeightCm = deg(-1) }, "cameras[0].view.height_cm"},
		{func(m *Message, d *Declaration) { d.Cameras[0].View.WidthPx = 1 << 20 }, "cameras[0].view.width_px"},
		{func(m *Message, d *Declaration) { d.Cameras[0].View.HeightPx = -1 }, "cameras[0].view.height_px"},
		{func(m *Message, d *Declaration) { d.Cameras[0].View.Fact = Fact{} }, "cameras[0].view.fact.source"},
		{func(m *Message, d *Declaration) { d.Cameras[0].View = View{} }, ""},
		{func(m *Message, d *Declaration) { d.Cameras[0].OutdoorPublic = Outdoor{} }, "cameras[0].outdoor_public.yes cameras[0].outdoor_public.by cameras[0].outdoor_public.at"},
		{func(m *Message, d *Declaration) { d.Cameras[0].OutdoorPublic.Yes = false }, "cameras[0].outdoor_public.yes"},

		{func(m *Message, d *Declaration) { d.Cameras[1].Schedule.Mode = "" }, "cameras[1].schedule.mode"},
		{func(m *Message, d *Declaration) { d.Cameras[1].Schedule.Kind = "lunar" }, "cameras[1].schedule.kind cameras[1].schedule.mode"},
		{func(m *Message, d *Declaration) { d.Cameras[1].Schedule = Schedule{} }, ""},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Mode = Motion }, "cameras[0].schedule.mode"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Zone = "Local" }, "cameras[0].schedule.zone"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Zone = "UTC+15:00" }, "cameras[0].schedule.zone"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Zone = "America/Argentina/Ushuaia" }, ""},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Zone = "UTC-03:30" }, ""},
		{func(m *Message, d *Declaration) { d.Cameras[1].Schedule.Days[3] = []Interval{{0, 1, Motion}} }, "cameras[1].schedule.days"},
		{func(m *Message, d *Declaration) {
			d.Cameras[0].Schedule.Days[3] = []Interval{{60, 120, Motion}, {0, 61, Motion}}
		}, "cameras[0].schedule.days[3].intervals[0].from"},
		{func(m *Message, d *Declaration) {
			d.Cameras[0].Schedule.Days[3] = []Interval{{60, 120, Motion}, {0, 60, Motion}}
		}, ""},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Days[7] = []Interval{{1380, 60, Motion}} }, "cameras[0].schedule.days[7].intervals[0].to"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Days[7] = []Interval{{0, 1441, Motion}} }, "cameras[0].schedule.days[7].intervals[0].to"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Days[7] = []Interval{{0, 60, "often"}} }, "cameras[0].schedule.days[7].intervals[0].mode"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Days[7] = make([]Interval, 49) }, "cameras[0].schedule.days[7]"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Suspensions[1].From = time.Time{} }, "cameras[0].schedule.suspensions[1].from"},
		{func(m *Message, d *Declaration) {
			d.Cameras[0].Schedule.Suspensions[0].To = d.Cameras[0].Schedule.Suspensions[0].From.Add(time.Nanosecond)
		}, "cameras[0].schedule.suspensions[0].to"},
		{func(m *Message, d *Declaration) {
			d.Cameras[0].Schedule.Suspensions = make([]Suspension, 65)
			for i := range d.Cameras[0].Schedule.Suspensions {
				d.Cameras[0].Schedule.Suspensions[i].From = sampleTime
			}
		}, "cameras[0].schedule.suspensions"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Schedule.Fact = Fact{} }, "cameras[0].schedule.fact.source"},

		{func(m *Message, d *Declaration) { d.Cameras[0].Retention.Kind = "mood" }, "cameras[0].retention.kind cameras[0].retention.age cameras[0].retention.event_age"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Retention.Age = 0 }, "cameras[0].retention.age"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Retention.Age = time.Second + 1 }, "cameras[0].retention.age"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Retention.EventAge = -time.Second }, "cameras[0].retention.event_age"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Retention.Age = 1 << 62 }, "cameras[0].retention.age"},
		{func(m *Message, d *Declaration) { d.Cameras[0].Retention.Fact = Fact{} }, "cameras[0].retention.fact.source"},
		{func(m *Message, d *Declaration) { d.Cameras[1].Retention.Age = time.Hour }, "cameras[1].retention.age"},
		{func(m *Message, d *Declaration) { d.Cameras[1].Retention.OldestFootage = utc("1970-01-01T00:00:00Z") }, "cameras[1].retention.oldest_footage"},
		{func(m *Message, d *Declaration) { d.Cameras[1].Retention.ObservedAt = time.Time{} }, "cameras[1].retention.observed_at"},
		{func(m *Message, d *Declaration) { d.Cameras[1].Retention.OldestFootage = sampleTime.Add(time.Second) }, "cameras[1].retention.oldest_footage"},
		{func(m *Message, d *Declaration) {
			d.Cameras[1].Retention.OldestFootage, d.Cameras[1].Retention.ObservedAt = time.Time{}, time.Time{}
		}, "cameras[1].retention.settled"},
	} {
		d := sampleDeclaration()
		m := sampleMessage(d)
		c.change(&m, &d)
		m.Body = d
		err := m.Validate()
		if got := strings.Join(fieldsOf(err), " "); got != c.want {
			t.Errorf("fields %q, want %q (%v)", got, c.want, err)
		}
		// What cannot be sent must not be accepted when it comes, by other means.
		if b, encErr := Encode(m); (encErr == nil) != (err == nil) {
			t.Errorf("%q: Encode says %v", c.want, encErr)
		} else if encErr == nil {
			if _, err := Decode(b); err != nil {
				t.Errorf("%q: encoded, but not decoded: %v", c.want, err)
			}
		}
	}
}

// fill makes n good contacts.
func fill(c *[]Contact, n int) {
	for range n {
		*c = append(*c, Contact{Name: "x", Role: RoleOwner, Phone: "112"})
	}
}

func TestValidateOtherBodies(t *testing.T) {
	for _, c := range []struct {
		body func(o *Observation) Body
		want string
	}{
		{func(o *Observation) Body { return *o }, ""},
		{func(o *Observation) Body { return nil }, "body"},
		{func(o *Observation) Body { return o }, "body"}, // a pointer
		{func(o *Observation) Body { return Withdrawal{} }, "approval.by approval.role approval.at"},
		{func(o *Observation) Body { o.Recorders[0].RecorderID = ""; return *o }, "recorders[0].recorder_id"},
		{func(o *Observation) Body { o.Recorders[0].Reachable = false; return *o }, "recorders[0].reachable"},
		{func(o *Observation) Body { o.Recorders[1].At = o.Recorders[0].At; return *o }, "recorders[1].at"},
		{func(o *Observation) Body { o.Recorders[1].At = time.Time{}; return *o }, "recorders[1].at"},
		{func(o *Observation) Body {
			return Observation{Recorders: o.Recorders[:0]}
		}, ""},
		{func(o *Observation) Body { o.Cameras[0].CameraID = "7"; return *o }, "cameras[0].camera_id"},
		{func(o *Observation) Body { o.Cameras[0].OldestFootage = sampleTime.AddDate(0, 0, 1); return *o }, "cameras[0].oldest_footage"},
		{func(o *Observation) Body { o.Cameras[0].OldestFootage = utc("2008-01-01T00:00:00Z"); return *o }, "cameras[0].oldest_footage"},
		{func(o *Observation) Body { o.Cameras[0].Schedule.Kind = "x"; return *o }, "cameras[0].schedule.kind cameras[0].schedule.days"},
		{func(o *Observation) Body { o.Cameras[1].Retention.Kind = "x"; return *o }, "cameras[1].retention.kind"},
		{func(o *Observation) Body { o.Cameras[1] = o.Cameras[0]; return *o }, "cameras[1].at"},
	} {
		o := sampleObservation()
		if got := strings.Join(fieldsOf(sampleMessage(c.body(&o)).Validate()), " "); got != c.want {
			t.Errorf("fields %q, want %q", got, c.want)
		}
	}
	o := Observation{Cameras: make([]CameraObservation, MaxCameras+1), Recorders: make([]RecorderObservation, maxRecorders+1)}
	if got := fieldsOf(sampleMessage(o).Validate()); !slices.Contains(got, "cameras") || !slices.Contains(got, "recorders") {
		t.Error("too many observations: not said")
	}
	d := sampleDeclaration()
	d.Cameras = make([]Camera, MaxCameras+1)
	if got := fieldsOf(sampleMessage(d).Validate()); !slices.Contains(got, "cameras") {
		t.Error("too many cameras: not said")
	}
}

func TestFieldErrorsText(t *testing.T) {
	var e FieldErrors
	for range 7 {
		e.add("a.b", "is %s", "wrong")
	}
	if got, want := e[:2].Error(), "a.b: is wrong; a.b: is wrong"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := e.Error(); !strings.HasSuffix(got, "; and 2 more") {
		t.Errorf("%q does not count the rest", got)
	}
}

func TestMissingForDeclaration(t *testing.T) {
	c := sampleDeclaration().Cameras[0]
	if got := MissingForDeclaration(c); got != nil {
		t.Errorf("a whole camera lacks %q", got)
	}
	if got, want := MissingForDeclaration(Camera{Name: " "}), []string{"name", "position", "outdoor_public"}; !reflect.DeepEqual(got, want) {
		t.Errorf("an empty camera lacks %q, want %q", got, want)
	}
	c.Position.Lat = 91_000_000
	if got, want := MissingForDeclaration(c), []string{"position"}; !reflect.DeepEqual(got, want) {
		t.Errorf("a camera out of this world lacks %q, want %q", got, want)
	}
}
