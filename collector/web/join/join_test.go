package join

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/collector/registry/registrytest"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// door is the public listener over a real register, with one site.
type door struct {
	t     *testing.T
	reg   *registry.Registry
	web   *web.Web
	pages http.Handler
	join  *Join
	log   bytes.Buffer
	now   time.Time
	acts  []web.Act
	err   error

	site string
	code protocol.Code

	agent string
	sent  protocol.Message // that it sent
}

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{t: t, now: time.Now()}
	log := slog.New(slog.NewTextHandler(&d.log, nil))
	var err error
	d.reg = registrytest.Open(t, registrytest.Options(t.TempDir(), log))
	record := func(_ context.Context, a web.Act) error {
		if d.err == nil {
			d.acts = append(d.acts, a)
		}
		return d.err
	}
	now := func() time.Time { return d.now }
	d.web, err = web.New(web.Options{Registry: d.reg, Face: pages.FacePublic, PublicURL: "http://localhost:8080",
		Secret: make([]byte, 32), Record: record, Log: log, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	d.join, err = New(Options{Web: d.web, Registry: d.reg, Record: record, Log: log,
		Link: func(code protocol.Code) string { return "https://localhost:8443/enrol#" + code.String() }})
	if err != nil {
		t.Fatal(err)
	}
	if d.pages, err = d.web.Handler(d.join.Routes()); err != nil {
		t.Fatal(err)
	}
	d.declare()
	return d
}

// declare has an agent enrol and declare the site; the receipt brings the code.
func (d *door) declare() {
	d.t.Helper()
	at, agent := d.now.Add(-48*time.Hour), uuid.NewString()
	hash := sha256.Sum256([]byte(agent))
	var err error
	d.site, err = d.reg.Invite(d.t.Context(), registry.Invitation{Site: protocol.Site{Name: "Bar"}, CodeHash: hash, ExpiresAt: d.now, At: at})
	if err != nil {
		d.t.Fatal(err)
	}
	grant, err := d.reg.Redeem(d.t.Context(), ingest.Redemption{CodeHash: hash, KeyHash: hash, AgentID: agent, At: at})
	if err != nil {
		d.t.Fatal(err)
	}
	d.agent, d.sent = agent, protocol.Message{SiteID: d.site, Epoch: grant.Epoch}
	d.code = d.sends(at, declaration(at)).OwnerCode
}

// sends has the agent declare something.
func (d *door) sends(at time.Time, body protocol.Declaration) protocol.Receipt {
	d.t.Helper()
	m := d.sent
	m.ID, m.Revision, m.MadeAt, m.Body = uuid.NewString(), m.Revision+1, at, body
	raw, err := protocol.Encode(m)
	if err != nil {
		d.t.Fatal(err)
	}
	receipt, err := d.reg.Record(d.t.Context(), d.agent, m, raw, at)
	if err != nil {
		d.t.Fatal(err)
	}
	d.sent = m
	return receipt
}

func declaration(at time.Time) protocol.Declaration {
	fact, direction := protocol.Fact{Source: protocol.Confirmed, At: at}, 135
	recorder := uuid.NewString()
	camera := func(name string, lat int32) protocol.Camera {
		return protocol.Camera{ID: uuid.NewString(), RecorderID: recorder, Name: name, NameFact: fact,
			Position:      protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: lat}, Method: "map", Fact: fact},
			OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna Bianchi", At: at}}
	}
	full := camera("Ingresso via Torino", 45_464_000)
	full.View = protocol.View{DirectionDeg: &direction, Fact: fact}
	full.Schedule = protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: fact}
	full.Retention = protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, Fact: fact}
	return protocol.Declaration{
		Site:      protocol.Site{Name: "Bar Centrale", Category: "bar-restaurant", Address: "Via Torino 1"},
		Contacts:  []protocol.Contact{{Name: "Anna Bianchi", Role: protocol.RoleOwner, Phone: "+39 02 5555 0101", Email: "anna@example.it"}},
		Recorders: []protocol.Recorder{{ID: recorder, Vendor: "Acme", Name: "NVR"}},
		Cameras:   []protocol.Camera{full, camera("Dehors", 45_464_100)},
		Approval:  protocol.Approval{By: "Anna Bianchi", Role: protocol.RoleOwner, At: at},
	}
}

// ask makes a request as a browser of this site would.
func (d *door) ask(method, path, cookie string, form url.Values, change func(*http.Request)) *http.Response {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, "http://localhost"+path, strings.NewReader(form.Encode()))
	r.RemoteAddr = "192.0.2.1:5"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	if change != nil {
		change(r)
	}
	rw := httptest.NewRecorder()
	d.pages.ServeHTTP(rw, r)
	return rw.Result()
}

// enter types a code and gives the cookie.
func (d *door) enter(code string) (cookie string, resp *http.Response) {
	d.t.Helper()
	resp = d.ask("POST", "/site", "", url.Values{"code": {code}}, nil)
	for _, c := range resp.Cookies() {
		cookie = c.Name + "=" + c.Value
	}
	return cookie, resp
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (d *door) state() registry.State {
	d.t.Helper()
	sites, err := d.reg.Sites(d.t.Context())
	if err != nil || len(sites) != 1 {
		d.t.Fatal(len(sites), err)
	}
	return sites[0].State
}

// The code opens the site, however it is typed, and stands in no page, address,
// log or entry of the trail.
func TestTheCodeOpensTheSite(t *testing.T) {
	d := newDoor(t)
	cookie, resp := d.enter(" " + strings.ToLower(strings.ReplaceAll(d.code.String(), "-", " ")))
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/site" {
		t.Fatalf("%d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	c := resp.Cookies()[0]
	if c.Name != "__Host-anagrafe-owner" || !c.HttpOnly || !c.Secure || c.Path != "/" || c.MaxAge != 1800 || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %+v", c)
	}
	page := body(t, d.ask("GET", "/site", cookie, nil, nil))
	for _, want := range []string{"Bar Centrale", "Via Torino 1", "Ingresso via Torino", "Dehors", "45.464000", "sud-est", "3 giorni", "Anna Bianchi", "5555 0101", "sempre"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	entry, err := json.Marshal(d.acts)
	if err != nil || len(d.acts) != 1 || d.acts[0].Kind != "owner-login" || !strings.Contains(d.acts[0].User.ID, d.site) {
		t.Errorf("on the trail: %s", entry)
	}
	for where, text := range map[string]string{"page": page, "log": d.log.String(), "trail": string(entry)} {
		if strings.Contains(text, d.code.String()) || strings.Contains(text, strings.ReplaceAll(d.code.String(), "-", "")) {
			t.Errorf("the code stands in the %s", where)
		}
	}
	if resp := d.ask("GET", "/login", "", nil, nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("there is a login: %d", resp.StatusCode)
	}
}

// Whatever is wrong with a code, the answer is the same; who goes on has to wait.
func TestWrongCodes(t *testing.T) {
	d := newDoor(t)
	var first string
	for i, code := range []string{protocol.NewCode().String(), "", "x", d.code.String() + "7", d.code.String()[:13] + "-X", strings.Repeat("7", 300)} {
		cookie, resp := d.enter(code)
		page := body(t, resp)
		if resp.StatusCode != http.StatusUnauthorized || cookie != "" {
			t.Errorf("code %d: %d", i, resp.StatusCode)
		}
		if i == 0 {
			first = page
		}
		if page != first {
			t.Errorf("code %d is answered in another way than the first", i)
		}
	}
	status := 0
	for range 30 {
		_, resp := d.enter(protocol.NewCode().String())
		if status = resp.StatusCode; status == http.StatusTooManyRequests {
			if resp.Header.Get("Retry-After") == "" {
				t.Error("it does not say how long to wait")
			}
			break
		}
	}
	if status != http.StatusTooManyRequests {
		t.Fatal("who guesses is never slowed down")
	}
	if cookie, _ := d.enter(d.code.String()); cookie != "" {
		t.Error("who has to wait gets in with the right code")
	}
	resp := d.ask("POST", "/site", "", url.Values{"code": {d.code.String()}}, func(r *http.Request) { r.RemoteAddr = "198.51.100.7:1" })
	if resp.StatusCode != http.StatusSeeOther {
		t.Errorf("the owner, from elsewhere: %d", resp.StatusCode)
	}
	if strings.Contains(d.log.String(), d.code.String()) || len(d.acts) != 1 {
		t.Errorf("a code is in the log, or a refusal on the trail: %d entries", len(d.acts))
	}
}

func TestTheSessionEnds(t *testing.T) {
	d := newDoor(t)
	cookie, _ := d.enter(d.code.String())
	in := func(cookie string) bool {
		return strings.Contains(body(t, d.ask("GET", "/site", cookie, nil, nil)), "Bar Centrale")
	}
	if !in(cookie) || in("") || in("__Host-anagrafe-owner=x") {
		t.Fatal("the session does not hold, or is not needed")
	}
	if resp := d.ask("POST", "/logout", cookie, nil, nil); resp.StatusCode != http.StatusSeeOther || in(cookie) {
		t.Error("it outlives leaving")
	}
	cookie, _ = d.enter(d.code.String())
	d.now = d.now.Add(30 * time.Minute)
	if in(cookie) {
		t.Error("it outlives half an hour")
	}
	for _, path := range []string{"/site/suspend", "/site/resume", "/site/withdraw"} {
		for _, c := range []string{"", cookie} {
			if resp := d.ask("POST", path, c, nil, nil); resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body(t, resp), "scrivi di nuovo il codice") {
				t.Errorf("POST %s without a session: %d", path, resp.StatusCode)
			}
		}
	}
	if d.state() != registry.Sharing {
		t.Error("something was done without a session")
	}
}

// Each act is done by POST alone, from our own pages, and after it stands on the
// trail.
func TestActs(t *testing.T) {
	d := newDoor(t)
	cookie, _ := d.enter(d.code.String())
	for _, path := range []string{"/site/suspend", "/site/withdraw"} {
		if resp := d.ask("POST", path, cookie, nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); resp.StatusCode != http.StatusForbidden {
			t.Errorf("POST %s from another site's page: %d", path, resp.StatusCode)
		}
		d.ask("GET", path, cookie, nil, nil)
	}
	d.err = errors.New("disk full")
	for _, path := range []string{"/site/suspend", "/site/withdraw", "/site"} {
		if resp := d.ask("POST", path, cookie, url.Values{"code": {d.code.String()}}, nil); resp.StatusCode != http.StatusServiceUnavailable || len(resp.Cookies()) > 0 {
			t.Errorf("POST %s without the trail: %d", path, resp.StatusCode)
		}
	}
	d.err = nil
	if d.state() != registry.Sharing {
		t.Fatal("something was done all the same")
	}
	for _, step := range []struct {
		path, next string
		state      registry.State
		says       string
	}{
		{"/site/suspend", "/site", registry.Suspended, "nessuna ricerca lo trova"},
		{"/site/resume", "/site", registry.Sharing, "Nel registro"},
		{"/site/withdraw", "/site/withdrawn", registry.Withdrawn, "ha cancellato i suoi dati"},
	} {
		resp := d.ask("POST", step.path, cookie, nil, nil)
		if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != step.next || d.state() != step.state {
			t.Errorf("%s: %d to %q, the site is %s", step.path, resp.StatusCode, resp.Header.Get("Location"), d.state())
		}
		if page := body(t, d.ask("GET", step.next, cookie, nil, nil)); !strings.Contains(page, step.says) {
			t.Errorf("%s: the page after it does not say %q", step.path, step.says)
		}
	}
	var kinds []string
	for _, a := range d.acts {
		kinds = append(kinds, string(a.Kind))
	}
	if want := []string{"owner-login", "owner-suspend", "owner-resume", "owner-withdraw"}; !slices.Equal(kinds, want) {
		t.Errorf("on the trail: %v", kinds)
	}
	if page := body(t, d.ask("GET", "/site", cookie, nil, nil)); strings.Contains(page, "Bar Centrale") {
		t.Error("the withdrawn site is still shown")
	}
	if c, _ := d.enter(d.code.String()); c != "" {
		t.Error("the code opens the withdrawn site")
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("made of nothing")
	}
}
