package interrogate

import (
	"context"
	"errors"
)

// wrong is what a refusal of credentials means. A token is refused also when
// its time is not the device's; Digest does not depend on clocks.
func (a *authenticator) wrong() Needs {
	if a.scheme == usernameToken && !a.offsetSet {
		return NeedsPasswordOrClock
	}
	return NeedsWrongPassword
}

// giveUp ends the use of credentials after they were refused. Once they have
// been accepted, a refusal only means that this user may not read that; after
// two in a row the password may have been changed meanwhile.
func (a *authenticator) giveUp(ctx context.Context, r *refusal) error {
	a.renewed = false
	if a.standing.works() {
		if a.forbidden++; a.forbidden >= maxForbidden {
			a.standing.after(unwanted)
		}
		return errForbidden
	}
	a.refuse(ctx)
	if a.elsewhere {
		return errOtherDoor
	}
	if r.words == "" {
		return errors.New("it refused the password")
	}
	return errors.New("it refused the password: " + r.words)
}

// refuse ends the use of credentials, and has it remembered.
func (a *authenticator) refuse(ctx context.Context) {
	door := a.door
	if a.standing.after(unwanted); !a.elsewhere {
		door, a.needs = EveryDoor, a.wrong()
	}
	// A scan that is being ended must not lose it.
	if err := a.memory.Refuse(context.WithoutCancel(ctx), a.sighting, a.credential, door); err != nil {
		a.log.Error("a refused password could not be remembered", "err", err)
	}
}

// refusedAgain is the end of a question that was refused however it was put.
func (a *authenticator) refusedAgain(ctx context.Context, r *refusal) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.giveUp(ctx, r)
}

// unclear counts a signed question that failed in a way that is no refusal that
// we know (a connection closed, a page in words). While nothing has shown that
// the credentials are right, the second, in this look or the next, ends their use:
// it may well be how this device refuses, and it may be counting.
func (a *authenticator) unclear(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.standing.works() || a.credential == (Credential{}) {
		return
	}
	if a.doubts++; a.doubts >= maxDoubts {
		a.refuse(ctx)
		return
	}
	a.doubted = true
	if err := a.memory.Refuse(context.WithoutCancel(ctx), a.sighting, a.credential, NoVerdict); err != nil {
		a.log.Error("an odd answer to a password could not be remembered", "err", err)
		a.standing.after(unwanted)
	}
}

// halt is unclear, and ends the use of the credentials for this look: the account
// may be locked.
func (a *authenticator) halt(ctx context.Context) {
	a.unclear(ctx)
	a.note(leftAlone)
}

func (a *authenticator) accepted() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.standing.after(accepted)
	a.forbidden, a.renewed = 0, false
}

// forget has memory forget that credentials were in doubt which are accepted now.
func (a *authenticator) forget(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.standing.works() || !a.doubted {
		return
	}
	if err := a.memory.Accept(context.WithoutCancel(ctx), a.sighting, a.credential); err != nil {
		a.log.Error("that a password is right could not be remembered", "err", err)
	}
}

// yield takes over what the device's other door has shown of the password.
func (a *authenticator) yield(other *authenticator) {
	other.mu.Lock()
	needs, was, doubts := other.needs, other.standing, other.doubts
	other.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch a.elsewhere = was.works(); {
	case a.elsewhere:
	case needs == NeedsWrongPassword || needs == NeedsPasswordOrClock:
		a.standing.after(unwanted)
		a.needs = needs
	case was == paused: // perhaps the account is locked
		a.standing.after(unwanted)
	default:
		a.doubts += doubts // of one password, whichever door it went to
	}
}
