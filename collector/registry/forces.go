package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrUnknownForce is returned for a user of a force that was not added.
var ErrUnknownForce = errors.New("force not known")

// ErrAdministered is returned for a first administrator of a force that has one.
var ErrAdministered = errors.New("the force has an administrator")

// Qualifications of an officer (art. 57 c.p.p.). An order to preserve (art. 354
// c.p.p.) is given by an ufficiale alone.
const (
	Ufficiale = "ufficiale di PG"
	Agente    = "agente di PG"
	PM        = "PM" // a public prosecutor
)

// Qualifications lists them.
func Qualifications() []string { return []string{Ufficiale, Agente, PM} }

// Force is a state body whose officers may consult the register.
type Force struct {
	Name      string
	Recipient string // the public key that its trail bodies are sealed to

	// As Forces alone gives them.
	Acts         []ForceAct
	Administered bool // it has an administrator who may sign in
}

// ForceAct is a protocol by which a force may consult: its number, date and text.
type ForceAct struct {
	Text string
	At   time.Time // when it was added here
}

// OfForce reports whether a role belongs to a force; the others are the Comune's.
func OfForce(role string) bool {
	return slices.Contains([]string{RoleOfficer, RoleForceAuditor, RoleForceAdmin}, role)
}

// AddForce adds a force. Adding it again with the same recipient changes
// nothing; with another one it is ErrExists: what is sealed to the old one
// must not silently become unreadable to its auditor.
func (r *Registry) AddForce(ctx context.Context, name, recipient string) error {
	if name == "" || recipient == "" {
		return errors.New("add force: a name and a recipient are needed")
	}
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		var have string
		err := tx.QueryRowContext(ctx, "SELECT recipient FROM forces WHERE name = ?", name).Scan(&have)
		switch {
		case err == nil && have == recipient:
			return nil
		case err == nil:
			return fmt.Errorf("%w with another recipient", ErrExists)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO forces (name, recipient) VALUES (?, ?)", name, recipient)
		return err
	})
	if err != nil {
		return fmt.Errorf("add force %s: %w", name, err)
	}
	return nil
}

// AddForceAct adds an act to those by which a force may consult: ErrUnknownForce
// when it is not there. The same text twice is one act.
func (r *Registry) AddForceAct(ctx context.Context, force string, act ForceAct) error {
	if act.Text == "" {
		return errors.New("add act: its text is needed")
	}
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		var known, same bool
		var last int
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM forces WHERE name = ?1),
			EXISTS (SELECT 1 FROM force_acts WHERE force = ?1 AND act = ?2),
			(SELECT coalesce(max(number), 0) FROM force_acts WHERE force = ?1)`, force, act.Text).Scan(&known, &same, &last); err != nil {
			return err
		}
		switch {
		case !known:
			return ErrUnknownForce
		case same:
			return nil
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO force_acts (force, number, act, added_at) VALUES (?, ?, ?, ?)", force, last+1, act.Text, micros(act.At))
		return err
	})
	if err != nil {
		return fmt.Errorf("add an act of force %s: %w", force, err)
	}
	return nil
}

// Force finds a force by its name.
func (r *Registry) Force(ctx context.Context, name string) (Force, bool, error) {
	f := Force{Name: name}
	err := r.read.QueryRowContext(ctx, "SELECT recipient FROM forces WHERE name = ?", name).Scan(&f.Recipient)
	return found(f, err, "read force")
}

// Forces lists the forces by name.
func (r *Registry) Forces(ctx context.Context) ([]Force, error) {
	var all []Force
	err := r.view(ctx, func(tx *tx) error {
		if err := each(ctx, tx, func(scan func(...any) error) error {
			var f Force
			err := scan(&f.Name, &f.Recipient, &f.Administered)
			all = append(all, f)
			return err
		}, `SELECT name, recipient, EXISTS (SELECT 1 FROM users u WHERE u.force = forces.name AND u.role = ? AND u.revoked_at IS NULL)
			FROM forces ORDER BY name`, RoleForceAdmin); err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			var force, text string
			var at int64
			if err := scan(&force, &text, &at); err != nil {
				return err
			}
			i := slices.IndexFunc(all, func(f Force) bool { return f.Name == force })
			all[i].Acts = append(all[i].Acts, ForceAct{text, fromMicros(at)})
			return nil
		}, "SELECT force, act, added_at FROM force_acts ORDER BY force, number")
	})
	if err != nil {
		return nil, fmt.Errorf("list forces: %w", err)
	}
	return all, nil
}

// ForceUsers lists the users of a force by name.
func (r *Registry) ForceUsers(ctx context.Context, force string) ([]User, error) {
	var users []User
	err := r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			u, err := scanUser(scan)
			users = append(users, u)
			return err
		}, "SELECT "+userColumns+" FROM users u WHERE u.force = ? ORDER BY u.name", force)
	})
	if err != nil {
		return nil, fmt.Errorf("list the users of force %s: %w", force, err)
	}
	return users, nil
}

// Qualify changes the qualification of a force's officer: ErrUnknownUser when no
// officer of that force who may sign in has the id.
func (r *Registry) Qualify(ctx context.Context, userID, force, qualification string) error {
	err := r.update(ctx, func(ctx context.Context, tx *tx) error {
		done, err := tx.ExecContext(ctx, "UPDATE users SET qualification = ? WHERE id = ? AND force = ? AND role = ? AND revoked_at IS NULL",
			qualification, userID, force, RoleOfficer)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrUnknownUser)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("change the qualification of user %s: %w", userID, err)
	}
	return nil
}

// AddFirstAdministrator adds the administrator of a force that has none who may sign in;
// otherwise, also for the second of two concurrent calls, it returns ErrAdministered.
func (r *Registry) AddFirstAdministrator(ctx context.Context, u User) error {
	if u.Role != RoleForceAdmin {
		return fmt.Errorf("add first administrator %s: the role is %q", u.Name, u.Role)
	}
	err := r.addUser(ctx, u, func(ctx context.Context, tx *tx) error {
		var administered bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM users WHERE force = ? AND role = ? AND revoked_at IS NULL)",
			u.Force, RoleForceAdmin).Scan(&administered); err != nil {
			return err
		}
		if administered {
			return ErrAdministered
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add first administrator %s: %w", u.Name, err)
	}
	return nil
}
