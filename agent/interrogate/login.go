package interrogate

import (
	"context"
	"errors"
)

// understoodError is an answer to a login that is not about the password, by the
// family's own words: a second factor, an account that is locked, a right that lacks.
type understoodError string

func (e understoodError) Error() string { return string(e) }

// login sends the password once, in a message of the family's own: send gets it
// and tells whether it was accepted. An error of send is no verdict, and ends the
// use of the password for this look; the second such look counts as a refusal. login
// may be called once.
func (w *web) login(ctx context.Context, send func(Credential) (accepted bool, err error)) error {
	release, err := w.auth.takeTurn(ctx)
	if err != nil {
		return w.why(ctx, err)
	}
	defer release()
	c, err := w.auth.start(ctx)
	if err != nil {
		return err
	}
	accepted, err := send(c)
	_, understood := errors.AsType[understoodError](err)
	switch {
	case err != nil && (understood || ctx.Err() != nil || errors.Is(err, errSilent)):
		w.auth.note(leftAlone)
		return err
	case err != nil:
		w.auth.halt(ctx)
		return err
	case !accepted:
		return w.auth.refusedAgain(ctx, &refusal{signed: true})
	}
	w.auth.accepted()
	w.loggedIn = true
	return nil
}
