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

// passwordForm is the form, with the account to make for it.
func (v *Review) passwordForm(r *http.Request, known inventory.View, d inventory.Device, user, wrong string) passwordView {
	family, w := familyOf(d), v.words(r)
	view := passwordView{Steps: firstRun(r, known), Device: d, What: makerOf(w, d), User: user, Error: wrong, Others: len(lockedLike(known, d)),
		Make: familySteps(w, "account", family), Own: len(steps(w, "account."+string(family))) > 0}
	none := cmp.Or(d.Needs, interrogate.NeedsNothing) == interrogate.NeedsNothing
	view.Open, view.Works = none && !d.HasPassword, none && d.HasPassword
	if last, ok := v.trials.last(d.ID); ok && last.by == sessionOf(r) {
		view.Last = last
	}
	view.Ask = askFor(w, view.What, placeName(w, known), view.Make)
	view.Ask.Helper = may(r, "GET /helper")
	return view
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
func lockedLike(known inventory.View, d inventory.Device) []inventory.Device {
	family := familyOf(d)
	return slices.DeleteFunc(slices.Clone(known.Devices), func(o inventory.Device) bool {
		same := family != "" && familyOf(o) == family || family == "" && d.Vendor != "" && strings.EqualFold(o.Vendor, d.Vendor)
		return o.ID == d.ID || !lockedDevice(o) || !same
	})
}

func deviceOf(known inventory.View, id string) (inventory.Device, error) {
	i := slices.IndexFunc(known.Devices, func(d inventory.Device) bool { return d.ID == id })
	if i < 0 {
		return inventory.Device{}, inventory.ErrUnknown
	}
	return known.Devices[i], nil
}

// askPassword shows the form, how a trial goes on, or what a right password opened.
func (v *Review) askPassword(r *http.Request) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	id := r.URL.Query().Get("device")
	if id == "" && !wantsJSON(r) {
		return firstLocked(known), nil
	}
	d, err := deviceOf(known, id)
	if err != nil {
		return answer{}, err
	}
	var a answer
	last, tried := v.trials.last(id)
	switch {
	case wantsJSON(r):
	case tried && last.Outcome == underWay:
		a = page("trying.html", "trying.title", tryingView{makerOf(v.words(r), d), firstRun(r, known)})
		a.after = v.trialPause
	case sessionOf(r).typed(id) && r.URL.Query().Get("again") == "":
		a = v.proofPage(r, known, d, last)
	default:
		a = page("password.html", "password.title", v.passwordForm(r, known, d, "", ""))
	}
	a.json = d
	return a, nil
}

// tryingView is the page of a trial that goes on.
type tryingView struct {
	What  string
	Steps stepsView
}

// firstLocked leads to the first device that asks for a password; home where none does.
func firstLocked(known inventory.View) answer {
	if i := slices.IndexFunc(known.Devices, lockedDevice); i >= 0 {
		return answer{to: "/credentials?device=" + url.QueryEscape(known.Devices[i].ID)}
	}
	return answer{to: "/"}
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

func (v *Review) proofPage(r *http.Request, known inventory.View, d inventory.Device, last trial) answer {
	w := v.words(r)
	view := proofView{Device: d, What: makerOf(w, d), Open: !d.HasPassword, Still: v.picture(r, d.ID, "", makerOf(w, d)), Others: last.Others,
		Next: onward(r, known, "/"), Steps: firstRun(r, known)}
	for _, c := range known.Cameras {
		if c.Device.ID == d.ID {
			view.Cameras = append(view.Cameras, nameOf(w, c))
		}
	}
	return page("proof.html", "proof.title", view)
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
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
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
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	d, err := deviceOf(known, in.Device)
	if err != nil {
		return answer{}, err
	}
	var others []inventory.Device
	switch {
	case open:
		c = interrogate.Credential{}
	case r.PostForm.Get("others") != "":
		others = lockedLike(known, d)
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
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	d, err := deviceOf(known, in.Device)
	if err != nil {
		return answer{}, err
	}
	view := v.passwordForm(r, known, d, in.User, "wrong.password")
	view.Same, view.Last = r.PostForm.Get("others") != "", trial{}
	a := page("password.html", "password.title", view)
	a.page.Status = http.StatusUnprocessableEntity
	return a, nil
}
