package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"anagrafe/protocol"
)

// Owners are told of what is wrong with their own recorders: contacts
// who wish so, in one message when something goes wrong and one when it is right
// again. Everything is judged from what agents told already; nothing is asked of
// them, and officers see nothing of it.

const (
	// alertPause is how long a thing must have been right before it is told again.
	alertPause = 24 * time.Hour
	// alertSites are read at once; alertMost is how many sites one run tells at
	// most, the others come with the next: a collector that was away does not send
	// all its mail in one minute.
	alertSites = 100
	alertMost  = 500
	// alertLooks is how far back looks are read: twice the longest wait.
	alertLooks = 15 * 24 * time.Hour
	// alertChanges is how many one message tells.
	alertChanges = 40
)

// Alerted counts what a run of Alert told.
type Alerted struct {
	Wrong, Right map[protocol.Alert]int // things, by what is wrong with them or was
	Mail         int                    // messages queued
}

// Alert queues alerts for what changed. It may be called at any time, by several
// collectors, as often as wanted: nothing is sent twice. listening is since when the
// collectors have run without a break; while that is shorter than the longest absence
// of an agent, none counts as unheard. A site that fails is logged and skipped.
func (r *Registry) Alert(ctx context.Context, now, listening time.Time) (Alerted, error) {
	done := Alerted{Wrong: make(map[protocol.Alert]int), Right: make(map[protocol.Alert]int)}
	now = exact(now)
	if err := r.dropAlerts(ctx, now); err != nil {
		return done, fmt.Errorf("tell contacts what is wrong: %w", err)
	}
	told, after := 0, ""
	for {
		sites, err := r.alertedSites(ctx, now, after)
		if err != nil {
			return done, fmt.Errorf("tell contacts what is wrong: %w", err)
		}
		for _, s := range sites {
			if told == alertMost {
				return done, nil
			}
			if now.Sub(listening) < comeBack && now.Sub(s.heard) >= protocol.UnheardAfter {
				s.heard = time.Time{}
			}
			some, err := r.alertSite(ctx, s, now, &done)
			if err != nil {
				if ctx.Err() != nil {
					return done, ctx.Err()
				}
				r.log.ErrorContext(ctx, "what is wrong at a site could not be told; the next run tries again", "site", s.id, "err", err)
			}
			if some {
				told++
			}
			after = s.id
		}
		if len(sites) < alertSites {
			return done, nil
		}
	}
}

// comeBack is longer than an agent takes to come by itself, six hours.
const comeBack = 12 * time.Hour

// alertedSite is a site of which somebody wishes to be told.
type alertedSite struct {
	id    string
	heard time.Time // zero: no agent speaks for it
}

// alertedSites reads some, in the order of their ids: those that are declared and
// not suspended. A site whose agent was on a visit is heard no more by design.
func (r *Registry) alertedSites(ctx context.Context, now time.Time, after string) (all []alertedSite, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var s alertedSite
			var heard int64
			err := scan(&s.id, &heard)
			s.heard = fromMicros(heard)
			all = append(all, s)
			return err
		}, `SELECT s.id, CASE WHEN EXISTS (SELECT 1 FROM grants g JOIN agents a ON a.id = g.agent_id
				WHERE g.site_id = s.id AND a.revoked_at IS NULL AND `+computer+` AND `+notEnded("?1")+`) THEN coalesce(s.heard_at, 0) ELSE 0 END
			FROM sites s WHERE s.id > ?2 AND s.declared_at IS NOT NULL AND s.suspended_at IS NULL
			AND EXISTS (SELECT 1 FROM alert_readers l WHERE l.site_id = s.id AND l.wanted) ORDER BY s.id LIMIT ?3`, micros(now), after, alertSites)
	})
	return all, err
}

// dropAlerts forgets what was told of sites of which nobody wishes to be told any
// more and of what is declared no more, and what has been right for long enough.
func (r *Registry) dropAlerts(ctx context.Context, now time.Time) error {
	const old = `mended_at <= ? OR NOT EXISTS (SELECT 1 FROM alert_readers l WHERE l.site_id = alerts.site_id AND l.wanted)
		OR thing <> '' AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.site_id = alerts.site_id AND v.id = alerts.thing AND v.valid_until IS NULL AND v.body IS NOT NULL)`
	var any bool
	err := r.view(ctx, func(tx *tx) error { // most of the time there is none: no write for it
		return tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM alerts WHERE "+old+")", micros(now.Add(-alertPause))).Scan(&any)
	})
	if err != nil || !any {
		return err
	}
	return r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM alerts WHERE "+old, micros(now.Add(-alertPause)))
		return err
	})
}

// alertSite judges one site and tells what changed; some is whether it told.
func (r *Registry) alertSite(ctx context.Context, s alertedSite, now time.Time, done *Alerted) (some bool, err error) {
	h, err := r.History(ctx, s.id, now.Add(-alertLooks))
	if err != nil {
		return false, err
	}
	j := alertJudge{h: h, heard: s.heard, now: now}
	err = r.view(ctx, func(tx *tx) (err error) {
		j.told, err = readAlerts(ctx, tx, s.id)
		return err
	})
	if err != nil {
		return false, err
	}
	changes, _ := j.news()
	if len(changes) == 0 {
		return false, nil
	}
	var mail int
	err = r.update(ctx, func(ctx context.Context, tx *tx) (err error) {
		changes, mail = nil, 0
		// Another collector may have told it in between.
		if j.told, err = readAlerts(ctx, tx, s.id); err != nil {
			return err
		}
		var keys []alertKey
		if changes, keys = j.news(); len(changes) == 0 {
			return nil
		}
		mail, err = r.queueAlert(ctx, tx, s.id, changes, now)
		if err != nil || mail == 0 { // nobody can be reached: the next run finds it again
			changes = nil
			return err
		}
		return writeAlerts(ctx, tx, s.id, keys, changes, now)
	})
	if err != nil {
		return false, err
	}
	for _, c := range changes {
		if c.Right {
			done.Right[c.Alert]++
		} else {
			done.Wrong[c.Alert]++
		}
	}
	done.Mail += mail
	return mail > 0, nil
}

func readAlerts(ctx context.Context, tx *tx, siteID string) (map[alertKey]alertTold, error) {
	told := make(map[alertKey]alertTold)
	err := each(ctx, tx, func(scan func(...any) error) error {
		var k alertKey
		var at, was, mended int64
		err := scan(&k.alert, &k.thing, &at, &was, &mended)
		told[k] = alertTold{fromMicros(at), time.Duration(was) * time.Second, fromMicros(mended)}
		return err
	}, "SELECT alert, thing, told_at, was, coalesce(mended_at, 0) FROM alerts WHERE site_id = ?", siteID)
	return told, err
}

func writeAlerts(ctx context.Context, tx *tx, siteID string, keys []alertKey, changes []AlertChange, now time.Time) error {
	for i, k := range keys {
		query := `INSERT INTO alerts (site_id, alert, thing, told_at, was) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT (site_id, alert, thing) DO UPDATE SET told_at = excluded.told_at, was = excluded.was, mended_at = NULL`
		args := []any{siteID, string(k.alert), k.thing, micros(now), changes[i].WasS}
		if changes[i].Right {
			query, args = "UPDATE alerts SET mended_at = ?4 WHERE site_id = ?1 AND alert = ?2 AND thing = ?3", args[:4]
		}
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// queueAlert queues a message to each contact who wishes to be told and can be:
// not to one whom somebody else named and who has not accepted, nor to an address
// that was refused. It gives how many.
func (r *Registry) queueAlert(ctx context.Context, tx *tx, siteID string, changes []AlertChange, now time.Time) (n int, err error) {
	b, err := r.vault.boxOf(ctx, tx, siteID)
	if err != nil || b == nil {
		return 0, err
	}
	s := site{tx: tx, id: siteID, box: b}
	contacts, _, err := s.reached(ctx, r)
	if err != nil {
		return 0, err
	}
	to, err := s.hashes(ctx, "SELECT address_hash FROM alert_readers WHERE wanted AND site_id = ?")
	if err != nil {
		return 0, err
	}
	refused, err := s.hashes(ctx, "SELECT address_hash FROM bounces WHERE site_id = ?")
	if err != nil {
		return 0, err
	}
	unconfirmed, err := s.unconfirmed(ctx)
	if err != nil {
		return 0, err
	}
	news, err := r.alertNews(ctx, tx, siteID, changes)
	if err != nil {
		return 0, err
	}
	for _, c := range contacts {
		channel, address := r.alertWay(c)
		hash := r.addressHash(address)
		if channel == "" || !to[hash] || refused[hash] || unconfirmed[hash] {
			continue
		}
		delete(to, hash)           // two contacts may have one address
		if channel == ChannelSMS { // names nothing: anybody may hold the phone
			err = r.queueMailTo(ctx, tx, b, siteID, channel, address, now)
		} else {
			_, err = r.queueOne(ctx, tx, b, outgoing{owner: siteID, channel: channel, kind: mailAlert, address: address, body: news, at: now})
		}
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func (r *Registry) alertNews(ctx context.Context, tx *tx, siteID string, changes []AlertChange) ([]byte, error) {
	var key, body []byte
	if err := tx.QueryRowContext(ctx, "SELECT (SELECT sealed FROM data_keys k WHERE k.owner = s.id), body FROM sites s WHERE id = ?", siteID).Scan(&key, &body); err != nil {
		return nil, err
	}
	named, err := r.vault.openSite(siteID, key, body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(AlertNews{Site: named.Name, Changes: changes[:min(len(changes), alertChanges)]})
}
