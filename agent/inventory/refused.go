package inventory

import (
	"context"
	"database/sql"

	"anagrafe/protocol"
)

// refusedGrant picks the messages that were refused because the collector knows no
// grant, or no longer one, that they were made under.
const refusedGrant = `state = 'rejected' AND why LIKE 'not-granted%'`

// repeatReplies says under the site's present grant what was refused under another
// one. The collector hands a notice down again only to an agent that it has no word
// of at all: one that was set back may know that the request came here, and neither
// the grant that was given since nor what was answered under that.
func (v *Inventory) repeatReplies(ctx context.Context, tx *sql.Tx, siteID string) error {
	b := &book{}
	if err := b.loadSites(ctx, tx); err != nil {
		return err
	}
	s := b.site(siteID)
	if s == nil || s.left {
		return nil
	}
	type word struct {
		notice string
		state  protocol.ReplyState
	}
	last := map[word]protocol.Reply{} // of what was refused last
	var order []word
	err := each(ctx, tx, `SELECT body, `+refusedGrant+` FROM message WHERE site_id = ? AND kind = 'reply' ORDER BY seq`, func(rows *sql.Rows) error {
		var body []byte
		var refused bool
		if err := rows.Scan(&body, &refused); err != nil {
			return err
		}
		m, err := protocol.Decode(body)
		r, _ := m.Body.(protocol.Reply)
		k := word{r.NoticeID, r.State}
		delete(last, k)
		if refused && m.Epoch != s.Epoch {
			last[k] = r
			order = append(order, k)
		}
		return err
	}, siteID)
	if err != nil {
		return err
	}
	for _, k := range order {
		r, is := last[k]
		if !is {
			continue
		}
		delete(last, k)
		if err := v.enqueue(ctx, tx, s, r, false); err != nil {
			return err
		}
	}
	return nil
}

// notGranted is View.NotGranted. A message that cannot be read tells nothing of a grant.
func (v *Inventory) notGranted(ctx context.Context, tx *sql.Tx, b *book) (siteIDs []string, err error) {
	for _, s := range b.sites {
		if s.left {
			continue
		}
		err := each(ctx, tx, `SELECT id, body, `+refusedGrant+` FROM message WHERE site_id = ? AND seq > ? AND state <> 'waiting'
			ORDER BY seq DESC LIMIT 1`, func(rows *sql.Rows) error {
			var id string
			var body []byte
			var refused bool
			if err := rows.Scan(&id, &body, &refused); err != nil || !refused {
				return err
			}
			m, err := protocol.Decode(body)
			if err != nil {
				v.log.Warn("a refused message cannot be read", "message", id, "site", s.SiteID, "err", err)
			} else if m.Epoch == s.Epoch {
				siteIDs = append(siteIDs, s.SiteID)
			}
			return nil
		}, s.SiteID, s.ended)
		if err != nil {
			return nil, err
		}
	}
	return siteIDs, nil
}
