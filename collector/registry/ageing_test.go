package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/act"
	"anagrafe/protocol"
)

// aging is a site whose clocks the test moves.
type aging struct {
	*sender
	said []string // what Age recorded, as "DAY KIND"
	day  int
}

func newAging(t *testing.T) *aging {
	t.Helper()
	r := openNew(t)
	a := &aging{sender: enrol(t, r, noon)}
	r.now = func() time.Time { return a.at() }
	a.say(noon, mailed("anna@example.it"))
	return a
}

// mailed is a declaration with these addresses.
func mailed(addresses ...string) protocol.Declaration {
	d := declaration(camera(1, "one"))
	d.Contacts = nil
	for _, a := range addresses {
		d.Contacts = append(d.Contacts, protocol.Contact{Name: "Anna", Role: protocol.RoleOwner, Phone: "+39 02 1234567", Email: a})
	}
	return d
}

func (a *aging) at() time.Time { return noon.AddDate(0, 0, a.day) }

func (a *aging) age() Aged {
	a.t.Helper()
	done, err := a.r.Age(a.t.Context(), a.at(), func(_ context.Context, kind act.Kind, sites []string) error {
		if !slices.Equal(sites, []string{a.site}) {
			a.t.Errorf("%s: %v", kind, sites)
		}
		a.said = append(a.said, fmt.Sprint(a.day, " ", strings.TrimPrefix(string(kind), "ageing-")))
		return nil
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return done
}

// doubted tells whether the site's contact is shown as not verified.
func (a *aging) doubted() bool {
	a.t.Helper()
	all, err := a.r.Contacts(a.t.Context(), []string{a.site})
	if err != nil {
		a.t.Fatal(err)
	}
	return len(all[a.site]) > 0 && all[a.site][0].Unverified
}

func (a *aging) approve() {
	a.t.Helper()
	d := mailed("anna@example.it")
	d.Approval.At = a.at()
	a.say(a.at(), d)
}

func (a *aging) renew() {
	a.t.Helper()
	if err := a.r.Renew(a.t.Context(), a.site, a.at()); err != nil {
		a.t.Fatal(err)
	}
}

func (a *aging) count(query string, args ...any) (n int) {
	a.t.Helper()
	if err := a.r.view(a.t.Context(), func(tx *tx) error { return tx.QueryRowContext(a.t.Context(), query, args...).Scan(&n) }); err != nil {
		a.t.Fatal(err)
	}
	return n
}

// Three years of a site, a look a day. A message is recorded a second after it
// was made, so that a silence is one a day later.
func TestAge(t *testing.T) {
	hears := func(a *aging) { a.say(a.at(), protocol.Observation{}) }
	monthly := func(more map[int]func(*aging)) map[int]func(*aging) {
		days := map[int]func(*aging){}
		for day := 30; day < 1100; day += 30 {
			days[day] = hears
		}
		for day, f := range more {
			days[day] = f
		}
		return days
	}
	all := []string{"335 reminded", "351 reminded", "362 reminded", "396 unverified", "701 reminded", "717 reminded", "728 reminded", "731 withdrawn"}
	for name, c := range map[string]struct {
		days    map[int]func(*aging)
		off     [2]int // nobody looks from the one day to the other
		want    []string
		doubted [2]int // from the one day to before the other; 0: never
	}{
		"an owner who never answers, agent or not": {days: monthly(nil), want: all, doubted: [2]int{396, 731}},
		"suspended all the while": {days: monthly(map[int]func(*aging){10: func(a *aging) {
			if err := a.r.Act(a.t.Context(), a.site, protocol.SiteSuspended, a.at()); err != nil {
				a.t.Fatal(err)
			}
		}}), want: all},
		"one click a year": {days: monthly(map[int]func(*aging){340: (*aging).renew, 700: (*aging).renew, 1060: (*aging).renew}),
			want: []string{"335 reminded", "676 reminded", "692 reminded", "1035 reminded", "1051 reminded"}},
		"approved again in time": {days: monthly(map[int]func(*aging){300: (*aging).approve, 600: (*aging).approve, 900: (*aging).approve}), want: nil},
		"renewed when it was overdue": {days: monthly(map[int]func(*aging){500: (*aging).renew, 800: (*aging).renew}),
			want: []string{"335 reminded", "351 reminded", "362 reminded", "396 unverified"}, doubted: [2]int{396, 500}},
		"an agent that is silent, and comes back": {days: map[int]func(*aging){100: hears, 300: (*aging).renew, 310: hears, 500: (*aging).renew, 510: hears, 560: hears, 610: hears, 660: hears,
			710: hears, 760: hears, 810: hears, 820: (*aging).renew, 860: hears, 910: hears, 960: hears, 1010: hears, 1060: hears},
			want: []string{"62 reminded", "160 reminded", "372 reminded"}, doubted: [2]int{62, 100}},
		"an officer whom nobody answers": {days: monthly(map[int]func(*aging){100: func(a *aging) {
			for range 2 {
				if err := a.r.DoubtContact(a.t.Context(), a.site, a.at()); err != nil {
					a.t.Fatal(err)
				}
			}
			if n := a.count("SELECT count(*) FROM notices WHERE kind = 'reminder'"); n != 1 {
				a.t.Errorf("%d reminders for one doubt", n)
			}
		}, 200: (*aging).approve, 500: (*aging).approve, 800: (*aging).approve}), want: []string{"159 unverified"}, doubted: [2]int{159, 200}},
		"a collector that was off": {days: monthly(nil), off: [2]int{300, 1000}, want: []string{"1000 reminded", "1016 reminded", "1027 reminded", "1030 withdrawn"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAging(t)
			for a.day = 1; a.day <= 1100; a.day++ {
				if f := c.days[a.day]; f != nil && !slices.ContainsFunc(a.said, func(s string) bool { return s == "731 withdrawn" || s == "1030 withdrawn" }) {
					f(a)
				}
				if a.day >= c.off[0] && a.day < c.off[1] {
					continue
				}
				if a.age() != (Aged{}) {
					if done := a.age(); done != (Aged{}) {
						t.Fatalf("day %d: a second run did %+v", a.day, done)
					}
				}
				if name == "an agent that is silent, and comes back" && a.day > 150 {
					continue // silent again, at its own times
				}
				if near := func(day int) bool { return a.day-day >= -1 && a.day-day <= 1 }; a.day%30 > 0 && !near(c.doubted[0]) && !near(c.doubted[1]) {
					continue
				}
				if want := c.doubted[0] > 0 && a.day >= c.doubted[0] && a.day < c.doubted[1]; a.doubted() != want {
					t.Fatalf("day %d: not verified: %v", a.day, !want)
				}
			}
			if !slices.Equal(a.said, c.want) {
				t.Errorf("%q\nwant %q", a.said, c.want)
			}
		})
	}
}

// A reminder is a notice to the agents, the newest alone, and one mail a contact;
// a person's yes takes the open one back.
func TestReminders(t *testing.T) {
	a := newAging(t)
	open := "SELECT count(*) FROM notices WHERE kind = 'reminder' AND closed_at IS NULL"
	for _, a.day = range []int{335, 351} {
		a.age()
		if n := a.count(open); n != 1 {
			t.Fatalf("day %d: %d open reminders", a.day, n)
		}
	}
	a.day++
	if err := a.r.DoubtContact(t.Context(), a.site, a.at()); err != nil {
		t.Fatal(err)
	}
	if n := a.count("SELECT count(*) FROM notices WHERE kind = 'reminder'"); n != 2 {
		t.Errorf("%d reminders: a doubt asks again a day after one", n)
	}
	waiting, _, err := a.r.Waiting(t.Context(), a.agent, a.at(), 0)
	if err != nil || len(waiting) != 1 {
		t.Fatal(len(waiting), err)
	}
	if b, ok := waiting[0].Body.(protocol.Reminder); !ok || b.Reason != reminderReason {
		t.Errorf("%+v", waiting[0].Body)
	}
	if due, err := a.r.DueMail(t.Context(), a.at(), 10); err != nil || len(due) != 1 || due[0].Address != "anna@example.it" {
		t.Errorf("mail: %v, %v", due, err)
	}
	before, err := a.r.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.renew()
	if n := a.count(open); n != 0 {
		t.Errorf("%d reminders of what is done", n)
	}
	if last, err := a.r.LastChange(t.Context()); err != nil || last == before {
		t.Errorf("no change: %d, %v", last, err)
	}
	own, err := a.r.Own(t.Context(), a.site)
	if want := (adhesion{a.at(), a.at().AddDate(1, 0, -30), a.at().AddDate(1, 0, 0), a.at().AddDate(2, 0, 0)}); err != nil || own.Adhesion != want {
		t.Errorf("%+v, %v", own.Adhesion, err)
	}
	if err := a.r.Renew(t.Context(), id(9), a.at()); !errors.Is(err, ErrUnknownSite) {
		t.Errorf("an unknown site: %v", err)
	}
	if err := a.r.DoubtContact(t.Context(), id(9), a.at()); !errors.Is(err, ErrUnknownSite) {
		t.Errorf("an unknown site: %v", err)
	}
}

// An old approval that arrives late winds nothing back, nor does a date from the
// future wind anything ahead.
func TestApprovalsTime(t *testing.T) {
	a := newAging(t)
	for _, c := range []struct{ day, approved, renewed int }{{10, 5, 5}, {20, 2, 5}, {30, 30, 30}, {40, 4000, 40}} {
		a.day = c.day
		d := mailed("anna@example.it")
		d.Approval.At = noon.AddDate(0, 0, c.approved)
		receipt := a.say(a.at(), d)
		own, err := a.r.Own(t.Context(), a.site)
		if err != nil {
			t.Fatal(err)
		}
		want := noon.AddDate(0, 0, c.renewed)
		if c.approved > c.day {
			want = receipt.RecordedAt
		}
		if !own.Adhesion.RenewedAt.Equal(want) {
			t.Errorf("approved on day %d: renewed at %v, want %v", c.approved, own.Adhesion.RenewedAt, want)
		}
	}
}

// What time withdraws is withdrawn as an owner would: the agent is told, nothing
// stays. It is no act of the owner.
func TestAgeWithdraws(t *testing.T) {
	a := newAging(t)
	for a.day = 300; a.day <= 731; a.day++ {
		a.age()
	}
	if _, err := a.r.Own(t.Context(), a.site); !errors.Is(err, ErrUnknownSite) {
		t.Errorf("the site: %v", err)
	}
	waiting, _, err := a.r.Waiting(t.Context(), a.agent, a.at(), 0)
	if err != nil || len(waiting) != 1 {
		t.Fatal(waiting, err)
	}
	if b, ok := waiting[0].Body.(protocol.SiteChange); !ok || b.State != protocol.SiteWithdrawn {
		t.Errorf("%+v", waiting[0].Body)
	}
	for _, table := range []string{"ageing", "mail_queue", "bounces", "contacts", "parts"} {
		if n := a.count("SELECT count(*) FROM " + table); n > 0 {
			t.Errorf("%d rows of %s stay", n, table)
		}
	}
}

// A site that cannot be aged is recorded once a day, and aged by the first run that can.
func TestAgeFails(t *testing.T) {
	a := newAging(t)
	keys := func(query string) {
		t.Helper()
		if _, err := a.r.write.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	a.day = 335
	keys("UPDATE data_keys SET owner = 'x' || owner")
	for range 3 {
		if done := a.age(); done != (Aged{}) {
			t.Fatalf("aged: %+v", done)
		}
	}
	a.day++
	a.age()
	keys("UPDATE data_keys SET owner = substr(owner, 2)")
	if done := a.age(); done.Reminded != 1 {
		t.Errorf("once it can be: %+v", done)
	}
	if want := []string{"335 reminded", "336 reminded"}; !slices.Equal(a.said, want) {
		t.Errorf("recorded %q, want %q", a.said, want)
	}
}

// Without the trail nothing is done; a site that cannot be aged does not keep
// back the others; and there may be many.
func TestAgeMany(t *testing.T) {
	r := openNew(t)
	var sites []*sender
	for range ageBatch + 3 {
		s := enrol(t, r, noon)
		s.say(noon, mailed("anna@example.it"))
		sites = append(sites, s)
	}
	now := noon.AddDate(0, 0, 340)
	full := errors.New("disk full")
	if done, err := r.Age(t.Context(), now, func(context.Context, act.Kind, []string) error { return full }); !errors.Is(err, full) || done != (Aged{}) {
		t.Fatalf("without the trail: %+v, %v", done, err)
	}
	if err := r.update(t.Context(), func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE contacts SET body = ? WHERE site_id = ?", []byte("x"), sites[7].site)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	record := func(_ context.Context, _ act.Kind, sites []string) error {
		if len(sites) > ageBatch {
			t.Errorf("%d sites in an entry", len(sites))
		}
		for _, s := range sites {
			told[s]++
		}
		return nil
	}
	done, err := r.Age(t.Context(), now, record)
	if err != nil || done.Reminded != ageBatch+2 || len(told) != ageBatch+3 {
		t.Fatalf("%+v, %d recorded, %v", done, len(told), err)
	}
	clear(told)
	if done, err := r.Age(t.Context(), now, record); err != nil || done != (Aged{}) || len(told) != 0 {
		t.Errorf("again: %+v, %v, %v", done, told, err)
	}
}
