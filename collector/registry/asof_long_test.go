//go:build long

package registry

import "testing"

// TestLongAsOf is TestAsOfModel at length; TestLongOnPostgreSQL runs it on the
// other engine too.
func TestLongAsOf(t *testing.T) { asOfModel(t, 1000) }
