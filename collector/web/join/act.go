package join

import (
	"context"
	"errors"
	"net/http"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

func (j *Join) suspend(rw http.ResponseWriter, r *http.Request) {
	j.act(rw, r, act.OwnerSuspend, SitePath, nil, j.put(protocol.SiteSuspended))
}

func (j *Join) resume(rw http.ResponseWriter, r *http.Request) {
	j.act(rw, r, act.OwnerResume, SitePath, nil, j.put(protocol.SiteResumed))
}

func (j *Join) withdraw(rw http.ResponseWriter, r *http.Request) {
	j.act(rw, r, act.OwnerWithdraw, SitePath+"/withdrawn", nil, j.put(protocol.SiteWithdrawn))
}

func (j *Join) renew(rw http.ResponseWriter, r *http.Request) {
	j.act(rw, r, act.OwnerRenew, SitePath, nil, j.Registry.Renew)
}

// put is the act that puts a site into a state.
func (j *Join) put(state protocol.SiteState) func(context.Context, string, time.Time) error {
	return func(ctx context.Context, siteID string, at time.Time) error {
		return j.Registry.Act(ctx, siteID, state, at)
	}
}

// act does what the owner decided, once it is on the trail with more about it.
func (j *Join) act(rw http.ResponseWriter, r *http.Request, kind act.Kind, next string, more map[string]string, do func(ctx context.Context, siteID string, at time.Time) error) {
	own, ok := j.own(rw, r, true)
	if !ok || !j.record(rw, r, kind, own.ID, more) {
		return
	}
	err := do(r.Context(), own.ID, j.Web.Now())
	if errors.Is(err, registry.ErrUnknownSite) { // withdrawn a moment ago
		j.ask(rw, r, http.StatusUnauthorized, "code.ended")
		return
	}
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
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
