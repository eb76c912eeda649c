package registry

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// bank is an organisation with one contact.
func bank(t testing.TB, r *Registry, name string) protocol.Organisation {
	t.Helper()
	o := protocol.Organisation{ID: uuid.NewString(), Kind: protocol.Firm, Name: name, FiscalCode: "01199250158", Trust: protocol.TrustPEC,
		Representative: &protocol.Representative{Name: "Dora " + name, Capacity: "legale rappresentante"},
		Contacts:       []protocol.Contact{{Name: "Sala " + name, Role: protocol.RoleControlRoom, Phone: "+39 02 5550000"}}}
	if err := r.AddOrganisation(context.Background(), o, noon); err != nil {
		t.Fatal(err)
	}
	return o
}

func (s *sender) contacts() []protocol.Contact {
	s.t.Helper()
	all, err := s.r.Contacts(s.t.Context(), []string{s.site})
	if err != nil {
		s.t.Fatal(err)
	}
	return plainContacts(all[s.site])
}

func TestOrganisations(t *testing.T) {
	r := openNew(t)
	b := bank(t, r, "Banca Alfa")
	a := bank(t, r, "assicurazioni Zeta")
	for _, by := range []string{b.ID, "Banca Alfa", "  banca   ALFA "} {
		if got, err := r.Organisation(t.Context(), by); err != nil || got.ID != b.ID || got.Contacts[0] != b.Contacts[0] {
			t.Errorf("%q: %+v, %v", by, got, err)
		}
	}
	if _, err := r.Organisation(t.Context(), "Banca"); !errors.Is(err, ErrUnknownOrganisation) {
		t.Error(err)
	}
	twin := b
	twin.ID, twin.Name = uuid.NewString(), "BANCA alfa"
	if err := r.AddOrganisation(t.Context(), twin, noon); !errors.Is(err, ErrOrganisationName) {
		t.Error(err)
	}
	twin.FiscalCode = "1"
	if _, ok := errors.AsType[protocol.FieldErrors](r.AddOrganisation(t.Context(), twin, noon)); !ok {
		t.Error("a wrong fiscal code was taken")
	}
	b.Name = "Banca Beta"
	if err := r.SetOrganisation(t.Context(), b, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Organisation(t.Context(), "Banca Alfa"); !errors.Is(err, ErrUnknownOrganisation) {
		t.Errorf("the old name: %v", err)
	}
	all, err := r.Organisations(t.Context())
	if err != nil || len(all) != 2 || all[0].ID != a.ID || all[1].Name != "Banca Beta" {
		t.Errorf("%+v, %v", all, err)
	}
	twin.ID = uuid.NewString()
	twin.FiscalCode = b.FiscalCode
	if err := r.SetOrganisation(t.Context(), twin, noon); !errors.Is(err, ErrUnknownOrganisation) {
		t.Error(err)
	}
}

// A site's contacts are its own where it has some, else its organisation's as
// they are now; those of before are nowhere any more, nor are they given to who
// takes the entry over.
func TestInheritedContacts(t *testing.T) {
	r := openNew(t)
	o := bank(t, r, "Banca Alfa")
	s := enrol(t, r, noon)
	own := declaration(camera(1, "Ingresso"))
	s.say(noon, own)
	if err := r.JoinOrganisation(t.Context(), s.site, o.ID, noon); err != nil {
		t.Fatal(err)
	}
	if got := s.contacts(); len(got) != 1 || got[0] != own.Contacts[0] {
		t.Errorf("its own: %+v", got)
	}
	inherits := own
	inherits.Contacts = o.Contacts
	s.say(noon.Add(time.Hour), inherits)
	if n := counted(t, r, "SELECT count(*) FROM contacts"); n != 0 {
		t.Errorf("%d contacts of its own", n)
	}
	o.Representative = &protocol.Representative{Name: "Nuova", Capacity: "amministratrice"}
	o.Contacts = []protocol.Contact{{Name: "Nuova sala", Role: protocol.RoleControlRoom, Phone: "+39 02 5559999"}}
	if err := r.SetOrganisation(t.Context(), o, noon.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := s.contacts(); len(got) != 1 || got[0] != o.Contacts[0] {
		t.Errorf("after the change: %+v", got)
	}
	if got, err := r.Own(t.Context(), s.site); err != nil || !got.Inherited || got.Contacts[0].Contact != o.Contacts[0] {
		t.Errorf("for its owner: %+v, %v", got, err)
	}
	_, _, raw, err := r.Site(t.Context(), s.agent, s.site)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := protocol.Decode(raw); err != nil || !slices.Equal(m.Body.(protocol.Declaration).Contacts, o.Contacts) {
		t.Errorf("for who takes over: %+v, %v", m.Body, err)
	}
	if sites, err := r.Sites(t.Context()); err != nil || sites[0].Trust != string(protocol.TrustPEC) {
		t.Errorf("%+v, %v", sites, err)
	}
	s.say(noon.Add(3*time.Hour), withdrawal())
	if got := s.contacts(); len(got) != 0 {
		t.Errorf("of a withdrawn site: %+v", got)
	}
	// Who adheres after a withdrawal may be somebody else.
	if n := counted(t, r, "SELECT count(*) FROM sites WHERE organisation_id IS NOT NULL"); n != 0 {
		t.Error("a withdrawn site is still the organisation's")
	}
	// What a site declared as its own before it joins is inherited where the organisation
	// says the same.
	same := enrol(t, r, noon)
	inherits.Contacts = o.Contacts
	same.say(noon, inherits)
	if err := r.JoinOrganisation(t.Context(), same.site, o.ID, noon); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Own(t.Context(), same.site); err != nil || !got.Inherited {
		t.Errorf("of a site that said the same: %+v, %v", got, err)
	}
	silent := enrol(t, r, noon) // nothing is declared of it
	if err := r.JoinOrganisation(t.Context(), silent.site, o.ID, noon); err != nil {
		t.Fatal(err)
	}
	if got := silent.contacts(); len(got) != 0 {
		t.Errorf("of a site that declared nothing: %+v", got)
	}
	if err := r.JoinOrganisation(t.Context(), id(9), o.ID, noon); !errors.Is(err, ErrUnknownSite) {
		t.Error(err)
	}
}

func counted(t *testing.T, r *Registry, query string) (n int) {
	t.Helper()
	if err := r.read.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A change of owner hides the site until the new one declares it, and shuts the
// former out.
func TestChangeOwner(t *testing.T) {
	r := openNew(t)
	alfa, beta := bank(t, r, "Alfa"), bank(t, r, "Beta")
	beta.Contacts[0].Phone = "+39 02 5551111"
	if err := r.SetOrganisation(t.Context(), beta, noon); err != nil {
		t.Fatal(err)
	}
	s := enrol(t, r, noon)
	d := declaration(camera(1, "Ingresso"))
	code := s.say(noon, d).OwnerCode
	if err := r.JoinOrganisation(t.Context(), s.site, alfa.ID, noon); err != nil {
		t.Fatal(err)
	}
	if err := r.JoinOrganisation(t.Context(), s.site, beta.ID, noon); !errors.Is(err, ErrOtherOrganisation) {
		t.Error(err)
	}
	at := noon.Add(time.Hour)
	if err := r.ChangeOwner(t.Context(), s.site, beta.ID, at); err != nil {
		t.Fatal(err)
	}
	if h := s.history(); !h.Suspended || h.Withdrawn || !equal(names(h), []string{"Ingresso"}) {
		t.Errorf("%+v", h)
	}
	if got := s.contacts(); len(got) != 0 {
		t.Errorf("of a suspended site: %+v", got)
	}
	if own, err := r.Own(t.Context(), s.site); err != nil || len(own.Contacts) != 1 || own.Contacts[0].Contact != beta.Contacts[0] {
		t.Errorf("%+v, %v", own.Contacts, err)
	}
	if opens(t, r, code) != "" {
		t.Error("the former owner's code opens the site")
	}
	if _, err := s.deliver(s.next(at, d), at); !errors.Is(err, ingest.ErrNotGranted) {
		t.Errorf("the former owner's agent: %v", err)
	}
	if told, _, err := r.Waiting(t.Context(), s.agent, at, 0); err != nil || len(told) != 1 {
		t.Errorf("told %+v, %v", told, err)
	}

	// The new owner's agent finds the entry with its own contacts, and its first
	// declaration takes the place of all that was.
	n := &sender{t: t, r: r, agent: uuid.NewString(), key: [32]byte{7}, site: s.site}
	if _, err := r.Invite(t.Context(), Invitation{SiteID: s.site, CodeHash: n.code("new"), ExpiresAt: at.Add(time.Hour), At: at}); err != nil {
		t.Fatal(err)
	}
	n.redeem("new", at)
	_, _, raw, err := r.Site(t.Context(), n.agent, n.site)
	if err != nil {
		t.Fatal(err)
	}
	m, err := protocol.Decode(raw)
	if err != nil || !slices.Equal(m.Body.(protocol.Declaration).Contacts, beta.Contacts) {
		t.Fatalf("%+v, %v", m.Body, err)
	}
	if !n.history().Suspended {
		t.Error("enrolling alone lifted the suspension")
	}
	next := declaration(camera(2, "Nuova")) // on another recorder: nothing of the former's is hidden by it
	next.Recorders[0].ID, next.Cameras[0].RecorderID = id(recorderNumber+1), id(recorderNumber+1)
	n.say(at.Add(time.Minute), next)
	if h := n.history(); h.Suspended || !equal(names(h), []string{"Nuova"}) {
		t.Errorf("after the new owner's declaration: %v %v", h.Suspended, names(h))
	}
	// What its owner suspends from then on, a declaration does not lift.
	n.act(protocol.SiteSuspended, at.Add(2*time.Minute))
	n.say(at.Add(3*time.Minute), next)
	if !n.history().Suspended {
		t.Error("a declaration lifted the owner's suspension")
	}
	if err := r.ChangeOwner(t.Context(), s.site, beta.ID, at); !errors.Is(err, ErrSameOrganisation) {
		t.Error(err)
	}
	if err := r.ChangeOwner(t.Context(), id(9), beta.ID, at); !errors.Is(err, ErrUnknownSite) {
		t.Error(err)
	}
	if err := r.ChangeOwner(t.Context(), s.site, id(9), at); !errors.Is(err, ErrUnknownOrganisation) {
		t.Error(err)
	}
}

// What the former owner's contacts and an organisation's former contacts were
// sealed with is destroyed: no copy of them opens.
func TestFormerContactsAreGone(t *testing.T) {
	r := openNew(t)
	alfa, beta := bank(t, r, "Alfa"), bank(t, r, "Beta")
	s := enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "Ingresso")))
	if err := r.JoinOrganisation(t.Context(), s.site, alfa.ID, noon); err != nil {
		t.Fatal(err)
	}
	key := func(owner string) (sealed []byte) {
		t.Helper()
		if err := r.read.QueryRowContext(t.Context(), "SELECT sealed FROM data_keys WHERE owner = ?", owner).Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	site, organisation := key(s.site), key(alfa.ID)
	if err := r.ChangeOwner(t.Context(), s.site, beta.ID, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	alfa.Contacts[0].Name = "Altra"
	if err := r.SetOrganisation(t.Context(), alfa, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(key(s.site), site) || slices.Equal(key(alfa.ID), organisation) {
		t.Error("the data key of before stands")
	}
	if found, err := r.lookUp(t.Context(), declaration().Contacts[0].Phone); err != nil || len(found) != 0 {
		t.Errorf("the former contact is found: %q, %v", found, err)
	}
	if found, err := r.lookUp(t.Context(), "02 555 0000"); err != nil || len(found) != 2 {
		t.Errorf("the organisations' phone is found: %q, %v", found, err)
	}
}

func TestDelegations(t *testing.T) {
	r := openNew(t)
	o, other := bank(t, r, "Alfa"), bank(t, r, "Beta")
	s, elsewhere := enrol(t, r, noon), enrol(t, r, noon)
	s.say(noon, declaration(camera(1, "a")))
	elsewhere.say(noon, declaration(camera(2, "b")))
	for site, org := range map[string]string{s.site: o.ID, elsewhere.site: other.ID} {
		if err := r.JoinOrganisation(t.Context(), site, org, noon); err != nil {
			t.Fatal(err)
		}
	}
	referent := User{ID: uuid.NewString(), Name: "Luca Verdi", Role: RoleReferent, At: noon}
	ops := User{ID: uuid.NewString(), Name: "Ufficio", Role: RoleOps, At: noon}
	for _, u := range []User{referent, ops} {
		if err := r.AddUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	d := protocol.Delegation{ID: uuid.NewString(), OrganisationID: o.ID, UserID: referent.ID, Referent: referent.Name, Powers: []protocol.Power{protocol.MayApprove},
		Sites: []string{s.site}, Rule: "contratto 12", From: noon, Until: noon.Add(48 * time.Hour)}
	for name, c := range map[string]struct {
		change func(d *protocol.Delegation)
		want   error
	}{
		"an operator":        {func(d *protocol.Delegation) { d.UserID = ops.ID }, ErrNoReferent},
		"another one's site": {func(d *protocol.Delegation) { d.Sites = []string{elsewhere.site} }, ErrUnknownSite},
		"no site":            {func(d *protocol.Delegation) { d.Sites = []string{id(9)} }, ErrUnknownSite},
		"no organisation":    {func(d *protocol.Delegation) { d.OrganisationID = id(9) }, ErrUnknownOrganisation},
	} {
		wrong := d
		c.change(&wrong)
		if err := r.Delegate(t.Context(), wrong); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.Delegate(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	may := func(site string, p protocol.Power, at time.Time) bool {
		got, ok, err := r.MayAct(t.Context(), referent.ID, site, p, at)
		if err != nil || ok && got.Rule != d.Rule {
			t.Errorf("%+v, %v", got, err)
		}
		return ok
	}
	if !may(s.site, protocol.MayApprove, noon) || may(s.site, protocol.MayAnswer, noon) || may(elsewhere.site, protocol.MayApprove, noon) || may(s.site, protocol.MayApprove, d.Until) {
		t.Error("more or less than was delegated")
	}
	if err := r.RevokeDelegation(t.Context(), d.ID, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := r.RevokeDelegation(t.Context(), d.ID, noon.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := r.RevokeDelegation(t.Context(), id(9), noon); !errors.Is(err, ErrUnknownDelegation) {
		t.Error(err)
	}
	all, err := r.Delegations(t.Context(), o.ID)
	if err != nil || len(all) != 1 || !all[0].RevokedAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v, %v", all, err)
	}
	if may(s.site, protocol.MayApprove, noon.Add(time.Hour)) {
		t.Error("a revoked delegation holds")
	}
	d.ID, d.Sites = uuid.NewString(), nil
	if err := r.Delegate(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if !may(s.site, protocol.MayApprove, noon) {
		t.Error("one for all sites is not for this one")
	}
	if err := r.ChangeOwner(t.Context(), s.site, other.ID, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if may(s.site, protocol.MayApprove, noon.Add(time.Hour)) {
		t.Error("the former owner's delegation holds")
	}
}

// With another representative the former one's code opens nothing any more, and
// the site's next receipt brings the new one; any other change leaves it.
func TestAnotherRepresentative(t *testing.T) {
	r := openNew(t)
	o := bank(t, r, "Alfa")
	s := enrol(t, r, noon)
	d := declaration(camera(1, "a"))
	code := s.say(noon, d).OwnerCode
	if err := r.JoinOrganisation(t.Context(), s.site, o.ID, noon); err != nil {
		t.Fatal(err)
	}
	if err := r.AddOwnerSession(t.Context(), [32]byte{1}, s.site, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	o.Representative = &protocol.Representative{Name: " dora  ALFA", Capacity: "amministratrice delegata"}
	o.Contacts = []protocol.Contact{{Name: "Altra sala", Role: protocol.RoleControlRoom, Phone: "112"}}
	if err := r.SetOrganisation(t.Context(), o, noon); err != nil {
		t.Fatal(err)
	}
	if opens(t, r, code) != s.site {
		t.Error("the same representative's code opens nothing")
	}
	o.Representative = &protocol.Representative{Name: "Ugo Neri", Capacity: "amministratore"}
	if err := r.SetOrganisation(t.Context(), o, noon); err != nil {
		t.Fatal(err)
	}
	if opens(t, r, code) != "" {
		t.Error("the former representative's code opens the site")
	}
	if _, ok, err := r.OwnerSession(t.Context(), [32]byte{1}, noon); ok || err != nil {
		t.Errorf("the former representative's session goes on: %v", err)
	}
	if next := s.say(noon.Add(time.Hour), d).OwnerCode; next == code || opens(t, r, next) != s.site {
		t.Error("the next receipt brings no code")
	}
}

func TestSiteDelegations(t *testing.T) {
	r := openNew(t)
	o, other := bank(t, r, "Alfa"), bank(t, r, "Beta")
	here, there := enrol(t, r, noon), enrol(t, r, noon)
	here.say(noon, declaration(camera(1, "a")))
	there.say(noon, declaration(camera(2, "b")))
	for _, site := range []string{here.site, there.site} {
		if err := r.JoinOrganisation(t.Context(), site, o.ID, noon); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.AddUser(t.Context(), User{ID: id(71), Name: "Luca Verdi", Role: RoleReferent, At: noon}); err != nil {
		t.Fatal(err)
	}
	until := noon.Add(48 * time.Hour)
	give := func(n int, until time.Time, sites ...string) string {
		t.Helper()
		d := protocol.Delegation{ID: id(n), OrganisationID: o.ID, UserID: id(71), Referent: "Luca Verdi", Powers: []protocol.Power{protocol.MayApprove},
			Sites: sites, Rule: "contratto", From: noon, Until: until}
		if err := r.Delegate(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		return d.ID
	}
	all, mine, both := give(80, until.Add(3)), give(81, until.Add(2), here.site), give(82, until.Add(1), there.site, here.site)
	give(83, until, there.site)
	give(84, noon.Add(time.Hour), here.site)
	at := noon.Add(time.Hour)
	type seen struct {
		id     string
		others int
	}
	check := func(want ...seen) {
		t.Helper()
		var got []seen
		found, err := r.SiteDelegations(t.Context(), here.site, at)
		for _, d := range found {
			got = append(got, seen{d.ID, d.Others})
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
	check(seen{all, 1}, seen{mine, 0}, seen{both, 1})
	for _, c := range []struct {
		site, id string
		want     error
	}{
		{here.site, all, ErrWiderDelegation}, {here.site, both, ErrWiderDelegation}, {there.site, mine, ErrUnknownDelegation},
		{here.site, id(84), ErrUnknownDelegation}, {here.site, id(9), ErrUnknownDelegation}, {id(9), mine, ErrUnknownSite}, {here.site, mine, nil},
		{here.site, mine, ErrUnknownDelegation},
	} {
		if err := r.RevokeSiteDelegation(t.Context(), c.site, c.id, at); !errors.Is(err, c.want) {
			t.Errorf("revoke %s for %s: %v", c.id, c.site, err)
		}
	}
	check(seen{all, 1}, seen{both, 1})
	// Where the other site has another owner, what was for both is for this one alone.
	if err := r.ChangeOwner(t.Context(), there.site, other.ID, at); err != nil {
		t.Fatal(err)
	}
	check(seen{all, 0}, seen{both, 0})
	if theirs, err := r.OrganisationSites(t.Context(), o.ID); err != nil || len(theirs) != 1 || theirs[0].ID != here.site || theirs[0].Name != "Farmacia Centrale" {
		t.Errorf("%+v, %v", theirs, err)
	}
}
