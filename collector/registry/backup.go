package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"
)

// KeysLife is how long a backup of the keys may be kept: what is erased can be
// opened in older backups until then, and no longer.
const KeysLife = 30 * 24 * time.Hour

// dataKeysTable goes into the backup of the keys alone.
const dataKeysTable = "data_keys"

// leftOut are the tables that no backup has: users sign in again, and
// a link that was used, or a session that was ended, does not come back.
var leftOut = []string{dataKeysTable, "sessions", "links", "ceremonies", "owner_sessions", "submission_sessions", restoringTable}

// Backup writes the register as it is at one instant, without the data keys,
// while it is in use; what out gets is whole only if it returns nil. On SQLite the
// write-ahead log grows for as long as out takes. version is the program's.
func (r *Registry) Backup(ctx context.Context, out io.Writer, to []age.Recipient, version string) (ArchiveInfo, error) {
	info, err := r.archive(ctx, out, to, ArchiveInfo{Kind: kindRegister, Version: version}, func(t table) bool {
		return !slices.Contains(leftOut, t.Name)
	}, nil)
	if err != nil {
		return ArchiveInfo{}, fmt.Errorf("back up the register: %w", err)
	}
	return info, nil
}

// KeyFile is a file of keys of the collector's directory.
type KeyFile struct {
	Path    string // below the directory, with slashes
	Content []byte
}

// filesTable is how an archive holds files.
var filesTable = table{Name: "files", Columns: []column{{"path", "text"}, {"content", "bytes"}}}

// errKeyChanged is returned for a master key that is not the register's any more.
var errKeyChanged = errors.New("the master key that was read opens nothing of the register: if the key was changed just now, back up again; " +
	"with several collectors, copy the file first from the one where it was changed")

// BackupKeys writes the data keys, sealed with the master key, and the files
// given, which have that one: with them a Backup can be opened. The files were read
// before; if the master key was changed since, nothing is written.
func (r *Registry) BackupKeys(ctx context.Context, out io.Writer, to []age.Recipient, version string, files []KeyFile) (ArchiveInfo, error) {
	info, err := r.archive(ctx, out, to, ArchiveInfo{Kind: kindKeys, Version: version}, func(t table) bool {
		return t.Name == dataKeysTable
	}, files)
	if err != nil {
		return ArchiveInfo{}, fmt.Errorf("back up the keys: %w", err)
	}
	return info, nil
}

func (r *Registry) archive(ctx context.Context, out io.Writer, to []age.Recipient, info ArchiveInfo, takes func(table) bool, files []KeyFile) (ArchiveInfo, error) {
	err := r.view(ctx, func(tx *tx) error {
		all, err := tables(ctx, tx)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(t table) bool { return !takes(t) })
		if info.Schema, err = schemaOf(ctx, tx); err != nil {
			return err
		}
		if info.Kind == kindKeys {
			if err := r.checkMaster(ctx, tx, files); err != nil {
				return err
			}
		}
		info.ID, info.At, info.Ledger = uuid.NewString(), exact(r.now()), r.ledger.head()
		h := archiveHeader{ArchiveInfo: info, Tables: all}
		if info.Kind == kindKeys {
			h.Tables = append(h.Tables, filesTable)
		}
		w, err := newArchive(out, to, h)
		if err != nil {
			return err
		}
		for _, t := range all {
			if err := w.copyTable(ctx, tx, t); err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
		}
		if info.Kind == kindKeys {
			if err := w.files(files); err != nil {
				return err
			}
		}
		return w.close()
	})
	return info, err
}

// checkMaster finds out whether one of the files is the master key that opens the data
// keys. The register's own tells: no other is sealed with a newer one before it is.
func (r *Registry) checkMaster(ctx context.Context, tx *tx, files []KeyFile) error {
	wrapped, err := wrappedOf(ctx, tx, registerOwner)
	if err != nil {
		return err
	}
	for _, f := range files {
		m := &master{path: f.Path}
		if m.take(f.Content) == nil && m.holds(wrappedWith(wrapped)) {
			return nil
		}
	}
	return errKeyChanged
}

// copyTable reads a table row by row; it holds one row at a time.
func (w *archiveWriter) copyTable(ctx context.Context, tx *tx, t table) error {
	if err := w.table(); err != nil {
		return err
	}
	values := make([]any, len(t.Columns))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	return each(ctx, tx, func(scan func(...any) error) error {
		if err := scan(into...); err != nil {
			return err
		}
		return w.row(values)
	}, "SELECT "+t.names()+" FROM "+t.Name)
}

func (w *archiveWriter) files(files []KeyFile) error {
	if err := w.table(); err != nil {
		return err
	}
	for _, f := range files {
		if err := w.row([]any{f.Path, notNull(f.Content)}); err != nil {
			return err
		}
	}
	return nil
}

// schemaOf is the number of the newest migration.
func schemaOf(ctx context.Context, tx *tx) (schema int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT max(version_id) FROM "+migrationsTable).Scan(&schema)
	return schema, err
}

// CheckBackup reads the backup of a register to its end and gives what it says of
// itself: ErrDamaged, errWrongKey, errNewerArchive, errNewerSchema.
func CheckBackup(in io.Reader, keys []age.Identity) (ArchiveInfo, error) {
	r, err := openKind(in, keys, kindRegister)
	if err != nil {
		return ArchiveInfo{}, err
	}
	err = r.rest(nil)
	return r.ArchiveInfo, err
}

// CheckKeys reads a backup of keys to its end, and gives its files.
func CheckKeys(in io.Reader, keys []age.Identity) (ArchiveInfo, []KeyFile, error) {
	r, err := openKind(in, keys, kindKeys)
	if err != nil {
		return ArchiveInfo{}, nil, err
	}
	var files []KeyFile
	err = r.rest(func(t table, row []any) error {
		if t.Name != filesTable.Name {
			return nil
		}
		path, ok1 := row[0].(string)
		content, ok2 := row[1].([]byte)
		if !ok1 || !ok2 {
			return ErrDamaged
		}
		files = append(files, KeyFile{path, content})
		return nil
	})
	return r.ArchiveInfo, files, err
}

// openKind opens an archive that this program can read and that is of one kind.
func openKind(in io.Reader, keys []age.Identity, kind string) (*archiveReader, error) {
	r, err := openArchive(in, keys)
	if err != nil {
		return nil, err
	}
	newest, err := newestSchema()
	switch {
	case err != nil:
		return nil, err
	case r.Kind == kindKeys && kind == kindRegister:
		return nil, fmt.Errorf("this is a backup of keys: give the one of the register, and this one as that of the keys")
	case r.Kind == kindRegister && kind == kindKeys:
		return nil, fmt.Errorf("this is a backup of the register: give the one of the keys, that backup-keys wrote")
	case r.Kind != kind:
		return nil, errNewerArchive
	case r.Schema > newest:
		return nil, fmt.Errorf("%w: the backup's schema is %d, this program knows %d; install that version (%s) and restore with it",
			errNewerSchema, r.Schema, newest, r.Version)
	}
	return r, nil
}

// rest reads all rows to the good end.
func (r *archiveReader) rest(f func(t table, row []any) error) error {
	for {
		n, row, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err == nil && f != nil {
			err = f(r.Tables[n], row)
		}
		if err != nil {
			return err
		}
	}
}
