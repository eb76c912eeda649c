package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Roles of users. A person of the Comune is never of a force as well.
const (
	RoleOps          = "ops"
	RoleAdmin        = "admin"
	RoleDPO          = "dpo"
	RoleReferent     = "referent"
	RoleOfficer      = "officer"
	RoleForceAuditor = "force-auditor"
	RoleForceAdmin   = "force-admin"
)

// ErrExists is returned when a user or a force of that name is already there.
var ErrExists = errors.New("already exists")

// ErrUnknownUser is returned for a user id that is not in the register.
var ErrUnknownUser = errors.New("user not known")

// User is a person who signs in.
type User struct {
	ID            string
	Name          string
	Role          string
	Force         string   // of officer, force-auditor and force-admin; else ""
	Qualification string   // of an officer, e.g. "ufficiale di PG"
	SecretHash    [32]byte // of the credential file, for programs; zero: has none
	At            time.Time
	RevokedAt     time.Time // zero: may sign in
}

// AddUser adds a user, ErrExists when the id or the name is taken and
// ErrUnknownForce when the force is not there.
func (r *Registry) AddUser(ctx context.Context, u User) error {
	if err := r.addUser(ctx, u, nil); err != nil {
		return fmt.Errorf("add user %s: %w", u.Name, err)
	}
	return nil
}

// check refuses a user who would mix the Comune's and a force's rights: nobody holds both.
func (u User) check() error {
	comune := slices.Contains([]string{RoleOps, RoleAdmin, RoleDPO, RoleReferent}, u.Role)
	switch {
	case u.ID == "" || u.Name == "":
		return errors.New("an id and a name are needed")
	case !comune && !OfForce(u.Role):
		return fmt.Errorf("no role is called %q", u.Role)
	case comune && u.Force != "":
		return fmt.Errorf("role %s belongs to no force", u.Role)
	case !comune && u.Force == "":
		return fmt.Errorf("role %s needs a force", u.Role)
	case u.Role != RoleOfficer && u.Qualification != "":
		return fmt.Errorf("role %s has no qualification: an officer has", u.Role)
	}
	return nil
}

// addUser adds a user; allow, which may be nil, can refuse it in the same transaction.
func (r *Registry) addUser(ctx context.Context, u User, allow func(context.Context, *tx) error) error {
	if err := u.check(); err != nil {
		return err
	}
	return r.update(ctx, func(ctx context.Context, tx *tx) error {
		var taken bool
		err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM users WHERE id = ? OR name = ?)", u.ID, u.Name).Scan(&taken)
		switch {
		case err != nil:
			return err
		case taken:
			return ErrExists
		}
		if err := forceThere(ctx, tx, u.Force); err != nil {
			return err
		}
		if allow != nil {
			if err := allow(ctx, tx); err != nil {
				return err
			}
		}
		return insertUser(ctx, tx, u)
	})
}

func insertUser(ctx context.Context, tx *tx, u User) error {
	var secret []byte
	if u.SecretHash != [32]byte{} {
		secret = u.SecretHash[:]
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO users (id, name, role, force, qualification, secret_hash, created_at)
		VALUES (?, ?, ?, nullif(?, ''), ?, ?, ?)`,
		u.ID, u.Name, u.Role, u.Force, u.Qualification, secret, micros(u.At))
	return err
}

// forceThere is ErrUnknownForce for a force that was not added; "" is none.
func forceThere(ctx context.Context, tx *tx, name string) error {
	var there bool
	err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM forces WHERE name = ?)", name).Scan(&there)
	if err == nil && name != "" && !there {
		return fmt.Errorf("%w: %q", ErrUnknownForce, name)
	}
	return err
}

const userColumns = "u.id, u.name, u.role, coalesce(u.force, ''), u.qualification, u.secret_hash, u.created_at, coalesce(u.revoked_at, 0)"

func scanUser(scan func(...any) error) (User, error) {
	var u User
	var secret []byte
	var at, revoked int64
	err := scan(&u.ID, &u.Name, &u.Role, &u.Force, &u.Qualification, &secret, &at, &revoked)
	copy(u.SecretHash[:], secret)
	u.At, u.RevokedAt = fromMicros(at), fromMicros(revoked)
	return u, err
}

// did reports whether a statement changed anything.
func did(done sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// found turns "no row" into false, and names the operation in any other error.
func found[T any](v T, err error, operation string) (T, bool, error) {
	var none T
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return none, false, nil
	case err != nil:
		return none, false, fmt.Errorf("%s: %w", operation, err)
	}
	return v, true, nil
}

// Users lists all users by name.
func (r *Registry) Users(ctx context.Context) ([]User, error) {
	var users []User
	err := r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			u, err := scanUser(scan)
			users = append(users, u)
			return err
		}, "SELECT "+userColumns+" FROM users u ORDER BY u.name")
	})
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return users, nil
}

// RevokeUser shuts a user out from this moment on: sessions and links end, passkeys
// and the credential are forgotten, the name stays in the list. ErrUnknownUser when
// there is none; revoking twice keeps the first time.
func (r *Registry) RevokeUser(ctx context.Context, userID string, at time.Time) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE users SET revoked_at = coalesce(revoked_at, ?2), secret_hash = NULL WHERE id = ?1", userID, micros(at))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrUnknownUser)
		}
		for _, table := range []string{"sessions", "links", "passkeys"} { // an identity stays, to be recognised as revoked
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE user_id = ?", userID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("revoke user %s: %w", userID, err)
	}
	return nil
}

// UserBySecret finds the user whose credential has this hash.
func (r *Registry) UserBySecret(ctx context.Context, hash [32]byte) (User, bool, error) {
	u, err := scanUser(r.read.QueryRowContext(ctx,
		"SELECT "+userColumns+" FROM users u WHERE u.secret_hash = ? AND u.revoked_at IS NULL", hash[:]).Scan)
	return found(u, err, "read user by credential")
}
