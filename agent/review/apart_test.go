package review

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol/pages/pagestest"
)

// TestRecordersOfOneName are told apart wherever a page has a region for each.
func TestRecordersOfOneName(t *testing.T) {
	o := start(t)
	first, second := recorder(), recorder()
	second.Serial, second.MACs = "SERIALE7099", []string{"00:16:6c:ff:00:99"}
	second.Sighting.Endpoint = "urn:uuid:5f5a69c2-e0ae-504f-829b-00166cff0199"
	second.Sighting.Address = netip.MustParseAddrPort("192.168.7.99:80")
	o.found = []interrogate.Device{first, second}
	if err := o.Inventory.Record(t.Context(), o.found, time.Now()); err != nil {
		t.Fatal(err)
	}
	devices := o.known(t).Devices
	if len(devices) != 2 || titleOf(devices[0]) != titleOf(devices[1]) {
		t.Fatalf("%+v", devices)
	}
	b := o.browser(t, narrow.width)
	check := func(path string) {
		t.Helper()
		b.Visit(path + "?lang=it")
		b.Check("of-one-name-" + strings.Trim(path, "/"))
		if n := pagestest.Eval[int](b, `document.querySelectorAll("main section[aria-labelledby] > h2").length`); n < 2 {
			t.Errorf("%s has %d regions", path, n)
		}
	}
	check("/")
	check("/mine")
	cameras := o.known(t).Cameras
	if len(cameras) != 4 {
		t.Fatalf("%d cameras", len(cameras))
	}
	for _, c := range cameras {
		if err := o.Inventory.Set(t.Context(), c.ID, inventory.Edit{Outdoor: new(true)}); err != nil {
			t.Fatal(err)
		}
	}
	check("/hours")
	check("/report")
}
