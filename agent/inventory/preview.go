package inventory

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"anagrafe/protocol"
)

// Preview is what Approve would write now: all is as it would leave, save the
// messages' ids and times.
type Preview struct {
	Messages []protocol.Message
	Results  []Result // as of Approve
	// Seen stands for all that the owner is shown. Given to ApproveSeen, it
	// makes sure that nothing else leaves.
	Seen string
}

// ErrChanged is returned when what would leave is no longer what the owner was shown.
var ErrChanged = errors.New("something has changed since it was shown")

// Preview returns what Approve would write now, without writing it.
func (v *Inventory) Preview(ctx context.Context, which Selection, by protocol.Approval) (p Preview, err error) {
	done := errors.New("nothing is kept")
	err = v.write(ctx, func(tx *sql.Tx) (err error) {
		if p, err = v.approveIn(ctx, tx, which, by); err != nil {
			return err
		}
		return done
	})
	if !errors.Is(err, done) {
		return Preview{}, fmt.Errorf("preview: %w", err)
	}
	return p, nil
}

// read reads back the messages that were written after the one with number last.
func (p *Preview) read(ctx context.Context, tx *sql.Tx, last int64) error {
	err := each(ctx, tx, `SELECT body FROM message WHERE seq > ? ORDER BY seq`, func(rows *sql.Rows) error {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return err
		}
		m, err := protocol.Decode(body)
		p.Messages = append(p.Messages, m)
		return err
	}, last)
	if err == nil {
		p.Seen, err = seenOf(p.Messages)
	}
	return err
}

// seenOf is a hash of what the messages say. Left out is what may differ between
// the showing and the yes though nothing else leaves: who approves and when,
// which the yes itself tells, and the clock and oldest footage, which leave by
// themselves after it and are new with each look.
func seenOf(messages []protocol.Message) (string, error) {
	hash := sha256.New()
	for _, m := range messages {
		if d, ok := m.Body.(protocol.Declaration); ok {
			d.Approval = protocol.Approval{}
			m.Body = d
		}
		text, err := json.Marshal(m.Body)
		if err != nil {
			return "", err
		}
		var body any
		if err := json.Unmarshal(text, &body); err != nil {
			return "", err
		}
		if text, err = json.Marshal(lasting(body)); err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s\n", m.SiteID, len(text), text)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// lasting drops what seenOf leaves out.
func lasting(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, passing := range []string{"at", "by", "clock", "oldest_footage", "observed_at"} {
			delete(v, passing)
		}
		for k, x := range v {
			v[k] = lasting(x)
		}
	case []any:
		for i := range v {
			v[i] = lasting(v[i])
		}
	}
	return v
}
