package review

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Limits of the page that helps to save footage.
const (
	unknownClock = 15 * time.Minute   // saved before and after where the recorder's clock is not known
	soonGone     = 48 * time.Hour     // below which the reader is told to hurry
	longestSave  = 7 * 24 * time.Hour // of one interval
)

// asked is what somebody wants to save: the camera, and from when until when in
// true time.
type asked struct {
	From, To time.Time
}

// shown is the same interval as the recorder's own clock shows it, widened by
// what is not known and rounded outwards to whole minutes.
type shown struct {
	From, To    time.Time // in Zone
	Zone        string    // "" where only assumed: then that of Rome
	ZoneAssumed bool
	Clock       *protocol.Clock // nil: not known, and the interval is widened by unknownClock
	// Season: clocks were put forward or back between the interval and the reading
	// of the recorder's clock, and nobody knows what the recorder did.
	Season bool
}

// onRecorder translates an interval into the recorder's own time.
func onRecorder(a asked, d inventory.Device) shown {
	zone, ok := zoneOf(d.Zone)
	s := shown{Zone: d.Zone, ZoneAssumed: d.ZoneAssumed, Clock: d.Clock}
	if !ok {
		zone, s.Zone, s.ZoneAssumed = pages.Rome(), "", true
	}
	from, to := a.From.Add(-unknownClock), a.To.Add(unknownClock)
	if d.Clock != nil {
		var within time.Duration
		from, within = d.Clock.Shows(a.From)
		to, _ = d.Clock.Shows(a.To)
		from, to = from.Add(-within), to.Add(within)
		s.Season = a.From.In(pages.Rome()).IsDST() != d.Clock.At.In(pages.Rome()).IsDST()
	}
	s.From = from.Truncate(time.Minute).In(zone)
	s.To = to.Truncate(time.Minute).In(zone)
	if s.To.Before(to) {
		s.To = s.To.Add(time.Minute)
	}
	return s
}

// zoneOf finds a zone as a device's is kept: by its IANA name, or fixed as
// "UTC+01:00"; false when there is none or it is not known here.
func zoneOf(name string) (*time.Location, bool) {
	if t, err := time.ParseInLocation("UTC-07:00", name, time.UTC); err == nil {
		return t.Location(), true
	}
	if name == "" || name == "Local" {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// fate is what is known of footage of an interval.
type fate struct {
	Gone, Partly bool      // deleted, all of it or its beginning
	Until        time.Time // when its beginning is overwritten, if soon
	Off          bool      // by the week that was read it did not record
	OnEvent      bool      // it recorded only if something moved
}

// fateOf goes by what the recorder tells now: what was in force then it does not
// tell. Whether it is deleted does not depend on the week.
func fateOf(a asked, c protocol.Camera, now time.Time) (f fate) {
	retentions := []protocol.Era[protocol.Retention]{{Value: c.Retention}}
	first, last := protocol.FootageOf(a.From, now, nil, retentions), protocol.FootageOf(a.To, now, nil, retentions)
	f.Gone = last.Exists == protocol.No && !a.To.After(now)
	f.Partly = first.Exists == protocol.No && !f.Gone
	if first.Exists != protocol.No && !first.Until.IsZero() && first.Until.Sub(now) < soonGone {
		f.Until = first.Until
	}
	// A minute is the shortest that a week tells apart; 2,000 looks are enough.
	step := max(time.Minute, a.To.Sub(a.From)/2000)
	f.Off = true
	for t := a.From; t.Before(a.To); t = t.Add(step) {
		switch c.Schedule.Recording(t) {
		case protocol.No:
		case protocol.OnEvent:
			f.OnEvent, f.Off = true, false
		default:
			f.Off = false
		}
	}
	return f
}

// wall writes a moment as the recorder's clock shows it: "sabato 21 novembre
// 2026, ore 14:30". In the night in which an hour comes twice it says which.
func wall(w *pages.Words, t time.Time) string {
	return w.T("time.full", "weekday", w.T(fmt.Sprintf("time.weekday.%d", t.Weekday())), "day", t.Day(),
		"month", w.T(fmt.Sprintf("time.month.%d", t.Month())), "year", t.Year(), "clock", t.Format("15:04")) + twice(w, t)
}

// figures writes it shorter: "21/11/2026 14:30".
func figures(w *pages.Words, t time.Time) string { return t.Format("02/01/2006 15:04") + twice(w, t) }

func twice(w *pages.Words, t time.Time) string {
	for _, step := range []time.Duration{-time.Hour, time.Hour} {
		if t.Add(step).Format(time.DateTime) == t.Format(time.DateTime) {
			_, seconds := t.Zone()
			if t.IsDST() {
				return " " + w.T("time.summer", "offset", seconds/3600)
			}
			return " " + w.T("time.winter", "offset", seconds/3600)
		}
	}
	return ""
}

// saveView is the page that helps to save footage.
type saveView struct {
	Camera   cameraView
	Whole    bool // its own page may be opened
	Form     fields
	Site     *inventory.Site
	Recorder string
	Channel  string // «Ingresso», canale 3
	Storage  string // where images are, by the owner's word; or else
	Kept     string // by the recorder's
	Asked    *asked // nil: the form is shown
	Shown    shown
	From, To string // Shown, in words
	Clock    string
	Fate     fate
	Own      []string // what to do on this family's recorder
	After    []string // what to do with the files, whatever recorder
}

// Blanks are the lines to fill in by hand on the printed page.
func (saveView) Blanks() []string {
	return []string{"save.blank.who", "save.blank.when", "save.blank.files", "save.blank.copies"}
}

// saveJSON is the same for programs.
type saveJSON struct {
	CameraID      string             `json:"camera_id"`
	From          time.Time          `json:"from"`
	To            time.Time          `json:"to"`
	RecorderFrom  string             `json:"recorder_from"` // as its own clock shows it
	RecorderTo    string             `json:"recorder_to"`
	ClockKnown    bool               `json:"clock_known"`
	Family        interrogate.Family `json:"family,omitempty"`
	Gone          bool               `json:"gone"`
	OverwrittenAt time.Time          `json:"overwritten_at,omitzero"` // if soon
}

// save shows how to save footage of one camera and one interval, and without an
// interval asks for it. It changes nothing.
func (v *Review) save(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	q := r.URL.Query()
	c, err := known.Camera(q.Get("camera"))
	if err != nil {
		return answer{}, err
	}
	w := v.words(r)
	view := saveView{Camera: viewOf(w, c), Whole: may(r, "GET /cameras/{id}"), Form: fields{"from": {Value: q.Get("from")}, "to": {Value: q.Get("to")}}}
	if q.Get("from") == "" && q.Get("to") == "" {
		if wantsJSON(r) {
			return answer{}, problem{status: http.StatusBadRequest, What: "say from when until when", Field: "from", Hint: "from and to are RFC 3339"}
		}
		return page("save.html", "save.title", view), nil
	}
	a, field, key := interval(q.Get("from"), q.Get("to"), time.Now())
	if key != "" {
		if wantsJSON(r) {
			return answer{}, protocol.FieldErrors{{Field: field, Why: "is no time that was, or the interval is none: give from and to as RFC 3339"}}
		}
		f := view.Form[field]
		f.Error = key
		view.Form[field] = f
		out := page("save.html", "save.title", view)
		out.page.Status = http.StatusUnprocessableEntity
		return out, nil
	}
	view.Asked = &a
	view.fill(w, c, known.Sites, time.Now())
	out := page("save.html", "save.title", view)
	out.json = saveJSON{CameraID: c.ID, From: a.From, To: a.To, RecorderFrom: view.Shown.From.Format("2006-01-02T15:04"),
		RecorderTo: view.Shown.To.Format("2006-01-02T15:04"), ClockKnown: view.Shown.Clock != nil, Family: familyOf(c.Device),
		Gone: view.Fate.Gone, OverwrittenAt: view.Fate.Until}
	return out, nil
}

// fill completes the page for an interval.
func (s *saveView) fill(w *pages.Words, c inventory.Camera, grants []inventory.Site, now time.Time) {
	s.Shown, s.Fate = onRecorder(*s.Asked, c.Device), fateOf(*s.Asked, c.Values, now)
	s.From, s.To = wall(w, s.Shown.From), wall(w, s.Shown.To)
	s.Recorder = recorderWords(c.Device)
	s.Kept = keptWords(w, c.Device.Kept)
	if c.Device.Storage != protocol.StorageUnknown || c.Device.StorageNote != "" {
		s.Storage = storageWords(w, c.Device.Storage, c.Device.StorageNote)
	}
	s.Channel = channelWords(w, c)
	if c.Device.Clock != nil {
		s.Clock = clockWords(w, c.Device.Clock)
	}
	for _, g := range grants {
		if g.SiteID == c.SiteID {
			s.Site = &g
		}
	}
	from, to := figures(w, s.Shown.From), figures(w, s.Shown.To)
	s.Own = append([]string{w.T("save.open")},
		familySteps(w, "save", familyOf(c.Device), "camera", s.Channel, "from", from, "to", to)...)
	s.Own = append(s.Own, w.T("save.format"))
	s.After = steps(w, "save.after", "from", from, "to", to)
}

// channelWords is a camera as it stands on its recorder: «Ingresso», canale 3.
func channelWords(w *pages.Words, c inventory.Camera) string {
	switch name := nameOf(w, c); {
	case c.Values.Name != "" && c.Channel != "":
		return w.T("save.channel", "name", name, "channel", c.Channel)
	case c.Values.Name != "":
		return w.T("save.camera", "name", name)
	default:
		return name
	}
}

// recorderWords names a device by maker, model and name, each once: many are
// called what they are.
func recorderWords(d inventory.Device) string {
	what, name := protocol.MakerModel(d.Vendor, d.Model), strings.Join(strings.Fields(d.Name), " ")
	switch {
	case strings.Contains(strings.ToLower(what), strings.ToLower(name)):
		return what
	case strings.Contains(strings.ToLower(name), strings.ToLower(what)):
		return name
	}
	return what + " " + name
}

// interval reads what was asked; a key of the words says what is wrong with a field.
func interval(fromText, toText string, now time.Time) (a asked, field, key string) {
	var ok bool
	if a.From, ok = moment(fromText, false); !ok {
		return a, "from", unread(fromText)
	}
	if a.To, ok = moment(toText, true); !ok {
		return a, "to", unread(toText)
	}
	switch {
	case a.From.After(now):
		return a, "from", "wrong.future"
	case !a.To.After(a.From):
		return a, "to", "wrong.order"
	case a.To.Sub(a.From) > longestSave:
		return a, "to", "wrong.long"
	}
	return a, "", ""
}

// unread is what is wrong with a text that is no moment: a time that Rome's
// clocks left out, or no time at all.
func unread(text string) string {
	if t, err := time.Parse("2006-01-02T15:04", text); err == nil && t.Year() >= 2000 && t.Year() < 2200 {
		return "wrong.skipped"
	}
	return "wrong.when"
}

// moment reads RFC 3339, or what a browser's field gives: the time on a clock in
// Rome. Where that comes twice in one night the interval takes in both; one that
// a night leaves out was on no clock.
func moment(text string, late bool) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), t.Year() >= 2000 && t.Year() < 2200
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		t, err := time.Parse(layout, text)
		if err != nil || t.Year() < 2000 || t.Year() >= 2200 {
			continue
		}
		found := pages.Instants(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute())
		if len(found) == 0 {
			return time.Time{}, false
		}
		at := found[0]
		if late {
			at = found[len(found)-1]
		}
		return at.Add(time.Duration(t.Second()) * time.Second).UTC(), true
	}
	return time.Time{}, false
}
