package review

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// passwordView is the form for a recorder's password.
type passwordView struct {
	Device inventory.Device
	What   string // maker and model, for people
	User   string
	Error  string // key
	Last   trial  // of this session; zero: none
	Others int    // locked ones of the same family
	Same   bool   // "also for the others" was ticked
	Open   bool   // it asks for none
	Works  bool   // one is kept, and it works
	Make   []string
	Own    bool // Make is for this family, not in general
	Ask    askTechnician
	Steps  stepsView
}

// askTechnician is a message that asks for a user, ready to be sent.
type askTechnician struct {
	Text   string
	Mail   template.URL // mailto: with Text
	Helper bool         // a link may be made for them
}

// passwordPage is the form, with the account to make for it.
func (v *Review) passwordPage(r *http.Request, d inventory.Device, user, wrong string) (answer, error) {
	family, w := familyOf(d), v.words(r)
	others, err := v.lockedLike(r, d)
	if err != nil {
		return answer{}, err
	}
	place, err := v.placeName(r)
	if err != nil {
		return answer{}, err
	}
	view := passwordView{Device: d, What: makerOf(v.words(r), d), User: user, Error: wrong, Others: len(others),
		Make: familySteps(w, "account", family), Own: len(steps(w, "account."+string(family))) > 0}
	none := cmp.Or(d.Needs, interrogate.NeedsNothing) == interrogate.NeedsNothing
	view.Open, view.Works = none && !d.HasPassword, none && d.HasPassword
	if last, ok := v.trials.last(d.ID); ok && last.by == sessionOf(r) {
		view.Last = last
	}
	view.Ask = askFor(w, view.What, place, view.Make)
	view.Ask.Helper = may(r, "GET /helper")
	if view.Steps, err = v.firstRun(r); err != nil {
		return answer{}, err
	}
	return page("password.html", "password.title", view), nil
}

// askFor writes the message to the recorder's technician. It holds no address of
// the network and asks for no password by the same way.
func askFor(w *pages.Words, what, place string, steps []string) askTechnician {
	var text strings.Builder
	text.WriteString(w.T("password.ask.hello") + "\n\n")
	text.WriteString(w.T("password.ask.why", "what", what, "place", place))
	text.WriteString("\n\n")
	for i, s := range steps {
		text.WriteString(strconv.Itoa(i+1) + ". " + s + "\n")
	}
	text.WriteString("\n" + w.T("password.ask.how") + "\n\n" + w.T("password.ask.thanks"))
	return askTechnician{Text: text.String(), Mail: template.URL("mailto:?" + mailQuery(w.T("password.ask.subject", "what", what), text.String()))}
}

// lockedDevice reports that a device asks for a password that is not known.
func lockedDevice(d inventory.Device) bool {
	switch d.Needs {
	case interrogate.NeedsCredentials, interrogate.NeedsWrongPassword, interrogate.NeedsPasswordOrClock:
		return true
	}
	return false
}

// lockedLike are the other locked devices of a device's family; where that is not
// known, of its maker.
func (v *Review) lockedLike(r *http.Request, d inventory.Device) ([]inventory.Device, error) {
	all, err := v.Inventory.Devices(r.Context())
	if err != nil {
		return nil, err
	}
	family := familyOf(d)
	return slices.DeleteFunc(all, func(o inventory.Device) bool {
		same := family != "" && familyOf(o) == family || family == "" && d.Vendor != "" && strings.EqualFold(o.Vendor, d.Vendor)
		return o.ID == d.ID || !lockedDevice(o) || !same
	}), nil
}

func (v *Review) device(r *http.Request, id string) (inventory.Device, error) {
	devices, err := v.Inventory.Devices(r.Context())
	if err != nil {
		return inventory.Device{}, err
	}
	i := slices.IndexFunc(devices, func(d inventory.Device) bool { return d.ID == id })
	if i < 0 {
		return inventory.Device{}, inventory.ErrUnknown
	}
	return devices[i], nil
}

// askPassword shows the form, how a trial goes on, or what a right password opened.
func (v *Review) askPassword(r *http.Request) (answer, error) {
	id := r.URL.Query().Get("device")
	if id == "" && !wantsJSON(r) {
		return v.firstLocked(r)
	}
	d, err := v.device(r, id)
	if err != nil {
		return answer{}, err
	}
	var a answer
	last, tried := v.trials.last(id)
	switch {
	case wantsJSON(r):
	case tried && last.Outcome == underWay:
		view := tryingView{What: makerOf(v.words(r), d)}
		view.Steps, err = v.firstRun(r)
		a = page("trying.html", "trying.title", view)
		a.after = v.trialPause
	case sessionOf(r).typed(id) && r.URL.Query().Get("again") == "":
		a, err = v.proofPage(r, d, last)
	default:
		a, err = v.passwordPage(r, d, "", "")
	}
	a.json = d
	return a, err
}

// tryingView is the page of a trial that goes on.
type tryingView struct {
	What  string
	Steps stepsView
}

// firstLocked leads to the first device that asks for a password; home where none does.
func (v *Review) firstLocked(r *http.Request) (answer, error) {
	all, err := v.Inventory.Devices(r.Context())
	if err != nil {
		return answer{}, err
	}
	if i := slices.IndexFunc(all, lockedDevice); i >= 0 {
		return answer{to: "/credentials?device=" + url.QueryEscape(all[i].ID)}, nil
	}
	return answer{to: "/"}, nil
}

// proofView is what a right password opened.
type proofView struct {
	Device  inventory.Device
	What    string
	Open    bool // it asks for none
	Cameras []string
	Still   still
	Others  []spread
	Next    string
	Steps   stepsView
}

func (v *Review) proofPage(r *http.Request, d inventory.Device, last trial) (answer, error) {
	cameras, err := v.Inventory.Cameras(r.Context())
	if err != nil {
		return answer{}, err
	}
	view := proofView{Device: d, What: makerOf(v.words(r), d), Open: !d.HasPassword, Still: v.picture(r, d.ID, "", makerOf(v.words(r), d)), Others: last.Others}
	w := v.words(r)
	for _, c := range cameras {
		if c.Device.ID == d.ID {
			view.Cameras = append(view.Cameras, nameOf(w, c))
		}
	}
	if view.Next, err = v.nextHref(r); err != nil {
		return answer{}, err
	}
	if view.Steps, err = v.firstRun(r); err != nil {
		return answer{}, err
	}
	return page("proof.html", "proof.title", view), nil
}

// passwordIn is a password as it is posted.
type passwordIn struct {
	Device   string `json:"device"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// setPassword keeps a password, sealed; from the page it is tried at once, and so is
// that a device asks for none. The command line has a search follow.
func (v *Review) setPassword(r *http.Request) (answer, error) {
	var in passwordIn
	if isJSON(r) {
		if err := decode(r, &in); err != nil {
			return answer{}, err
		}
	} else {
		if err := form(r); err != nil {
			return answer{}, err
		}
		// Not trimmed: a space may belong to a password.
		in = passwordIn{r.PostForm.Get("device"), r.PostForm.Get("user"), r.PostForm.Get("password")}
	}
	open := !isJSON(r) && r.PostForm.Get("open") != ""
	if !open && !in.usable() {
		return v.refuseTyped(r, in)
	}
	c := interrogate.Credential{User: in.User, Password: in.Password}
	if wantsJSON(r) {
		return answer{json: map[string]string{"device": in.Device}}, v.Inventory.SetCredential(r.Context(), in.Device, c)
	}
	d, err := v.device(r, in.Device)
	if err != nil {
		return answer{}, err
	}
	var others []inventory.Device
	switch {
	case open:
		c = interrogate.Credential{}
	case r.PostForm.Get("others") != "":
		if others, err = v.lockedLike(r, d); err != nil {
			return answer{}, err
		}
	}
	v.try(sessionOf(r), d, c, others)
	q := url.Values{"device": {d.ID}, showing: {d.ID}}
	return answer{to: "/credentials?" + q.Encode()}, nil
}

// usable reports that both were typed, within what devices take.
func (in passwordIn) usable() bool {
	const most = 256
	return in.User != "" && in.Password != "" && len(in.User) <= most && len(in.Password) <= most
}

// refuseTyped says what is missing. The password is typed anew.
func (v *Review) refuseTyped(r *http.Request, in passwordIn) (answer, error) {
	if wantsJSON(r) {
		return answer{}, protocol.FieldErrors{{Field: "password", Why: "give user and password, of at most 256 bytes each"}}
	}
	d, err := v.device(r, in.Device)
	if err != nil {
		return answer{}, err
	}
	a, err := v.passwordPage(r, d, in.User, "wrong.password")
	if err != nil {
		return answer{}, err
	}
	view := a.page.Data.(passwordView)
	view.Same, view.Last = r.PostForm.Get("others") != "", trial{}
	a.page.Data, a.page.Status = view, http.StatusUnprocessableEntity
	return a, nil
}
