package review

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A site that came without a name is asked for one where it says whom to call, and only
// then; what is wrong with it is said there.
func TestUnnamedSite(t *testing.T) {
	o := start(t)
	o.signIn(t)
	g := grant()
	g.SiteName, g.Category, g.Address = "", "", ""
	if err := o.Inventory.AddGrant(t.Context(), g.Grant, g.Collector); err != nil {
		t.Fatal(err)
	}
	person := url.Values{"name": {"Anna Neri"}, "phone": {"112"}, "role": {"owner"}}
	if status, body, _ := o.send(t, "GET", "/contact", ""); status != http.StatusOK || !strings.Contains(body, `id="place_name"`) {
		t.Fatalf("%d: the name of the place is not asked for", status)
	}
	if status, body, _ := o.send(t, "POST", "/contact", person.Encode()); status != http.StatusUnprocessableEntity || !strings.Contains(body, "place_name-error") {
		t.Errorf("without a name of the place: %d", status)
	}
	person.Set("place_name", "Bar Centrale")
	person.Set("place_category", "bar-restaurant")
	person.Set("place_address", "via Roma 1")
	if status, body, _ := o.send(t, "POST", "/contact", person.Encode()); status != http.StatusSeeOther {
		t.Fatalf("%d %s", status, body)
	}
	grants := o.known(t).Sites
	if grants[0].SiteName != "Bar Centrale" || grants[0].Category != "bar-restaurant" || grants[0].Address != "via Roma 1" {
		t.Errorf("%+v", grants)
	}
	if contacts := o.known(t).Contacts[""]; len(contacts) != 1 {
		t.Errorf("%+v", contacts)
	}
	if _, body, _ := o.send(t, "GET", "/contact", ""); strings.Contains(body, `id="place_name"`) {
		t.Error("the name is asked for again")
	}
}
