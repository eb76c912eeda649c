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

// Private returns what the owner keeps on this computer for himself about a site,
// by name: values of the site, else those kept with siteID "". It is read by the
// pages alone and enters no message.
func (v *Inventory) Private(ctx context.Context, siteID string) (values map[string]string, err error) {
	values = map[string]string{}
	err = v.read(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, `SELECT name, value FROM private WHERE site_id IN ('', ?) ORDER BY site_id`, func(rows *sql.Rows) error {
			var name, value string
			if err := rows.Scan(&name, &value); err != nil {
				return err
			}
			values[name] = value
			return nil
		}, siteID)
	})
	if err != nil {
		return nil, fmt.Errorf("look up what is kept for the owner: %w", err)
	}
	return values, nil
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
