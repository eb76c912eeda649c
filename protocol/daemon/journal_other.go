//go:build !linux

package daemon

import "io"

// InJournal reports whether what is written to w goes to the journal, which Linux has.
func InJournal(io.Writer) bool { return false }
