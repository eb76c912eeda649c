package join

import (
	"errors"
	"net/http"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

func (j *Join) suspend(rw http.ResponseWriter, r *http.Request) {
	j.act(rw, r, "owner-suspend", protocol.SiteSuspended, SitePath)
}

func (j *Join) resume(rw http.ResponseWriter, r *http.Request) {
	j.act(rw, r, "owner-resume", protocol.SiteResumed, SitePath)
}

func (j *Join) withdraw(rw http.ResponseWriter, r *http.Request) {
	j.act(rw, r, "owner-withdraw", protocol.SiteWithdrawn, SitePath+"/withdrawn")
}

// act does what the owner decided, once it is on the trail.
func (j *Join) act(rw http.ResponseWriter, r *http.Request, kind string, what protocol.SiteState, next string) {
	own, ok := j.own(rw, r, true)
	if !ok || !j.record(rw, r, kind, own.ID) {
		return
	}
	err := j.Registry.Act(r.Context(), own.ID, what, j.Web.Now())
	if errors.Is(err, registry.ErrUnknownSite) { // withdrawn a moment ago
		j.ask(rw, r, http.StatusUnauthorized, "code.ended")
		return
	}
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	j.OnAct()
	j.Log.InfoContext(r.Context(), "owner's act", "kind", kind, "site", own.ID)
	http.Redirect(rw, r, next, http.StatusSeeOther)
}

// confirm says what a withdrawal does before it is done.
func (j *Join) confirm(rw http.ResponseWriter, r *http.Request) {
	own, ok := j.own(rw, r, true)
	if !ok {
		return
	}
	j.show(rw, r, own.Name, pages.Page{Template: "withdraw.html", Title: "withdraw.title", Data: own})
}

// withdrawn is where who has withdrawn arrives; their session has ended.
func (j *Join) withdrawn(rw http.ResponseWriter, r *http.Request) {
	if err := j.Web.EndOwner(rw, r); err != nil { // the cookie opens nothing any more
		j.Web.Broken(rw, r, err)
		return
	}
	j.show(rw, r, "", pages.Page{Template: "withdrawn.html", Title: "withdrawn.title"})
}
