package registry

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrUnknownCase is returned for a case that is not there, that this force may
	// not see, or that was destroyed at its term.
	ErrUnknownCase = errors.New("this force has no such case")
	// ErrCaseOpen is returned for a case that FindCase would find.
	ErrCaseOpen = errors.New("this case is open already")
)

// Case is one investigation of a force. Times are of whole microseconds.
type Case struct {
	ID, Force  string // UUID; whose case it is
	OpenedBy   string // user id
	OpenedAt   time.Time
	ClosedAt   time.Time // zero: open
	Kind       string    // e.g. "annotation": a word of the caller's
	Ref        string    // "" until it follows
	Offence    string
	Reason     string
	ReferredAt time.Time // when Ref was given; zero: not yet
	Shared     []string  // other forces that see it and work in it, by name
}

// caseBody is the sealed part of a case.
type caseBody struct {
	OpenedBy string `json:"opened_by"`
	Kind     string `json:"kind"`
	Ref      string `json:"ref,omitempty"`
	Offence  string `json:"offence"`
	Reason   string `json:"reason"`
}

// OpenCase records a case; one with a reference counts as referred at once. ErrCaseOpen
// when the same was opened since it was looked for.
func (r *Registry) OpenCase(ctx context.Context, c Case) error {
	if c.ID == "" || c.Force == "" || c.OpenedBy == "" || c.Kind == "" {
		return errors.New("open a case: an id, a force, who opens it and its kind are needed")
	}
	if c.ReferredAt.IsZero() && c.Ref != "" {
		c.ReferredAt = c.OpenedAt
	}
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		hash := r.findHash(c)
		var open bool
		err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM cases WHERE find_hash = ? AND force = ? AND closed_at IS NULL)", hash, c.Force).Scan(&open)
		switch {
		case err != nil:
			return err
		case open:
			return ErrCaseOpen
		}
		body, err := r.caseBody(ctx, tx, c)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO cases (id, force, opened_at, referred_at, find_hash, body) VALUES (?, ?, ?, ?, ?, ?)",
			c.ID, c.Force, micros(exact(c.OpenedAt)), nullMicros(exact(c.ReferredAt)), hash, body)
		return err
	})
	if err != nil {
		return fmt.Errorf("open case %s: %w", c.ID, err)
	}
	return nil
}

// caseBody seals what a case says.
func (r *Registry) caseBody(ctx context.Context, tx *tx, c Case) ([]byte, error) {
	plain, err := json.Marshal(caseBody{c.OpenedBy, c.Kind, c.Ref, c.Offence, c.Reason})
	if err != nil {
		return nil, err
	}
	return r.sealInCase(ctx, tx, c.ID, caseBodyPlace, plain)
}

// findHash is by what an open case is found: its force, kind and reference. Without
// a reference two of a kind are told apart by who opened them, for which offence
// and why.
func (r *Registry) findHash(c Case) []byte {
	by := []string{c.Force, c.Kind, c.Ref}
	if c.Ref == "" {
		by = append(by, c.OpenedBy, c.Offence, c.Reason)
	}
	return r.caseHash("case", by...)
}

// caseHash hides words behind the key of look-ups.
func (r *Registry) caseHash(domain string, words ...string) []byte {
	m := hmac.New(sha256.New, r.vault.lookup)
	fmt.Fprintf(m, "anagrafe %s 1\x00", domain)
	for _, w := range words {
		fmt.Fprintf(m, "%d:%s", len(w), w)
	}
	return m.Sum(nil)
}

// FindCase returns the id of the force's oldest open case that matches c: by kind and
// reference or, without a reference, by officer, kind, offence and reason.
func (r *Registry) FindCase(ctx context.Context, c Case) (id string, ok bool, err error) {
	err = r.read.QueryRowContext(ctx, "SELECT id FROM cases WHERE find_hash = ? AND force = ? AND closed_at IS NULL ORDER BY opened_at, id LIMIT 1",
		r.findHash(c), c.Force).Scan(&id)
	return found(id, err, "find a case")
}

// seenBy is the condition that a force may see a case c.
const seenBy = "(c.force = ? OR EXISTS (SELECT 1 FROM case_shares s WHERE s.case_id = c.id AND s.force = ?))"

const caseColumns = "c.id, c.force, c.opened_at, coalesce(c.referred_at, 0), coalesce(c.closed_at, 0), " + caseKey + ", c.body"

// Case returns a case that is the force's own or shared with it.
func (r *Registry) Case(ctx context.Context, id, force string) (Case, bool, error) {
	all, err := r.cases(ctx, "c.id = ? AND "+seenBy, id, force, force)
	if err != nil || len(all) == 0 {
		return Case{}, false, err
	}
	return all[0], true, nil
}

// Cases lists the cases that are the force's own or shared with it: open ones
// first, then the newest, at most limit.
func (r *Registry) Cases(ctx context.Context, force string, limit int) ([]Case, error) {
	return r.cases(ctx, seenBy+" ORDER BY c.closed_at IS NOT NULL, c.opened_at DESC, c.id LIMIT ?", force, force, limit)
}

func (r *Registry) cases(ctx context.Context, condition string, args ...any) (all []Case, err error) {
	err = r.view(ctx, func(tx *tx) error {
		all, err = r.readCases(ctx, tx, condition, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return all, nil
}

func (r *Registry) readCases(ctx context.Context, tx *tx, condition string, args ...any) (all []Case, err error) {
	condition = "c.body IS NOT NULL AND " + condition
	place := make(map[string]int)
	err = each(ctx, tx, func(scan func(...any) error) error {
		c, err := r.scanCase(scan)
		place[c.ID] = len(all)
		all = append(all, c)
		return err
	}, "SELECT "+caseColumns+" FROM cases c WHERE "+condition, args...)
	if err != nil {
		return nil, err
	}
	// One query for the sharings of all, however long the list is.
	err = each(ctx, tx, func(scan func(...any) error) error {
		var id, force string
		err := scan(&id, &force)
		if i, ok := place[id]; ok {
			all[i].Shared = append(all[i].Shared, force)
		}
		return err
	}, "SELECT case_id, force FROM case_shares WHERE case_id IN (SELECT c.id FROM cases c WHERE "+condition+") ORDER BY case_id, force", args...)
	return all, err
}

func (r *Registry) scanCase(scan func(...any) error) (c Case, err error) {
	var opened, referred, closed int64
	var key, sealed []byte
	if err := scan(&c.ID, &c.Force, &opened, &referred, &closed, &key, &sealed); err != nil {
		return c, err
	}
	plain, err := r.openInCase(c.ID, caseBodyPlace, key, sealed)
	if err != nil {
		return c, err
	}
	b, err := decode[caseBody](string(plain))
	c.OpenedBy, c.Kind, c.Ref, c.Offence, c.Reason = b.OpenedBy, b.Kind, b.Ref, b.Offence, b.Reason
	c.OpenedAt, c.ReferredAt, c.ClosedAt = fromMicros(opened), fromMicros(referred), fromMicros(closed)
	return c, err
}

// ReferCase gives a case its reference, or corrects it: the first time counts.
// ErrUnknownCase when it is not the force's own.
func (r *Registry) ReferCase(ctx context.Context, id, force, ref string, at time.Time) error {
	return r.changeCase(ctx, "give a case its reference", id, force, func(ctx context.Context, tx *tx, c Case) error {
		if c.Ref = ref; c.ReferredAt.IsZero() {
			c.ReferredAt = exact(at)
		}
		body, err := r.caseBody(ctx, tx, c)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE cases SET referred_at = ?, find_hash = ?, body = ? WHERE id = ?", micros(c.ReferredAt), r.findHash(c), body, id)
		return err
	})
}

// ShareCase lets another force see a case and work in it. ErrUnknownCase when it
// is not the force's own, ErrUnknownForce when there is no such other.
func (r *Registry) ShareCase(ctx context.Context, id, force, with string, at time.Time) error {
	return r.changeCase(ctx, "share a case", id, force, func(ctx context.Context, tx *tx, c Case) error {
		var known bool
		err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM forces WHERE name = ?)", with).Scan(&known)
		switch {
		case err != nil:
			return err
		case !known || with == force:
			return ErrUnknownForce
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO case_shares (case_id, force, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", id, with, micros(exact(at)))
		return err
	})
}

// UnshareCase ends the sharing of a case with another force, whose acts in it stay.
// ErrUnknownCase when it is not the force's own; it is no error if it was not shared.
func (r *Registry) UnshareCase(ctx context.Context, id, force, with string) error {
	return r.changeCase(ctx, "take back the sharing of a case", id, force, func(ctx context.Context, tx *tx, _ Case) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM case_shares WHERE case_id = ? AND force = ?", id, with)
		return err
	})
}

// CloseCase closes a case, from when its term runs; ReopenCase undoes it.
// ErrUnknownCase when it is not the force's own. Closing twice keeps the first time.
func (r *Registry) CloseCase(ctx context.Context, id, force string, at time.Time) error {
	return r.changeCase(ctx, "close a case", id, force, func(ctx context.Context, tx *tx, c Case) error {
		_, err := tx.ExecContext(ctx, "UPDATE cases SET closed_at = coalesce(closed_at, ?) WHERE id = ?", micros(exact(at)), id)
		return err
	})
}

// ReopenCase opens a closed case again.
func (r *Registry) ReopenCase(ctx context.Context, id, force string) error {
	return r.changeCase(ctx, "open a case again", id, force, func(ctx context.Context, tx *tx, c Case) error {
		_, err := tx.ExecContext(ctx, "UPDATE cases SET closed_at = NULL WHERE id = ?", id)
		return err
	})
}

// changeCase changes a case of the force's own.
func (r *Registry) changeCase(ctx context.Context, what, id, force string, change func(context.Context, *tx, Case) error) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		own, err := r.readCases(ctx, tx, "c.id = ? AND c.force = ?", id, force)
		if err != nil {
			return err
		}
		if len(own) == 0 {
			return ErrUnknownCase
		}
		return change(ctx, tx, own[0])
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// DestroyCases destroys the keys and the records of the cases that were closed
// before a moment, and gives how many. That they were, of which force, and when
// they were opened and closed, stays.
//
// record is called before a case is destroyed; an error of it ends the run.
func (r *Registry) DestroyCases(ctx context.Context, closedBefore, now time.Time, record func(ctx context.Context, id, force string) error) (n int, err error) {
	for {
		var id, force string
		err := r.read.QueryRowContext(ctx, "SELECT id, force FROM cases WHERE destroyed_at IS NULL AND closed_at < ? ORDER BY closed_at, id LIMIT 1",
			micros(closedBefore)).Scan(&id, &force)
		if errors.Is(err, sql.ErrNoRows) {
			return n, nil
		}
		if err == nil {
			err = record(ctx, id, force)
		}
		if err == nil {
			err = r.updateIdle(ctx, func(ctx context.Context, tx *tx) error { return r.destroyCase(ctx, tx, id, closedBefore, now) })
		}
		if err != nil {
			return n, fmt.Errorf("destroy the cases whose term is over: %w", err)
		}
		n++
	}
}

// destroyCase leaves a case alone that was opened again meanwhile.
func (r *Registry) destroyCase(ctx context.Context, tx *tx, id string, closedBefore, now time.Time) error {
	var due bool
	err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM cases WHERE id = ? AND destroyed_at IS NULL AND closed_at < ?)", id, micros(closedBefore)).Scan(&due)
	if err != nil || !due {
		return err
	}
	return r.dropCase(ctx, tx, id, now)
}

// dropCase destroys a case in a transaction.
func (r *Registry) dropCase(ctx context.Context, tx *tx, id string, now time.Time) error {
	if err := r.vault.destroy(ctx, tx, id); err != nil {
		return err
	}
	for _, query := range []string{"DELETE FROM case_records WHERE case_id = ?", "DELETE FROM case_shares WHERE case_id = ?",
		"UPDATE papers SET sha256 = NULL, body = NULL WHERE case_id = ?"} {
		if _, err := tx.ExecContext(ctx, query, id); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "UPDATE cases SET destroyed_at = ?, find_hash = NULL, body = NULL WHERE id = ?", micros(exact(now)), id)
	return err
}
