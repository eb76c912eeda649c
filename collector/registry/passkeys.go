package registry

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// maxPasskeys is how many passkeys a user may have at one host name.
const maxPasskeys = 20

// ErrTooMany is returned for one more than there may be.
var ErrTooMany = errors.New("there are too many already")

// Passkey is a credential of WebAuthn (W3C Web Authentication Level 3, 4: credential
// record), of one user at one host name.
type Passkey struct {
	ID     []byte
	UserID string
	RP     string // host name
	Name   string // its owner's for it
	Record []byte // public key, counter and flags, as package web writes them
	At     time.Time
	UsedAt time.Time // zero: not since it was made
}

type passkeyBody struct {
	Name   string `json:"name"`
	Record []byte `json:"record"`
}

func passkeyPlace(id []byte) string { return placeOf("passkeys.body", hex.EncodeToString(id)) }

// sealOwn seals what is neither a site's nor an organisation's, with the register's
// own data key.
func (r *Registry) sealOwn(ctx context.Context, tx *tx, place string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	b, err := r.ownBox(ctx, tx)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errDestroyed
	}
	return b.seal(place, plain)
}

// ownBox is what opens it again.
func (r *Registry) ownBox(ctx context.Context, tx *tx) (*box, error) {
	return r.vault.boxOf(ctx, tx, registerOwner)
}

func openJSON(b *box, place string, sealed []byte, v any) error {
	plain, err := b.open(place, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, v)
}

// AddPasskey keeps a passkey of a user who may sign in: ErrExists when its id is
// taken, ErrTooMany beyond maxPasskeys, ErrUnknownUser when the user is revoked or
// not there.
func (r *Registry) AddPasskey(ctx context.Context, p Passkey) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		var user, taken bool
		var n int
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1 AND revoked_at IS NULL),
			EXISTS (SELECT 1 FROM passkeys WHERE id = ?2), (SELECT count(*) FROM passkeys WHERE user_id = ?1 AND rp = ?3)`,
			p.UserID, p.ID, p.RP).Scan(&user, &taken, &n)
		switch {
		case err != nil:
			return err
		case !user:
			return ErrUnknownUser
		case taken:
			return ErrExists
		case n >= maxPasskeys:
			return ErrTooMany
		}
		body, err := r.sealOwn(ctx, tx, passkeyPlace(p.ID), passkeyBody{p.Name, p.Record})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO passkeys (id, user_id, rp, body, created_at) VALUES (?, ?, ?, ?, ?)",
			p.ID, p.UserID, p.RP, body, micros(p.At))
		return err
	})
	if err != nil {
		return fmt.Errorf("add passkey: %w", err)
	}
	return nil
}

// Passkeys lists a user's passkeys at a host name, the oldest first.
func (r *Registry) Passkeys(ctx context.Context, userID, rp string) ([]Passkey, error) {
	var all []Passkey
	err := r.view(ctx, func(tx *tx) error {
		b, err := r.ownBox(ctx, tx)
		if err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			p := Passkey{UserID: userID, RP: rp}
			var sealed []byte
			var at, used int64
			if err := scan(&p.ID, &sealed, &at, &used); err != nil {
				return err
			}
			var body passkeyBody
			if err := openJSON(b, passkeyPlace(p.ID), sealed, &body); err != nil {
				return err
			}
			p.Name, p.Record, p.At, p.UsedAt = body.Name, body.Record, fromMicros(at), fromMicros(used)
			all = append(all, p)
			return nil
		}, "SELECT id, body, created_at, coalesce(used_at, 0) FROM passkeys WHERE user_id = ? AND rp = ? ORDER BY created_at, id", userID, rp)
	})
	if err != nil {
		return nil, fmt.Errorf("read passkeys: %w", err)
	}
	return all, nil
}

// UsePasskey keeps what a sign-in changed of a passkey; false when it was removed
// meanwhile.
func (r *Registry) UsePasskey(ctx context.Context, p Passkey, at time.Time) (ok bool, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		body, err := r.sealOwn(ctx, tx, passkeyPlace(p.ID), passkeyBody{p.Name, p.Record})
		if err != nil {
			return err
		}
		ok, err = did(tx.ExecContext(ctx, "UPDATE passkeys SET body = ?, used_at = ? WHERE id = ? AND user_id = ?", body, micros(at), p.ID, p.UserID))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("use passkey: %w", err)
	}
	return ok, nil
}

// DropPasskey removes a passkey of a user; false when they have none of that id. With
// keepLast the only one at its host name stays, and that is ErrLast.
func (r *Registry) DropPasskey(ctx context.Context, userID string, id []byte, keepLast bool) (ok bool, err error) {
	err = r.update(ctx, func(ctx context.Context, tx *tx) error {
		var others bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM passkeys p JOIN passkeys o ON o.user_id = p.user_id AND o.rp = p.rp AND o.id <> p.id
			WHERE p.id = ? AND p.user_id = ?)`, id, userID).Scan(&others)
		if err != nil {
			return err
		}
		ok, err = did(tx.ExecContext(ctx, "DELETE FROM passkeys WHERE id = ? AND user_id = ?", id, userID))
		if err == nil && ok && keepLast && !others {
			return ErrLast // the transaction is undone
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("remove passkey: %w", err)
	}
	return ok, nil
}

// ErrLast is returned for what must not be removed without another in its place.
var ErrLast = errors.New("it is the last one")

// SignsIn reports whether a user has a way into the pages that lasts: a passkey, or an
// identity of a provider.
func (r *Registry) SignsIn(ctx context.Context, userID string) (ok bool, err error) {
	err = r.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM passkeys WHERE user_id = ?1)
		OR EXISTS (SELECT 1 FROM identities WHERE user_id = ?1)`, userID).Scan(&ok)
	if err != nil {
		return false, fmt.Errorf("look how a user signs in: %w", err)
	}
	return ok, nil
}
