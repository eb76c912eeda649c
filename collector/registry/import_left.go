package registry

import (
	"cmp"
	"context"

	"anagrafe/protocol"
)

// missing returns a step for each site that was imported before and that the file
// does not name; not for those that no file changes any more.
func (i *importing) missing(ctx context.Context) ([]importStep, error) {
	named := make(map[string]bool)
	for _, s := range i.Sites {
		named[s.Key] = true
	}
	var steps []importStep
	err := each(ctx, i.tx, func(scan func(...any) error) error {
		var siteID string
		var dataKey, body []byte
		if err := scan(&siteID, &dataKey, &body); err != nil {
			return err
		}
		key, err := i.r.openSiteKey(siteID, dataKey, body)
		if err == nil && !named[key] {
			steps = append(steps, func(ctx context.Context, i *importing) (ImportResult, error) { return i.leave(ctx, siteID, key) })
		}
		return err
	}, `SELECT k.site_id, d.sealed, k.body FROM imports k JOIN agents a ON a.organisation_id = k.organisation_id
		JOIN grants g ON g.site_id = k.site_id AND g.agent_id = a.id AND g.until_at IS NULL
		JOIN data_keys d ON d.owner = k.site_id
		WHERE k.organisation_id = ? AND k.kind = 'site' AND k.body IS NOT NULL ORDER BY k.site_id`, i.OrganisationID)
	return steps, err
}

// leave reports a site that the file does not name, or withdraws it. What its
// owner takes out by a file, a later file of the same owner may bring again.
func (i *importing) leave(ctx context.Context, siteID, key string) (ImportResult, error) {
	result := ImportResult{Key: key, SiteID: siteID, State: ImportMissing}
	if !i.RemoveMissing {
		return result, nil
	}
	result.State = ImportRemoved
	e, err := i.find(ctx, key)
	if err != nil || i.DryRun {
		return result, err
	}
	if e.state != ImportChanged { // taken over meanwhile
		result.State = e.state
		return result, nil
	}
	m := e.next(i.At, protocol.Withdrawal{Approval: i.approval()})
	raw, err := protocol.Encode(m)
	if err != nil {
		return result, err
	}
	if _, err := i.record(ctx, m, raw); err != nil {
		return result, err
	}
	_, err = i.tx.ExecContext(ctx, "DELETE FROM imports WHERE organisation_id = ? AND site_id = ?", i.OrganisationID, siteID)
	return result, err
}

func (i *importing) approval() protocol.Approval {
	return protocol.Approval{By: i.By, Role: cmp.Or(i.Role, protocol.RoleOwner), At: i.At}
}
