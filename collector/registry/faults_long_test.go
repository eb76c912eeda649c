//go:build long

package registry

import "testing"

// TestLongOnPostgreSQL runs the long tests again on the other engine.
func TestLongOnPostgreSQL(t *testing.T) { onPostgreSQL(t) }

func TestLongKilledWriterLosesNothing(t *testing.T) { killAgain(t, 500) }

func TestLongKilledServer(t *testing.T) {
	onlyPostgres(t)
	killServer(t, 20)
}
