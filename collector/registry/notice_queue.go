package registry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"anagrafe/protocol"
)

const (
	// What a notice says is deleted this long after it is closed.
	noticeKept = 30 * 24 * time.Hour
	// What became of the site is worth telling also to a computer that was
	// switched off for a year.
	siteChangeLife = 400 * 24 * time.Hour
	// maxWaiting is how many notices one look gives.
	maxWaiting = 64
)

// queued is what stands beside a notice in the queue.
type queued struct {
	request, force string // "": none
	byPhone        bool   // nobody is told of it
}

// queueNotice puts a notice of an act of the register itself into the queue, in
// the transaction of that act. An act that ends the site's grants calls it
// last: a SiteChange still reaches the agents whose grant ended with it, and
// whatever was queued before is closed.
func (r *Registry) queueNotice(ctx context.Context, tx *tx, n protocol.Notice) error {
	return r.enqueue(ctx, tx, n, queued{})
}

func (r *Registry) enqueue(ctx context.Context, tx *tx, n protocol.Notice, q queued) error {
	if err := n.Validate(); err != nil {
		return fmt.Errorf("notice %s: %w", n.ID, err)
	}
	plain, err := json.Marshal(n.Body)
	if err != nil {
		return fmt.Errorf("notice %s: %w", n.ID, err)
	}
	body, err := r.sealNotice(ctx, tx, n.ID, plain)
	if err != nil {
		return err
	}
	kind, life, check := n.Body.NoticeKind(), protocol.NoticeLife, []byte(nil)
	switch b := n.Body.(type) {
	case protocol.Preserve:
		sum := checkHash(b.CheckCode)
		check = sum[:]
	case protocol.SiteChange:
		life = siteChangeLife
	}
	at := micros(exact(n.At))
	tx.tell("")
	_, err = tx.ExecContext(ctx, `INSERT INTO notices (id, site_id, request_id, force, kind, at, expires_at, check_hash, body, by_phone)
		VALUES (?, ?, nullif(?, ''), nullif(?, ''), ?, ?, ?, ?, ?, ?)`,
		n.ID, n.SiteID, q.request, q.force, string(kind), at, at+life.Microseconds(), check, body, q.byPhone)
	return err
}

// checkHash is what the queue keeps of the code of a request to preserve. The
// code is random, so that it needs no salt.
func checkHash(code string) [32]byte {
	return sha256.Sum256([]byte("anagrafe request code 1\x00" + code))
}

// waiting are the notices of the sites that agent ?1 has a grant for, or had
// when it ended with what the notice tells, that it has not said to have
// received. A visit's grant, which ends by itself, is told what became of the
// site and nothing else: a laptop that forgets keeps no request, and the officers
// would take what only it received for a computer of the owner's. What is asked by
// phone is handed to nobody.
const waiting = `FROM notices n WHERE n.closed_at IS NULL AND n.body IS NOT NULL AND n.expires_at > ?2 AND NOT n.by_phone
	AND EXISTS (SELECT 1 FROM grants g WHERE g.agent_id = ?1 AND g.site_id = n.site_id
		AND (g.until_at IS NULL OR n.kind = 'site-change' AND g.until_at >= n.at))
	AND NOT EXISTS (SELECT 1 FROM notice_replies r WHERE r.notice_id = n.id AND r.agent_id = ?1)
	AND n.site_id IN (SELECT site_id FROM grants WHERE agent_id = ?1)
	AND NOT EXISTS (SELECT 1 FROM agents WHERE id = ?1 AND revoked_at IS NOT NULL)`

// Waiting implements ingest.Register.
func (r *Registry) Waiting(ctx context.Context, agentID string, at time.Time, after int64) (page []protocol.Notice, next int64, err error) {
	var rows int
	err = each(ctx, r.read, func(scan func(...any) error) error {
		var kind protocol.NoticeKind
		var n protocol.Notice
		var made int64
		var key, sealed []byte
		if err := scan(&next, &n.ID, &n.SiteID, &kind, &made, &key, &sealed); err != nil {
			return err
		}
		rows++
		n.At = fromMicros(made)
		var err error
		if n.Body, err = r.noticeBody(n.ID, kind, key, sealed); err != nil {
			// One that is damaged does not keep back the others.
			r.log.ErrorContext(ctx, "a notice that waits cannot be read", "notice", n.ID, "err", err)
			return nil
		}
		page = append(page, n)
		return nil
	}, "SELECT n.number, n.id, n.site_id, n.kind, n.at, "+noticeKey+", n.body "+waiting+" AND n.number > ?3 ORDER BY n.number LIMIT ?4", agentID, micros(at), after, maxWaiting)
	if err != nil {
		return nil, 0, fmt.Errorf("read what waits for agent %s: %w", agentID, explained(err))
	}
	if rows < maxWaiting {
		next = 0
	}
	return page, next, nil
}

// noticeKey is the sealed data key of a notice n.
const noticeKey = "(SELECT sealed FROM data_keys k WHERE k.owner = n.id)"

// sealNotice seals what a notice says: with the key of consultation, for nobody
// else to read, and that with a key of the notice's own, to be destroyed.
func (r *Registry) sealNotice(ctx context.Context, tx *tx, id string, plain []byte) ([]byte, error) {
	secret, err := r.seal(plain)
	if err != nil {
		return nil, err
	}
	b, err := r.vault.makeBox(ctx, tx, ownerNotice, id)
	if err != nil {
		return nil, err
	}
	return b.seal(noticeBodyPlace, secret)
}

// unsealNotice opens what stands at a place of a notice, with its sealed data key.
func (r *Registry) unsealNotice(id, place string, key, sealed []byte) ([]byte, error) {
	b, err := r.vault.box(id, key)
	if err != nil {
		return nil, err
	}
	secret, err := b.open(place, sealed)
	if err != nil {
		return nil, err
	}
	return r.unseal(secret)
}

// noticeBody opens a body.
func (r *Registry) noticeBody(id string, kind protocol.NoticeKind, key, sealed []byte) (protocol.NoticeBody, error) {
	plain, err := r.unsealNotice(id, noticeBodyPlace, key, sealed)
	if err != nil {
		return nil, err
	}
	return protocol.DecodeNotice(kind, plain)
}

// Noticed reports which agents have something new to be told: those of the sites
// whose notices were queued after number `after`, and the number to ask from
// next. A number that nobody asked for yet is 0; LastNotice is the newest.
func (r *Registry) Noticed(ctx context.Context, after int64) (agents []string, last int64, err error) {
	last = after
	err = r.view(ctx, func(tx *tx) error {
		// Its end first: the agents below are those of one state of the queue.
		err := tx.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM notices").Scan(&last)
		if err != nil || last <= after {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			var agent string
			err := scan(&agent)
			agents = append(agents, agent)
			return err
		}, `SELECT DISTINCT g.agent_id FROM notices n JOIN grants g ON g.site_id = n.site_id
			WHERE n.number > ? AND NOT n.by_phone AND (g.until_at IS NULL OR g.until_at >= n.at)`, after)
	})
	if err != nil {
		return nil, after, fmt.Errorf("read what was queued: %w", err)
	}
	return agents, last, nil
}
