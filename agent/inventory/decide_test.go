package inventory

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

func sum(raw []byte) [32]byte { return sha256.Sum256(raw) }

func TestApproveNamesWhatIsMissing(t *testing.T) {
	yes, no := true, false
	place := Edit{Lon: new(9.19), Lat: new(45.46)}
	for _, tc := range []struct {
		name     string
		nameless bool
		edits    []Edit
		contact  bool
		want     []string
	}{
		{"nothing was said", false, nil, false, []string{"position", "outdoor_public", "contact"}},
		{"no name on the recorder", true, []Edit{place, {Outdoor: &yes}}, true, []string{"name"}},
		{"not placed", false, []Edit{{Outdoor: &yes}}, true, []string{"position"}},
		{"placed, then not", false, []Edit{place, {Outdoor: &yes}, {Clear: []string{"position"}}}, true, []string{"position"}},
		{"not answered", false, []Edit{place}, true, []string{"outdoor_public"}},
		{"answered no", false, []Edit{place, {Outdoor: &no}}, true, []string{"outdoor_public"}},
		{"answered, then taken back", false, []Edit{place, {Outdoor: &yes}, {Clear: []string{"outdoor_public"}}}, true, []string{"outdoor_public"}},
		{"nobody to call", false, []Edit{place, {Outdoor: &yes}}, false, []string{"contact"}},
		{"complete", false, []Edit{place, {Outdoor: &yes}}, true, nil},
		{"complete, named by hand", true, []Edit{place, {Outdoor: &yes, Name: new("Angolo")}}, true, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := open(t, t.TempDir())
			enrol(t, v, siteA)
			if tc.contact {
				contact(t, v)
			}
			d := cameraDevice(0)
			if tc.nameless {
				d.Name, d.Channels[0].Name = "", ""
			}
			record(t, v, noon, d)
			c := cameras(t, v)[0]
			for _, e := range tc.edits {
				if err := v.Set(t.Context(), c.ID, e); err != nil {
					t.Fatal(err)
				}
			}
			got := approve(t, v, c.ID)
			if len(got) != 1 || got[0].ID != c.ID || !slices.Equal(got[0].Missing, tc.want) || got[0].Error != "" {
				t.Fatalf("got %+v, want missing %v", got, tc.want)
			}
			c = cameras(t, v)[0]
			if is := c.State == StateDeclared; is != (tc.want == nil) || len(outbox(t, v)) != map[bool]int{true: 1, false: 0}[is] {
				t.Errorf("state %s, %d messages", c.State, len(outbox(t, v)))
			}
		})
	}
}

func TestApproveGoesOnWithTheOthers(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	record(t, v, noon, cameraDevice(0), cameraDevice(1))
	all := cameras(t, v)
	outdoors(t, v, all[1].ID, true)
	results := approve(t, v, "no-such", all[0].ID, all[1].ID, all[1].ID)
	want := []string{"no-such [] not known here", all[0].ID + " [position outdoor_public] ", all[1].ID + " [] "}
	var got []string
	for _, r := range results {
		got = append(got, fmt.Sprint(r.ID, " ", r.Missing, " ", r.Error))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if d := last[protocol.Declaration](t, v); len(d.Cameras) != 1 || d.Cameras[0].ID != all[1].ID {
		t.Errorf("declared %+v", d.Cameras)
	}
}

func TestApproveBeforeEnrolmentNamesTheNextStep(t *testing.T) {
	v := open(t, t.TempDir())
	contact(t, v)
	record(t, v, noon, cameraDevice(0))
	c := cameras(t, v)[0]
	outdoors(t, v, c.ID, true)
	_, err := v.Approve(t.Context(), Selection{IDs: []string{c.ID}}, protocol.Approval{})
	if !errors.Is(err, ErrNotEnrolled) || !strings.Contains(err.Error(), "enrol CODE") {
		t.Fatalf("got %v", err)
	}
	if got := cameras(t, v)[0].State; got != StateReady || len(outbox(t, v)) != 0 {
		t.Errorf("state %s with %d messages", got, len(outbox(t, v)))
	}
	enrol(t, v, siteA)
	if r := approve(t, v, c.ID); r[0].Error != "" || len(r[0].Missing) > 0 {
		t.Errorf("after enrolment: %+v", r)
	}
}

// A camera that was answered no, or not at all, is in no message whatever is
// asked for; nor is anything by which the network's devices could be found.
func TestNothingUnconfirmedLeaves(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	nvr := cameraDevice(0)
	nvr.Kind = interrogate.KindRecorder
	nvr.Channels = []interrogate.Channel{channel("1", "Strada"), channel("2", "RISPOSTA-NO"), channel("3", "SENZA-RISPOSTA"), channel("4", "RIFIUTATA")}
	own := cameraDevice(1)
	own.Channels[0].Name = "cam " + own.Serial // a maker's default
	own.Channels[0].ID = "token-" + strings.ReplaceAll(own.MACs[0], ":", "")
	own.Name = "http://192.168.7.11/onvif"
	locked := cameraDevice(2)
	locked.Channels, locked.Needs, locked.Name = nil, interrogate.NeedsCredentials, "CHIUSA"
	record(t, v, noon, nvr, own, locked)

	ids := map[string]string{}
	var every []string
	for _, c := range cameras(t, v) {
		ids[c.Values.Name] = c.ID
		every = append(every, c.ID)
	}
	if len(every) != 6 {
		t.Fatalf("%d cameras, want 6", len(every))
	}
	if ids[""] == "" {
		t.Fatal("a name that holds the serial number was taken over")
	}
	outdoors(t, v, ids["Strada"], true)
	outdoors(t, v, ids["RISPOSTA-NO"], false)
	outdoors(t, v, ids["RIFIUTATA"], true)
	outdoors(t, v, ids[""], true)
	if err := v.Set(t.Context(), ids[""], Edit{Name: new("Cortile")}); err != nil {
		t.Fatal(err)
	}
	if err := v.Set(t.Context(), ids["SENZA-RISPOSTA"], Edit{Lon: new(9.123456), Lat: new(45.654321)}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.KeepOut(t.Context(), []string{ids["RIFIUTATA"]}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	results, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{By: "Anna Neri"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results { // what was decided is no unfinished business
		if r.ID == ids["RISPOSTA-NO"] || r.ID == ids["RIFIUTATA"] {
			t.Errorf("among the results: %+v", r)
		}
	}
	if d := last[protocol.Declaration](t, v); len(d.Cameras) != 2 {
		t.Fatalf("%d cameras declared, want 2", len(d.Cameras))
	}
	approve(t, v, slices.DeleteFunc(every, func(id string) bool { return id == ids["RIFIUTATA"] })...)
	deliver(t, v)
	nvr.Clock = &protocol.Clock{OffsetMs: 9e6, Method: "onvif GetSystemDateAndTime", At: noon}
	own.Answered = false
	record(t, v, noon.Add(3*time.Hour), nvr, own, locked)
	if last[protocol.Observation](t, v).Recorders == nil {
		t.Fatal("no observation to look into")
	}

	never := []string{"RISPOSTA-NO", "SENZA-RISPOSTA", "RIFIUTATA", "CHIUSA", "192.168.7.", "http://", "token-"}
	for _, name := range []string{"RISPOSTA-NO", "SENZA-RISPOSTA", "RIFIUTATA", "CHIUSA"} {
		never = append(never, ids[name])
	}
	for _, d := range []interrogate.Device{nvr, own, locked} {
		never = append(never, d.Serial, d.MACs[0], strings.ReplaceAll(d.MACs[0], ":", ""), strings.TrimPrefix(d.Sighting.Endpoint, "urn:uuid:"))
	}
	for _, m := range outbox(t, v) {
		for _, secret := range never {
			if bytes.Contains(bytes.ToLower(m.Raw), []byte(strings.ToLower(secret))) {
				t.Errorf("%s %s holds %q", m.Kind, m.ID, secret)
			}
		}
	}
}

func TestDeclarationIsTheSitesFullState(t *testing.T) {
	v, all := declared(t, 3)
	if d := last[protocol.Declaration](t, v); len(d.Cameras) != 3 || len(d.Recorders) != 3 {
		t.Fatalf("%d cameras on %d recorders", len(d.Cameras), len(d.Recorders))
	}
	d := last[protocol.Declaration](t, v)
	if d.Site != (protocol.Site{Name: "Bar Centrale", Category: "bar-restaurant", Address: "via Torino 1, Milano"}) || d.Approval.By != "Anna Neri" {
		t.Errorf("site %+v by %+v", d.Site, d.Approval)
	}
	first := d.Cameras[0]
	if first.NameFact.Source != protocol.Confirmed || first.Schedule.Fact.Source != protocol.Confirmed || first.Retention.Fact.Source != protocol.Confirmed ||
		first.Position.Fact.Source != protocol.Declared || first.View.Fact.Source != protocol.Declared {
		t.Errorf("facts: %+v", first)
	}

	// A further device comes: the first three stay exactly as confirmed, though
	// one now has another name on the recorder and a pending edit.
	changedName := cameraDevice(0)
	changedName.Channels[0].Name = "Altro nome"
	record(t, v, noon.Add(time.Minute), changedName, cameraDevice(3))
	if err := v.Set(t.Context(), all[1].ID, Edit{Direction: new(200)}); err != nil {
		t.Fatal(err)
	}
	all = cameras(t, v)
	if !slices.Equal(all[0].Changed, []string{"name"}) || !slices.Equal(all[1].Changed, []string{"view"}) || all[0].State != StateDeclared {
		t.Errorf("changed: %v, %v", all[0].Changed, all[1].Changed)
	}
	outdoors(t, v, all[3].ID, true)
	approve(t, v, all[3].ID)
	next := last[protocol.Declaration](t, v)
	if len(next.Cameras) != 4 || next.Cameras[0].Name != "Ingresso via Torino" || *next.Cameras[1].View.DirectionDeg != 90 {
		t.Errorf("declared again: %+v", next.Cameras)
	}
	// The yes to the changes.
	if _, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	next = last[protocol.Declaration](t, v)
	if next.Cameras[0].Name != "Altro nome" || *next.Cameras[1].View.DirectionDeg != 200 || next.Approval.By != "Anna Neri" {
		t.Errorf("after the yes: %+v", next)
	}
	var revisions []int64
	for _, m := range outbox(t, v) {
		revisions = append(revisions, m.Message.Revision)
	}
	if !slices.Equal(revisions, []int64{1, 2, 3}) {
		t.Errorf("revisions %v", revisions)
	}
}

func TestAChangedContactWaitsForAYes(t *testing.T) {
	v, _ := declared(t, 2)
	if err := v.SetContact(t.Context(), "", protocol.Contact{Name: "Bruno Neri", Role: protocol.RoleReferent, Phone: "113"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range cameras(t, v) {
		if !slices.Equal(c.Changed, []string{"contact"}) {
			t.Errorf("changed: %v", c.Changed)
		}
	}
	if n := len(outbox(t, v)); n != 1 {
		t.Fatalf("%d messages before the yes", n)
	}
	if _, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	if d := last[protocol.Declaration](t, v); len(d.Contacts) != 2 || len(d.Cameras) != 2 || len(cameras(t, v)[0].Changed) > 0 {
		t.Errorf("%+v", d.Contacts)
	}
}

func TestPreviewIsWhatLeaves(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	record(t, v, noon, cameraDevice(0))
	id := cameras(t, v)[0].ID
	outdoors(t, v, id, true)
	preview, err := v.Preview(t.Context(), Selection{IDs: []string{id}}, protocol.Approval{By: "Anna Neri"})
	if err != nil || len(preview.Messages) != 1 {
		t.Fatalf("%d messages: %v", len(preview.Messages), err)
	}
	if len(outbox(t, v)) != 0 || cameras(t, v)[0].State != StateReady {
		t.Fatal("the preview was kept")
	}
	approve(t, v, id)
	if sent := last[protocol.Declaration](t, v); !reflect.DeepEqual(sent, preview.Messages[0].Body) {
		t.Errorf("previewed %+v, sent %+v", preview.Messages[0].Body, sent)
	}
}

// TestApproveSeen: what a look brings between the showing and the yes must not
// leave unseen; what leaves by itself anyway does not trouble the owner.
func TestApproveSeen(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*interrogate.Device)
		want   error
	}{
		"nothing": {func(*interrogate.Device) {}, nil},
		"clock": {func(d *interrogate.Device) {
			d.Clock = &protocol.Clock{OffsetMs: 9000, UncertaintyMs: 1000, Method: "onvif", At: noon.Add(time.Hour)}
		}, nil},
		"name":        {func(d *interrogate.Device) { d.Channels[0].Name = "Camera da letto" }, ErrChanged},
		"resolution":  {func(d *interrogate.Device) { d.Channels[0].WidthPx, d.Channels[0].HeightPx = 3840, 2160 }, ErrChanged},
		"other model": {func(d *interrogate.Device) { d.Model = "Altro" }, ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, t.TempDir())
			enrol(t, v, siteA)
			contact(t, v)
			record(t, v, noon, cameraDevice(0))
			id := cameras(t, v)[0].ID
			outdoors(t, v, id, true)
			preview, err := v.Preview(t.Context(), Selection{IDs: []string{id}}, protocol.Approval{})
			if err != nil {
				t.Fatal(err)
			}
			changed := cameraDevice(0)
			c.change(&changed)
			record(t, v, noon.Add(time.Hour), changed)
			_, err = v.ApproveSeen(t.Context(), Selection{IDs: []string{id}}, protocol.Approval{By: "Anna Neri"}, preview.Seen)
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if sent := len(outbox(t, v)); sent > 0 != (c.want == nil) {
				t.Errorf("%d messages after %v", sent, err)
			}
		})
	}
}

func TestWithdraw(t *testing.T) {
	v, all := declared(t, 2)
	if err := v.SetCredential(t.Context(), all[0].Device.ID, interrogate.Credential{User: "u", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Withdraw(t.Context(), []string{all[0].ID}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	if d := last[protocol.Declaration](t, v); len(d.Cameras) != 1 || d.Cameras[0].ID != all[1].ID || len(d.Recorders) != 1 {
		t.Fatalf("left: %+v", d)
	}
	if c := cameras(t, v)[0]; c.State != StateWithdrawn || c.Declared != nil || !c.Device.HasPassword {
		t.Errorf("%+v", c)
	}
	// Withdrawn is not "still to be approved".
	if _, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	if n := len(outbox(t, v)); n != 2 {
		t.Errorf("%d messages", n)
	}
	// The last one takes the site with it, and the passwords.
	if _, err := v.Withdraw(t.Context(), []string{all[1].ID}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	if w := last[protocol.Withdrawal](t, v); w.Approval.By != "Anna Neri" {
		t.Errorf("%+v", w)
	}
	if cameras(t, v)[0].Device.HasPassword {
		t.Error("the password is still there")
	}
	// And back again, by name.
	approve(t, v, all[0].ID)
	if d := last[protocol.Declaration](t, v); len(d.Cameras) != 1 {
		t.Errorf("declared again: %+v", d)
	}
	if err := v.WithdrawSite(t.Context(), siteA, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	last[protocol.Withdrawal](t, v)
	if err := v.WithdrawSite(t.Context(), siteB, protocol.Approval{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a foreign site: %v", err)
	}
}

func TestAnswerNoOrRefuseTakesADeclaredCameraOut(t *testing.T) {
	for name, act := range map[string]func(*Inventory, string) error{
		"no": func(v *Inventory, id string) error { return v.Set(t.Context(), id, Edit{Outdoor: new(false)}) },
		"taken back": func(v *Inventory, id string) error {
			return v.Set(t.Context(), id, Edit{Clear: []string{"outdoor_public"}})
		},
		"refused": func(v *Inventory, id string) error {
			_, err := v.KeepOut(t.Context(), []string{id}, protocol.Approval{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, all := declared(t, 2)
			if err := act(v, all[0].ID); err != nil {
				t.Fatal(err)
			}
			if d := last[protocol.Declaration](t, v); len(d.Cameras) != 1 || d.Cameras[0].ID != all[1].ID {
				t.Errorf("left: %+v", d.Cameras)
			}
		})
	}
}

func TestSeveralSites(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	enrol(t, v, siteB)
	contact(t, v)
	if err := v.SetContact(t.Context(), siteB, protocol.Contact{Name: "Filiale", Role: protocol.RoleOwner, PEC: "filiale@pec.example"}); err != nil {
		t.Fatal(err)
	}
	record(t, v, noon, cameraDevice(0), cameraDevice(1))
	all := cameras(t, v)
	outdoors(t, v, all[0].ID, true)
	outdoors(t, v, all[1].ID, true)
	for _, r := range approve(t, v, all[0].ID, all[1].ID) {
		if !slices.Equal(r.Missing, []string{"site"}) {
			t.Fatalf("got %+v", r)
		}
	}
	for i, site := range []string{siteA, siteB} {
		if err := v.Set(t.Context(), all[i].ID, Edit{SiteID: &site}); err != nil {
			t.Fatal(err)
		}
	}
	approve(t, v, all[0].ID, all[1].ID)
	for _, m := range outbox(t, v) {
		d := m.Message.Body.(protocol.Declaration)
		want := map[string]string{siteA: all[0].ID + " Anna Neri", siteB: all[1].ID + " Filiale"}[m.SiteID]
		if got := d.Cameras[0].ID + " " + d.Contacts[0].Name; len(d.Cameras) != 1 || len(d.Contacts) != 1 || got != want || m.Message.Revision != 1 {
			t.Errorf("site %s declares %s, want %s", m.SiteID, got, want)
		}
	}
	err := v.Set(t.Context(), all[0].ID, Edit{SiteID: new(siteB)})
	if errs, ok := errors.AsType[protocol.FieldErrors](err); !ok || errs[0].Field != "site_id" {
		t.Errorf("a declared camera moved to another site: %v", err)
	}
	// Each is taken out in the name of its own site's contact.
	if _, err := v.Withdraw(t.Context(), []string{all[0].ID, all[1].ID}, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	by := map[string]string{}
	for _, m := range outbox(t, v) {
		if w, ok := m.Message.Body.(protocol.Withdrawal); ok {
			by[m.SiteID] = w.Approval.By
		}
	}
	if by[siteA] != "Anna Neri" || by[siteB] != "Filiale" {
		t.Errorf("withdrawn by %v", by)
	}
}

func TestSetRefusesWrongValues(t *testing.T) {
	v := open(t, t.TempDir())
	d := cameraDevice(0)
	record(t, v, noon, d)
	c := cameras(t, v)[0]
	for _, tc := range []struct {
		field string
		edit  Edit
	}{
		{"lat", Edit{Lon: new(9.0)}},
		{"lat", Edit{Lon: new(9.0), Lat: new(91.0)}},
		{"lon", Edit{Lon: new(-180.5), Lat: new(45.0)}},
		{"lat", Edit{Lon: new(0.0), Lat: new(0.0)}},
		{"direction", Edit{Direction: new(360)}},
		{"direction", Edit{Direction: new(-1)}},
		{"angle", Edit{Angle: new(0)}},
		{"range", Edit{RangeM: new(2001)}},
		{"accuracy_m", Edit{AccuracyM: new(-5)}},
		{"name", Edit{Name: new(" \t")}},
		{"name", Edit{Name: new(strings.Repeat("è", 121))}},
		{"name", Edit{Name: new("ingresso 192.168.1.64")}},
		{"name", Edit{Name: new("n. " + strings.ToLower(d.Serial))}},
		{"name", Edit{Name: new("021122334400")}},
		{"method", Edit{Method: "guess"}},
		{"clear", Edit{Clear: []string{"everything"}}},
		{"site_id", Edit{SiteID: new(siteB)}},
	} {
		err := v.Set(t.Context(), c.ID, tc.edit)
		errs, ok := errors.AsType[protocol.FieldErrors](err)
		if !ok || errs[0].Field != tc.field {
			t.Errorf("%+v: got %v, want an error of %s", tc.edit, err, tc.field)
		}
	}
	if err := v.Set(t.Context(), "no-such", Edit{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
	after := cameras(t, v)[0]
	if fmt.Sprint(after.Values) != fmt.Sprint(c.Values) {
		t.Errorf("changed from %+v to %+v", c.Values, after.Values)
	}
}

func TestSetContactRefusesWrongValues(t *testing.T) {
	v := open(t, t.TempDir())
	for field, c := range map[string]protocol.Contact{
		"name":  {Phone: "02 123456"},
		"phone": {Name: "Anna"},
		"email": {Name: "Anna", Email: "not an address"},
		"role":  {Name: "Anna", Phone: "112", Role: "friend"},
	} {
		err := v.SetContact(t.Context(), "", c)
		if errs, ok := errors.AsType[protocol.FieldErrors](err); !ok || errs[0].Field != field {
			t.Errorf("%+v: got %v, want an error of %s", c, err, field)
		}
	}
	if got := view(t, v).Contacts[""]; len(got) != 0 {
		t.Errorf("kept %+v", got)
	}
}
