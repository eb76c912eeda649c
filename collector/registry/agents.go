package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"anagrafe/collector/ingest"
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
	SiteIDs           []string // of its open grants
}

// Agents lists all agents, the newest first.
func (r *Registry) Agents(ctx context.Context) ([]Agent, error) {
	var agents []Agent
	place := make(map[string]int)
	err := r.view(ctx, func(tx *sql.Tx) error {
		err := each(ctx, tx, func(scan func(...any) error) error {
			var a Agent
			var enrolled, seen, revoked, until int64
			err := scan(&a.ID, &a.Version, &enrolled, &seen, &revoked, &a.CertificateSerial, &until)
			a.EnrolledAt, a.SeenAt = fromMicros(enrolled), fromMicros(seen)
			a.RevokedAt, a.CertificateUntil = fromMicros(revoked), fromMicros(until)
			place[a.ID] = len(agents)
			agents = append(agents, a)
			return err
		}, `SELECT id, version, enrolled_at, coalesce(seen_at, 0), coalesce(revoked_at, 0), coalesce(certificate_serial, ''),
			coalesce(certificate_until, 0) FROM agents ORDER BY enrolled_at DESC, id`)
		if err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			var agent, site string
			err := scan(&agent, &site)
			if i, ok := place[agent]; ok {
				agents[i].SiteIDs = append(agents[i].SiteIDs, site)
			}
			return err
		}, "SELECT DISTINCT agent_id, site_id FROM grants WHERE until_at IS NULL ORDER BY agent_id, site_id")
	})
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return agents, nil
}

// Revoke shuts an agent out from this moment on; what it declared stays.
// ingest.ErrUnknownAgent when there is none; revoking twice keeps the first
// time.
func (r *Registry) Revoke(ctx context.Context, agentID string, at time.Time) error {
	return r.updateAgent(ctx, "revoke agent", agentID,
		"UPDATE agents SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1", micros(at))
}

// Certified implements ingest.Register.
func (r *Registry) Certified(ctx context.Context, agentID, serial string, notAfter time.Time) error {
	return r.updateAgent(ctx, "note certificate of agent", agentID,
		"UPDATE agents SET certificate_serial = ?2, certificate_until = ?3 WHERE id = ?1", serial, micros(notAfter))
}

func (r *Registry) updateAgent(ctx context.Context, operation, agentID, query string, args ...any) error {
	err := r.update(ctx, func(ctx context.Context, tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, query, append([]any{agentID}, args...)...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ingest.ErrUnknownAgent)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", operation, agentID, err)
	}
	return nil
}

// Admit implements ingest.Register.
func (r *Registry) Admit(ctx context.Context, agentID string) error {
	if err := admitted(r.read.QueryRowContext(ctx, admission, agentID)); err != nil {
		return fmt.Errorf("admit agent %s: %w", agentID, err)
	}
	return nil
}

const admission = "SELECT revoked_at FROM agents WHERE id = ?"

func admitted(row *sql.Row) error {
	var revoked sql.NullInt64
	err := row.Scan(&revoked)
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

const grantColumns = "g.agent_id, g.site_id, s.name, s.category, s.address, g.epoch, g.from_at, coalesce(g.until_at, 0)"

func scanGrant(scan func(...any) error, more ...any) (ingest.Grant, error) {
	var g ingest.Grant
	var from, until int64
	err := scan(append([]any{&g.AgentID, &g.SiteID, &g.SiteName, &g.Category, &g.Address, &g.Epoch, &from, &until}, more...)...)
	g.From, g.Until = fromMicros(from), fromMicros(until)
	return g, err
}

// Site implements ingest.Register.
func (r *Registry) Site(ctx context.Context, agentID, siteID string) (g ingest.Grant, revision int64, raw []byte, err error) {
	g, err = scanGrant(r.read.QueryRowContext(ctx, "SELECT "+grantColumns+`, CASE WHEN s.declaration IS NULL THEN 0 ELSE s.declared_revision END,
		s.declaration FROM grants g JOIN sites s ON s.id = g.site_id
		WHERE g.agent_id = ? AND g.site_id = ? AND g.until_at IS NULL ORDER BY g.epoch DESC LIMIT 1`,
		agentID, siteID).Scan, &revision, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		err = ingest.ErrNotGranted
	}
	if err != nil {
		return ingest.Grant{}, 0, nil, fmt.Errorf("read site %s for agent %s: %w", siteID, agentID, err)
	}
	return g, revision, raw, nil
}
