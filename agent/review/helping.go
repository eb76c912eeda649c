package review

import (
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol/pages"
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

// helpingOf lists what a technician can do for the owner now.
func helpingOf(w *pages.Words, known inventory.View, until time.Time) helpingView {
	view := helpingView{Place: placeName(w, known), Until: until, Enrolled: len(known.Sites) > 0, Devices: len(known.Devices)}
	for _, d := range known.Devices {
		if isLocked(d) {
			view.Locked = append(view.Locked, d)
		}
	}
	for _, c := range known.Cameras {
		switch {
		case keptBack(c):
		case c.Values.Position.Placed():
			view.Placed++
		default:
			view.Unplaced = append(view.Unplaced, viewOf(w, c))
		}
	}
	return view
}
