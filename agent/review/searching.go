package review

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol/pages"
)

// searchView is the page of a search: while it runs, and in the first run also what
// it found.
type searchView struct {
	Steps   stepsView
	Running bool
	Seconds int // since it began
	Left    int // seconds that it will still take, about; 0: any moment
	Failed  bool
	Found   []foundDevice
	Next    string // where to go on; "" while nothing was found
	Hand    bool   // the page to list a camera by hand is open to this person
	Helper  bool   // and that to have a technician help
}

// foundDevice is a device in few words.
type foundDevice struct {
	What    string // maker and model, or its name
	Name    string // "" where What says it
	Address string // where What does not tell it from another
	Cameras int
	Locked  bool
}

const (
	searchPause = 3  // how often, in seconds, the page of a running search is new
	searchTakes = 40 // how many it usually takes
)

// searching shows how a search goes on. Once it has ended the first run goes on from
// here, and is never left with nothing to do; later the page leads home.
func (v *Review) searching(r *http.Request) (answer, error) {
	since, failed := v.search.state()
	status := struct {
		Running bool      `json:"running"`
		Since   time.Time `json:"since,omitzero"`
		Error   string    `json:"error,omitempty"`
	}{Running: !since.IsZero(), Since: since}
	if failed != nil {
		status.Error = failed.Error()
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	bar := firstRun(r, known)
	view := searchView{Steps: bar, Running: status.Running, Failed: failed != nil && !status.Running, Hand: may(r, "GET /byhand"), Helper: may(r, "GET /helper")}
	switch {
	case status.Running:
		view.Seconds = int(time.Since(since).Seconds())
		view.Left = max(0, searchTakes-view.Seconds)
		if v.Found != nil {
			view.Found = foundNow(v.words(r), v.Found())
		}
		a := page("scan.html", "scan.title", view)
		a.json, a.after = status, strconv.Itoa(searchPause)
		return a, nil
	case len(bar.All) > 0:
		view.Found = foundIn(v.words(r), known.Devices, known.Cameras)
		if s := nextOf(bar.All, "search"); s.Key != "search" {
			view.Next = or(s.Href, "/")
		}
		a := page("scan.html", "scan.ended", view)
		a.json = status
		return a, nil
	case failed != nil:
		return answer{json: status, to: "/?done=searchfailed"}, nil
	}
	return answer{json: status, to: "/?done=searched"}, nil
}

// foundNow are the devices of a search that runs.
func foundNow(w *pages.Words, devices []interrogate.Device) (out []foundDevice) {
	for _, d := range devices {
		if len(d.Channels) == 0 && d.Needs != interrogate.NeedsCredentials {
			continue // it may be a printer
		}
		f := foundAs(w, inventory.Device{Vendor: d.Vendor, Model: d.Model, Name: d.Name, Address: d.Sighting.Address.String()})
		f.Cameras, f.Locked = len(d.Channels), d.Needs != "" && d.Needs != interrogate.NeedsNothing
		out = append(out, f)
	}
	return out
}

// foundAs is what a device is called in the list of a search.
func foundAs(w *pages.Words, d inventory.Device) foundDevice {
	f := foundDevice{What: makerOf(w, d)}
	if full := recorderWords(d); full == "" {
		f.Address = d.Address
	} else if full != f.What {
		f.Name = d.Name
	}
	return f
}

// foundIn are the devices of the inventory that have cameras, or may have once their
// password is known.
func foundIn(w *pages.Words, devices []inventory.Device, cameras []inventory.Camera) (out []foundDevice) {
	for _, d := range devices {
		f := foundAs(w, d)
		f.Locked = isLocked(d)
		for _, c := range cameras {
			if c.Device.ID == d.ID && !f.Locked { // without its password it is an entry, not a count
				f.Cameras++
			}
		}
		if f.Cameras > 0 || f.Locked {
			out = append(out, f)
		}
	}
	return out
}

// search is the one search that may run at a time.
type search struct {
	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	since time.Time     // zero: none is running
	done  chan struct{} // of the running one
	err   error         // of the last one
}

// start begins a search, or joins the one that runs.
func (v *Review) start() (done <-chan struct{}) {
	s := &v.search
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.IsZero() {
		return s.done
	}
	s.since, s.done = time.Now(), make(chan struct{})
	ended := s.done
	s.running.Go(func() {
		err := v.Scan(s.ctx)
		if err != nil {
			v.Log.Warn("searching for cameras failed", "err", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.since, s.err = time.Time{}, err
		close(ended)
	})
	return ended
}

// state says since when a search runs (zero: none) and how the last one ended.
func (s *search) state() (since time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.since, s.err
}
