package review

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// byHandView is the form for what a recorder's own screen shows, where its password
// is lost or no search finds it.
type byHandView struct {
	Steps   stepsView
	Device  *inventory.Device // nil: a recorder that no search has found
	Name    string
	Cameras []inventory.Camera // listed before
	Told    bool               // the recorder tells its cameras itself
	Clock   string             // and its clock
	Form    fields
}

var byHandNames = []string{"vendor", "name", "room", "count", "names", "since", "days", "time", "day"}

func (v *Review) askByHand(r *http.Request) (answer, error) {
	return v.byHandPage(r, r.URL.Query().Get("device"), nil, 0)
}

func (v *Review) byHandPage(r *http.Request, device string, f fields, status int) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	view := byHandView{Steps: firstRun(r, known), Form: f}
	w := v.words(r)
	if device != "" {
		d, err := deviceOf(known, device)
		if err != nil {
			return answer{}, err
		}
		view.Device, view.Name = &d, or(recorderName(d), d.Address)
		for _, c := range known.Cameras {
			if c.Device.ID == d.ID {
				view.Told = view.Told || !c.ByHand && c.Values.Channel != ""
				view.Cameras = append(view.Cameras, c)
			}
		}
		if d.Clock != nil && !inventory.FromScreen(*d.Clock) {
			view.Clock = clockWords(w, d.Clock)
		}
	}
	if f == nil {
		view.Form = fields{}
		if listed := byHandNamesOf(view.Cameras); len(listed) > 0 && !view.Told {
			view.Form["names"] = field{Value: strings.Join(listed, "\n")}
		}
	}
	title := "byhand.title"
	if view.Device == nil {
		title = "byhand.new"
	}
	a := page("byhand.html", title, view)
	a.json = camerasJSON{append([]inventory.Camera{}, view.Cameras...)}
	a.page.Status = status
	return a, nil
}

func byHandNamesOf(cameras []inventory.Camera) (names []string) {
	for _, c := range cameras {
		if c.ByHand {
			names = append(names, c.Values.Name)
		}
	}
	return names
}

// setByHand keeps what was read from the screen.
func (v *Review) setByHand(r *http.Request) (answer, error) {
	var in inventory.ByHand
	var f fields
	var errs protocol.FieldErrors
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		f = typed(r, byHandNames...)
		in, errs = readByHand(v.words(r), f, time.Now())
		in.DeviceID = strings.TrimSpace(r.PostForm.Get("device"))
	}
	err := error(errs)
	if len(errs) == 0 {
		in.DeviceID, err = v.Inventory.ListByHand(r.Context(), in)
	}
	if errs, ok := errors.AsType[protocol.FieldErrors](err); ok && f != nil && !wantsJSON(r) {
		// The inventory's names are those of the values, the page's those of its controls.
		f.wrong(errs, map[string]string{"cameras": camerasControl(f), "offset_ms": "time"})
		for name, c := range f {
			if c.Error != "" {
				c.Error = "byhand." + c.Error
				f[name] = c
			}
		}
		return v.byHandPage(r, strings.TrimSpace(r.PostForm.Get("device")), f, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return answer{}, err
	}
	to, err := v.nextOr(r, "/?done=listed")
	return answer{json: map[string]string{"device": in.DeviceID}, to: to}, err
}

// camerasControl is the control that is wrong where the cameras are.
func camerasControl(f fields) string {
	if f["names"].Value != "" {
		return "names"
	}
	return "count"
}

// readByHand reads the form at the time now. Nothing leaves by any of it, and none of
// it has to be said.
func readByHand(w *pages.Words, f fields, now time.Time) (l inventory.ByHand, errs protocol.FieldErrors) {
	wrong := func(field string) { errs = append(errs, protocol.FieldError{Field: field, Why: "cannot be read"}) }
	l.Vendor, l.Name, l.Room = f["vendor"].Value, f["name"].Value, f["room"].Value
	for name := range strings.Lines(f["names"].Value) {
		if name = strings.TrimSpace(name); name != "" {
			l.Cameras = append(l.Cameras, name)
		}
	}
	if text := f["count"].Value; text != "" && len(l.Cameras) == 0 {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > protocol.MaxCameras {
			wrong("count")
			n = 0
		}
		l.Numbered = true
		for i := range n {
			l.Cameras = append(l.Cameras, w.T("byhand.numbered", "n", strconv.Itoa(i+1)))
		}
	}
	if text := f["since"].Value; text != "" {
		day, err := time.ParseInLocation(time.DateOnly, text, pages.Rome())
		if err != nil {
			wrong("since")
		}
		l.Since = day
	}
	if text := f["days"].Value; text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			wrong("days")
		}
		l.Days = n
	}
	if f["time"].Value != "" || f["day"].Value != "" {
		offset, ok := offsetOf(f["time"].Value, f["day"].Value, now)
		if !ok {
			wrong("time")
		}
		l.Offset = &offset
	}
	if len(errs) == 0 && len(l.Cameras) == 0 && l.Since.IsZero() && l.Days == 0 && l.Offset == nil {
		wrong("count") // nothing was said at all
	}
	return l, errs
}

// offsetOf is how far a screen that shows this time, in Italy's zone, is ahead of now,
// in milliseconds: the middle of the minute that it shows. Without a day it is the one
// that makes the difference the least.
func offsetOf(clock, day string, now time.Time) (ms int64, ok bool) {
	shown, err := time.Parse("15:04", strings.ReplaceAll(clock, ".", ":"))
	if err != nil {
		return 0, false
	}
	local := now.In(pages.Rome())
	dates := []time.Time{local.AddDate(0, 0, -1), local, local.AddDate(0, 0, 1)}
	if day != "" {
		date, err := time.ParseInLocation(time.DateOnly, day, pages.Rome())
		if err != nil || date.Year() < 1970 || date.Year() > 2100 {
			return 0, false
		}
		dates = []time.Time{date}
	}
	gap := func(date time.Time) time.Duration {
		return time.Date(date.Year(), date.Month(), date.Day(), shown.Hour(), shown.Minute(), 30, 0, pages.Rome()).Sub(now)
	}
	least := slices.MinFunc(dates, func(a, b time.Time) int { return int(gap(a).Abs().Milliseconds() - gap(b).Abs().Milliseconds()) })
	return gap(least).Milliseconds(), true
}
