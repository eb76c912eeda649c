package review

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
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
	enrolled, held := []inventory.Site{grant()}, []inventory.Takeover{{}}
	called := map[string][]protocol.Contact{"": {{}}}
	for name, tc := range map[string]struct {
		inventory.View
		from, want string // key of the page on show; where it goes on
	}{
		"nothing":                    {inventory.View{}, "", "/enrol"},
		"a code":                     {inventory.View{Sites: enrolled}, "code", "/scan"},
		"found before the code":      {inventory.View{Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{unasked}}, "", "/enrol"},
		"found":                      {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{unasked}}, "search", "/mine"},
		"only what is no camera":     {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}}, "search", "/scan"},
		"held by the register":       {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{unasked}, Takeovers: held}, "code", "/takeover"},
		"held, and locked":           {inventory.View{Sites: enrolled, Devices: []inventory.Device{shut}, Takeovers: held}, "code", "/credentials?device=shut"},
		"held, without the password": {inventory.View{Sites: enrolled, Devices: []inventory.Device{shut}, Takeovers: held}, "mine", "/takeover"},
		"locked":                     {inventory.View{Sites: enrolled, Devices: []inventory.Device{shut}}, "search", "/credentials?device=shut"},
		"one locked, one open":       {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr, shut}, Cameras: []inventory.Camera{unasked}}, "search", "/credentials?device=shut"},
		"the password can wait":      {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr, shut}, Cameras: []inventory.Camera{unasked}}, "mine", "/mine"},
		"gone past the password":     {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr, shut}, Cameras: []inventory.Camera{street}}, "", "/cameras/street/place"},
		"one of two is answered":     {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{street, unasked}}, "", "/mine"},
		"left for later":             {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{later, street}}, "mine", "/cameras/street/place"},
		"somebody else's":            {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{foreign, indoor, street}}, "mine", "/cameras/street/place"},
		"the second to be placed":    {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{placed, street}}, "place", "/cameras/street/place"},
		"without a name":             {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{nameless}}, "place", "/cameras/nameless"},
		"placed":                     {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{placed}}, "place", "/hours"},
		"hours":                      {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{timed}}, "hours", "/contact"},
		"all of it":                  {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{ready}, Contacts: called}, "contact", "/approve"},
		"nothing that could leave":   {inventory.View{Sites: enrolled, Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{indoor, foreign}, Contacts: called}, "mine", ""},
		"sent back for what is left": {inventory.View{Devices: []inventory.Device{nvr}, Cameras: []inventory.Camera{ready}, Contacts: called}, "contact", "/enrol"},
	} {
		if got := nextOf(stepsOf(tc.View), tc.from).Href; got != tc.want {
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
	all := o.known(t).Cameras
	if len(all) != 2 {
		t.Fatalf("%d cameras", len(all))
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
		now := o.known(t).Cameras
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
