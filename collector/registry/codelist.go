package registry

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// CodeState is how far an enrolment code has come.
type CodeState string

// The states of a code.
const (
	CodeIssued  CodeState = "issued"
	CodeOpened  CodeState = "opened" // somebody opened the invitation since
	CodeUsed    CodeState = "used"
	CodeExpired CodeState = "expired"
	CodeRevoked CodeState = "revoked"
)

// CodeStates are all of them.
var CodeStates = []CodeState{CodeIssued, CodeOpened, CodeUsed, CodeExpired, CodeRevoked}

// codeState is one of them; the moment is ?1.
const codeState = `CASE WHEN c.revoked_at IS NOT NULL THEN 'revoked' WHEN c.used_at IS NOT NULL THEN 'used' WHEN c.expires_at <= ?1 THEN 'expired'
	WHEN s.opened_at >= c.created_at THEN 'opened' ELSE 'issued' END`

// CodeRow is a code as operations see it: never the code, which the register does
// not know.
type CodeRow struct {
	SiteID                                      string
	Name                                        string // of the site, as invited
	State                                       CodeState
	CreatedAt, ExpiresAt, UsedAt, RevokedAt, At time.Time // zero: not; At is when it came into its state
}

// CodeFilter says which codes. What is zero does not narrow.
type CodeFilter struct {
	SiteID      string
	State       CodeState
	From, Until time.Time // of CreatedAt
}

func (f CodeFilter) where(now time.Time) *where {
	w := newWhere(now)
	if f.SiteID != "" {
		w.and("c.site_id = ?", f.SiteID)
	}
	if f.State != "" {
		w.and("? = "+codeState, string(f.State)) // codeState has a number of its own
	}
	if !f.From.IsZero() {
		w.and("c.created_at >= ?", micros(f.From))
	}
	if !f.Until.IsZero() {
		w.and("c.created_at < ?", micros(f.Until))
	}
	return w
}

// CountCodes counts the codes of a filter.
func (r *Registry) CountCodes(ctx context.Context, f CodeFilter) (n int, err error) {
	w := f.where(r.now())
	err = r.view(ctx, func(tx *tx) error {
		return tx.QueryRowContext(ctx, "SELECT count(*) FROM codes c JOIN sites s ON s.id = c.site_id"+w.String(), w.args...).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count codes: %w", err)
	}
	return n, nil
}

// CodeRows calls row for each code of a window, by when it was made.
func (r *Registry) CodeRows(ctx context.Context, f CodeFilter, in Window, row func(CodeRow) error) error {
	w := f.where(r.now())
	args := append(w.args[:len(w.args):len(w.args)], in.Limit, in.Offset)
	order := "c.created_at DESC, c.site_id DESC"
	if in.Ascending {
		order = "c.created_at, c.site_id"
	}
	err := r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var c CodeRow
			var invited, key []byte
			var created, expires, used, revoked, opened int64
			if err := scan(&c.SiteID, &c.State, &created, &expires, &used, &revoked, &opened, &invited, &key); err != nil {
				return err
			}
			c.CreatedAt, c.ExpiresAt, c.UsedAt, c.RevokedAt = fromMicros(created), fromMicros(expires), fromMicros(used), fromMicros(revoked)
			c.At = map[CodeState]time.Time{CodeIssued: c.CreatedAt, CodeOpened: fromMicros(opened), CodeUsed: c.UsedAt, CodeExpired: c.ExpiresAt, CodeRevoked: c.RevokedAt}[c.State]
			as, err := r.vault.openInvited(c.SiteID, key, invited)
			if err != nil {
				return err
			}
			c.Name = as.Name
			return row(c)
		}, "SELECT c.site_id, "+codeState+`, c.created_at, c.expires_at, coalesce(c.used_at, 0), coalesce(c.revoked_at, 0), coalesce(s.opened_at, 0), s.invited,
			(SELECT sealed FROM data_keys k WHERE k.owner = s.id) FROM codes c JOIN sites s ON s.id = c.site_id`+w.String()+
			" ORDER BY "+order+" LIMIT ?"+strconv.Itoa(len(args)-1)+" OFFSET ?"+strconv.Itoa(len(args)), args...)
	})
	if err != nil {
		return fmt.Errorf("list codes: %w", err)
	}
	return nil
}

// RevokeCodes takes back what a site was given at a moment, or at any with the zero
// time, and nobody has used. It opens nothing from now on.
func (r *Registry) RevokeCodes(ctx context.Context, siteID string, created, at time.Time) (n int, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		query, args := "UPDATE codes SET revoked_at = ?1, expires_at = CASE WHEN expires_at > ?1 THEN ?1 ELSE expires_at END WHERE site_id = ?2 AND used_at IS NULL AND revoked_at IS NULL", []any{micros(at), siteID}
		if !created.IsZero() {
			query, args = query+" AND created_at = ?3", append(args, micros(created))
		}
		done, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		rows, err := done.RowsAffected()
		n = int(rows)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("revoke the codes of site %s: %w", siteID, err)
	}
	return n, nil
}
