package join

import (
	"errors"
	"maps"
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// maxCode is the most bytes of a code as typed.
const maxCode = 128

// site shows the owner's site, or asks for the code.
func (j *Join) site(rw http.ResponseWriter, r *http.Request) {
	if own, ok := j.own(rw, r, false); ok {
		j.showSite(rw, r, own, http.StatusOK, "")
	}
}

// showSite shows it; problem is the key of what was wrong with an act, "" nothing.
func (j *Join) showSite(rw http.ResponseWriter, r *http.Request, own registry.OwnSite, status int, problem string) {
	now := j.Web.Now()
	delegated, err := j.Registry.SiteDelegations(r.Context(), own.ID, now)
	if err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	words := j.pages.Words(pages.Language(r))
	v := view(words, own, now)
	v.Delegated = delegatedView(words, delegated)
	if v.Requests, err = j.requests(r, own); err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	if v.Readers, err = j.Registry.AlertReaders(r.Context(), own.ID); err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	if v.ByHand, err = j.Registry.ByHand(r.Context(), own.ID); err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	if v.Letters, err = j.Registry.Letters(r.Context(), own.ID); err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	p := pages.Page{Template: "site.html", Title: "site.title", Status: status, Data: v}
	if problem != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: problem}}
	}
	j.show(rw, r, own.Name, p)
}

// own reads the caller's site. Where it returns false the answer is written:
// the form for the code, with a word about the session's end for callers about
// to act.
func (j *Join) own(rw http.ResponseWriter, r *http.Request, acting bool) (registry.OwnSite, bool) {
	id, ok, err := j.Web.Owner(r)
	if err != nil {
		j.Web.Broken(rw, r, err)
		return registry.OwnSite{}, false
	}
	if ok {
		own, err := j.Registry.Own(r.Context(), id)
		if err == nil {
			return own, true
		}
		if !errors.Is(err, registry.ErrUnknownSite) { // withdrawn a moment ago
			j.Web.Broken(rw, r, err)
			return registry.OwnSite{}, false
		}
	}
	if acting {
		j.ask(rw, r, http.StatusUnauthorized, "code.ended")
	} else {
		j.ask(rw, r, http.StatusOK, "")
	}
	return registry.OwnSite{}, false
}

// ask shows the form for the code; what was typed is not shown again.
func (j *Join) ask(rw http.ResponseWriter, r *http.Request, status int, problem string) {
	p := pages.Page{Template: "code.html", Title: "site.title", Status: status, Data: problem}
	if problem != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: problem}}
	}
	j.show(rw, r, "", p)
}

// enter takes the code.
func (j *Join) enter(rw http.ResponseWriter, r *http.Request) {
	end, ok := j.codes.Guess(rw, r)
	if !ok {
		j.ask(rw, r, http.StatusTooManyRequests, "code.many")
		return
	}
	defer end()
	id, ok, err := j.opens(r)
	switch {
	case err != nil:
		j.Web.Broken(rw, r, err)
	case !ok:
		j.codes.Try(web.From(r))
		j.Log.WarnContext(r.Context(), "owner's code refused", "from", web.From(r))
		j.ask(rw, r, http.StatusUnauthorized, "code.wrong")
	case !j.record(rw, r, act.OwnerLogin, id, nil):
	default:
		if err := j.Web.BeginOwner(r.Context(), rw, id); err != nil {
			j.Web.Broken(rw, r, err)
			return
		}
		http.Redirect(rw, r, SitePath, http.StatusSeeOther)
	}
}

// opens looks up the code of the form. One that cannot be a code is as wrong as
// one that nobody was given.
func (j *Join) opens(r *http.Request) (siteID string, ok bool, err error) {
	typed := r.PostFormValue("code")
	if len(typed) > maxCode {
		return "", false, nil
	}
	code, err := protocol.ParseCode(typed)
	if err != nil {
		return "", false, nil
	}
	return j.Registry.OwnedSite(r.Context(), code)
}

// record puts an act on the trail before it is done; when it returns false the
// answer is written, and the act must not go ahead. The actor is the site: who
// has the code is not asked for a name. more is what the entry says beside the site.
func (j *Join) record(rw http.ResponseWriter, r *http.Request, kind act.Kind, siteID string, more map[string]string) bool {
	details := map[string]string{"site": siteID}
	maps.Copy(details, more)
	err := j.Record(r.Context(), web.Act{Kind: kind, User: registry.User{ID: "owner " + siteID}, From: web.From(r), Count: 1, Details: details})
	if err != nil {
		j.Web.Unrecorded(rw, r, err)
		return false
	}
	return true
}

// leave ends the session.
func (j *Join) leave(rw http.ResponseWriter, r *http.Request) {
	if err := j.Web.EndOwner(rw, r); err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	http.Redirect(rw, r, SitePath, http.StatusSeeOther)
}
