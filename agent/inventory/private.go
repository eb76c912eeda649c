package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"

	"anagrafe/protocol"
)

// Limits of what the owner keeps for himself.
const (
	maxPrivate     = 300 // characters of a value
	maxPrivateRows = 100 // values of a site
)

// privateName is what a value may be called.
var privateName = regexp.MustCompile(`^[a-z][a-z.-]{0,63}$`)

// privateOf is View.Private.
func privateOf(ctx context.Context, tx *sql.Tx, sites []Site) (map[string]map[string]string, error) {
	all := map[string]map[string]string{"": {}}
	for _, s := range sites {
		all[s.SiteID] = map[string]string{}
	}
	// What is kept for all sites comes first, and gives way.
	err := each(ctx, tx, `SELECT site_id, name, value FROM private ORDER BY site_id`, func(rows *sql.Rows) error {
		var of, name, value string
		if err := rows.Scan(&of, &name, &value); err != nil {
			return err
		}
		for site, values := range all {
			if of == "" || of == site {
				values[name] = value
			}
		}
		return nil
	})
	return all, err
}

// KeepPrivate keeps values by name, each as one line; "" is a value too, which
// hides that of siteID "". Wrong values are protocol.FieldErrors by name, an
// unknown site is ErrUnknown.
func (v *Inventory) KeepPrivate(ctx context.Context, siteID string, values map[string]string) error {
	var errs protocol.FieldErrors
	for name, value := range values {
		switch {
		case !privateName.MatchString(name):
			errs = append(errs, protocol.FieldError{Field: line(name), Why: "there is no such value"})
		case utf8.RuneCountInString(value) > maxPrivate:
			errs = append(errs, protocol.FieldError{Field: name, Why: fmt.Sprintf("it is longer than %d characters", maxPrivate)})
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("keep it for the owner: %w", errs)
	}
	err := v.write(ctx, func(tx *sql.Tx) error {
		b := &book{}
		if err := b.loadSites(ctx, tx); err != nil {
			return err
		}
		if siteID != "" && b.site(siteID) == nil {
			return fmt.Errorf("site %q: %w", siteID, ErrUnknown)
		}
		for name, value := range values {
			if _, err := tx.ExecContext(ctx, `INSERT INTO private (site_id, name, value, at) VALUES (?, ?, ?, ?)
				ON CONFLICT (site_id, name) DO UPDATE SET value = excluded.value, at = excluded.at`,
				siteID, name, oneLine(value), micros(time.Now())); err != nil {
				return err
			}
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM private WHERE site_id = ?`, siteID).Scan(&n); err != nil {
			return err
		}
		if n > maxPrivateRows {
			return protocol.FieldErrors{{Field: "name", Why: fmt.Sprintf("at most %d values are kept of a site", maxPrivateRows)}}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep it for the owner: %w", err)
	}
	return nil
}
