package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// cameras of one declaration: they make it about 2 KiB.
const cameras = 6

// write makes the agent's next declaration: the same cameras under new names.
func (a *agent) write() error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	a.revision++
	d := declaration(a.number, now)
	if a.declared != nil {
		d = renamed(*a.declared, a.revision, now)
	}
	a.declared = &d
	m := protocol.Message{ID: uuid.NewString(), SiteID: a.siteID, Epoch: a.epoch, Revision: a.revision, MadeAt: now, Body: d}
	text, err := protocol.Encode(m)
	if err != nil {
		return err
	}
	a.message, a.messageID, a.camera = text, m.ID, d.Cameras[0].ID
	sum := sha256.Sum256(text)
	return a.fleet.ledger.note(noted{Event: "sent", Message: m.ID, SHA256: hex.EncodeToString(sum[:]), Agent: a.id, Site: a.siteID,
		Kind: m.Kind(), Epoch: m.Epoch, Revision: m.Revision, Cameras: len(d.Cameras)})
}

// declaration is that of a shop with one recorder, somewhere in Milan.
func declaration(number int, now time.Time) protocol.Declaration {
	measured, declared := protocol.Fact{Source: protocol.Measured, At: now}, protocol.Fact{Source: protocol.Declared, At: now}
	const owner = "Ada Bianchi"
	recorder := uuid.NewString()
	d := protocol.Declaration{
		Site:     protocol.Site{Name: fmt.Sprintf("Prova di carico %d", number), Category: "shop", Address: fmt.Sprintf("Via Larga %d, Milano", number)},
		Contacts: []protocol.Contact{{Name: owner, Role: protocol.RoleOwner, Phone: "+39 02 5555 0100", Hours: "lun-sab 8-19"}},
		Recorders: []protocol.Recorder{{ID: recorder, Vendor: "Acme", Model: "NVR-8", Name: "retro", Storage: protocol.StorageOnPremises,
			Clock: &protocol.Clock{OffsetMs: -1200, UncertaintyMs: 500, Method: "onvif GetSystemDateAndTime", At: now}}},
		Approval: protocol.Approval{By: owner, Role: protocol.RoleOwner, At: now},
	}
	for i := range cameras {
		d.Cameras = append(d.Cameras, protocol.Camera{
			ID: uuid.NewString(), RecorderID: recorder, Channel: fmt.Sprint(i + 1), Name: fmt.Sprintf("Ingresso %d", i+1), NameFact: declared,
			Position: protocol.Position{Point: protocol.Point{Lon: int32(9_100_000 + number%1000*150), Lat: int32(45_420_000 + number/1000*2000 + i*10)},
				AccuracyM: 4, Method: "map", Fact: declared},
			View: protocol.View{DirectionDeg: new(i * 45), AngleDeg: new(92), RangeM: new(25), HeightCm: new(320), Infrared: true,
				WidthPx: 2560, HeightPx: 1440, Fact: declared},
			Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: measured},
			Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: 168 * time.Hour, Fact: measured},
			OutdoorPublic: protocol.Outdoor{Yes: true, By: owner, At: now},
		})
	}
	return d
}

// renamed is the declaration with new names for its cameras.
func renamed(d protocol.Declaration, revision int64, now time.Time) protocol.Declaration {
	d.Approval.At = now
	d.Cameras = slices.Clone(d.Cameras)
	for i := range d.Cameras {
		d.Cameras[i].Name = fmt.Sprintf("Ingresso %d, nome %d", i+1, revision)
		d.Cameras[i].NameFact.At = now
	}
	return d
}
