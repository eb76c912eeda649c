package review

import (
	"net/http"
	"time"

	"anagrafe/protocol/pages"
)

// loginView is the page that asks for the password of the network's door.
type loginView struct {
	Wrong       bool
	Fingerprint string
}

func (d door) askLogin(*http.Request) (answer, error) { return d.loginPage(0, nil), nil }

func (d door) loginPage(status int, note *pages.Note) answer {
	a := page("login.html", "login.title", loginView{Wrong: status == http.StatusUnauthorized, Fingerprint: d.lan.Fingerprint})
	a.page.Status = status
	if note != nil {
		a.page.Notes = []pages.Note{*note}
	}
	return a
}

// login opens a session of the owner with the password. Right and wrong are told
// apart only for clients that may still try: one that tried too often is not told which it was.
func (d door) login(w http.ResponseWriter, r *http.Request) {
	from := network(r.RemoteAddr)
	shown := func(status int, note *pages.Note, err error) {
		d.v.serve(func(*http.Request) (answer, error) {
			if err == nil && wantsJSON(r) {
				err = problem{status: status, What: "this did not open the pages", Field: "password", Hint: "run \"anagrafe-agent open\" on the machine itself"}
			}
			return d.loginPage(status, note), err
		}).ServeHTTP(w, r)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := form(r); err != nil {
		shown(0, nil, err)
		return
	}
	if wait := d.v.logins.try(from); wait > 0 {
		minutes := int((wait + time.Minute - 1) / time.Minute)
		d.v.Log.Warn("too many wrong passwords at the pages in the network: it is asked again later", "minutes", minutes)
		shown(http.StatusTooManyRequests, &pages.Note{Kind: "danger", Text: d.v.words(r).N("login.wait", minutes)}, nil)
		return
	}
	right, err := d.check(r.PostForm.Get("password"))
	switch {
	case err != nil:
		shown(0, nil, err)
	case !right:
		d.v.Log.Warn("a wrong password was typed at the pages in the network")
		shown(http.StatusUnauthorized, nil, nil)
	default:
		d.v.logins.right(from)
		cookie, until := d.v.sessions.enter(browserOf(r, true))
		d.let(w, r, cookie, until)
	}
}

// check compares one password at a time: each costs a small machine much.
func (d door) check(password string) (bool, error) {
	d.v.checking.Lock()
	defer d.v.checking.Unlock()
	return d.lan.Check(password)
}
