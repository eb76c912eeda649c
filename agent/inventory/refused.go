package inventory

import (
	"context"
	"database/sql"
	"fmt"

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

// NotGranted lists the sites for which the collector takes nothing more under the
// grant that this computer holds: the last message under it was refused for that,
// whatever it was. Only a new code helps.
func (v *Inventory) NotGranted(ctx context.Context) (siteIDs []string, err error) {
	err = v.read(ctx, func(tx *sql.Tx) error {
		b := &book{}
		if err := b.loadSites(ctx, tx); err != nil {
			return err
		}
		for _, s := range b.sites {
			if s.left {
				continue
			}
			err := each(ctx, tx, `SELECT body, `+refusedGrant+` FROM message WHERE site_id = ? AND seq > ? AND state <> 'waiting'
				ORDER BY seq DESC LIMIT 1`, func(rows *sql.Rows) error {
				var body []byte
				var refused bool
				if err := rows.Scan(&body, &refused); err != nil || !refused {
					return err
				}
				m, err := protocol.Decode(body)
				if err == nil && m.Epoch == s.Epoch {
					siteIDs = append(siteIDs, s.SiteID)
				}
				return err
			}, s.SiteID, s.ended)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up for which sites a new code is needed: %w", err)
	}
	return siteIDs, nil
}
