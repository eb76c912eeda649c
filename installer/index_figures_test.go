//go:build bench

package installer

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"anagrafe/collector/registry/registrytest"
	find "anagrafe/collector/search"
)

// loadFigures load the search index from a register on SQLite, beside reading the
// rows that it needs, which are not opened; and search it, 300 m around where sites
// are.
//
// Where the loading's processor time goes (16 µs a camera, of which reading the rows
// alone takes 4): a quarter reading them, a quarter decoding bodies, a tenth opening
// them, a tenth packing, and a sixth the garbage collector, for a body is copied
// three times (by the driver, by database/sql, by opening it). Reading is one
// goroutine's, the rest all processors'. The next step is to have a body opened
// where it was read.
func loadFigures(t *testing.T, dir, file string, cameras int) []figure {
	t.Helper()
	d := openSQL(t, file)
	var rows int
	reading := timed(t, func() error {
		for _, query := range []string{
			"SELECT s.id, s.category, s.suspended_at, k.sealed FROM sites s JOIN data_keys k ON k.owner = s.id",
			"SELECT site_id, id, version, valid_from, recorded_at, valid_until, body FROM versions WHERE kind = 'camera'",
			"SELECT site_id, camera_id, at, recorded_at, oldest_footage, settled, schedule, retention FROM camera_observations",
			"SELECT site_id, recorder_id, at FROM clocks",
		} {
			if err := readRaw(t, d, query, &rows); err != nil {
				return err
			}
		}
		return nil
	})
	if rows < cameras {
		t.Fatalf("%d rows of %d cameras: this is no measurement", rows, cameras)
	}
	r := registrytest.Open(t, registrytest.Options(dir, quiet))
	x := find.New(r, quiet)
	loading := timed(t, func() error { return x.CatchUp(t.Context()) })
	var took []float64
	hits := 0
	for i := range 2000 {
		at := time.Now()
		a, err := x.Search(t.Context(), find.Query{In: find.Circle{At: spread(i, 0), RadiusM: 300}, From: at, Until: at, Now: at})
		if err != nil {
			t.Fatal(err)
		}
		took = append(took, float64(time.Since(at).Microseconds()))
		hits += len(a.Hits)
	}
	slices.Sort(took)
	return []figure{
		atMost("index.load", fmt.Sprintf("load the search index of %d cameras, against reading their rows alone", cameras), loading, "s", reading, 3),
		bounded("search_p50.register", fmt.Sprintf("a search of 300 m in it, %.0f hits", float64(hits)/float64(len(took))), took[len(took)/2], "µs", 1000),
		bounded("search_p99.register", "99 % of them in", took[len(took)*99/100], "µs", 1000),
	}
}

// readRaw reads a query's rows as bytes.
func readRaw(t *testing.T, d *sql.DB, query string, n *int) error {
	rows, err := d.QueryContext(t.Context(), query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		*n++
	}
	return rows.Err()
}
