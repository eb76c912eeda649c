package inventory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// words is one state in which an entry may be before it turns out to be the
// same camera as another.
type words struct {
	name     string
	outdoor  *bool
	decision State
}

var allWords = []words{
	{"untouched", nil, ""},
	{"answered yes", new(true), ""},
	{"answered no", new(false), ""},
	{"declared", new(true), StateDeclared},
	{"withdrawn", new(true), StateWithdrawn},
	{"withdrawn by a no", new(false), StateWithdrawn},
	{"refused", nil, StateRefused},
	{"refused after a yes", new(true), StateRefused},
}

func (w words) no() bool {
	return w.decision == StateRefused || w.decision == StateWithdrawn || w.outdoor != nil && !*w.outdoor
}
func (w words) yes() bool { return !w.no() && w.outdoor != nil }

// say brings entry id into state w.
func (w words) say(t *testing.T, v *Inventory, id string) {
	t.Helper()
	var results []Result
	var err error
	if w.decision == StateDeclared || w.decision == StateWithdrawn {
		outdoors(t, v, id, true)
		approve(t, v, id)
	}
	if w.outdoor != nil {
		outdoors(t, v, id, *w.outdoor)
	}
	switch w.decision {
	case StateWithdrawn:
		results, err = v.Withdraw(t.Context(), []string{id}, protocol.Approval{By: "Anna Neri"})
	case StateRefused:
		results, err = v.KeepOut(t.Context(), []string{id}, protocol.Approval{By: "Anna Neri"})
	}
	if err != nil || len(results) > 0 && results[0].Error != "" {
		t.Fatalf("%s: %v %v", w.name, results, err)
	}
}

// Every pair of states: nothing that the owner decided is lost, and what is
// declared never grows by a merge.
func TestMergeOfDecidedEntries(t *testing.T) {
	for _, onChannel := range allWords {
		for _, byItself := range allWords {
			t.Run(onChannel.name+" on the recorder, "+byItself.name+" by itself", func(t *testing.T) {
				mergeDecided(t, onChannel, byItself)
			})
		}
	}
}

// It is long because it is one way, step by step.
func mergeDecided(t *testing.T, onChannel, byItself words) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	nvr := recorder(nil, 0)
	record(t, v, noon, nvr, cameraDevice(0))
	anchor, _ := on(t, v, "Magazzino") // so that no withdrawal is the site's
	outdoors(t, v, anchor.ID, true)
	approve(t, v, anchor.ID)
	channel, _ := on(t, v, "Canale 1")
	own, _ := on(t, v, "Ingresso via Torino")
	onChannel.say(t, v, channel.ID)
	byItself.say(t, v, own.ID)
	deliver(t, v)
	before := outbox(t, v)
	declaredBefore := declaredIDs(t, v)

	nvr.Channels[1].Camera = bySerial(cameraDevice(0))
	record(t, v, noon.Add(2*time.Hour), nvr, cameraDevice(0))

	c, others := on(t, v, "Canale 1")
	if len(others) != 1 || len(c.Paths) != 2 {
		t.Fatalf("%d entries besides, paths %+v", len(others), c.Paths)
	}
	for _, m := range outbox(t, v)[len(before):] {
		o, ok := m.Message.Body.(protocol.Observation)
		if !ok {
			t.Fatalf("the merge sent a %s", m.Kind)
		}
		for _, seen := range o.Cameras {
			if onChannel.decision != StateDeclared || byItself.no() || seen.CameraID == own.ID && own.ID != c.ID {
				if seen.CameraID != anchor.ID {
					t.Errorf("facts of the camera left before the owner said yes to them")
				}
			}
		}
	}
	if got := declaredIDs(t, v); !slices.Equal(got, declaredBefore) {
		t.Errorf("declared %v became %v", declaredBefore, got)
	}
	if clash := onChannel.yes() && byItself.no() || onChannel.no() && byItself.yes(); clash != c.AskAgain || clash && c.Outdoor != nil {
		t.Errorf("asked again: %t, answer %v", c.AskAgain, c.Outdoor)
	}
	declared := onChannel.decision == StateDeclared || byItself.decision == StateDeclared
	switch {
	case declared:
		if c.State != StateDeclared {
			t.Errorf("declared became %s", c.State)
		}
		if want := onChannel.decision == StateDeclared && byItself.decision != StateDeclared; slices.Contains(c.Changed, "recorder") == want {
			t.Errorf("waits for a yes to %v", c.Changed)
		}
	case c.AskAgain:
		if c.State != StateFound || !slices.Contains(c.Missing, "outdoor_public") {
			t.Errorf("%s, missing %v", c.State, c.Missing)
		}
	case onChannel.decision == StateRefused || byItself.decision == StateRefused:
		if c.State != StateRefused {
			t.Errorf("refused became %s", c.State)
		}
	case onChannel.decision == StateWithdrawn || byItself.decision == StateWithdrawn:
		if c.State != StateWithdrawn {
			t.Errorf("withdrawn became %s", c.State)
		}
	case onChannel.no() || byItself.no():
		if c.Outdoor == nil || *c.Outdoor {
			t.Errorf("a no became %v", c.Outdoor)
		}
	}

	// The old ids still lead to it, and approving all widens nothing that was
	// not answered yes.
	for _, id := range []string{channel.ID, own.ID} {
		if got, err := view(t, v).Camera(id); err != nil || got.ID != c.ID {
			t.Errorf("id %s leads to %s, %v", id, got.ID, err)
		}
	}
	if _, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	after := declaredIDs(t, v)
	switch {
	case onChannel.no() || byItself.no():
		if !slices.Equal(after, declaredBefore) {
			t.Errorf("a no was overruled: declared %v became %v", declaredBefore, after)
		}
	case declared:
		if len(after) != 2 || !slices.Contains(after, c.ID) {
			t.Errorf("after a yes %v is declared, want %s and %s", after, anchor.ID, c.ID)
		}
		if d := lastDeclaration(t, v); len(d.Recorders) != 1 || d.Recorders[0].ID != c.Device.ID {
			t.Errorf("declared recorders: %+v", d.Recorders)
		}
	}

	// Whatever it is declared as, taking it out takes it out.
	if _, err := v.KeepOut(t.Context(), []string{own.ID}, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	if got := declaredIDs(t, v); !slices.Equal(got, []string{anchor.ID}) {
		t.Errorf("refused, and still declared: %v", got)
	}
	if c, err := view(t, v).Camera(c.ID); err != nil || c.State != StateRefused || c.AskAgain {
		t.Errorf("%+v, %v", c, err)
	}
	// And that is taken back by any of its ids.
	for _, id := range []string{channel.ID, own.ID} {
		if r, err := v.Restore(t.Context(), []string{id}); err != nil || r[0].Error != "" {
			t.Errorf("take the no to %s back: %+v, %v", id, r, err)
		}
	}
	if c, err := view(t, v).Camera(c.ID); err != nil || c.State == StateRefused {
		t.Errorf("restored: %s, %v", c.State, err)
	}
}

// A camera that the register holds under two ids leaves it under both, even if
// no declaration was made between the merge and the no.
func TestRefusedUnderBothIDs(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	nvr := recorder(nil, 0)
	record(t, v, noon, nvr, cameraDevice(0))
	for _, c := range cameras(t, v) {
		allWords[3].say(t, v, c.ID)
	}
	nvr.Channels[1].Camera = bySerial(cameraDevice(0))
	record(t, v, noon.Add(time.Hour), nvr, cameraDevice(0))
	if got := declaredIDs(t, v); len(got) != 3 {
		t.Fatalf("declared %v, want the anchor and both entries", got)
	}
	c, _ := on(t, v, "Canale 1")
	if _, err := v.KeepOut(t.Context(), []string{c.ID}, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	anchor, _ := on(t, v, "Magazzino")
	if got := declaredIDs(t, v); !slices.Equal(got, []string{anchor.ID}) {
		t.Errorf("declared %v, want %s alone", got, anchor.ID)
	}
}

// A camera that was declared for two sites is not taken from either.
func TestDeclaredForTwoSites(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	enrol(t, v, siteB)
	contact(t, v)
	nvr := recorder(nil, 0)
	record(t, v, noon, nvr, cameraDevice(0))
	channel, _ := on(t, v, "Canale 1")
	own, _ := on(t, v, "Ingresso via Torino")
	for id, site := range map[string]string{channel.ID: siteA, own.ID: siteB} {
		if err := v.Set(t.Context(), id, Edit{SiteID: &site}); err != nil {
			t.Fatal(err)
		}
		allWords[3].say(t, v, id)
	}
	nvr.Channels[1].Camera = bySerial(cameraDevice(0))
	record(t, v, noon.Add(time.Hour), nvr, cameraDevice(0))
	all := cameras(t, v)
	c, err := view(t, v).Camera(own.ID)
	if err != nil || len(all) != 3 || c.State != StateDeclared || c.SiteID != siteB || c.MaybeSame != channel.ID {
		t.Errorf("%d entries, %+v, %v", len(all), c, err)
	}
}

// declaredIDs are the cameras of the site's last declaration.
func declaredIDs(t *testing.T, v *Inventory) (ids []string) {
	t.Helper()
	for _, c := range lastDeclaration(t, v).Cameras {
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	return ids
}

func lastDeclaration(t *testing.T, v *Inventory) (d protocol.Declaration) {
	t.Helper()
	for _, m := range outbox(t, v) {
		switch body := m.Message.Body.(type) {
		case protocol.Declaration:
			d = body
		case protocol.Withdrawal:
			d = protocol.Declaration{}
		}
	}
	return d
}

// Any number of entries of one camera, with any words, found to be the same in
// any order: one entry; a no is never overruled by a yes; the last word of each
// kind is kept; and looking again changes nothing.
func TestMergeProperties(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 12 {
		v := open(t, t.TempDir())
		enrol(t, v, siteA)
		contact(t, v)
		const n = 3
		nvr := recorder(nil, 0, 1, 2)
		found := []interrogate.Device{nvr, cameraDevice(0), cameraDevice(1), cameraDevice(2)}
		for i := range found[1:] {
			found[i+1].Channels = []interrogate.Channel{channel("src", fmt.Sprintf("Diretta %d", i+1))}
		}
		record(t, v, noon, found...)
		type state struct{ no, yes bool }
		said := map[string]*state{} // by the name of the recorder's channel
		var history []string
		for i := range n {
			both := &state{}
			for _, name := range []string{fmt.Sprintf("Canale %d", i+1), fmt.Sprintf("Diretta %d", i+1)} {
				w := allWords[r.IntN(len(allWords))]
				c, _ := on(t, v, name)
				w.say(t, v, c.ID)
				both.no, both.yes = both.no || w.no(), both.yes || w.yes()
				history = append(history, name+" "+w.name)
			}
			said[fmt.Sprintf("Canale %d", i+1)] = both
		}
		declaredBefore := declaredIDs(t, v)
		order := r.Perm(n)
		for step, i := range order {
			nvr.Channels[i+1].Camera = []func(interrogate.Device) *interrogate.Identity{bySerial, byMAC, byEndpoint}[r.IntN(3)](cameraDevice(byte(i)))
			look := slices.Clone(found)
			r.Shuffle(len(look), func(a, b int) { look[a], look[b] = look[b], look[a] })
			record(t, v, noon.Add(time.Duration(step+1)*time.Hour), look...)
		}
		all := cameras(t, v)
		if len(all) != n+1 {
			t.Fatalf("%v: %d entries, want %d", history, len(all), n+1)
		}
		if got := declaredIDs(t, v); !slices.Equal(got, declaredBefore) {
			t.Fatalf("%v: declared %v became %v without a yes", history, declaredBefore, got)
		}
		record(t, v, noon.Add(10*time.Hour), found...)
		again := cameras(t, v)
		if _, err := v.Approve(t.Context(), Selection{All: true}, protocol.Approval{By: "Anna Neri"}); err != nil {
			t.Fatal(err)
		}
		after := declaredIDs(t, v)
		for i, c := range all {
			if again[i].ID != c.ID || again[i].State != c.State || again[i].AskAgain != c.AskAgain {
				t.Errorf("%v: looking again made %s of %s", history, again[i].State, c.State)
			}
			w := said[c.Values.Name]
			if w == nil {
				continue
			}
			if c.AskAgain != (w.no && w.yes) {
				t.Errorf("%v: %s is asked again: %t", history, c.Values.Name, c.AskAgain)
			}
			if is, was := slices.Contains(after, c.ID), slices.Contains(declaredBefore, c.ID); w.no && is && !was {
				t.Errorf("%v: %s was declared over a no", history, c.Values.Name)
			}
		}
		v.Close()
	}
}

// What the owner typed for either entry is there afterwards, the later word first.
func TestMergeKeepsTheOwnersWords(t *testing.T) {
	for _, laterByItself := range []bool{true, false} {
		v := open(t, t.TempDir())
		nvr := recorder(nil, 0)
		record(t, v, noon, nvr, cameraDevice(0))
		channel, _ := on(t, v, "Canale 1")
		own, _ := on(t, v, "Ingresso via Torino")
		first, second := channel.ID, own.ID
		if !laterByItself {
			first, second = own.ID, channel.ID
		}
		set := func(id string, at time.Time, e Edit) {
			v.now = func() time.Time { return at }
			if err := v.Set(t.Context(), id, e); err != nil {
				t.Fatal(err)
			}
		}
		set(first, noon, Edit{Name: new("Primo nome"), Lon: new(9.1), Lat: new(45.1), AccuracyM: new(5), Direction: new(10), RangeM: new(30)})
		set(second, noon.Add(time.Minute), Edit{Lon: new(9.2), Lat: new(45.2), Direction: new(20), Angle: new(90)})
		nvr.Channels[1].Camera = byMAC(cameraDevice(0))
		record(t, v, noon.Add(time.Hour), nvr, cameraDevice(0))
		c, _ := on(t, v, "Primo nome")
		p, w := c.Values.Position, c.Values.View
		if p.Lon != 9_200_000 || p.Lat != 45_200_000 || p.AccuracyM != defaultAccuracyM || w.DirectionDeg == nil || *w.DirectionDeg != 20 ||
			w.AngleDeg == nil || *w.AngleDeg != 90 || w.RangeM == nil || *w.RangeM != 30 {
			t.Errorf("later by itself %t: %+v %+v", laterByItself, p, w)
		}
	}
}
