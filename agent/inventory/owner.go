package inventory

import (
	"context"
	"database/sql"
	"fmt"

	"anagrafe/protocol"
)

// OwnerAccess is where the owner of a site suspends or withdraws it from any
// browser, also when this computer is dead, and the code that is typed there.
type OwnerAccess struct {
	SiteID, SiteName string
	Link             string
	Code             protocol.Code
	Leaving          bool // its withdrawal waits to be sent: the register still shows it
}

// OwnerAccess returns it for each site of which a receipt has brought it, in the
// order of Grants.
func (v *Inventory) OwnerAccess(ctx context.Context) (all []OwnerAccess, err error) {
	err = v.read(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, `SELECT id, name, owner_link, owner_code, coalesce((SELECT kind = 'withdrawal' AND state = 'waiting'
			FROM message m WHERE m.site_id = site.id AND kind IN ('declaration', 'withdrawal') ORDER BY seq DESC LIMIT 1), 0) FROM site WHERE owner_code IS NOT NULL ORDER BY granted, id`,
			func(rows *sql.Rows) error {
				var a OwnerAccess
				var sealed []byte
				if err := rows.Scan(&a.SiteID, &a.SiteName, &a.Link, &sealed, &a.Leaving); err != nil {
					return err
				}
				var err error
				if a.Code, err = v.secrets.openCode(a.SiteID, sealed); err != nil {
					v.log.Warn("an owner's code cannot be shown", "site", a.SiteID, "err", err)
					return nil
				}
				all = append(all, a)
				return nil
			})
	})
	if err != nil {
		return nil, fmt.Errorf("look up where the owner acts from a browser: %w", err)
	}
	return all, nil
}

// keepAccess keeps the newest link and code. A withdrawal ends them when it is
// recorded, not before: until then they are how the site is taken out without
// this computer.
func (v *Inventory) keepAccess(ctx context.Context, tx *sql.Tx, siteID, kind string, r protocol.Receipt) (err error) {
	switch {
	case kind == "withdrawal":
		_, err = tx.ExecContext(ctx, `UPDATE site SET owner_link = '', owner_code = NULL WHERE id = ?`, siteID)
	case r.OwnerCode != (protocol.Code{}):
		_, err = tx.ExecContext(ctx, `UPDATE site SET owner_link = ?, owner_code = ? WHERE id = ?`,
			r.OwnerLink, v.secrets.sealCode(siteID, r.OwnerCode), siteID)
	}
	return err
}
