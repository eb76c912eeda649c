package consult

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/protocol/pages"
)

// refDue is how long after its opening a case may be without a reference; then it
// is marked, and goes on.
const refDue = 72 * time.Hour

// whyBody is what the trail keeps, sealed, of why something was asked: the case as
// it was then, for its reference may follow.
type whyBody struct {
	CaseKind    string `json:"case_kind"`
	CaseRef     string `json:"case_ref,omitempty"`
	RefToFollow bool   `json:"reference_to_follow,omitempty"`
	CaseForce   string `json:"case_force,omitempty"` // whose case it is; "": of who asks
	Reason      string `json:"reason"`
	Offence     string `json:"offence"`
	FromAddress string `json:"from_address,omitempty"`
}

func whyIn(k registry.Case, reason, offence string, u officer) whyBody {
	b := whyBody{CaseKind: k.Kind, CaseRef: k.Ref, RefToFollow: k.Ref == "", Reason: reason, Offence: offence, FromAddress: u.from}
	if k.Force != u.Force {
		b.CaseForce = k.Force
	}
	return b
}

// why is the reason of a question in its case.
func (q *question) why(u officer) whyBody {
	return whyIn(q.Case, q.Reason, q.Offence, u)
}

// whyOf is the reason of an act on a case itself.
func whyOf(k registry.Case, u officer) whyBody {
	return whyIn(k, k.Reason, k.Offence, u)
}

// findCase finds the case that a question names; or, of one that describes its
// case, the open case of the force that it describes. One that is not there yet has
// no id: openCase opens it. What is wrong is an error of a field.
func (c *Consult) findCase(ctx context.Context, u registry.User, q *question) error {
	id := q.Case.ID
	if id == "" {
		if q.wrong("case_kind") != "" || q.wrong("case_ref") != "" {
			return nil
		}
		q.Case = registry.Case{Force: u.Force, OpenedBy: u.ID, Kind: q.Kind, Ref: q.Ref, Offence: q.Offence, Reason: q.Reason}
		var ok bool
		var err error
		if id, ok, err = c.Registry.FindCase(ctx, q.Case); err != nil || !ok {
			return err
		}
	}
	k, ok, err := c.Registry.Case(ctx, id, u.Force)
	switch {
	case err != nil:
		return err
	case !ok:
		q.Case = registry.Case{}
		q.fail("case", "error.case.unknown")
		return nil
	case !k.ClosedAt.IsZero():
		q.fail("case", "error.case.closed")
	}
	q.Case, q.Kind, q.Ref = k, k.Kind, k.Ref
	q.Offence, q.Reason = cmp.Or(q.Offence, k.Offence), cmp.Or(q.Reason, k.Reason)
	return nil
}

// openedMeanwhile reports whether an act failed because another tab opened its case
// after findCase had looked for it: the question names that case now, and the act is
// tried again.
func (c *Consult) openedMeanwhile(r *http.Request, q *question, err error) bool {
	if !errors.Is(err, registry.ErrCaseOpen) {
		return false
	}
	q.Case.ID = ""
	return c.findCase(r.Context(), user(r), q) == nil && q.Case.ID != ""
}

// openCase puts the opening of a case on the trail, and only then opens it. An entry
// whose case another tab opened meanwhile says more than was done, never less.
func (c *Consult) openCase(ctx context.Context, k registry.Case, u officer) error {
	e := u.entry(k.OpenedAt, act.CaseOpen, k.ID, 1, whyOf(k, u))
	proof, err := c.Trail.Append(ctx, e)
	if err != nil {
		return fmt.Errorf("the case was not opened, since that could not be recorded: %w", err)
	}
	if err := c.Registry.OpenCase(ctx, k); err != nil {
		return err
	}
	return c.remember(ctx, e, proof, brief{Words: c.inWords(func(w *pages.Words) string {
		return strings.TrimSpace(w.T("case.kind."+k.Kind) + " " + k.Ref)
	})}, e.Body)
}

// newCase is the question's case as it will be opened.
func (q *question) newCase(now time.Time) registry.Case {
	k := q.Case
	k.ID, k.OpenedAt = uuid.NewString(), now
	if k.Ref != "" {
		k.ReferredAt = now
	}
	return k
}

// caseOf reads an answer's case as it stands; ok false: it is no more, or is not
// shared any more.
func (c *Consult) caseOf(ctx context.Context, ans *answer, u registry.User) (registry.Case, bool, error) {
	return c.Registry.Case(ctx, ans.question.Case.ID, u.Force)
}

// brief is what lists show of a record of a case.
type brief struct {
	Words   map[pages.Lang]string `json:"words"`             // what was done, in each language
	Search  string                `json:"search,omitempty"`  // id of the answer, while it is kept
	Request string                `json:"request,omitempty"` // id of the request to preserve
	Site    string                `json:"site_id,omitempty"`
	Name    string                `json:"site_name,omitempty"`
	State   string                `json:"state,omitempty"` // of the kind "called"
}

// inWords says something in each language.
func (c *Consult) inWords(f func(*pages.Words) string) map[pages.Lang]string {
	all := make(map[pages.Lang]string)
	for _, l := range pages.Langs {
		all[l.Lang] = f(c.set.Words(l.Lang))
	}
	return all
}

// remember copies into a case what was done by an entry that is on the trail. It
// must have succeeded before an answer leaves. body is all that was shown; nil:
// the brief says it.
func (c *Consult) remember(ctx context.Context, e trail.Entry, proof trail.Proof, b brief, body any) error {
	rec := registry.CaseRecord{CaseID: e.Case, At: e.At, Actor: e.Actor, Kind: e.Kind, TrailIndex: proof.Index}
	var err error
	if rec.Brief, err = json.Marshal(b); err != nil {
		return err
	}
	if body != nil {
		if rec.Body, err = json.Marshal(body); err != nil {
			return err
		}
	}
	_, err = c.Registry.AddCaseRecord(ctx, rec)
	return err
}

// caseBand is what the template "caseband" reads: the case that a page is of.
type caseBand struct {
	registry.Case
	Foreign bool      // it is another force's
	Due     time.Time // when its reference is due; zero: it is there
	Late    bool
}

func (c *Consult) band(k registry.Case, u registry.User) caseBand {
	b := caseBand{Case: k, Foreign: k.Force != u.Force}
	if k.Ref == "" {
		b.Due = k.OpenedAt.Add(refDue)
		b.Late = !c.Now().Before(b.Due)
	}
	return b
}

// Closed reports whether nothing more is asked in the case.
func (b caseBand) Closed() bool { return !b.ClosedAt.IsZero() }

// SharedWith names the other forces.
func (b caseBand) SharedWith() string { return strings.Join(b.Shared, ", ") }

// names are those of the users, by id.
func (c *Consult) names(ctx context.Context) (map[string]string, error) {
	users, err := c.Registry.Users(ctx)
	all := make(map[string]string, len(users))
	for _, u := range users {
		all[u.ID] = u.Name
		if u.Force != "" {
			all[u.ID] = u.Name + " (" + u.Force + ")"
		}
	}
	return all, err
}
