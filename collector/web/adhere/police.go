package adhere

import (
	"cmp"
	"net/http"
	"strings"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// policeView is a camera as officers see it.
type policeView struct {
	ID, Name string
	Rows     []policeRow
}

// policeRow is one thing that they see. Value "" is shown as not known.
type policeRow struct{ What, Value string }

// police says of each camera what officers see of it.
func (a *Adhere) police(r *http.Request, s registry.Submission) (all []policeView) {
	w := a.words(r)
	for _, c := range s.Cameras {
		at := c.Camera.Position
		if !at.Placed() {
			at = s.Place
		}
		name := c.Camera.Name
		if rec := recorderWords(w, c.Recorder); rec != "" {
			name = w.T("police.onrecorder", "name", name, "recorder", rec)
		}
		all = append(all, policeView{ID: c.Camera.ID, Name: c.Camera.Name, Rows: []policeRow{
			{w.T("police.name"), name},
			{w.T("police.position"), w.T("police.position.value", "at", pointText(at.Point), "metres", w.Number(cmp.Or(at.AccuracyM, protocol.DefaultAccuracyM)))},
			{w.T("police.sight"), sightWords(w, c.Camera.View)},
			{w.T("police.schedule"), scheduleWords(w, c.Camera.Schedule)},
			{w.T("police.retention"), retentionWords(w, c.Camera.Retention)},
		}})
	}
	return all
}

// sightWords say where a camera looks; "" where nobody knows.
func sightWords(w *pages.Words, v protocol.View) string {
	var parts []string
	if v.DirectionDeg != nil {
		parts = append(parts, w.T("police.towards", "side", w.Side(float64(*v.DirectionDeg))))
	}
	if v.AngleDeg != nil {
		parts = append(parts, w.T("police.angle", "deg", *v.AngleDeg))
	}
	if v.RangeM != nil {
		parts = append(parts, w.T("police.range", "m", w.Number(*v.RangeM)))
	}
	if v.Turns {
		parts = append(parts, w.T("police.turns"))
	}
	return strings.Join(parts, ", ")
}

func retentionWords(w *pages.Words, r protocol.Retention) string {
	switch r.Kind {
	case protocol.RetentionAge:
		return w.Duration(r.Age)
	case protocol.RetentionCapacity:
		return w.T("police.capacity")
	}
	return ""
}

func recorderWords(w *pages.Words, r protocol.Recorder) string {
	var parts []string
	if r.Name != "" {
		parts = append(parts, r.Name)
	}
	if r.Storage != protocol.StorageUnknown {
		parts = append(parts, w.T("storage."+string(r.Storage)))
	}
	if r.StorageNote != "" {
		parts = append(parts, r.StorageNote)
	}
	return strings.Join(parts, ", ")
}
