package registry

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// importer is an organisation that imports.
type importer struct {
	t *testing.T
	r *Registry
	o protocol.Organisation
}

func newImporter(t *testing.T) *importer {
	t.Helper()
	r := openNew(t)
	return &importer{t, r, bank(t, r, "Alfa")}
}

// branch is a site with cameras of these keys, each called like its key.
func branch(key string, cameras ...string) ImportedSite {
	s := ImportedSite{Key: key, Site: protocol.Site{Name: "Filiale " + key, Category: "bank", Address: "Via " + key}}
	for i, c := range cameras {
		s.Cameras = append(s.Cameras, ImportedCamera{Key: c, Recorder: protocol.Recorder{Vendor: "Acme", Name: "NVR"},
			Camera: protocol.Camera{Name: c, Position: protocol.Position{Point: protocol.Point{Lon: 9_190_000 + int32(i), Lat: 45_464_000}, Method: "typed"},
				Schedule:      protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome"},
				Retention:     protocol.Retention{Kind: protocol.RetentionAge, Age: 72 * time.Hour},
				OutdoorPublic: protocol.Outdoor{Yes: true}}})
	}
	return s
}

func (m *importer) run(at time.Time, change func(im *Import), sites ...ImportedSite) map[string]ImportResult {
	m.t.Helper()
	im := Import{OrganisationID: m.o.ID, Sites: sites, By: "Dora", At: at}
	if change != nil {
		change(&im)
	}
	results, err := m.r.Import(m.t.Context(), im)
	if err != nil {
		m.t.Fatal(err)
	}
	all := make(map[string]ImportResult)
	for _, r := range results {
		if _, twice := all[r.Key]; twice {
			m.t.Errorf("%s is told twice", r.Key)
		}
		all[r.Key] = r
	}
	return all
}

func (m *importer) history(siteID string) History {
	m.t.Helper()
	h, err := m.r.History(m.t.Context(), siteID, time.Time{})
	if err != nil {
		m.t.Fatal(err)
	}
	return h
}

func (m *importer) last() int64 {
	m.t.Helper()
	n, err := m.r.LastChange(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

func dryRun(im *Import)        { im.DryRun = true }
func removeMissing(im *Import) { im.RemoveMissing = true }

func versions(h History) (n int) {
	for _, v := range h.Cameras {
		n += len(v)
	}
	return n
}

// The same file twice changes nothing; a line that changed makes one version,
// and leaves the facts that it does not touch as old as they are.
func TestImportIsIdempotent(t *testing.T) {
	m := newImporter(t)
	file := []ImportedSite{branch("1", "ingresso", "retro"), branch("2", "ingresso")}
	if got := m.run(noon, dryRun, file...); got["1"].State != ImportNew || m.last() != 0 {
		t.Fatalf("a dry run: %+v, change %d", got, m.last())
	}
	first := m.run(noon, nil, file...)
	site := first["1"].SiteID
	if first["1"].State != ImportNew || first["2"].State != ImportNew || site == first["2"].SiteID {
		t.Fatalf("%+v", first)
	}
	h := m.history(site)
	if !equal(names(h), []string{"ingresso", "retro"}) || h.Trust != string(protocol.TrustPEC) || len(h.Recorders) != 1 {
		t.Errorf("%+v", h)
	}
	for _, versions := range h.Cameras {
		c := versions[0].Camera
		for _, f := range []protocol.Fact{c.NameFact, c.Position.Fact, c.View.Fact, c.Schedule.Fact, c.Retention.Fact} {
			if f.Source != protocol.Declared || !f.At.Equal(noon) {
				t.Errorf("fact %+v", f)
			}
		}
		if !c.OutdoorPublic.Yes || c.OutdoorPublic.By != "Dora" {
			t.Errorf("%+v", c.OutdoorPublic)
		}
	}
	before := m.last()
	again := m.run(noon.Add(time.Hour), nil, file...)
	if again["1"].State != ImportUnchanged || again["1"].SiteID != site || m.last() != before {
		t.Errorf("the same again: %+v, changes %d to %d", again, before, m.last())
	}

	file[0].Cameras[1].Camera.Position.Lat += 10
	if got := m.run(noon.Add(2*time.Hour), dryRun, file...); got["1"].State != ImportChanged || m.last() != before {
		t.Errorf("a dry run: %+v", got)
	}
	changed := m.run(noon.Add(2*time.Hour), nil, file...)
	if changed["1"].State != ImportChanged || changed["2"].State != ImportUnchanged {
		t.Errorf("%+v", changed)
	}
	h = m.history(site)
	if n := versions(h); n != 3 {
		t.Errorf("%d versions of two cameras, one changed", n)
	}
	for _, versions := range h.Cameras {
		if len(versions) == 2 {
			c := versions[1].Camera
			if !c.Position.Fact.At.Equal(noon.Add(2*time.Hour)) || !c.NameFact.At.Equal(noon) || !c.OutdoorPublic.At.Equal(noon) {
				t.Errorf("times of the changed camera: %+v", c)
			}
		}
	}
	if contacts, err := m.r.Contacts(t.Context(), []string{site}); err != nil || !slices.Equal(plainContacts(contacts[site]), m.o.Contacts) {
		t.Errorf("contacts %+v, %v", contacts, err)
	}
}

// Each way in which one line of a file can change is one version of that thing.
func TestImportedChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change              func(s *ImportedSite)
		cameras, recorders  int // versions more
		sites, nowRecorders int
	}{
		"name":          {func(s *ImportedSite) { s.Cameras[0].Camera.Name = "x" }, 1, 0, 0, 1},
		"retention":     {func(s *ImportedSite) { s.Cameras[0].Camera.Retention.Age *= 2 }, 1, 0, 0, 1},
		"schedule":      {func(s *ImportedSite) { s.Cameras[0].Camera.Schedule.Mode = protocol.Motion }, 1, 0, 0, 1},
		"view":          {func(s *ImportedSite) { n := 90; s.Cameras[0].Camera.View.AngleDeg = &n }, 1, 0, 0, 1},
		"unknown again": {func(s *ImportedSite) { s.Cameras[0].Camera.Retention = protocol.Retention{} }, 1, 0, 0, 1},
		"address":       {func(s *ImportedSite) { s.Site.Address = "x" }, 0, 0, 1, 1},
		"recorder": {func(s *ImportedSite) {
			s.Cameras[0].Recorder.Name, s.Cameras[1].Recorder.Name = "y", "y"
		}, 0, 1, 0, 1},
		"one of two recorders": {func(s *ImportedSite) { s.Cameras[1].Recorder.Name = "y" }, 1, 0, 0, 2},
		"one more camera":      {func(s *ImportedSite) { s.Cameras = append(s.Cameras, branch("1", "a", "b", "c").Cameras[2]) }, 1, 0, 0, 1},
		"order":                {func(s *ImportedSite) { slices.Reverse(s.Cameras) }, 0, 0, 0, 1},
		"own contacts": {func(s *ImportedSite) {
			s.Contacts = []protocol.Contact{{Name: "Portineria", Role: protocol.RoleOwner, Phone: "02 123"}}
		}, 0, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := newImporter(t)
			s := branch("1", "a", "b")
			site := m.run(noon, nil, s)["1"].SiteID
			c.change(&s)
			m.run(noon.Add(time.Hour), nil, s)
			h := m.history(site)
			recorders, current := 0, map[string]bool{}
			for _, eras := range h.Recorders {
				recorders += len(eras) - 1
			}
			for _, v := range h.Cameras {
				current[v[len(v)-1].Camera.RecorderID] = true
			}
			if got := versions(h) - 2; got != c.cameras || recorders != c.recorders || len(h.Sites)-1 != c.sites || len(current) != c.nowRecorders {
				t.Errorf("versions more: %d cameras, %d recorders, %d of the site; %d recorders now", got, recorders, len(h.Sites)-1, len(current))
			}
			if got := m.run(noon.Add(2*time.Hour), nil, s)["1"].State; got != ImportUnchanged {
				t.Errorf("the same again is %s", got)
			}
		})
	}
}

// What a file no longer names is told, and goes only when that is asked for.
func TestImportMissing(t *testing.T) {
	m := newImporter(t)
	first := m.run(noon, nil, branch("1", "a", "b"), branch("2", "a"))
	short := []ImportedSite{branch("1", "a")}
	got := m.run(noon.Add(time.Hour), nil, short...)
	if got["1"].State != ImportUnchanged || !slices.Equal(got["1"].Missing, []string{"b"}) || got["2"].State != ImportMissing || got["2"].SiteID != first["2"].SiteID {
		t.Errorf("%+v", got)
	}
	if h := m.history(first["1"].SiteID); len(names(h)) != 2 || m.history(first["2"].SiteID).Withdrawn {
		t.Errorf("something went by itself: %v", names(h))
	}
	at := noon.Add(2 * time.Hour)
	if got := m.run(at, func(im *Import) { im.DryRun, im.RemoveMissing = true, true }, short...); got["2"].State != ImportRemoved || got["1"].State != ImportChanged {
		t.Errorf("a dry run: %+v", got)
	}
	if m.history(first["2"].SiteID).Withdrawn {
		t.Error("a dry run withdrew a site")
	}
	got = m.run(at, removeMissing, short...)
	if got["2"].State != ImportRemoved || !slices.Equal(got["1"].Missing, []string{"b"}) {
		t.Errorf("%+v", got)
	}
	if h := m.history(first["1"].SiteID); !equal(names(h), []string{"a"}) || !m.history(first["2"].SiteID).Withdrawn {
		t.Errorf("after the removal: %v", names(h))
	}
	// What the owner's file took out, the owner's file brings again, as another site.
	got = m.run(noon.Add(3*time.Hour), nil, branch("1", "a", "b"), branch("2", "a"))
	if got["1"].State != ImportChanged || got["2"].State != ImportNew || got["2"].SiteID == first["2"].SiteID {
		t.Errorf("%+v", got)
	}
	if n := counted(t, m.r, "SELECT count(*) FROM imports"); n != 5 {
		t.Errorf("%d keys are kept of two sites and three cameras", n)
	}
}

// What an owner withdrew, no file brings back; nor does the key stay readable.
func TestImportAfterWithdrawal(t *testing.T) {
	m := newImporter(t)
	site := m.run(noon, nil, branch("1", "a"))["1"].SiteID
	if err := m.r.Act(t.Context(), site, protocol.SiteWithdrawn, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := m.run(noon.Add(2*time.Hour), nil, branch("1", "a")); got["1"].State != ImportWithdrawn || got["1"].SiteID != site {
		t.Errorf("%+v", got)
	}
	if h := m.history(site); !h.Withdrawn || len(h.Cameras) != 0 {
		t.Errorf("%+v", h)
	}
	if n := counted(t, m.r, "SELECT count(*) FROM imports WHERE body IS NOT NULL"); n != 0 {
		t.Errorf("%d keys are kept", n)
	}
	if got := m.run(noon.Add(2*time.Hour), removeMissing); len(got) != 0 {
		t.Errorf("a withdrawn site is missing: %+v", got)
	}
}

// An agent that is enrolled later takes the entry over: it is given what was
// imported, its first declaration takes the place of it, and no file changes the
// site from its enrolment on.
func TestAgentTakesOverImport(t *testing.T) {
	for name, visit := range map[string]bool{"an agent that stays": false, "a visit": true} {
		t.Run(name, func(t *testing.T) {
			m := newImporter(t)
			m.r.now = func() time.Time { return noon.Add(time.Minute) } // a visit ends by itself
			site := m.run(noon, nil, branch("1", "ingresso", "retro"))["1"].SiteID
			s := &sender{t: t, r: m.r, agent: uuid.NewString(), key: [32]byte{7}, site: site}
			if _, err := m.r.Invite(t.Context(), Invitation{SiteID: site, CodeHash: s.code("c"), ExpiresAt: noon.Add(time.Hour), At: noon}); err != nil {
				t.Fatal(err)
			}
			d := redemption(s, "c")
			d.At, d.Visit = noon.Add(time.Minute), visit
			g, err := m.r.Redeem(t.Context(), d)
			if err != nil || g.Epoch < 2 || g.Others != 0 || g.SiteName != "Filiale 1" {
				t.Fatalf("%+v, %v", g, err)
			}
			s.epoch = g.Epoch
			_, _, raw, err := m.r.Site(t.Context(), s.agent, site)
			if err != nil {
				t.Fatal(err)
			}
			recorded, err := protocol.Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			entry := recorded.Body.(protocol.Declaration)
			if len(entry.Cameras) != 2 {
				t.Fatalf("%+v", entry)
			}
			if got := m.run(noon.Add(2*time.Minute), removeMissing, branch("1", "ingresso")); got["1"].State != ImportTakenOver {
				t.Errorf("between enrolment and declaration: %+v", got)
			}
			entry.Cameras = entry.Cameras[:1] // found again, under its id
			entry.Cameras[0].Schedule.Fact.Source = protocol.Measured
			s.say(noon.Add(time.Hour), entry)
			h := m.history(site)
			if current := names(h); len(current) != 1 || len(h.Cameras[entry.Cameras[0].ID]) != 2 {
				t.Errorf("after the take-over: %v, %+v", current, h.Cameras)
			}
			for _, file := range [][]ImportedSite{{branch("1", "altro")}, {branch(site, "altro")}, nil} {
				for key, got := range m.run(noon.Add(2*time.Hour), removeMissing, file...) {
					if got.State != ImportTakenOver {
						t.Errorf("a file that calls it %s: %+v", key, got)
					}
				}
			}
			if len(names(m.history(site))) != 1 {
				t.Error("a file changed the agent's entry")
			}
			agents, err := m.r.AgentRows(t.Context(), AgentFilter{}, AgentsByEnrolment, Window{Limit: 100})
			if err != nil || len(agents) != 1 || agents[0].ID != s.agent || len(agents[0].Sites) != 1 || agents[0].Sites[0].Others != 0 {
				t.Errorf("agents: %+v, %v", agents, err)
			}
		})
	}
}

// An imported site is one like others for operators, and has no agent.
func TestImportedSiteIsSharing(t *testing.T) {
	m := newImporter(t)
	site := m.run(noon, nil, branch("1", "a"))["1"].SiteID
	sites, err := m.r.Sites(t.Context())
	if err != nil || len(sites) != 1 || sites[0].State != Sharing || sites[0].Cameras != 1 || sites[0].AgentID != "" || sites[0].Name != "Filiale 1" {
		t.Errorf("%+v, %v", sites, err)
	}
	counts, err := m.r.Counts(t.Context())
	if err != nil || counts.Sharing != 1 || counts.Agents != 0 || counts.Cameras != 1 {
		t.Errorf("%+v, %v", counts, err)
	}
	orgs, err := m.r.Organisations(t.Context())
	if err != nil || orgs[0].Sites != 1 {
		t.Errorf("%+v, %v", orgs, err)
	}
	if err := m.r.ChangeOwner(t.Context(), site, bank(t, m.r, "Beta").ID, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := m.run(noon.Add(2*time.Hour), nil, branch("1", "a")); got["1"].State != ImportTakenOver {
		t.Errorf("the former owner's file: %+v", got)
	}
}

// A site that cannot be recorded is refused by name, and the others are not.
func TestImportRefuses(t *testing.T) {
	m := newImporter(t)
	bad := branch("bad", "a")
	bad.Site.Category = "castle"
	m.run(noon, nil, branch("many", manyKeys("x", 300)...))
	for _, dry := range []bool{true, false} {
		got := m.run(noon, func(im *Import) { im.DryRun = dry }, bad, branch("good", "a"), branch("many", manyKeys("y", 300)...))
		if fields, ok := errors.AsType[protocol.FieldErrors](got["bad"].Err); got["bad"].State != ImportRefused || !ok || fields[0].Field != "site.category" {
			t.Errorf("%+v", got["bad"])
		}
		if fields, ok := errors.AsType[protocol.FieldErrors](got["many"].Err); !ok || fields[0].Field != "cameras" {
			t.Errorf("%+v", got["many"])
		}
		if got["good"].State != ImportNew {
			t.Errorf("%+v", got["good"])
		}
	}
	if _, err := m.r.Import(t.Context(), Import{OrganisationID: id(9), At: noon}); !errors.Is(err, ErrUnknownOrganisation) {
		t.Error(err)
	}
}

func manyKeys(prefix string, n int) (keys []string) {
	for i := range n {
		keys = append(keys, prefix+id(i))
	}
	return keys
}
