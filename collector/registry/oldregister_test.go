package registry

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"anagrafe/protocol"
)

// oldTables are those of schema 4 that say something of a site, in the order in
// which they refer to one another.
var oldTables = []string{"sites", "agents", "grants", "codes", "messages", "versions", "contacts", "parts", "clocks",
	"reachability", "camera_observations", "changes", "owner_acts", "forces", "notices", "notice_replies"}

// writeOld makes a register of an older schema at path that says what r says, in
// clear, as the program of then wrote it. It returns where it is kept.
func writeOld(t testing.TB, r *Registry, path string, schema int64) string {
	t.Helper()
	store := storeAt(t, path)
	e, at, _, err := parseStore(store)
	if err != nil {
		t.Fatal(err)
	}
	var old *db
	if e == postgres {
		old, err = openPostgres(t.Context(), at)
	} else {
		old, err = sqliteWriter(at)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := migrations(old)
	if err == nil {
		_, err = p.UpTo(t.Context(), schema)
	}
	for _, table := range oldTables {
		if err == nil {
			err = r.view(t.Context(), func(tx *tx) error { return copyOld(t.Context(), r, tx, old, table) })
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.ExecContext(t.Context(), "ANALYZE"); err != nil { // PostgreSQL keeps samples of what it finds
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	return store
}

func copyOld(ctx context.Context, r *Registry, tx *tx, old *db, table string) error {
	was, err := old.QueryContext(ctx, "SELECT * FROM "+table+" LIMIT 0")
	if err != nil {
		return nil // there was none then
	}
	columns, err := was.Columns()
	if err := was.Close(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	from := table
	switch table { // what schema 6 changed
	case "owner_acts":
		from = "(SELECT site_id, number, reason AS act, at FROM acts WHERE author = 'owner' AND reason IN ('suspended', 'resumed', 'withdrawn')) AS a"
	case "reachability":
		from = "reachability r WHERE at = (SELECT max(at) FROM reachability n WHERE n.site_id = r.site_id AND n.recorder_id = r.recorder_id)"
	}
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+from)
	if err != nil {
		return err
	}
	defer rows.Close()
	now, err := rows.Columns()
	if err != nil {
		return err
	}
	var all []map[string]any
	for rows.Next() {
		values, into := make([]any, len(now)), make([]any, len(now))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		row := make(map[string]any)
		for i, name := range now {
			row[name] = values[i]
		}
		all = append(all, row)
	}
	if err := rows.Close(); err != nil {
		return err
	}
	for _, row := range all {
		if err := openRow(ctx, r, tx, table, row); err != nil {
			return err
		}
		var names, marks []string
		var args []any
		for _, c := range columns {
			if v, ok := row[c]; ok && v != nil {
				names, marks, args = append(names, c), append(marks, "?"), append(args, v)
			}
		}
		if _, err := old.ExecContext(ctx, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", args...); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	return nil
}

// openRow makes a row what it was before it was sealed.
func openRow(ctx context.Context, r *Registry, tx *tx, table string, row map[string]any) error {
	open := func(owner, place, column string) ([]byte, error) {
		sealed, _ := row[column].([]byte)
		if sealed == nil {
			return nil, nil
		}
		b, err := r.vault.boxOf(ctx, tx, owner)
		if err != nil {
			return nil, err
		}
		return b.open(place, sealed)
	}
	switch table {
	case "sites":
		plain, err := open(row["id"].(string), siteBody, "body")
		if err != nil {
			return err
		}
		var s protocol.Site
		if plain != nil {
			if s, err = decode[protocol.Site](string(plain)); err != nil {
				return err
			}
		}
		row["name"], row["address"] = s.Name, s.Address
	case "notices", "notice_replies":
		owner, place := row["id"], noticeBodyPlace
		if table == "notice_replies" {
			owner, place = row["notice_id"], replyBodyPlace(row["agent_id"].(string), row["state"].(string))
		}
		plain, err := open(owner.(string), place, "body")
		row["body"] = nil
		if plain != nil {
			row["body"] = plain
		}
		return err
	}
	for _, c := range sealedColumns {
		if c.table != table || table == "sites" {
			continue
		}
		var key []any
		for _, k := range c.key {
			key = append(key, row[k])
		}
		plain, err := open(row[c.owner].(string), placeOf(c.table+"."+c.column, key...), c.column)
		switch {
		case err != nil:
			return err
		case plain == nil:
			row[c.column] = nil
		case table == "parts":
			row[c.column] = plain
		default:
			row[c.column] = string(plain)
		}
	}
	return nil
}
