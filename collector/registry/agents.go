package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// Agent is an enrolled agent as operations see it.
type Agent struct {
	ID                string
	Version           string // as it said when it last used a code
	EnrolledAt        time.Time
	SeenAt            time.Time // its newest message was recorded; zero: none yet
	RevokedAt         time.Time // zero: may speak
	CertificateSerial string    // hexadecimal; "" none yet
	CertificateUntil  time.Time
	Sites             []agentSite // of its open grants
}

// agentSite is an agent's part in a site.
type agentSite struct {
	ID         string
	Name       string    // as invited; "": see SiteRow
	Until      time.Time // when its grant ends by itself (a visit); zero: it does not
	DeclaredAt time.Time // made_at of its newest declaration; zero: none
	Others     int       // other agents that have a grant for the site
}

const agentColumns = `a.id, a.version, a.enrolled_at, coalesce(a.seen_at, 0), coalesce(a.revoked_at, 0), coalesce(a.certificate_serial, ''),
	coalesce(a.certificate_until, 0)`

func scanAgent(scan func(...any) error) (Agent, error) {
	var a Agent
	var enrolled, seen, revoked, until int64
	err := scan(&a.ID, &a.Version, &enrolled, &seen, &revoked, &a.CertificateSerial, &until)
	a.EnrolledAt, a.SeenAt = fromMicros(enrolled), fromMicros(seen)
	a.RevokedAt, a.CertificateUntil = fromMicros(revoked), fromMicros(until)
	return a, err
}

// agentSites and agentSitesEnd, around further conditions of a grant g, list what
// agents do for sites; the moment is ?1.
var agentSites = `SELECT o.agent_id, o.site_id, o.until_at, o.declared, o.others, s.invited, (SELECT sealed FROM data_keys k WHERE k.owner = o.site_id)
	FROM (SELECT g.agent_id, g.site_id, CASE WHEN count(*) = count(g.until_at) THEN max(g.until_at) ELSE 0 END AS until_at,
		coalesce(max(p.made_at), 0) AS declared, ` + others + ` AS others
		FROM grants g LEFT JOIN parts p ON p.site_id = g.site_id AND p.agent_id = g.agent_id
		WHERE ` + notEnded("?1")

const agentSitesEnd = ` GROUP BY g.agent_id, g.site_id) o JOIN sites s ON s.id = o.site_id ORDER BY o.agent_id, o.site_id`

func (r *Registry) scanAgentSite(scan func(...any) error) (agent string, site agentSite, err error) {
	var until, declared int64
	var invited, key []byte
	if err := scan(&agent, &site.ID, &until, &declared, &site.Others, &invited, &key); err != nil {
		return "", site, err
	}
	site.Until, site.DeclaredAt = fromMicros(until), fromMicros(declared)
	as, err := r.vault.openInvited(site.ID, key, invited)
	site.Name = as.Name
	return agent, site, err
}

// Revoke shuts an agent out from this moment on; what it declared stays.
// ingest.ErrUnknownAgent when there is none; revoking twice keeps the first
// time. Followers are notified.
func (r *Registry) Revoke(ctx context.Context, agentID string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		tx.tell(agentID)
		return updateAgent(ctx, tx, agentID, "UPDATE agents SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1", micros(at))
	})
	if err != nil {
		return fmt.Errorf("revoke agent %s: %w", agentID, err)
	}
	return nil
}

// Certified implements ingest.Register.
func (r *Registry) Certified(ctx context.Context, agentID, serial string, notAfter time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		return updateAgent(ctx, tx, agentID,
			"UPDATE agents SET certificate_serial = ?2, certificate_until = ?3 WHERE id = ?1", serial, micros(notAfter))
	})
	if err != nil {
		return fmt.Errorf("note certificate of agent %s: %w", agentID, err)
	}
	return nil
}

func updateAgent(ctx context.Context, tx *tx, agentID, query string, args ...any) error {
	done, err := tx.ExecContext(ctx, query, append([]any{agentID}, args...)...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ingest.ErrUnknownAgent)
	}
	return nil
}

// Admit implements ingest.Register.
func (r *Registry) Admit(ctx context.Context, agentID string) error {
	var revoked sql.NullInt64
	err := r.read.QueryRowContext(ctx, "SELECT revoked_at FROM agents WHERE id = ?", agentID).Scan(&revoked)
	if err := admitted(revoked, err); err != nil {
		return fmt.Errorf("admit agent %s: %w", agentID, err)
	}
	return nil
}

// admitted tells what there is against an agent whose row was read.
func admitted(revoked sql.NullInt64, err error) error {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ingest.ErrUnknownAgent
	case err != nil:
		return err
	case revoked.Valid:
		return ingest.ErrRevoked
	}
	return nil
}

// The statements with these take the moment, in microseconds, as ?1.
var (
	// others counts the other agents that may speak for the site of a grant g.
	others = `(SELECT count(DISTINCT o.agent_id) FROM grants o JOIN agents a ON a.id = o.agent_id
		WHERE o.site_id = g.site_id AND o.agent_id <> g.agent_id AND a.revoked_at IS NULL AND ` + computer + ` AND ` + notEnded("?1") + `)`
	grantColumns = "g.agent_id, g.site_id, s.category, s.body, (SELECT sealed FROM data_keys k WHERE k.owner = s.id), g.epoch, g.from_at, coalesce(g.until_at, 0), " + others
)

func (r *Registry) scanGrant(scan func(...any) error) (protocol.Grant, error) {
	var g protocol.Grant
	var body, key []byte
	var from, until int64
	if err := scan(&g.AgentID, &g.SiteID, &g.Category, &body, &key, &g.Epoch, &from, &until, &g.Others); err != nil {
		return g, err
	}
	now, err := r.vault.openSite(g.SiteID, key, body)
	g.SiteName, g.Address = now.Name, now.Address
	g.From, g.Until = fromMicros(from), fromMicros(until)
	return g, err
}

// Site implements ingest.Register.
func (r *Registry) Site(ctx context.Context, agentID, siteID string) (g protocol.Grant, revision int64, raw []byte, err error) {
	err = r.view(ctx, func(tx *tx) error {
		g, err = r.scanGrant(tx.QueryRowContext(ctx, "SELECT "+grantColumns+` FROM grants g JOIN sites s ON s.id = g.site_id
			WHERE g.agent_id = ?2 AND g.site_id = ?3 AND `+notEnded("?1")+` ORDER BY g.epoch DESC LIMIT 1`,
			micros(r.now()), agentID, siteID).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return ingest.ErrNotGranted
		}
		if err != nil {
			return err
		}
		b, err := r.vault.boxOf(ctx, tx, siteID)
		if err != nil {
			return err
		}
		parts, err := readParts(ctx, tx, b, siteID, agentID, g.Epoch, "")
		if err != nil || len(parts) == 0 {
			return err
		}
		var m protocol.Message
		m, raw, err = together(parts)
		revision = m.Revision
		return err
	})
	if err != nil {
		return protocol.Grant{}, 0, nil, fmt.Errorf("read site %s for agent %s: %w", siteID, agentID, err)
	}
	return g, revision, raw, nil
}
