package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// beside enrols a further agent for the site of s.
func beside(t testing.TB, s *sender, at time.Time, with func(*ingest.Redemption)) *sender {
	t.Helper()
	o := &sender{t: t, r: s.r, agent: uuid.NewString(), key: sha256.Sum256([]byte(uuid.NewString())), site: s.site}
	o.again(at, with)
	return o
}

// again gives the agent a further code for its site and redeems it.
func (s *sender) again(at time.Time, with func(*ingest.Redemption)) protocol.Grant {
	s.t.Helper()
	d := ingest.Redemption{CodeHash: s.code(uuid.NewString()), KeyHash: s.key, AgentID: s.agent, AgentVersion: "1.0", At: at}
	if with != nil {
		with(&d)
	}
	if _, err := s.r.Invite(context.Background(), Invitation{SiteID: s.site, Site: protocol.Site{Name: "Di nuovo"}, CodeHash: d.CodeHash,
		ExpiresAt: at.AddDate(0, 0, 14), At: at}); err != nil {
		s.t.Fatal(err)
	}
	g, err := s.r.Redeem(context.Background(), d)
	if err != nil {
		s.t.Fatal(err)
	}
	s.epoch, s.revision = g.Epoch, 0
	return g
}

func replacing(d *ingest.Redemption) { d.Replace = true }

func visiting(d *ingest.Redemption) { d.Visit = true }

// on hangs a camera on recorder n.
func on(n int, c protocol.Camera) protocol.Camera {
	c.RecorderID = id(n)
	return c
}

// says is a declaration of cameras with the recorders that they hang on.
func says(site string, cameras ...protocol.Camera) protocol.Declaration {
	d := declaration(cameras...)
	d.Site.Name = site
	d.Contacts[0].Name = site + "'s contact"
	d.Recorders = nil
	for _, c := range cameras {
		if !slices.ContainsFunc(d.Recorders, func(r protocol.Recorder) bool { return r.ID == c.RecorderID }) {
			d.Recorders = append(d.Recorders, protocol.Recorder{ID: c.RecorderID, Vendor: "Acme", Name: site + "'s view"})
		}
	}
	return d
}

// Two agents with a grant for one site: of each recorder the later declaration
// stands, and what one no longer names goes, unless the other names it.
func TestTwoAgents(t *testing.T) {
	r := openNew(t)
	a := enrol(t, r, noon)
	a.say(noon, says("A", on(1001, camera(1, "a1")), on(1002, camera(2, "a2"))))
	b := beside(t, a, noon.Add(time.Minute), nil)
	check := func(what string, want ...string) {
		t.Helper()
		if got := names(a.history()); !equal(got, want) {
			t.Fatalf("%s: %q, want %q", what, got, want)
		}
	}
	check("enrolling alone changes nothing", "a1", "a2")
	b.say(noon.Add(time.Hour), says("B", on(1002, camera(2, "b2")), on(1003, camera(3, "b3"))))
	check("the later view of recorder 1002 stands", "a1", "b2", "b3")

	_, revision, raw, err := r.Site(t.Context(), a.agent, a.site)
	if err != nil {
		t.Fatal(err)
	}
	m, err := protocol.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	d := m.Body.(protocol.Declaration)
	if revision != 1 || d.Site.Name != "B" || d.Contacts[0].Name != "B's contact" || len(d.Recorders) != 3 || len(d.Cameras) != 3 {
		t.Errorf("the site as given for take-over: revision %d, %+v", revision, d)
	}
	// A camera that A declares and B's view of its recorder does not: no error.
	a.say(noon.Add(2*time.Hour), says("A", on(1002, camera(2, "a2")), on(1002, camera(4, "a4")), on(1001, camera(1, "a1"))))
	check("A again", "a1", "a2", "a4", "b3")
	b.say(noon.Add(3*time.Hour), says("B", on(1002, camera(2, "b2"))))
	check("B leaves 1003 and has the later view of 1002", "a1", "b2")
	a.say(noon.Add(4*time.Hour), sees(4, noon.Add(4*time.Hour), noon))
	if _, err := a.deliver(a.next(noon.Add(4*time.Hour), sees(9, noon, noon)), noon.Add(4*time.Hour)); err == nil {
		t.Error("facts about what nobody declares are taken")
	}
	b.say(noon.Add(5*time.Hour), says("B"))
	check("B names no recorder any more, A's view stands again", "a1", "a2", "a4")

	agents, err := r.AgentRows(t.Context(), AgentFilter{}, AgentsByEnrolment, Window{Limit: 100})
	if err != nil || len(agents) != 2 || len(agents[0].Sites) != 1 || len(agents[1].Sites) != 1 || agents[0].Sites[0].Others != 1 || agents[1].Sites[0].DeclaredAt.IsZero() {
		t.Errorf("agents: %+v, %v", agents, err)
	}
}

// What both declare together must fit what an agent may take over.
func TestTwoAgentsTooMuch(t *testing.T) {
	r := openNew(t)
	a := enrol(t, r, noon)
	many := func(site string, recorder, from int) protocol.Declaration {
		var cameras []protocol.Camera
		for n := range 300 {
			cameras = append(cameras, on(recorder, camera(from+n, "c")))
		}
		return says(site, cameras...)
	}
	a.say(noon, many("A", 2001, 1))
	b := beside(t, a, noon, nil)
	_, err := b.deliver(b.next(noon, many("B", 2002, 301)), noon)
	if _, ok := errors.AsType[protocol.FieldErrors](err); !ok {
		t.Fatalf("600 cameras of two agents: %v, want the field named", err)
	}
	if got := len(names(a.history())); got != 300 {
		t.Errorf("%d cameras stand", got)
	}
}

func TestReplace(t *testing.T) {
	r := openNew(t)
	a := enrol(t, r, noon)
	a.say(noon, says("A", on(1001, camera(1, "a1"))))
	b := beside(t, a, noon.Add(time.Minute), replacing)
	if got := names(b.history()); !equal(got, []string{"a1"}) {
		t.Errorf("before the new agent's first declaration: %q", got)
	}
	if _, err := a.deliver(a.next(noon.Add(time.Hour), says("A")), noon.Add(time.Hour)); !errors.Is(err, ingest.ErrNotGranted) {
		t.Errorf("the replaced agent still speaks: %v", err)
	}
	b.say(noon.Add(time.Hour), says("B", on(1002, camera(2, "b2"))))
	if got := names(b.history()); !equal(got, []string{"b2"}) {
		t.Errorf("after it: %q", got)
	}

	// Said later, with the same code and key, after the first declaration; a
	// third agent, enrolled in between, is not concerned.
	d := ingest.Redemption{CodeHash: b.code("later"), KeyHash: sha256.Sum256([]byte("c")), AgentID: uuid.NewString(), At: noon.Add(2 * time.Hour)}
	if _, err := r.Invite(t.Context(), Invitation{SiteID: b.site, CodeHash: d.CodeHash, ExpiresAt: noon.AddDate(0, 0, 14), At: noon}); err != nil {
		t.Fatal(err)
	}
	g, err := r.Redeem(t.Context(), d)
	if err != nil || g.Others != 1 {
		t.Fatalf("%+v, %v", g, err)
	}
	c := &sender{t: t, r: r, agent: d.AgentID, key: d.KeyHash, site: b.site, epoch: g.Epoch}
	c.say(noon.Add(3*time.Hour), says("C", on(1003, camera(3, "c3"))))
	third := beside(t, b, noon.Add(4*time.Hour), nil)
	if got := names(b.history()); !equal(got, []string{"b2", "c3"}) {
		t.Errorf("before it is said: %q", got)
	}
	d.Replace, d.At = true, noon.Add(5*time.Hour)
	if again, err := r.Redeem(t.Context(), d); err != nil || again.Epoch != g.Epoch || again.Others != 1 {
		t.Fatalf("%+v, %v", again, err)
	}
	if got := names(b.history()); !equal(got, []string{"c3"}) {
		t.Errorf("after it is said: %q", got)
	}
	if _, err := b.deliver(b.next(noon.Add(6*time.Hour), says("B")), noon.Add(6*time.Hour)); !errors.Is(err, ingest.ErrNotGranted) {
		t.Errorf("the replaced agent still speaks: %v", err)
	}
	third.say(noon.Add(6*time.Hour), says("third"))
}

// What an agent said before a further code of its own, and what comes only after
// it, takes the place of what both codes replace.
func TestReplacedBeforeAFurtherCode(t *testing.T) {
	for name, with := range map[string]func(*sender) func(*ingest.Redemption){
		"all":             func(*sender) func(*ingest.Redemption) { return replacing },
		"former identity": func(a *sender) func(*ingest.Redemption) { return func(d *ingest.Redemption) { d.Former = a.agent } },
	} {
		t.Run(name, func(t *testing.T) {
			a := enrol(t, openNew(t), noon)
			a.say(noon, says("A", on(1001, camera(1, "a1"))))
			b := beside(t, a, noon.Add(time.Minute), with(a))
			late := b.next(noon.Add(time.Hour), says("B", on(1002, camera(2, "b2"))))
			b.again(noon.Add(2*time.Hour), with(a))
			if _, err := b.deliver(late, noon.Add(3*time.Hour)); err != nil {
				t.Fatal(err)
			}
			if got := names(b.history()); !equal(got, []string{"b2"}) {
				t.Errorf("%q", got)
			}
		})
	}
}

// A visit ends by itself; what it declared stays.
func TestVisit(t *testing.T) {
	r := openNew(t)
	a := enrol(t, r, noon)
	at := noon
	r.now = func() time.Time { return at }
	b := &sender{t: t, r: r, agent: uuid.NewString(), key: sha256.Sum256([]byte("laptop")), site: a.site}
	if g := b.again(noon, visiting); !g.Until.After(noon) || g.Until.After(noon.Add(24*time.Hour)) || g.Others != 1 {
		t.Fatalf("%+v", g)
	}
	b.say(noon.Add(time.Hour), says("visit", on(1002, camera(2, "b2"))))
	agents, err := r.AgentRows(t.Context(), AgentFilter{}, AgentsByEnrolment, Window{Limit: 100})
	if err != nil || !slices.ContainsFunc(agents, func(a Agent) bool { return a.ID == b.agent && len(a.Sites) == 1 && !a.Sites[0].Until.IsZero() }) {
		t.Errorf("during the visit: %+v, %v", agents, err)
	}
	at = noon.Add(25 * time.Hour)
	if _, err := b.deliver(b.next(at, says("visit")), at); !errors.Is(err, ingest.ErrNotGranted) {
		t.Errorf("after a day: %v", err)
	}
	if _, _, _, err := r.Site(t.Context(), b.agent, b.site); !errors.Is(err, ingest.ErrNotGranted) {
		t.Errorf("the visit still reads the site: %v", err)
	}
	g, _, _, err := r.Site(t.Context(), a.agent, a.site)
	if err != nil || g.Others != 0 {
		t.Errorf("%+v, %v", g, err)
	}
	agents, err = r.AgentRows(t.Context(), AgentFilter{}, AgentsByEnrolment, Window{Limit: 100})
	if err != nil || slices.ContainsFunc(agents, func(a Agent) bool { return a.ID == b.agent && len(a.Sites) > 0 }) {
		t.Errorf("after the visit: %+v, %v", agents, err)
	}
	if got := names(a.history()); !equal(got, []string{"b2"}) {
		t.Errorf("its facts: %q", got)
	}
}

func TestWithdrawalOfTwoAgents(t *testing.T) {
	r := openNew(t)
	r.wiping.short = time.Hour
	a := enrol(t, r, noon)
	// The site's own name is history of a site that stays.
	ofA := func() protocol.Declaration {
		d := says("sentinelA", on(1001, camera(1, "a1")))
		d.Site.Name = "Bar"
		return d
	}
	a.say(noon, ofA())
	b := beside(t, a, noon.Add(time.Hour), nil)
	b.say(noon.Add(time.Hour), says("sentinelB", on(1002, camera(2, "b2"))))

	// Made before B was enrolled, it comes late: B's part stays, A is told.
	late := a.next(noon.Add(30*time.Minute), withdrawal())
	before := stolen(t, r, a.site)
	for range 2 { // the answer got lost
		receipt, err := a.deliver(late, noon.Add(2*time.Hour))
		if err != nil || !receipt.SiteStays {
			t.Fatalf("%+v, %v", receipt, err)
		}
	}
	if got := names(b.history()); !equal(got, []string{"b2"}) || b.history().Withdrawn {
		t.Errorf("after A's: %q", got)
	}
	before.gone(t)
	a.again(noon.Add(3*time.Hour), nil)
	a.say(noon.Add(3*time.Hour), ofA())
	before = stolen(t, r, a.site)
	receipt := b.say(noon.Add(4*time.Hour), withdrawal())
	if receipt.SiteStays || len(names(b.history())) != 0 || !b.history().Withdrawn {
		t.Errorf("after B's, made when both were there: %+v, %+v", receipt, b.history())
	}
	before.gone(t)
	if _, err := a.deliver(a.next(noon.Add(5*time.Hour), says("A")), noon.Add(5*time.Hour)); !errors.Is(err, ingest.ErrNotGranted) {
		t.Errorf("the other agent brings the site back: %v", err)
	}
}

// What a part no longer says is gone also where another part stood before it.
func TestOvertakenPartIsGone(t *testing.T) {
	r := openNew(t)
	r.wiping.short = time.Hour
	a := enrol(t, r, noon)
	a.say(noon, says("A", on(1001, camera(1, "a1"))))
	b := beside(t, a, noon, nil)
	b.say(noon.Add(time.Hour), says("B", on(1001, camera(2, "b2"))))
	before := stolen(t, r, a.site)
	a.say(noon.Add(2*time.Hour), says("A"))
	before.gone(t)
}

// A withdrawal by one of several agents takes the whole site out. The others are
// told, each once; the one that withdrew it is not, nor one that is enrolled
// for the site afterwards, perhaps by another owner.
func TestOneOfSeveralWithdraws(t *testing.T) {
	r := openNew(t)
	a := enrol(t, r, noon)
	a.say(noon, says("A", on(1001, camera(1, "a1"))))
	b := beside(t, a, noon.Add(time.Minute), nil)
	b.say(noon.Add(time.Hour), says("B", on(1002, camera(2, "b2"))))
	visit := beside(t, a, noon.Add(time.Minute), visiting)
	ended := beside(t, a, noon.Add(-48*time.Hour), visiting)
	_, before, err := r.Noticed(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	m := a.next(noon.Add(2*time.Hour), withdrawal())
	for range 2 { // the second is a duplicate
		if receipt, err := a.deliver(m, noon.Add(2*time.Hour)); err != nil || receipt.SiteStays {
			t.Fatalf("%+v, %v", receipt, err)
		}
	}
	agents, _, err := r.Noticed(t.Context(), before)
	if err != nil || !slices.Contains(agents, b.agent) || !slices.Contains(agents, visit.agent) || slices.Contains(agents, ended.agent) {
		t.Errorf("woken: %v, %v", agents, err)
	}
	anew := beside(t, a, noon.Add(3*time.Hour), nil)
	anew.say(noon.Add(3*time.Hour), says("anew", on(1003, camera(3, "c3"))))
	withdrawn := []protocol.SiteState{protocol.SiteWithdrawn}
	for _, c := range []struct {
		name string
		*sender
		want []protocol.SiteState
	}{{"the other", b, withdrawn}, {"the visit", visit, withdrawn}, {"who withdrew", a, nil}, {"an ended visit", ended, nil},
		{"who came after, and may be an earlier one of the same computer", anew, withdrawn}} {
		if got := c.told(); !slices.Equal(got, c.want) {
			t.Errorf("%s is told %v, want %v", c.name, got, c.want)
		}
	}
	n := b.waits(noon.Add(4 * time.Hour))
	if len(n) != 1 {
		t.Fatalf("%d notices wait for the other", len(n))
	}
	b.say(noon.Add(4*time.Hour), protocol.Reply{NoticeID: n[0], State: protocol.ReplyReceived, At: noon})
	if got := b.told(); got != nil {
		t.Errorf("told again: %v", got)
	}
	alone := enrol(t, r, noon)
	alone.say(noon, withdrawal())
	if agents, _, err := r.Noticed(t.Context(), before+1); err != nil || slices.Contains(agents, alone.agent) {
		t.Errorf("an agent alone is told of what it did: %v, %v", agents, err)
	}
}

// A withdrawal that leaves another agent's entry takes with it what the agent
// was enrolled to replace, also if it never declared anything itself.
func TestWithdrawalTakesWhatItReplaced(t *testing.T) {
	r := openNew(t)
	r.wiping.short = time.Hour
	a := enrol(t, r, noon)
	d := says("sentinelOld", on(1001, camera(1, "a1")))
	d.Site.Name = "Bar" // the site's own name is history of a site that stays
	a.say(noon, d)
	b := beside(t, a, noon.Add(time.Minute), replacing)
	late := b.next(noon.Add(time.Hour), withdrawal())
	c := beside(t, a, noon.Add(2*time.Hour), nil)
	c.say(noon.Add(2*time.Hour), says("C", on(1003, camera(3, "c3"))))
	if got := names(c.history()); !equal(got, []string{"a1", "c3"}) {
		t.Fatalf("before: %q", got)
	}
	before := stolen(t, r, a.site)
	if receipt, err := b.deliver(late, noon.Add(3*time.Hour)); err != nil || !receipt.SiteStays {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if got := names(c.history()); !equal(got, []string{"c3"}) {
		t.Errorf("after: %q", got)
	}
	before.gone(t)
}

// Who was enrolled after a withdrawal was made has decided something later only
// with a grant that is still good, or with a declaration that stands.
func TestLaterDecision(t *testing.T) {
	for _, c := range []struct {
		name                     string
		how                      func(*ingest.Redemption)
		declares, revoked, stays bool
	}{
		{name: "enrolled", stays: true},
		{name: "revoked", revoked: true},
		{name: "revoked after it had declared", declares: true, revoked: true, stays: true},
		{name: "a visit that ended", how: visiting},
		{name: "a visit that ended after it had declared", how: visiting, declares: true, stays: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := enrol(t, openNew(t), noon)
			a.say(noon, says("A", on(1001, camera(1, "a1"))))
			b := beside(t, a, noon.Add(time.Hour), c.how)
			var left []string
			if c.declares {
				b.say(noon.Add(2*time.Hour), says("B", on(1002, camera(2, "b2"))))
				left = []string{"b2"}
			}
			if c.revoked {
				if err := b.r.Revoke(t.Context(), b.agent, noon.Add(3*time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			receipt, err := a.deliver(a.next(noon.Add(time.Minute), withdrawal()), noon.Add(26*time.Hour))
			if err != nil || receipt.SiteStays != c.stays {
				t.Errorf("%+v, %v", receipt, err)
			}
			if got := names(a.history()); !equal(got, left) {
				t.Errorf("left are %q", got)
			}
		})
	}
}
