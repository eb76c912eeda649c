package review

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// declaredElsewhere is what the register holds after another computer declared
// the two cameras of recorder, and a third that is gone.
func declaredElsewhere(t *testing.T) []byte {
	t.Helper()
	o := start(t)
	other := recorder()
	third := other.Channels[0]
	third.ID, third.Name = "3", "Retro, cortile"
	other.Channels[1].Name = "Cassa vecchia"
	other.Channels = append(other.Channels, third)
	ctx := t.Context()
	err := errors.Join(o.Inventory.AddGrant(ctx, grant().Grant, grant().Collector), o.Inventory.Record(ctx, append(o.found[:0:0], other), time.Now()),
		o.Inventory.SetContact(ctx, "", protocol.Contact{Name: "Anna Neri", Phone: "+39 02 123456"}))
	if err != nil {
		t.Fatal(err)
	}
	all := o.known(t).Cameras
	for _, c := range all {
		if err := o.Inventory.Set(ctx, c.ID, inventory.Edit{Outdoor: new(true), Lon: new(9.1859), Lat: new(45.4641), Direction: new(90), By: "Anna Neri"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.Inventory.Approve(ctx, inventory.Selection{All: true}, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	sent, err := o.Inventory.Outbox(ctx)
	if err != nil || len(sent) != 1 {
		t.Fatalf("%d messages: %v", len(sent), err)
	}
	return sent[0].Raw
}

// newHardware is another computer that was enrolled for the site; replaced
// counts how often it was said that it takes the others' place.
func newHardware(t *testing.T, others int) (o *owner, replaced *int) {
	t.Helper()
	message := declaredElsewhere(t)
	o, replaced = start(t), new(int)
	enrol := o.Enrol
	o.Review.Enrol = func(ctx context.Context, code, collector string, replace bool) error {
		if replace {
			*replaced++
			return nil
		}
		if err := enrol(ctx, code, collector, replace); err != nil {
			return err
		}
		g := grant()
		g.Others = others
		return errors.Join(o.Inventory.AddGrant(ctx, g.Grant, g.Collector), o.Inventory.SetRecorded(ctx, siteID, code, message))
	}
	if err := errors.Join(o.Scan(t.Context()), o.Enrol(t.Context(), "GIUSTO", "", false)); err != nil {
		t.Fatal(err)
	}
	return o, replaced
}

// New hardware: the owner is asked which cameras are the register's, and finds
// them ready to be shared.
func TestTakeOverInTheBrowser(t *testing.T) { takeOverInTheBrowser(t, narrow) }

func takeOverInTheBrowser(t *testing.T, tc window) {
	o, replaced := newHardware(t, 1)
	b := o.browser(t, tc.width)
	check := func(name string) { t.Helper(); b.Check(tc.name + "-takeover-" + name) }
	b.Visit("/?lang=" + tc.lang)
	check("1-next")
	b.Press(".next a")
	check("2-choice")
	all := o.known(t).Takeovers
	if len(all) != 1 || len(all[0].Recorded) != 3 {
		t.Fatalf("%+v", all)
	}
	doubtful := slices.IndexFunc(all[0].Recorded, func(r inventory.Recorded) bool { return r.Here != "" && !r.Sure })
	first := all[0].Recorded[doubtful].Camera.ID
	// One camera chosen for two is refused, and what was chosen stays.
	sure := slices.IndexFunc(all[0].Recorded, func(r inventory.Recorded) bool { return r.Sure })
	b.Fill("#here-"+first, all[0].Recorded[sure].Here)
	b.Click("#replace-yes")
	b.Press("main form button")
	check("3-refused")
	if *replaced != 0 {
		t.Error("the other computer was ended by a choice that was refused")
	}
	if got := pagestest.Eval[string](b, "document.querySelector('#here-"+first+"').value"); got != all[0].Recorded[sure].Here {
		t.Errorf("what was chosen is gone: %q", got)
	}
	b.Fill("#here-"+first, all[0].Recorded[doubtful].Here)
	b.Click("#replace-yes")
	b.Press("main form button")
	check("4-ready")
	cameras := o.known(t).Cameras
	if len(cameras) != 3 {
		t.Fatalf("%d cameras", len(cameras))
	}
	for _, c := range cameras {
		if c.State != inventory.StateReady || c.Values.Position.Point == (protocol.Point{}) {
			t.Errorf("%s is %s, missing %v", c.Values.Name, c.State, c.Missing)
		}
	}
	if *replaced == 0 {
		t.Error("the other computer goes on")
	}
	if sent, err := o.Inventory.Outbox(t.Context()); err != nil || len(sent) > 0 {
		t.Errorf("%d messages wait, %v", len(sent), err)
	}
	check("5-summary")
}

// Without a choice to make, this computer takes the place of those that no
// longer speak; beside one that does, only if the owner says so.
func TestTakeOverReplaces(t *testing.T) {
	for _, tc := range []struct {
		others  int
		say     string
		unfound string // what is said of each recorded camera
		want    int
		cameras int // two are found, three recorded
	}{{0, "no", dropped, 1, 2}, {1, "no", dropped, 0, 2}, {1, "yes", dropped, 1, 2},
		{0, "no", "", 1, 5}, {1, "yes", "", 1, 5}, {1, "no", "", 0, 2}} { // beside it, the other one keeps them
		o, replaced := newHardware(t, tc.others)
		o.signIn(t)
		all := o.known(t).Takeovers
		in := url.Values{"site_id": {siteID}, "replace": {tc.say}}
		for _, r := range all[0].Recorded {
			in.Add("recorded", r.Camera.ID)
			in.Set("here-"+r.Camera.ID, tc.unfound)
		}
		status, _, header := o.send(t, "POST", "/takeover", in.Encode())
		if status != 303 || header.Get("Location") == "/takeover" || *replaced != tc.want {
			t.Errorf("%+v: %d to %s, replaced %d times", tc, status, header.Get("Location"), *replaced)
		}
		if cameras := o.known(t).Cameras; len(cameras) != tc.cameras {
			t.Errorf("%+v: %d cameras", tc, len(cameras))
		}
	}
}

func TestVisitReport(t *testing.T) {
	o := start(t)
	o.found = append(o.found, locked())
	for lang, want := range map[pages.Lang]string{pages.It: "Nulla è stato condiviso", pages.En: "Nothing was shared"} {
		if text, err := o.VisitReport(t.Context(), lang); err != nil || !strings.Contains(text, want) {
			t.Errorf("before anything: %v\n%s", err, text)
		}
	}
	ctx := t.Context()
	if err := errors.Join(o.Scan(ctx), o.Enrol(ctx, "GIUSTO", "", false), o.Inventory.SetContact(ctx, "", protocol.Contact{Name: "Anna Neri", Phone: "+39 02 123456"})); err != nil {
		t.Fatal(err)
	}
	all := o.known(t).Cameras
	if err := o.Inventory.Set(ctx, all[0].ID, inventory.Edit{Outdoor: new(true), Lon: new(9.1859), Lat: new(45.4641), By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Inventory.Approve(ctx, inventory.Selection{IDs: []string{all[0].ID}}, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	report := func() string {
		t.Helper()
		text, err := o.VisitReport(ctx, pages.En)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"192.168.", "SERIALE", "00:16:6c"} {
			if strings.Contains(text, secret) {
				t.Errorf("the report holds %q:\n%s", secret, text)
			}
		}
		return text
	}
	if text := report(); !strings.Contains(text, "NOT recorded") || strings.Contains(text, "Receipt") {
		t.Errorf("what was not sent reads as recorded:\n%s", text)
	}
	code := acknowledge(t, o)
	sent, err := o.Inventory.Outbox(ctx)
	if err != nil {
		t.Fatal(err)
	}
	text := report()
	for _, want := range []string{"Recorded by the municipality", "Bar Centrale", "Anna Neri", sent[0].SHA256, sent[0].ID,
		"asks for a password", "not in the register", ownerLink, code.String(), strings.TrimSpace(sent[0].Receipt)} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q:\n%s", want, text)
		}
	}
}

// typedElsewhere is what the register holds after somebody typed a camera on a form.
func typedElsewhere(t *testing.T) []byte {
	t.Helper()
	at := time.Now().Add(-time.Hour)
	fact, recorder := protocol.Fact{Source: protocol.Declared, At: at}, "7f0f57a0-52a5-4fc1-9f5e-0d4a3f5a1c01"
	raw, err := protocol.Encode(protocol.Message{ID: "7f0f57a0-52a5-4fc1-9f5e-0d4a3f5a1c02", SiteID: siteID, Epoch: 1, Revision: 1, MadeAt: at, Body: protocol.Declaration{
		Site: protocol.Site{Name: "Bar Centrale", Category: "shop"}, Contacts: []protocol.Contact{{Name: "Anna Neri", Role: protocol.RoleOwner, Phone: "+39 02 123456"}},
		Approval: protocol.Approval{By: "Anna Neri", Role: protocol.RoleOwner, At: at}, Recorders: []protocol.Recorder{{ID: recorder}},
		Cameras: []protocol.Camera{{ID: "7f0f57a0-52a5-4fc1-9f5e-0d4a3f5a1c03", RecorderID: recorder, Name: "Vetrina", NameFact: fact,
			Position: protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}, Method: "typed", Fact: fact}, View: protocol.View{Fact: fact},
			OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna Neri", At: at}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What was typed waits for the recorder's password, then for a choice that nobody but
// the owner makes.
func TestTakeOverWhatWasTyped(t *testing.T) {
	found := func(d interrogate.Device) *owner {
		o := start(t)
		o.found = append(o.found[:0:0], d)
		if err := errors.Join(o.Scan(t.Context()), o.Enrol(t.Context(), "GIUSTO", "", false), o.Inventory.SetRecorded(t.Context(), siteID, "GIUSTO", typedElsewhere(t))); err != nil {
			t.Fatal(err)
		}
		o.signIn(t)
		return o
	}
	o := found(locked())
	if _, body, _ := o.send(t, "GET", "/scan", ""); !strings.Contains(body, `href="/credentials?device=`) {
		t.Error("the search does not lead to the password")
	}
	if _, body, _ := o.send(t, "GET", "/takeover", ""); !strings.Contains(body, "Prima scrivi la password") || !strings.Contains(body, `<option value="on-`) {
		t.Errorf("the password is not asked for first:\n%s", body)
	}
	o = found(recorder())
	if _, body, _ := o.send(t, "GET", "/scan", ""); !strings.Contains(body, `href="/takeover"`) {
		t.Error("an open recorder does not lead to the choice")
	}
	all := o.known(t).Takeovers
	if len(all) != 1 {
		t.Fatal(all)
	}
	typed := all[0].Recorded[0]
	in := url.Values{"site_id": {siteID}, "recorded": {typed.Camera.ID}, "here-" + typed.Camera.ID: {undecided}}
	if status, body, _ := o.send(t, "POST", "/takeover", in.Encode()); status != 422 || !strings.Contains(body, "Scegli quale è tra quelle") {
		t.Errorf("a camera left open: %d", status)
	}
	// A picture is looked at, and what was chosen meanwhile stands.
	in.Set("here-"+typed.Camera.ID, dropped)
	if _, body, _ := o.send(t, "GET", "/takeover?"+in.Encode(), ""); !strings.Contains(body, `<option value="drop" selected`) {
		t.Error("the choice is gone")
	}
	in.Set("here-"+typed.Camera.ID, all[0].Found[0].ID)
	if status, _, _ := o.send(t, "POST", "/takeover", in.Encode()); status != 303 {
		t.Errorf("chosen: %d", status)
	}
	if all := o.known(t).Takeovers; len(all) > 0 {
		t.Errorf("%+v", all)
	}
}
