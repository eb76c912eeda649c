package inventory

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// recordedOf is what the register holds after another computer declared what it
// found, answered and placed.
func recordedBy(t *testing.T, found ...interrogate.Device) ([]byte, protocol.Declaration) {
	t.Helper()
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	record(t, v, noon, found...)
	var ids []string
	for _, c := range cameras(t, v) {
		outdoors(t, v, c.ID, true)
		ids = append(ids, c.ID)
	}
	approve(t, v, ids...)
	return outbox(t, v)[0].Raw, last[protocol.Declaration](t, v)
}

// enrolledAgain is a new computer, enrolled for the site with what the register holds.
func enrolledAgain(t *testing.T, message []byte, found ...interrogate.Device) *Inventory {
	t.Helper()
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	record(t, v, noon, found...)
	if err := v.SetRecorded(t.Context(), siteA, "CODE", message); err != nil {
		t.Fatal(err)
	}
	return v
}

func takeover(t *testing.T, v *Inventory) Takeover {
	t.Helper()
	all := view(t, v).Takeovers
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	return all[0]
}

func choices(found Takeover) (all []Choice) {
	for _, r := range found.Recorded {
		all = append(all, Choice{ID: r.Camera.ID, Here: r.Here})
	}
	return all
}

func nvrWith(model string, channels ...interrogate.Channel) interrogate.Device {
	d := cameraDevice(5)
	d.Kind, d.Model, d.Name, d.Channels = interrogate.KindRecorder, model, "Retro", channels
	return d
}

// New hardware: the same cameras are found by another computer. They go on
// under the ids that the register knows, and nothing leaves before a yes.
func TestTakeOver(t *testing.T) {
	nvr := nvrWith("NVR 8", channel("c1", "Ingresso"), channel("c2", "Cortile"), channel("c3", "Retro"))
	message, was := recordedBy(t, nvr, cameraDevice(1))
	there := nvrWith("NVR 8", channel("c1", "Ingresso"), channel("c2", "Cortile")) // c3 was taken off
	v := enrolledAgain(t, message, there)

	found := takeover(t, v)
	if len(found.Recorded) != 4 || len(found.Found) != 2 || found.Code != "CODE" {
		t.Fatalf("%+v", found)
	}
	sure := 0
	for _, r := range found.Recorded {
		if r.Sure {
			sure++
		}
		if r.Sure != (r.Here != "") {
			t.Errorf("%s: %+v", r.Camera.Name, r)
		}
	}
	if sure != 2 {
		t.Errorf("%d are sure, want 2", sure)
	}
	if err := v.TakeOver(t.Context(), siteA, choices(found)); err != nil {
		t.Fatal(err)
	}
	if sent := outbox(t, v); len(sent) > 0 {
		t.Fatalf("%d messages wait that nobody said yes to", len(sent))
	}
	if again := view(t, v).Takeovers; len(again) > 0 {
		t.Errorf("it is asked again: %+v", again)
	}
	for _, c := range cameras(t, v) {
		if c.State != StateReady {
			t.Errorf("%s is %s, missing %v", c.Values.Name, c.State, c.Missing)
		}
	}
	if _, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	is := last[protocol.Declaration](t, v)
	if !reflect.DeepEqual(saidOf(was), saidOf(is)) {
		t.Errorf("declared before:\n%+v\nand now:\n%+v", saidOf(was), saidOf(is))
	}
	// The next look finds the same entries, and takes the camera back in that was
	// not found.
	record(t, v, noon.Add(time.Hour), nvr)
	if n := len(cameras(t, v)); n != 4 {
		t.Errorf("%d entries after the next look", n)
	}
}

// said is what identifies a camera and what people said of it.
type said struct {
	id, recorder, name, channel string
	position                    protocol.Point
	direction                   int
}

func saidOf(d protocol.Declaration) (all []said) {
	for _, c := range d.Cameras {
		all = append(all, said{c.ID, c.RecorderID, c.Name, c.Channel, c.Position.Point, *c.View.DirectionDeg})
	}
	slices.SortFunc(all, func(a, b said) int { return slices.Compare([]byte(a.id), []byte(b.id)) })
	return all
}

func TestProposals(t *testing.T) {
	two := func(model string, a, b interrogate.Channel) interrogate.Device { return nvrWith(model, a, b) }
	was := two("NVR 8", channel("c1", "Ingresso"), channel("c2", "Cortile"))
	second := func(d interrogate.Device) interrogate.Device {
		o := cameraDevice(9)
		o.Kind, o.Model, o.Name, o.Channels = d.Kind, d.Model, d.Name, d.Channels
		return o
	}
	tests := []struct {
		name  string
		found []interrogate.Device
		want  map[string]string // recorded name to "found name", "?" after it where doubtful
	}{
		{"the same", []interrogate.Device{was}, map[string]string{"Ingresso": "Ingresso", "Cortile": "Cortile"}},
		{"channels changed places", []interrogate.Device{two("NVR 8", channel("c1", "Cortile"), channel("c2", "Ingresso"))},
			map[string]string{"Ingresso": "Ingresso", "Cortile": "Cortile"}},
		{"one renamed", []interrogate.Device{two("NVR 8", channel("c1", "Ingresso"), channel("c2", "Carico"))},
			map[string]string{"Ingresso": "Ingresso", "Cortile": "Carico?"}},
		{"another model", []interrogate.Device{two("NVR 16", channel("c1", "Ingresso"), channel("c7", "Cortile"))},
			map[string]string{"Ingresso": "Ingresso?", "Cortile": "Cortile?"}},
		{"two alike", []interrogate.Device{was, second(was)}, map[string]string{"Ingresso": "Ingresso?", "Cortile": "Cortile?"}},
		{"the factory's names", []interrogate.Device{two("NVR 8", channel("c8", "Camera"), channel("c9", "Camera"))},
			map[string]string{"Ingresso": "", "Cortile": ""}},
		{"something else", []interrogate.Device{two("NVR 16", channel("c1", "Bagno"), channel("c2", "Cucina"))},
			map[string]string{"Ingresso": "", "Cortile": ""}},
		{"nothing", nil, map[string]string{"Ingresso": "", "Cortile": ""}},
	}
	message, _ := recordedBy(t, was)
	t.Run("names that people gave", func(t *testing.T) {
		m, err := protocol.Decode(message)
		if err != nil {
			t.Fatal(err)
		}
		d := m.Body.(protocol.Declaration)
		for i := range d.Cameras {
			d.Cameras[i].Name, d.Cameras[i].NameFact.Source = d.Cameras[i].Name+" vecchio", protocol.Declared
		}
		renamed, err := protocol.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range takeover(t, enrolledAgain(t, renamed, was)).Recorded {
			if r.Here == "" || !r.Sure {
				t.Errorf("%s: %+v", r.Camera.Name, r)
			}
		}
	})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found := takeover(t, enrolledAgain(t, message, test.found...))
			for _, r := range found.Recorded {
				got := ""
				for _, f := range found.Found {
					if f.ID == r.Here {
						got = f.Name
					}
				}
				if got != "" && !r.Sure {
					got += "?"
				}
				if want := test.want[r.Camera.Name]; got != want {
					t.Errorf("%s is taken for %q, want %q", r.Camera.Name, got, want)
				}
			}
		})
	}
}

func TestTakeOverRefuses(t *testing.T) {
	nvr := nvrWith("NVR 8", channel("c1", "Ingresso"), channel("c2", "Cortile"))
	message, _ := recordedBy(t, nvr)
	v := enrolledAgain(t, message, nvr)
	found := takeover(t, v)
	a, b := found.Recorded[0], found.Recorded[1]
	for name, all := range map[string][]Choice{
		"one left open":         {{ID: a.Camera.ID}},
		"one twice":             {{ID: a.Camera.ID}, {ID: a.Camera.ID}, {ID: b.Camera.ID}},
		"a camera not recorded": {{ID: a.Camera.ID}, {ID: b.Camera.ID}, {ID: uuid.NewString()}},
		"a camera not found":    {{ID: a.Camera.ID, Here: uuid.NewString()}, {ID: b.Camera.ID}},
		"a found one twice":     {{ID: a.Camera.ID, Here: a.Here}, {ID: b.Camera.ID, Here: a.Here}},
	} {
		err := v.TakeOver(t.Context(), siteA, all)
		if _, ok := errors.AsType[protocol.FieldErrors](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := v.TakeOver(t.Context(), siteB, nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("another site: %v", err)
	}
	if len(takeover(t, v).Recorded) != 2 {
		t.Error("something was changed")
	}
	// Dropped: neither found nor kept.
	if err := v.TakeOver(t.Context(), siteA, []Choice{{ID: a.Camera.ID, Here: a.Here}, {ID: b.Camera.ID, Drop: true}}); err != nil {
		t.Fatal(err)
	}
	if all := cameras(t, v); len(all) != 2 || slices.ContainsFunc(all, func(c Camera) bool { return c.ID == b.Camera.ID }) {
		t.Errorf("%+v", all)
	}
}

// A computer that knows the recorded cameras by their ids, as after it lost its
// identity, is asked nothing.
func TestNothingToTakeOver(t *testing.T) {
	v, _ := declared(t, 2)
	if err := v.SetRecorded(t.Context(), siteA, "CODE", outbox(t, v)[0].Raw); err != nil {
		t.Fatal(err)
	}
	if all := view(t, v).Takeovers; len(all) != 0 {
		t.Errorf("%+v", all)
	}
	if err := v.SetRecorded(t.Context(), siteA, "CODE", []byte("not a message")); err == nil {
		t.Error("kept what is no message")
	}
}

// A withdrawal that took away only what this computer had declared says so.
func TestSiteStays(t *testing.T) {
	v, _ := declared(t, 1)
	if err := v.WithdrawSite(t.Context(), siteA, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	id, _, raw, _, err := v.Next(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Acknowledge(t.Context(), protocol.Receipt{MessageID: id, SHA256: sum(raw), RecordedAt: noon, SiteStays: true}, "h3"); err != nil {
		t.Fatal(err)
	}
	all := outbox(t, v)
	if s := all[len(all)-1]; s.State != Acknowledged || s.Why != WhySiteStays {
		t.Errorf("%+v", s)
	}
}

// Whom to call came with the site; said anew here, without naming the only site
// that there is, it is what the next approval declares.
func TestContactOfATakenOverSite(t *testing.T) {
	found := cameraDevice(1)
	message, before := recordedBy(t, found)
	v := enrolledAgain(t, message, found)
	told := takeover(t, v)
	if err := v.TakeOver(t.Context(), told.SiteID, choices(told)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []protocol.Contact{before.Contacts[0], {Name: "Bruno Neri", Role: protocol.RoleOwner, Phone: "+39 02 7654321", Email: "bruno@example.it", Alerts: true}} {
		if want != before.Contacts[0] {
			if err := v.SetContact(t.Context(), "", want); err != nil {
				t.Fatal(err)
			}
		}
		if got := view(t, v).Contacts[""]; !slices.Equal(got, []protocol.Contact{want}) {
			t.Errorf("whom to call: %+v, want %+v", got, want)
		}
		approve(t, v, cameras(t, v)[0].ID)
		if got := last[protocol.Declaration](t, v).Contacts; !slices.Equal(got, []protocol.Contact{want}) {
			t.Errorf("declared: %+v, want %+v", got, want)
		}
	}
}

// A stored message that cannot be read closes no page to the owner, and nothing is
// declared in the place of what he cannot be shown.
func TestUnreadableRows(t *testing.T) {
	damage := func(v *Inventory, rows string) {
		t.Helper()
		if _, err := v.writer.ExecContext(t.Context(), `UPDATE `+rows); err != nil {
			t.Fatal(err)
		}
	}
	v := enrolledAgain(t, typedByHand(t, "Ingresso"), cameraDevice(1))
	damage(v, `recorded SET body = x'ff'`)
	if w := view(t, v); len(w.Takeovers) > 0 || len(w.Cameras) != 1 || !slices.Contains(w.Cameras[0].Missing, "takeover") {
		t.Errorf("%+v, %+v", w.Takeovers, w.Cameras)
	}

	v, cams := declared(t, 1)
	keep(t, v, preserve(cams[0].ID))
	all := outbox(t, v)
	if err := v.Reject(t.Context(), all[len(all)-1].ID, "not-granted: no valid grant"); err != nil {
		t.Fatal(err)
	}
	if refused := view(t, v).NotGranted; !slices.Equal(refused, []string{siteA}) {
		t.Errorf("before: %q", refused)
	}
	damage(v, `message SET body = x'ff' WHERE kind = 'reply'`)
	if refused := view(t, v).NotGranted; len(refused) > 0 {
		t.Errorf("after: %q", refused)
	}
}
