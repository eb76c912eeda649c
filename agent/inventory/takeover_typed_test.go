package inventory

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// typedByHand is what the register holds after these cameras were typed on a form.
func typedByHand(t *testing.T, names ...string) []byte {
	t.Helper()
	fact := protocol.Fact{Source: protocol.Declared, At: noon}
	d := protocol.Declaration{Site: protocol.Site{Name: "Bar Centrale", Category: "shop", Address: "Via Torino 1"},
		Contacts: []protocol.Contact{{Name: "Anna Neri", Role: protocol.RoleOwner, Phone: "+39 02 123456"}},
		Approval: protocol.Approval{By: "Anna Neri", Role: protocol.RoleOwner, At: noon}}
	for _, name := range names {
		r := protocol.Recorder{ID: uuid.NewString()}
		d.Recorders = append(d.Recorders, r)
		d.Cameras = append(d.Cameras, protocol.Camera{ID: uuid.NewString(), RecorderID: r.ID, Name: name, NameFact: fact,
			Position: protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}, AccuracyM: 20, Method: "typed", Fact: fact},
			View:     protocol.View{Fact: fact}, OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna Neri", At: noon}})
	}
	raw, err := protocol.Encode(protocol.Message{ID: uuid.NewString(), SiteID: siteA, Epoch: 1, Revision: 1, MadeAt: noon, Body: d})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// proposed are the names of the found cameras that the typed ones are taken for.
func proposed(found Takeover) (all []string) {
	for _, r := range found.Recorded {
		is := "-"
		for _, f := range found.Found {
			if f.ID == r.Here {
				is = f.Name
			}
		}
		if r.On != "" {
			is = "locked"
		}
		if r.Sure || !r.Typed {
			is += "!"
		}
		all = append(all, is)
	}
	return all
}

func TestProposalsForWhatWasTyped(t *testing.T) {
	four := nvrWith("NVR 8", channel("0", "Ingresso"), channel("1", "Cortile"), channel("2", "Carico"), channel("3", "CAM 9"))
	other := cameraDevice(7)
	other.Name, other.Channels = "Dehors", []interrogate.Channel{channel("1", "Dehors")}
	for name, tc := range map[string]struct {
		typed []string
		found []interrogate.Device
		want  []string
	}{
		"by name":                 {[]string{"ingresso", "Cortile"}, []interrogate.Device{four}, []string{"Ingresso", "Cortile"}},
		"by number":               {[]string{"Telecamera 3", "n. 9"}, []interrogate.Device{four}, []string{"Carico", "CAM 9"}},
		"a number of two":         {[]string{"Telecamera 1"}, []interrogate.Device{four, other}, []string{"-"}},
		"on two devices":          {[]string{"Dehors", "Cortile"}, []interrogate.Device{four, other}, []string{"Dehors", "Cortile"}},
		"nothing says which":      {[]string{"Vetrina", "Retro"}, []interrogate.Device{four}, []string{"-", "-"}},
		"the only one left":       {[]string{"Ingresso", "Cortile", "Carico", "Vetrina"}, []interrogate.Device{four}, []string{"Ingresso", "Cortile", "Carico", "CAM 9"}},
		"nothing found":           {[]string{"Vetrina"}, nil, []string{"-"}},
		"one recorder is locked":  {[]string{"Vetrina", "Ingresso"}, []interrogate.Device{lockedRecorder()}, []string{"locked", "locked"}},
		"one open and one locked": {[]string{"Vetrina", "Dehors"}, []interrogate.Device{other, lockedRecorder()}, []string{"locked", "Dehors"}},
	} {
		found := takeover(t, enrolledAgain(t, typedByHand(t, tc.typed...), tc.found...))
		if got := proposed(found); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// Nothing of a site is declared from here before its owner has said what becomes of the
// cameras that were typed: the declaration would take their place.
func TestNothingTypedIsLost(t *testing.T) {
	v := enrolledAgain(t, typedByHand(t, "Vetrina"), nvrWith("NVR 8", channel("0", "Ingresso"), channel("1", "Cortile")))
	contact(t, v)
	id := cameras(t, v)[0].ID
	outdoors(t, v, id, true)
	results, err := v.Approve(t.Context(), Selection{IDs: []string{id}}, protocol.Approval{By: "Anna Neri"})
	if err != nil || len(results) != 1 || !slices.Equal(results[0].Missing, []string{"takeover"}) || len(outbox(t, v)) != 0 {
		t.Fatalf("%+v, %v", results, err)
	}
	found := takeover(t, v)
	if err := v.TakeOver(t.Context(), siteA, []Choice{{ID: found.Recorded[0].Camera.ID, Here: id}}); err != nil {
		t.Fatal(err)
	}
	approve(t, v, found.Recorded[0].Camera.ID)
	if all := cameras(t, v); len(all) != 2 || len(last[protocol.Declaration](t, v).Cameras) != 1 {
		t.Errorf("%+v", all)
	}
}

// Without the password the cameras wait on the recorder: its channels take them over,
// by name and by number, under the register's ids, once it tells them.
func TestTypedOnALockedRecorder(t *testing.T) {
	v := enrolledAgain(t, typedByHand(t, "Ingresso", "Telecamera 3"), lockedRecorder())
	found := takeover(t, v)
	if len(found.Found) != 0 || len(found.Locked) != 1 {
		t.Fatalf("%+v", found)
	}
	first, third := found.Recorded[0].Camera.ID, found.Recorded[1].Camera.ID
	for _, wrong := range []Choice{{ID: first, On: uuid.NewString()}, {ID: first, On: found.Locked[0].ID, Drop: true}} {
		if err := v.TakeOver(t.Context(), siteA, []Choice{wrong, {ID: third}}); err == nil {
			t.Errorf("%+v is taken", wrong)
		}
	}
	if err := v.TakeOver(t.Context(), siteA, []Choice{{ID: first, On: found.Locked[0].ID}, {ID: third, On: found.Locked[0].ID}}); err != nil {
		t.Fatal(err)
	}
	approve(t, v, first, third)
	for _, c := range last[protocol.Declaration](t, v).Cameras {
		if c.Channel != "" && c.Channel != "3" {
			t.Errorf("leaves as channel %q", c.Channel)
		}
	}
	open := lockedRecorder()
	open.Needs, open.Channels = interrogate.NeedsNothing, []interrogate.Channel{channel("c1", "Ingresso"), channel("c2", "Cortile"), channel("c3", "Carico")}
	record(t, v, noon.Add(time.Hour), open)
	names := map[string]string{}
	for _, c := range cameras(t, v) {
		names[c.ID] = c.Values.Channel
	}
	if len(names) != 3 || names[first] != "c1" || names[third] != "c3" {
		t.Errorf("%v", names)
	}
}

// The footage is found by the name that the recorder gives: one that was typed on a form
// stands in for it, and gives way when the recorder tells its own.
func TestTypedNameGivesWayToTheRecorders(t *testing.T) {
	names := func(v *Inventory) (all []string) {
		for _, c := range last[protocol.Declaration](t, v).Cameras {
			all = append(all, c.Name+" "+string(c.NameFact.Source))
		}
		return all
	}
	told := nvrWith("NVR 8", channel("0", "CAM 1"))
	v := enrolledAgain(t, typedByHand(t, "Vetrina"), told)
	id := takeover(t, v).Recorded[0].Camera.ID
	if err := v.TakeOver(t.Context(), siteA, []Choice{{ID: id, Here: cameras(t, v)[0].ID}}); err != nil {
		t.Fatal(err)
	}
	approve(t, v, id)
	if got := names(v); !slices.Equal(got, []string{"CAM 1 confirmed"}) {
		t.Errorf("taken for one that is told: %q", got)
	}

	v = enrolledAgain(t, typedByHand(t, "Telecamera 1"), lockedRecorder())
	found := takeover(t, v)
	id = found.Recorded[0].Camera.ID
	if err := v.TakeOver(t.Context(), siteA, []Choice{{ID: id, On: found.Locked[0].ID}}); err != nil {
		t.Fatal(err)
	}
	approve(t, v, id)
	if got := names(v); !slices.Equal(got, []string{"Telecamera 1 declared"}) {
		t.Errorf("before the password is known: %q", got)
	}
	open := lockedRecorder()
	open.Needs, open.Channels = interrogate.NeedsNothing, []interrogate.Channel{channel("1", "Vetrina"), channel("2", "Cortile")}
	record(t, v, noon.Add(time.Hour), open)
	approve(t, v, id)
	if got := names(v); !slices.Equal(got, []string{"Vetrina confirmed"}) {
		t.Errorf("once the recorder tells its names: %q", got)
	}
}
