package join

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// must asks over the control socket what has to be done, and reads the answer.
func (d *door) must(path string, in, out any) {
	d.t.Helper()
	status, body := d.control(http.MethodPost, path, in)
	if status >= http.StatusMultipleChoices {
		d.t.Fatalf("%s: %d %s", path, status, body)
	}
	if err := json.Unmarshal(body, out); err != nil {
		d.t.Fatalf("%s: %s %v", path, body, err)
	}
}

func (d *door) takeIn(organisation, site string) {
	d.t.Helper()
	d.must("/organisations/take-in", ownershipRequest{Organisation: organisation, Site: site}, new(map[string]string))
}

func (d *door) delegate(organisation, referent, rule string, sites ...string) (out protocol.Delegation) {
	d.t.Helper()
	d.must("/delegations", delegationRequest{Organisation: organisation, Referent: referent, Rule: rule, Sites: sites,
		Powers: []protocol.Power{protocol.MayPrepare, protocol.MayAnswer}, Until: d.now.AddDate(1, 0, 0)}, &out)
	return out
}

// otherSite has a second site declared, and leaves the first in its place.
func (d *door) otherSite() string {
	d.t.Helper()
	site, code := d.site, d.code
	d.declare()
	other := d.site
	d.site, d.code = site, code
	return other
}

func (d *door) kinds() (kinds []string) {
	for _, a := range d.acts {
		kinds = append(kinds, string(a.Kind))
	}
	return kinds
}

func condominium() protocol.Organisation {
	return protocol.Organisation{Kind: protocol.Condominium, Name: "Condominio di via Torino 1", FiscalCode: "01199250158", Trust: protocol.TrustInvitation,
		Representative: &protocol.Representative{Name: "Anna Bianchi", Capacity: "amministratrice"},
		Contacts:       []protocol.Contact{{Name: "Studio Bianchi", Role: protocol.RoleOwner, Phone: "+39 02 1234567"}}}
}

// Another administrator: the condominium is represented by them, reached by their
// contacts, and the former one's code opens the site no more.
func TestAnotherAdministrator(t *testing.T) {
	d := newDoor(t)
	var o protocol.Organisation
	d.must("/organisations", condominium(), &o)
	d.takeIn(o.ID, d.site)
	cookie, _ := d.enter(d.code.String())
	d.acts = nil

	next := organisationChange{Organisation: o.Name, Representative: &protocol.Representative{Name: "Ugo Neri", Capacity: "amministratore"}}
	status, answer := d.control(http.MethodPost, "/organisations/change", next)
	if status != http.StatusUnprocessableEntity || !strings.Contains(string(answer), `"contacts"`) {
		t.Errorf("without whom to call: %d %s", status, answer)
	}
	next.Contacts = []protocol.Contact{{Name: "Studio Neri", Role: protocol.RoleOwner, Phone: "+39 02 7654321"}}
	var changed protocol.Organisation
	d.must("/organisations/change", next, &changed)
	if changed.Representative.Name != "Ugo Neri" || changed.Contacts[0].Name != "Studio Neri" || changed.Name != o.Name || changed.FiscalCode != o.FiscalCode {
		t.Errorf("%+v", changed)
	}
	if !slices.Equal(d.kinds(), []string{"organisation-change"}) {
		t.Errorf("on the trail: %v", d.kinds())
	}
	if strings.Contains(body(t, d.ask("GET", "/site", cookie, nil, nil)), "Bar Centrale") {
		t.Error("the former administrator's session goes on")
	}
	if c, _ := d.enter(d.code.String()); c != "" {
		t.Error("the former administrator's code opens the site")
	}
	for name, in := range map[string]organisationChange{"nothing": {Organisation: o.ID}, "nobody": {Organisation: "x", Name: "y"},
		"a wrong code": {Organisation: o.ID, FiscalCode: "1"}} {
		if status, answer := d.control(http.MethodPost, "/organisations/change", in); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
}

// A change of owner answers with the link by which the new owner adheres.
func TestChangeOfOwner(t *testing.T) {
	d := newDoor(t)
	bank := d.addBank()
	var o protocol.Organisation
	d.must("/organisations", condominium(), &o)
	for name, c := range map[string]struct {
		path string
		in   ownershipRequest
		want string
	}{
		"no site":         {"/owner", ownershipRequest{Organisation: bank, Site: "x"}, "site"},
		"no organisation": {"/owner", ownershipRequest{Organisation: "x", Site: d.site}, "organisation"},
	} {
		if status, answer := d.control(http.MethodPost, c.path, c.in); status != http.StatusUnprocessableEntity || !strings.Contains(string(answer), `"field":"`+c.want) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	d.takeIn(bank, d.site)
	if status, answer := d.control(http.MethodPost, "/organisations/take-in",
		ownershipRequest{Organisation: o.ID, Site: d.site}); status != http.StatusUnprocessableEntity || !strings.Contains(string(answer), "owner change") {
		t.Errorf("taken in from another: %d %s", status, answer)
	}
	if status, answer := d.control(http.MethodPost, "/owner", ownershipRequest{Organisation: bank, Site: d.site}); status != http.StatusUnprocessableEntity {
		t.Errorf("to the same: %d %s", status, answer)
	}
	d.acts = nil
	var link invitation
	d.must("/owner", ownershipRequest{Organisation: o.Name, Site: d.site}, &link)
	code, err := protocol.ParseCode(link.Code)
	if err != nil || link.SiteID != d.site || link.Link != "https://localhost:8443/enrol#"+code.String() || !link.ExpiresAt.After(d.now.Add(13*24*time.Hour)) {
		t.Errorf("%+v, %v", link, err)
	}
	if d.state() != registry.Suspended || !slices.Equal(d.kinds(), []string{"owner-change"}) {
		t.Errorf("%s, on the trail %v", d.state(), d.kinds())
	}
	var shown organisationDetails
	d.must("/organisations/show", organisationRequest{Organisation: o.ID}, &shown)
	if len(shown.Sites) != 1 || shown.Sites[0].ID != d.site || shown.Sites[0].Name != "Bar Centrale" || shown.Sites[0].State != registry.Suspended || shown.Representative.Name != "Anna Bianchi" {
		t.Errorf("%+v", shown)
	}
}

// What cannot be put on the trail is not done.
func TestOrganisationsWithoutATrail(t *testing.T) {
	d := newDoor(t)
	bank := d.addBank()
	before := d.last()
	d.err = errors.New("full")
	for path, in := range map[string]any{
		"/organisations/change":  organisationChange{Organisation: bank, Name: "x"},
		"/organisations/take-in": ownershipRequest{Organisation: bank, Site: d.site},
		"/owner":                 ownershipRequest{Organisation: bank, Site: d.site},
		"/delegations": delegationRequest{Organisation: bank, Referent: "Luca", Powers: []protocol.Power{protocol.MayAnswer},
			Rule: "x", Until: d.now.AddDate(1, 0, 0)},
		"/delegations/revoke": map[string]string{"id": "7d2f7f0e-2f0b-4d6c-9a2e-0c4f6b1f3a12"},
	} {
		if status, answer := d.control(http.MethodPost, path, in); status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	if users, err := d.reg.Users(t.Context()); err != nil || len(users) != 0 || d.last() != before {
		t.Errorf("something was done that is not on the trail: %v, %v", users, err)
	}
}

func TestDelegations(t *testing.T) {
	d := newDoor(t)
	bank := d.addBank()
	d.takeIn(bank, d.site)
	d.acts = nil
	given := d.delegate(bank, "Luca Verdi", "contratto 12", d.site)
	d.delegate(bank, "luca  VERDI", "contratto 13")
	if !slices.Equal(d.kinds(), []string{"user-add", "delegation-add", "delegation-add"}) {
		t.Errorf("on the trail: %v", d.kinds())
	}
	for _, a := range d.acts[1:] {
		if b, err := json.Marshal(a.Details); err != nil || strings.Contains(string(b), "Luca") || strings.Contains(string(b), bankName) {
			t.Errorf("the trail keeps a name: %s", b)
		}
	}
	var list struct{ Delegations []protocol.Delegation }
	d.must("/delegations/list", organisationRequest{Organisation: bankName}, &list)
	if len(list.Delegations) != 2 || list.Delegations[0].UserID != list.Delegations[1].UserID || list.Delegations[0].Referent != "Luca Verdi" {
		t.Errorf("%+v", list)
	}
	d.must("/delegations/revoke", map[string]string{"id": given.ID}, new(map[string]string))
	d.must("/delegations/list", organisationRequest{Organisation: bankName}, &list)
	if i := slices.IndexFunc(list.Delegations, func(e protocol.Delegation) bool { return e.ID == given.ID }); list.Delegations[i].RevokedAt.IsZero() {
		t.Error("it is not revoked")
	}
	if err := d.reg.AddUser(t.Context(), registry.User{ID: "7d2f7f0e-2f0b-4d6c-9a2e-0c4f6b1f3a99", Name: "Ufficio", Role: registry.RoleOps, At: d.now}); err != nil {
		t.Fatal(err)
	}
	good := delegationRequest{Organisation: bank, Referent: "Luca Verdi", Powers: []protocol.Power{protocol.MayAnswer}, Rule: "x", Until: d.now.AddDate(1, 0, 0)}
	for name, c := range map[string]struct {
		change func(*delegationRequest)
		field  string
	}{
		"an operator":      {func(r *delegationRequest) { r.Referent = "ufficio" }, "referent"},
		"nobody":           {func(r *delegationRequest) { r.Referent = "" }, "referent"},
		"no power":         {func(r *delegationRequest) { r.Powers = nil }, "powers"},
		"no such power":    {func(r *delegationRequest) { r.Powers = []protocol.Power{"own"} }, "powers[0]"},
		"an end before":    {func(r *delegationRequest) { r.Until = d.now.Add(-time.Hour) }, "until"},
		"another's site":   {func(r *delegationRequest) { r.Sites = []string{d.otherSite()} }, "sites"},
		"no site":          {func(r *delegationRequest) { r.Sites = []string{"7d2f7f0e-2f0b-4d6c-9a2e-0c4f6b1f3a98"} }, "sites"},
		"no organisation":  {func(r *delegationRequest) { r.Organisation = "x" }, "organisation"},
		"too many to read": {func(r *delegationRequest) { r.Rule = strings.Repeat("x", maxRequest) }, "file"},
	} {
		wrong := good
		c.change(&wrong)
		d.acts = nil
		if status, answer := d.control(http.MethodPost, "/delegations", wrong); status != http.StatusUnprocessableEntity || !strings.Contains(string(answer), `"field":"`+c.field+`"`) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
		if len(d.acts) > 0 && c.field != "sites" { // whose the sites are is seen when it is done
			t.Errorf("%s: on the trail: %v", name, d.kinds())
		}
	}
	for _, id := range []string{"x", "7d2f7f0e-2f0b-4d6c-9a2e-0c4f6b1f3a97"} {
		if status, answer := d.control(http.MethodPost, "/delegations/revoke",
			map[string]string{"id": id}); status != http.StatusUnprocessableEntity || !strings.Contains(string(answer), "delegation list") {
			t.Errorf("revoke %s: %d %s", id, status, answer)
		}
	}
}

// The owner of a site revokes with their code what is for this site alone: a link
// asks, and the button does it.
func TestOwnerRevokesADelegation(t *testing.T) {
	d := newDoor(t)
	bank := d.addBank()
	d.takeIn(bank, d.site)
	d.takeIn(bank, d.otherSite())
	mine, all := d.delegate(bank, "Luca Verdi", "contratto 12", d.site), d.delegate(bank, "Sede", "delibera")
	path := "/site/delegations/" + mine.ID
	for _, c := range []struct{ method, path string }{{"GET", path}, {"POST", path + "/revoke"}} {
		if resp := d.ask(c.method, c.path, "", nil, nil); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s without a session: %d", c.method, c.path, resp.StatusCode)
		}
	}
	cookie, _ := d.enter(d.code.String())
	page := body(t, d.ask("GET", "/site", cookie, nil, nil))
	for _, want := range []string{"Luca Verdi", "contratto 12", "rispondere alle richieste", "Sede", "delibera", "un'altra sede", path} {
		if !strings.Contains(strings.ReplaceAll(page, "&#39;", "'"), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, all.ID+`"`) && strings.Contains(page, `href="/site/delegations/`+all.ID) {
		t.Error("it offers to revoke what is for other sites too")
	}
	if resp := d.ask("POST", path+"/revoke", cookie, nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); resp.StatusCode != http.StatusForbidden {
		t.Errorf("from another site's page: %d", resp.StatusCode)
	}
	d.acts = nil
	d.err = errors.New("full")
	if resp := d.ask("POST", path+"/revoke", cookie, nil, nil); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without the trail: %d", resp.StatusCode)
	}
	d.err = nil
	for _, c := range []struct{ method, path string }{{"POST", "/site/delegations/" + all.ID + "/revoke"}, {"POST", "/site/delegations/x/revoke"}, {"GET", "/site/delegations/" + all.ID}} {
		if resp := d.ask(c.method, c.path, cookie, nil, nil); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/site" {
			t.Errorf("%s %s: %d", c.method, c.path, resp.StatusCode)
		}
	}
	if confirm := body(t, d.ask("GET", path, cookie, nil, nil)); !strings.Contains(confirm, "Luca Verdi") || !strings.Contains(confirm, path+"/revoke") {
		t.Error("the link does not ask")
	}
	if left, err := d.reg.SiteDelegations(t.Context(), d.site, d.now); err != nil || len(left) != 2 || len(d.acts) != 0 {
		t.Fatalf("something is done already: %+v, %v, %+v", left, err, d.acts)
	}
	if resp := d.ask("POST", path+"/revoke", cookie, nil, nil); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/site" {
		t.Errorf("%d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	if left, err := d.reg.SiteDelegations(t.Context(), d.site, d.now); err != nil || len(left) != 1 || left[0].ID != all.ID {
		t.Errorf("%+v, %v", left, err)
	}
	if len(d.acts) != 1 || d.acts[0].Kind != "owner-revoke-delegation" || d.acts[0].User.ID != "owner "+d.site {
		t.Errorf("on the trail: %+v", d.acts)
	}
	if strings.Contains(body(t, d.ask("GET", "/site", cookie, nil, nil)), "Luca Verdi") {
		t.Error("the page still shows it")
	}
}
