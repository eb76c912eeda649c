package review

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// setHours keeps what the owner says, or confirms, of all cameras on the page.
func (v *Review) setHours(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	var changes []inventory.Change
	view := hoursView{Steps: firstRun(r, known), Panels: panelsOf(v.words(r), hourly(known))}
	var in struct {
		Cameras []struct {
			ID string `json:"id"`
			inventory.Edit
		} `json:"cameras"`
	}
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		changes = view.read(r.PostForm.Get)
	}
	for _, c := range in.Cameras {
		changes = append(changes, inventory.Change{ID: c.ID, Edit: c.Edit})
	}
	if !view.Wrong {
		done, _, err := v.Inventory.SetMany(r.Context(), changes, false, false)
		if err != nil {
			return answer{}, err
		}
		for i, d := range done {
			if d.Unknown {
				return answer{}, inventory.ErrUnknown
			}
			if len(d.Wrong) > 0 && (isJSON(r) || wantsJSON(r)) {
				return answer{}, d.Wrong
			}
			if len(d.Wrong) > 0 {
				view.fault(changes[i].ID, d.Wrong)
			}
		}
	}
	if view.Wrong {
		a := page("hours.html", "hours.title", view)
		a.page.Status = http.StatusUnprocessableEntity
		return a, nil
	}
	if known, err = v.Inventory.View(r.Context()); err != nil {
		return answer{}, err
	}
	return answer{json: camerasJSON{hourly(known)}, to: onward(r, known, "/?done=saved")}, nil
}

// read takes over the form, and gives what it says of each camera. Controls that the
// form does not have leave the values as they were.
func (view *hoursView) read(get func(string) string) (changes []inventory.Change) {
	for i := range view.Panels {
		p := &view.Panels[i]
		storage := inventory.Edit{}
		before := p.Device.Storage
		p.Storage.Value, p.Note.Value = strings.TrimSpace(get("storage."+p.Device.ID)), strings.TrimSpace(get("note."+p.Device.ID))
		switch now := protocol.Storage(p.Storage.Value); {
		case now != protocol.StorageUnknown:
			storage.Storage, storage.StorageNote = &now, &p.Note.Value
		case before != protocol.StorageUnknown:
			storage.Clear = []string{"storage"}
		}
		for k, s := range p.Sets {
			e, ok := s.read(get)
			view.Wrong = view.Wrong || !ok
			for j, c := range s.Cameras {
				own := e
				if k == 0 && j == 0 {
					own.Storage, own.StorageNote = storage.Storage, storage.StorageNote
					own.Clear = append(slices.Clone(e.Clear), storage.Clear...)
				}
				changes = append(changes, inventory.Change{ID: c.ID, Edit: own})
			}
		}
	}
	return changes
}

// read takes over what was typed for one set.
func (s *hoursSet) read(get func(string) string) (e inventory.Edit, ok bool) {
	value := func(name string) string { return strings.TrimSpace(get(name + "." + strconv.Itoa(s.N))) }
	e.HoursRight, ok = true, true
	s.Schedule.Value = value("schedule")
	s.From, s.To, s.Motion = value("from"), value("to"), value("motion") != ""
	var days []string
	for i, day := range weekdayKeys {
		if s.Days[i] = value(day.Key) != ""; s.Days[i] {
			days = append(days, day.Key)
		}
	}
	switch text := s.Schedule.Value; text {
	case "read":
		if s.Cameras[0].Hours != "" {
			e.Clear = append(e.Clear, "schedule")
		}
	case "always", "motion", "unknown":
		e.Schedule = &text
	case "hours":
		text = strings.Join(days, ",") + " " + s.From + "-" + s.To
		if s.Motion {
			text += " motion"
		}
		e.Schedule = &text
		if _, err := inventory.ParseHours(text); err != nil || len(days) == 0 {
			s.Schedule.Error, ok = "wrong.schedule", false
		}
	default:
		s.Schedule.Error, ok = "wrong.schedule", false
	}
	s.Keep.Value = value("days")
	n, err := strconv.Atoi(s.Keep.Value)
	switch {
	case s.Keep.Value == "" && s.SaidKeep != "":
		e.Clear = append(e.Clear, "days")
	case s.Keep.Value == "" && s.ReadKeep == "":
		e.Days = new(0)
	case s.Keep.Value == "":
	case err != nil || n < 1 || n > inventory.MaxDays:
		s.Keep.Error, ok = "wrong.days", false
	default:
		e.Days = &n
	}
	return e, ok
}

// fault marks what the inventory did not take of a camera.
func (view *hoursView) fault(id string, errs protocol.FieldErrors) {
	view.Wrong = true
	for i := range view.Panels {
		p := &view.Panels[i]
		for _, s := range p.Sets {
			if !slices.ContainsFunc(s.Cameras, func(c inventory.Camera) bool { return c.ID == id }) {
				continue
			}
			for _, e := range errs {
				switch e.Field {
				case "storage":
					p.Storage.Error = "wrong.storage"
				case "storage_note":
					p.Note.Error = "wrong.storage_note"
				case "days":
					s.Keep.Error = "wrong.days"
				default:
					s.Schedule.Error = "wrong.schedule"
				}
			}
		}
	}
}
