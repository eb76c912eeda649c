package adhere

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

var (
	anna    = map[string]string{"site": "Bar Centrale", "category": "bar-restaurant", "name": "Anna Bianchi", "phone": "02 5555 0101", "email": "anna@example.it", "hours": "9-20"}
	torino  = map[string]string{"address": "via Torino 1"}
	ingress = map[string]string{"name": "Ingresso", "outdoor": "yes", "direction": "45", "angle": "80", "range": "30", "records": "always",
		"kept": "7", "storage": "on-premises", "room": "nel retro", "recorder": "NVR"}
)

// with is a form with other values.
func with(fields map[string]string, change ...string) map[string]string {
	all := map[string]string{}
	for name, value := range fields {
		all[name] = value
	}
	for i := 0; i+1 < len(change); i += 2 {
		all[change[i]] = change[i+1]
	}
	return all
}

// typed types all up to the identity.
func (d *desk) typed() {
	d.t.Helper()
	for _, step := range []struct {
		path   string
		fields map[string]string
		to     string
	}{
		{"/aderisci/chi", anna, "/aderisci/luogo"},
		{"/aderisci/luogo", torino, "/aderisci/telecamere"},
		{"/aderisci/telecamere/nuova", with(ingress, "more", "1"), "/aderisci/telecamere/nuova"},
		{"/aderisci/telecamere/nuova", with(ingress, "name", "Cassa", "records", "hours", "from", "20:00", "to", "08:00", "day1", "yes"), "/aderisci/telecamere"},
		{"/aderisci/chiamare", nil, "/aderisci/identita"},
	} {
		if to := d.post(step.path, step.fields); to != step.to {
			d.t.Fatalf("%s leads to %s", step.path, to)
		}
	}
}

// token asks for the message, and takes the link out of it.
func (d *desk) token() string {
	d.t.Helper()
	d.post("/aderisci/identita/email", nil)
	due, err := d.reg.DueMail(d.t.Context(), d.now, 10)
	if err != nil || len(due) != 1 || due[0].Address != "anna@example.it" {
		d.t.Fatal(due, err)
	}
	if err := d.reg.MailSent(d.t.Context(), due[0], d.now); err != nil {
		d.t.Fatal(err)
	}
	return due[0].Path
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(notice|seen)" value="([^"]*)">`)

// act presses "Aderisco" as the summary shows it.
func (d *desk) act(fields ...string) *http.Response {
	d.t.Helper()
	all := map[string]string{"read": "yes"}
	for _, m := range hidden.FindAllStringSubmatch(d.page("/aderisci/riepilogo"), -1) {
		all[m[1]] = m[2]
	}
	return d.ask("POST", "/aderisci/aderisco", values(with(all, fields...)))
}

func (d *desk) sites() []registry.SiteSummary {
	d.t.Helper()
	all, err := d.reg.Sites(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// A shop joins without a script: each step is kept, nothing is in the register before
// the identity is confirmed and the button pressed, and the receipt opens the site.
func TestAShopJoins(t *testing.T) {
	d := newDesk(t)
	if !strings.Contains(d.page("/aderisci"), "/aderisci/chi") {
		t.Error("the first page leads nowhere")
	}
	d.typed()
	for _, path := range []string{"/chi", "/luogo", "/telecamere", "/telecamere/nuova", "/chiamare", "/identita", "/riepilogo"} {
		d.page("/aderisci" + path)
	}
	if resp := d.ask("POST", "/aderisci/aderisco", values(map[string]string{"read": "yes"})); resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the act without an identity answers %d", resp.StatusCode)
	}
	link := d.token()
	if text := d.page("/aderisci/identita"); !strings.Contains(text, "anna@example.it") {
		t.Error("it does not say where the message went")
	}
	d.cookies = map[string]string{} // on another device
	if !strings.Contains(d.page(link), `method="post"`) || len(d.acts) != 0 {
		t.Error("opening the link does something")
	}
	if to := d.post(link, nil); to != "/aderisci/riepilogo" {
		t.Errorf("confirmed, it leads to %s", to)
	}
	if len(d.sites()) != 0 {
		t.Error("something is in the register before the act")
	}
	summary := d.page("/aderisci/riepilogo")
	for _, want := range []string{"Bar Centrale", "via Torino 1", "Ingresso", "Cassa", "nord-est", "dalle 20:00 alle 08:00, lunedì", "7 giorni",
		"Anna Bianchi", "solo con un indirizzo e-mail", pages.OwnersNotice} {
		if !strings.Contains(summary, want) {
			t.Errorf("the summary does not say %q", want)
		}
	}
	if strings.Contains(summary, `value="yes" checked`) {
		t.Error("something is ticked")
	}
	resp := d.act("read", "")
	if resp.StatusCode != http.StatusUnprocessableEntity || len(d.sites()) != 0 {
		t.Errorf("without having read the notice: %d", resp.StatusCode)
	}
	if resp = d.act(); resp.Header.Get("Location") != "/aderisci/ricevuta" {
		t.Fatalf("%d: %v", resp.StatusCode, errorsOf(body(t, resp)))
	}
	all := d.sites()
	if len(all) != 1 || all[0].State != registry.Sharing || all[0].Cameras != 2 || all[0].Trust != string(protocol.TrustEmail) {
		t.Fatalf("%+v", all)
	}
	receipt := d.page("/aderisci/ricevuta")
	h, err := d.reg.HandReceipt(t.Context(), all[0].ID, d.now)
	if err != nil || h.Notice != pages.OwnersNotice || h.By != "Anna Bianchi" {
		t.Fatalf("%+v, %v", h, err)
	}
	for _, want := range []string{h.Number, h.OwnerCode.String(), h.Enrol.String(), "localhost:8443", "Presa in carico", "Termine massimo"} {
		if !strings.Contains(receipt, want) {
			t.Errorf("the receipt does not say %q", want)
		}
	}
	if resp := d.ask("POST", "/aderisci/aderisco", nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("pressed twice: %d", resp.StatusCode)
	}
	entries, err := json.Marshal(d.acts)
	if err != nil || len(d.acts) != 2 || d.acts[0].Kind != "adhere-identity" || d.acts[1].Kind != "adhere" {
		t.Errorf("on the trail: %s", entries)
	}
	for _, secret := range []string{"Anna", "anna@", "5555", "Torino", h.OwnerCode.String(), h.Enrol.String()} {
		if strings.Contains(string(entries), secret) || strings.Contains(d.log.String(), secret) {
			t.Errorf("%q is on the trail or in the log", secret)
		}
	}
}

// What the trail cannot take is not done.
func TestNothingWithoutTheTrail(t *testing.T) {
	d := newDesk(t)
	d.typed()
	link := d.token()
	d.err = context.DeadlineExceeded
	if resp := d.ask("POST", link, nil); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("confirmed: %d", resp.StatusCode)
	}
	d.err = nil
	d.post(link, nil)
	d.err = context.DeadlineExceeded
	if resp := d.act(); resp.StatusCode != http.StatusServiceUnavailable || len(d.sites()) != 0 {
		t.Errorf("recorded: %d", resp.StatusCode)
	}
}

// What is typed wrongly is said beside its field, what was typed stays, and nothing is kept.
func TestErrors(t *testing.T) {
	d := newDesk(t)
	check := func(path string, fields map[string]string, status int, want ...string) {
		t.Helper()
		resp := d.ask("POST", path, values(fields))
		text := body(t, resp)
		d.whole(path, text)
		got := strings.Join(errorsOf(text), " | ")
		if resp.StatusCode != status {
			t.Errorf("%s answers %d: %s", path, resp.StatusCode, got)
		}
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s does not say %q: %s", path, w, got)
			}
		}
		for name, value := range fields {
			if fields["website"] == "" && status == http.StatusUnprocessableEntity &&
				!slices.Contains([]string{"records", "outdoor", "website", "category", "direction"}, name) && plain(value) && value != "" &&
				!strings.Contains(text, `value="`+value+`"`) {
				t.Errorf("%s: what was typed as %s is lost", path, name)
			}
		}
	}
	check("/aderisci/chi", nil, http.StatusUnprocessableEntity, "Manca")
	check("/aderisci/chi", with(anna, "phone", "chiamami", "email", "anna", "category", "castle"), http.StatusUnprocessableEntity, "numero di telefono", "indirizzo e-mail", "voce dell")
	check("/aderisci/chi", with(anna, "site", "Bar\u202e"), http.StatusUnprocessableEntity, "caratteri")
	check("/aderisci/chi", with(anna, "site", strings.Repeat("x", 121)), http.StatusUnprocessableEntity, "troppo lungo")
	check("/aderisci/chi", with(anna, "website", "http://spam"), http.StatusUnprocessableEntity)
	if len(d.cookies) != 0 {
		t.Error("a submission was begun")
	}
	d.post("/aderisci/chi", anna)
	check("/aderisci/luogo", map[string]string{"address": "via di Nessuno 3"}, http.StatusUnprocessableEntity, "elenco")
	check("/aderisci/luogo", map[string]string{"address": "via Torino 1", "position": "a sinistra"}, http.StatusUnprocessableEntity, "coordinate")
	check("/aderisci/luogo", map[string]string{"address": "via Roma"}, http.StatusUnprocessableEntity)
	d.post("/aderisci/luogo", torino)
	check("/aderisci/telecamere/nuova", map[string]string{"name": "Uno"}, http.StatusUnprocessableEntity, "Scegli una risposta")
	check("/aderisci/telecamere/nuova", with(ingress, "direction_deg", "400", "range_m", "0", "kept", "mai"), http.StatusUnprocessableEntity, "359", "2000", "giorni")
	check("/aderisci/telecamere/nuova", with(ingress, "records", "hours", "from", "venti", "to", ""), http.StatusUnprocessableEntity, "20:00")
	check("/aderisci/telecamere/nuova", with(ingress, "address", "altrove"), http.StatusUnprocessableEntity, "elenco")
	check("/aderisci/chiamare", map[string]string{"name": "Luca"}, http.StatusUnprocessableEntity)
	if resp := d.ask("GET", "/aderisci/telecamere", nil); resp.Header.Get("Location") != "/aderisci/telecamere/nuova" {
		t.Error("a camera was kept")
	}
}

// A place of several: the one that is pressed is taken. A camera that films the inside,
// or hangs outside the area, is not kept; a site outside the area leaves nothing.
func TestPlaces(t *testing.T) {
	d := newDesk(t)
	d.post("/aderisci/chi", anna)
	text := body(t, d.ask("POST", "/aderisci/luogo", values(map[string]string{"address": "via Roma"})))
	if !strings.Contains(text, "Lambrate") || !strings.Contains(text, `name="near" value="45.480000, 9.240000"`) {
		t.Error("the places that were found are not shown")
	}
	d.post("/aderisci/luogo", map[string]string{"address": "via Roma", "near": "45.480000, 9.240000"})
	if to := d.post("/aderisci/telecamere/nuova", with(ingress, "outdoor", "no")); to != "/aderisci/telecamere?fatto=interna" {
		t.Error(to)
	}
	if !strings.Contains(d.page("/aderisci/telecamere?fatto=interna"), "solo dentro") {
		t.Error("it does not say why")
	}
	if to := d.post("/aderisci/telecamere/nuova", with(ingress, "position", "46.5, 9.2")); to != "/aderisci/telecamere?fatto=fuori" {
		t.Error(to)
	}
	d.post("/aderisci/telecamere/nuova", with(ingress, "position", "45.481, 9.241"))
	id, _, err := d.web.Submission(d.request())
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.reg.Submission(t.Context(), id)
	if err != nil || s.Place.AccuracyM != streetAccuracyM || s.Place.Method != "address" || len(s.Cameras) != 1 || s.Cameras[0].Camera.Position.Lat != 45_481_000 {
		t.Errorf("%+v, %v", s, err)
	}
	resp := d.ask("POST", "/aderisci/luogo", values(map[string]string{"address": "Lugano", "position": "46.0101, 8.9600"}))
	if text := body(t, resp); resp.StatusCode != http.StatusOK || !strings.Contains(text, "Fuori area") {
		t.Errorf("outside the area: %d", resp.StatusCode)
	}
	if _, err := d.reg.Submission(t.Context(), id); err == nil {
		t.Error("what was typed outside the area is kept")
	}
}

// request has the browser's cookies.
func (d *desk) request() *http.Request {
	r := httptest.NewRequest("GET", "http://localhost/", nil)
	for name, value := range d.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

var codeShown = regexp.MustCompile(`<strong class="code">([0-9A-Z-]+)</strong>`)

// The draft goes on on another device by its code, typed; a wrong code is slowed down.
func TestResume(t *testing.T) {
	d := newDesk(t)
	d.typed()
	m := codeShown.FindStringSubmatch(d.page("/aderisci/chi"))
	if m == nil {
		t.Fatal("no page shows the code")
	}
	d.cookies = map[string]string{}
	if resp := d.ask("GET", "/aderisci/luogo", nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a draft: %d", resp.StatusCode)
	}
	if to := d.post("/aderisci/riprendi", map[string]string{"code": strings.ToLower(m[1])}); to != "/aderisci/identita" {
		t.Errorf("it goes on at %s", to)
	}
	if text := d.page("/aderisci/chi"); !strings.Contains(text, "Bar Centrale") || len(d.acts) != 1 || d.acts[0].Kind != "adhere-resume" {
		t.Errorf("%+v", d.acts)
	}
	d.post("/aderisci/esci", nil)
	if len(d.cookies) != 0 {
		t.Error("it is still open on this device")
	}
	last := 0
	for range 25 {
		last = d.ask("POST", "/aderisci/riprendi", values(map[string]string{"code": protocol.NewCode().String()})).StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the 25th wrong code answers %d", last)
	}
	d.now = d.now.Add(time.Hour)
	d.post("/aderisci/riprendi", map[string]string{"code": m[1]})
	d.post("/aderisci/cancella", nil)
	if resp := d.ask("POST", "/aderisci/riprendi", values(map[string]string{"code": m[1]})); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a draft that was deleted opens: %d", resp.StatusCode)
	}
}

// Without mail the form says so, and takes an invitation code in its place.
func TestInvitation(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.Mail = false })
	code := protocol.NewCode()
	site, err := d.reg.Invite(t.Context(), registry.Invitation{Site: protocol.Site{Name: "Bar Sport", Category: "shop", Address: "via Torino 1"},
		CodeHash: code.Hash(), ExpiresAt: d.now.Add(registry.CodeLife), At: d.now})
	if err != nil {
		t.Fatal(err)
	}
	if to := d.post("/aderisci/invito", map[string]string{"code": code.String()}); to != "/aderisci/chi" {
		t.Fatal(to)
	}
	if rows, err := d.reg.Funnel(t.Context(), registry.GroupNone, d.now); err != nil || rows[0].Reached[registry.StageOpened] != 1 || rows[0].Reached[registry.StageEnrolled] != 0 {
		t.Errorf("the funnel after the code was typed: %+v %v", rows, err)
	}
	if len(d.acts) != 1 || d.acts[0].Kind != "adhere-identity" {
		t.Errorf("on the trail: %+v", d.acts)
	}
	if text := d.page("/aderisci/chi"); !strings.Contains(text, "Bar Sport") {
		t.Error("what the invitation says is asked again")
	}
	if text := d.page("/aderisci/luogo"); !strings.Contains(text, "via Torino 1") {
		t.Error("its address is asked again")
	}
	d.post("/aderisci/chi", with(anna, "email", "", "site", "Bar Sport"))
	d.post("/aderisci/luogo", torino)
	d.post("/aderisci/telecamere/nuova", ingress)
	if to := d.post("/aderisci/chiamare", nil); to != "/aderisci/riepilogo" {
		t.Errorf("whom to call leads to %s", to)
	}
	if resp := d.act(); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %v", resp.StatusCode, errorsOf(body(t, resp)))
	}
	if all := d.sites(); len(all) != 1 || all[0].ID != site || all[0].Trust != registry.TrustInvitation || all[0].State != registry.Sharing {
		t.Errorf("%+v", all)
	}
	d.cookies = map[string]string{}
	d.typed()
	if text := d.page("/aderisci/identita"); !strings.Contains(text, "codice d&#39;invito del Comune") || strings.Contains(text, "Mandami il messaggio") {
		t.Error("it does not say that there is no mail")
	}
	resp := d.ask("POST", "/aderisci/invito", values(map[string]string{"code": code.String()}))
	if resp.StatusCode != http.StatusUnauthorized || len(errorsOf(body(t, resp))) == 0 {
		t.Errorf("a used code: %d", resp.StatusCode)
	}
}

// The owner changes what they typed, from the page of the site.
func TestModify(t *testing.T) {
	d := newDesk(t)
	d.typed()
	d.post(d.token(), nil)
	if resp := d.act(); resp.StatusCode != http.StatusSeeOther {
		t.Fatal(resp.StatusCode)
	}
	site := d.sites()[0].ID
	if to := d.post("/aderisci/modifica", nil); to != "/aderisci/riepilogo" {
		t.Fatal(to)
	}
	summary := d.page("/aderisci/riepilogo")
	camera := regexp.MustCompile(`/aderisci/telecamere/([0-9a-f-]{36})\?back=check`).FindStringSubmatch(summary)
	if camera == nil || !strings.Contains(summary, "Confermo le modifiche") {
		t.Fatal("no camera can be changed")
	}
	if to := d.post("/aderisci/telecamere/"+camera[1], with(ingress, "name", "Vetrina", "back", "check")); to != "/aderisci/riepilogo" {
		t.Error(to)
	}
	if resp := d.act(); resp.Header.Get("Location") != "/aderisci/ricevuta" {
		t.Fatal(resp.StatusCode, errorsOf(body(t, resp)))
	}
	own, err := d.reg.Own(t.Context(), site)
	if err != nil || len(d.sites()) != 1 || !slices.ContainsFunc(own.Declared, func(c protocol.Camera) bool { return c.Name == "Vetrina" }) {
		t.Errorf("%+v, %v", own.Declared, err)
	}
	if last := d.acts[len(d.acts)-1]; last.Kind != "adhere-change" {
		t.Errorf("%+v", last)
	}
	d.cookies = map[string]string{}
	if resp := d.ask("POST", "/aderisci/modifica", nil); resp.Header.Get("Location") != "/site" {
		t.Errorf("without the owner's code: %d", resp.StatusCode)
	}
}

// What was changed in another window since the summary was shown is not recorded.
func TestTheActIsOfWhatWasShown(t *testing.T) {
	d := newDesk(t)
	d.typed()
	d.post(d.token(), nil)
	if resp := d.act("seen", "another"); resp.StatusCode != http.StatusConflict || len(d.sites()) != 0 {
		t.Error(resp.StatusCode)
	}
	if resp := d.act("notice", "1"); resp.StatusCode != http.StatusConflict || len(d.sites()) != 0 {
		t.Error(resp.StatusCode)
	}
}

// Who begins one form after the other is slowed down.
func TestFormsAreBounded(t *testing.T) {
	d := newDesk(t)
	last := 0
	for range begunOf + 1 {
		d.cookies = map[string]string{}
		last = d.ask("POST", "/aderisci/chi", values(anna)).StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Error(last)
	}
	d.now = d.now.Add(time.Hour)
	d.post("/aderisci/chi", anna)
	d.typed()
	for range askedOf + 1 {
		last = d.ask("POST", "/aderisci/identita/email", nil).StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Error("messages:", last)
	}
}
