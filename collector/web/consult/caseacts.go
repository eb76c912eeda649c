package consult

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/protocol/pages"
)

// ownCase returns the case that an act is about, and who does it; false: it was
// refused. An act on the case itself is its own force's.
func (c *Consult) ownCase(w http.ResponseWriter, r *http.Request) (u officer, k registry.Case, ok bool) {
	if u, k, ok = c.actsIn(w, r); ok && k.Force != u.Force {
		c.showCase(w, r, k, http.StatusForbidden, pages.Note{Kind: "danger", Key: "error.case.foreign"})
		ok = false
	}
	return u, k, ok
}

// actsIn returns the case of an address, and who acts in it.
func (c *Consult) actsIn(w http.ResponseWriter, r *http.Request) (u officer, k registry.Case, ok bool) {
	if err := r.ParseForm(); err != nil {
		c.fail(w, r, http.StatusBadRequest, "error.body", err)
		return u, k, false
	}
	u, err := c.officer(r)
	if err != nil {
		c.fail(w, r, http.StatusForbidden, "error.force", err)
		return u, k, false
	}
	k, ok, err = c.Registry.Case(r.Context(), r.PathValue("case"), u.Force)
	switch {
	case err != nil:
		c.broken(w, r, err)
		return u, k, false
	case !ok:
		c.fail(w, r, http.StatusNotFound, "error.case.unknown", nil)
	}
	return u, k, ok
}

// caseActBody is what the trail keeps of an act on a case, sealed.
type caseActBody struct {
	whyBody
	Ref  string `json:"new_ref,omitempty"`     // given
	With string `json:"shared_with,omitempty"` // force
}

// caseAct is an act on a case itself: its entries, the first its own force's, and
// what it is about, for the history: a reference, a force, or nothing.
type caseAct struct {
	entries []trail.Entry
	about   string
	do      func(context.Context) error
}

// actOn puts an act on a case on the trail and into the case, and only then does
// it; then the page of the case is shown again. One whose doing then fails says more
// than was done, never less.
func (c *Consult) actOn(w http.ResponseWriter, r *http.Request, k registry.Case, a caseAct) {
	err := c.recordAct(r.Context(), a)
	if err == nil {
		err = a.do(r.Context())
	}
	if err != nil {
		c.Log.ErrorContext(r.Context(), "act on a case failed", "err", err)
		c.showCase(w, r, k, http.StatusServiceUnavailable, pages.Note{Kind: "danger", Key: "error.case.undone"})
		return
	}
	pages.SecureHeaders(w.Header())
	http.Redirect(w, r, "/cases/"+k.ID, http.StatusSeeOther)
}

func (c *Consult) recordAct(ctx context.Context, a caseAct) error {
	for i, e := range a.entries {
		proof, err := c.Trail.Append(ctx, e)
		if err == nil && i == 0 { // the other force's entry is for its own auditor
			err = c.remember(ctx, e, proof, brief{Words: c.inWords(func(*pages.Words) string { return a.about })}, e.Body)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.Kind, err)
		}
	}
	return nil
}

func (c *Consult) caseEntry(kind act.Kind, k registry.Case, u officer) trail.Entry {
	return u.entry(c.Now(), kind, k.ID, 1, caseActBody{whyBody: whyOf(k, u)})
}

// refer gives a case its reference.
func (c *Consult) refer(w http.ResponseWriter, r *http.Request) {
	u, k, ok := c.ownCase(w, r)
	if !ok {
		return
	}
	ref := strings.TrimSpace(r.PostForm.Get("case_ref"))
	if ref == "" || len(ref) > maxRef {
		c.showCase(w, r, k, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Key: "error.ref"})
		return
	}
	e := c.caseEntry(act.CaseRefer, k, u)
	e.Body = caseActBody{whyBody: whyOf(k, u), Ref: ref}
	c.actOn(w, r, k, caseAct{[]trail.Entry{e}, ref, func(ctx context.Context) error { return c.Registry.ReferCase(ctx, k.ID, u.Force, ref, e.At) }})
}

// share lets another force see a case and work in it.
func (c *Consult) share(w http.ResponseWriter, r *http.Request) {
	c.sharing(w, r, act.CaseShare, "error.case.share",
		func(k registry.Case, with registry.Force) bool { return with.Name != k.Force && with.Recipient != "" },
		func(ctx context.Context, k registry.Case, with string, at time.Time) error {
			return c.Registry.ShareCase(ctx, k.ID, k.Force, with, at)
		})
}

// unshare takes a sharing back, on the trail of both forces as it was given.
func (c *Consult) unshare(w http.ResponseWriter, r *http.Request) {
	c.sharing(w, r, act.CaseUnshare, "error.case.unshare",
		func(k registry.Case, with registry.Force) bool { return slices.Contains(k.Shared, with.Name) },
		func(ctx context.Context, k registry.Case, with string, _ time.Time) error {
			return c.Registry.UnshareCase(ctx, k.ID, k.Force, with)
		})
}

// sharing does an act between the force of a case and the one that the form names,
// if they may; else the page says the refusal's words.
func (c *Consult) sharing(w http.ResponseWriter, r *http.Request, kind act.Kind, refusal string, may func(registry.Case, registry.Force) bool,
	do func(ctx context.Context, k registry.Case, with string, at time.Time) error) {
	u, k, ok := c.ownCase(w, r)
	if !ok {
		return
	}
	with, ok, err := c.Registry.Force(r.Context(), r.PostForm.Get("force"))
	switch {
	case err != nil:
		c.broken(w, r, err)
		return
	case !ok || !may(k, with):
		c.showCase(w, r, k, http.StatusUnprocessableEntity, pages.Note{Kind: "danger", Key: refusal})
		return
	}
	entries := c.sharingEntries(kind, k, u, with)
	c.actOn(w, r, k, caseAct{entries, with.Name, func(ctx context.Context) error { return do(ctx, k, with.Name, entries[0].At) }})
}

// sharingEntries are those of an act between two forces: one for each, sealed to
// its own key.
func (c *Consult) sharingEntries(kind act.Kind, k registry.Case, u officer, with registry.Force) []trail.Entry {
	body := caseActBody{whyBody: whyOf(k, u), With: with.Name}
	own := c.caseEntry(kind, k, u)
	theirs := own
	own.Body = body
	body.CaseForce = k.Force
	theirs.Force, theirs.Recipient, theirs.Body = with.Name, with.Recipient, body
	return []trail.Entry{own, theirs}
}

// closeCase closes a case; reopen undoes it.
func (c *Consult) closeCase(w http.ResponseWriter, r *http.Request) {
	if u, k, ok := c.ownCase(w, r); ok {
		e := c.caseEntry(act.CaseClose, k, u)
		c.actOn(w, r, k, caseAct{[]trail.Entry{e}, "", func(ctx context.Context) error { return c.Registry.CloseCase(ctx, k.ID, u.Force, e.At) }})
	}
}

func (c *Consult) reopen(w http.ResponseWriter, r *http.Request) {
	if u, k, ok := c.ownCase(w, r); ok {
		e := c.caseEntry(act.CaseReopen, k, u)
		c.actOn(w, r, k, caseAct{[]trail.Entry{e}, "", func(ctx context.Context) error { return c.Registry.ReopenCase(ctx, k.ID, u.Force) }})
	}
}
