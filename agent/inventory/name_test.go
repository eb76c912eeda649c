package inventory

import (
	"errors"
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

// A site whose code came from an association has no name: nothing of it can be declared
// until its owner says one, which no later grant without a name takes away.
func TestNameSite(t *testing.T) {
	v := open(t, t.TempDir())
	g := protocol.Grant{SiteID: siteA, Epoch: 1, From: noon.Add(-time.Hour)}
	if err := v.AddGrant(t.Context(), g, "https://c.example"); err != nil {
		t.Fatal(err)
	}
	record(t, v, noon, cameraDevice(1))
	missing := func() []string {
		t.Helper()
		all := view(t, v).Cameras
		if len(all) != 1 {
			t.Fatal(all)
		}
		return all[0].Missing
	}
	if got := missing(); !slices.Contains(got, "place") {
		t.Errorf("missing: %v", got)
	}
	for _, bad := range []protocol.Site{{}, {Name: "Bar", Category: "circus"}} {
		if err := v.NameSite(t.Context(), "", bad); err == nil {
			t.Errorf("%+v was taken", bad)
		} else if _, ok := errors.AsType[protocol.FieldErrors](err); !ok {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, name := range []string{"Bar", "Bar Centrale"} { // the second corrects the first
		if err := v.NameSite(t.Context(), siteA, protocol.Site{Name: " " + name, Category: "bar-restaurant", Address: "via Roma 1"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.NameSite(t.Context(), "", protocol.Site{Name: "Bar"}); !errors.Is(err, errNamed) {
		t.Errorf("no site without a name: %v", err)
	}
	if err := v.NameSite(t.Context(), siteB, protocol.Site{Name: "Bar"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a site that is not here: %v", err)
	}
	if err := v.AddGrant(t.Context(), g, "https://c.example"); err != nil {
		t.Fatal(err)
	}
	grants := view(t, v).Sites
	if len(grants) != 1 || grants[0].SiteName != "Bar Centrale" || grants[0].Category != "bar-restaurant" || grants[0].Address != "via Roma 1" {
		t.Errorf("%+v", grants)
	}
	if got := missing(); slices.Contains(got, "place") {
		t.Errorf("missing: %v", got)
	}
}
