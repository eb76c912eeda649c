package review

import (
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// seenCamera is a camera as it would stand in the register, and how officers see it.
type seenCamera struct {
	cameraView
	Police []policeRow
}

// policeRow is one line of what officers see of a camera: what, the value, and the
// word that stands beside it for where it comes from.
type policeRow struct {
	What, Value string
	Source      string // "measured", "confirmed", "declared"; "unknown": nobody has said it
	Day         string // of the source; "" not known
}

// policeRows reports what the police page shows of a camera, in its order: the name on
// the recorder, what it sees, when it records, for how long footage stays, the rest.
func policeRows(w *pages.Words, c inventory.Camera) []policeRow {
	by := map[string]row{}
	rows := rowsOf(w, c.Values)
	for i, key := range []string{"name", "position", "sight", "schedule", "retention"} {
		by[key] = rows[i]
	}
	facts := map[string]protocol.Fact{"name": c.Values.NameFact, "position": c.Values.Position.Fact, "sight": c.Values.View.Fact,
		"schedule": c.Values.Schedule.Fact, "retention": c.Values.Retention.Fact}
	keeper := recorderWords(c.Device)
	name := by["name"]
	if keeper != "" {
		name.Value = w.T("police.onrecorder", "name", name.Value, "recorder", keeper)
	}
	by["name"] = name
	unknown := w.T("view.unknown")
	var all []policeRow
	for _, key := range []string{"name", "sight", "schedule", "retention", "position"} {
		r := policeRow{What: w.T("police." + key), Value: by[key].Value, Source: string(facts[key].Source)}
		if r.Value == unknown || r.Source == "" {
			r.Source = "unknown"
		} else {
			r.Day = w.Day(facts[key].At)
		}
		all = append(all, r)
	}
	storage := policeRow{What: w.T("view.storage"), Value: storageWords(w, c.Device.Storage, c.Device.StorageNote), Source: string(protocol.Declared)}
	if storage.Value == unknown {
		storage.Source = "unknown"
	}
	clock := policeRow{What: w.T("camera.clock"), Value: clockWords(w, c.Device.Clock), Source: string(protocol.Measured)}
	if c.Device.Clock == nil {
		clock.Source = "unknown"
	}
	return append(all, storage, clock)
}
