package inventory

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// Where images are is what the owner says, for all cameras on the recorder, and
// waits for a yes. What the recorder says of it is never declared.
func TestWhereImagesAreKept(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	nvr := recorder(nil, 0)
	nvr.Kept = interrogate.KeptRemote
	record(t, v, noon, nvr)
	all := cameras(t, v)
	for _, c := range all {
		outdoors(t, v, c.ID, true)
	}
	approve(t, v, ids(all)...)
	if r := lastDeclaration(t, v).Recorders[0]; r.Storage != protocol.StorageUnknown {
		t.Errorf("the recorder's word was declared: %q", r.Storage)
	}
	sent := len(outbox(t, v))
	if err := v.Set(t.Context(), all[0].ID, Edit{Storage: new(protocol.StorageOnPremises), StorageNote: new(" nel\tretro ")}); err != nil {
		t.Fatal(err)
	}
	for _, c := range cameras(t, v) {
		if !slices.Equal(c.Changed, []string{"recorder"}) || c.Device.Storage != protocol.StorageOnPremises || c.Device.StorageNote != "nel retro" || c.Device.Kept != interrogate.KeptRemote {
			t.Errorf("%v, %+v", c.Changed, c.Device)
		}
	}
	record(t, v, noon.Add(2*time.Hour), nvr)
	for _, m := range outbox(t, v)[sent:] {
		if m.Kind != "observation" {
			t.Errorf("a %s left without a yes", m.Kind)
		}
	}
	approve(t, v, all[1].ID)
	if r := lastDeclaration(t, v).Recorders[0]; r.Storage != protocol.StorageOnPremises || r.StorageNote != "nel retro" {
		t.Errorf("declared %q, %q", r.Storage, r.StorageNote)
	}
	for _, c := range cameras(t, v) {
		if len(c.Changed) > 0 {
			t.Errorf("after the yes it waits for %v", c.Changed)
		}
	}
	for _, e := range []Edit{{Storage: new(protocol.StorageCloud)}, {Storage: new(protocol.StorageOnPremises), StorageNote: new("in cantina")}} {
		if err := v.Set(t.Context(), all[0].ID, e); err != nil {
			t.Fatal(err)
		}
		if c := cameras(t, v)[0]; !slices.Equal(c.Changed, []string{"recorder"}) {
			t.Errorf("%+v waits for %v", e, c.Changed)
		}
	}
	if err := v.Set(t.Context(), all[0].ID, Edit{Clear: []string{"storage"}}); err != nil {
		t.Fatal(err)
	}
	if c := cameras(t, v)[0]; c.Device.Storage != "" || c.Device.StorageNote != "" || !slices.Equal(c.Changed, []string{"recorder"}) {
		t.Errorf("taken back: %v, %+v", c.Changed, c.Device)
	}
	for field, e := range map[string]Edit{
		"storage":      {Storage: new(protocol.Storage("cellar"))},
		"storage_note": {StorageNote: new("armadio, " + strings.ToLower(nvr.Serial))},
	} {
		err := v.Set(t.Context(), all[0].ID, e)
		if errs, ok := errors.AsType[protocol.FieldErrors](err); !ok || errs[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
