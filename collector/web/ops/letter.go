package ops

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Messages to owners: a sentence of the queue or words of one's own, shown to the
// owner on their page and at the agent. E-mail says only that there is a message. What
// was sent is not shown here again; that it was is on the trail, without the words.

// letterForm is the form of one.
type letterForm struct {
	Text  string
	Wrong string // key
	// Of one to several sites: how many, and of which lines.
	Sites int
	Query string
	Lines string
}

// proposed is the sentence of the cause that an address names.
func (o *Ops) proposed(r *http.Request) string {
	c := registry.Cause(r.URL.Query().Get("cause"))
	if !slices.Contains(registry.Causes, c) {
		return ""
	}
	return sentence(o.pages.Words(pages.Language(r)), c)
}

// readLetter reads what was typed; wrong is the key of why it cannot be sent.
func readLetter(r *http.Request) (text, count, wrong string) {
	if err := web.ReadFields(r, map[string]*string{"text": &text, "sites": &count}); err != nil {
		return "", "", "letter.unreadable"
	}
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	n := protocol.Notice{ID: "00000000-0000-4000-8000-000000000001", SiteID: "00000000-0000-4000-8000-000000000001", Body: protocol.Letter{Text: text}}
	if errs, ok := errors.AsType[protocol.FieldErrors](n.Validate()); ok && slices.ContainsFunc(errs, func(e protocol.FieldError) bool { return e.Field == "text" }) {
		return text, count, "letter.wrong"
	}
	return text, count, ""
}

// writeTo sends one to a site.
func (o *Ops) writeTo(rw http.ResponseWriter, r *http.Request) {
	site := r.PathValue("id")
	text, _, wrong := readLetter(r)
	if wrong != "" {
		o.refuse(rw, r, http.StatusUnprocessableEntity, bad("text", wrong), func() {
			o.showTechnical(rw, r, http.StatusUnprocessableEntity, letterForm{Text: text, Wrong: wrong})
		})
		return
	}
	there := false
	if err := o.Registry.SiteRows(r.Context(), registry.SiteFilter{ID: site}, registry.SitesByInvitation, registry.Window{Limit: 1}, func(s registry.SiteRow) error {
		there = s.State != registry.Withdrawn
		return nil
	}); err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if !there {
		o.missing(rw, r, "site.unknown")
		return
	}
	o.send(rw, r, []string{site}, text, "/sites/"+site+"?done=letter")
}

func bad(field, key string) wrong { return wrong{field, key} }

// send records that owners are written to, and to which sites, and writes.
func (o *Ops) send(rw http.ResponseWriter, r *http.Request, sites []string, text, to string) {
	u, _ := web.User(r.Context())
	if err := o.Record(r.Context(), web.Act{Kind: act.Letter, User: u, From: web.From(r), Count: len(sites), Details: map[string][]string{"sites": sites}}); err != nil {
		o.Web.Unrecorded(rw, r, err)
		return
	}
	n, err := o.Registry.WriteTo(r.Context(), sites, text, o.Web.Now().UTC())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusCreated, map[string]int{"sites": n})
		return
	}
	http.Redirect(rw, r, to, http.StatusSeeOther)
}

// maxLettered is how many sites are written to at once.
const maxLettered = 5000

// several reads which sites a message to several goes to: those of the lines that the
// address asks for. When it returns false the answer is written.
func (o *Ops) several(rw http.ResponseWriter, r *http.Request) (q query, sites []string, ok bool) {
	if q, ok = o.lines().ask(o, rw, r); !ok {
		return q, nil, false
	}
	all, err := o.queueNow(r.Context())
	if err != nil {
		o.Web.Broken(rw, r, err)
		return q, nil, false
	}
	for l := range linesOf(all, q) {
		sites = append(sites, l.SiteID.String())
	}
	slices.Sort(sites)
	sites = slices.Compact(sites)
	return q, sites[:min(len(sites), maxLettered)], true
}

// askSeveral shows to how many sites a message would go.
func (o *Ops) askSeveral(rw http.ResponseWriter, r *http.Request) {
	if q, sites, ok := o.several(rw, r); ok {
		o.showSeveral(rw, r, http.StatusOK, q, sites, letterForm{Text: o.proposed(r)})
	}
}

func (o *Ops) showSeveral(rw http.ResponseWriter, r *http.Request, status int, q query, sites []string, form letterForm) {
	form.Sites, form.Query, form.Lines = len(sites), q.encode(), "/queue/lines?"+q.encode()
	p := pages.Page{Template: "letter.html", Title: "letter.title", Status: status, Data: form}
	if form.Wrong != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: form.Wrong}}
	} else if r.URL.Query().Get("done") == "letter" {
		p.Notes = []pages.Note{{Kind: "success", Key: "letter.done"}}
	}
	o.show(rw, r, p)
}

// writeSeveral sends one to as many sites as its writer was told, or to none.
func (o *Ops) writeSeveral(rw http.ResponseWriter, r *http.Request) {
	text, count, wrong := readLetter(r)
	q, sites, ok := o.several(rw, r)
	if !ok {
		return
	}
	if n, err := strconv.Atoi(count); wrong == "" && (err != nil || n != len(sites) || n == 0) {
		wrong = "letter.count"
	}
	if wrong != "" {
		o.refuse(rw, r, http.StatusUnprocessableEntity, bad("text", wrong), func() {
			o.showSeveral(rw, r, http.StatusUnprocessableEntity, q, sites, letterForm{Text: text, Wrong: wrong})
		})
		return
	}
	v, _ := url.ParseQuery(q.encode())
	v.Set("done", "letter")
	o.send(rw, r, sites, text, "/queue/letter?"+v.Encode())
}
