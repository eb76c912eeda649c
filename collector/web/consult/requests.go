package consult

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

const (
	// maxListed is how many notices of a force one list shows, the newest.
	maxListed = 1000
	// maxAskedTime is the longest time of which footage may be asked at once.
	maxAskedTime = 31 * 24 * time.Hour
)

// errOrder is why an officer may not order (art. 354 c.p.p.).
var errOrder = errors.New("only an ufficiale di polizia giudiziaria may order to preserve")

// request is a request to preserve as it was put.
type request struct {
	question *question // the case and the reason; Errors of all fields
	preserve protocol.Preserve
}

// requestBody is what the trail keeps of a request, sealed.
type requestBody struct {
	whyBody
	Request       string               `json:"request_id"`
	Qualification string               `json:"qualification,omitempty"`
	Kind          protocol.RequestKind `json:"kind"`
	From          string               `json:"from"`
	Phone         string               `json:"phone,omitempty"`
	Start         time.Time            `json:"start"`
	End           time.Time            `json:"end"`
	Notices       []jsonAskedNotice    `json:"notices"`
}

// readRequest understands a posted request; times are RFC 3339.
func readRequest(v url.Values) *request {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	q := &request{question: &question{Kind: get("case_kind"), Ref: get("case_ref"), Offence: get("offence"), Reason: get("reason")}}
	a := q.question
	a.readCase(get("case"))
	q.preserve = protocol.Preserve{Kind: protocol.RequestKind(get("kind")), Phone: get("phone"), CameraIDs: v["camera"]}
	if k := q.preserve.Kind; k != protocol.Invitation && k != protocol.Order {
		a.fail("kind", "error.request.kind")
	}
	if n := len(v["camera"]); n == 0 || n > protocol.MaxCameras {
		a.fail("camera", "error.request.cameras")
	}
	moment := func(name string) time.Time {
		t, err := time.Parse(time.RFC3339, get(name))
		if err != nil {
			a.fail(name, "error.request.time")
		}
		return t
	}
	q.preserve.Start, q.preserve.End = moment("from"), moment("until")
	switch p := q.preserve; {
	case len(a.Errors) > 0:
	case !p.End.After(p.Start):
		a.fail("until", "error.until.before")
	case p.End.Sub(p.Start) > maxAskedTime:
		a.fail("until", "error.request.long")
	}
	return q
}

// takeRequest asks owners to keep what their cameras filmed: a page names an answer and its
// sites (preserve.go), a program names the cameras.
func (c *Consult) takeRequest(w http.ResponseWriter, r *http.Request) {
	if web.WantsJSON(r) {
		c.askToPreserve(w, r)
		return
	}
	c.sendPreserve(w, r)
}

// askToPreserve is for programs, with an officer's own credential.
func (c *Consult) askToPreserve(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		c.refuseRequest(w, r, http.StatusBadRequest, "", "error.body", nil)
		return
	}
	q := readRequest(r.PostForm)
	if err := c.findCase(r.Context(), user(r), q.question); err != nil {
		c.broken(w, r, err)
		return
	}
	if len(q.question.Errors) > 0 {
		web.WriteJSON(w, http.StatusUnprocessableEntity, problemOf(c.words(r), q.question.Errors, "hint.requests"))
		return
	}
	answer, err := c.preserve(r, q)
	if c.openedMeanwhile(r, q.question, err) {
		answer, err = c.preserve(r, q)
	}
	fields, bad := errors.AsType[protocol.FieldErrors](err)
	switch {
	case errors.Is(err, errForce):
		c.refuseRequest(w, r, http.StatusForbidden, "", "error.force", nil)
	case errors.Is(err, errOrder):
		c.refuseRequest(w, r, http.StatusForbidden, "kind", "error.request.order", nil)
	case errors.Is(err, registry.ErrUnknownCamera):
		c.refuseRequest(w, r, http.StatusUnprocessableEntity, "camera", "error.request.unknown", err)
	case bad:
		c.refuseRequest(w, r, http.StatusUnprocessableEntity, fields[0].Field, "error.query", fields)
	case err != nil:
		c.Log.ErrorContext(r.Context(), "request refused", "err", err)
		c.refuseRequest(w, r, http.StatusServiceUnavailable, "", "error.request.unasked", nil)
	default:
		web.WriteJSON(w, http.StatusOK, answer)
	}
}

// preserve asks what a program has put.
func (c *Consult) preserve(r *http.Request, q *request) (jsonRequest, error) {
	u, err := c.officer(r)
	if err != nil {
		return jsonRequest{}, err
	}
	if q.preserve.Kind == protocol.Order && !u.mayOrder() {
		return jsonRequest{}, errOrder
	}
	a, p := q.question, q.preserve
	p.From, p.Reference = u.asWritten(), c.reference(a.Case)
	drafts, err := c.Registry.DraftRequest(r.Context(), p, c.Now())
	if err != nil {
		return jsonRequest{}, err
	}
	if a.Case.ID == "" {
		a.Case = a.newCase(c.Now())
		if err := c.openCase(r.Context(), a.Case, u); err != nil {
			return jsonRequest{}, err
		}
	}
	return c.send(r, outgoing{u, uuid.NewString(), a.Case.ID, a.why(u), drafts})
}

// outgoing is a request that is ready to be sent.
type outgoing struct {
	officer
	id, caseID string
	why        whyBody
	drafts     []registry.Draft
}

// send writes what will be asked on the trail, and only then asks. An entry
// whose request then could not be queued says more than was done, never less.
func (c *Consult) send(r *http.Request, o outgoing) (jsonRequest, error) {
	ctx, now, first := r.Context(), c.Now(), o.drafts[0].Asked
	out := jsonRequest{Request: o.id, Case: o.caseID, At: now.UTC()}
	body := requestBody{whyBody: o.why, Request: out.Request, Qualification: o.Qualification, Kind: first.Kind, From: first.From, Phone: first.Phone, Start: first.Start.UTC(), End: first.End.UTC()}
	for _, d := range o.drafts {
		body.Start, body.End = protocol.Earlier(body.Start, d.Asked.Start.UTC()), protocol.Later(body.End, d.Asked.End.UTC())
		out.Notices = append(out.Notices, jsonAskedNotice{Notice: d.NoticeID, Site: d.SiteID, Cameras: d.Asked.CameraIDs, CheckCode: d.Asked.CheckCode, ByPhone: d.ByPhone})
	}
	body.Notices = out.Notices
	proof, err := c.Trail.Append(ctx, o.entry(now, act.Request, o.caseID, len(o.drafts), body))
	if err != nil {
		return jsonRequest{}, fmt.Errorf("nobody was asked, since the request could not be recorded: %w", err)
	}
	shown, err := json.Marshal(brief{Request: out.Request, Words: c.inWords(func(w *pages.Words) string {
		return w.T("request.kind."+string(first.Kind)) + " · " + w.N("request.sites", len(o.drafts))
	})})
	if err != nil {
		return jsonRequest{}, err
	}
	if err := c.Registry.QueueRequest(ctx, registry.Request{ID: out.Request, CaseID: o.caseID, Force: o.Force, By: o.ID, At: now, TrailIndex: proof.Index,
		Brief: shown, Sites: o.drafts}); err != nil {
		return jsonRequest{}, err
	}
	out.Trail = jsonProof{proof.Index, string(proof.Checkpoint)}
	return out, nil
}

// listRequests shows how far the requests of the officer's own force have come.
func (c *Consult) listRequests(w http.ResponseWriter, r *http.Request) {
	u, err := c.officer(r)
	if err != nil {
		c.refuseRequest(w, r, http.StatusForbidden, "", "error.force", nil)
		return
	}
	if !web.WantsJSON(r) {
		c.listPage(w, r, u)
		return
	}
	entry := u.entry(c.Now(), act.RequestList, "", 0, map[string]string{"from_address": u.from})
	all, proof, err := trail.Answer(r.Context(), c.Trail, entry, func(ctx context.Context) ([]registry.Asked, int, any, error) {
		all, err := c.Registry.Asked(ctx, u.Force, maxListed)
		ids := make([]string, len(all))
		for i, a := range all {
			ids[i] = a.Notice.ID
		}
		return all, len(all), ids, err
	})
	if err != nil {
		c.Log.ErrorContext(r.Context(), "list of requests refused", "err", err)
		c.refuseRequest(w, r, http.StatusServiceUnavailable, "", "error.request.unlisted", nil)
		return
	}
	out := jsonRequests{Notices: make([]jsonNotice, len(all)), Trail: jsonProof{proof.Index, string(proof.Checkpoint)}}
	for i, a := range all {
		out.Notices[i] = noticeJSON(a)
	}
	web.WriteJSON(w, http.StatusOK, out)
}

// refuseRequest answers a program; why adds to the words what they cannot know,
// e.g. which camera.
func (c *Consult) refuseRequest(w http.ResponseWriter, r *http.Request, status int, field, key string, why error) {
	p := web.Problem{Error: c.words(r).T(key), Field: field}
	if why != nil {
		p.Hint = why.Error()
	}
	web.WriteJSON(w, status, p)
}
