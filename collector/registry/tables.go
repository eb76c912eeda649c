package registry

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// table is a table as both engines have it.
type table struct {
	Name    string   `json:"name"`
	Columns []column `json:"columns"`
	// Counter is the highest number that the table has given by itself; 0: it
	// gives none. One that was given is not given again.
	Counter int64 `json:"counter,omitempty"`

	refers   []string // tables that its rows name rows of
	identity string   // PostgreSQL's sequence of its numbers; "": none
}

// column's type is one of both engines': int, real, text, bytes. (SQLite keeps yes
// and no as int: see fit.)
type column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

var columnTypes = map[string]string{
	"INTEGER": "int", "REAL": "real", "TEXT": "text", "BLOB": "bytes", // SQLite's
	"bigint": "int", "integer": "int", "smallint": "int", "boolean": "bool", "double precision": "real", "text": "text", "bytea": "bytes",
}

// tables lists the tables of the register, each after those that it refers to.
func tables(ctx context.Context, tx *tx) ([]table, error) {
	list := sqliteTables
	if tx.engine == postgres {
		list = postgresTables
	}
	all, err := list(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("list the register's tables: %w", err)
	}
	return inOrder(all)
}

const migrationsTable = "goose_db_version"

func sqliteTables(ctx context.Context, tx *tx) (all []table, err error) {
	err = eachColumn(ctx, tx, &all, `SELECT t.name, c.name, c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> ? ORDER BY t.name, c.cid`)
	if err != nil {
		return nil, err
	}
	for i := range all {
		t := &all[i]
		if t.refers, err = textsOf(ctx, tx, `SELECT "table" FROM pragma_foreign_key_list(?)`, t.Name); err != nil {
			return nil, err
		}
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?", t.Name).Scan(&t.Counter); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func postgresTables(ctx context.Context, tx *tx) (all []table, err error) {
	err = eachColumn(ctx, tx, &all, `SELECT c.table_name::text, c.column_name::text, c.data_type::text
		FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name <> ? ORDER BY c.table_name COLLATE "C", c.ordinal_position`)
	if err != nil {
		return nil, err
	}
	for i := range all {
		t := &all[i]
		if t.refers, err = textsOf(ctx, tx, `SELECT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND conrelid = to_regclass(?)`, t.Name); err != nil {
			return nil, err
		}
		numbers, err := textsOf(ctx, tx, `SELECT pg_get_serial_sequence(?1, column_name) FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name = ?1 AND is_identity = 'YES'`, t.Name)
		if err != nil {
			return nil, err
		}
		for _, sequence := range numbers {
			t.identity = sequence
			if err := tx.QueryRowContext(ctx, "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM "+sequence).Scan(&t.Counter); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// eachColumn fills the tables from rows of table, column and type.
func eachColumn(ctx context.Context, tx *tx, all *[]table, query string) error {
	return each(ctx, tx, func(scan func(...any) error) error {
		var name string
		var c column
		if err := scan(&name, &c.Name, &c.Type); err != nil {
			return err
		}
		known, ok := columnTypes[c.Type]
		if !ok {
			return fmt.Errorf("the type %q of %s.%s is unknown", c.Type, name, c.Name)
		}
		c.Type = known
		if n := len(*all); n == 0 || (*all)[n-1].Name != name {
			*all = append(*all, table{Name: name})
		}
		t := &(*all)[len(*all)-1]
		t.Columns = append(t.Columns, c)
		return nil
	}, query, migrationsTable)
}

func textsOf(ctx context.Context, tx *tx, query string, args ...any) (all []string, err error) {
	err = each(ctx, tx, func(scan func(...any) error) error {
		var s sql.NullString
		err := scan(&s)
		all = append(all, s.String)
		return err
	}, query, args...)
	return all, err
}

// inOrder puts each table after those that it refers to.
func inOrder(all []table) (ordered []table, err error) {
	done := make(map[string]bool)
	for len(ordered) < len(all) {
		before := len(ordered)
		for _, t := range all {
			waits := slices.ContainsFunc(t.refers, func(other string) bool { return other != t.Name && !done[other] })
			if !done[t.Name] && !waits {
				done[t.Name] = true
				ordered = append(ordered, t)
			}
		}
		if len(ordered) == before {
			return nil, fmt.Errorf("the register's tables refer to each other in a circle")
		}
	}
	return ordered, nil
}

// names are the columns, for a statement.
func (t table) names() string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// fit returns a value as a column of the engine at hand takes it: what is yes or
// no on PostgreSQL is 0 or 1 on SQLite.
func (c column) fit(v any) (any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if c.Type == "bool" {
			return x, nil
		}
		if c.Type == "int" && x {
			return int64(1), nil
		}
		if c.Type == "int" {
			return int64(0), nil
		}
	case int64:
		if c.Type == "bool" && (x == 0 || x == 1) {
			return x == 1, nil
		}
		if c.Type == "int" {
			return x, nil
		}
	case float64:
		if c.Type == "real" {
			return x, nil
		}
	case string:
		if c.Type == "text" {
			return x, nil
		}
	case []byte:
		if c.Type == "bytes" {
			return x, nil
		}
	}
	return nil, fmt.Errorf("%w (a %T stands in column %s)", ErrDamaged, v, c.Name)
}
