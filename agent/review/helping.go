package review

import (
	"net/http"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
)

// helpingView is the first page of a technician: what there is to do, and nothing
// that speaks for the owner.
type helpingView struct {
	Place    string
	Until    time.Time
	Enrolled bool
	Locked   []inventory.Device // they want a password
	Unplaced []cameraView
	Placed   int
	Devices  int
}

// helping lists what a technician can do for the owner now.
func (v *Review) helping(r *http.Request, s *session) (answer, error) {
	devices, cameras, err := v.all(r)
	if err != nil {
		return answer{}, err
	}
	grants, err := v.Inventory.Sites(r.Context())
	if err != nil {
		return answer{}, err
	}
	view := helpingView{Until: s.until, Enrolled: len(grants) > 0, Devices: len(devices)}
	if view.Place, err = v.placeName(r); err != nil {
		return answer{}, err
	}
	for _, d := range devices {
		if d.Needs != "" && d.Needs != interrogate.NeedsNothing {
			view.Locked = append(view.Locked, d)
		}
	}
	w := v.words(r)
	for _, c := range cameras {
		switch {
		case keptBack(c):
		case c.Values.Position.Placed():
			view.Placed++
		default:
			view.Unplaced = append(view.Unplaced, viewOf(w, c))
		}
	}
	return page("helping.html", "helping.title", view), nil
}
