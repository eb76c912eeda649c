package registry

import (
	"context"
	"errors"
	"fmt"
)

// The master key is changed for another while the register is in use: the file
// gets a second key, which seals from then on; the data keys are sealed anew, some
// in each transaction; then the old key leaves the file. Whatever interrupts it,
// the file has what the data keys are sealed with, and the next start ends it.

// ErrRotating is returned while the master key is being changed already.
var ErrRotating = errors.New("the master key is being changed already")

// rewrappedAtOnce bounds the data keys of one transaction.
const rewrappedAtOnce = 256

// RotateMaster changes the master key. What it returns nil for is done; a copy of
// the old key opens nothing any more of what the database holds then.
func (r *Registry) RotateMaster(ctx context.Context) error {
	if !r.rotating.TryLock() {
		return ErrRotating
	}
	defer r.rotating.Unlock()
	if !r.vault.master.changing() { // else an earlier one is ended first
		if err := r.vault.master.next(); err != nil {
			return err
		}
	}
	return r.endRotation(ctx)
}

// endRotation seals all data keys with the newer key, and retires the older.
func (r *Registry) endRotation(ctx context.Context) error {
	// The register's own key first: once it is sealed with the new one, no
	// collector makes a key that is sealed with the old (see vault.current).
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		wrapped, err := wrappedOf(ctx, tx, registerOwner)
		if err != nil {
			return err
		}
		return r.vault.rewrap(ctx, tx, registerOwner, wrapped)
	})
	// Until all are found sealed with it: others may make keys meanwhile.
	for changed := true; changed && err == nil; {
		changed, err = r.rewrapAll(ctx)
	}
	if err != nil {
		return fmt.Errorf("seal the data keys with the new master key: %w (both keys stay in use until the next start or change)", err)
	}
	return r.vault.master.retire()
}

// rewrapAll goes through all data keys once, and reports whether one was still
// sealed with another key.
func (r *Registry) rewrapAll(ctx context.Context) (changed bool, err error) {
	for after := int64(0); ; {
		last, some, err := r.rewrapSome(ctx, after)
		if err != nil {
			return false, err
		}
		if last == after {
			return changed, nil
		}
		after, changed = last, changed || some
	}
}

// rewrapSome does so for the next ones after a number, and gives the last of them.
func (r *Registry) rewrapSome(ctx context.Context, after int64) (last int64, changed bool, err error) {
	type row struct {
		owner   string
		wrapped []byte
	}
	last = after
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		var rows []row
		err := each(ctx, tx, func(scan func(...any) error) error {
			var k row
			err := scan(&last, &k.owner, &k.wrapped)
			rows = append(rows, k)
			return err
		}, "SELECT number, owner, sealed FROM data_keys WHERE number > ? ORDER BY number LIMIT ?", after, rewrappedAtOnce)
		if err != nil {
			return err
		}
		for _, k := range rows {
			if destroyed(k.wrapped) || wrappedWith(k.wrapped) == r.vault.master.seals() {
				continue
			}
			changed = true
			if err := r.vault.rewrap(ctx, tx, k.owner, k.wrapped); err != nil {
				return err
			}
		}
		return nil
	})
	return last, changed, err
}

// rewrap seals a data key with the master key that seals now.
func (v *vault) rewrap(ctx context.Context, tx *tx, owner string, wrapped []byte) error {
	key, err := v.master.unwrap(owner, wrapped)
	if err != nil {
		return err
	}
	fresh, err := v.master.wrap(owner, key)
	if err != nil {
		return err
	}
	// Its older form is of no use once the master key is retired: no wiping.
	_, err = tx.ExecContext(ctx, "UPDATE data_keys SET sealed = ? WHERE owner = ?", fresh, owner)
	return err
}

// openVault opens the master key and what shows that it is the register's.
func (r *Registry) openVault(ctx context.Context, keys Keys) error {
	var sealed bool
	err := r.write.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM data_keys)").Scan(&sealed)
	if err != nil {
		return err
	}
	m, err := openMaster(keys.Master, !sealed)
	if err != nil {
		return err
	}
	v := newVault(m, keys.Lookup)
	r.vault = v
	return r.update(ctx, func(ctx context.Context, tx *tx) error {
		b, err := v.makeBox(ctx, tx, ownerRegister, registerOwner)
		if err == nil && b == nil {
			err = errors.New("the register's own data key is destroyed: restore the register")
		}
		return err
	})
}
