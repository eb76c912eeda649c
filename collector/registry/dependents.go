package registry

import (
	"context"
	"fmt"
	"time"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// Dependents are the agents that recognise the collector by an authority which signed
// until some time.
type Dependents struct {
	Agents      int       // whose certificate it signed, good or still to be renewed
	AgentsUntil time.Time // the last of them may be renewed until then; zero: none
	Codes       int       // unused ones, given out in links that name it
	CodesUntil  time.Time // the last of them may be used until then; zero: none
}

// Dependents counts by the newest certificate that was given to each agent. One
// whose answer got lost on the way still holds the one before, and asks again as
// soon as it runs.
func (r *Registry) Dependents(ctx context.Context, signedUntil, now time.Time) (Dependents, error) {
	var d Dependents
	err := r.view(ctx, func(tx *tx) error {
		var agents, codes int64
		err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(max(certificate_until), 0) FROM agents
			WHERE revoked_at IS NULL AND certificate_until <= ? AND certificate_until >= ?`,
			micros(signedUntil.Add(ingest.CertificateLife)), micros(now.Add(-protocol.RenewAfterExpiry))).Scan(&d.Agents, &agents)
		if err != nil {
			return err
		}
		if d.Agents > 0 {
			d.AgentsUntil = fromMicros(agents).Add(protocol.RenewAfterExpiry)
		}
		err = tx.QueryRowContext(ctx, `SELECT count(*), coalesce(max(expires_at), 0) FROM codes
			WHERE used_at IS NULL AND created_at <= ? AND expires_at > ?`, micros(signedUntil), micros(now)).Scan(&d.Codes, &codes)
		d.CodesUntil = fromMicros(codes)
		return err
	})
	if err != nil {
		return Dependents{}, fmt.Errorf("count who depends on an authority: %w", err)
	}
	return d, nil
}
