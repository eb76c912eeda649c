package registry

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

// hour counts from noon.
func hour(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }

// What was erased after the backup is erased in what is restored, whichever way it
// was; what its owner began anew, and what was not erased, stays.
// It is long because it is one way, step by step.
func TestRestoreErasesAgain(t *testing.T) {
	r := openNew(t)
	path := r.ledger.file.Name()
	who := map[string]*sender{}
	for _, name := range []string{"stays", "by agent", "by owner", "by office", "suspended", "suspended before", "resumed", "began anew before",
		"began anew after", "gone before", "erased and began anew before"} {
		who[name] = enrol(t, r, noon)
		who[name].say(noon, declaration(camera(1, "Ingresso")))
	}
	invited := enrol(t, r, noon) // nothing declared
	act := func(name string, what protocol.SiteState, at time.Time) {
		t.Helper()
		if err := r.Act(t.Context(), who[name].site, what, at); err != nil {
			t.Fatal(err)
		}
	}
	anew := func(name string, at time.Time) {
		t.Helper()
		s := who[name]
		if _, err := r.Invite(t.Context(), Invitation{SiteID: s.site, Site: declaration().Site, CodeHash: s.code("anew"), ExpiresAt: at.Add(time.Hour), At: at}); err != nil {
			t.Fatal(err)
		}
		s.redeem("anew", at)
		s.say(at, declaration(camera(2, "Di nuovo")))
	}
	who["gone before"].say(hour(1), withdrawal())
	act("suspended before", protocol.SiteSuspended, hour(1))
	act("resumed", protocol.SiteSuspended, hour(1))
	who["began anew before"].say(hour(1), withdrawal())
	anew("began anew before", hour(2))
	if _, err := r.Erase(t.Context(), who["erased and began anew before"].site, hour(1)); err != nil {
		t.Fatal(err)
	}
	anew("erased and began anew before", hour(2))

	c := r.copies(t, backupKey(t))

	who["by agent"].say(hour(3), withdrawal())
	act("by owner", protocol.SiteWithdrawn, hour(3))
	for _, site := range []string{who["by office"].site, invited.site} {
		if _, err := r.Erase(t.Context(), site, hour(3)); err != nil {
			t.Fatal(err)
		}
	}
	act("suspended", protocol.SiteSuspended, hour(3))
	act("resumed", protocol.SiteResumed, hour(3))
	who["began anew after"].say(hour(3), withdrawal())
	anew("began anew after", hour(4))

	o := c.into(t, storeAt(t, filepath.Join(t.TempDir(), "restored.db")))
	o.Ledger = ledgerOf(t, path).Erasures
	if done := restoreInto(t, o); done.Sites != 7 {
		t.Errorf("%d sites were changed again", done.Sites)
	}
	back := openStore(t, o.Store)
	want := map[string]string{"stays": "there", "by agent": "gone", "by owner": "gone", "by office": "gone", "suspended": "suspended",
		"suspended before": "suspended", "resumed": "there", "began anew before": "there", "began anew after": "gone", "gone before": "gone", "erased and began anew before": "there"}
	for name, s := range who {
		own, err := back.Own(t.Context(), s.site)
		got := "there"
		switch {
		case err != nil:
			got = "gone"
		case !own.SuspendedAt.IsZero():
			got = "suspended"
		}
		if got != want[name] {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if acts := len(mustOwn(t, back, who["suspended before"].site).Acts); acts != 1 {
		t.Errorf("suspended %d times", acts)
	}
	sites, err := back.Sites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sites {
		if s.ID == invited.site && s.Name != "" {
			t.Errorf("the name of a site that was erased is back: %q", s.Name)
		}
	}
	if err := back.Close(); err != nil {
		t.Fatal(err)
	}
	whole := optionsOf(t, o.Store)
	whole.Ledger = path // which says all that the register knows
	openWith(t, whole)
	if n := len(ledgerOf(t, path).Erasures); n != len(o.Ledger) {
		t.Errorf("the ledger has %d lines, had %d", n, len(o.Ledger))
	}
}

func mustOwn(t *testing.T, r *Registry, site string) OwnSite {
	t.Helper()
	o, err := r.Own(t.Context(), site)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// One of two agents withdraws what it declared, and the other stays: so it is
// after a restore.
func TestRestorePartAgain(t *testing.T) {
	r := openNew(t)
	path := r.ledger.file.Name()
	one := enrol(t, r, noon)
	one.say(noon, declaration(camera(1, "Prima")))
	two := one.second(hour(2))
	d := declaration(camera(2, "Seconda"))
	d.Recorders[0].ID, d.Cameras[0].RecorderID = id(1001), id(1001)
	two.say(hour(2), d)
	c := r.copies(t, backupKey(t))
	m := one.next(hour(1), withdrawal()) // made before the second was enrolled
	if receipt, err := one.deliver(m, hour(3)); err != nil || !receipt.SiteStays {
		t.Fatal(receipt, err)
	}
	after := mustOwn(t, r, one.site)
	o := c.into(t, storeAt(t, filepath.Join(t.TempDir(), "restored.db")))
	o.Ledger = ledgerOf(t, path).Erasures
	if done := restoreInto(t, o); done.Sites != 1 {
		t.Errorf("%+v", done)
	}
	got := mustOwn(t, openStore(t, o.Store), one.site)
	if len(got.Declared) != 1 || got.Declared[0].ID != id(2) || len(after.Declared) != 1 {
		t.Errorf("%+v, before %+v", got.Declared, after.Declared)
	}
	// Into a register that knows it already: the owner's code stays.
	c = r.copies(t, backupKey(t))
	o = c.into(t, storeAt(t, filepath.Join(t.TempDir(), "again.db")))
	o.Ledger = ledgerOf(t, path).Erasures
	if done := restoreInto(t, o); done.Sites != 0 {
		t.Errorf("%+v", done)
	}
}

// Erase counts what it takes, and leaves nothing; it needs no declaration.
func TestErase(t *testing.T) {
	r := openNew(t)
	path := r.ledger.file.Name()
	s := enrol(t, r, noon)
	d := declaration(camera(1, "Ingresso"), camera(2, "Cortile"))
	d.Recorders[0].Clock = &protocol.Clock{OffsetMs: 4, At: noon}
	s.say(noon, d)
	s.say(hour(1), sees(1, hour(1), noon))
	s.queue(hour(1), protocol.SiteChange{State: protocol.SiteSuspended, At: noon})
	cert, err := r.Erase(t.Context(), s.site, hour(2))
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]int64{"cameras": 2, "recorders": 1, "versions": 4, "contacts": 1, "declarations": 1,
		"clock_samples": 1, "camera_observations": 1, "notices": 1, "unused_codes": 0} {
		if cert.Erased[kind] != want {
			t.Errorf("%s: %d, want %d", kind, cert.Erased[kind], want)
		}
	}
	if cert.SiteID != s.site || !cert.At.Equal(hour(2)) || !cert.BackupsUntil.Equal(hour(2).Add(KeysLife)) {
		t.Errorf("%+v", cert)
	}
	if _, err := r.Own(t.Context(), s.site); err == nil {
		t.Error("it is there still")
	}
	if _, err := s.deliver(s.next(hour(3), d), hour(3)); err == nil {
		t.Error("its agent declares it again")
	}
	again, err := r.Erase(t.Context(), s.site, hour(4))
	if err != nil || again.Erased["cameras"] != 0 {
		t.Error(again, err)
	}
	if _, err := r.Erase(t.Context(), "nobody", hour(4)); err == nil {
		t.Error("what is not there was erased")
	}
	if e := ledgerOf(t, path).Erasures; len(e) != 2 || e[0].What != erasedByOffice {
		t.Errorf("%+v", e)
	}
}

// The keys are of another time than the backup: what they do not open is left out,
// and its agent brings it again; all else is there.
func TestRestoreUnread(t *testing.T) {
	r := openNew(t)
	same, changed, gone := enrol(t, r, noon), enrol(t, r, noon), enrol(t, r, noon)
	for _, s := range []*sender{same, changed, gone} {
		s.say(noon, declaration(camera(1, "Ingresso"), camera(2, "Cortile")))
		s.queue(noon, protocol.SiteChange{State: protocol.SiteSuspended, At: noon})
	}
	key := backupKey(t)
	early := r.copies(t, key)
	changed.say(hour(1), declaration(camera(1, "Ingresso"))) // one goes: another data key for the rest
	gone.say(hour(1), withdrawal())
	newcomer := enrol(t, r, hour(1))
	newcomer.say(hour(1), declaration(camera(3, "Nuova")))
	newcomer.queue(hour(1), preserve(id(3)))
	late := r.copies(t, key)
	for name, c := range map[string]struct {
		copies copies
		unread int
		there  map[*sender]bool
	}{
		"keys later":   {copies{early.backup, late.keys, key, late.master}, 2, map[*sender]bool{same: true, changed: false, gone: false}},
		"keys earlier": {copies{late.backup, early.keys, key, late.master}, 2, map[*sender]bool{same: true, changed: false, newcomer: false}},
	} {
		t.Run(name, func(t *testing.T) {
			o := c.copies.into(t, storeAt(t, filepath.Join(t.TempDir(), "restored.db")))
			if done := restoreInto(t, o); done.Unread != c.unread {
				t.Errorf("%+v", done)
			}
			back := openStore(t, o.Store)
			if _, err := back.Sites(t.Context()); err != nil {
				t.Error(err)
			}
			for s, want := range c.there {
				_, err := back.Own(t.Context(), s.site)
				if (err == nil) != want {
					t.Errorf("there: %v, want %v: %v", err == nil, want, err)
				}
				again := *s
				again.r, again.revision = back, 50
				if _, _, err := back.Waiting(t.Context(), s.agent, hour(2), 0); err != nil {
					t.Error(err)
				}
				if !want && s != gone {
					again.say(hour(2), declaration(camera(1, "Di nuovo")))
					mustOwn(t, back, s.site)
				}
			}
		})
	}
}

// Organisations that the keys do not open, for they were changed or added between the two
// backups: their sites deliver, all lists are read, and the office types them anew.
func TestRestoreUnreadOrganisations(t *testing.T) {
	r := openNew(t)
	same, changed := bank(t, r, "Alfa"), bank(t, r, "Beta")
	if err := r.AddUser(t.Context(), User{ID: id(71), Name: "Luca Verdi", Role: RoleReferent, At: noon}); err != nil {
		t.Fatal(err)
	}
	joined := func(o protocol.Organisation) *sender {
		t.Helper()
		s := enrol(t, r, noon)
		s.say(noon, declaration(camera(1, "Ingresso")))
		if err := r.JoinOrganisation(t.Context(), s.site, o.ID, noon); err != nil {
			t.Fatal(err)
		}
		if err := r.Delegate(t.Context(), protocol.Delegation{ID: o.ID, OrganisationID: o.ID, UserID: id(71), Referent: "Luca Verdi",
			Powers: []protocol.Power{protocol.MayApprove}, Rule: "contratto", From: noon, Until: hour(48)}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	joined(same)
	site := joined(changed)
	key := backupKey(t)
	early := r.copies(t, key)
	after := changed
	after.Contacts = []protocol.Contact{{Name: "Nuova sala", Role: protocol.RoleControlRoom, Phone: "+39 02 5559999"}}
	if err := r.SetOrganisation(t.Context(), after, hour(1)); err != nil {
		t.Fatal(err)
	}
	added := bank(t, r, "Gamma")
	newcomer := joined(added)
	late := r.copies(t, key)
	for name, c := range map[string]struct {
		copies copies
		unread map[*sender]protocol.Organisation
	}{
		"keys later":   {copies{early.backup, late.keys, key, late.master}, map[*sender]protocol.Organisation{site: changed}},
		"keys earlier": {copies{late.backup, early.keys, key, late.master}, map[*sender]protocol.Organisation{site: changed, newcomer: added}},
	} {
		t.Run(name, func(t *testing.T) {
			o := c.copies.into(t, storeAt(t, filepath.Join(t.TempDir(), "restored.db")))
			if done := restoreInto(t, o); done.Organisations != len(c.unread) {
				t.Errorf("%+v", done)
			}
			back := openStore(t, o.Store)
			all, err := back.Organisations(t.Context())
			if err != nil || len(all) != 1+len(c.unread) {
				t.Errorf("%+v, %v", all, err)
			}
			if given, err := back.DelegatedTo(t.Context(), id(71)); err != nil || len(given) != 1 || given[0].OrganisationID != same.ID {
				t.Errorf("delegated: %+v, %v", given, err)
			}
			for s, was := range c.unread {
				left, err := back.Organisation(t.Context(), was.Name)
				if err != nil || left.ID != was.ID || left.Name != "? "+was.ID || left.Trust != was.Trust || len(left.Contacts) != 0 {
					t.Errorf("%s: %+v, %v", was.Name, left, err)
				}
				if found, err := back.lookUp(t.Context(), was.Contacts[0].Phone); err != nil || slices.Contains(found, was.ID) {
					t.Errorf("found by contacts that it has no more: %q, %v", found, err)
				}
				again := *s
				again.r, again.revision = back, 50
				d := declaration(camera(1, "Di nuovo"))
				d.Contacts = was.Contacts
				again.say(hour(2), d)
				if owners, err := back.Owners(t.Context(), []string{s.site}); err != nil || owners[s.site].ID != was.ID {
					t.Errorf("%+v, %v", owners, err)
				}
				if err := back.SetOrganisation(t.Context(), was, hour(3)); err != nil {
					t.Error(err)
				}
				again.say(hour(4), d)
				if own := mustOwn(t, back, s.site); !own.Inherited || len(own.Contacts) != 1 || own.Contacts[0].Contact != was.Contacts[0] {
					t.Errorf("typed anew: %+v", own.Contacts)
				}
			}
		})
	}
}
