package registry

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// Invite keeps the hash of a code for a site, and makes the site if the
// invitation names none. It returns the site's id.
func (r *Registry) Invite(ctx context.Context, i Invitation) (siteID string, err error) {
	if siteID, err = r.invite(ctx, i); err != nil {
		return "", fmt.Errorf("invite site %q: %w", i.Site.Name, err)
	}
	return siteID, nil
}

func (r *Registry) invite(ctx context.Context, i Invitation) (siteID string, err error) {
	if i.SiteID == "" && i.Site.Name == "" {
		return "", errors.New("the site needs a name")
	}
	if !i.ExpiresAt.After(i.At) {
		return "", errors.New("the code would expire before it is given out")
	}
	siteID = i.SiteID
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		if siteID == "" {
			siteID = cmp.Or(i.NewID, uuid.NewString())
			_, err := tx.ExecContext(ctx, "INSERT INTO sites (id, trust, category, invited_at) VALUES (?, ?, '', ?)",
				siteID, TrustInvitation, micros(i.At))
			if err != nil {
				return err
			}
		}
		if err := r.nameSite(ctx, tx, siteID, i.Site); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO codes (hash, site_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
			i.CodeHash[:], siteID, micros(i.At), micros(i.ExpiresAt))
		return err
	})
	return siteID, err // after update, which may set it
}

// nameSite gives a site its name, category and address as invited. A withdrawn
// site has lost them; one that has a name keeps it.
func (r *Registry) nameSite(ctx context.Context, tx *tx, siteID string, as protocol.Site) error {
	var named bool
	err := tx.QueryRowContext(ctx, "SELECT body IS NOT NULL FROM sites WHERE id = ?", siteID).Scan(&named)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrUnknownSite
	case err != nil, named, as.Name == "":
		return err
	}
	b, err := r.vault.makeBox(ctx, tx, ownerSite, siteID)
	if err != nil {
		return err
	}
	body, err := encode(as)
	if err != nil {
		return err
	}
	sealed, err := b.seal(siteBody, []byte(body))
	if err != nil {
		return err
	}
	invited, err := b.seal(siteInvited, []byte(body))
	if err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, "UPDATE sites SET body = ?, invited = ?, category = ? WHERE id = ?", sealed, invited, string(as.Category), siteID); err != nil {
		return err
	}
	return r.place(ctx, tx, siteID, as.Address, nil)
}

// visitLength is how long a technician's visit may speak for a site.
const visitLength = 24 * time.Hour

// Redeem implements ingest.Register.
func (r *Registry) Redeem(ctx context.Context, d ingest.Redemption) (protocol.Grant, error) {
	var g protocol.Grant
	err := r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
		g, err = r.redeem(ctx, tx, d)
		return err
	})
	if err != nil {
		return protocol.Grant{}, fmt.Errorf("redeem enrolment code: %w", err)
	}
	return g, nil
}

func (r *Registry) redeem(ctx context.Context, tx *tx, d ingest.Redemption) (protocol.Grant, error) {
	var site string
	var user sql.NullString
	var expires int64
	var epoch sql.NullInt64
	err := tx.QueryRowContext(ctx, "SELECT site_id, expires_at, agent_id, epoch FROM codes WHERE hash = ?", d.CodeHash[:]).
		Scan(&site, &expires, &user, &epoch)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if site, expires, err = openBatchCode(ctx, tx, d.CodeHash, d.At); err != nil {
			return protocol.Grant{}, err
		}
	case err != nil:
		return protocol.Grant{}, err
	}
	var agent string
	var revoked sql.NullInt64
	err = tx.QueryRowContext(ctx, "SELECT id, revoked_at FROM agents WHERE key_hash = ?", d.KeyHash[:]).Scan(&agent, &revoked)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return protocol.Grant{}, err
	}
	known := err == nil
	switch {
	case user.Valid && (!known || user.String != agent):
		return protocol.Grant{}, ingest.ErrUsedCode
	case known && revoked.Valid:
		return protocol.Grant{}, ingest.ErrRevoked
	case user.Valid:
		return r.sameGrant(ctx, tx, site, epoch.Int64, d)
	case expires <= micros(d.At):
		return protocol.Grant{}, ingest.ErrExpiredCode
	}
	if known {
		_, err = tx.ExecContext(ctx, "UPDATE agents SET version = ? WHERE id = ?", d.AgentVersion, agent)
	} else {
		agent = d.AgentID
		_, err = tx.ExecContext(ctx, "INSERT INTO agents (id, key_hash, version, enrolled_at) VALUES (?, ?, ?, ?)",
			agent, d.KeyHash[:], d.AgentVersion, micros(d.At))
	}
	if err != nil {
		return protocol.Grant{}, err
	}
	return r.newGrant(ctx, tx, site, agent, d)
}

// noteOpened notes that somebody opened the invitation of a site, the first time.
func noteOpened(ctx context.Context, tx *tx, siteID string, at time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE sites SET opened_at = ? WHERE id = ? AND opened_at IS NULL", micros(at), siteID)
	return err
}

// sameGrant answers a code that was used with the same key before: the answer
// may have got lost, or the owner decided since that it replaces the others. A
// grant that has ended stays ended.
func (r *Registry) sameGrant(ctx context.Context, tx *tx, site string, epoch int64, d ingest.Redemption) (protocol.Grant, error) {
	g, err := r.readGrant(ctx, tx, site, epoch, d.At)
	if err != nil {
		return protocol.Grant{}, err
	}
	if ended(micros(g.From), micros(g.Until), micros(d.At)) {
		return protocol.Grant{}, ingest.ErrUsedCode
	}
	if err := r.replace(ctx, tx, g, d); err != nil {
		return protocol.Grant{}, err
	}
	return r.readGrant(ctx, tx, site, epoch, d.At)
}

// newGrant adds a grant beside those that there are, unless it replaces them.
// The same agent keeps its older grants: what it has not delivered yet was
// written under them, and (epoch, revision) keeps it in order. An epoch is the time
// in seconds, or the next number, if that is more: a register that was restored
// from a copy gives none that it gave before and forgot, or what was said under
// that one, before a withdrawal perhaps, would count under the new grant.
func (r *Registry) newGrant(ctx context.Context, tx *tx, site, agent string, d ingest.Redemption) (protocol.Grant, error) {
	at := micros(d.At)
	var until sql.NullInt64
	if d.Visit {
		until = nullMicros(d.At.Add(visitLength))
	}
	var epoch int64
	if err := tx.QueryRowContext(ctx, `UPDATE sites SET epoch = CASE WHEN epoch < ?2 THEN ?2 ELSE epoch + 1 END,
		opened_at = coalesce(opened_at, ?3), enrolled_at = coalesce(enrolled_at, ?3) WHERE id = ?1 RETURNING epoch`,
		site, d.At.Unix(), at).Scan(&epoch); err != nil {
		return protocol.Grant{}, err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO grants (site_id, epoch, agent_id, from_at, until_at) VALUES (?, ?, ?, ?, ?)",
		site, epoch, agent, at, until); err != nil {
		return protocol.Grant{}, err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE codes SET used_at = ?, agent_id = ?, epoch = ? WHERE hash = ?",
		at, agent, epoch, d.CodeHash[:]); err != nil {
		return protocol.Grant{}, err
	}
	if err := r.replace(ctx, tx, protocol.Grant{SiteID: site, AgentID: agent, Epoch: epoch}, d); err != nil {
		return protocol.Grant{}, err
	}
	return r.readGrant(ctx, tx, site, epoch, d.At)
}

func (r *Registry) readGrant(ctx context.Context, tx *tx, site string, epoch int64, at time.Time) (protocol.Grant, error) {
	return r.scanGrant(tx.QueryRowContext(ctx, "SELECT "+grantColumns+
		" FROM grants g JOIN sites s ON s.id = g.site_id WHERE g.site_id = ?2 AND g.epoch = ?3", micros(at), site, epoch).Scan)
}
