package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// cameras of one declaration: they make it about 2 KiB.
const cameras = 6

// write makes the agent's next declaration: of the one before only the name of the
// first camera is another.
func (a *agent) write() error {
	return a.say(a.declaration(time.Now().UTC().Truncate(time.Microsecond)))
}

// observe makes an observation: the recorder answers, and its clock was read.
func (a *agent) observe() error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return a.say(protocol.Observation{Recorders: []protocol.RecorderObservation{{RecorderID: a.idOf("recorder"), At: now, Reachable: true,
		Clock: &protocol.Clock{OffsetMs: -1200 - a.revision, UncertaintyMs: 500, Method: "onvif GetSystemDateAndTime", At: now}}}})
}

// say makes the agent's next message.
func (a *agent) say(body protocol.Body) error {
	a.revision++
	m := protocol.Message{ID: uuid.NewString(), SiteID: a.siteID, Epoch: a.epoch, Revision: a.revision, MadeAt: time.Now().UTC().Truncate(time.Microsecond), Body: body}
	text, err := protocol.Encode(m)
	if err != nil {
		return err
	}
	a.message, a.messageID, a.camera = text, m.ID, a.idOf("camera 1")
	count := 0
	if d, ok := body.(protocol.Declaration); ok {
		count = len(d.Cameras)
	}
	sum := sha256.Sum256(text)
	return a.fleet.ledger.note(noted{Event: "sent", Message: m.ID, SHA256: hex.EncodeToString(sum[:]), Agent: a.id, Site: a.siteID,
		Kind: m.Kind(), Epoch: m.Epoch, Revision: m.Revision, Cameras: count})
}

// idOf is that of a thing of the site's: the same each time, without being kept.
func (a *agent) idOf(of string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(a.siteID+" "+of)).String()
}

// place is where a site is: around Milan, 50 of them a square kilometre however many
// there are, so that an answer is as long in a large register as in a small one.
func place(number int) protocol.Point {
	const (
		golden                   = 2.399963 // radians: points at this angle from each other lie evenly
		metres                   = 79.8     // from the centre, times the root of the number
		lonOfAMetre, latOfAMetre = 1e6 / 78_180., 1e6 / 111_150.
		centreLon, centreLat     = 9_190_000, 45_464_000
	)
	r, angle := metres*math.Sqrt(float64(number)), golden*float64(number)
	return protocol.Point{Lon: centreLon + int32(r*math.Cos(angle)*lonOfAMetre), Lat: centreLat + int32(r*math.Sin(angle)*latOfAMetre)}
}

// declaration is that of a shop with one recorder; one with more cameras is another
// kind of site, and lies in another town.
func (a *agent) declaration(now time.Time) protocol.Declaration {
	number, at := a.number, place(a.number)
	if a.cameras != cameras {
		at.Lat += 1_000_000
	}
	measured, declared := protocol.Fact{Source: protocol.Measured, At: now}, protocol.Fact{Source: protocol.Declared, At: now}
	const owner = "Ada Bianchi"
	recorder := a.idOf("recorder")
	d := protocol.Declaration{
		Site:     protocol.Site{Name: fmt.Sprintf("Prova di carico %d", number), Category: "shop", Address: fmt.Sprintf("Via Larga %d, Milano", number)},
		Contacts: []protocol.Contact{{Name: owner, Role: protocol.RoleOwner, Phone: "+39 02 5555 0100", Hours: "lun-sab 8-19"}},
		Recorders: []protocol.Recorder{{ID: recorder, Vendor: "Acme", Model: "NVR-8", Name: "retro", Storage: protocol.StorageOnPremises,
			Clock: &protocol.Clock{OffsetMs: -1200, UncertaintyMs: 500, Method: "onvif GetSystemDateAndTime", At: now}}},
		Approval: protocol.Approval{By: owner, Role: protocol.RoleOwner, At: now},
	}
	for i := range a.cameras {
		name := fmt.Sprintf("Ingresso %d", i+1)
		if i == 0 {
			name = fmt.Sprintf("Ingresso principale %d", a.revision)
		}
		d.Cameras = append(d.Cameras, protocol.Camera{
			ID: a.idOf(fmt.Sprint("camera ", i+1)), RecorderID: recorder, Channel: fmt.Sprint(i + 1), Name: name, NameFact: declared,
			Position: protocol.Position{Point: protocol.Point{Lon: at.Lon, Lat: at.Lat + int32(i%cameras*10)},
				AccuracyM: 4, Method: "map", Fact: declared},
			View: protocol.View{DirectionDeg: new(i % cameras * 45), AngleDeg: new(92), RangeM: new(25), HeightCm: new(320), Infrared: true,
				WidthPx: 2560, HeightPx: 1440, Fact: declared},
			Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: measured},
			Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: 168 * time.Hour, Fact: measured},
			OutdoorPublic: protocol.Outdoor{Yes: true, By: owner, At: now},
		})
	}
	return d
}
