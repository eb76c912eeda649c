package review

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// editView is the form of one camera.
type editView struct {
	Camera cameraView
	Form   fields
	Grants []inventory.Site
	Sides  []option
	Angles []option
	Kept   bool // refused, withdrawn or answered no
	Told   []saying
	Says   string // where the recorder says that images are
	Differ []differing
	Still  still
	Steps  stepsView
}

// option is one choice of a list.
type option struct {
	Value, Key string
	N          int
	Chosen     bool
}

var editNames = []string{"name", "outdoor_public", "position", "accuracy_m", "direction", "angle", "range", "site_id", "storage", "storage_note", "by"}

func (v *Review) camera(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	c, err := known.Camera(r.PathValue("id"))
	if err != nil || wantsJSON(r) {
		return answer{json: c}, err
	}
	return v.editPage(r, known, c, formOf(c), 0), nil
}

func (v *Review) editPage(r *http.Request, known inventory.View, c inventory.Camera, f fields, status int) answer {
	w := v.words(r)
	view := editView{Camera: viewOf(w, c), Form: f, Kept: keptBack(c),
		Sides: sides(f["direction"].Value), Angles: angles(f["angle"].Value), Told: toldOf(w, c), Differ: differingOf(w, c),
		Says: keptWords(w, c.Device.Kept), Steps: firstRun(r, known)}
	view.Still = v.picture(r, c.Device.ID, c.ID, view.Camera.Name)
	if len(known.Sites) > 1 {
		view.Grants = known.Sites
	}
	a := page("camera.html", "camera.title", view)
	a.page.Status = status
	return a
}

// formOf fills the form with what is known.
func formOf(c inventory.Camera) fields {
	f := fields{"name": {Value: c.Values.Name}, "site_id": {Value: c.SiteID}, "accuracy_m": {Value: "20"}}
	if c.Outdoor != nil {
		f["outdoor_public"] = field{Value: map[bool]string{true: "yes", false: "no"}[*c.Outdoor]}
	}
	f["storage"], f["storage_note"] = field{Value: string(c.Device.Storage)}, field{Value: c.Device.StorageNote}
	if p := c.Values.Position; p.Placed() {
		f["position"] = field{Value: degrees(p.Lat) + ", " + degrees(p.Lon)}
		f["accuracy_m"] = field{Value: strconv.Itoa(p.AccuracyM)}
	}
	for name, n := range map[string]*int{"direction": c.Values.View.DirectionDeg, "angle": c.Values.View.AngleDeg, "range": c.Values.View.RangeM} {
		if n != nil {
			f[name] = field{Value: strconv.Itoa(*n)}
		}
	}
	return f
}

// sides are the eight winds, and the exact value when it is none of them.
func sides(chosen string) []option {
	var out []option
	for i := range 8 {
		out = append(out, option{Value: strconv.Itoa(i * 45), Key: "wind." + strconv.Itoa(i)})
	}
	return choose(out, chosen)
}

// angles are what lenses usually see, in degrees.
func angles(chosen string) []option {
	return choose([]option{{Value: "40", Key: "angle.narrow"}, {Value: "80", Key: "angle.normal"}, {Value: "110", Key: "angle.wide"}, {Value: "360", Key: "angle.all"}}, chosen)
}

func choose(all []option, chosen string) []option {
	i := slices.IndexFunc(all, func(o option) bool { return o.Value == chosen })
	if i >= 0 {
		all[i].Chosen = true
	} else if n, err := strconv.Atoi(chosen); err == nil {
		all = append(all, option{Value: chosen, Key: "fov.degrees", N: n, Chosen: true})
	}
	return all
}

// edit keeps what the owner says of one camera.
func (v *Review) edit(r *http.Request) (answer, error) {
	id := r.PathValue("id")
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	c, err := known.Camera(id)
	if err != nil {
		return answer{}, err
	}
	var e inventory.Edit
	var f fields
	var errs protocol.FieldErrors
	if filled, err := read(r, &e); err != nil {
		return answer{}, err
	} else if filled {
		f = typed(r, editNames...)
		e, errs = editOf(f, r.PostForm.Has)
	}
	e.By = byOf(r, e.By)
	if len(errs) == 0 {
		err = v.Inventory.Set(r.Context(), id, e)
	} else {
		err = errs
	}
	if errs, ok := errors.AsType[protocol.FieldErrors](err); ok && f != nil && !wantsJSON(r) {
		f.wrong(errs, map[string]string{"lat": "position", "lon": "position"})
		return v.editPage(r, known, c, f, http.StatusUnprocessableEntity), nil
	}
	if err != nil {
		return answer{}, err
	}
	return v.kept(r, id)
}

// kept answers with a camera as it is after a change, and leads on.
func (v *Review) kept(r *http.Request, id string) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	c, err := known.Camera(id)
	return answer{json: c, to: onward(r, known, "/?done=saved")}, err
}

// editOf reads the form: an empty control means "not said", a control that the
// form does not have leaves the value as it was.
func editOf(f fields, has func(string) bool) (e inventory.Edit, errs protocol.FieldErrors) {
	wrong := func(field, why string) { errs = append(errs, protocol.FieldError{Field: field, Why: why}) }
	e.By = f["by"].Value
	if name := f["name"].Value; name != "" {
		e.Name = &name
	} else if has("name") {
		e.Clear = append(e.Clear, "name")
	}
	switch f["outdoor_public"].Value {
	case "yes":
		e.Outdoor = new(true)
	case "no":
		e.Outdoor = new(false)
	case "":
	default:
		wrong("outdoor_public", "must be yes or no")
	}
	if text := f["position"].Value; text != "" {
		lat, lon, ok := coordinates(text)
		if !ok {
			wrong("position", "must be latitude and longitude in degrees, e.g. 45.464100, 9.190000")
		}
		e.Lat, e.Lon = &lat, &lon
	} else if has("position") {
		e.Clear = append(e.Clear, "position")
	}
	number := func(name string, to **int, clear bool) {
		text := f[name].Value
		if text == "" {
			if clear && has(name) {
				e.Clear = append(e.Clear, name)
			}
			return
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			wrong(name, "must be a whole number")
			return
		}
		*to = &n
	}
	number("accuracy_m", &e.AccuracyM, false)
	number("direction", &e.Direction, true)
	number("angle", &e.Angle, true)
	number("range", &e.RangeM, true)
	if site := f["site_id"].Value; site != "" {
		e.SiteID = &site
	}
	if storage := protocol.Storage(f["storage"].Value); storage != "" {
		e.Storage = &storage
		if note := f["storage_note"].Value; has("storage_note") {
			e.StorageNote = &note
		}
	} else if has("storage") {
		e.Clear = append(e.Clear, "storage")
	}
	return e, errs
}

// coordinates reads a place as telephones and map programs write it, latitude
// first: "45.464100, 9.190000", "45,4641 9,19", "45.4641° N, 9.19° E".
func coordinates(s string) (lat, lon float64, ok bool) {
	s = strings.ToUpper(strings.NewReplacer("°", " ", ";", " ", ", ", " ").Replace(s))
	var numbers []float64
	for _, word := range strings.Fields(s) {
		switch strings.Trim(word, ",") {
		case "N", "E", "":
			continue
		case "S", "W", "O":
			if len(numbers) == 0 {
				return 0, 0, false
			}
			numbers[len(numbers)-1] = -math.Abs(numbers[len(numbers)-1])
			continue
		}
		parts := []string{strings.Trim(word, ",")}
		if strings.Contains(word, ".") { // the comma separates, it is no decimal sign
			parts = strings.Split(parts[0], ",")
		}
		for _, p := range parts {
			n, err := strconv.ParseFloat(strings.Replace(p, ",", ".", 1), 64)
			if err != nil || math.IsNaN(n) {
				return 0, 0, false
			}
			numbers = append(numbers, n)
		}
	}
	if len(numbers) != 2 || math.Abs(numbers[0]) > 90 || math.Abs(numbers[1]) > 180 {
		return 0, 0, false
	}
	return numbers[0], numbers[1], true
}
