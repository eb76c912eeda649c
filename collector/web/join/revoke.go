package join

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

// delegatedTo is a delegation as the page of the site shows it.
type delegatedTo struct {
	registry.SiteDelegation
	May string // its powers, in words
}

func delegatedView(w *pages.Words, all []registry.SiteDelegation) (view []delegatedTo) {
	for _, d := range all {
		var may []string
		for _, p := range d.Powers {
			may = append(may, w.T("power."+string(p)))
		}
		view = append(view, delegatedTo{d, strings.Join(may, "; ")})
	}
	return view
}

// delegation says what a revocation does before it is done. One that is not there
// any more, or that is for other sites too, leads back to the page that says so.
func (j *Join) delegation(rw http.ResponseWriter, r *http.Request) {
	own, ok := j.own(rw, r, true)
	if !ok {
		return
	}
	all, err := j.Registry.SiteDelegations(r.Context(), own.ID, j.Web.Now())
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	view := delegatedView(j.pages.Words(pages.Language(r)), all)
	i := slices.IndexFunc(view, func(d delegatedTo) bool { return d.ID == r.PathValue("id") })
	if i < 0 || view[i].Others > 0 {
		http.Redirect(rw, r, SitePath, http.StatusSeeOther)
		return
	}
	j.show(rw, r, own.Name, pages.Page{Template: "revoke.html", Title: "revoke.title", Data: view[i]})
}

// revoke ends a delegation that is for the owner's site alone.
func (j *Join) revoke(rw http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	own, ok := j.own(rw, r, true)
	if !ok {
		return
	}
	all, err := j.Registry.SiteDelegations(r.Context(), own.ID, j.Web.Now())
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	// Before it is on the trail: an id that is none of the site's has no place there.
	if !slices.ContainsFunc(all, func(d registry.SiteDelegation) bool { return d.ID == id && d.Others == 0 }) {
		http.Redirect(rw, r, SitePath, http.StatusSeeOther)
		return
	}
	j.act(rw, r, act.OwnerRevokeDelegation, SitePath, map[string]string{"delegation": id}, func(ctx context.Context, siteID string, at time.Time) error {
		err := j.Registry.RevokeSiteDelegation(ctx, siteID, id, at)
		if errors.Is(err, registry.ErrUnknownDelegation) || errors.Is(err, registry.ErrWiderDelegation) { // a moment ago; the page shows what stands
			return nil
		}
		return err
	})
}
