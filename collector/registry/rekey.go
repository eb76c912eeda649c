package registry

import (
	"context"
	"fmt"
	"strings"
)

// Where a part of what a site has sealed goes (a camera, a contact that was
// replaced), what stays is sealed anew with another data key, and the old one is
// destroyed: copies of what went, wherever they lie, do not open any more.

// rekey gives an owner another data key. One that has none needs none.
func (v *vault) rekey(ctx context.Context, tx *tx, kind, owner string) error {
	old, err := v.boxOf(ctx, tx, owner)
	if err != nil || old == nil {
		return err
	}
	fresh, err := v.newBox(ctx, tx, kind, owner)
	if err != nil {
		return err
	}
	for _, c := range sealedColumns {
		if err := c.reseal(ctx, tx, owner, old, fresh); err != nil {
			return fmt.Errorf("seal %s.%s anew: %w", c.table, c.column, err)
		}
	}
	return nil
}

// sealedRow is one to be sealed anew.
type sealedRow struct {
	key    []any
	sealed []byte
}

func (c sealedColumn) reseal(ctx context.Context, tx *tx, owner string, old, fresh *box) error {
	rows, err := c.rows(ctx, tx, owner)
	if err != nil {
		return err
	}
	where := c.owner + " = ?"
	for _, k := range c.key {
		where += " AND " + k + " = ?"
	}
	for _, r := range rows {
		place := placeOf(c.table+"."+c.column, r.key...)
		plain, err := old.open(place, r.sealed)
		if err != nil {
			return err
		}
		sealed, err := fresh.seal(place, plain)
		if err != nil {
			return err
		}
		args := append([]any{sealed, owner}, r.key...)
		if _, err := tx.ExecContext(ctx, "UPDATE "+c.table+" SET "+c.column+" = ? WHERE "+where, args...); err != nil {
			return err
		}
	}
	return nil
}

func (c sealedColumn) rows(ctx context.Context, tx *tx, owner string) (all []sealedRow, err error) {
	columns := strings.Join(append(c.key[:len(c.key):len(c.key)], c.column), ", ")
	err = each(ctx, tx, func(scan func(...any) error) error {
		r := sealedRow{key: make([]any, len(c.key))}
		into := make([]any, 0, len(c.key)+1)
		for i := range r.key {
			into = append(into, &r.key[i])
		}
		err := scan(append(into, &r.sealed)...)
		all = append(all, r)
		return err
	}, "SELECT "+columns+" FROM "+c.table+" WHERE "+c.owner+" = ? AND "+c.column+" IS NOT NULL", owner)
	return all, err
}
