package ops

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// secrets are what no page of operations may show.
var secrets = []string{"Anna Segreta", "anna@segreto.example", "+39 02 999", "Ingresso segreto", "45.464", "9.190", "Nome dichiarato"}

// says has an agent of a site say something.
type says struct {
	d           *desk
	agent, site string
	epoch       int64
	revision    int64
}

func (s *says) say(at time.Time, body protocol.Body) {
	s.d.t.Helper()
	s.revision++
	m := protocol.Message{ID: uuid.NewString(), SiteID: s.site, Epoch: s.epoch, Revision: s.revision, MadeAt: at, Body: body}
	raw, err := protocol.Encode(m)
	if err != nil {
		s.d.t.Fatal(err)
	}
	if _, err := s.d.reg.Record(s.d.t.Context(), s.agent, m, raw, at); err != nil {
		s.d.t.Fatal(err)
	}
}

// sick adds a site that shares and has a recorder with faults.
func (d *desk) sick(name string, maker protocol.Maker, firmware string, at time.Time, faults ...protocol.Fault) *says {
	d.t.Helper()
	agent, site := d.redeem(map[string]string{"site": name, "category": "shop", "address": "Via dell'invito 1"}, false)
	g, _, _, err := d.reg.Site(d.t.Context(), agent, site)
	if err != nil {
		d.t.Fatal(err)
	}
	s := &says{d: d, agent: agent, site: site, epoch: g.Epoch}
	fact := protocol.Fact{Source: protocol.Confirmed, At: at}
	recorder := uuid.NewString()
	s.say(at, protocol.Declaration{
		Site:      protocol.Site{Name: "Nome dichiarato", Category: "shop", Address: "Via dichiarata 2"},
		Contacts:  []protocol.Contact{{Name: "Anna Segreta", Role: protocol.RoleOwner, Phone: "+39 02 999 000", Email: "anna@segreto.example"}},
		Recorders: []protocol.Recorder{{ID: recorder, Vendor: "Ditta", Model: "NVR-8", Name: "Ingresso segreto", Storage: protocol.StorageUnknown}},
		Cameras: []protocol.Camera{{ID: uuid.NewString(), RecorderID: recorder, Name: "Ingresso segreto", NameFact: fact,
			Position:      protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}, Method: "map", Fact: fact},
			View:          protocol.View{Turns: true, Fact: fact},
			Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: fact},
			Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, Fact: fact},
			OutdoorPublic: protocol.Outdoor{Yes: true, By: "Anna Segreta", At: at}}},
		Approval: protocol.Approval{By: "Anna Segreta", Role: protocol.RoleOwner, At: at},
	})
	s.say(at, protocol.Health{At: at, AgentVersion: "v1.0.0", Platform: "linux/amd64", SearchedAt: at, Found: 4, Answered: 2, Confirmed: 1,
		Recorders: []protocol.RecorderHealth{{RecorderID: recorder, Maker: maker, Model: "NVR-8", Firmware: firmware, Faults: faults}},
		Others:    []protocol.OtherFaults{{Maker: "dahua", Fault: protocol.FaultPassword, Devices: 2}}})
	s.say(at, protocol.Observation{Recorders: []protocol.RecorderObservation{{RecorderID: recorder, At: at, Reachable: true,
		Clock: &protocol.Clock{OffsetMs: 3_480_000, UncertaintyMs: 100, Method: "onvif", At: at}}}})
	return s
}

// newSickDesk has three sites: two of one firmware that cannot be read, one silent.
func newSickDesk(t *testing.T, d *desk) []*says {
	t.Helper()
	d.ops.Version = "v1.2.0"
	now := time.Now().UTC().Truncate(time.Second)
	all := []*says{d.sick("Bar Primo", "hikvision", "4.30", now, protocol.FaultUnread),
		d.sick("Bar Secondo", "hikvision", "4.30", now, protocol.FaultUnread, protocol.FaultLocked), d.sick("Bar Terzo", "axis", "", now)}
	all[0].say(now, protocol.Diagnosis{Text: "Hikvision NVR-8\nGetRecordings: refused", Approval: protocol.Approval{By: "Anna Segreta", Role: protocol.RoleOwner, At: now}})
	return all
}

// TestQueue: numbers are right, open the lines behind them, and name no secret.
func TestQueue(t *testing.T) {
	d := newDesk(t)
	sites := newSickDesk(t, d)
	_, secret := d.user(registry.RoleOps, "")
	code, got := d.ask(d.pages, secret, "GET", "/queue", nil)
	if code != http.StatusOK {
		t.Fatal(code, got)
	}
	lines := map[string]float64{}
	for _, c := range got["causes"].([]any) {
		c := c.(map[string]any)
		lines[c["cause"].(string)] = c["lines"].(float64)
		_, behind := d.ask(d.pages, secret, "GET", "/queue/lines?cause="+c["cause"].(string), nil)
		if behind["total"] != c["lines"] || float64(len(behind["rows"].([]any))) != c["lines"] {
			t.Errorf("behind %v are %v lines", c, behind["total"])
		}
	}
	for cause, want := range map[string]float64{"version": 3, "recorder-unread": 2, "recorder-locked": 1, "recorder-clock": 3} {
		if lines[cause] != want {
			t.Errorf("%s: %v, want %v", cause, lines[cause], want)
		}
	}
	first := got["makers"].([]any)[0].(map[string]any)
	if first["maker"] != "hikvision" || first["firmware"] != "4.30" || first["faulty"] != 2.0 || first["recorders"] != 2.0 {
		t.Errorf("first is %v", first)
	}
	if _, behind := d.ask(d.pages, secret, "GET", "/queue/lines?maker=hikvision&firmware=4.30", nil); behind["total"] != 5.0 {
		t.Errorf("behind the firmware: %v", behind["total"])
	}
	if _, none := d.ask(d.pages, secret, "GET", "/queue/lines?maker=bosch", nil); none["total"] != 0.0 {
		t.Errorf("behind no maker: %v", none["total"])
	}
	for _, path := range []string{"/queue", "/queue/lines", "/queue/lines.csv", "/queue/letter?cause=recorder-unread", "/invitations", "/invitations.csv", "/sites/" + sites[0].site} {
		rw := d.get(secret, path)
		if rw.Code != http.StatusOK {
			t.Errorf("%s: %d", path, rw.Code)
		}
		for _, s := range secrets {
			if strings.Contains(rw.Body.String(), s) {
				t.Errorf("%s shows %q", path, s)
			}
		}
	}
	if page := d.get(secret, "/sites/"+sites[0].site).Body.String(); !strings.Contains(page, "GetRecordings: refused") || !strings.Contains(page, "58") || !strings.Contains(page, "hikvision") {
		t.Error("the site's page does not say what is wrong")
	}
	if rw := d.get(secret, "/sites/"+uuid.NewString()); rw.Code != http.StatusNotFound {
		t.Errorf("an unknown site: %d", rw.Code)
	}
}

// TestLetter: written on the trail without its words, to as many as were confirmed,
// and not shown to who wrote it.
func TestLetter(t *testing.T) {
	d := newDesk(t)
	sites := newSickDesk(t, d)
	_, secret := d.user(registry.RoleOps, "")
	const words = "Buongiorno,\nl'orologio va regolato."
	path := "/sites/" + sites[0].site + "/letter"
	for what, text := range map[string]string{"empty": " \n", "long": strings.Repeat("a", protocol.MaxLetter+1), "turned": "a\u202eb"} {
		if code, _ := d.ask(d.pages, secret, "POST", path, map[string]string{"text": text}); code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", what, code)
		}
	}
	before := len(d.acts)
	if code, got := d.ask(d.pages, secret, "POST", path, map[string]string{"text": words}); code != http.StatusCreated || got["sites"] != 1.0 {
		t.Fatalf("%d %v", code, got)
	}
	if len(d.acts) != before+1 || d.acts[before].Kind != "letter" || strings.Contains(string(d.acts[before].Kind), words) {
		t.Errorf("%+v", d.acts[before:])
	}
	waiting, _, err := d.reg.Waiting(t.Context(), sites[0].agent, time.Now(), 0)
	if err != nil || len(waiting) != 1 || waiting[0].Body != (protocol.Letter{Text: words}) {
		t.Errorf("%+v %v", waiting, err)
	}
	if all, err := d.reg.Letters(t.Context(), sites[0].site); err != nil || len(all) != 1 || all[0].Text != words {
		t.Errorf("the owner reads %+v %v", all, err)
	}
	if page := d.get(secret, "/sites/"+sites[0].site).Body.String(); strings.Contains(page, "va regolato") {
		t.Error("it can be read again")
	}
	several := "/queue/letter?" + url.Values{"cause": {"recorder-unread"}}.Encode()
	if code, _ := d.ask(d.pages, secret, "POST", several, map[string]string{"text": words, "sites": "3"}); code != http.StatusUnprocessableEntity {
		t.Errorf("another number: %d", code)
	}
	if code, got := d.ask(d.pages, secret, "POST", several, map[string]string{"text": words, "sites": "2"}); code != http.StatusCreated || got["sites"] != 2.0 {
		t.Errorf("%d %v", code, got)
	}
	if waiting, _, err := d.reg.Waiting(t.Context(), sites[2].agent, time.Now(), 0); err != nil || len(waiting) != 0 {
		t.Errorf("one that was not meant: %+v %v", waiting, err)
	}
	d.broken = http.ErrServerClosed
	if code, _ := d.ask(d.pages, secret, "POST", path, map[string]string{"text": words}); code < 500 {
		t.Errorf("without a trail: %d", code)
	}
	if all, err := d.reg.Letters(t.Context(), sites[0].site); err != nil || len(all) != 2 {
		t.Errorf("without a trail it is written: %d %v", len(all), err)
	}
}

// TestCodes: what is revoked opens nothing, and a new one can be made.
func TestCodes(t *testing.T) {
	d := newDesk(t)
	_, secret := d.user(registry.RoleOps, "")
	_, used := d.redeem(map[string]string{"site": "Bar Usato"}, false)
	_, got := d.ask(d.pages, secret, "POST", "/invite", map[string]string{"site": "Bar Invitato"})
	site := got["site_id"].(string)
	states := func() (all []string) {
		_, list := d.ask(d.pages, secret, "GET", "/invitations", nil)
		for _, row := range list["rows"].([]any) {
			row := row.(map[string]any)
			all = append(all, row["site"].(string)+" "+row["state"].(string))
		}
		slices.Sort(all)
		return all
	}
	if got := states(); !slices.Equal(got, []string{"Bar Invitato issued", "Bar Usato used"}) {
		t.Errorf("%q", got)
	}
	var rows []registry.CodeRow
	for _, id := range []string{site, used} {
		if err := d.reg.CodeRows(t.Context(), registry.CodeFilter{SiteID: id}, registry.Window{Limit: 1}, func(c registry.CodeRow) error { rows = append(rows, c); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if code, _ := d.ask(d.pages, secret, "POST", codeOf(rows[1]).revoke(), nil); code != http.StatusNotFound {
		t.Errorf("a used code: %d", code)
	}
	if code, got := d.ask(d.pages, secret, "POST", codeOf(rows[0]).revoke(), nil); code != http.StatusOK || got["revoked"] != 1.0 {
		t.Errorf("%d %v", code, got)
	}
	if last := d.acts[len(d.acts)-1]; last.Kind != "code-revoke" {
		t.Errorf("%+v", last)
	}
	code, err := protocol.ParseCode(got["code"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.use(code); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("a revoked code: %v", err)
	}
	if code, got := d.ask(d.pages, secret, "POST", "/invite", map[string]string{"site_id": site}); code != http.StatusCreated || got["site_id"] != site {
		t.Errorf("a new one: %d %v", code, got)
	}
	if got := states(); !slices.Equal(got, []string{"Bar Invitato issued", "Bar Invitato revoked", "Bar Usato used"}) {
		t.Errorf("%q", got)
	}
}

// TestQueueInABrowser looks at the pages as operations do.
func TestQueueInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"wide-it": {1280, pages.It}, "narrow-en": {390, pages.En}} {
		t.Run(name, func(t *testing.T) {
			d := serveDesk(t)
			sites := newSickDesk(t, d)
			id, _ := d.user(registry.RoleOps, "")
			link, err := d.web.NewLink(t.Context(), d.web.PublicURL, id, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			origin, path, _ := strings.Cut(link, "/login")
			b := pagestest.Open(t, origin, c.width, 900)
			check := func(where string) { t.Helper(); b.Check("ops-" + where + "-" + name) }
			b.Visit("/login?lang=" + string(c.lang))
			b.Authenticator()
			b.Visit("/login" + path)
			b.Press("main form button[type=submit]")
			b.Press("main form[data-passkey] button")
			b.Visit("/queue")
			check("queue")
			b.Visit("/queue/lines?maker=hikvision&firmware=4.30")
			check("queue-lines")
			b.Visit("/queue/letter?cause=recorder-clock")
			check("letter-several")
			b.Press("form[action^='/queue/letter'] button")
			check("letter-sent")
			b.Visit("/sites/" + sites[0].site + "?cause=recorder-clock")
			check("site")
			b.Press("form[action$='/letter'] button")
			check("site-lettered")
			b.Press("#again button")
			check("code-again")
			b.Visit("/sites/" + sites[0].site)
			b.Click("#codes ~ ul summary")
			b.Press("form[action*='/codes/'] button")
			check("code-revoked")
			b.Visit("/invitations")
			check("invitations")
		})
	}
}
