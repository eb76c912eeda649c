package protocol

import "time"

// The samples that tests start from: a shop with one recorder, a camera on a
// weekly schedule and one that records always.

var sampleTime = time.Date(2026, 3, 10, 9, 30, 0, 123456000, time.UTC)

const (
	sampleID       = "0b6a2f64-7c1e-4b70-9a53-0d2f4a9c1e01"
	sampleSite     = "0b6a2f64-7c1e-4b70-9a53-0d2f4a9c1e02"
	sampleRecorder = "0b6a2f64-7c1e-4b70-9a53-0d2f4a9c1e03"
	sampleDoor     = "0b6a2f64-7c1e-4b70-9a53-0d2f4a9c1e04"
	sampleCorner   = "0b6a2f64-7c1e-4b70-9a53-0d2f4a9c1e05"
)

func deg(n int) *int { return &n }

func sampleMessage(b Body) Message {
	return Message{ID: sampleID, SiteID: sampleSite, Epoch: 1, Revision: 7, MadeAt: sampleTime, Body: b}
}

func sampleDeclaration() Declaration {
	confirmed := Fact{Source: Confirmed, At: sampleTime}
	measured := Fact{Source: Measured, At: sampleTime}
	declared := Fact{Source: Declared, At: sampleTime}
	week := Schedule{Kind: ScheduleWeekly, Zone: "Europe/Rome", Fact: measured}
	for day := range 6 {
		week.Days[day+1] = []Interval{{0, 480, Motion}, {480, 1200, Continuous}, {1200, 1440, Alarm}}
	}
	week.Days[Holiday] = []Interval{}
	week.Suspensions = []Suspension{
		{From: sampleTime.AddDate(0, -7, 0), To: sampleTime.AddDate(0, -7, 14)},
		{From: sampleTime.AddDate(0, 0, -1)},
	}
	return Declaration{
		Site: Site{Name: "Panificio Àncora", Category: "shop", Address: "Via Larga 1, Milano"},
		Contacts: []Contact{
			{Name: "Anna Bianchi", Role: RoleOwner, Phone: "+39 02 5555 0100", Hours: "lun-sab 8-19"},
			{Name: "Centrale", Role: RoleControlRoom, Email: "centrale@example.it", PEC: "centrale@pec.example.it"},
		},
		Recorders: []Recorder{{
			ID: sampleRecorder, Vendor: "Acme", Model: "NVR-8", Name: "retro", Storage: StorageOnPremises, StorageNote: "retrobottega",
			Clock: &Clock{OffsetMs: -3_480_000, UncertaintyMs: 500, Method: "onvif GetSystemDateAndTime", At: sampleTime},
		}},
		Cameras: []Camera{{
			ID: sampleDoor, RecorderID: sampleRecorder, Channel: "1", Name: "INGRESSO", NameFact: confirmed,
			Position: Position{Point: Point{Lon: 9190000, Lat: 45464000}, AccuracyM: 4, Method: "map", Fact: declared},
			View: View{DirectionDeg: deg(0), AngleDeg: deg(92), RangeM: deg(25), HeightCm: deg(320), Infrared: true,
				WidthPx: 2560, HeightPx: 1440, Fact: declared},
			Schedule:      week,
			Retention:     Retention{Kind: RetentionAge, Age: 168 * time.Hour, EventAge: 720 * time.Hour, Fact: measured},
			OutdoorPublic: Outdoor{Yes: true, By: "Anna Bianchi", At: sampleTime},
		}, {
			ID: sampleCorner, RecorderID: sampleRecorder, Name: "Angolo", NameFact: confirmed,
			Position: Position{Point: Point{Lon: 9190100, Lat: 45464050}, Fact: declared},
			View:     View{Turns: true, Fact: measured},
			Schedule: Schedule{Kind: ScheduleAlways, Mode: Continuous, Fact: measured},
			Retention: Retention{Kind: RetentionCapacity, OldestFootage: sampleTime.AddDate(0, 0, -12), ObservedAt: sampleTime,
				Settled: true, Fact: measured},
			OutdoorPublic: Outdoor{Yes: true, By: "Anna Bianchi", At: sampleTime},
		}},
		Approval: Approval{By: "Anna Bianchi", Role: RoleOwner, At: sampleTime},
	}
}

func sampleObservation() Observation {
	d := sampleDeclaration()
	return Observation{
		Recorders: []RecorderObservation{
			{RecorderID: sampleRecorder, At: sampleTime, Reachable: true, Clock: d.Recorders[0].Clock},
			{RecorderID: sampleRecorder, At: sampleTime.Add(time.Hour)},
		},
		Cameras: []CameraObservation{
			{CameraID: sampleDoor, At: sampleTime, OldestFootage: sampleTime.AddDate(0, 0, -6), Schedule: &d.Cameras[0].Schedule},
			{CameraID: sampleCorner, At: sampleTime, Retention: &d.Cameras[1].Retention},
		},
	}
}

func sampleWithdrawal() Withdrawal {
	return Withdrawal{Approval: Approval{By: "Anna Bianchi", Role: RoleOwner, At: sampleTime}}
}

func sampleSuspension() SiteSuspension {
	return SiteSuspension{Until: sampleTime.AddDate(0, 0, 14), Approval: sampleWithdrawal().Approval}
}

// sampleRead is a declaration by who read the notice, of contacts that want alerts.
func sampleRead() Declaration {
	d := sampleDeclaration()
	d.Contacts[0].Alerts, d.Approval.NoticeVersion = true, "2 (2026-11-22)"
	return d
}

func sampleReply() Reply {
	return Reply{NoticeID: sampleID, State: ReplyCopied, At: sampleTime, By: "Anna Bianchi", Note: "chiavetta in cassaforte"}
}

func sampleHealth() Health {
	return Health{At: sampleTime, AgentVersion: "v1.4.0", Platform: "windows/amd64", SearchedAt: sampleTime.Add(-time.Minute), Found: 9, Answered: 6, Confirmed: 2,
		Recorders: []RecorderHealth{{RecorderID: sampleRecorder, Maker: "hikvision", Model: "DS-7608NI", Firmware: "4.30", Faults: []Fault{FaultUnread, FaultClock}}},
		Others:    []OtherFaults{{Maker: "dahua", Fault: FaultPassword, Devices: 1}, {Maker: MakerUnknown, Devices: 2}}}
}

func sampleDiagnosis() Diagnosis {
	return Diagnosis{Text: "Hikvision DS-7608NI\nGetRecordings: it refused", Approval: sampleWithdrawal().Approval}
}

func sampleMessages() map[string]Message {
	return map[string]Message{
		"declaration":       sampleMessage(sampleDeclaration()),
		"declaration-empty": sampleMessage(Declaration{Site: sampleDeclaration().Site, Approval: sampleDeclaration().Approval}),
		"observation":       sampleMessage(sampleObservation()),
		"sign-of-life":      sampleMessage(Observation{}),
		"withdrawal":        sampleMessage(sampleWithdrawal()),
		"declaration-read":  sampleMessage(sampleRead()),
		"suspension":        sampleMessage(sampleSuspension()),
		"resumption":        sampleMessage(SiteSuspension{Resumed: true, Approval: sampleWithdrawal().Approval}),
		"reply":             sampleMessage(sampleReply()),
		"health":            sampleMessage(sampleHealth()),
		"health-first":      sampleMessage(Health{At: sampleTime, AgentVersion: "(devel)", Platform: "linux/arm64"}),
		"diagnosis":         sampleMessage(sampleDiagnosis()),
		"reply-absent":      sampleMessage(Reply{NoticeID: sampleID, State: ReplyAbsent, At: sampleTime}),
	}
}
