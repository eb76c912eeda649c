package inventory

import (
	"errors"
	"slices"
	"testing"

	"anagrafe/protocol"
)

// Whose a camera is: what is said is kept, who is asked of the street has said
// that it is theirs, and what waits to be decided does not leave.
func TestMine(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	enrol(t, v, siteA)
	contact(t, v)
	record(t, v, noon, cameraDevice(0))
	id := cameras(t, v)[0].ID
	for _, tc := range []struct {
		name  string
		edit  Edit
		want  Mine
		yes   bool   // answered outdoor
		wrong string // field
	}{
		{"not asked", Edit{}, "", false, ""},
		{"neither", Edit{Mine: "perhaps"}, "", false, "mine"},
		{"later", Edit{Mine: MineLater}, MineLater, false, ""},
		{"later, and outdoors", Edit{Mine: MineLater, Outdoor: new(true)}, MineLater, false, "mine"},
		{"mine", Edit{Mine: MineYes}, MineYes, false, ""},
		{"taken back", Edit{Clear: []string{"mine"}}, "", false, ""},
		{"outdoors, so it is mine", Edit{Outdoor: new(true), Lon: new(9.19), Lat: new(45.46)}, MineYes, true, ""},
		{"later after all", Edit{Mine: MineLater}, MineLater, false, ""},
	} {
		err := v.Set(t.Context(), id, tc.edit)
		errs, _ := errors.AsType[protocol.FieldErrors](err)
		if (tc.wrong == "") != (err == nil) || tc.wrong != "" && (len(errs) != 1 || errs[0].Field != tc.wrong) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if c := cameras(t, v)[0]; c.Mine != tc.want || (c.Outdoor != nil) != tc.yes {
			t.Errorf("%s: mine %q, outdoor %v", tc.name, c.Mine, c.Outdoor)
		}
	}
	if got := approve(t, v, id); !slices.Equal(got[0].Missing, []string{"outdoor_public"}) || len(outbox(t, v)) != 0 {
		t.Errorf("a camera that waits has left: %+v", got)
	}
	if err := v.Set(t.Context(), id, Edit{Outdoor: new(true)}); err != nil {
		t.Fatal(err)
	}
	approve(t, v, id)
	if err := v.Set(t.Context(), id, Edit{Mine: MineLater}); err == nil {
		t.Error("a declared camera waits")
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if c := cameras(t, open(t, dir))[0]; c.Mine != MineYes || c.State != StateDeclared {
		t.Errorf("after a restart mine %q, %s", c.Mine, c.State)
	}
}
