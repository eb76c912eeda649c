package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// A site belongs to one organisation at most. Its contacts are its own where a
// declaration names others than the organisation's; else they are read from the
// organisation each time, so that a change there is one everywhere.

// JoinOrganisation makes a site one of an organisation's. ErrUnknownSite,
// ErrUnknownOrganisation, or ErrOtherOrganisation.
func (r *Registry) JoinOrganisation(ctx context.Context, siteID, organisationID string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		o, err := r.organisation(ctx, tx, organisationID)
		if err != nil {
			return err
		}
		former, err := organisationOf(ctx, tx, siteID)
		switch {
		case err != nil:
			return err
		case former != "" && former != organisationID:
			return ErrOtherOrganisation
		}
		if _, err := tx.ExecContext(ctx, "UPDATE sites SET organisation_id = ?, trust = ? WHERE id = ?", o.ID, string(o.Trust), siteID); err != nil {
			return err
		}
		// Contacts that the organisation has too are inherited from now on.
		w := write{r: r, tx: tx, m: protocol.Message{SiteID: siteID, MadeAt: exact(at)}, at: exact(at), origin: byOrganisation}
		own, err := w.contacts(ctx)
		if err != nil {
			return err
		}
		if own, err = w.ownContacts(ctx, own); err != nil {
			return err
		}
		if err := w.putContacts(ctx, own); err != nil {
			return err
		}
		if len(own) == 0 { // they are the organisation's own word now
			if err := w.dropIntroductions(ctx, nil); err != nil {
				return err
			}
		}
		return errors.Join(w.finish(ctx), changed(ctx, tx, siteID))
	})
	if err != nil {
		return fmt.Errorf("site %s joins organisation %s: %w", siteID, organisationID, err)
	}
	return nil
}

// ChangeOwner gives a declared site to another organisation: it is suspended
// until that one declares it, by an agent enrolled from now on. The former owner's
// contacts go, the grants of its agents end, its code for the site opens nothing
// any more, and no file of the former owner's changes the site or makes it anew.
// ErrUnknownSite, ErrUnknownOrganisation, or ErrSameOrganisation.
func (r *Registry) ChangeOwner(ctx context.Context, siteID, organisationID string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		return r.changeOwner(ctx, tx, siteID, organisationID, exact(at))
	})
	if err != nil {
		return fmt.Errorf("site %s goes to organisation %s: %w", siteID, organisationID, err)
	}
	return nil
}

func (r *Registry) changeOwner(ctx context.Context, tx *tx, siteID, organisationID string, at time.Time) error {
	o, err := r.organisation(ctx, tx, organisationID)
	if err != nil {
		return err
	}
	former, err := organisationOf(ctx, tx, siteID)
	if err != nil {
		return err
	}
	if former == organisationID {
		return ErrSameOrganisation
	}
	var declared bool
	if err := tx.QueryRowContext(ctx, "SELECT declared_at IS NOT NULL FROM sites WHERE id = ?", siteID).Scan(&declared); err != nil {
		return err
	}
	if !declared {
		return ErrUnknownSite
	}
	w := write{r: r, tx: tx, m: protocol.Message{SiteID: siteID, MadeAt: at}, at: at, origin: Origin{Author: authorOps, Reason: reasonSuspended}}
	if _, err := w.act(ctx); err != nil {
		return err
	}
	if err := w.exec(ctx, "UPDATE acts SET name = NULL WHERE site_id = ? AND name IS NOT NULL", siteID); err != nil { // the former owner's
		return err
	}
	if err := w.exec(ctx, "UPDATE grants SET until_at = ?1 WHERE site_id = ?2 AND "+notEnded("?1"), micros(at), siteID); err != nil {
		return err
	}
	if err := w.exec(ctx, "DELETE FROM codes WHERE site_id = ? AND used_at IS NULL", siteID); err != nil {
		return err
	}
	if err := w.endOwnerCode(ctx); err != nil {
		return err
	}
	if err := w.forgetKeys(ctx); err != nil {
		return err
	}
	if err := w.exec(ctx, "UPDATE sites SET organisation_id = ?, trust = ?, suspended_at = coalesce(suspended_at, ?3), suspended_until = NULL, owner_changed_at = ?3 WHERE id = ?4",
		o.ID, string(o.Trust), micros(at), siteID); err != nil {
		return err
	}
	// A declaration without contacts is none: those of the new owner stand in it,
	// who says yes to the rest.
	if err := w.replaceContacts(ctx, o.Contacts, func([]protocol.Contact) bool { return true }); err != nil {
		return err
	}
	if err := errors.Join(w.putContacts(ctx, nil), w.dropIntroductions(ctx, nil)); err != nil {
		return err
	}
	w.erases = true
	if err := errors.Join(w.finish(ctx), changed(ctx, tx, siteID)); err != nil {
		return err
	}
	return r.queueNotice(ctx, tx, protocol.Notice{ID: uuid.NewString(), SiteID: siteID, At: at, Body: protocol.SiteChange{State: protocol.SiteWithdrawn, At: at}})
}

// adhered lifts the suspension by a change of owner: whose agent declares now was
// enrolled after it.
func (w *write) adhered(ctx context.Context) error {
	if !w.newOwner {
		return nil
	}
	if err := w.exec(ctx, "UPDATE sites SET suspended_at = NULL, owner_changed_at = NULL WHERE id = ?", w.m.SiteID); err != nil {
		return err
	}
	resumed := *w // an act of its own beside the declaration
	resumed.number, resumed.origin.Reason = 0, reasonResumed
	_, err := resumed.act(ctx)
	return err
}

// organisationOf is the organisation of a site; "" none.
func organisationOf(ctx context.Context, tx *tx, siteID string) (id string, err error) {
	err = tx.QueryRowContext(ctx, "SELECT coalesce(organisation_id, '') FROM sites WHERE id = ?", siteID).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrUnknownSite
	}
	return id, err
}

// sitesOf are the declared sites of an organisation.
func sitesOf(ctx context.Context, tx *tx, organisationID string) (ids []string, err error) {
	err = each(ctx, tx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT id FROM sites WHERE organisation_id = ? AND declared_at IS NOT NULL ORDER BY id", organisationID)
	return ids, err
}

// organisationContacts are those that a declared site inherits.
func (r *Registry) organisationContacts(ctx context.Context, tx *tx, siteID string) ([]protocol.Contact, error) {
	var id string
	err := tx.QueryRowContext(ctx, "SELECT organisation_id FROM sites WHERE id = ? AND organisation_id IS NOT NULL AND declared_at IS NOT NULL", siteID).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o, err := r.organisation(ctx, tx, id)
	return o.Contacts, err
}

// ownContacts are those of a declaration that the site does not inherit: none,
// where it says what its organisation says.
func (w *write) ownContacts(ctx context.Context, declared []protocol.Contact) ([]protocol.Contact, error) {
	id, err := organisationOf(ctx, w.tx, w.m.SiteID)
	if err != nil || id == "" {
		return declared, err
	}
	o, err := w.r.organisation(ctx, w.tx, id)
	if err != nil || slices.Equal(o.Contacts, declared) {
		return nil, err
	}
	return declared, nil
}

// replaceContacts puts contacts into the site's parts in the place of those that
// match: else an agent that takes the entry over would be given them, and bring
// them back.
func (w *write) replaceContacts(ctx context.Context, contacts []protocol.Contact, match func([]protocol.Contact) bool) error {
	parts, err := w.parts(ctx, 0, "")
	if err != nil {
		return err
	}
	for _, p := range parts {
		d := p.declaration()
		if !match(d.Contacts) {
			continue
		}
		d.Contacts = contacts
		p.message.Body = d
		raw, err := protocol.Encode(p.message)
		if err != nil {
			return err
		}
		sealed, err := w.seal(ctx, partBody(p.agentID), string(raw))
		if err != nil {
			return err
		}
		w.erases = true
		if err := w.exec(ctx, "UPDATE parts SET declaration = ? WHERE site_id = ? AND agent_id = ?", sealed, w.m.SiteID, p.agentID); err != nil {
			return err
		}
	}
	return nil
}

// OrganisationSites lists the declared sites of an organisation.
func (r *Registry) OrganisationSites(ctx context.Context, organisationID string) (all []SiteSummary, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			s, err := r.scanSite(scan)
			all = append(all, s)
			return err
		}, "SELECT "+siteColumns+" FROM sites s WHERE s.organisation_id = ?2 AND s.declared_at IS NOT NULL ORDER BY s.id", micros(r.now()), organisationID)
	})
	if err != nil {
		return nil, fmt.Errorf("list the sites of organisation %s: %w", organisationID, err)
	}
	return all, nil
}
