package protocol

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxDelegationSites is the most sites that one delegation may name; one that
// is for more is for all.
const maxDelegationSites = 10_000

// OrganisationKind is what kind of owner adheres.
type OrganisationKind string

const (
	Person      OrganisationKind = "person"
	Firm        OrganisationKind = "firm"
	PublicBody  OrganisationKind = "public-body"
	Condominium OrganisationKind = "condominium"
)

// Trust says how an owner's identity was checked, the surest first; it is shown
// wherever it matters.
type Trust string

const (
	TrustSPID        Trust = "spid-cie"    // signed in with SPID or CIE
	TrustPEC         Trust = "pec"         // answered from the PEC address that INI-PEC has of it
	TrustInvitation  Trust = "invitation"  // a code given by the municipality
	TrustAssociation Trust = "association" // a code handed out by an association
	TrustEmail       Trust = "e-mail"      // an address that answered, no more

	// What was dictated to the municipality's office, and confirmed by the bearer of a code of
	// a letter, by the mobile phone or by the e-mail address that was dictated with it.
	TrustDictatedLetter Trust = "dictated-letter"
	TrustDictatedSMS    Trust = "dictated-sms"
	TrustDictatedEmail  Trust = "dictated-e-mail"
)

// AddressOnly reports whether the owner is known only by a self-declared address or number
// that answered.
func (t Trust) AddressOnly() bool {
	return t == TrustEmail || t == TrustDictatedEmail || t == TrustDictatedSMS
}

// Organisation is the owner that adheres. Its contacts are those of each of its sites that
// has none of its own.
type Organisation struct {
	ID             string           `json:"id"` // UUID made by the collector
	Kind           OrganisationKind `json:"kind"`
	Name           string           `json:"name"`
	FiscalCode     string           `json:"fiscal_code,omitempty"` // or VAT number; a condominium has one of its own
	Trust          Trust            `json:"trust"`
	Representative *Representative  `json:"representative,omitempty"` // nil: none named; a person speaks for itself
	Contacts       []Contact        `json:"contacts"`
}

// Representative is the legal representative of an organisation.
type Representative struct {
	Name     string    `json:"name"`
	Capacity string    `json:"capacity"`       // in words: "amministratore di condominio", "legale rappresentante"
	Until    time.Time `json:"until,omitzero"` // end of term; zero: without a term
}

// InTerm reports whether the representative is in office at t.
func (r Representative) InTerm(t time.Time) bool { return r.Until.IsZero() || t.Before(r.Until) }

// Power is one thing that a referent may do for an owner.
type Power string

const (
	MayPrepare Power = "prepare" // enter and correct what the owner then approves
	MayApprove Power = "approve" // approve in the owner's place: every approval carries the referent's name
	MayAnswer  Power = "answer"  // answer notices
)

// Delegation is what an owner lets a technical referent do.
type Delegation struct {
	ID             string    `json:"id"` // UUID made by the collector
	OrganisationID string    `json:"organisation_id"`
	UserID         string    `json:"user_id"`  // the referent's account
	Referent       string    `json:"referent"` // their name, as approvals will carry it
	Powers         []Power   `json:"powers"`
	Sites          []string  `json:"sites,omitempty"` // ids; none: every site of the organisation, those to come too
	Rule           string    `json:"rule"`            // by which act, in words: "contratto di manutenzione 12/2026"
	From           time.Time `json:"from"`
	Until          time.Time `json:"until"` // every delegation ends
	RevokedAt      time.Time `json:"revoked_at,omitzero"`
}

// Allows reports whether the delegation lets its referent use a power for a site at t.
func (d Delegation) Allows(p Power, siteID string, t time.Time) bool {
	return d.InForce(t) && slices.Contains(d.Powers, p) && d.Covers(siteID)
}

// InForce reports whether the delegation holds at t.
func (d Delegation) InForce(t time.Time) bool {
	return !t.Before(d.From) && t.Before(d.Until) && (d.RevokedAt.IsZero() || t.Before(d.RevokedAt))
}

// Covers reports whether the delegation is for a site, which is its organisation's.
func (d Delegation) Covers(siteID string) bool {
	return len(d.Sites) == 0 || slices.Contains(d.Sites, siteID)
}

// Validate checks every field; the error is FieldErrors. The fiscal code is
// expected as FiscalCode gives it.
func (o Organisation) Validate() error {
	return collect(func(c checker) {
		c.id("id", o.ID)
		known(c, "kind", o.Kind, Person, Firm, PublicBody, Condominium)
		known(c, "trust", o.Trust, TrustSPID, TrustPEC, TrustInvitation, TrustAssociation, TrustEmail)
		c.required("name", o.Name, maxName)
		c.fiscalCode(o)
		if r := o.Representative; r != nil {
			in := c.in("representative")
			in.required("name", r.Name, maxName)
			in.required("capacity", r.Capacity, maxName)
			in.optionalTime("until", r.Until)
		} else if o.Kind == Condominium {
			c.add("representative", "is missing: a condominium acts through its administrator")
		}
		if len(o.Contacts) == 0 {
			c.add("contacts", "are missing: sites without contacts of their own have those of their organisation")
		}
		c.few("contacts", len(o.Contacts), maxContacts)
		for i, p := range o.Contacts[:min(len(o.Contacts), maxContacts)] {
			c.at("contacts", i).contact(p)
		}
	})
}

// fiscalCode holds each kind to the code that the law gives it: a person has one
// of 16 characters (and, in trade, a VAT number), all others one of 11 digits. A
// person's may be left out, for little is asked of who shares one camera.
func (c checker) fiscalCode(o Organisation) {
	if o.FiscalCode == "" {
		if o.Kind != Person {
			c.add("fiscal_code", "is missing: 11 digits, as on the organisation's letters")
		}
		return
	}
	switch normal, err := FiscalCode(o.FiscalCode); {
	case err != nil:
		c.add("fiscal_code", "%v", err)
	case normal != o.FiscalCode:
		c.add("fiscal_code", "must be written without spaces, in capitals")
	case len(normal) == personCodeLength && (o.Kind == Condominium || o.Kind == PublicBody):
		c.add("fiscal_code", "is a person's: a condominium or public body has one of 11 digits of its own")
	}
}

// Validate checks every field; the error is FieldErrors.
func (d Delegation) Validate() error {
	return collect(func(c checker) {
		c.id("id", d.ID)
		c.id("organisation_id", d.OrganisationID)
		c.id("user_id", d.UserID)
		c.required("referent", d.Referent, maxName)
		if len(d.Powers) == 0 {
			c.add("powers", "are missing: prepare, approve or answer")
		}
		for i, p := range d.Powers {
			at := fmt.Sprintf("powers[%d]", i)
			known(c, at, p, MayPrepare, MayApprove, MayAnswer)
			if slices.Contains(d.Powers[:i], p) {
				c.add(at, "occurs twice")
			}
		}
		c.few("sites", len(d.Sites), maxDelegationSites)
		for i, id := range d.Sites[:min(len(d.Sites), maxDelegationSites)] {
			c.id(fmt.Sprintf("sites[%d]", i), id)
		}
		c.required("rule", d.Rule, maxLine)
		c.time("from", d.From)
		c.time("until", d.Until)
		if !d.From.Before(d.Until) {
			c.add("until", "must be after from")
		}
		c.optionalTime("revoked_at", d.RevokedAt)
	})
}

// collect runs checks and gives what they found.
func collect(check func(c checker)) error {
	var errs FieldErrors
	check(checker{&errs, ""})
	if len(errs) > 0 {
		return errs
	}
	return nil
}

// SameName gives equal text to names that differ only in case and spaces.
func SameName(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }
