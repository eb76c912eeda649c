package inventory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"anagrafe/protocol/wholefile"
)

// copyName is the copy of before an update, beside the inventory.
const copyName = "inventory.before"

// Copy makes a whole copy of the inventory in dir, which nobody has open, in place of
// one of before. It is what Restore puts back when a new version of the program is
// given up: that may have changed the schema, and the old one cannot read it then.
func Copy(ctx context.Context, dir string) (err error) {
	to := filepath.Join(dir, copyName)
	part := to + ".part"
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("copy the inventory: %w", err), removed(part))
		}
	}()
	if err := removed(part); err != nil {
		return err
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // SQLite would leave it open to all
	if err != nil {
		return err
	}
	defer f.Close()
	db, err := openAlone(dir)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	// The state of the update, which says that the copy is there, must not outlive it.
	return moved(part, to)
}

// Restore puts the copy in place of the inventory in dir, which nobody has open. The
// copy stays until DropCopy. Without one nothing is done.
func Restore(dir string) (err error) {
	from, to := filepath.Join(dir, copyName), filepath.Join(dir, "inventory.db")
	copied, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("restore the inventory: %w", err)
		}
	}()
	if err != nil {
		return err
	}
	defer copied.Close()
	fresh, err := os.OpenFile(to+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(fresh, copied)
	if err == nil {
		err = fresh.Sync()
	}
	if err := errors.Join(err, fresh.Close()); err != nil {
		return errors.Join(err, removed(to+".part"))
	}
	// First the log: SQLite would play it into another file than its own.
	if err := errors.Join(removed(to+"-wal"), removed(to+"-shm")); err != nil {
		return err
	}
	return moved(to+".part", to)
}

// moved renames a file, and returns when its name is on the disk.
func moved(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return wholefile.SyncDir(filepath.Dir(to))
}

// DropCopy removes the copy, if there is one.
func DropCopy(dir string) error {
	return errors.Join(removed(filepath.Join(dir, copyName)), removed(filepath.Join(dir, copyName+".part")))
}

// SchemaOf is the number of the schema of the inventory in dir, which nobody writes.
func SchemaOf(ctx context.Context, dir string) (version int64, err error) {
	db, err := openAlone(dir)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if err := db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version").Scan(&version); err != nil {
		return 0, fmt.Errorf("read the inventory's schema: %w", err)
	}
	return version, nil
}

// openAlone opens the file as it is.
func openAlone(dir string) (*sql.DB, error) {
	path, err := filepath.Abs(filepath.Join(dir, "inventory.db"))
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", dsn(path, "mode=rw&_journal_mode=WAL&_busy_timeout=10000&_secure_delete=on"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
