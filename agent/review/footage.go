package review

import (
	"net/http"
	"sync"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// finds are the questions to recorders that run now, at most one a notice.
type finds struct {
	running sync.WaitGroup

	mu   sync.Mutex
	open map[string]chan struct{} // by notice; closed when it has ended
}

// under reports whether recorders are being asked for a notice.
func (f *finds) under(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open[id] != nil
}

// find begins to ask the recorders of a notice, or joins who does.
func (v *Review) find(id string) (done <-chan struct{}) {
	f := &v.finds
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = map[string]chan struct{}{}
	}
	if ended := f.open[id]; ended != nil {
		return ended
	}
	ended := make(chan struct{})
	f.open[id] = ended
	f.running.Go(func() {
		if err := v.Find(v.search.ctx, id); err != nil && v.search.ctx.Err() == nil {
			v.Log.Warn("asking the recorders for the footage of a message failed", "err", err)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.open, id)
		close(ended)
	})
	return ended
}

// findPause is how often, in seconds, a notice's page is new while recorders are asked.
const findPause = "2"

// checkNotice has the recorders of a request asked whether the footage is still
// there: an act of the owner, without whom nothing is asked. The command line waits
// for the end, a browser is shown how it goes on.
func (v *Review) checkNotice(r *http.Request) (answer, error) {
	id := r.PathValue("id")
	n, err := v.Inventory.Notice(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	if _, ok := n.Body.(protocol.Preserve); !ok || n.Left {
		return answer{}, problem{status: http.StatusConflict, What: "this notice asks for no footage that could be looked for", Field: "id", key: "error.closed"}
	}
	ended := v.find(id)
	if !wantsJSON(r) {
		return answer{to: "/notices/" + id + "#times"}, nil
	}
	select {
	case <-ended:
	case <-r.Context().Done():
		return answer{}, r.Context().Err()
	}
	n, err = v.Inventory.Notice(r.Context(), id)
	return answer{json: n}, err
}

// checkView is what a recorder said of a camera's footage.
type checkView struct {
	Presence interrogate.Presence
	At       time.Time
	Periods  []string // true time, in words
}

// checkOf is what was found for a camera; nil: nobody asked.
func checkOf(w *pages.Words, n inventory.Notice, camera string) *checkView {
	for _, c := range n.Checked {
		if c.CameraID != camera {
			continue
		}
		out := checkView{Presence: c.Presence, At: c.At}
		for _, p := range c.Periods[:min(len(c.Periods), periodsShown)] {
			out.Periods = append(out.Periods, periodWords(w, p))
		}
		return &out
	}
	return nil
}

// periodsShown bounds a list on the page: what moves is recorded in many pieces.
const periodsShown = 12

func periodWords(w *pages.Words, p interrogate.Period) string {
	from, until := p.From.In(pages.Rome()), p.Until.In(pages.Rome())
	return w.T("found.period", "from", figures(w, from), "to", until.Format("15:04:05"))
}

// partNote is what an owner may wish to tell where only a part is left: it leaves
// only if they send it. "" where all or nothing is.
func partNote(w *pages.Words, n inventory.Notice) string {
	for _, c := range n.Checked {
		if c.Presence == interrogate.PresencePartly && len(n.Checked) == 1 && len(c.Periods) == 1 {
			return w.T("found.part", "period", periodWords(w, c.Periods[0]))
		}
	}
	return ""
}
