package inventory

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// AddGrant keeps the collector's leave to speak for a site: of two, the one that
// was given later. That may be the one of the lower epoch: a collector that was
// restored from a backup has forgotten some, and counts on from there if its clock
// was set back, too. So revisions go on in every epoch: one may come twice. It
// opens a site that was withdrawn; one that its owner suspended stays so, as in
// the register.
func (v *Inventory) AddGrant(ctx context.Context, g protocol.Grant, collector string) error {
	if _, err := uuid.Parse(g.SiteID); err != nil || g.Epoch < 1 {
		return fmt.Errorf("keep the grant: the collector gave site %q, epoch %d, which is none", line(g.SiteID), g.Epoch)
	}
	err := v.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO site (id, name, category, address, epoch, granted, until, collector, agent, others, revision, observed)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)
			ON CONFLICT (id) DO UPDATE SET name = iif(excluded.name = '', name, excluded.name),
			category = iif(excluded.name = '', category, excluded.category), address = iif(excluded.name = '', address, excluded.address),
			state = iif(excluded.granted > granted AND state = 'withdrawn', '', state),
			former = iif(agent IN ('', excluded.agent), former, json_insert(former, '$[#]', agent)),
			epoch = excluded.epoch, granted = excluded.granted, until = excluded.until, collector = excluded.collector,
			agent = excluded.agent, others = excluded.others
			WHERE excluded.granted >= granted`,
			g.SiteID, g.SiteName, g.Category, g.Address, g.Epoch, micros(g.From), micros(g.Until), collector, g.AgentID, g.Others)
		if err != nil {
			return err
		}
		return v.repeatReplies(ctx, tx, g.SiteID)
	})
	if err != nil {
		return fmt.Errorf("keep the grant: %w", err)
	}
	v.signal() // what waited for it
	return nil
}

// SpokeAs returns the agent ids by which this computer has spoken for a site, the
// oldest first and the present one last; none for a site that is not known here.
func (v *Inventory) SpokeAs(ctx context.Context, siteID string) (agentIDs []string, err error) {
	err = v.read(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, `SELECT iif(agent = '', former, json_insert(former, '$[#]', agent)) FROM site WHERE id = ?`, func(rows *sql.Rows) error {
			return rows.Scan(asJSON{&agentIDs})
		}, siteID)
	})
	if err != nil {
		return nil, fmt.Errorf("look up as which agents this computer spoke: %w", err)
	}
	return agentIDs, nil
}

// SetContact keeps whom to call, one for each role. With siteID "" it holds
// for every site that has none of its own for that role, also before
// enrolment; where there is one site alone, it is the one that is meant. What is
// already declared changes with the next approval. Wrong values are
// protocol.FieldErrors.
func (v *Inventory) SetContact(ctx context.Context, siteID string, c protocol.Contact) error {
	c.Name, c.Hours = line(c.Name), line(c.Hours)
	if c.Role == "" {
		c.Role = protocol.RoleOwner
	}
	errs := v.wrongIn(protocol.Declaration{Site: protocol.Site{Name: "-", Category: "other"}, Contacts: []protocol.Contact{c}}, "contacts[0].", "")
	if c.Alerts && c.Email == "" {
		errs = append(errs, protocol.FieldError{Field: "email", Why: "is missing: alerts go there"})
	}
	if len(errs) > 0 {
		return fmt.Errorf("keep the contact: %w", errs)
	}
	err := v.write(ctx, func(tx *sql.Tx) error {
		b := &book{}
		err := b.loadSites(ctx, tx)
		switch {
		case err != nil:
			return err
		case siteID != "" && b.site(siteID) == nil:
			return fmt.Errorf("site %q: %w", siteID, ErrUnknown)
		case siteID == "" && len(b.sites) == 1:
			// What was taken over with the site would hide what is said now.
			if _, err := tx.ExecContext(ctx, `DELETE FROM contact WHERE site_id = ? AND role = ?`, b.sites[0].SiteID, c.Role); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO contact (site_id, role, name, phone, email, pec, hours, alerts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (site_id, role) DO UPDATE SET name = excluded.name, phone = excluded.phone, email = excluded.email,
			pec = excluded.pec, hours = excluded.hours, alerts = excluded.alerts`, siteID, c.Role, c.Name, c.Phone, c.Email, c.PEC, c.Hours, c.Alerts)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the contact: %w", err)
	}
	return nil
}
