package protocol

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestFiscalCode(t *testing.T) {
	for _, c := range []struct {
		in, want string
		err      error
	}{
		// The examples that the Agenzia delle Entrate and textbooks print.
		{"RSSMRA80A01H501U", "RSSMRA80A01H501U", nil},
		{"rssmra80a01 h501u", "RSSMRA80A01H501U", nil},
		{"RSSMRA80A01H501V", "", errFiscalCodeCheck},
		{"RSSMRB80A01H501U", "", errFiscalCodeCheck},
		{"RSSMRA80A01H50MM", "RSSMRA80A01H50MM", nil}, // omocodia: M stands for 1, and the check character moves by its 18
		{"RSSMRA80A01H50MU", "", errFiscalCodeCheck},
		{"RSSMRA80F01H501U", "", errFiscalCodeForm}, // F is no month
		{"RSSMRA80A01H501", "", errFiscalCodeForm},
		{"00743110157", "00743110157", nil},
		{"IT 007.431.101-57", "00743110157", nil},
		{"01199250158", "01199250158", nil}, // Comune di Milano
		{"01199250159", "", errFiscalCodeCheck},
		{"01199250185", "", errFiscalCodeCheck}, // two digits changed places
		{"00000000000", "", errFiscalCodeCheck},
		{"0119925015", "", errFiscalCodeForm},
		{"", "", errFiscalCodeForm},
		{"١١٩٩٢٥٠١٥٨١", "", errFiscalCodeForm},
	} {
		got, err := FiscalCode(c.in)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q: %q, %v; want %q, %v", c.in, got, err, c.want, c.err)
		}
	}
}

func condominium() Organisation {
	return Organisation{ID: "7d2f7f0e-2f0b-4d6c-9a2e-0c4f6b1f3a11", Kind: Condominium, Name: "Condominio di via Torino 1", FiscalCode: "01199250158",
		Trust: TrustInvitation, Representative: &Representative{Name: "Anna Bianchi", Capacity: "amministratrice", Until: utc("2027-06-30T00:00:00Z")},
		Contacts: []Contact{{Name: "Studio Bianchi", Role: RoleOwner, Phone: "+39 02 1234567"}}}
}

func TestValidateOrganisation(t *testing.T) {
	for _, c := range []struct {
		change func(o *Organisation)
		want   string
	}{
		{func(o *Organisation) {}, ""},
		{func(o *Organisation) { o.ID = "x" }, "id"},
		{func(o *Organisation) { o.Kind = "club" }, "kind"},
		{func(o *Organisation) { o.Trust = "" }, "trust"},
		{func(o *Organisation) { o.Name = " " }, "name"},
		{func(o *Organisation) { o.FiscalCode = "" }, "fiscal_code"},
		{func(o *Organisation) { o.FiscalCode = "01199250159" }, "fiscal_code"},
		{func(o *Organisation) { o.FiscalCode = "011 9925 0158" }, "fiscal_code"},
		{func(o *Organisation) { o.FiscalCode = "RSSMRA80A01H501U" }, "fiscal_code"},
		{func(o *Organisation) { o.Kind, o.FiscalCode = PublicBody, "RSSMRA80A01H501U" }, "fiscal_code"},
		{func(o *Organisation) { o.Kind, o.FiscalCode = Firm, "RSSMRA80A01H501U" }, ""}, // a sole trader
		{func(o *Organisation) { o.Kind, o.FiscalCode, o.Representative = Person, "", nil }, ""},
		{func(o *Organisation) { o.Representative = nil }, "representative"},
		{func(o *Organisation) { o.Kind, o.Representative = Firm, nil }, ""},
		{func(o *Organisation) { o.Representative.Name, o.Representative.Capacity = "", "" }, "representative.name representative.capacity"},
		{func(o *Organisation) { o.Representative.Until = utc("1999-01-01T00:00:00Z") }, "representative.until"},
		{func(o *Organisation) { o.Contacts = nil }, "contacts"},
		{func(o *Organisation) { o.Contacts[0].Phone = "" }, "contacts[0].phone"},
		{func(o *Organisation) { o.Contacts = make([]Contact, 40); fill(&o.Contacts, 40) }, "contacts"},
	} {
		o := condominium()
		c.change(&o)
		err := o.Validate()
		if got := strings.Join(fieldsOf(err), " "); !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") || (err == nil) != (c.want == "") {
			t.Errorf("fields %q, want %q: %v", got, c.want, err)
		}
	}
}

func TestRepresentativeInTerm(t *testing.T) {
	end := utc("2027-06-30T00:00:00Z")
	for _, c := range []struct {
		until, at time.Time
		want      bool
	}{
		{time.Time{}, end, true}, {end, end.Add(-time.Second), true}, {end, end, false},
	} {
		if got := (Representative{Until: c.until}).InTerm(c.at); got != c.want {
			t.Errorf("until %v at %v: %v", c.until, c.at, got)
		}
	}
}

func delegation() Delegation {
	return Delegation{ID: "7d2f7f0e-2f0b-4d6c-9a2e-0c4f6b1f3a12", OrganisationID: "7d2f7f0e-2f0b-4d6c-9a2e-0c4f6b1f3a11", UserID: "7d2f7f0e-2f0b-4d6c-9a2e-0c4f6b1f3a13",
		Referent: "Luca Verdi", Powers: []Power{MayPrepare, MayAnswer}, Rule: "contratto 12/2026", From: utc("2026-01-01T00:00:00Z"), Until: utc("2027-01-01T00:00:00Z")}
}

func TestValidateDelegation(t *testing.T) {
	for _, c := range []struct {
		change func(d *Delegation)
		want   string
	}{
		{func(d *Delegation) {}, ""},
		{func(d *Delegation) { d.ID, d.OrganisationID, d.UserID = "", "", "" }, "id organisation_id user_id"},
		{func(d *Delegation) { d.Referent, d.Rule = "", "" }, "referent rule"},
		{func(d *Delegation) { d.Powers = nil }, "powers"},
		{func(d *Delegation) { d.Powers = []Power{"own"} }, "powers[0]"},
		{func(d *Delegation) { d.Powers = []Power{MayApprove, MayApprove} }, "powers[1]"},
		{func(d *Delegation) { d.Sites = []string{"via Torino"} }, "sites[0]"},
		{func(d *Delegation) { d.Until = d.From }, "until"},
		{func(d *Delegation) { d.Until = time.Time{} }, "until until"},
		{func(d *Delegation) { d.RevokedAt = utc("1999-01-01T00:00:00Z") }, "revoked_at"},
	} {
		d := delegation()
		c.change(&d)
		if got := strings.Join(fieldsOf(d.Validate()), " "); got != c.want {
			t.Errorf("fields %q, want %q", got, c.want)
		}
	}
}

func TestDelegationAllows(t *testing.T) {
	within := utc("2026-06-01T00:00:00Z")
	for _, c := range []struct {
		name   string
		change func(d *Delegation)
		power  Power
		at     time.Time
		want   bool
	}{
		{"in force", func(d *Delegation) {}, MayPrepare, within, true},
		{"from its first moment", func(d *Delegation) {}, MayPrepare, delegation().From, true},
		{"before", func(d *Delegation) {}, MayPrepare, delegation().From.Add(-1), false},
		{"at its end", func(d *Delegation) {}, MayPrepare, delegation().Until, false},
		{"another power", func(d *Delegation) {}, MayApprove, within, false},
		{"for this site", func(d *Delegation) { d.Sites = []string{"other", "site"} }, MayAnswer, within, true},
		{"for others", func(d *Delegation) { d.Sites = []string{"other"} }, MayAnswer, within, false},
		{"revoked", func(d *Delegation) { d.RevokedAt = within }, MayAnswer, within, false},
		{"revoked later", func(d *Delegation) { d.RevokedAt = within.Add(1) }, MayAnswer, within, true},
	} {
		d := delegation()
		c.change(&d)
		if got := d.Allows(c.power, "site", c.at); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func FuzzFiscalCode(f *testing.F) {
	for _, s := range []string{"RSSMRA80A01H501U", "IT01199250158", "", "ß"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		code, err := FiscalCode(s)
		if err != nil {
			return
		}
		if again, err := FiscalCode(code); err != nil || again != code {
			t.Errorf("%q became %q, and that %q, %v", s, code, again, err)
		}
	})
}
