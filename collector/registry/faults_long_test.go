//go:build long

package registry

import "testing"

// TestLongOnPostgreSQL runs the long tests again on the other engine.
func TestLongOnPostgreSQL(t *testing.T) { onPostgreSQL(t) }

// A commit on PostgreSQL takes longer, and its server is killed besides.
func TestLongKilledWriterLosesNothing(t *testing.T) {
	kills := 500
	if tested == postgres {
		kills = 200
	}
	killAgain(t, kills)
}

func TestLongKilledServer(t *testing.T) {
	onlyPostgres(t)
	killServer(t, 20)
}
