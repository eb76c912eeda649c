package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"anagrafe/protocol"
)

// ErrUnknownDelegation is returned for the id of no delegation.
var ErrUnknownDelegation = errors.New("delegation not known")

// ErrNoReferent is returned for a delegation to a user who cannot be a referent.
var ErrNoReferent = errors.New("a delegation is for a referent's account that is not revoked")

// ErrWiderDelegation is returned when the delegation covers other sites too, for which
// this site's owner cannot decide.
var ErrWiderDelegation = errors.New("the delegation is for other sites too")

// Delegate keeps a delegation. The error is protocol.FieldErrors,
// ErrUnknownOrganisation, ErrNoReferent, or ErrUnknownSite for a site that is
// not the organisation's.
func (r *Registry) Delegate(ctx context.Context, d protocol.Delegation) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error { return r.delegate(ctx, tx, d) })
	if err != nil {
		return fmt.Errorf("delegate for organisation %s: %w", d.OrganisationID, err)
	}
	return nil
}

func (r *Registry) delegate(ctx context.Context, tx *tx, d protocol.Delegation) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if _, err := r.organisation(ctx, tx, d.OrganisationID); err != nil {
		return err
	}
	var referent bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM users WHERE id = ? AND role = ? AND revoked_at IS NULL)", d.UserID, RoleReferent).Scan(&referent); err != nil {
		return err
	}
	if !referent {
		return ErrNoReferent
	}
	for _, site := range d.Sites {
		if id, err := organisationOf(ctx, tx, site); err != nil || id != d.OrganisationID {
			return errors.Join(err, ErrUnknownSite)
		}
	}
	body, err := r.sealDelegation(ctx, tx, d)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO delegations (id, organisation_id, user_id, until_at, revoked_at, body) VALUES (?, ?, ?, ?, ?, ?)",
		d.ID, d.OrganisationID, d.UserID, micros(d.Until), nullMicros(d.RevokedAt), body)
	return err
}

// RevokeDelegation ends a delegation; one that is revoked keeps the first time.
func (r *Registry) RevokeDelegation(ctx context.Context, id string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error { return revokeDelegation(ctx, tx, id, at) })
	if err != nil {
		return fmt.Errorf("revoke delegation %s: %w", id, err)
	}
	return nil
}

func revokeDelegation(ctx context.Context, tx *tx, id string, at time.Time) error {
	done, err := tx.ExecContext(ctx, "UPDATE delegations SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", micros(at), id)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrUnknownDelegation)
	}
	return nil
}

// SiteDelegation is a delegation as the owner of one site sees it.
type SiteDelegation struct {
	protocol.Delegation
	Others int // sites besides this one that it is for now
}

// SiteDelegations lists what the owner of a site has delegated for it and still
// holds at a moment, the latest end first.
func (r *Registry) SiteDelegations(ctx context.Context, siteID string, at time.Time) (all []SiteDelegation, err error) {
	err = r.view(ctx, func(tx *tx) error {
		all, err = r.siteDelegations(ctx, tx, siteID, at)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the delegations for site %s: %w", siteID, err)
	}
	return all, nil
}

func (r *Registry) siteDelegations(ctx context.Context, tx *tx, siteID string, at time.Time) (all []SiteDelegation, err error) {
	owner, err := organisationOf(ctx, tx, siteID)
	if err != nil || owner == "" {
		return nil, err
	}
	given, err := r.readDelegations(ctx, tx, "organisation_id", owner)
	if err != nil {
		return nil, err
	}
	sites, err := sitesOf(ctx, tx, owner)
	if err != nil {
		return nil, err
	}
	for _, d := range given {
		if !d.RevokedAt.IsZero() || !at.Before(d.Until) || !d.Covers(siteID) {
			continue
		}
		one := SiteDelegation{Delegation: d}
		for _, id := range sites {
			if id != siteID && d.Covers(id) {
				one.Others++
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// RevokeSiteDelegation ends, for the owner's code of a site, a delegation for this site
// alone. ErrUnknownDelegation when none of the
// site's has this id, ErrWiderDelegation, or ErrUnknownSite.
func (r *Registry) RevokeSiteDelegation(ctx context.Context, siteID, id string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		all, err := r.siteDelegations(ctx, tx, siteID, at)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(d SiteDelegation) bool { return d.ID == id })
		switch {
		case i < 0:
			return ErrUnknownDelegation
		case all[i].Others > 0:
			return ErrWiderDelegation
		}
		return revokeDelegation(ctx, tx, id, at)
	})
	if err != nil {
		return fmt.Errorf("revoke delegation %s for site %s: %w", id, siteID, err)
	}
	return nil
}

// Delegations lists what an organisation has delegated, the latest end first.
func (r *Registry) Delegations(ctx context.Context, organisationID string) ([]protocol.Delegation, error) {
	return r.delegations(ctx, "organisation_id", organisationID)
}

// DelegatedTo lists what a referent was delegated, the latest end first.
func (r *Registry) DelegatedTo(ctx context.Context, userID string) ([]protocol.Delegation, error) {
	return r.delegations(ctx, "user_id", userID)
}

func (r *Registry) delegations(ctx context.Context, column, of string) (all []protocol.Delegation, err error) {
	err = r.view(ctx, func(tx *tx) error {
		all, err = r.readDelegations(ctx, tx, column, of)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list delegations: %w", err)
	}
	return all, nil
}

func (r *Registry) readDelegations(ctx context.Context, tx *tx, column, of string) (all []protocol.Delegation, err error) {
	err = each(ctx, tx, func(scan func(...any) error) error {
		var id, organisation string
		var revoked int64
		var key, body []byte
		if err := scan(&id, &organisation, &revoked, &key, &body); err != nil {
			return err
		}
		d, err := r.openDelegation(id, organisation, key, body)
		d.RevokedAt = fromMicros(revoked)
		all = append(all, d)
		return err
	}, "SELECT id, organisation_id, coalesce(revoked_at, 0), (SELECT sealed FROM data_keys k WHERE k.owner = organisation_id), body FROM delegations WHERE "+column+" = ? ORDER BY until_at DESC, id", of)
	return all, err
}

// MayAct returns the delegation by which a referent may use a power for a site at a
// moment; false: by none. One for a site that has gone to another organisation
// gives nothing any more.
func (r *Registry) MayAct(ctx context.Context, userID, siteID string, p protocol.Power, at time.Time) (protocol.Delegation, bool, error) {
	var owner string
	err := r.view(ctx, func(tx *tx) (err error) {
		owner, err = organisationOf(ctx, tx, siteID)
		return err
	})
	if err != nil {
		return protocol.Delegation{}, false, fmt.Errorf("whose is site %s: %w", siteID, err)
	}
	all, err := r.DelegatedTo(ctx, userID)
	if err != nil || owner == "" {
		return protocol.Delegation{}, false, err
	}
	for _, d := range all {
		if d.OrganisationID == owner && d.Allows(p, siteID, at) {
			return d, true, nil
		}
	}
	return protocol.Delegation{}, false, nil
}

// sealDelegation and openDelegation are the one place where the body of a
// delegation is written and read.
func (r *Registry) sealDelegation(ctx context.Context, tx *tx, d protocol.Delegation) ([]byte, error) {
	b, err := r.vault.makeBox(ctx, tx, ownerOrganisation, d.OrganisationID)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("a delegation cannot be stored: %w", err)
	}
	return b.seal(delegationBody(d.ID), body)
}

func (r *Registry) openDelegation(id, organisation string, key, body []byte) (protocol.Delegation, error) {
	b, err := r.vault.box(organisation, key)
	if err != nil {
		return protocol.Delegation{}, err
	}
	d, err := openBody[protocol.Delegation](b, delegationBody(id), body)
	if err == nil && d.ID != id {
		err = errors.New("a stored delegation is damaged: it is another one")
	}
	return d, err
}
