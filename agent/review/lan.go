package review

import (
	"errors"
	"net/http"

	"anagrafe/protocol"
)

// lanView is the page on opening the pages from the network.
type lanView struct {
	URL         string // "" while it is off
	Fingerprint string
	Can         bool   // a password can be set from here
	Error       string // key
}

func (v *Review) lanPage(*http.Request) (answer, error) { return v.showLAN("", 0), nil }

func (v *Review) showLAN(wrong string, status int) answer {
	view := lanView{Can: v.Password != nil, Error: wrong}
	if v.LAN != nil {
		view.URL, view.Fingerprint = v.LAN.URL(), v.LAN.Fingerprint
	}
	a := page("lan.html", "lan.title", view)
	a.json = map[string]string{"url": view.URL, "fingerprint": view.Fingerprint}
	a.page.Status = status
	return a
}

// setLANPassword keeps the password with which the pages open from the network. Who
// had come in from there has to come in again.
func (v *Review) setLANPassword(r *http.Request) (answer, error) {
	var in struct {
		Password string `json:"password"`
	}
	again := ""
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if !filled {
		again = in.Password
	} else {
		in.Password, again = r.PostForm.Get("password"), r.PostForm.Get("again")
	}
	if v.Password == nil {
		return answer{}, problem{status: http.StatusConflict, What: "no password can be set here", key: "lan.cannot"}
	}
	wrong, why := "lan.again.wrong", "the two passwords differ"
	var err error
	if in.Password == again {
		if err = v.Password(in.Password); err == nil {
			own := sessionOf(r)
			v.sessions.close(func(link) bool { return false }, func(s *session) bool { return s.from.lan && s != own })
			return answer{json: map[string]bool{"on": v.LAN != nil}, to: "/lan?done=lan"}, nil
		}
		errs, ok := errors.AsType[protocol.FieldErrors](err)
		if !ok {
			return answer{}, err
		}
		wrong, why = "lan.password.wrong", errs[0].Why
	}
	if wantsJSON(r) {
		return answer{}, protocol.FieldErrors{{Field: "password", Why: why}}
	}
	return v.showLAN(wrong, http.StatusUnprocessableEntity), nil
}
