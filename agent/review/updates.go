package review

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"anagrafe/protocol"
)

// versions is what the page reads of Updates.
type versions struct {
	Able      bool              `json:"able"`
	Mode      string            `json:"mode"`
	Held      bool              `json:"held"`
	Version   string            `json:"version"`
	LookAt    time.Time         `json:"looked_at"`
	Wrong     string            `json:"wrong"`
	Came      time.Time         `json:"came"`
	Notes     map[string]string `json:"notes"`
	Next      string            `json:"next"`
	NextNotes map[string]string `json:"next_notes"`
	Failed    []struct {
		Version string           `json:"version"`
		Why     protocol.Setback `json:"why"`
		At      time.Time        `json:"at"`
	} `json:"failed"`
}

// updates shows which version runs, what it changed, and what is to come.
func (v *Review) updates(*http.Request) (answer, error) {
	if v.Updates == nil {
		return answer{}, problem{status: http.StatusNotFound, key: "error.page", What: "there is no such page"}
	}
	full, err := v.Updates()
	if err != nil {
		return answer{}, err
	}
	raw, err := json.Marshal(full)
	if err != nil {
		return answer{}, err
	}
	var view versions
	if err := json.Unmarshal(raw, &view); err != nil {
		return answer{}, err
	}
	a := page("updates.html", "updates.title", view)
	a.json = full
	return a, nil
}

// setUpdates holds updates, lets them come, or looks for one.
func (v *Review) setUpdates(r *http.Request) (answer, error) {
	var what struct {
		Do string `json:"do"`
	}
	if filled, err := read(r, &what); err != nil {
		return answer{}, err
	} else if filled {
		what.Do = r.PostForm.Get("do")
	}
	if what.Do != "auto" && what.Do != "hold" && what.Do != "look" || v.SetUpdate == nil {
		return answer{}, protocol.FieldErrors{{Field: "do", Why: fmt.Sprintf("%.20q is not auto, hold or look", what.Do)}}
	}
	if err := v.SetUpdate(what.Do); err != nil {
		return answer{}, err
	}
	a, err := v.updates(r)
	a.page, a.to = nil, "/updates?done=updates-"+what.Do
	return a, err
}
