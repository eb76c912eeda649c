package ops

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// What is wrong, grouped by cause and by maker and firmware: each number opens the
// lines behind it, and beside each cause stands the sentence to tell the owner.

// shownMakers is how many makers and firmwares the page of the queue shows: those
// with the most recorders that want something.
const shownMakers = 30

type queueData struct {
	At      time.Time     `json:"counted_at"`
	Causes  []causeView   `json:"causes"`
	Makers  []makerView   `json:"makers"`
	Unnamed []unnamedView `json:"not_declared"`
	More    int           `json:"-"` // makers and firmwares that are not shown
}

type causeView struct {
	Cause registry.Cause `json:"cause"`
	Lines int            `json:"lines"`
	Href  string         `json:"-"`
	Write string         `json:"-"`
}

type makerView struct {
	Maker     protocol.Maker         `json:"maker"`
	Firmware  string                 `json:"firmware,omitempty"`
	Recorders int                    `json:"recorders"`
	Faulty    int                    `json:"faulty"`
	Faults    map[registry.Cause]int `json:"faults"`
	Href      string                 `json:"-"`
	Most      registry.Cause         `json:"most,omitempty"` // the fault that most of them have
}

type unnamedView struct {
	Maker   protocol.Maker `json:"maker"`
	Fault   protocol.Fault `json:"fault"`
	Cause   registry.Cause `json:"-"`
	Devices int            `json:"devices"`
}

// queue is the technical queue.
func (o *Ops) queue(rw http.ResponseWriter, r *http.Request) {
	g, err := o.queueNow(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	data := queueData{At: g.At, Causes: []causeView{}, Makers: []makerView{}, Unnamed: []unnamedView{}}
	for _, c := range registry.Causes {
		if n := g.Causes[c]; n > 0 {
			v := url.Values{"cause": {string(c)}}.Encode()
			data.Causes = append(data.Causes, causeView{c, n, "/queue/lines?" + v, "/queue/letter?" + v})
		}
	}
	slices.SortStableFunc(data.Causes, func(a, b causeView) int { return b.Lines - a.Lines })
	for _, m := range g.Makers {
		v := url.Values{"maker": {string(m.Maker)}}
		if m.Firmware != "" {
			v.Set("firmware", m.Firmware)
		}
		view := makerView{m.Maker, m.Firmware, m.Recorders, m.Faulty, m.Faults, "/queue/lines?" + v.Encode(), ""}
		for _, c := range registry.Causes {
			if m.Faults[c] > m.Faults[view.Most] {
				view.Most = c
			}
		}
		data.Makers = append(data.Makers, view)
	}
	for _, u := range g.Unnamed {
		data.Unnamed = append(data.Unnamed, unnamedView{u.Maker, u.Fault, registry.FaultCause(u.Fault), u.Devices})
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, data)
		return
	}
	data.Makers = slices.DeleteFunc(data.Makers, func(m makerView) bool { return m.Faulty == 0 })
	data.More = max(0, len(data.Makers)-shownMakers)
	data.Makers = data.Makers[:min(len(data.Makers), shownMakers)]
	o.show(rw, r, pages.Page{Template: "queue.html", Title: "queue.title", Wide: true, Data: data})
}
