package registry

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"filippo.io/age"
)

var (
	// errNotEmpty is returned by Restore for a place that holds something.
	errNotEmpty = errors.New("there is something already: restore into a new file, or a new database")
	// errRestoring is returned by Open for a register that Restore did not finish.
	errRestoring = errors.New("a restore into it was broken off: remove the file (or drop the database and make it anew), and restore again")
)

// restoringTable stands in a register while it is being restored.
const restoringTable = "restoring"

const (
	insertedAtOnce  = 256    // rows of one statement
	maxArguments    = 16_000 // of one statement; SQLite takes 32,766
	committedAtOnce = 20_000 // rows of one transaction
)

// Restoration is the input of Restore. It has no file of a ledger: what Restore
// erases stands in one already.
type Restoration struct {
	Store      string // where to, as Open takes it; empty
	Keys       Keys   // restored already, of the files of KeysBackup
	Identities []age.Identity
	// Backup and KeysBackup open the files that CheckBackup and CheckKeys found
	// good, with the Identities.
	Backup, KeysBackup func() (io.ReadCloser, error)
	Ledger             []Erasure // all that was erased, in order
	Log                *slog.Logger
}

// Restored is the outcome of Restore.
type Restored struct {
	Rows  int64 // read back
	Sites int   // of which the ledger said more than the backup knew: erased, suspended or resumed again
	// Unread are sites whose data key is not the one of the backup: something of
	// them was erased between the two backups. Their agents send them again.
	Unread int
	// Organisations are those whose data key is not the one of the backup: they are to
	// be typed anew.
	Organisations int
}

// Restore makes a register anew from its backup, brings its schema up to date and
// does again what the ledger of erasures says. Until all of that is done, Open
// refuses the register.
func Restore(ctx context.Context, o Restoration) (Restored, error) {
	e, at, shown, err := parseStore(o.Store)
	if err != nil {
		return Restored{}, err
	}
	done, err := restore(ctx, e, at, o)
	if err != nil {
		return Restored{}, fmt.Errorf("restore the register %s: %w", shown, err)
	}
	return done, nil
}

func restore(ctx context.Context, e engine, at string, o Restoration) (done Restored, err error) {
	if e == sqlite {
		if info, err := os.Stat(at); err == nil && info.Size() > 0 {
			return Restored{}, errNotEmpty
		}
	}
	r, err := connect(ctx, e, at, o.Keys, o.Log)
	if err != nil {
		return Restored{}, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := r.update(ctx, markRestoring); err != nil {
		return Restored{}, err
	}
	if done.Rows, err = r.loadBackup(ctx, o); err != nil {
		return Restored{}, err
	}
	if err := r.migrate(ctx, o.Keys); err != nil {
		return Restored{}, err
	}
	if done.Unread, done.Organisations, err = r.dropUnread(ctx); err != nil {
		return Restored{}, fmt.Errorf("leave out what the data keys do not open: %w", err)
	}
	if done.Sites, err = r.replay(ctx, o.Ledger); err != nil {
		return Restored{}, fmt.Errorf("do again what the ledger of erasures says: %w", err)
	}
	return done, r.update(ctx, func(ctx context.Context, tx *tx) error {
		_, err := tx.ExecContext(ctx, "DROP TABLE "+restoringTable)
		return err
	})
}

// markRestoring refuses a database with anything in it, and has Open refuse it
// from now on.
func markRestoring(ctx context.Context, tx *tx) error {
	query := "SELECT EXISTS (SELECT 1 FROM sqlite_schema)"
	if tx.engine == postgres {
		query = "SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema())"
	}
	var something bool
	if err := tx.QueryRowContext(ctx, query).Scan(&something); err != nil {
		return err
	}
	if something {
		return errNotEmpty
	}
	_, err := tx.ExecContext(ctx, "CREATE TABLE "+restoringTable+" (one INTEGER)")
	return err
}

// refuseRestoring returns errRestoring for a register that Restore has begun and
// not finished.
func (r *Registry) refuseRestoring(ctx context.Context) error {
	query := "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?)"
	if r.write.engine == postgres {
		query = "SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?)"
	}
	var begun bool
	if err := r.write.QueryRowContext(ctx, query, restoringTable).Scan(&begun); err != nil {
		return err
	}
	if begun {
		return errRestoring
	}
	return nil
}

// loadBackup makes the schema that the backup is of, and fills it.
func (r *Registry) loadBackup(ctx context.Context, o Restoration) (rows int64, err error) {
	in, err := o.Backup()
	if err != nil {
		return 0, err
	}
	defer in.Close()
	backup, err := openKind(in, o.Identities, kindRegister)
	if err != nil {
		return 0, err
	}
	p, err := migrations(r.write)
	if err != nil {
		return 0, err
	}
	if _, err := p.UpTo(ctx, backup.Schema); err != nil {
		return 0, fmt.Errorf("make schema %d: %w", backup.Schema, err)
	}
	if err := r.loadKeys(ctx, o); err != nil {
		return 0, err
	}
	if rows, err = r.load(ctx, backup, func(t table) bool { return true }); err != nil {
		return 0, err
	}
	if r.write.engine == postgres {
		_, err = r.write.ExecContext(ctx, "ANALYZE")
		r.write.pool.Reset() // its connections have statements prepared for tables that the migrations change
	}
	return rows, err
}

// loadKeys fills the table of data keys.
func (r *Registry) loadKeys(ctx context.Context, o Restoration) error {
	in, err := o.KeysBackup()
	if err != nil {
		return err
	}
	defer in.Close()
	keys, err := openKind(in, o.Identities, kindKeys)
	if err != nil {
		return err
	}
	rows, err := r.load(ctx, keys, func(t table) bool { return t.Name == dataKeysTable })
	if err == nil && rows == 0 {
		err = fmt.Errorf("%w (the backup of the keys holds no data key)", ErrDamaged)
	}
	return err
}

// load copies the tables of an archive that takes chooses.
func (r *Registry) load(ctx context.Context, in *archiveReader, takes func(table) bool) (rows int64, err error) {
	l := loader{r: r, places: make([]*place, len(in.Tables))}
	defer func() { err = errors.Join(err, l.end(err == nil)) }()
	for i, t := range in.Tables {
		if takes(t) {
			if l.places[i], err = l.prepare(ctx, t); err != nil {
				return 0, fmt.Errorf("%s: %w", t.Name, err)
			}
		}
	}
	for {
		n, row, err := in.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
		if p := l.places[n]; p != nil {
			if err := l.add(ctx, p, row); err != nil {
				return 0, fmt.Errorf("%s: %w", p.Name, err)
			}
			rows++
		}
	}
	for _, p := range l.places {
		if p != nil {
			if err := errors.Join(l.flush(ctx, p), l.count(ctx, p)); err != nil {
				return 0, fmt.Errorf("%s: %w", p.Name, err)
			}
		}
	}
	return rows, nil
}

// loader fills tables, in transactions of their own: nobody else uses the
// register yet.
type loader struct {
	r       *Registry
	tx      *tx
	pending int // rows since the transaction began
	last    *place
	places  []*place // of the archive's tables; nil: not taken
}

// place is a table to fill.
type place struct {
	table          // as the archive has it
	here  []column // its columns as the engine has them, in the archive's order
	args  []any    // of rows that wait
	rows  int
	most  int // rows that wait at most
}

// begin has the loader's transaction.
func (l *loader) begin(ctx context.Context) (err error) {
	if l.tx == nil {
		l.pending = 0
		l.tx, err = l.r.write.begin(ctx, driver.TxOptions{})
	}
	return err
}

func (l *loader) end(commit bool) error {
	if l.tx == nil {
		return nil
	}
	t := l.tx
	l.tx = nil
	if !commit {
		return t.Rollback()
	}
	return t.Commit()
}

// prepare finds a table here, and empties it of what the migrations put there.
func (l *loader) prepare(ctx context.Context, t table) (*place, error) {
	if err := l.begin(ctx); err != nil {
		return nil, err
	}
	all, err := tables(ctx, l.tx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(h table) bool { return h.Name == t.Name })
	if i < 0 {
		return nil, fmt.Errorf("%w (its schema has no such table)", ErrDamaged)
	}
	t.identity = all[i].identity
	p := &place{table: t, most: min(insertedAtOnce, maxArguments/len(t.Columns))}
	for _, c := range t.Columns {
		j := slices.IndexFunc(all[i].Columns, func(h column) bool { return h.Name == c.Name })
		if j < 0 {
			return nil, fmt.Errorf("%w (there is no column %q)", ErrDamaged, c.Name)
		}
		p.here = append(p.here, all[i].Columns[j])
	}
	var filled bool
	if err := l.tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+t.Name+")").Scan(&filled); err != nil || !filled {
		return p, err
	}
	_, err = l.tx.ExecContext(ctx, "DELETE FROM "+t.Name)
	return p, err
}

func (l *loader) add(ctx context.Context, p *place, row []any) error {
	if l.last != p && l.last != nil {
		if err := l.flush(ctx, l.last); err != nil { // a table's rows are there before those that refer to them
			return err
		}
	}
	l.last = p
	for i, c := range p.here {
		v, err := c.fit(row[i])
		if err != nil {
			return err
		}
		p.args = append(p.args, v)
	}
	if p.rows++; p.rows < p.most {
		return nil
	}
	return l.flush(ctx, p)
}

// flush writes the rows that wait.
func (l *loader) flush(ctx context.Context, p *place) error {
	if p.rows == 0 {
		return nil
	}
	if l.pending += p.rows; l.pending > committedAtOnce {
		if err := l.end(true); err != nil {
			return err
		}
	}
	if err := l.begin(ctx); err != nil {
		return err
	}
	row := "(" + strings.Repeat("?, ", len(p.here)-1) + "?)"
	_, err := l.tx.ExecContext(ctx, "INSERT INTO "+p.Name+" ("+p.names()+") VALUES "+strings.Repeat(row+", ", p.rows-1)+row, p.args...)
	clear(p.args)
	p.args, p.rows = p.args[:0], 0
	return err
}

// count has the table go on with its numbers where it was.
func (l *loader) count(ctx context.Context, p *place) error {
	if p.Counter == 0 {
		return nil
	}
	if err := l.begin(ctx); err != nil {
		return err
	}
	if l.tx.engine == postgres {
		var n sql.NullInt64
		return l.tx.QueryRowContext(ctx, "SELECT setval(?, ?)", p.identity, p.Counter).Scan(&n)
	}
	if _, err := l.tx.ExecContext(ctx, "DELETE FROM sqlite_sequence WHERE name = ?", p.Name); err != nil {
		return err
	}
	_, err := l.tx.ExecContext(ctx, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", p.Name, p.Counter)
	return err
}
