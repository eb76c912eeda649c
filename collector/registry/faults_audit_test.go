package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"anagrafe/collector/trail"
)

// audit compares a register with the ledger of what it acknowledged: nothing of
// that is missing, nothing is there that nobody asked for, every message is there
// with its effect and no effect without its message, the numbers of changes never
// went back, and the trail verifies against an older checkpoint. It looks at the
// sites that were touched since the last audit, or at all. Nobody may write
// meanwhile. What it finds it says, a sentence each.
func (l *ledger) audit(ctx context.Context, r *Registry, trailKeys string, all bool) (found []string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// PostgreSQL may still be committing what a killed process asked for last;
	// its turn ends with that.
	if err := r.update(ctx, func(context.Context, *tx) error { return nil }); err != nil {
		return nil, err
	}
	counts, found, err := l.auditMessages(ctx, r)
	if err != nil {
		return nil, err
	}
	for site, c := range l.sites {
		if !c.touched && !all {
			continue
		}
		found = append(found, c.audit(ctx, r, site, counts[site])...)
	}
	newest, err := r.LastChange(ctx)
	if err != nil {
		return nil, err
	}
	if newest < l.change {
		found = append(found, fmt.Sprintf("the newest change is %d, it was %d before", newest, l.change))
	}
	l.change = max(l.change, newest)
	entries, err := l.auditTrail(ctx, r, trailKeys)
	return append(found, entries...), err
}

// auditMessages compares the messages, and counts them by site.
func (l *ledger) auditMessages(ctx context.Context, r *Registry) (counts map[string]int, found []string, err error) {
	counts = make(map[string]int)
	there := make(map[string]bool)
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var id, site string
			err := scan(&id, &site)
			there[id] = true
			counts[site]++
			return err
		}, "SELECT id, site_id FROM messages")
	})
	for id, acknowledged := range l.messages {
		if acknowledged && !there[id] {
			found = append(found, fmt.Sprintf("message %s was acknowledged and is not there", id))
		}
	}
	for id := range there {
		if _, asked := l.messages[id]; !asked {
			found = append(found, fmt.Sprintf("message %s is there and nobody sent it", id))
		}
	}
	return counts, found, err
}

// audit compares a site. What nobody knows of is settled by what is there.
func (c *account) audit(ctx context.Context, r *Registry, site string, messages int) (found []string) {
	state, number, err := readState(ctx, r, site, messages)
	if err != nil {
		return []string{fmt.Sprintf("site %s: %v", site, err)}
	}
	if number < c.number {
		found = append(found, fmt.Sprintf("site %s: its newest change is %d, it was %d before", site, number, c.number))
	}
	c.number, c.touched = max(c.number, number), false
	switch {
	case state == c.state:
	case c.pending != nil && !c.seen && state == c.state.after(*c.pending):
		c.state, c.seen = state, true
	default:
		found = append(found, fmt.Sprintf("site %s: it is %+v, and should be %+v, perhaps after %+v", site, state, c.state, c.pending))
	}
	return found
}

func readState(ctx context.Context, r *Registry, site string, messages int) (s outcome, number int64, err error) {
	h, err := r.History(ctx, site, time.Time{})
	if err != nil {
		return s, 0, err
	}
	s = outcome{Suspended: h.Suspended, Withdrawn: h.Withdrawn, Messages: messages}
	if versions := h.Cameras[id(1)]; len(versions) > 0 {
		// The agent that is told what is recorded is told the same.
		if _, err := fmt.Sscanf(versions[len(versions)-1].Camera.Name, "Ingresso %d", &s.Declared); err != nil {
			return s, 0, err
		}
	}
	if clocks := h.Clocks[id(recorderNumber)]; len(clocks) > 0 {
		for _, c := range clocks {
			s.Observed = max(s.Observed, int(c.OffsetMs))
		}
	}
	err = r.view(ctx, func(tx *tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM grants WHERE site_id = ?1 AND `+notEnded("?2")+`),
			(SELECT count(*) FROM notices WHERE site_id = ?1), (SELECT count(*) FROM notices WHERE site_id = ?1 AND closed_at IS NULL),
			(SELECT count(*) FROM notice_replies WHERE notice_id IN (SELECT id FROM notices WHERE site_id = ?1)),
			coalesce((SELECT number FROM changes WHERE site_id = ?1), 0),
			EXISTS (SELECT 1 FROM data_keys WHERE owner = ?1 AND sealed <> ?3)`, site, micros(time.Now()), zeros[:]).
			Scan(&s.Granted, &s.Notices, &s.Open, &s.Replies, &number, &s.Keyed)
	})
	return s, number, err
}

// auditTrail verifies the trail, and that the acknowledged entries stand in it.
func (l *ledger) auditTrail(ctx context.Context, r *Registry, keys string) (found []string, err error) {
	t, err := openTrail(ctx, r, keys)
	if err != nil {
		return []string{err.Error()}, nil // it checks itself, too
	}
	defer t.Close()
	var export bytes.Buffer
	if err := t.Export(ctx, &export); err != nil {
		return nil, err
	}
	newest, err := t.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	if l.checkpoint == nil {
		l.checkpoint = newest
	}
	if _, err := trail.Verify(bytes.NewReader(export.Bytes()), t.VerifierKey(), l.checkpoint); err != nil {
		found = append(found, err.Error())
	}
	l.checkpoint = newest
	there, err := entriesOf(export.String())
	for at, id := range l.trail {
		if there[at] != id {
			found = append(found, fmt.Sprintf("entry %s of the trail was acknowledged as number %d, where %q stands", id, at, there[at]))
		}
	}
	for at, id := range there {
		if !l.entries[id] {
			found = append(found, fmt.Sprintf("number %d of the trail is %q, and nobody wrote it", at, id))
		}
	}
	return found, err
}

// entriesOf reads what the entries of an export say, by their place.
func entriesOf(export string) (map[int64]string, error) {
	there := make(map[int64]string)
	for i, text := range strings.Split(strings.TrimSpace(export), "\n") {
		if i == 0 {
			continue // of the whole
		}
		var line struct {
			Index int64
			Body  []byte
		}
		var body struct{ Details entryBody }
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(line.Body, &body); err != nil {
			return nil, err
		}
		there[line.Index] = body.Details.ID
	}
	return there, nil
}

func openTrail(ctx context.Context, r *Registry, keys string) (*trail.Trail, error) {
	return trail.Open(ctx, trailStore{r}, trail.Options{KeyDir: keys, PseudonymKey: bytes.Repeat([]byte{7}, 32), Log: slog.New(slog.DiscardHandler)})
}
