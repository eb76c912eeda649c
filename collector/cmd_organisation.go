package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"anagrafe/protocol"
)

// organisationFlags are the flags that say what an organisation is.
type organisationFlags struct {
	fiscalCode, trust string
	representative    protocol.Representative
	contact           protocol.Contact
}

func (o *organisationFlags) on(f *flag.FlagSet) {
	f.StringVar(&o.fiscalCode, "fiscal-code", "", "its fiscal code or VAT number")
	f.StringVar(&o.trust, "trust", "", "how its identity was checked: spid-cie, pec, invitation, association or e-mail (at first invitation)")
	f.StringVar(&o.representative.Name, "representative", "", "who acts for it by law")
	f.StringVar(&o.representative.Capacity, "capacity", "", "in which capacity, e.g. amministratore")
	f.Func("term", "until which day, YYYY-MM-DD", theDay(&o.representative.Until))
	f.StringVar(&o.contact.Name, "contact", "", "whom to call about its sites: a person or an office")
	f.Func("role", "what they are: owner, referent or control-room (default control-room)", func(s string) error { o.contact.Role = protocol.Role(s); return nil })
	f.StringVar(&o.contact.Phone, "phone", "", "their phone")
	f.StringVar(&o.contact.Email, "email", "", "their e-mail")
	f.StringVar(&o.contact.PEC, "pec", "", "their PEC")
	f.StringVar(&o.contact.Hours, "hours", "", "when they answer, in words")
}

// theDay reads a day, which begins at midnight UTC.
func theDay(t *time.Time) func(string) error {
	return func(s string) (err error) { *t, err = time.Parse(time.DateOnly, s); return err }
}

// named returns the representative, nil where none was named.
func (o *organisationFlags) named() *protocol.Representative {
	if o.representative == (protocol.Representative{}) {
		return nil
	}
	return &o.representative
}

// contacts are those that were named; a word about one without its name is misuse.
func (o *organisationFlags) contacts() ([]protocol.Contact, error) {
	switch {
	case o.contact == protocol.Contact{}:
		return nil, nil
	case o.contact.Name == "":
		return nil, misuse("-contact NAME is missing, with -phone, -email or -pec")
	case o.contact.Role == "":
		o.contact.Role = protocol.RoleControlRoom
	}
	return []protocol.Contact{o.contact}, nil
}

// cmdOrganisationAdd adds an owner of many sites.
func cmdOrganisationAdd(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var given organisationFlags
	given.on(f)
	o := protocol.Organisation{Kind: protocol.Firm}
	f.Func("kind", "person, firm, public-body or condominium (default firm)", func(s string) error { o.Kind = protocol.OrganisationKind(s); return nil })
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	o.Name, o.FiscalCode, o.Trust, o.Representative = words[0], given.fiscalCode, protocol.TrustInvitation, given.named()
	if given.trust != "" {
		o.Trust = protocol.Trust(given.trust)
	}
	if o.Contacts, err = given.contacts(); err == nil && o.Contacts == nil {
		err = misuse("-contact NAME is missing, with -phone, -email or -pec")
	}
	if err != nil {
		return err
	}
	var answer struct {
		protocol.Organisation
		Sites     int       `json:"sites"`
		CreatedAt time.Time `json:"created_at"`
	}
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/organisations", o, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	fmt.Fprintf(c.out, "%s  %s\n", answer.ID, answer.Name)
	return nil
}

// cmdOrganisationList lists the owners of many sites.
func cmdOrganisationList(ctx context.Context, c *call, args []string) error {
	if _, err := c.parse(c.flags(), args, 0); err != nil {
		return err
	}
	var answer struct {
		Organisations []struct {
			protocol.Organisation
			Sites     int       `json:"sites"`
			CreatedAt time.Time `json:"created_at"`
		} `json:"organisations"`
	}
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodGet, "/organisations", nil, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tKIND\tFISCAL CODE\tTRUST\tSITES\tADDED")
	for _, o := range answer.Organisations {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", o.ID, o.Name, o.Kind, o.FiscalCode, o.Trust, o.Sites, day(o.CreatedAt))
	}
	return w.Flush()
}

// organisationShown is an organisation with its sites and what it has delegated,
// as the handler of /organisations/show answers it.
type organisationShown struct {
	protocol.Organisation
	Sites []struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Address string `json:"address"`
		State   string `json:"state"`
		Cameras int    `json:"cameras"`
	} `json:"sites"`
	Delegations []protocol.Delegation `json:"delegations"`
}

// cmdOrganisationShow tells all that is known of one.
func cmdOrganisationShow(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	var o organisationShown
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/organisations/show", map[string]string{"organisation": words[0]}, &o)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(o)
	}
	return o.write(c.out)
}

func (o organisationShown) write(out io.Writer) error {
	writeOrganisation(out, o.Organisation)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\nSITE\tNAME\tADDRESS\tSTATE\tCAMERAS")
	for _, s := range o.Sites {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", s.ID, s.Name, s.Address, s.State, s.Cameras)
	}
	if len(o.Delegations) == 0 {
		return w.Flush()
	}
	fmt.Fprintln(w)
	writeDelegations(w, o.Delegations)
	return w.Flush()
}

func writeOrganisation(out io.Writer, o protocol.Organisation) {
	fmt.Fprintf(out, "%s  %s\n%s, %s, identity checked by: %s\n", o.ID, o.Name, o.Kind, o.FiscalCode, o.Trust)
	if r := o.Representative; r != nil {
		fmt.Fprintf(out, "represented by %s, %s", r.Name, r.Capacity)
		if !r.Until.IsZero() {
			fmt.Fprintf(out, ", until %s", r.Until.Format(time.DateOnly))
		}
		fmt.Fprintln(out)
	}
	for _, p := range o.Contacts {
		reached := slices.DeleteFunc([]string{p.Phone, p.Email, p.PEC, p.Hours}, func(s string) bool { return s == "" })
		fmt.Fprintf(out, "contact %s (%s): %s\n", p.Name, p.Role, strings.Join(reached, ", "))
	}
}

// cmdOrganisationChange changes what is known of one, e.g. a condominium's
// administrator.
func cmdOrganisationChange(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var given organisationFlags
	given.on(f)
	var in struct {
		Organisation   string                   `json:"organisation"`
		Name           string                   `json:"name,omitempty"`
		FiscalCode     string                   `json:"fiscal_code,omitempty"`
		Trust          string                   `json:"trust,omitempty"`
		Representative *protocol.Representative `json:"representative,omitempty"`
		Contacts       []protocol.Contact       `json:"contacts,omitempty"`
	}
	f.StringVar(&in.Name, "name", "", "its new name")
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	in.Organisation, in.FiscalCode, in.Trust, in.Representative = words[0], given.fiscalCode, given.trust, given.named()
	if in.Contacts, err = given.contacts(); err != nil {
		return err
	}
	var o protocol.Organisation
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/organisations/change", in, &o)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(o)
	}
	writeOrganisation(c.out, o)
	return nil
}

// cmdOrganisationTakeIn makes a site one of an organisation's.
func cmdOrganisationTakeIn(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	in := map[string]string{}
	f.Func("site", "the id of a site that is of no organisation", into(in, "site"))
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if in["organisation"] = words[0]; in["site"] == "" {
		return misuse("-site ID is missing")
	}
	var answer map[string]string
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/organisations/take-in", in, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	fmt.Fprintf(c.out, "site %s is %s's: contacts that it has from them follow theirs from now on\n", in["site"], words[0])
	return nil
}

// cmdOwnerChange gives a site to another owner, and prints the link by which that
// one adheres.
func cmdOwnerChange(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	in := map[string]string{}
	f.Func("organisation", "whose it is from now on: an organisation's id or name", into(in, "organisation"))
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if in["site"] = words[0]; in["organisation"] == "" {
		return misuse("-organisation ID|NAME is missing")
	}
	var answer invitation
	if err := c.withCollector(ctx, func(cl client) error {
		return cl.do(ctx, http.MethodPost, "/owner", in, &answer)
	}); err != nil {
		return err
	}
	if c.json {
		return c.print(answer)
	}
	fmt.Fprintf(c.out, "site %s is suspended until %s adheres, with this link in its agent:\ncode  %s\nlink  %s\nuntil %s, once\n",
		answer.SiteID, answer.Site, answer.Code, answer.Link, answer.ExpiresAt.Local().Format(time.DateTime))
	return nil
}
