package registry

import (
	"strings"
	"testing"
	"time"

	"anagrafe/protocol"
)

// naming is a declaration that Anna approved, with contacts besides her own.
func naming(others ...protocol.Contact) protocol.Declaration {
	d := declaration(camera(1, "Ingresso"))
	d.Contacts = append([]protocol.Contact{{Name: "ANNA ", Role: protocol.RoleOwner, Email: "anna@example.it"}}, others...)
	return d
}

func referent(name, email string) protocol.Contact {
	return protocol.Contact{Name: name, Role: protocol.RoleReferent, Phone: "+39 02 7654321", Email: email}
}

// one takes the only message that is due, which is for an address, and sends it.
func (l *letters) one(address string) Mail {
	l.t.Helper()
	due := l.due()
	if len(due) != 1 || due[0].Address != address {
		l.t.Fatalf("due: %+v, want one to %s", due, address)
	}
	l.sent(due[0])
	return due[0]
}

// unconfirmed names the contacts of a site that are not confirmed.
func (l *letters) unconfirmed(s *sender) (names []string) {
	l.t.Helper()
	all, err := l.r.Contacts(l.t.Context(), []string{s.site})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, c := range all[s.site] {
		if c.Unconfirmed {
			names = append(names, c.Name)
		}
	}
	return names
}

// asked names the sites and contacts that a token opens.
func (l *letters) asked(token string) (names []string) {
	l.t.Helper()
	all, err := l.r.Introductions(l.t.Context(), token)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, a := range all {
		for _, c := range a.Contacts {
			names = append(names, a.Site.Name+": "+c.Name)
		}
	}
	return names
}

func (l *letters) accept(token string, at ...*sender) bool {
	l.t.Helper()
	var sites []string
	for _, s := range at {
		sites = append(sites, s.site)
	}
	ok, err := l.r.AcceptContact(l.t.Context(), token, sites, l.now)
	if err != nil {
		l.t.Fatal(err)
	}
	return ok
}

// Whom somebody else named is told once, and is unconfirmed until they accept.
func TestNamedContact(t *testing.T) {
	l := newLetters(t)
	s := enrol(t, l.r, noon)
	d := naming(referent("Luca Verdi", "Luca@example.it"), protocol.Contact{Name: "Ugo", Role: protocol.RoleControlRoom, Phone: "112"})
	s.say(noon, d)
	l.now = noon.Add(time.Minute)
	m := l.one("Luca@example.it")
	if len(m.Token) < 26 || !equal(l.unconfirmed(s), []string{"Luca Verdi"}) || !equal(l.asked(m.Token), []string{"Farmacia Centrale: Luca Verdi"}) {
		t.Errorf("token %q, unconfirmed %q, asked %q", m.Token, l.unconfirmed(s), l.asked(m.Token))
	}
	s.say(noon.Add(2*time.Minute), d) // again is nothing new
	l.now = noon.Add(time.Hour)
	l.want("declared again")
	l.queue(s) // a reminder brings the link again, to who has not accepted
	for _, again := range l.due() {
		if want := map[string]string{"Luca@example.it": m.Token, "anna@example.it": ""}[again.Address]; again.Token != want {
			t.Errorf("to %s with %q, want %q", again.Address, again.Token, want)
		}
		l.sent(again)
	}
	for _, wrong := range []string{"", "x", m.Token + "x", strings.ToUpper(m.Token)} {
		if got := l.asked(wrong); got != nil || l.accept(wrong, s) {
			t.Errorf("%q opens %q", wrong, got)
		}
	}
	if !l.accept(m.Token, s) || l.unconfirmed(s) != nil {
		t.Errorf("accepted, and unconfirmed: %q", l.unconfirmed(s))
	}
	if l.asked(m.Token) != nil || l.accept(m.Token, s) {
		t.Error("the link opens twice")
	}
	l.now = noon.Add(2 * time.Hour)
	l.queue(s)
	for _, m := range l.due() {
		if m.Token != "" {
			t.Errorf("to %s after they accepted", m.Address)
		}
	}
	if n := counted(t, l.r, "SELECT count(*) FROM introductions"); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// Who is a contact no more has nothing to accept; named again, they are asked again.
func TestNamedNoMore(t *testing.T) {
	l := newLetters(t)
	s := enrol(t, l.r, noon)
	luca := referent("Luca Verdi", "luca@example.it")
	s.say(noon, naming(luca))
	l.now = noon.Add(time.Minute)
	first := l.one("luca@example.it").Token
	s.say(noon.Add(time.Minute), naming())
	if l.asked(first) != nil || l.accept(first, s) {
		t.Error("the link of a former contact opens something")
	}
	s.say(noon.Add(time.Hour), naming(luca))
	l.now = noon.Add(2 * time.Hour)
	second := l.one("luca@example.it").Token
	if second == first || !l.accept(second, s) {
		t.Error("named again, they cannot accept by a new link")
	}
	// Who approves a declaration has named themselves.
	own := naming(luca)
	own.Approval.By = "luca verdi"
	s.say(noon.Add(3*time.Hour), own)
	if got := l.unconfirmed(s); !equal(got, []string{"ANNA "}) {
		t.Errorf("unconfirmed: %q", got)
	}
	s.say(noon.Add(4*time.Hour), withdrawal())
	if n := counted(t, l.r, "SELECT count(*) FROM introductions"); n != 0 {
		t.Errorf("of a withdrawn site %d rows stay", n)
	}
}

// One address at two sites gets one message, and accepts both at once; one that names
// it after they were read is not accepted with them.
func TestNamedAtTwoSites(t *testing.T) {
	l := newLetters(t)
	luca := referent("Luca Verdi", "luca@example.it")
	a, b := enrol(t, l.r, noon), enrol(t, l.r, noon)
	a.say(noon, naming(luca))
	other := naming(referent("Studio Verdi", "LUCA@example.it"))
	other.Site.Name = "Bar"
	b.say(noon.Add(time.Second), other)
	l.now = noon.Add(time.Minute)
	due := l.due()
	if len(due) != 1 {
		t.Fatalf("%+v", due)
	}
	if got := l.asked(due[0].Token); !equal(got, []string{"Farmacia Centrale: Luca Verdi", "Bar: Studio Verdi"}) {
		t.Errorf("%q", got)
	}
	third := enrol(t, l.r, noon)
	third.say(noon.Add(2*time.Second), naming(luca))
	if !l.accept(due[0].Token, a, b) || l.unconfirmed(a) != nil || l.unconfirmed(b) != nil || !equal(l.unconfirmed(third), []string{"Luca Verdi"}) {
		t.Errorf("%q, %q, and of the third %q", l.unconfirmed(a), l.unconfirmed(b), l.unconfirmed(third))
	}
	// A link that was used opens nothing any more.
	if l.asked(due[0].Token) != nil || l.accept(due[0].Token, third) || !equal(l.unconfirmed(third), []string{"Luca Verdi"}) {
		t.Error("a link that was used accepts for another site")
	}
	// With another owner nothing of the former's contacts stays.
	o := bank(t, l.r, "Alfa")
	if err := l.r.ChangeOwner(t.Context(), a.site, o.ID, l.now); err != nil {
		t.Fatal(err)
	}
	if n := counted(t, l.r, "SELECT count(*) FROM introductions"); n != 2 {
		t.Errorf("%d rows", n)
	}
}
