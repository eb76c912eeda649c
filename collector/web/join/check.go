package join

import (
	"net/http"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// CheckPath is where the code of a request to preserve is checked.
const CheckPath = "/check"

// checkView is what check.html shows.
type checkView struct {
	Problem string // key of what is wrong with the code; "": nothing
	Unknown bool   // no request has this code
	Found   *registry.Checked
}

// checkPage asks for the code of a request.
func (j *Join) checkPage(rw http.ResponseWriter, r *http.Request) {
	j.showCheck(rw, r, http.StatusOK, checkView{})
}

func (j *Join) showCheck(rw http.ResponseWriter, r *http.Request, status int, v checkView) {
	j.show(rw, r, "", pages.Page{Template: "check.html", Title: "check.title", Status: status, Data: v})
}

// check tells of a code whether a force has sent a request with it: which force, by
// which rule, when, and to what kind of place; nothing of the site, the case, the
// officer or what is asked for, as the code may be in anybody's hands. Who guesses
// is slowed down as with the codes of sites. Nothing of it is on a force's trail, as
// nobody consults; that it was checked is counted in the log alone.
func (j *Join) check(rw http.ResponseWriter, r *http.Request) {
	end, ok := j.codes.Guess(rw, r)
	if !ok {
		j.showCheck(rw, r, http.StatusTooManyRequests, checkView{Problem: "code.many"})
		return
	}
	defer end()
	typed := r.PostFormValue("code")
	code, err := protocol.ParseCode(typed[:min(len(typed), maxCode)])
	if err != nil { // a slip of the hand, which the check character finds
		j.showCheck(rw, r, http.StatusUnprocessableEntity, checkView{Problem: "check.typed"})
		return
	}
	found, ok, err := j.Registry.CheckRequest(r.Context(), code)
	switch {
	case err != nil:
		j.Web.Broken(rw, r, err)
	case !ok:
		j.codes.Try(web.From(r))
		j.Log.WarnContext(r.Context(), "code of no request", "from", web.From(r))
		j.showCheck(rw, r, http.StatusNotFound, checkView{Unknown: true})
	default:
		j.Log.InfoContext(r.Context(), "code of a request checked")
		j.showCheck(rw, r, http.StatusOK, checkView{Found: &found})
	}
}
