package adhere

import (
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// What an owner dictated to the office waits here for them: by the link of an e-mail or
// an SMS, or the code of a letter. They look at it, correct it, and adhere as anybody
// does, or refuse, and then it is gone at once.

// dictatedView is the page of a code.
type dictatedView struct {
	Path    string // of the form; ends in the code
	Code    string // "": it is to be typed
	Problem string // key
	GoOn    string // where what is open in this browser goes on; "": nothing is
}

func (a *Adhere) dictated(rw http.ResponseWriter, r *http.Request) { a.showDictated(rw, r, "", 0) }

// showDictated asks for the code.
func (a *Adhere) showDictated(rw http.ResponseWriter, r *http.Request, problem string, status int) {
	v := dictatedView{Path: DictatedPath, Problem: problem}
	s, ok, err := a.open(r)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	if ok && s.Assisted != nil {
		v.GoOn = a.base + a.last()
	}
	a.show(rw, r, pages.Page{Template: "dictated.html", Title: "dictated.title", Status: status, Self: DictatedPath, Data: v})
}

// typedCode takes the code of a letter to where the link of a message leads.
func (a *Adhere) typedCode(rw http.ResponseWriter, r *http.Request) {
	typed := r.PostFormValue("code")
	code, err := protocol.ParseCode(typed[:min(len(typed), maxCode)])
	if err != nil {
		a.showDictated(rw, r, "dictated.wrong", http.StatusUnprocessableEntity)
		return
	}
	if _, _, ok := a.dictation(rw, r, code.String()); ok {
		http.Redirect(rw, r, DictatedPath+"/"+code.String(), http.StatusSeeOther)
	}
}

// dictation finds the entry of a code; when it returns false the answer is written.
func (a *Adhere) dictation(rw http.ResponseWriter, r *http.Request, typed string) (id string, code protocol.Code, ok bool) {
	end, may := a.codes.Guess(rw, r)
	if !may {
		a.showDictated(rw, r, "resume.many", http.StatusTooManyRequests)
		return "", code, false
	}
	defer end()
	code, err := protocol.ParseCode(typed[:min(len(typed), maxCode)])
	if err == nil {
		if id, ok, err = a.Registry.AssistedOf(r.Context(), code, a.Web.Now()); err != nil {
			a.Web.Broken(rw, r, err)
			return "", code, false
		}
	}
	if !ok {
		a.codes.Try(web.From(r))
		a.Log.WarnContext(r.Context(), "a code of an assisted entry refused", "from", web.From(r))
		a.showDictated(rw, r, "dictated.wrong", http.StatusNotFound)
	}
	return id, code, ok
}

// dictatedCode shows buttons: a link alone opens and refuses nothing, since programs that
// look at mail for its reader follow links.
func (a *Adhere) dictatedCode(rw http.ResponseWriter, r *http.Request) {
	if _, code, ok := a.dictation(rw, r, r.PathValue("code")); ok {
		a.show(rw, r, pages.Page{Template: "dictated.html", Title: "dictated.title", Data: dictatedView{Path: DictatedPath + "/" + code.String(), Code: code.String()}})
	}
}

// openDictated opens it in this browser, and uses the code up.
func (a *Adhere) openDictated(rw http.ResponseWriter, r *http.Request) {
	id, code, ok := a.dictation(rw, r, r.PathValue("code"))
	if !ok || !a.record(rw, r, act.AssistedOpen, id, nil) {
		return
	}
	id, ok, err := a.Registry.OpenAssisted(r.Context(), code, a.Web.Now())
	if err == nil && ok {
		err = a.Web.BeginSubmission(r.Context(), rw, id)
	}
	switch {
	case err != nil:
		a.Web.Broken(rw, r, err)
	case !ok:
		a.showDictated(rw, r, "dictated.wrong", http.StatusNotFound)
	default:
		a.to(rw, r, a.last())
	}
}

// refuseUnread deletes what a code opens, without its being looked at.
func (a *Adhere) refuseUnread(rw http.ResponseWriter, r *http.Request) {
	id, _, ok := a.dictation(rw, r, r.PathValue("code"))
	if !ok {
		return
	}
	s, err := a.Registry.Submission(r.Context(), id)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	a.refuse(rw, r, s)
}

// refuse is the owner's no. What they type themselves they throw away (drop).
func (a *Adhere) refuse(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	if s.Assisted == nil {
		a.drop(rw, r)
		return
	}
	if !a.discard(rw, r, s) {
		return
	}
	if err := a.Web.EndSubmission(rw, r); err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	a.show(rw, r, pages.Page{Template: "dictatedrefused.html", Title: "dictated.refused", Self: a.base})
}

// recordOwner puts on the trail what an owner did with what an operator typed, in the
// name of that operator, whose entry it was: the words of the kind say who did it.
func (a *Adhere) recordOwner(rw http.ResponseWriter, r *http.Request, kind act.Kind, id string, d registry.Assisted) bool {
	err := a.Record(r.Context(), web.Act{Kind: kind, User: registry.User{ID: d.Operator}, From: web.From(r), Count: 1, Details: map[string]any{"submission": id, "by": "owner"}})
	if err != nil {
		a.Web.Unrecorded(rw, r, err)
		return false
	}
	return true
}
