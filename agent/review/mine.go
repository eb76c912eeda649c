package review

import (
	"net/http"
	"slices"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// mineView asks of every camera whose it is and whether it films the street, all
// on one page.
type mineView struct {
	Steps  stepsView
	Groups []mineGroup
	Closed []inventory.Device // recorders whose cameras nobody has told
	Wrong  int                // cameras that lack an answer
}

// mineGroup are the cameras of one recorder.
type mineGroup struct {
	Device  inventory.Device
	Apart   string // see apart
	All     bool   // "they are all mine" was ticked
	Cameras []mineCamera
}

// mineCamera is a camera with its two answers, as they were chosen or are known.
type mineCamera struct {
	ID, Name    string
	Mine        string // "yes", "no", "later" or ""
	Outdoor     string // "yes", "no" or ""
	MineWrong   string // keys
	StreetWrong string
	Still       still
}

// answersOf reads the two answers to a camera. Without JavaScript the button of a
// picture brings them back in the address.
func answersOf(r *http.Request, c inventory.Camera) (mine, outdoor string, said bool) {
	values := r.URL.Query()
	if r.Method == http.MethodPost {
		values = r.PostForm
	}
	if !slices.Contains(values["camera"], c.ID) {
		return "", "", false
	}
	mine, outdoor = values.Get("mine-"+c.ID), values.Get("outdoor-"+c.ID)
	if mine == "" && slices.Contains(values["all"], c.Device.ID) {
		mine = "yes"
	}
	return mine, outdoor, true
}

// knownAnswers are those that the inventory holds.
func knownAnswers(c inventory.Camera) (mine, outdoor string) {
	mine = string(c.Mine)
	if c.State == inventory.StateRefused {
		mine = "no"
	}
	if c.Outdoor != nil {
		outdoor = map[bool]string{true: "yes", false: "no"}[*c.Outdoor]
	}
	return mine, outdoor
}

// isAsked: of a declared camera, and of one that was taken out, the answers are
// changed on its own page, where what follows from them is said.
func isAsked(c inventory.Camera) bool {
	return c.State != inventory.StateDeclared && c.State != inventory.StateWithdrawn
}

func (v *Review) mine(r *http.Request) (answer, error) { return v.minePage(r, false) }

func (v *Review) minePage(r *http.Request, check bool) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	view := mineView{Steps: firstRun(r, known)}
	w := v.words(r)
	all := r.URL.Query()["all"]
	if check {
		all = r.PostForm["all"]
	}
	marks := apart(known.Devices, titleOf)
	for _, d := range known.Devices {
		g := mineGroup{Device: d, Apart: marks[d.ID], All: slices.Contains(all, d.ID)}
		has := false
		for _, c := range known.Cameras {
			if c.Device.ID != d.ID {
				continue
			}
			has = true
			if !isAsked(c) {
				continue
			}
			m := mineCamera{ID: c.ID, Name: nameOf(w, c), Still: v.picture(r, d.ID, c.ID, nameOf(w, c))}
			said := false
			if m.Mine, m.Outdoor, said = answersOf(r, c); !said {
				m.Mine, m.Outdoor = knownAnswers(c)
			}
			if said && check {
				m.MineWrong, m.StreetWrong = lacking(m.Mine, m.Outdoor)
				if m.MineWrong != "" || m.StreetWrong != "" {
					view.Wrong++
				}
			}
			g.Cameras = append(g.Cameras, m)
		}
		switch {
		case len(g.Cameras) > 0:
			view.Groups = append(view.Groups, g)
		case !has && isLocked(d):
			view.Closed = append(view.Closed, d)
		}
	}
	a := page("mine.html", "mine.title", view)
	a.json = struct {
		Cameras []inventory.Camera `json:"cameras"`
	}{slices.DeleteFunc(known.Cameras, func(c inventory.Camera) bool { return !isAsked(c) })}
	if view.Wrong > 0 {
		a.page.Status = http.StatusUnprocessableEntity
	}
	return a, nil
}

// lacking are the words for an answer that is missing. Only who says that a camera
// is theirs is asked about the street.
func lacking(mine, outdoor string) (mineWrong, streetWrong string) {
	switch {
	case mine == "no", mine == "later":
	case mine != "yes":
		mineWrong = "wrong.mine"
	case outdoor != "yes" && outdoor != "no":
		streetWrong = "wrong.street"
	}
	return mineWrong, streetWrong
}

// setMine keeps what was answered, also where another camera still lacks an answer:
// nothing that a person chose is to be chosen again.
func (v *Review) setMine(r *http.Request) (answer, error) {
	if isJSON(r) {
		return answer{}, problem{status: http.StatusUnsupportedMediaType, What: "this is the form of the page",
			Hint: "say it of one camera: POST /cameras/ID with mine and outdoor_public, or POST /refuse", key: "error.value"}
	}
	if err := form(r); err != nil {
		return answer{}, err
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	var out, back []string
	var changes []inventory.Change
	by := byOf(r, "")
	for _, c := range known.Cameras {
		mine, outdoor, said := answersOf(r, c)
		street, whose := lacking(mine, outdoor)
		if !said || !isAsked(c) || street != "" || whose != "" {
			continue
		}
		if mine == "no" {
			out = append(out, c.ID)
			continue
		}
		if c.State == inventory.StateRefused {
			back = append(back, c.ID)
		}
		e := inventory.Edit{Mine: inventory.Mine(mine), By: by}
		if mine == "yes" {
			e.Outdoor = new(outdoor == "yes")
		}
		changes = append(changes, inventory.Change{ID: c.ID, Edit: e})
	}
	if len(back) > 0 {
		if _, err := v.Inventory.Restore(r.Context(), back); err != nil {
			return answer{}, err
		}
	}
	if len(changes) > 0 {
		if _, _, err := v.Inventory.SetMany(r.Context(), changes, true, false); err != nil {
			return answer{}, err
		}
	}
	if len(out) > 0 {
		if _, err := v.Inventory.KeepOut(r.Context(), out, protocol.Approval{By: by}); err != nil {
			return answer{}, err
		}
	}
	a, err := v.minePage(r, true)
	if err != nil || a.page.Status != 0 {
		return a, err
	}
	to, err := v.nextOr(r, "/?done=saved")
	return answer{json: a.json, to: to}, err
}
