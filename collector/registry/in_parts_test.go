package registry

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// Each list, read in parts of any length from any row on, is the whole list in one
// part, in both directions and in every order: also among rows of one time, and among
// those that have none.
func TestPartsAreTheWholeList(t *testing.T) {
	r := openNew(t)
	dice := rand.New(rand.NewPCG(10, 32))
	at := noon
	for i := range 40 {
		if i%3 > 0 {
			at = at.Add(time.Duration(dice.IntN(40)) * time.Minute) // some at the same time
		}
		l := live(t, r, dice, at, func(*District) {})
		if l.sender.epoch > 0 && i%2 == 0 {
			if err := r.Certified(t.Context(), l.sender.agent, "s", at.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if l.declared && i%2 == 0 {
			l.sender.say(at.Add(48*time.Hour), sick(at.Add(48*time.Hour), protocol.FaultUnread, protocol.FaultPassword))
		}
	}
	r.now = func() time.Time { return at.Add(100 * time.Hour) }
	lists := map[string]func(Window) ([]string, []rowPlace, error){}
	for by := range siteOrders {
		lists["sites by "+string(by)] = func(in Window) ([]string, []rowPlace, error) {
			return listed(in, func(in Window) ([]SiteRow, error) { return r.siteRows(t.Context(), SiteFilter{}, by, in) }, by.sortKey, func(s SiteRow) string { return s.ID })
		}
	}
	for by := range agentOrders {
		lists["agents by "+string(by)] = func(in Window) ([]string, []rowPlace, error) {
			return listed(in, func(in Window) ([]Agent, error) { return r.AgentRows(t.Context(), AgentFilter{}, by, in) }, by.sortKey, func(a Agent) string { return a.ID })
		}
	}
	lists["codes"] = func(in Window) ([]string, []rowPlace, error) {
		return listed(in, func(in Window) ([]CodeRow, error) { return r.codeRows(t.Context(), CodeFilter{}, in) }, CodeRow.sortKey, func(c CodeRow) string { return fmt.Sprintf("%x", c.hash) })
	}
	for name, list := range lists {
		for _, ascending := range []bool{false, true} {
			whole, places, err := list(Window{Ascending: ascending, Limit: 1000})
			if err != nil || len(whole) < 15 || len(slices.Compact(slices.Sorted(slices.Values(whole)))) != len(whole) {
				t.Fatalf("%s: %d rows, %v", name, len(whole), err)
			}
			for i := range whole {
				size := 1 + dice.IntN(7)
				part, _, err := list(Window{Ascending: ascending, Limit: size, after: &places[i]})
				if want := whole[i+1:][:min(size, len(whole)-i-1)]; err != nil || !slices.Equal(part, want) {
					t.Fatalf("%s, ascending %t: behind row %d are %s (%v), want %s", name, ascending, i, strings.Join(part, " "), err, strings.Join(want, " "))
				}
				part, _, err = list(Window{Ascending: ascending, Limit: size, Offset: i})
				if want := whole[i:][:min(size, len(whole)-i)]; err != nil || !slices.Equal(part, want) {
					t.Fatalf("%s, ascending %t: from row %d are %v (%v), want %v", name, ascending, i, part, err, want)
				}
			}
		}
	}
}

// listed gives the names of a window's rows, and where they stand.
func listed[T any](in Window, read func(Window) ([]T, error), stands func(T) rowPlace, name func(T) string) (names []string, places []rowPlace, err error) {
	rows, err := read(in)
	for _, row := range rows {
		names, places = append(names, name(row)), append(places, stands(row))
	}
	return names, places, err
}

// What comes into a list while it is read changes nothing of what was in it.
func TestPartsWhileTheListGrows(t *testing.T) {
	r := openNew(t)
	invite := func(n int) {
		if _, err := r.Invite(t.Context(), Invitation{Site: protocol.Site{Name: fmt.Sprint("Sito ", n), Category: "shop"}, CodeHash: [32]byte([]byte(uuid.NewString()[:32])),
			At: noon.Add(time.Duration(n) * time.Second), ExpiresAt: noon.Add(CodeLife)}); err != nil {
			t.Fatal(err)
		}
	}
	const before = firstPart + 200
	for n := range before {
		invite(n)
	}
	var names []string
	err := r.SiteRows(t.Context(), SiteFilter{}, SitesByInvitation, Window{Limit: 10_000}, func(s SiteRow) error {
		if names = append(names, s.Name); len(names) < 6 {
			invite(before + len(names)) // stands before those that are read
		}
		return nil
	})
	if err != nil || len(names) != before {
		t.Fatalf("%d rows, want %d: %v", len(names), before, err)
	}
	for i, name := range names {
		if want := fmt.Sprint("Sito ", before-1-i); name != want {
			t.Fatalf("row %d is %s, want %s", i, name, want)
		}
	}
}
