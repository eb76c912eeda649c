package pages

import (
	"slices"
	"strconv"
)

// FOV is the field-of-view editor on a page: where a camera hangs and what it sees, a
// map beside a form. The templates of _fov.html show it, fov.css and a script that
// begins _fovform.ts draw it, and without any script it is a plain form.
// The form posts position, accuracy_m, start, method, direction, angle and range; the
// one that looks for addresses posts to Action one of address with find (which may the
// address mean?), at (put the point on this house), near (on this street) and previous
// (on that camera's point).
type FOV struct {
	Action   string // path that takes the search for addresses
	Address  string // in its field
	Found    []FoundPoint
	FoundSay string // how many, or why none
	Previous string // the name of a camera whose point can be taken; "": none, or it is taken
	Start    string // where the point comes from, in words; "" is the camera's own
	Credit   string // of the map's makers

	Position  FOVField // latitude, longitude, degrees WGS84
	Accuracy  FOVField // metres
	Proposed  string   // the position that the page proposed: another was typed over it
	Method    string   // how that was placed
	Direction choice   // degrees clockwise from north
	Angle     choice   // degrees
	Range     choice   // metres
	Script    fovScript
}

// FOVField is what a control holds, and what is wrong with it in words.
type FOVField struct{ Value, Error string }

// FoundPoint is one of the points that an address may mean.
type FoundPoint struct {
	Name, Position string
	Sure           bool // the very house
}

// fovScript goes to the script as JSON inside the page.
type fovScript struct {
	Tiles    *TileZooms        `json:"tiles"` // null: there is no map now
	SiteID   string            `json:"site_id,omitempty"`
	Site     *StartPoint       `json:"site,omitempty"` // where a camera hangs of which the form has no position
	Aim      bool              `json:"aim"`            // false: a point alone
	Others   []DrawnCamera     `json:"others"`         // of the same site
	Previous *StartPoint       `json:"previous"`       // of the button that takes another camera's point
	Words    map[string]string `json:"words"`
}

// TileZooms are those that tiles can be asked for.
type TileZooms struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// StartPoint is where a camera may hang, and how it comes to be proposed.
type StartPoint struct {
	At       [2]float64 `json:"at"` // longitude and latitude, degrees WGS84
	Method   string     `json:"method"`
	Accuracy int        `json:"accuracy"` // metres
}

// DrawnCamera is one that hangs there already.
type DrawnCamera struct {
	Name      string     `json:"name"`
	At        [2]float64 `json:"at"` // longitude and latitude, degrees WGS84
	Direction *int       `json:"direction"`
	Angle     *int       `json:"angle"`
	Range     *int       `json:"range"`
}

// preset is one of the few values that most cameras have.
type preset struct {
	Value, Key string
	Chosen     bool
}

// choice is a number that is chosen among a few, or by a slider, or is not known.
type choice struct {
	Name     string
	Presets  []preset
	Exact    string // the value, where it is none of these
	Words    string // of Exact
	Unknown  bool
	Wrong    bool
	Min, Max int // of the slider
}

// Place fills in the words of the script for a point alone, of a site.
func (v *FOV) Place(w *Words) {
	v.Script.Words = map[string]string{}
	for _, key := range []string{"in", "out", "lost", "found.one", "found.other", "found.none", "found.not", "here"} {
		v.Script.Words[key] = w.T("fov." + key)
	}
	for _, key := range []string{"label", "failed", "start.here"} {
		v.Script.Words[key] = w.T("fov." + key + ".site")
	}
}

// Aim fills in what the camera sees, from the form's texts, and the words of the script.
func (v *FOV) Aim(w *Words, direction, angle, reach FOVField) {
	winds := make([]preset, 8)
	for i := range winds {
		winds[i] = preset{Value: strconv.Itoa(45 * i), Key: "wind." + strconv.Itoa(i)}
	}
	v.Direction = choiceOf(w, "direction", "fov.degrees", direction, winds, 0, 359)
	v.Angle = choiceOf(w, "angle", "fov.degrees", angle, []preset{{Value: "40", Key: "fov.angle.narrow"}, {Value: "80", Key: "fov.angle.normal"},
		{Value: "110", Key: "fov.angle.wide"}, {Value: "360", Key: "fov.angle.all"}}, 10, 360)
	v.Range = choiceOf(w, "range", "fov.metres", reach, []preset{{Value: "15", Key: "fov.range.near"}, {Value: "30", Key: "fov.range.street"},
		{Value: "60", Key: "fov.range.square"}}, 2, 120)
	v.Place(w)
	v.Script.Aim = true
	v.Script.Words["dontknow"] = w.T("shell.dontknow")
	for _, key := range []string{"label", "failed", "start.here", "aim.side", "aim.street", "aim.unknown", "metres", "degrees", "wide", "far"} {
		v.Script.Words[key] = w.T("fov." + key)
	}
	for _, p := range winds {
		v.Script.Words[p.Key] = w.T(p.Key)
	}
}

func choiceOf(w *Words, name, key string, value FOVField, presets []preset, least, most int) choice {
	c := choice{Name: name, Presets: presets, Unknown: value.Value == "", Wrong: value.Error != "", Min: least, Max: most}
	n, err := strconv.Atoi(value.Value)
	if err != nil {
		return c
	}
	c.Min, c.Max = min(least, n), max(most, n)
	if i := slices.IndexFunc(presets, func(p preset) bool { return p.Value == value.Value }); i >= 0 {
		presets[i].Chosen = true
		return c
	}
	c.Exact, c.Words = value.Value, w.T(key, "deg", n, "m", n)
	return c
}
