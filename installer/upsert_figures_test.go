//go:build bench

package installer

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"anagrafe/collector/registry/registrytest"
)

// upsertBatch is how many messages' rows one transaction of the floor takes.
const upsertBatch = 100

// table is a table of the register, by the statement that puts a row into it.
type table struct {
	name    string
	columns []string
	upsert  string
}

// row is one row of a table.
type row struct {
	of     int // place in the tables
	values []any
}

// upsertsPerCore is the floor of ingest: the rows that the register's messages
// left, put into an empty register straight through SQL, in batches, with the
// same settings of the engine. It gives messages a second of processor time.
func upsertsPerCore(t *testing.T, file string) float64 {
	t.Helper()
	ctx := t.Context()
	from := openSQL(t, file)
	tables := messageTables(t, from)
	messages := messageRows(t, from, tables)

	to := emptyCopy(t, from)
	before := ownProcessorTime(t)
	for batch := range slices.Chunk(messages, upsertBatch) {
		if err := upsertAll(ctx, to, tables, batch); err != nil {
			t.Fatal(err)
		}
	}
	took := ownProcessorTime(t) - before
	var n int
	if err := to.QueryRowContext(ctx, "SELECT count(*) FROM messages").Scan(&n); err != nil || n != len(messages) || n == 0 {
		t.Fatalf("%d of %d messages are there (%v): this is no measurement", n, len(messages), err)
	}
	return float64(n) / took.Seconds()
}

// openSQL opens a register with the settings of package registry's writer, but for
// what is about savepoints: it sets none.
func openSQL(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+file+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_busy_timeout=10000&_foreign_keys=1&_secure_delete=1&_cache_size=-32768")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// messageTables are those that a message writes to: all that name a site, but
// for what an enrolment or an officer writes, and the sites and agents
// themselves.
func messageTables(t *testing.T, db *sql.DB) []table {
	t.Helper()
	var tables []table
	var names []string
	scan(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND (name IN ('sites', 'agents') OR sql LIKE '%site_id%') AND name NOT IN ('codes', 'grants', 'notices') ORDER BY name",
		func(v []any) { names = append(names, fmt.Sprint(v[0])) })
	for _, name := range names {
		tb := table{name: name}
		var key, set []string
		scan(t, db, "SELECT name, pk FROM pragma_table_info('"+name+"')", func(v []any) {
			column := fmt.Sprint(v[0])
			tb.columns = append(tb.columns, column)
			if v[1] != int64(0) {
				key = append(key, column)
			} else {
				set = append(set, column+" = excluded."+column)
			}
		})
		tb.upsert = fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s) ON CONFLICT (%s) DO UPDATE SET %s", name, strings.Join(tb.columns, ", "),
			strings.Repeat(", ?", len(tb.columns)-1), strings.Join(key, ", "), strings.Join(set, ", "))
		tables = append(tables, tb)
	}
	return tables
}

// messageRows are the rows of each message, in the order in which they came;
// each site has sent one.
func messageRows(t *testing.T, db *sql.DB, tables []table) [][]row {
	t.Helper()
	bySite := map[string][]row{}
	for i, tb := range tables {
		query := "SELECT site_id, x.* FROM " + tb.name + " x"
		switch tb.name {
		case "sites":
			query = "SELECT id, x.* FROM sites x"
		case "agents":
			query = "SELECT g.site_id, x.* FROM agents x JOIN grants g ON g.agent_id = x.id"
		}
		scan(t, db, query, func(v []any) {
			site := fmt.Sprint(v[0])
			bySite[site] = append(bySite[site], row{i, slices.Clone(v[1:])})
		})
	}
	var messages [][]row
	scan(t, db, "SELECT site_id FROM messages ORDER BY recorded_at", func(v []any) {
		messages = append(messages, bySite[fmt.Sprint(v[0])])
	})
	return messages
}

// emptyCopy is a register of today's schema in which everybody is enrolled and
// nobody has sent anything.
func emptyCopy(t *testing.T, from *sql.DB) *sql.DB {
	t.Helper()
	dir := t.TempDir()
	if err := registrytest.Open(t, registrytest.Options(dir, quiet)).Close(); err != nil {
		t.Fatal(err)
	}
	to := openSQL(t, filepath.Join(dir, registerName))
	tx, err := to.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sites", "agents", "codes", "grants"} {
		scan(t, from, "SELECT * FROM "+name, func(v []any) {
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO "+name+" VALUES (?"+strings.Repeat(", ?", len(v)-1)+")", v...); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, query := range []string{
		"UPDATE sites SET declared_at = NULL, heard_at = NULL",
		"UPDATE agents SET seen_at = NULL",
	} {
		if _, err := tx.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return to
}

func upsertAll(ctx context.Context, db *sql.DB, tables []table, messages [][]row) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	statements := make([]*sql.Stmt, len(tables))
	for i, tb := range tables {
		if statements[i], err = tx.PrepareContext(ctx, tb.upsert); err != nil {
			return fmt.Errorf("%s: %w", tb.upsert, err)
		}
	}
	for _, m := range messages {
		for _, r := range m {
			if _, err := statements[r.of].ExecContext(ctx, r.values...); err != nil {
				return fmt.Errorf("%s: %w", tables[r.of].upsert, err)
			}
		}
	}
	return tx.Commit()
}

// scan calls f with each row's values.
func scan(t *testing.T, db *sql.DB, query string, f func([]any)) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		f(values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// ownProcessorTime is what this process has used until now.
func ownProcessorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
