package registry

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"filippo.io/age"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
)

// Names, addresses, positions, contacts and words that people wrote are sealed
// (AES-256-GCM by Tink) with the data key of whom they are of: a site, an
// organisation, a notice, a case. The data keys lie in data_keys, sealed with the master
// key, which lies outside the database (master.go). A data key is destroyed by
// overwriting it in its row: what was sealed with it is then gone wherever a copy
// of it lies, in the database's log, in the gaps of its pages, in a backup.
// What goes while the rest of a site stays goes by a new key for the rest
// (rekey.go).

// Kinds of owners of data keys.
const (
	ownerRegister     = "register" // one, registerOwner: tells which master key is in use
	ownerSite         = "site"
	ownerOrganisation = "organisation"
	ownerNotice       = "notice"
	ownerCase         = "case"
	ownerSubmission   = "submission"
)

// leastKey is how many bytes a key has at least.
const leastKey = 32

// registerOwner stands in the place of an id.
const registerOwner = "register"

// errDestroyed is returned for what was sealed with a data key that is no more.
var errDestroyed = errors.New("its data key was destroyed")

// Keys are the keys that lie outside the database. All are needed; those that are bytes, of at
// least 32, are derived from the root secret.
type Keys struct {
	// Master is the file of the master key. It is made for a register in which
	// nothing is sealed yet, and never replaced.
	Master string
	// Lookup is of the hashes by which a phone number or an e-mail address is found.
	Lookup []byte
	// Consult is the key of consultation, with which notices, the replies to them and
	// cases are sealed: who reads the database, or a copy of it, learns that something
	// was asked and not what.
	Consult *age.X25519Identity
	// Owners is what owners' codes are derived with.
	Owners []byte
	// Ledger is what the lines of the ledger of erasures are signed with.
	Ledger []byte
}

func (k Keys) check() error {
	switch {
	case k.Master == "":
		return errors.New("the file of the master key is missing")
	case k.Consult == nil:
		return errors.New("the key of consultation is missing")
	case min(len(k.Lookup), len(k.Owners), len(k.Ledger)) < leastKey:
		return fmt.Errorf("the keys for look-ups, owners' codes and the ledger have %d, %d and %d bytes, at least %d expected",
			len(k.Lookup), len(k.Owners), len(k.Ledger), leastKey)
	}
	return nil
}

// vault opens and makes data keys.
type vault struct {
	master *master
	lookup []byte

	overwritten atomic.Int64 // keys that were: see wipe.go

	mu     sync.Mutex
	opened map[string]*box // by the sealed key: another state of the database has other keys
}

// maxOpened bounds the opened keys that are kept: about 2 KiB each.
const maxOpened = 4096

func newVault(m *master, lookup []byte) *vault {
	return &vault{master: m, lookup: lookup, opened: make(map[string]*box)}
}

// box is an opened data key.
type box struct {
	owner string
	aead  *subtle.AESGCM
}

// seal seals what is to stand at a place (see placeOf).
func (b *box) seal(place string, plain []byte) ([]byte, error) {
	sealed, err := b.aead.Encrypt(plain, b.bound(place))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", place, err)
	}
	return sealed, nil
}

// open opens what seal has sealed for the same owner and place.
func (b *box) open(place string, sealed []byte) ([]byte, error) {
	if b == nil {
		return nil, fmt.Errorf("open %s: %w", place, errDestroyed)
	}
	plain, err := b.aead.Decrypt(sealed, b.bound(place))
	if err != nil {
		return nil, fmt.Errorf("open %s: it is damaged, or was sealed for another place: restore the register", place)
	}
	return plain, nil
}

// bound is the additional data: a sealed text that somebody moves to another row
// does not open there.
func (b *box) bound(place string) []byte {
	return []byte("anagrafe sealed 1\x00" + b.owner + "\x00" + place)
}

// placeOf names a place within its owner: table.column, and what tells the row
// from the owner's others.
func placeOf(column string, key ...any) string {
	place := append(make([]byte, 0, 128), column...)
	for _, k := range key {
		place = append(place, '/')
		switch k := k.(type) {
		case string:
			place = append(place, k...)
		case int:
			place = strconv.AppendInt(place, int64(k), 10)
		case int64:
			place = strconv.AppendInt(place, k, 10)
		default:
			panic(fmt.Sprintf("a place cannot be named by a %T", k))
		}
	}
	return string(place)
}

// box opens a sealed data key as it stands in data_keys; nil for one that is not
// there, or was destroyed.
func (v *vault) box(owner string, wrapped []byte) (*box, error) {
	if len(wrapped) == 0 || destroyed(wrapped) {
		return nil, nil
	}
	v.mu.Lock()
	b := v.opened[string(wrapped)]
	v.mu.Unlock()
	if b != nil && b.owner == owner {
		return b, nil
	}
	key, err := v.master.unwrap(owner, wrapped)
	if err != nil {
		return nil, err
	}
	return v.keep(owner, wrapped, key)
}

// openOnce is box for reading many owners one after the other: it does not
// remember the key.
func (v *vault) openOnce(owner string, wrapped []byte) (*box, error) {
	if len(wrapped) == 0 || destroyed(wrapped) {
		return nil, nil
	}
	key, err := v.master.unwrap(owner, wrapped)
	if err != nil {
		return nil, err
	}
	return boxWith(owner, key)
}

func boxWith(owner string, key []byte) (*box, error) {
	a, err := subtle.NewAESGCM(key)
	if err != nil {
		return nil, fmt.Errorf("use a data key: %w", err)
	}
	return &box{owner, a}, nil
}

// keep remembers an opened key, and forgets any other when there are too many.
func (v *vault) keep(owner string, wrapped, key []byte) (*box, error) {
	b, err := boxWith(owner, key)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for other := range v.opened {
		if len(v.opened) < maxOpened {
			break
		}
		delete(v.opened, other)
	}
	v.opened[string(wrapped)] = b
	return b, nil
}

func (v *vault) forget(wrapped []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.opened, string(wrapped))
}

var zeros [wrappedSize]byte

func destroyed(wrapped []byte) bool { return bytes.Equal(wrapped, zeros[:]) }

// boxOf reads and opens the data key of an owner; nil when it has none.
func (v *vault) boxOf(ctx context.Context, tx *tx, owner string) (*box, error) {
	wrapped, err := wrappedOf(ctx, tx, owner)
	if err != nil {
		return nil, err
	}
	return v.box(owner, wrapped)
}

func wrappedOf(ctx context.Context, tx *tx, owner string) (wrapped []byte, err error) {
	err = tx.QueryRowContext(ctx, "SELECT sealed FROM data_keys WHERE owner = ?", owner).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return wrapped, err
}

// makeBox is boxOf, and makes a key for an owner that has none.
func (v *vault) makeBox(ctx context.Context, tx *tx, kind, owner string) (*box, error) {
	b, err := v.boxOf(ctx, tx, owner)
	if b != nil || err != nil {
		return b, err
	}
	return v.newBox(ctx, tx, kind, owner)
}

// newBox makes a data key in the place of the owner's one, which is destroyed by
// that.
func (v *vault) newBox(ctx context.Context, tx *tx, kind, owner string) (*box, error) {
	if err := v.current(ctx, tx); err != nil {
		return nil, err
	}
	key := make([]byte, dataKeySize)
	rand.Read(key) // never fails
	wrapped, err := v.master.wrap(owner, key)
	if err != nil {
		return nil, err
	}
	if err := v.put(ctx, tx, kind, owner, wrapped); err != nil {
		return nil, err
	}
	return v.keep(owner, wrapped, key)
}

// current sees to it that no key is sealed with a master key that another
// collector has changed for one which this one does not know: it would open
// nowhere. The register's own key tells which is in use.
func (v *vault) current(ctx context.Context, tx *tx) error {
	wrapped, err := wrappedOf(ctx, tx, registerOwner)
	if err != nil || wrapped == nil || v.master.holds(wrappedWith(wrapped)) {
		return err
	}
	if err := v.master.load(); err != nil {
		return err
	}
	if !v.master.holds(wrappedWith(wrapped)) {
		return v.master.other()
	}
	return nil
}

// put writes a sealed key. It is as long as the one before, so that in SQLite's
// file it takes its very bytes (see the schema for what that rests on).
func (v *vault) put(ctx context.Context, tx *tx, kind, owner string, wrapped []byte) error {
	old, err := wrappedOf(ctx, tx, owner)
	if err != nil {
		return err
	}
	if old == nil {
		_, err = tx.ExecContext(ctx, "INSERT INTO data_keys (owner, kind, sealed) VALUES (?, ?, ?)", owner, kind, wrapped)
		return err
	}
	if !destroyed(old) {
		v.overwritten.Add(1)
		v.forget(old)
	}
	_, err = tx.ExecContext(ctx, "UPDATE data_keys SET sealed = ? WHERE owner = ?", wrapped, owner)
	return err
}

// destroy overwrites the data key of an owner: all that was sealed with it is
// gone.
func (v *vault) destroy(ctx context.Context, tx *tx, owner string) error {
	old, err := wrappedOf(ctx, tx, owner)
	if err != nil || old == nil {
		return err
	}
	return v.put(ctx, tx, "", owner, zeros[:])
}

// destroyNotices destroys the keys of the notices that still say something, of
// those that the condition names.
func (v *vault) destroyNotices(ctx context.Context, tx *tx, condition string, args ...any) error {
	done, err := tx.ExecContext(ctx, "UPDATE data_keys SET sealed = ? WHERE owner IN (SELECT id FROM notices WHERE body IS NOT NULL AND "+condition+")",
		append([]any{zeros[:]}, args...)...)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if n > 0 {
		v.overwritten.Add(n)
		v.mu.Lock()
		clear(v.opened) // which of them are kept open is not worth asking
		v.mu.Unlock()
	}
	return err
}
