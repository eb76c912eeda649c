package join

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// named has an owner name somebody else as a contact, and gives the token of the
// mail that this one gets.
func (d *door) named() (token string) {
	d.t.Helper()
	at, agent := d.now.Add(-47*time.Hour), uuid.NewString()
	code := protocol.NewCode()
	if _, err := d.reg.Invite(d.t.Context(), registry.Invitation{SiteID: d.site, CodeHash: code.Hash(), ExpiresAt: d.now, At: at}); err != nil {
		d.t.Fatal(err)
	}
	grant, err := d.reg.Redeem(d.t.Context(), ingest.Redemption{CodeHash: code.Hash(), KeyHash: code.Hash(), AgentID: agent, At: at, Replace: true})
	if err != nil {
		d.t.Fatal(err)
	}
	declared := declaration(at)
	declared.Contacts = append(declared.Contacts, protocol.Contact{Name: "Luca Verdi", Role: protocol.RoleReferent, Phone: "+39 02 5555 0202", Email: "luca@example.it", Hours: "8-18"})
	m := protocol.Message{ID: uuid.NewString(), SiteID: d.site, Epoch: grant.Epoch, Revision: 1, MadeAt: at, Body: declared}
	raw, err := protocol.Encode(m)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.reg.Record(d.t.Context(), agent, m, raw, at); err != nil {
		d.t.Fatal(err)
	}
	due, err := d.reg.DueMail(d.t.Context(), d.now, 10)
	if err != nil || len(due) != 1 || due[0].Token == "" {
		d.t.Fatalf("%+v, %v", due, err)
	}
	return due[0].Token
}

// The link shows what a contact is asked, and the button accepts it, once it is on
// the trail.
func TestContactAccepts(t *testing.T) {
	d := newDoor(t)
	path := "/contact/" + d.named()
	cookie, _ := d.enter(d.code.String())
	if page := body(t, d.ask("GET", "/site", cookie, nil, nil)); !strings.Contains(page, "Non ancora confermato") || !strings.Contains(page, "finché non accetta") {
		t.Error("the owner's page does not say that the contact is not confirmed")
	}
	page := body(t, d.ask("GET", path, "", nil, nil))
	for _, want := range []string{"Bar Centrale", "Via Torino 1", "Luca Verdi", "5555 0202", "luca@example.it", `action="` + path + `"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "Anna Bianchi") {
		t.Error("the page tells of other contacts")
	}
	d.acts = nil
	if resp := d.ask("POST", path, "", nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); resp.StatusCode != http.StatusForbidden {
		t.Errorf("from another site's page: %d", resp.StatusCode)
	}
	d.err = errors.New("full")
	if resp := d.ask("POST", path, "", nil, nil); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without the trail: %d", resp.StatusCode)
	}
	d.err = nil
	waits := func() bool {
		own, err := d.reg.Own(t.Context(), d.site)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(own.Contacts, func(c registry.Contact) bool { return c.Unconfirmed })
	}
	if !waits() || len(d.acts) != 0 {
		t.Fatal("it was accepted without the button, another page's or the trail")
	}
	if resp := d.ask("POST", path, "", nil, nil); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/contact/accepted" || waits() {
		t.Errorf("%d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	if !slices.Equal(d.kinds(), []string{"contact-accept"}) || d.acts[0].Count != 1 {
		t.Errorf("on the trail: %+v", d.acts)
	}
	if page := body(t, d.ask("GET", "/contact/accepted", "", nil, nil)); !strings.Contains(page, "confermato da te") {
		t.Error("the page after it does not thank")
	}
	for _, method := range []string{"GET", "POST"} {
		for _, used := range []string{path, "/contact/x"} {
			if resp := d.ask(method, used, "", nil, nil); resp.StatusCode != http.StatusNotFound || !strings.Contains(body(t, resp), "non vale più") {
				t.Errorf("%s %s: %d", method, used, resp.StatusCode)
			}
		}
	}
	if len(d.acts) != 1 || strings.Contains(d.log.String(), path) {
		t.Error("a link of no use is on the trail, or a token in the log")
	}
}
