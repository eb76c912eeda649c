package join

import (
	"net/http"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// maxAddress is the most bytes of an address as posted (RFC 5321, 4.5.3.1.3).
const maxAddress = 256

// alertsView is the page on which a reader ends the alerts.
type alertsView struct {
	Token string
	Ended bool
}

// setAlerts is the owner's word whether a contact is told of what is wrong with
// the recorders. The trail says that it was changed, and not whose address it was.
func (j *Join) setAlerts(rw http.ResponseWriter, r *http.Request) {
	own, ok := j.own(rw, r, true)
	if !ok {
		return
	}
	address, wanted := r.PostFormValue("address"), r.PostFormValue("wanted") == "yes"
	if len(address) > maxAddress {
		j.showSite(rw, r, own, http.StatusUnprocessableEntity, "alerts.unknown")
		return
	}
	word := map[bool]string{true: "yes", false: "no"}[wanted]
	if !j.record(rw, r, act.OwnerAlerts, own.ID, map[string]string{"wanted": word}) {
		return
	}
	known, err := j.Registry.SetAlerts(r.Context(), own.ID, address, wanted)
	switch {
	case err != nil:
		j.Web.Broken(rw, r, err)
	case !known: // the contacts have changed since the page was shown
		j.showSite(rw, r, own, http.StatusUnprocessableEntity, "alerts.unknown")
	default:
		http.Redirect(rw, r, SitePath+"#alerts", http.StatusSeeOther)
	}
}

// alertsEnd shows a button: a link alone ends nothing, since programs that look at
// mail for its reader follow links.
func (j *Join) alertsEnd(rw http.ResponseWriter, r *http.Request) {
	if _, ok := j.alertSite(rw, r); ok {
		j.showAlerts(rw, r, false)
	}
}

// endAlerts is the button, and the one click of a mail program (RFC 8058), which
// follows no redirect and sends no cookie.
func (j *Join) endAlerts(rw http.ResponseWriter, r *http.Request) {
	site, ok := j.alertSite(rw, r)
	if !ok {
		return
	}
	if err := j.Record(r.Context(), web.Act{Kind: act.AlertsEnd, User: registry.User{ID: "contact"}, From: web.From(r), Count: 1,
		Details: map[string]any{"site": site}}); err != nil {
		j.Web.Unrecorded(rw, r, err)
		return
	}
	if err := j.Registry.EndAlerts(r.Context(), r.PathValue("token")); err != nil {
		j.Web.Broken(rw, r, err)
		return
	}
	j.showAlerts(rw, r, true)
}

func (j *Join) showAlerts(rw http.ResponseWriter, r *http.Request, ended bool) {
	j.show(rw, r, "", pages.Page{Template: "alerts.html", Title: "alerts.title", Data: alertsView{r.PathValue("token"), ended}})
}

// alertSite reads what a token ends. Where it gives false the answer is written.
func (j *Join) alertSite(rw http.ResponseWriter, r *http.Request) (string, bool) {
	site, ok, err := j.Registry.AlertSite(r.Context(), r.PathValue("token"))
	switch {
	case err != nil:
		j.Web.Broken(rw, r, err)
	case !ok:
		j.show(rw, r, "", pages.Page{Template: "alertsused.html", Title: "alerts.title", Status: http.StatusNotFound})
	}
	return site, ok && err == nil
}
