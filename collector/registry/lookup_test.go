package registry

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"anagrafe/protocol"
)

func TestLookupNormal(t *testing.T) {
	for _, c := range []struct{ text, phone, address string }{
		{"+39 02 1234567", "+39021234567", ""},
		{"0039-02-1234567", "+39021234567", ""},
		{"02/12.34.567", "+39021234567", ""},
		{"(02) 1234567", "+39021234567", ""},
		{"tel. 02 1234567 int. 5", "+39021234567", ""},
		{"333\u00a01234567", "+393331234567", ""},
		{"+41 91 123 45 67", "+41911234567", ""},
		{"112", "+39112", ""},
		{"12", "", ""},
		{"1234567890123456", "", ""},
		{"solo la mattina", "", ""},
		{"", "", ""},
		{" Anna.Rossi@Example.ORG ", "", "anna.rossi@example.org"},
		{"anna@", "", ""},
		{"@example.org", "", ""},
		{"anna rossi@example.org", "", ""},
	} {
		if got := normalPhone(c.text); got != c.phone {
			t.Errorf("%q is the number %q, want %q", c.text, got, c.phone)
		}
		if got := normalAddress(c.text); got != c.address {
			t.Errorf("%q is the address %q, want %q", c.text, got, c.address)
		}
	}
}

func TestLookupHash(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, leastKey), bytes.Repeat([]byte{2}, leastKey)
	one, ok := lookupHash(key, "02 1234567")
	if same, _ := lookupHash(key, "+39 021234567"); !ok || one != same {
		t.Error("the same number has two hashes")
	}
	if another, _ := lookupHash(key, "02 1234568"); one == another {
		t.Error("two numbers have one hash")
	}
	if keyed, _ := lookupHash(other, "02 1234567"); one == keyed {
		t.Error("the hash does not depend on the key")
	}
	if _, ok := lookupHash(key, "Anna"); ok {
		t.Error("a name has a hash")
	}
	hashes := lookupHashes(key, []protocol.Contact{
		{Name: "Anna", Phone: "02 1234567", Email: "Anna@example.org"}, {Name: "Ufficio", Phone: "+39021234567", PEC: "pec@example.org"}, {Name: "Nessuno"}})
	if len(hashes) != 3 || !hashes[one] {
		t.Errorf("%d hashes, want 3", len(hashes))
	}
}

// What is normal stays as it is, so that both sides of a look-up agree.
func FuzzLookup(f *testing.F) {
	for _, seed := range []string{"+39 02 1234567", "0039021", "a@B", "tel +", "00", "++39 5", "0 0 3 9 1 2 3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p := normalPhone(text); p != "" && normalPhone(p) != p {
			t.Errorf("%q is %q, and that is %q", text, p, normalPhone(p))
		}
		if a := normalAddress(text); a != "" && normalAddress(a) != a {
			t.Errorf("%q is %q, and that is %q", text, a, normalAddress(a))
		}
	})
}

// lookUp returns the ids of the sites and organisations that have a contact with
// this phone number, e-mail address or PEC, in whatever way it is written.
func (r *Registry) lookUp(ctx context.Context, text string) (owners []string, err error) {
	hash, ok := lookupHash(r.vault.lookup, text)
	if !ok {
		return nil, nil
	}
	err = r.view(ctx, func(tx *tx) (err error) {
		owners, err = textsOf(ctx, tx, "SELECT owner FROM lookups WHERE hash = ? ORDER BY owner", hash[:])
		return err
	})
	return owners, err
}

// A contact is found as long as it is one, in whatever way it is written.
func TestLookUp(t *testing.T) {
	r := openNew(t)
	a, b := enrol(t, r, noon), enrol(t, r, noon)
	finds := func(text string, want ...string) {
		t.Helper()
		slices.Sort(want)
		if got, err := r.lookUp(t.Context(), text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q finds %v, %v, want %v", text, got, err, want)
		}
	}
	d := declaration()
	d.Contacts = []protocol.Contact{{Name: "Anna", Role: protocol.RoleOwner, Phone: "+39 02 1234567", Email: "anna@example.org"}}
	a.say(noon, d)
	b.say(noon, d)
	finds("02/1234567", a.site, b.site)
	finds("Anna@Example.org", a.site, b.site)
	finds("Anna")
	d.Contacts[0].Phone = "+39 02 7654321"
	a.say(noon.Add(time.Hour), d)
	finds("02 1234567", b.site)
	finds("02 7654321", a.site)
	b.say(noon.Add(time.Hour), withdrawal())
	finds("02 1234567")
}
