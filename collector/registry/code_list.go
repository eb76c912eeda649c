package registry

import (
	"context"
	"fmt"
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

// inCodeState is the condition of each. Only of a code that can be used the site is looked at.
var inCodeState = map[CodeState]string{
	CodeRevoked: "c.revoked_at IS NOT NULL",
	CodeUsed:    "c.revoked_at IS NULL AND c.used_at IS NOT NULL",
	CodeExpired: "c.revoked_at IS NULL AND c.used_at IS NULL AND c.expires_at <= ?1",
	CodeOpened:  codeUsable + codeOpened,
	CodeIssued:  codeUsable + "NOT " + codeOpened,
}

const (
	codeUsable = "c.revoked_at IS NULL AND c.used_at IS NULL AND c.expires_at > ?1 AND "
	codeOpened = "EXISTS (SELECT 1 FROM sites s WHERE s.id = c.site_id AND s.opened_at >= c.created_at)"
)

// CodeRow is a code as operations see it: never the code, which the register does
// not know.
type CodeRow struct {
	SiteID                                      string
	Name                                        string // of the site, as invited
	State                                       CodeState
	CreatedAt, ExpiresAt, UsedAt, RevokedAt, At time.Time // zero: not; At is when it came into its state

	hash []byte
}

// CodeFilter selects codes; zero fields match all.
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
		w.terms = append(w.terms, inCodeState[f.State])
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
func (r *Registry) CountCodes(ctx context.Context, f CodeFilter) (int, error) {
	return r.count(ctx, "codes c", f.where(r.now()))
}

// CodeRows calls row for each code of a window, by when it was made.
func (r *Registry) CodeRows(ctx context.Context, f CodeFilter, in Window, row func(CodeRow) error) error {
	return inParts(ctx, in, func(in Window) ([]CodeRow, error) { return r.codeRows(ctx, f, in) }, CodeRow.sortKey, row)
}

func (c CodeRow) sortKey() rowPlace { return rowPlace{c.CreatedAt, c.hash} }

func (r *Registry) codeRows(ctx context.Context, f CodeFilter, in Window) (rows []CodeRow, err error) {
	query, args := in.page("SELECT c.hash, c.site_id, "+codeState+`, c.created_at, c.expires_at, coalesce(c.used_at, 0), coalesce(c.revoked_at, 0), coalesce(s.opened_at, 0), s.invited,
			(SELECT sealed FROM data_keys k WHERE k.owner = s.id) FROM codes c JOIN sites s ON s.id = c.site_id JOIN (SELECT c.hash FROM codes c`, f.where(r.now()), "c.created_at", "c.hash")
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			c, err := r.scanCodeRow(scan)
			rows = append(rows, c)
			return err
		}, query+") page ON page.hash = c.hash ORDER BY "+in.order("c.created_at", "c.hash"), args...)
	})
	if err != nil {
		return nil, fmt.Errorf("list codes: %w", err)
	}
	return rows, nil
}

func (r *Registry) scanCodeRow(scan func(...any) error) (c CodeRow, err error) {
	var invited, key []byte
	var created, expires, used, revoked, opened int64
	if err := scan(&c.hash, &c.SiteID, &c.State, &created, &expires, &used, &revoked, &opened, &invited, &key); err != nil {
		return c, err
	}
	c.CreatedAt, c.ExpiresAt, c.UsedAt, c.RevokedAt = fromMicros(created), fromMicros(expires), fromMicros(used), fromMicros(revoked)
	c.At = map[CodeState]time.Time{CodeIssued: c.CreatedAt, CodeOpened: fromMicros(opened), CodeUsed: c.UsedAt, CodeExpired: c.ExpiresAt, CodeRevoked: c.RevokedAt}[c.State]
	as, err := r.vault.openInvited(c.SiteID, key, invited)
	c.Name = as.Name
	return c, err
}

// RevokeCodes revokes the unused codes that a site was given at a moment, or at any with
// the zero time.
func (r *Registry) RevokeCodes(ctx context.Context, siteID string, created, at time.Time) (n int, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		query, args := "UPDATE codes SET revoked_at = ?1, expires_at = CASE WHEN expires_at > ?1 THEN ?1 ELSE expires_at END WHERE site_id = ?2 AND used_at IS NULL AND revoked_at IS NULL",
			[]any{micros(at), siteID}
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
