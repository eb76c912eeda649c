package registry

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// The sites of a referent are those of the delegations that are in force: filtered,
// sorted and bounded.
func TestReferentSites(t *testing.T) {
	m := newImporter(t)
	results := m.run(noon, nil, branch("1", "a"), branch("2", "a", "b", "c", "d"), branch("3", "a", "b", "c"))
	ids := []string{results["1"].SiteID, results["2"].SiteID, results["3"].SiteID}
	m.run(noon.Add(time.Hour), nil, branch("1", "renamed"))
	if err := m.r.Act(t.Context(), ids[2], protocol.SiteSuspended, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	referent := User{ID: uuid.NewString(), Name: "Gino Bruni", Role: RoleReferent, At: noon}
	if err := m.r.AddUser(t.Context(), referent); err != nil {
		t.Fatal(err)
	}
	list := func(q ReferentQuery, at time.Time) (got []string, all int) {
		t.Helper()
		if q.Most == 0 {
			q.Most = 10
		}
		sites, all, err := m.r.ReferentSites(t.Context(), referent.ID, q, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sites {
			got = append(got, s.ID)
			if s.OrganisationID != m.o.ID || s.Name == "" || s.Cameras == 0 {
				t.Errorf("%+v", s)
			}
		}
		return got, all
	}
	if got, all := list(ReferentQuery{}, noon); all != 0 || got != nil {
		t.Errorf("without a delegation: %v of %d", got, all)
	}
	lets := func(sites ...string) {
		t.Helper()
		d := protocol.Delegation{ID: uuid.NewString(), OrganisationID: m.o.ID, UserID: referent.ID, Referent: referent.Name, Powers: []protocol.Power{protocol.MayAnswer},
			Sites: sites, Rule: "contratto", From: noon, Until: noon.Add(24 * time.Hour)}
		if err := m.r.Delegate(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	at := noon.Add(2 * time.Hour)
	lets(ids[0], ids[1])
	lets(ids[1]) // twice the same: it is listed once
	if got, all := list(ReferentQuery{Order: ByCameras}, at); all != 2 || !slices.Equal(got, []string{ids[1], ids[0]}) {
		t.Errorf("the delegated sites: %v of %d", got, all)
	}
	for _, moment := range []time.Time{noon.Add(-time.Second), noon.Add(24 * time.Hour)} {
		if _, all := list(ReferentQuery{}, moment); all != 0 {
			t.Errorf("at %v, when no delegation is in force: %d", moment, all)
		}
	}
	lets() // all
	for name, c := range map[string]struct {
		q    ReferentQuery
		want []string
		all  int
	}{
		"the most cameras":           {ReferentQuery{Order: ByCameras}, []string{ids[1], ids[2], ids[0]}, 3},
		"declared last":              {ReferentQuery{Order: ByNewest, Most: 1}, []string{ids[0]}, 3},
		"the second page":            {ReferentQuery{Order: ByCameras, Most: 2, Skip: 2}, []string{ids[0]}, 3},
		"suspended":                  {ReferentQuery{State: Suspended}, []string{ids[2]}, 1},
		"shared":                     {ReferentQuery{State: Sharing, Order: ByCameras}, []string{ids[1], ids[0]}, 2},
		"asked":                      {ReferentQuery{Asked: true}, nil, 0},
		"not heard":                  {ReferentQuery{Unheard: noon.Add(time.Minute), Order: ByCameras}, []string{ids[1], ids[2]}, 2},
		"an order that no one knows": {ReferentQuery{Order: "x; DROP TABLE sites", Most: 1, Skip: 9}, nil, 3},
	} {
		if got, all := list(c.q, at); !slices.Equal(got, c.want) || all != c.all {
			t.Errorf("%s: %v of %d, want %v of %d", name, got, all, c.want, c.all)
		}
	}
}

// What is wrong is told as it would be to a contact; of what is imported nothing is known.
func TestWrong(t *testing.T) {
	m := newImporter(t)
	id := m.run(noon, nil, branch("1", "a"))["1"].SiteID
	if wrong, err := m.r.Wrong(t.Context(), id, noon.AddDate(0, 1, 0)); err != nil || wrong != nil {
		t.Errorf("an imported site: %+v, %v", wrong, err)
	}
	s := enrol(t, m.r, noon)
	s.say(noon, marked("x", 1))
	if wrong, err := m.r.Wrong(t.Context(), s.site, noon.AddDate(0, 1, 0)); err != nil || len(wrong) != 1 || wrong[0].Alert != protocol.AlertUnheard {
		t.Errorf("a site whose agent is not heard: %+v, %v", wrong, err)
	}
}
