package registry

import (
	"context"
	"fmt"

	"anagrafe/protocol"
)

// Shared counts the sites of a municipio, a neighbourhood and a category that share
// cameras now, and these. Suspended sites, and those without a camera, do not.
type Shared struct {
	Municipio, NIL string // "" outside all, or not known
	Category       protocol.Category
	Sites, Cameras int
}

// SharedCounts counts all that share. It reads no body.
func (r *Registry) SharedCounts(ctx context.Context) (all []Shared, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var s Shared
			err := scan(&s.Municipio, &s.NIL, &s.Category, &s.Sites, &s.Cameras)
			all = append(all, s)
			return err
		}, `SELECT s.municipio, s.nil, s.category, count(*), CAST(sum(c.n) AS BIGINT) FROM sites s
			JOIN (SELECT site_id, count(*) AS n FROM versions WHERE `+declaredCamera+` GROUP BY site_id) c ON c.site_id = s.id
			WHERE s.declared_at IS NOT NULL AND s.suspended_at IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`)
	})
	if err != nil {
		return nil, fmt.Errorf("count who shares: %w", err)
	}
	return all, nil
}
