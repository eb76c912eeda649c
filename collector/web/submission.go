package web

import (
	"context"
	"net/http"
	"time"
)

const (
	// submissionCookie opens what somebody types on the public form, in their browser.
	submissionCookie = "__Host-anagrafe-form"
	// submissionSession is how long that browser finds it again by itself; after that
	// its code opens it. It is no longer for it may be a library's computer.
	submissionSession = 7 * 24 * time.Hour
)

// BeginSubmission opens a submission in the browser that asks, and sets its cookie.
func (w *Web) BeginSubmission(ctx context.Context, rw http.ResponseWriter, id string) error {
	secret := token()
	if err := w.Registry.AddSubmissionSession(ctx, w.hash("submission", secret), id, w.Now().Add(submissionSession)); err != nil {
		return err
	}
	http.SetCookie(rw, cookie(submissionCookie, secret, submissionSession))
	return nil
}

// Submission returns the submission that is open in the browser that asks.
func (w *Web) Submission(r *http.Request) (id string, ok bool, err error) {
	c, err := r.Cookie(submissionCookie)
	if err != nil || c.Value == "" {
		return "", false, nil
	}
	return w.Registry.SubmissionSession(r.Context(), w.hash("submission", c.Value), w.Now())
}

// EndSubmission closes it in that browser; it can be opened again.
func (w *Web) EndSubmission(rw http.ResponseWriter, r *http.Request) error {
	c, err := r.Cookie(submissionCookie)
	if err != nil {
		return nil
	}
	http.SetCookie(rw, cookie(submissionCookie, "", -time.Second))
	return w.Registry.DropSubmissionSession(r.Context(), w.hash("submission", c.Value))
}
