package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"anagrafe/collector/ingest"
)

// What no test can have an engine say. The others are where it is said: see the
// tests of faults.
func TestRemedy(t *testing.T) {
	nobody := func() error {
		_, err := pgx.Connect(context.Background(), "postgres://nobody@/nothing?host="+t.TempDir())
		return err
	}
	for name, c := range map[string]struct {
		err error
		do  string
	}{
		"a full disk, in other words":   {sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.ENOSPC}, remedyFull},
		"a disk that fails":             {sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrFsync}, remedyDisk},
		"a damaged file":                {sqlite3.Error{Code: sqlite3.ErrCorrupt}, remedyDamaged},
		"the file of another program":   {sqlite3.Error{Code: sqlite3.ErrNotADB}, remedyDamaged},
		"a server without connections":  {&pgconn.PgError{Code: "53300"}, remedyConnections},
		"a lock that is held":           {&pgconn.PgError{Code: "55P03"}, remedyTurn},
		"a server that ends":            {&pgconn.PgError{Code: "57P01"}, remedyServer},
		"a server that is gone":         {io.ErrUnexpectedEOF, remedyServer},
		"a server that is not there":    {nobody(), remedyServer},
		"a server whose disk fails":     {&pgconn.PgError{Code: "58030"}, remedyDisk},
		"a server with damaged files":   {&pgconn.PgError{Code: "XX001"}, remedyDamaged},
		"a refusal":                     {ingest.ErrStale, ""},
		"one that a constraint refused": {sqlite3.Error{Code: sqlite3.ErrConstraint}, ""},
		"none":                          {nil, ""},
	} {
		if c.err != nil {
			c.err = fmt.Errorf("record: %w", c.err)
		}
		if do := remedy(c.err); do != c.do {
			t.Errorf("%s (%v): %q, want %q", name, c.err, do, c.do)
		}
		if Unavailable(c.err) != (c.do != "") {
			t.Errorf("%s (%v): unavailable: %v", name, c.err, Unavailable(c.err))
		}
		if got := explained(c.err); !errors.Is(got, c.err) {
			t.Errorf("%s: %v is no %v any more", name, got, c.err)
		}
	}
}
