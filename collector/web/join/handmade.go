package join

import (
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// An entry that was typed on the public form, which no agent keeps, is changed there,
// by its owner; here they get a code to install an agent, which takes it over.

// enrolView is a code that enrols an agent for the site, shown once.
type enrolView struct {
	Code  protocol.Code
	Link  string
	Until time.Time
}

// enrol makes one. Only an entry that no agent keeps gets one here: for another
// computer the agent's owner asks the Comune, which checks their identity.
func (j *Join) enrol(rw http.ResponseWriter, r *http.Request) {
	own, ok := j.own(rw, r, true)
	if !ok {
		return
	}
	typed, err := j.Registry.ByHand(r.Context(), own.ID)
	switch {
	case err != nil:
		j.Web.Broken(rw, r, err)
		return
	case !typed:
		j.showSite(rw, r, own, http.StatusConflict, "enrol.kept")
		return
	case !j.record(rw, r, act.OwnerEnrol, own.ID, nil):
		return
	}
	made, err := j.invite(r.Context(), own.ID)
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	code, err := protocol.ParseCode(made.Code)
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	j.show(rw, r, own.Name, pages.Page{Template: "enrol.html", Title: "enrol.title", Self: SitePath, Data: enrolView{code, made.Link, made.ExpiresAt}})
}
