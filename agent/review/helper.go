package review

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol/pages"
)

// helperLife is for how long a technician may help with one link.
const helperLife = 24 * time.Hour

// helperView is the page from which the owner lets a technician help.
type helperView struct {
	Link    string       // just made; it is shown once
	QR      template.URL // of Link
	Message string       // ready to be sent
	Mail    template.URL // mailto: with Message
	LAN     bool         // it opens from the network
	Until   time.Time
	Help    []openedView // links and sessions of technicians
}

// helper reports what a technician could do, and what those do who were asked.
func (v *Review) helper(r *http.Request) (answer, error) {
	return v.helperPage(r, helperView{}), nil
}

func (v *Review) helperPage(r *http.Request, view helperView) answer {
	view.LAN = v.LAN != nil
	for _, o := range v.opened(r) {
		if o.Technician {
			view.Help = append(view.Help, o)
		}
	}
	return page("helper.html", "helper.title", view)
}

// newHelper makes a link with a technician's rights. It stands on the page that
// answers and nowhere else: only its hash is kept.
func (v *Review) newHelper(r *http.Request) (answer, error) {
	secret := v.sessions.newLink(roleTechnician, helperLife)
	view := helperView{Link: v.loopbackLink(secret), Until: v.sessions.now().Add(helperLife)}
	w := v.words(r)
	key := "helper.message.here"
	if v.LAN != nil {
		view.Link, key = v.lanLink(secret), "helper.message"
	}
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	where := placeName(w, known)
	view.Message = w.T(key, "place", where, "link", view.Link, "until", w.DateTime(view.Until))
	if v.LAN != nil {
		view.Message += "\n\n" + w.T("helper.message.certificate", "fingerprint", v.LAN.Fingerprint)
	}
	// Spaces as %20: mail programs show a plus as it is.
	view.Mail = template.URL("mailto:?" + mailQuery(w.T("helper.subject", "place", where), view.Message))
	if view.QR, err = pages.QRSource(view.Link); err != nil {
		return answer{}, err
	}
	a := v.helperPage(r, view)
	a.json = map[string]any{"url": view.Link, "until": view.Until}
	return a, nil
}

// mailQuery is subject and body as RFC 6068 writes them.
func mailQuery(subject, body string) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	return "subject=" + escape(subject) + "&body=" + escape(body)
}

// placeName is what to call the place in a message.
func placeName(w *pages.Words, known inventory.View) string {
	if len(known.Sites) > 0 {
		return known.Sites[0].SiteName
	}
	return w.T("helper.noplace")
}
