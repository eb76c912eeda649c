package registry

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// lived is what a test knows of a site, without the register.
type lived struct {
	sender    *sender
	category  string
	district  District
	reached   map[Stage]time.Time
	declared  bool
	suspended bool
	heard     time.Time
}

// Random lives of sites are counted by the register as by hand, stage by stage, hour by
// hour and group by group; and each number is that of the list behind it.
func TestFunnelAgainstARecount(t *testing.T) {
	r := openNew(t)
	dice := rand.New(rand.NewPCG(10, 3))
	districts := []District{{}, {"Municipio 1", "DUOMO"}, {"Municipio 1", "BRERA"}, {"Municipio 9", "ISOLA"}}
	var next District
	r.UseLocator(&Locator{Map: "m", At: func(protocol.Point) District { return next }, Find: func(string) District { return next }})
	var all []*lived
	now := noon
	for range 60 {
		now = now.Add(time.Duration(dice.IntN(300)) * time.Minute)
		all = append(all, live(t, r, dice, now, func(d *District) { *d = districts[dice.IntN(len(districts))]; next = *d }))
	}
	silent := now.Add(-48 * time.Hour)
	r.now = func() time.Time { return now.Add(100 * time.Hour) }
	for _, by := range []Grouping{GroupNone, GroupCategory, GroupMunicipio, GroupNIL} {
		rows, err := r.Funnel(t.Context(), by, silent)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]*FunnelRow{}
		for _, s := range all {
			group := map[Grouping]string{GroupCategory: s.category, GroupMunicipio: s.district.Municipio, GroupNIL: s.district.NIL}[by]
			if want[group] == nil {
				want[group] = &FunnelRow{Group: group, Reached: map[Stage]int{}}
			}
			s.count(want[group], silent)
		}
		if len(rows) != len(want) {
			t.Errorf("by %q: %d groups, want %d", by, len(rows), len(want))
		}
		for _, row := range rows {
			if w := want[row.Group]; w == nil || fmt.Sprint(*w) != fmt.Sprint(row) {
				t.Errorf("by %q: %+v, want %+v", by, row, w)
			}
			behind(t, r, by, row, silent)
		}
	}
	for _, stage := range Stages {
		hours := []time.Time{noon}
		for last := noon; last.Before(now); {
			last = last.Add(time.Hour)
			hours = append(hours, last)
		}
		want := make([]int, len(hours)-1)
		for _, s := range all {
			if at, ok := s.reached[stage]; ok && !at.Before(noon) && at.Before(hours[len(want)]) {
				want[at.Sub(noon)/time.Hour]++
			}
		}
		if got, err := r.Reached(t.Context(), stage, hours); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", stage, got, err, want)
		}
	}
}

// behind checks that the list behind each number has so many sites.
func behind(t *testing.T, r *Registry, by Grouping, row FunnelRow, silent time.Time) {
	t.Helper()
	f := SiteFilter{}
	switch by {
	case GroupCategory:
		if row.Group == "" {
			return // taken out: the list has them by their state
		}
		f.Category = protocol.Category(row.Group)
	case GroupMunicipio:
		f.Municipio = cmp.Or(row.Group, NoDistrict)
	case GroupNIL:
		f.NIL = cmp.Or(row.Group, NoDistrict)
	}
	check := func(f SiteFilter, want int) {
		t.Helper()
		n, err := r.CountSites(t.Context(), f)
		if err != nil || n != want {
			t.Errorf("the list of %+v has %d (%v), the funnel %d", f, n, err, want)
		}
		var seen []string
		err = r.SiteRows(t.Context(), f, SitesByContact, Window{Limit: 1000}, func(s SiteRow) error { seen = append(seen, s.ID); return nil })
		slices.Sort(seen)
		if err != nil || len(slices.Compact(seen)) != want {
			t.Errorf("the list of %+v shows %d (%v), want %d", f, len(seen), err, want)
		}
	}
	for _, stage := range Stages {
		g := f
		g.Stage = stage
		check(g, row.Reached[stage])
	}
	for state, n := range map[State]int{Sharing: row.Sharing, Suspended: row.Suspended} {
		g := f
		g.State = state
		check(g, n)
	}
	f.SilentSince = silent
	check(f, row.Silent)
}

// live gives a site a life of random length and kind.
func live(t *testing.T, r *Registry, dice *rand.Rand, at time.Time, placed func(*District)) *lived {
	t.Helper()
	l := &lived{category: []string{"shop", "bank", "pharmacy"}[dice.IntN(3)], reached: map[Stage]time.Time{StageInvited: at}}
	l.sender = &sender{t: t, r: r, agent: uuid.NewString()}
	copy(l.sender.key[:], l.sender.agent)
	placed(&l.district)
	var err error
	site := protocol.Site{Name: "Sito", Category: protocol.Category(l.category), Address: "Via Invito 1"}
	if l.sender.site, err = r.Invite(t.Context(), Invitation{Site: site, CodeHash: l.sender.code("1"), ExpiresAt: at.Add(CodeLife), At: at}); err != nil {
		t.Fatal(err)
	}
	step := func() time.Time { at = at.Add(time.Duration(dice.IntN(200)) * time.Minute); return at }
	depth := dice.IntN(6)
	if depth > 0 {
		l.sender.redeem("1", step())
		l.reached[StageOpened], l.reached[StageEnrolled] = at, at
	}
	if depth > 0 && dice.IntN(2) == 0 {
		h := protocol.Health{At: at, AgentVersion: "1.0", Platform: "linux/amd64"}
		if dice.IntN(2) == 0 {
			h.SearchedAt, h.Found = at, 2
			l.reached[StageSearched] = at.Add(time.Second)
			if h.Confirmed = dice.IntN(2); h.Confirmed > 0 {
				l.reached[StageConfirmed] = at.Add(time.Second)
			}
		}
		l.sender.say(at, h)
		l.heard = at.Add(time.Second)
	}
	if depth > 1 {
		placed(&l.district)
		d := declaration(camera(1, "Ingresso"))
		d.Site = site
		l.sender.say(step(), d)
		l.heard, l.declared = at.Add(time.Second), true
		l.reached[StageShared] = l.heard
		if l.reached[StageConfirmed].IsZero() {
			l.reached[StageConfirmed] = l.heard
		}
	}
	if depth > 2 && dice.IntN(2) == 0 {
		l.sender.say(step(), sees(1, at, at.Add(-time.Hour)))
		l.heard = at.Add(time.Second)
	}
	switch depth {
	case 4:
		l.sender.say(step(), protocol.SiteSuspension{Approval: protocol.Approval{By: "Anna", Role: protocol.RoleOwner, At: at}})
		l.heard, l.suspended = at.Add(time.Second), true
	case 5:
		l.sender.say(step(), withdrawal())
		l.heard, l.declared, l.district, l.category = at.Add(time.Second), false, District{}, ""
		l.reached[StageWithdrawn] = l.heard
	}
	return l
}

func (l *lived) count(row *FunnelRow, silent time.Time) {
	for _, stage := range Stages {
		if _, ok := l.reached[stage]; ok {
			row.Reached[stage]++
		} else {
			row.Reached[stage] += 0 // so that it is there, as in what the register gives
		}
	}
	switch {
	case l.declared && l.suspended:
		row.Suspended++
	case l.declared:
		row.Sharing++
		if l.heard.Before(silent) {
			row.Silent++
		}
	}
	row.Withdrawn = row.Reached[StageWithdrawn]
}
