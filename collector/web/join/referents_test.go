package join

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// desk is a referent's browser at a door, behind its own sign-in.
type desk struct {
	*door
	user    registry.User
	bank    string
	site    string   // of the bank, imported
	entry   *web.Web // that lets referents in
	handler http.Handler
	cookie  *http.Cookie
}

// newDesk has a bank with one site, and a referent who signed in and whom nobody has
// delegated yet.
func newDesk(t *testing.T) *desk {
	t.Helper()
	return deskAt(t, newDoor(t), "http://127.0.0.1:8080") // an address has no passkeys: the link signs in
}

func deskAt(t *testing.T, door *door, address string) *desk {
	t.Helper()
	d := &desk{door: door}
	w, err := web.New(web.Options{Registry: d.reg, Face: pages.FacePublic, Roles: []string{registry.RoleReferent}, Home: map[string]string{registry.RoleReferent: ReferentPath},
		PublicURL: address, Secret: make([]byte, 32), Record: d.join.Record, Log: d.join.Log, Now: func() time.Time { return d.now }})
	if err != nil {
		t.Fatal(err)
	}
	d.entry = w
	f, err := NewReferents(d.join, w)
	if err != nil {
		t.Fatal(err)
	}
	if d.handler, err = w.Handler(f.Routes()); err != nil {
		t.Fatal(err)
	}
	d.bank = d.addBank()
	d.site = d.imports("Filiale Torino")[0]
	d.user = registry.User{ID: uuid.NewString(), Name: "Gino Bruni", Role: registry.RoleReferent, At: d.now}
	if err := d.reg.AddUser(t.Context(), d.user); err != nil {
		t.Fatal(err)
	}
	link, err := w.NewLink(t.Context(), address, d.user.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ := strings.Cut(link, "token=")
	resp := d.asks("POST", "/login/link", url.Values{"token": {token}})
	for _, c := range resp.Cookies() {
		if c.Name == "__Host-anagrafe-referent" {
			d.cookie = c
		}
	}
	if d.cookie == nil {
		t.Fatalf("the link signs nobody in: %d", resp.StatusCode)
	}
	return d
}

// imports has the bank import sites of these names, and gives their ids.
func (d *desk) imports(names ...string) (ids []string) {
	d.t.Helper()
	im := registry.Import{OrganisationID: d.bank, By: "Dora Neri", At: d.now}
	for _, name := range names {
		im.Sites = append(im.Sites, registry.ImportedSite{Key: name, Site: protocol.Site{Name: name, Category: "bank", Address: "Via Torino 1"},
			Cameras: []registry.ImportedCamera{{Key: "1", Recorder: protocol.Recorder{Vendor: "Acme", Name: "NVR"},
				Camera: protocol.Camera{Name: "Ingresso", Position: protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}, Method: "typed"},
					OutdoorPublic: protocol.Outdoor{Yes: true}}}}})
	}
	done, err := d.reg.Import(d.t.Context(), im)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, one := range done {
		ids = append(ids, one.SiteID)
	}
	return ids
}

// lets gives the referent a delegation of the bank's.
func (d *desk) lets(sites []string, powers ...protocol.Power) protocol.Delegation {
	d.t.Helper()
	given := protocol.Delegation{ID: uuid.NewString(), OrganisationID: d.bank, UserID: d.user.ID, Referent: d.user.Name, Powers: powers, Sites: sites,
		Rule: "contratto 12/2026", From: d.now.Add(-time.Hour).UTC(), Until: d.now.Add(24 * time.Hour).UTC()}
	if err := d.reg.Delegate(d.t.Context(), given); err != nil {
		d.t.Fatal(err)
	}
	return given
}

func (d *desk) asks(method, path string, form url.Values) *http.Response {
	d.t.Helper()
	var in io.Reader
	if form != nil {
		in = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(d.t.Context(), method, "http://127.0.0.1:8080"+path, in)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if d.cookie != nil {
		r.AddCookie(d.cookie)
	}
	rw := httptest.NewRecorder()
	d.handler.ServeHTTP(rw, r)
	return rw.Result()
}

// page gives a page's status and text.
func (d *desk) page(path string) (int, string) {
	d.t.Helper()
	resp := d.asks("GET", path, nil)
	return resp.StatusCode, body(d.t, resp)
}

// A referent sees the sites of the delegations that are in force, and no other; what a
// delegation does not hold, nobody is even told of.
func TestReferentSeesWhatIsDelegated(t *testing.T) {
	d := newDesk(t)
	other := d.imports("Filiale Roma")[0]
	if status, text := d.page(ReferentPath); status != http.StatusOK || strings.Contains(text, "Filiale") {
		t.Fatalf("%d: a referent without a delegation sees a site", status)
	}
	if status, text := d.page(ReferentPath + "/delegations"); status != http.StatusOK || !strings.Contains(text, "Nessuno ti ha ancora delegato") {
		t.Errorf("%d: the page of no delegations", status)
	}
	given := d.lets([]string{d.site}, protocol.MayAnswer)
	if _, text := d.page(ReferentPath); !strings.Contains(text, "Filiale Torino") || strings.Contains(text, "Filiale Roma") {
		t.Error("the list is not that of the delegation")
	}
	for path, want := range map[string]int{"/sites/" + d.site: http.StatusOK, "/sites/" + other: http.StatusNotFound, "/sites/" + d.door.site: http.StatusNotFound,
		"/sites/" + uuid.NewString(): http.StatusNotFound, "/sites/x": http.StatusNotFound} {
		if status, _ := d.page(ReferentPath + path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if _, text := d.page(ReferentPath + "/sites/" + d.site); strings.Contains(text, "+39 02 5550000") || strings.Contains(text, "Sala") || !strings.Contains(text, "rispondere alle richieste") {
		t.Error("the page shows whom to call, or not what the referent may do")
	}
	if _, text := d.page(ReferentPath + "/delegations"); !strings.Contains(text, "contratto 12/2026") || !strings.Contains(text, "vale adesso") {
		t.Error("the delegation is not shown with its rule")
	}
	if err := d.reg.RevokeDelegation(t.Context(), given.ID, d.now); err != nil {
		t.Fatal(err)
	}
	if status, _ := d.page(ReferentPath + "/sites/" + d.site); status != http.StatusNotFound {
		t.Errorf("after the delegation was revoked: %d", status)
	}
	d.lets(nil, protocol.MayPrepare)
	if _, text := d.page(ReferentPath); !strings.Contains(text, "Filiale Torino") || !strings.Contains(text, "Filiale Roma") {
		t.Error("a delegation for all sites is not")
	}
	if err := d.reg.ChangeOwner(t.Context(), other, d.otherBank(), d.now); err != nil {
		t.Fatal(err)
	}
	if status, text := d.page(ReferentPath); status != http.StatusOK || strings.Contains(text, "Filiale Roma") {
		t.Error("a site that has gone to another owner is still shown")
	}
	d.now = d.now.Add(25 * time.Hour)
	if resp := d.asks("GET", ReferentPath, nil); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("the session did not end: %d", resp.StatusCode)
	}
}

func (d *desk) otherBank() string {
	o := protocol.Organisation{ID: uuid.NewString(), Kind: protocol.Firm, Name: "Altra banca", FiscalCode: "00743110157", Trust: protocol.TrustPEC,
		Contacts: []protocol.Contact{{Name: "Sala", Role: protocol.RoleControlRoom, Phone: "+39 02 5550001"}}}
	if err := d.reg.AddOrganisation(d.t.Context(), o, d.now); err != nil {
		d.t.Fatal(err)
	}
	return o.ID
}

// The list is paged, filtered and sorted by its address alone.
func TestReferentList(t *testing.T) {
	d := newDesk(t)
	var names []string
	for i := range sitesOnPage + 4 {
		names = append(names, fmt.Sprintf("Sede %02d", i))
	}
	ids := d.imports(names...)
	d.lets(nil, protocol.MayAnswer)
	count := func(query string) (n int, text string) {
		t.Helper()
		status, text := d.page(ReferentPath + query)
		if status != http.StatusOK {
			t.Fatalf("%s: %d", query, status)
		}
		return strings.Count(text, "/referent/sites/"), text
	}
	if n, text := count(""); n != sitesOnPage || !strings.Contains(text, "30 sedi") || !strings.Contains(text, "page=2") {
		t.Errorf("the first page has %d sites", n)
	}
	if n, _ := count("?page=2&sort=heard"); n != 5 {
		t.Errorf("the second page has %d sites", n)
	}
	if err := d.reg.Act(t.Context(), ids[3], protocol.SiteSuspended, d.now); err != nil {
		t.Fatal(err)
	}
	if n, text := count("?state=suspended"); n != 1 || !strings.Contains(text, "Sede 03") {
		t.Errorf("%d suspended sites", n)
	}
	if n, _ := count("?health=asked"); n != 0 {
		t.Errorf("%d sites are asked something", n)
	}
	if n, text := count("?health=unheard"); n != 0 || !strings.Contains(text, "Nessuna sede") {
		t.Errorf("%d sites are not heard", n)
	}
	for _, odd := range []string{"?page=0", "?page=x", "?sort=%27;drop", "?state=invited", "?page=999999999999"} {
		if n, _ := count(odd); n != sitesOnPage {
			t.Errorf("%s: %d sites", odd, n)
		}
	}
}

// A request is answered by who has that power, in their own name, with the delegation
// on the trail; who has not sees it.
func TestReferentAnswers(t *testing.T) {
	d := newDesk(t)
	d.door.site = d.site
	asked := d.door.asks(protocol.Invitation, false).NoticeID
	d.lets([]string{d.site}, protocol.MayPrepare)
	at := ReferentPath + "/sites/" + d.site
	if status, text := d.page(at); status != http.StatusOK || !strings.Contains(text, "asked-"+asked) || strings.Contains(text, `value="copied"`) {
		t.Errorf("%d: who may not answer is offered to, or does not see the request", status)
	}
	if resp := d.asks("POST", at+"/requests/"+asked, url.Values{"state": {"copied"}}); resp.StatusCode != http.StatusForbidden {
		t.Errorf("who may not answer: %d", resp.StatusCode)
	}
	given := d.lets([]string{d.site}, protocol.MayAnswer)
	if _, text := d.page(at); !strings.Contains(text, `value="copied"`) {
		t.Error("who may answer is not offered to")
	}
	if n, _ := d.page(ReferentPath + "?health=asked"); n != http.StatusOK {
		t.Error(n)
	}
	for name, c := range map[string]struct {
		notice string
		form   url.Values
		want   int
	}{
		"no state":       {asked, url.Values{}, 422},
		"not a person's": {asked, url.Values{"state": {"seen"}}, 422},
		"a long note":    {asked, url.Values{"state": {"copied"}, "note": {strings.Repeat("x", maxNote+1)}}, 422},
		"no request":     {uuid.NewString(), url.Values{"state": {"copied"}}, 404},
	} {
		if resp := d.asks("POST", at+"/requests/"+c.notice, c.form); resp.StatusCode != c.want {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	if slices.ContainsFunc(d.acts, func(a web.Act) bool { return a.Kind == "referent-reply" }) {
		t.Error("what was refused is on the trail as done")
	}
	if resp := d.asks("POST", at+"/requests/"+asked, url.Values{"state": {"copied"}, "note": {"su un disco"}}); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("the answer: %d %s", resp.StatusCode, body(t, resp))
	}
	i := slices.IndexFunc(d.acts, func(a web.Act) bool { return a.Kind == "referent-reply" })
	if i < 0 || d.acts[i].User.ID != d.user.ID || d.acts[i].Details.(map[string]any)["delegation"] != given.ID {
		t.Errorf("on the trail: %+v", d.acts)
	}
	if _, text := d.page(at); !strings.Contains(text, "Gino Bruni, referente") {
		t.Error("the answer does not bear the referent's name")
	}
}
