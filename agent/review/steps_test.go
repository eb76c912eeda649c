package review

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
)

// What the inventory holds says which step is next; who leaves one for later is not
// sent back to it.
func TestStepsOf(t *testing.T) {
	nvr := inventory.Device{ID: "nvr", Kind: interrogate.KindRecorder, Needs: interrogate.NeedsNothing}
	shut := inventory.Device{ID: "shut", Kind: interrogate.KindRecorder, Needs: interrogate.NeedsCredentials}
	camera := func(id string, change func(*inventory.Camera)) inventory.Camera {
		c := inventory.Camera{ID: id, Device: nvr, State: inventory.StateFound, Missing: []string{"position", "contact"}}
		change(&c)
		return c
	}
	unasked := camera("unasked", func(*inventory.Camera) {})
	later := camera("later", func(c *inventory.Camera) { c.Mine = inventory.MineLater })
	foreign := camera("foreign", func(c *inventory.Camera) { c.State = inventory.StateRefused })
	indoor := camera("indoor", func(c *inventory.Camera) { c.Mine, c.Outdoor = inventory.MineYes, new(false) })
	street := camera("street", func(c *inventory.Camera) { c.Mine, c.Outdoor = inventory.MineYes, new(true) })
	placed := camera("placed", func(c *inventory.Camera) {
		c.Mine, c.Outdoor, c.Missing = inventory.MineYes, new(true), []string{"contact"}
	})
	nameless := camera("nameless", func(c *inventory.Camera) {
		c.Mine, c.Outdoor, c.Missing = inventory.MineYes, new(true), []string{"name"}
	})
	timed := placed
	timed.HoursAt = grant().From
	ready := timed
	ready.State = inventory.StateReady
	enrolled := []inventory.Site{grant()}
	for name, tc := range map[string]struct {
		known
		from, want string // key of the page on show; where it goes on
	}{
		"nothing":                    {known{}, "", "/enrol"},
		"a code":                     {known{grants: enrolled}, "code", "/scan"},
		"found before the code":      {known{devices: []inventory.Device{nvr}, cameras: []inventory.Camera{unasked}}, "", "/enrol"},
		"found":                      {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{unasked}}, "search", "/mine"},
		"only what is no camera":     {known{grants: enrolled, devices: []inventory.Device{nvr}}, "search", "/scan"},
		"held by the register":       {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{unasked}, takeover: true}, "code", "/takeover"},
		"held, and locked":           {known{grants: enrolled, devices: []inventory.Device{shut}, takeover: true}, "code", "/credentials?device=shut"},
		"held, without the password": {known{grants: enrolled, devices: []inventory.Device{shut}, takeover: true}, "mine", "/takeover"},
		"locked":                     {known{grants: enrolled, devices: []inventory.Device{shut}}, "search", "/credentials?device=shut"},
		"one locked, one open":       {known{grants: enrolled, devices: []inventory.Device{nvr, shut}, cameras: []inventory.Camera{unasked}}, "search", "/credentials?device=shut"},
		"the password can wait":      {known{grants: enrolled, devices: []inventory.Device{nvr, shut}, cameras: []inventory.Camera{unasked}}, "mine", "/mine"},
		"gone past the password":     {known{grants: enrolled, devices: []inventory.Device{nvr, shut}, cameras: []inventory.Camera{street}}, "", "/cameras/street/place"},
		"one of two is answered":     {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{street, unasked}}, "", "/mine"},
		"left for later":             {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{later, street}}, "mine", "/cameras/street/place"},
		"somebody else's":            {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{foreign, indoor, street}}, "mine", "/cameras/street/place"},
		"the second to be placed":    {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{placed, street}}, "place", "/cameras/street/place"},
		"without a name":             {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{nameless}}, "place", "/cameras/nameless"},
		"placed":                     {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{placed}}, "place", "/hours"},
		"hours":                      {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{timed}}, "hours", "/contact"},
		"all of it":                  {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{ready}, contact: true}, "contact", "/approve"},
		"nothing that could leave":   {known{grants: enrolled, devices: []inventory.Device{nvr}, cameras: []inventory.Camera{indoor, foreign}, contact: true}, "mine", ""},
		"sent back for what is left": {known{devices: []inventory.Device{nvr}, cameras: []inventory.Camera{ready}, contact: true}, "contact", "/enrol"},
	} {
		if got := nextOf(stepsOf(tc.known), tc.from).Href; got != tc.want {
			t.Errorf("%s: on to %q, want %q", name, got, tc.want)
		}
	}
}

// Answers are kept one by one, and taken back; what lacks is told and what was chosen
// stands.
func TestMinePage(t *testing.T) {
	o := start(t)
	o.signIn(t)
	<-o.start()
	if err := o.Inventory.AddGrant(t.Context(), grant().Grant, grant().Collector); err != nil {
		t.Fatal(err)
	}
	all, err := o.Inventory.Cameras(t.Context())
	if err != nil || len(all) != 2 {
		t.Fatalf("%d cameras: %v", len(all), err)
	}
	a, b := all[0].ID, all[1].ID
	for _, tc := range []struct {
		name   string
		form   url.Values
		to     string // "": refused
		states string // of a and b: mine, outdoor, state
		shows  string
	}{
		{"no answer", url.Values{}, "", "/-/found /-/found", "Scegli una delle tre risposte"},
		{"one whole, one half", url.Values{"mine-" + a: {"yes"}, "outdoor-" + a: {"no"}, "mine-" + b: {"yes"}}, "", "yes/no/found /-/found", "Scegli Sì o No"},
		{"a street that is nobody's", url.Values{"mine-" + a: {"no"}, "outdoor-" + b: {"yes"}}, "", "yes/no/refused /-/found", "Scegli una delle tre risposte"},
		{"not mine, later", url.Values{"mine-" + a: {"no"}, "mine-" + b: {"later"}}, "/contact", "yes/no/refused later/-/found", ""},
		{"all mine, but one", url.Values{"all": {all[0].Device.ID}, "mine-" + b: {"no"}, "outdoor-" + a: {"yes"}}, "/cameras/" + a + "/place", "yes/yes/found later/-/refused", ""},
		{"all mine", url.Values{"all": {all[0].Device.ID}, "outdoor-" + a: {"yes"}, "outdoor-" + b: {"no"}}, "/cameras/" + a + "/place", "yes/yes/found yes/no/found", ""},
		{"of another page", url.Values{"camera": {"no-such"}}, "/cameras/" + a + "/place", "yes/yes/found yes/no/found", ""},
	} {
		if !tc.form.Has("camera") {
			tc.form["camera"] = []string{a, b}
		}
		status, body, h := o.send(t, "POST", "/mine", tc.form.Encode())
		if status != map[bool]int{true: 422, false: 303}[tc.to == ""] || h.Get("Location") != tc.to || !strings.Contains(body, tc.shows) {
			t.Errorf("%s: %d to %s", tc.name, status, h.Get("Location"))
		}
		now, err := o.Inventory.Cameras(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range now {
			_, outdoor := knownAnswers(c)
			got = append(got, string(c.Mine)+"/"+or(outdoor, "-")+"/"+string(c.State))
		}
		if !slices.Equal(got, strings.Fields(tc.states)) {
			t.Errorf("%s: %v, want %s", tc.name, got, tc.states)
		}
	}
	// The button of a picture brings the answers back.
	_, body, _ := o.send(t, "GET", "/mine?"+url.Values{"camera": {a, b}, "mine-" + a: {"later"}, "show": {b}}.Encode(), "")
	if !strings.Contains(body, `id="mine-`+a+`-later" name="mine-`+a+`" value="later" checked`) {
		t.Error("what was chosen before a picture was asked for is gone")
	}
}
