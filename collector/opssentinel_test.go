package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// What an owner declares or types, each word of its own kind. The Comune's people are to
// find none of it in the console.
var ownersWords = []string{
	"SENTINELLA-NOME", "SENTINELLA-PERSONA", "SENTINELLA-RUOLO", "SENTINELLA-VIA", "SENTINELLA-TELECAMERA", "SENTINELLA-REGISTRATORE", "SENTINELLA-MODULO",
	"SENTINELLA-SOCIETA", "SENTINELLA-DETTATA", "sentinella@", "3335550177", "333 5550177", "333+5550177", "333 5552", "3335552",
	"9190777", "9.190777", "9,190777", "9.19077", "45464333", "45.464333", "45,464333", "45.46433", "217°", `_deg":217`,
}

// declaresSentinels enrols a site by an invitation whose name is the Comune's own, and
// declares it with the owner's words.
func declaresSentinels(t *testing.T, o *collector, n int) (site, agent string) {
	t.Helper()
	now := time.Now().UTC().Add(-time.Hour)
	key := sha256.Sum256(fmt.Append(nil, "sentinel", n))
	if _, err := o.reg.Invite(t.Context(), registry.Invitation{Site: protocol.Site{Name: fmt.Sprint("Invitato ", n), Category: "shop", Address: "Via dell'Invito 1"},
		CodeHash: key, At: now, ExpiresAt: now.Add(24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	g, err := o.reg.Redeem(t.Context(), ingest.Redemption{CodeHash: key, KeyHash: key, AgentID: uuid.NewString(), AgentVersion: "1.0", At: now})
	if err != nil {
		t.Fatal(err)
	}
	fact := protocol.Fact{Source: protocol.Confirmed, At: now}
	direction, angle, reach := 217, 97, 43
	recorder := protocol.Recorder{ID: uuid.NewString(), Vendor: "Acme", Model: "NVR-8", Name: "SENTINELLA-REGISTRATORE"}
	d := protocol.Declaration{
		Site: protocol.Site{Name: "SENTINELLA-NOME", Category: "shop", Address: "SENTINELLA-VIA 7"},
		Contacts: []protocol.Contact{{Name: "SENTINELLA-PERSONA", Role: protocol.RoleOwner, Phone: "+39 333 5550177", Email: "sentinella@example.it"},
			{Name: "SENTINELLA-PERSONA due", Role: protocol.RoleControlRoom, Phone: "+393335550177"}},
		Recorders: []protocol.Recorder{recorder},
		Cameras: []protocol.Camera{{ID: uuid.NewString(), RecorderID: recorder.ID, Name: "SENTINELLA-TELECAMERA", NameFact: fact,
			Position:      protocol.Position{Point: protocol.Point{Lon: 9_190_777, Lat: 45_464_333}, AccuracyM: 3, Method: "map", Fact: fact},
			View:          protocol.View{DirectionDeg: &direction, AngleDeg: &angle, RangeM: &reach, WidthPx: 1920, HeightPx: 1080, Fact: fact},
			Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: fact},
			Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour, Fact: fact},
			OutdoorPublic: protocol.Outdoor{Yes: true, By: "SENTINELLA-PERSONA", At: now}}},
		Approval: protocol.Approval{By: "SENTINELLA-PERSONA", Role: protocol.RoleOwner, At: now},
	}
	say := func(revision int64, body protocol.Body) {
		t.Helper()
		m := protocol.Message{ID: uuid.NewString(), SiteID: g.SiteID, Epoch: g.Epoch, Revision: revision, MadeAt: now, Body: body}
		raw, err := protocol.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.reg.Record(t.Context(), g.AgentID, m, raw, now.Add(time.Duration(revision)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	say(1, d)
	say(2, protocol.Health{At: now, AgentVersion: "1.0", Platform: "linux/amd64", SearchedAt: now, Found: 3, Answered: 2, Confirmed: 1,
		Recorders: []protocol.RecorderHealth{{RecorderID: recorder.ID, Maker: "hikvision", Model: "NVR-8", Firmware: "4.30", Faults: []protocol.Fault{protocol.FaultPassword}}}})
	if n%2 == 1 {
		say(3, protocol.SiteSuspension{Approval: d.Approval})
	}
	return g.SiteID, g.AgentID
}

// dictates types, as who an operator is, what an owner says on the telephone: words is in
// each text of it.
func dictates(operator *surfer, words, phone, email string) {
	operator.goes(http.StatusSeeOther, "/assisted/entry", "medium", "telephone")
	operator.goes(http.StatusSeeOther, "/assisted/entry/chi", "site", words, "category", "shop", "name", words, "phone", phone, "email", email)
	operator.goes(http.StatusSeeOther, "/assisted/entry/luogo", "address", words+" 9", "position", "45.464333, 9.190777")
	operator.goes(http.StatusSeeOther, "/assisted/entry/telecamere/nuova", "name", words, "outdoor", "yes", "direction", "", "direction_deg", "217", "records", "always", "recorder", words)
	operator.goes(http.StatusSeeOther, "/assisted/entry/chiamare", "name", words+" due", "role", "referent", "phone", phone)
}

// sends sends it one way, having seen it, and gives the answer.
func sends(operator *surfer, words, channel string) string {
	page := operator.goes(http.StatusOK, "/assisted/entry/invio")
	if !strings.Contains(page, words) {
		operator.t.Fatal("who types does not see what they type: nothing is shown by its not being seen later")
	}
	seen := regexp.MustCompile(`name="seen" value="([^"]*)"`).FindStringSubmatch(page)
	return operator.goes(http.StatusOK, "/assisted/entry/invio", "channel", channel, "seen", seen[1])
}

// assisted has what owners dictate in the console: of the ops role some that were sent,
// one of them opened, and a draft of the administrator's, with the cookie of each.
func (m *matrix) assisted() (ids []string, cookies map[string][]*http.Cookie) {
	m.t.Helper()
	cookies = map[string][]*http.Cookie{}
	for _, role := range []string{registry.RoleOps, registry.RoleAdmin} {
		operator := newSurfer(m.t, m.o.opsWeb, "http://localhost", m.o.opsRoutes...)
		operator.bearer = m.secrets[role]
		for _, channel := range []string{"sms", "letter"} {
			m.from++ // one number is not sent message after message
			dictates(operator, "SENTINELLA-DETTATA", fmt.Sprintf("+39 333 5552%03d", m.from%1000), "sentinella@example.it")
			cookies[role] = slices.Clone(operator.cookies) // as a browser has them that forgets none
			if role == registry.RoleOps {
				sends(operator, "SENTINELLA-DETTATA", channel)
				continue
			}
			if !strings.Contains(operator.goes(http.StatusOK, "/assisted/entry/invio"), "SENTINELLA-DETTATA") {
				m.t.Fatal("the administrator does not see their own draft")
			}
		}
		if err := m.o.reg.AssistedRows(m.t.Context(), registry.AssistedFilter{Operator: m.ids[role]}, registry.Window{Limit: 9}, func(a registry.AssistedRow) error {
			ids = append(ids, a.ID)
			return nil
		}); err != nil {
			m.t.Fatal(err)
		}
	}
	due, err := m.o.reg.DueMail(m.t.Context(), time.Now(), 9)
	if err != nil || len(due) != 1 {
		m.t.Fatal(due, err)
	}
	code, err := protocol.ParseCode(strings.TrimPrefix(due[0].Path, "/aderisci/dettata/"))
	if err != nil {
		m.t.Fatal(err)
	}
	if _, ok, err := m.o.reg.OpenAssisted(m.t.Context(), code, time.Now()); !ok || err != nil {
		m.t.Fatal(ok, err)
	}
	return ids, cookies
}

// letters reads the PDF files that a page has within it.
func letters(t *testing.T, page string) (text string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`data:application/pdf;base64,([A-Za-z0-9+/=]+)`).FindAllStringSubmatch(html.UnescapeString(page), -1) {
		raw, err := base64.StdEncoding.DecodeString(m[1])
		if err != nil {
			t.Fatal(err)
		}
		text += paperText(t, raw)
	}
	return text
}

// TestOpsSeeNothingThatOwnersDeclare: whoever is signed in to the console, as ops or as
// an administrator, and opens whatever there is in it, finds no contact, name, address,
// camera or position that an owner declared or typed. What officers ask is
// in TestWhatTheComuneSeesOfOfficersQuestions, which looks by the same crawler.
// It is long because it is one way, step by step.
func TestOpsSeeNothingThatOwnersDeclare(t *testing.T) {
	m := newMatrix(t)
	var ids []string
	for n := range 3 {
		site, agent := declaresSentinels(t, m.o, n)
		ids = append(ids, site, agent)
	}
	if _, err := m.o.reg.BeginSubmission(t.Context(), registry.Submission{Site: protocol.Site{Name: "SENTINELLA-MODULO", Category: "shop", Address: "SENTINELLA-VIA 8"},
		Contacts: []protocol.Contact{{Name: "SENTINELLA-MODULO", Role: protocol.RoleOwner, Phone: "+39 333 5550177"}}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := m.o.reg.AddOrganisation(t.Context(), protocol.Organisation{ID: uuid.NewString(), Kind: protocol.Firm, Name: "SENTINELLA-SOCIETA", FiscalCode: "00743110157", Trust: protocol.TrustPEC,
		Contacts: []protocol.Contact{{Name: "SENTINELLA-PERSONA", Role: protocol.RoleControlRoom, Phone: "+39 333 5550177"}}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	l := m.listeners["ops"]
	papers := 0
	for _, who := range [][2]string{
		{registry.RoleAdmin, ""}, // whose draft is open in another browser
		{registry.RoleAdmin, registry.RoleOps},
		{registry.RoleOps, registry.RoleAdmin}, // in the browser in which another one's draft is open
		{registry.RoleOps, registry.RoleOps},   // who typed and sent it, in the browser in which they did
	} {
		role := who[0]
		dictated, cookies := m.assisted() // anew: at its end a crawl tries all acts
		ids := append(slices.Clone(ids), dictated...)
		routes, err := l.web.Routes(l.routes...)
		if err != nil {
			t.Fatal(err)
		}
		seen := crawl(t, l.handler, routes, func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+m.secrets[role])
			for _, c := range cookies[who[1]] {
				r.AddCookie(c)
			}
		}, ids...)
		for i := range seen {
			text := letters(t, seen[i].text)
			seen[i].text += text
			papers += strings.Count(text, "Codice")
		}
		listed := 0
		for _, one := range seen {
			if strings.Contains(one.text, ids[0]) {
				listed++
			}
			for _, word := range ownersWords {
				if i := strings.Index(one.text, word); i >= 0 {
					t.Errorf("%s reads %q at %s: ...%q...", role, word, one.where, one.text[max(0, i-80):min(len(one.text), i+80)])
				}
			}
		}
		if listed < 20 || len(seen) < 200 {
			t.Errorf("%s: %d answers, the site in %d of them: too few to show anything", role, len(seen), listed)
		}
		for _, must := range []string{"/sites.csv", "/agents.csv", "/funnel.csv", "/sites?state=sharing", "/funnel?by=nil"} {
			found := false
			for _, one := range seen {
				found = found || strings.HasSuffix(one.where, " "+must) || regexp.MustCompile(regexp.QuoteMeta(" "+must)+`($|[?&])`).MatchString(one.where)
			}
			if !found {
				t.Errorf("%s: %s was not looked at", role, must)
			}
		}
		t.Logf("%s: %d answers", role, len(seen))
	}
	if papers == 0 {
		t.Error("no letter was printed again: nothing is shown by its not naming its reader")
	}
	size, err := m.o.trail.Size(t.Context())
	if err != nil || size == 0 {
		t.Fatal(size, err)
	}
	for n := range size {
		body, err := m.o.trail.Body(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range ownersWords {
			if strings.Contains(string(body), word) {
				t.Errorf("the trail has %q: %s", word, body)
			}
		}
	}
}
