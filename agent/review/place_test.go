package review

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// addresses answers as a collector that knows a street.
func addresses(o *owner) {
	o.Places = func(_ context.Context, site, text string) ([]Place, error) {
		switch {
		case site != siteID:
			return nil, inventory.ErrUnknown
		case strings.HasPrefix(strings.ToLower(text), "via torino 1"):
			return []Place{{Name: "Via Torino 1", Lon: 9.2105, Lat: 45.4795, Sure: true}}, nil
		case strings.EqualFold(text, "via torino"):
			return []Place{{Name: "Via Torino", Lon: 9.2107, Lat: 45.4797}, {Name: "Via Torino 60", Lon: 9.2111, Lat: 45.4801, Sure: true}}, nil
		}
		return nil, nil
	}
}

// onTheStreet is a site with an invitation and two cameras that film a street.
func onTheStreet(t *testing.T) (*owner, []inventory.Camera) {
	t.Helper()
	o := start(t)
	if err := o.Inventory.AddGrant(t.Context(), grant().Grant, grant().Collector); err != nil {
		t.Fatal(err)
	}
	if err := o.Inventory.Record(t.Context(), o.found, time.Now()); err != nil {
		t.Fatal(err)
	}
	all := o.known(t).Cameras
	if len(all) != 2 {
		t.Fatalf("%d cameras", len(all))
	}
	for _, c := range all {
		if err := o.Inventory.Set(t.Context(), c.ID, inventory.Edit{Outdoor: new(true)}); err != nil {
			t.Fatal(err)
		}
	}
	return o, all
}

// kept is what the inventory has of a camera.
func (o *owner) kept(t *testing.T, id string) (protocol.Position, protocol.View) {
	t.Helper()
	c, err := o.known(t).Camera(id)
	if err != nil {
		t.Fatal(err)
	}
	return c.Values.Position, c.Values.View
}

// Where a camera begins that was not placed yet: at the address of the invitation,
// then beside the camera that was placed last; what was placed stays.
func TestWhereAPlaceBegins(t *testing.T) {
	o, all := onTheStreet(t)
	o.signIn(t)
	shows := func(id string, want ...string) {
		t.Helper()
		status, page, _ := o.send(t, "GET", "/cameras/"+id+"/place", "")
		if status != http.StatusOK {
			t.Fatalf("the page answers %d", status)
		}
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("the page does not have %s", w)
			}
		}
	}
	shows(all[0].ID, "Cerca l&#39;indirizzo, oppure scrivi le coordinate", `name="position" autocomplete="off" value=""`, `"tiles":null`)
	o.Places = func(context.Context, string, string) ([]Place, error) { return nil, errors.New("nobody answers") }
	shows(all[0].ID, "Cerca l&#39;indirizzo, oppure scrivi le coordinate")
	addresses(o)
	shows(all[0].ID, "Il punto parte dall&#39;indirizzo dell&#39;invito, Via Torino 1", `value="45.479500, 9.210500"`, `name="method" value="address"`, `name="accuracy_m" inputmode="numeric" value="20"`)
	if err := o.Inventory.Set(t.Context(), all[1].ID, inventory.Edit{Lon: new(9.2), Lat: new(45.4), Method: "map", AccuracyM: new(5)}); err != nil {
		t.Fatal(err)
	}
	shows(all[0].ID, "Il punto parte da quello di «Cassa»", `value="45.400000, 9.200000"`, `name="method" value="map"`, `name="accuracy_m" inputmode="numeric" value="15"`)
	if err := o.Inventory.Set(t.Context(), all[0].ID, inventory.Edit{Lon: new(9.1), Lat: new(45.3), Direction: new(226)}); err != nil {
		t.Fatal(err)
	}
	shows(all[0].ID, `value="45.300000, 9.100000"`, "Stesso posto di «Cassa»", `<input type="radio" name="direction" value="226" checked>`)
}

// A technician places cameras too; no picture and no other data come with it.
func TestATechnicianPlaces(t *testing.T) {
	o, all := onTheStreet(t)
	o.signIn(t)
	o.Picture = func(context.Context, string, string) ([]byte, error) {
		t.Error("a picture was fetched")
		return nil, nil
	}
	other := `href="/cameras/` + all[0].ID + `"`
	if _, page, _ := o.send(t, "GET", "/cameras/"+all[0].ID+"/place", ""); !strings.Contains(page, other) {
		t.Error("the owner is not led to the camera's other data")
	}
	o.sessions.open[0].role = roleTechnician
	o.sessions.open[0].notePassword(all[0].Device.ID)
	status, page, _ := o.send(t, "GET", "/cameras/"+all[0].ID+"/place?show="+all[0].ID, "")
	if status != http.StatusOK || strings.Contains(page, other) || strings.Contains(page, "data:image") {
		t.Errorf("%d, with more than is the technician's", status)
	}
	if status, _, _ := o.send(t, "POST", "/cameras/"+all[0].ID+"/place", "position=45.1+9.1"); status != http.StatusSeeOther {
		t.Errorf("it answers %d", status)
	}
	if p, _ := o.kept(t, all[0].ID); !p.Placed() {
		t.Error("nothing was kept")
	}
}

// What a form without scripts keeps, and how the point is said to be placed.
func TestPlaceIsKept(t *testing.T) {
	const at = "45.479500, 9.210500"
	for name, tc := range map[string]struct {
		form   string
		method string
		acc    int
		view   [3]int // direction, angle, range; -1 not known
	}{
		"as proposed":       {"position=" + at + "&start=" + at + "&method=address&accuracy_m=20&direction=225&angle=80&range=30", "address", 20, [3]int{225, 80, 30}},
		"typed over":        {"position=45.479501, 9.2105&start=" + at + "&method=address&accuracy_m=20&direction=0&angle=360&range=2000", "typed", 20, [3]int{0, 360, 2000}},
		"dragged":           {"position=" + at + "&start=" + at + "&method=map&accuracy_m=5&direction=359&angle=1&range=1", "map", 5, [3]int{359, 1, 1}},
		"nothing is known":  {"position=" + at + "&start=" + at + "&method=map&accuracy_m=5&direction=&angle=&range=", "map", 5, [3]int{-1, -1, -1}},
		"nobody says how":   {"position=" + at + "&start=" + at + "&method=&accuracy_m=7", "typed", 7, [3]int{-1, -1, -1}},
		"direction alone":   {"position=" + at + "&direction=90", "typed", 20, [3]int{90, -1, -1}},
		"in other writings": {"position=45,4795 9,2105&direction=90&accuracy_m=", "typed", 20, [3]int{90, -1, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			o, all := onTheStreet(t)
			o.signIn(t)
			if status, _, _ := o.send(t, "POST", "/cameras/"+all[0].ID+"/place", strings.ReplaceAll(tc.form, " ", "+")); status != http.StatusSeeOther {
				t.Fatalf("it answers %d", status)
			}
			p, view := o.kept(t, all[0].ID)
			if p.Method != tc.method || p.AccuracyM != tc.acc || p.Lon != 9_210_500 || p.Lat/10 != 4_547_950 {
				t.Errorf("kept at %+v", p)
			}
			for i, n := range []*int{view.DirectionDeg, view.AngleDeg, view.RangeM} {
				if tc.view[i] < 0 && n != nil || tc.view[i] >= 0 && (n == nil || *n != tc.view[i]) {
					t.Errorf("kept %+v", view)
				}
			}
			if again, _ := o.kept(t, all[1].ID); again.Placed() {
				t.Error("the other camera was placed, too")
			}
		})
	}
}

// What will not do is said beside it, and what was chosen stays.
func TestPlaceIsRefused(t *testing.T) {
	o, all := onTheStreet(t)
	o.signIn(t)
	for name, tc := range map[string]struct{ field, value, says string }{
		"no point":           {"position", "", "position-error"},
		"no place":           {"position", "qui", "position-error"},
		"the middle of none": {"position", "0, 0", "position-error"},
		"direction":          {"direction", "360", "Questo valore non va bene"},
		"angle":              {"angle", "0", "Questo valore non va bene"},
		"range":              {"range", "2001", "Questo valore non va bene"},
		"no number":          {"range", "molto", "Questo valore non va bene"},
		"accuracy":           {"accuracy_m", "-1", "accuracy-error"},
	} {
		t.Run(name, func(t *testing.T) {
			form := url.Values{"position": {"45.4795, 9.2105"}, "direction": {"45"}, "angle": {"110"}, "range": {"77"}}
			form.Set(tc.field, tc.value)
			status, page, _ := o.send(t, "POST", "/cameras/"+all[0].ID+"/place", form.Encode())
			if status != http.StatusUnprocessableEntity || !strings.Contains(page, tc.says) {
				t.Errorf("%d, without %q", status, tc.says)
			}
			for name, value := range map[string]string{"direction": "45", "angle": "110", "range": "77"} {
				if name != tc.field && !strings.Contains(page, `name="`+name+`" value="`+value+`" checked`) {
					t.Errorf("the %s that was chosen is gone", name)
				}
			}
			if p, v := o.kept(t, all[0].ID); p.Placed() || v.DirectionDeg != nil {
				t.Errorf("kept %+v %+v", p, v)
			}
		})
	}
	if status, _, _ := o.send(t, "POST", "/cameras/none/place", "position=45,9"); status != http.StatusNotFound {
		t.Errorf("of a camera that there is not: %d", status)
	}
	// Where the method is none that the register knows, nothing is kept.
	if status, _, _ := o.send(t, "POST", "/cameras/"+all[0].ID+"/place", "position=45.1+9.1&start=45.1+9.1&method=gossip"); status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown method: %d", status)
	}
}

// Without scripts an address is looked up by the page itself, and nothing is kept by it.
func TestPlaceByAddress(t *testing.T) {
	o, all := onTheStreet(t)
	o.signIn(t)
	post := func(form, want string) string {
		t.Helper()
		status, page, _ := o.send(t, "POST", "/cameras/"+all[0].ID+"/place", form)
		if status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%s: %d, without %q", form, status, want)
		}
		return page
	}
	post("address=via+torino&find=1", "Adesso gli indirizzi non si possono cercare")
	addresses(o)
	post("address=via+torino&find=1", `name="near" value="45.479700, 9.210700"`)
	post("address=via+torino&find=1", `name="at" value="45.480100, 9.211100"`)
	post("address=via+torino&find=1", "2 indirizzi trovati")
	post("address=via+Torino+1&find=1", "Un indirizzo trovato")
	post("address=via+Nessuna&find=1", "Nessun indirizzo")
	post("address=&find=1", "Adesso gli indirizzi non si possono cercare")
	if page := post("address=via+torino&at=45.480100,+9.211100",
		`id="position" name="position" autocomplete="off" value="45.480100, 9.211100"`); !strings.Contains(page, `name="accuracy_m" inputmode="numeric" value="20"`) {
		t.Error("a house that was found is not 20 metres sure")
	}
	if page := post("address=via+torino&near=45.479700,+9.210700", `value="45.479700, 9.210700"`); !strings.Contains(page, `name="accuracy_m" inputmode="numeric" value="100"`) {
		t.Error("a street that was found is as sure as a house")
	}
	if p, _ := o.kept(t, all[0].ID); p.Placed() {
		t.Errorf("an address was kept: %+v", p)
	}
	if err := o.Inventory.Set(t.Context(), all[1].ID, inventory.Edit{Lon: new(9.2), Lat: new(45.4)}); err != nil {
		t.Fatal(err)
	}
	post("previous=1", `value="45.400000, 9.200000"`)
}

// Cameras that are kept out, and those of other sites, are not drawn.
func TestOthersOnTheMap(t *testing.T) {
	o, all := onTheStreet(t)
	w := o.pages.Words("it")
	names := func() (names []string) {
		t.Helper()
		for _, p := range othersOf(w, o.known(t), all[0]) {
			names = append(names, p.Name)
		}
		return names
	}
	if err := o.Inventory.Set(t.Context(), all[1].ID, inventory.Edit{Lon: new(9.2), Lat: new(45.4)}); err != nil {
		t.Fatal(err)
	}
	if got := names(); !slices.Equal(got, []string{nameOf(w, all[1])}) {
		t.Errorf("%q are drawn", got)
	}
	second := grant()
	second.SiteID, second.SiteName = "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c002", "Bar di Porta Venezia"
	if err := o.Inventory.AddGrant(t.Context(), second.Grant, second.Collector); err != nil {
		t.Fatal(err)
	}
	for site, want := range map[string]int{siteID: 1, second.SiteID: 0} {
		if err := errors.Join(o.Inventory.Set(t.Context(), all[0].ID, inventory.Edit{SiteID: new(siteID)}),
			o.Inventory.Set(t.Context(), all[1].ID, inventory.Edit{SiteID: &site})); err != nil {
			t.Fatal(err)
		}
		all = o.known(t).Cameras
		if got := names(); len(got) != want {
			t.Errorf("%q are drawn, the other being at %s", got, site)
		}
	}
	if err := o.Inventory.Set(t.Context(), all[1].ID, inventory.Edit{SiteID: new(siteID)}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if last := lastPlaced([]placedCamera{{DrawnCamera: pages.DrawnCamera{Name: "first"}, position: protocol.Position{Fact: protocol.Fact{At: now.Add(-time.Hour)}}},
		{DrawnCamera: pages.DrawnCamera{Name: "last"}, position: protocol.Position{Fact: protocol.Fact{At: now}}},
		{DrawnCamera: pages.DrawnCamera{Name: "second"}, position: protocol.Position{Fact: protocol.Fact{At: now.Add(-time.Minute)}}}}); last.Name != "last" {
		t.Errorf("the last that was placed is the %s", last.Name)
	}
	if err := o.Inventory.Set(t.Context(), all[1].ID, inventory.Edit{Outdoor: new(false)}); err != nil {
		t.Fatal(err)
	}
	if got := names(); got != nil {
		t.Errorf("%q are drawn, which film no street", got)
	}
}

// From one camera that films the street to the next that has no place, then on.
func TestPlaceGoesOn(t *testing.T) {
	o, all := onTheStreet(t)
	o.signIn(t)
	save := func(c inventory.Camera, want string) {
		t.Helper()
		status, _, h := o.send(t, "POST", "/cameras/"+c.ID+"/place", "position=45.1+9.1&direction=90")
		if status != http.StatusSeeOther || h.Get("Location") != want {
			t.Errorf("%d to %s, not to %s", status, h.Get("Location"), want)
		}
	}
	save(all[0], "/cameras/"+all[1].ID+"/place")
	save(all[1], "/hours")
	o.api(t, "POST", "/contact", contactIn{Contact: protocol.Contact{Name: "Anna Neri", Role: "owner", Phone: "+39 02 5550 0100"}}, nil)
	o.api(t, "POST", "/approve", map[string]any{"all": true, "by": "Anna Neri"}, nil)
	save(all[0], "/?done=saved")
}
