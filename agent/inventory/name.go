package inventory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// errNamed: the site has been declared under its name, or every site here has one.
var errNamed = errors.New("the site has a name already")

// NameSite names a site that came without a name, by an association's code of which the
// register knows nothing more. The name may be corrected until the site is declared. With
// siteID "" it is the one site without a name. Wrong values are protocol.FieldErrors.
func (v *Inventory) NameSite(ctx context.Context, siteID string, as protocol.Site) error {
	as.Name, as.Address = line(as.Name), line(as.Address)
	if as.Category == "" {
		as.Category = "other"
	}
	if errs := v.wrongIn(protocol.Declaration{Site: as}, "site.", "place_"); len(errs) > 0 {
		return fmt.Errorf("name the site: %w", errs)
	}
	err := v.write(ctx, func(tx *sql.Tx) error {
		b := &book{}
		if err := b.loadSites(ctx, tx); err != nil {
			return err
		}
		for _, s := range b.sites {
			if siteID == "" && s.SiteName == "" {
				siteID = s.SiteID
			}
		}
		switch s := b.site(siteID); {
		case siteID == "":
			return errNamed
		case s == nil:
			return fmt.Errorf("site %q: %w", siteID, ErrUnknown)
		case s.declared != nil:
			return errNamed
		}
		_, err := tx.ExecContext(ctx, "UPDATE site SET name = ?, category = ?, address = ? WHERE id = ?", as.Name, as.Category, as.Address, siteID)
		return err
	})
	if err != nil {
		return fmt.Errorf("name the site: %w", err)
	}
	return nil
}

// wrongIn asks protocol what is wrong in the part of a declaration, the smallest that has
// it, whose fields begin with prefix: as is put in its place.
func (v *Inventory) wrongIn(d protocol.Declaration, prefix, as string) (errs protocol.FieldErrors) {
	id, now := uuid.NewString(), v.now()
	d.Approval = protocol.Approval{By: "-", Role: protocol.RoleOwner, At: now}
	err := protocol.Message{ID: id, SiteID: id, Epoch: 1, Revision: 1, MadeAt: now, Body: d}.Validate()
	all, _ := errors.AsType[protocol.FieldErrors](err)
	for _, e := range all {
		if field, ok := strings.CutPrefix(e.Field, prefix); ok {
			errs = append(errs, protocol.FieldError{Field: as + field, Why: e.Why})
		}
	}
	return errs
}
