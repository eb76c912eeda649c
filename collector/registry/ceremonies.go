package registry

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

func ceremonyPlace(hash [32]byte) string {
	return placeOf("ceremonies.body", hex.EncodeToString(hash[:]))
}

// AddCeremony keeps what a sign-in under way will be checked against, under the hash
// of its browser's cookie. Any collector on the same register may take the answer.
func (r *Registry) AddCeremony(ctx context.Context, hash [32]byte, body any, expires time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		sealed, err := r.sealOwn(ctx, tx, ceremonyPlace(hash), body)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO ceremonies (hash, body, expires_at) VALUES (?, ?, ?)", hash[:], sealed, micros(expires))
		return err
	})
	if err != nil {
		return fmt.Errorf("begin a sign-in: %w", err)
	}
	return nil
}

// ConsumeCeremony uses a ceremony up: only one caller gets its body. An unknown, used or
// expired one returns false.
func (r *Registry) ConsumeCeremony(ctx context.Context, hash [32]byte, now time.Time, body any) (ok bool, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		var sealed []byte
		err := tx.QueryRowContext(ctx, "SELECT body FROM ceremonies WHERE hash = ? AND expires_at > ?", hash[:], micros(now)).Scan(&sealed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		b, err := r.ownBox(ctx, tx)
		if err != nil {
			return err
		}
		if err := openJSON(b, ceremonyPlace(hash), sealed, body); err != nil {
			return err
		}
		ok, err = did(tx.ExecContext(ctx, "DELETE FROM ceremonies WHERE hash = ?", hash[:]))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("end a sign-in: %w", err)
	}
	return ok, nil
}
