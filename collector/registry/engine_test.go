package registry

import "testing"

func TestPlaceholders(t *testing.T) {
	for _, tt := range []struct{ query, sqlite, postgres string }{
		{"SELECT 1", "SELECT 1", "SELECT 1"},
		{"SELECT a FROM t WHERE b = ? AND c < ? ORDER BY d LIMIT ?", "SELECT a FROM t WHERE b = +? AND c < +? ORDER BY d LIMIT +?", "SELECT a FROM t WHERE b = $1 AND c < $2 ORDER BY d LIMIT $3"},
		{"UPDATE t SET a = ?2 WHERE b = ?1 OR c = ?1", "UPDATE t SET a = +?2 WHERE b = +?1 OR c = +?1", "UPDATE t SET a = $2 WHERE b = $1 OR c = $1"},
	} {
		for range 2 { // the second comes from what is kept
			for e, want := range map[engine]string{sqlite: tt.sqlite, postgres: tt.postgres} {
				if got := e.placeholders(tt.query); got != want {
					t.Errorf("%s: %q reads %q, want %q", e, tt.query, got, want)
				}
			}
		}
	}
}

// The plus before a placeholder changes no value of any type, nor keeps an index from
// being used.
func TestPlaceholderKeepsValue(t *testing.T) {
	onlySQLite(t)
	r := openNew(t)
	for _, v := range []any{nil, int64(7), 1.5, "07", "", []byte{0, 255}} {
		var same bool
		if err := r.read.DB.QueryRowContext(t.Context(), "SELECT ?1 IS +?1 AND typeof(?1) = typeof(+?1)", v).Scan(&same); err != nil || !same {
			t.Errorf("%T %v is changed (%v)", v, v, err)
		}
	}
	var id, parent, unused int
	var plan string
	if err := r.read.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN SELECT * FROM sites WHERE id = ?", "x").Scan(&id, &parent, &unused, &plan); err != nil {
		t.Fatal(err)
	}
	if want := "SEARCH sites USING INDEX sqlite_autoindex_sites_1 (id=?)"; plan != want {
		t.Errorf("%s, want %s", plan, want)
	}
}
