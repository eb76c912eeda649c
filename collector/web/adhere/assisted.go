package adhere

import (
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// assistedPath is the list of assisted entries on the operators' listener, which package
// ops has; below it are the form and what is done with an entry.
const assistedPath = "/assisted"

// DictatedPath is where a code opens what was dictated: the code follows.
const DictatedPath = formPath + "/dettata"

// Assisted makes the form that operators fill in for owners who call, write or come: the same
// steps, and at their end the sending to the owner, who confirms. An operator reads what
// they type in the browser in which they began it, for registry.AssistedDraft at most,
// and nothing of it once it is sent.
type Assisted struct {
	Roles  []string                               // who may
	Letter func(registry.Sending) ([]byte, error) // makes the PDF of a letter
}

// form has the fields filled in by nobody but who types: a browser that remembers what
// was typed for others would fill it in for the next one.
func (a *Adhere) form(f form) form {
	if a.Assisted == nil {
		return f
	}
	for _, i := range f {
		i.Auto = "off"
	}
	if i := f["email"]; i != nil && i.Hint == "who.email.hint" {
		i.Hint = "assisted.email.hint"
	}
	return f
}

// assistedView is the page on which an entry begins.
type assistedView struct {
	Base, List string
	Next       string // "": none is being typed in this browser
	Bar        bar
	Medium     choice
	Sendings   int
}

func (a *Adhere) showAssisted(rw http.ResponseWriter, r *http.Request, status int, problem string) {
	s, ok, err := a.open(r)
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	v := assistedView{Base: a.base, List: assistedPath, Sendings: registry.MaxSendings}
	if ok {
		v.Next, v.Bar = a.next(s), a.bar(s, "")
	}
	v.Medium = choice{Input: &input{Name: "medium", Label: "assisted.medium"}}
	for _, m := range registry.Media {
		v.Medium.All = append(v.Medium.All, option{Value: string(m), Key: "medium." + string(m)})
	}
	p := pages.Page{Template: "assisted.html", Title: "assisted.title", Status: status, Self: a.base}
	if problem == "wrong.choose" {
		v.Medium.Input.Error = problem
	}
	if problem != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: problem}}
	}
	p.Data = v
	a.show(rw, r, p)
}

// beginAssisted begins an entry. One that was being typed in this browser is left to its
// time, and is no longer found.
func (a *Adhere) beginAssisted(rw http.ResponseWriter, r *http.Request) {
	u, _ := web.User(r.Context())
	m := registry.Medium(r.PostFormValue("medium"))
	if !slices.Contains(registry.Media, m) {
		a.showAssisted(rw, r, http.StatusUnprocessableEntity, "wrong.choose")
		return
	}
	id := uuid.NewString()
	if !a.record(rw, r, act.AssistedBegin, id, map[string]any{"medium": m}) {
		return
	}
	err := a.Registry.BeginAssisted(r.Context(), id, u.ID, m, a.Web.Now())
	if err == nil {
		err = a.Web.BeginSubmission(r.Context(), rw, id)
	}
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	a.to(rw, r, "/chi")
}

// sendingView is all that was typed, to be read back to the owner, and how it is sent.
type sendingView struct {
	summaryView
	Channel choice
}

func (a *Adhere) sending(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	a.showSending(rw, r, s, "", 0)
}

func (a *Adhere) showSending(rw http.ResponseWriter, r *http.Request, s registry.Submission, problem string, status int) {
	v := sendingView{summaryView: a.whole(r, s, "send")}
	v.Channel = choice{Input: &input{Name: "channel", Label: "send.channel"}, Hint: "send.channel.hint"}
	for i, c := range a.channels(s) {
		v.Channel.All = append(v.Channel.All, option{Value: string(c), Key: "send.channel." + string(c), Chosen: i == 0})
	}
	p := pages.Page{Template: "sending.html", Title: "send.title", Status: status, Self: a.base + "/invio", Data: v}
	if problem != "" {
		p.Notes = []pages.Note{{Kind: "danger", Key: problem}}
	}
	a.show(rw, r, p)
}

// channels are the ways to the owner.
func (a *Adhere) channels(s registry.Submission) []registry.Channel {
	return slices.DeleteFunc(a.Registry.AssistedChannels(s), func(c registry.Channel) bool { return c == registry.ChannelEmail && !a.Mail })
}

// send sends the entry to its owner; from then on nobody here reads it.
func (a *Adhere) send(rw http.ResponseWriter, r *http.Request, s registry.Submission) {
	for _, k := range a.steps() {
		if k.key != "send" && !done(s, k.key) {
			a.showSending(rw, r, s, "send.missing", http.StatusUnprocessableEntity)
			return
		}
	}
	c := registry.Channel(r.PostFormValue("channel"))
	switch {
	case r.PostFormValue("seen") != seen(s): // changed in another window since
		a.showSending(rw, r, s, "send.changed", http.StatusConflict)
		return
	case !slices.Contains(a.channels(s), c):
		a.showSending(rw, r, s, "wrong.choose", http.StatusUnprocessableEntity)
		return
	}
	if !a.record(rw, r, act.AssistedSend, s.ID, map[string]any{"channel": c}) {
		return
	}
	sent, err := a.Registry.SendAssisted(r.Context(), s.ID, s.Assisted.Operator, c, DictatedPath, a.Web.Now())
	if errors.Is(err, registry.ErrTooMuchMail) {
		a.showSending(rw, r, s, "send.toomuch", http.StatusTooManyRequests)
		return
	}
	if err == nil {
		err = a.Web.EndSubmission(rw, r)
	}
	a.sent(rw, r, s.ID, sent, err)
}

// sendAgain sends one that was not confirmed once more.
func (a *Adhere) sendAgain(rw http.ResponseWriter, r *http.Request) {
	id, u, ok := a.entry(rw, r)
	if !ok || !a.record(rw, r, act.AssistedAgain, id, nil) {
		return
	}
	sent, err := a.Registry.SendAssistedAgain(r.Context(), id, u.ID, DictatedPath, a.Web.Now())
	a.sent(rw, r, id, sent, err)
}

// cancel takes one back.
func (a *Adhere) cancel(rw http.ResponseWriter, r *http.Request) {
	id, u, ok := a.entry(rw, r)
	if !ok || !a.record(rw, r, act.AssistedCancel, id, nil) {
		return
	}
	switch err := a.Registry.CancelAssisted(r.Context(), id, u.ID, a.Web.Now()); {
	case errors.Is(err, registry.ErrUnknownAssisted):
		a.showAssisted(rw, r, http.StatusNotFound, "assisted.unknown")
	case err != nil:
		a.Web.Broken(rw, r, err)
	default:
		http.Redirect(rw, r, assistedPath, http.StatusSeeOther)
	}
}

// entry reads of which entry an act is: nothing but a UUID is written to the trail. When
// it returns false the answer is written.
func (a *Adhere) entry(rw http.ResponseWriter, r *http.Request) (id string, u registry.User, ok bool) {
	id = r.PathValue("id")
	u, _ = web.User(r.Context())
	if uuid.Validate(id) != nil || len(id) != 36 {
		a.showAssisted(rw, r, http.StatusNotFound, "assisted.unknown")
		return id, u, false
	}
	n, err := a.Registry.CountAssisted(r.Context(), registry.AssistedFilter{Operator: u.ID, ID: id})
	switch {
	case err != nil:
		a.Web.Broken(rw, r, err)
	case n == 0:
		a.showAssisted(rw, r, http.StatusNotFound, "assisted.unknown")
	default:
		return id, u, true
	}
	return id, u, false
}

// sentView says that it was sent. What a letter has is shown this once.
type sentView struct {
	Number  string
	List    string
	Sending registry.Sending
	Again   bool
	Letter  template.URL // the PDF; "": none
}

func (a *Adhere) sent(rw http.ResponseWriter, r *http.Request, id string, sent registry.Sending, err error) {
	v := sentView{Number: registry.AssistedNumber(id), List: assistedPath, Sending: sent, Again: sent.Name == ""}
	if err == nil && sent.Channel == registry.ChannelLetter {
		var file []byte
		file, err = a.Assisted.Letter(sent)
		v.Letter = template.URL("data:application/pdf;base64," + base64.StdEncoding.EncodeToString(file))
	}
	for of, key := range map[error]string{registry.ErrUnknownAssisted: "assisted.unknown", registry.ErrSentOften: "assisted.often", registry.ErrTooMuchMail: "send.toomuch"} {
		if errors.Is(err, of) {
			a.showAssisted(rw, r, http.StatusConflict, key)
			return
		}
	}
	if err != nil {
		a.Web.Broken(rw, r, err)
		return
	}
	a.show(rw, r, pages.Page{Template: "sent.html", Title: "sent.title", Self: a.base, Data: v})
}
