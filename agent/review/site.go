package review

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// contactIn is a contact as it is posted: of one site, or of all.
type contactIn struct {
	SiteID string `json:"site_id"`
	protocol.Contact
	Place *protocol.Site `json:"place,omitempty"` // of a site that came without a name
}

// contactView is the page of whom to call.
type contactView struct {
	Contacts []protocol.Contact
	Form     fields
	Steps    stepsView
	Unnamed  bool // a site came without a name: it is asked for here
}

// Categories are those that a place may have, the most frequent as the protocol lists them.
func (c contactView) Categories() []protocol.Category { return protocol.Categories }

// More reports whether the part is open that is not needed: something stands in it.
func (c contactView) More() bool {
	for _, name := range []string{"email", "pec", "hours", "alerts"} {
		if c.Form[name] != (field{}) {
			return true
		}
	}
	return c.Form["role"].Value != string(protocol.RoleOwner)
}

var contactNames = []string{"site_id", "name", "role", "phone", "email", "pec", "hours", "alerts", "place_name", "place_category", "place_address"}

func (v *Review) contacts(r *http.Request) (answer, error) {
	return v.contactPage(r, nil)
}

func (v *Review) contactPage(r *http.Request, f fields) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	contacts := known.Contacts[r.URL.Query().Get("site_id")]
	view := contactView{Contacts: contacts, Form: f, Steps: firstRun(r, known), Unnamed: unnamed(known)}
	if f == nil {
		role := cmp.Or(r.URL.Query().Get("role"), string(protocol.RoleOwner))
		view.Form = fields{"role": {Value: role}}
		for _, c := range contacts {
			if string(c.Role) == role {
				view.Form = fields{"role": {Value: role}, "name": {Value: c.Name}, "phone": {Value: c.Phone},
					"email": {Value: c.Email}, "pec": {Value: c.PEC}, "hours": {Value: c.Hours}}
				if c.Alerts {
					view.Form["alerts"] = field{Value: "yes"}
				}
			}
		}
	}
	a := page("contact.html", "contact.title", view)
	a.json = struct {
		Contacts []protocol.Contact `json:"contacts"`
	}{append([]protocol.Contact{}, contacts...)}
	if f != nil {
		a.page.Status = http.StatusUnprocessableEntity
	}
	return a, nil
}

func (v *Review) setContact(r *http.Request) (answer, error) {
	var in contactIn
	var f fields
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		f = typed(r, contactNames...)
		in = contactIn{SiteID: f["site_id"].Value, Contact: protocol.Contact{Name: f["name"].Value, Role: protocol.Role(f["role"].Value),
			Phone: f["phone"].Value, Email: f["email"].Value, PEC: f["pec"].Value, Hours: f["hours"].Value, Alerts: f["alerts"].Value != ""}}
		known, err := v.Inventory.View(r.Context())
		if err != nil {
			return answer{}, err
		}
		if unnamed(known) {
			in.Place = &protocol.Site{Name: f["place_name"].Value, Category: protocol.Category(f["place_category"].Value), Address: f["place_address"].Value}
		}
	}
	var err error
	if in.Place != nil {
		err = v.Inventory.NameSite(r.Context(), in.SiteID, *in.Place)
	}
	nobody := in.Contact == protocol.Contact{Role: in.Role}
	if err == nil && (in.Place == nil || f != nil || !nobody) {
		err = v.Inventory.SetContact(r.Context(), in.SiteID, in.Contact)
	}
	if errs, ok := errors.AsType[protocol.FieldErrors](err); ok && f != nil && !wantsJSON(r) {
		f.wrong(errs, nil)
		return v.contactPage(r, f)
	}
	if err != nil {
		return answer{}, err
	}
	to, err := v.nextOr(r, "/?done=contact")
	return answer{json: in, to: to}, err
}

// unnamed reports whether a site came without a name.
func unnamed(known inventory.View) bool {
	return slices.ContainsFunc(known.Sites, func(g inventory.Site) bool { return g.SiteName == "" })
}

// enrolView is the form for the code from the Comune.
type enrolView struct {
	Grants []inventory.Site
	Form   fields
	Detail string // in English, for whoever helps
	Steps  stepsView
}

func (v *Review) askCode(r *http.Request) (answer, error) {
	// A link from the Comune may bring the code; only the button uses it up.
	return v.enrolPage(r, fields{"code": {Value: strings.TrimSpace(r.URL.Query().Get("code"))}}, "", 0)
}

func (v *Review) enrolPage(r *http.Request, f fields, detail string, status int) (answer, error) {
	known, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	a := page("enrol.html", "enrol.title", enrolView{Grants: known.Sites, Form: f, Detail: detail, Steps: firstRun(r, known)})
	a.json = struct {
		Sites []inventory.Site `json:"sites"`
	}{append([]inventory.Site{}, known.Sites...)}
	a.page.Status = status
	return a, nil
}

// enrolled is the answer to a code: the grant, and how many cameras of the site
// the register already holds that are not known here.
type enrolled struct {
	inventory.Site
	Recorded int `json:"recorded"`
}

// enrol redeems a code; the answer is the grant that it gave.
func (v *Review) enrol(r *http.Request) (answer, error) {
	var in struct {
		Code      string `json:"code"`
		Collector string `json:"collector"`
		Replace   bool   `json:"replace"`
	}
	if filled, err := read(r, &in); err != nil {
		return answer{}, err
	} else if filled {
		in.Code, in.Collector = strings.TrimSpace(r.PostForm.Get("code")), strings.TrimSpace(r.PostForm.Get("collector"))
	}
	before, err := v.Inventory.View(r.Context())
	if err != nil {
		return answer{}, err
	}
	if err := v.Enrol(r.Context(), in.Code, in.Collector, in.Replace); err != nil {
		reason, hint := v.Explain(err)
		v.Log.Warn("enrolment failed", "reason", reason, "err", err)
		if wantsJSON(r) {
			return answer{}, problem{status: http.StatusUnprocessableEntity, What: err.Error(), Field: enrolField(reason), Hint: hint}
		}
		f := typed(r, "code", "collector")
		c := f[enrolField(reason)]
		c.Error = "enrol.failed"
		if v.words(r).Has("reason." + reason) {
			c.Error = "reason." + reason
		}
		f[enrolField(reason)] = c
		return v.enrolPage(r, f, err.Error(), http.StatusUnprocessableEntity)
	}
	after, err := v.Inventory.View(r.Context())
	if err != nil || len(after.Sites) == 0 {
		return answer{}, errors.Join(err, errors.New("enrolled, but no site was granted"))
	}
	granted := after.Sites[len(after.Sites)-1]
	for _, g := range after.Sites {
		if !slices.Contains(before.Sites, g) {
			granted = g
		}
	}
	to := onward(r, after, "/?done=enrolled")
	switch {
	case to == "/scan": // there is no reason to wait for another click
		if !wantsJSON(r) {
			v.start()
		}
	case len(after.Takeovers) > 0 && to == "/?done=enrolled": // the first run is over, and leads to it no more
		to = "/takeover"
	}
	return answer{json: enrolled{granted, recordedOf(after.Takeovers, granted.SiteID)}, to: to}, nil
}

// enrolField is the control that an enrolment's failure is shown at.
func enrolField(reason string) string {
	switch reason {
	case "no-collector", "unreachable", "server-untrusted", "proxy-refused", "other-collector":
		return "collector"
	}
	return "code"
}

// standing is what the page reads of Options.Status's JSON.
type standing struct {
	Version          string         `json:"version"`
	AgentID          string         `json:"agent_id"`
	Collector        string         `json:"collector"`
	Transport        string         `json:"transport"`
	ConnectedAt      time.Time      `json:"connected_at"`
	Connection       string         `json:"connection"` // "held", "parked"
	NextSlot         time.Time      `json:"next_slot"`
	LastAcknowledged time.Time      `json:"last_acknowledged"`
	LastError        string         `json:"last_error"`
	LastReason       string         `json:"last_reason"`     // the stable word for it
	ClockOffsetMs    int64          `json:"clock_offset_ms"` // this computer minus the collector
	ClockWrong       bool           `json:"clock_wrong"`
	Messages         map[string]int `json:"messages"` // by inventory.SentState
}

type statusView struct {
	standing
	Clock    string   // of this computer, where it is wrong
	Trouble  string   // key of what a person must do about the line; "": nothing
	Lost     bool     // of a site this computer is not recognised any more
	refused  []string // ids of sites: see View.NotGranted
	Sites    []inventory.Site
	Owner    []inventory.OwnerAccess
	Devices  []deviceState
	Browsers []openedView // in which the pages are open; the owner's to see
	Others   bool         // the owner asks, and may close others
	Open     int          // how many of Browsers are no links
	LANURL   string       // where they open from the network; "": nowhere
	Alerts   []alert      // of what the owner would want to know of his recorders
	Shared   bool         // something of a site is in the register
	Hidden   bool         // a site of these is suspended
}

// Calm says that there is nothing to do.
func (s statusView) Calm() bool {
	return s.Shared && !s.Lost && s.Trouble == "" && !s.ClockWrong && len(s.Alerts) == 0 && (s.Transport != "" || s.Connection == "parked")
}

// NeedsCode says that a site is held by an identity that this computer has no more,
// or by a grant that the register does not know any more.
func (s statusView) NeedsCode(g inventory.Site) bool {
	return g.AgentID != "" && g.AgentID != s.AgentID || slices.Contains(s.refused, g.SiteID)
}

type deviceState struct {
	inventory.Device
	Clock string
}

func (v *Review) status(r *http.Request) (answer, error) {
	full, err := v.Status(r.Context())
	if err != nil {
		return answer{}, err
	}
	if wantsJSON(r) {
		return answer{json: full}, nil
	}
	view, err := v.standing(r.Context(), v.words(r), full)
	if err != nil {
		return answer{}, err
	}
	if !may(r, "GET /keep") {
		view.Owner = nil // the code with which an entry is withdrawn
	} else {
		view.Browsers, view.Others = v.opened(r), true
		for _, b := range view.Browsers {
			if !b.Unused {
				view.Open++
			}
		}
	}
	if v.LAN != nil {
		view.LANURL = v.LAN.URL()
	}
	return page("status.html", "status.title", view), nil
}

func (v *Review) standing(ctx context.Context, w *pages.Words, full any) (view statusView, err error) {
	text, err := json.Marshal(full)
	if err != nil {
		return view, err
	}
	if err := json.Unmarshal(text, &view.standing); err != nil {
		return view, err
	}
	if key := "line." + view.LastReason; w.Has(key) {
		view.Trouble = key
	}
	if view.ClockWrong {
		view.Clock = clockWords(w, &protocol.Clock{OffsetMs: view.ClockOffsetMs})
	}
	known, err := v.Inventory.View(ctx)
	if err != nil {
		return view, err
	}
	view.Sites, view.refused = known.Sites, known.NotGranted
	view.Lost = slices.ContainsFunc(view.Sites, view.NeedsCode)
	if view.Owner, err = v.Inventory.OwnerAccess(ctx); err != nil {
		return view, err
	}
	for _, d := range known.Devices {
		view.Devices = append(view.Devices, deviceState{d, clockWords(w, d.Clock)})
	}
	view.Alerts = alertsOf(w, known.Devices, known.Cameras)
	view.Shared = slices.ContainsFunc(known.Cameras, func(c inventory.Camera) bool { return c.State == inventory.StateDeclared })
	view.Hidden = slices.ContainsFunc(view.Sites, func(g inventory.Site) bool { return g.State == protocol.SiteSuspended })
	return view, nil
}
