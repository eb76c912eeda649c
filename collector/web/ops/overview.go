package ops

import (
	"net/http"
	"time"

	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

type counts struct {
	Invited   int `json:"invited"`
	Enrolled  int `json:"enrolled"`
	Sharing   int `json:"sharing"`
	Suspended int `json:"suspended"`
	Withdrawn int `json:"withdrawn"`
	Cameras   int `json:"cameras"`
	Agents    int `json:"agents"`
	Revoked   int `json:"revoked"`
}

type overviewData struct {
	Counts     counts              `json:"counts"`
	At         time.Time           `json:"counted_at"`
	Categories []protocol.Category `json:"-"`
	Invite     invitation          `json:"-"` // what was typed, when it could not be taken
	Wrong      wrong               `json:"-"`
}

func (o *Ops) overview(rw http.ResponseWriter, r *http.Request) {
	o.showOverview(rw, r, http.StatusOK, invitation{}, wrong{})
}

func (o *Ops) showOverview(rw http.ResponseWriter, r *http.Request, status int, typed invitation, bad wrong) {
	c, at, err := o.totals.get(r.Context(), o, o.Registry.Counts)
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	data := overviewData{
		Counts: counts{c.Invited, c.Enrolled, c.Sharing, c.Suspended, c.Withdrawn, c.Cameras, c.Agents, c.Revoked},
		At:     at, Categories: protocol.Categories, Invite: typed, Wrong: bad,
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, status, data)
		return
	}
	p := pages.Page{Template: "overview.html", Title: "overview.title", Wide: true, Status: status, Data: data}
	if bad.Key != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: bad.Key}}
	}
	o.show(rw, r, p)
}
