package consult

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/search"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// paperSource is what papers are made from: an answer that is still kept, or the
// rows of a case's searches that a request to preserve was about, with its interval.
type paperSource struct {
	*answer
	before map[string]askedBefore // by site id: what was asked of it in the case
	fields []hiddenField          // by which a form names the source
	back   string
	place  string // where it happened, for the form
}

// askedBefore is the newest request to preserve to a site.
type askedBefore struct {
	at   time.Time
	code string // by which its owner checks that it is genuine
}

// paperSource returns the source that a form names, and who posts; false: it was
// refused, and they are told.
func (c *Consult) paperSource(w http.ResponseWriter, r *http.Request) (u officer, src paperSource, ok bool) {
	if err := r.ParseForm(); err != nil {
		c.fail(w, r, http.StatusBadRequest, "error.body", err)
		return u, src, false
	}
	id := r.PostForm.Get("request")
	if id == "" {
		return c.answerSource(w, r)
	}
	u, err := c.officer(r)
	if err != nil {
		c.fail(w, r, http.StatusForbidden, "error.force", err)
		return u, src, false
	}
	k, ok, err := c.Registry.Case(r.Context(), r.PostForm.Get("case"), u.Force)
	if err == nil && ok {
		src, ok, err = c.requestSource(r.Context(), u, k, id)
	}
	switch {
	case err != nil:
		c.broken(w, r, err)
		return u, src, false
	case !ok:
		c.fail(w, r, http.StatusNotFound, "error.paper.request", nil)
		return u, src, false
	case !k.ClosedAt.IsZero():
		c.fail(w, r, http.StatusUnprocessableEntity, "error.case.closed", nil)
		return u, src, false
	}
	if len(r.PostForm["site"]) == 0 {
		r.PostForm["site"] = src.sites()
	}
	return u, src, true
}

func (c *Consult) answerSource(w http.ResponseWriter, r *http.Request) (u officer, src paperSource, ok bool) {
	u, ans, ok := c.named(w, r)
	if !ok {
		return u, src, false
	}
	before, err := c.askedBefore(r.Context(), u, ans.question.Case.ID)
	if err != nil {
		c.broken(w, r, err)
		return u, src, false
	}
	place := ans.question.placeName()
	if place == "" {
		place = whereOf(c.set.Words(pages.It), ans.question)
	}
	return u, paperSource{ans, before, []hiddenField{{"search", ans.id}}, "/search/" + ans.id, place}, true
}

// askedBefore returns the newest request to each site of a case.
func (c *Consult) askedBefore(ctx context.Context, u officer, caseID string) (map[string]askedBefore, error) {
	requests, err := c.Registry.Requests(ctx, u.Force, caseID, maxRequests)
	all := make(map[string]askedBefore)
	for _, q := range slices.Backward(requests) { // the newest first
		for _, d := range q.Sites {
			all[d.SiteID] = askedBefore{q.At, d.Asked.CheckCode}
		}
	}
	return all, err
}

// requestSource puts together what the case has of a request's cameras: each as it
// was shown last, and the contacts as they were opened last.
func (c *Consult) requestSource(ctx context.Context, u officer, k registry.Case, id string) (paperSource, bool, error) {
	q, _, ok, err := c.Registry.Request(ctx, id, u.Force)
	if err != nil || !ok || q.CaseID != k.ID {
		return paperSource{}, false, err
	}
	before, err := c.askedBefore(ctx, u, k.ID)
	if err != nil {
		return paperSource{}, false, err
	}
	records, err := c.Registry.CaseRecords(ctx, k.ID)
	if err != nil {
		return paperSource{}, false, err
	}
	src := paperSource{answer: &answer{question: &question{Case: k, Reason: k.Reason, Offence: k.Offence}, learnt: &learnt{contacts: make(map[string][]registry.Contact)}},
		before: before, fields: []hiddenField{{"request", id}, {"case", k.ID}}, back: "/requests/" + id}
	rows := make(map[string]jsonResult)
	for _, rec := range records {
		switch rec.Kind {
		case act.Search:
			var s searchRecord
			if json.Unmarshal(rec.Body, &s) == nil {
				for _, row := range s.Results {
					rows[row.CameraID] = row
				}
				src.question.From, src.question.To, src.place = s.Asked.From, s.Asked.Until, s.Asked.Place
			}
		case act.Reveal:
			var v revealRecord
			if json.Unmarshal(rec.Body, &v) == nil {
				src.contacts[v.SiteID] = v.contacts()
			}
		}
	}
	for _, d := range q.Sites {
		for _, camera := range d.Asked.CameraIDs {
			if row, ok := rows[camera]; ok {
				src.results = append(src.results, askedOf(resultOf(row), d.Asked))
			}
		}
	}
	return src, len(src.results) > 0, nil
}

// sites are those of the source's rows.
func (src paperSource) sites() (ids []string) {
	for _, r := range src.results {
		if !slices.Contains(ids, r.SiteID) {
			ids = append(ids, r.SiteID)
		}
	}
	return ids
}

// askedOf is a row with the interval that its owner was asked to keep, margins
// included, in place of the searched one: they are to hand over what they kept.
func askedOf(r search.Result, p protocol.Preserve) search.Result {
	r.From, r.Until = p.Start, p.End
	if r.Clock != nil {
		from, within := r.Clock.Shows(p.Start)
		until, _ := r.Clock.Shows(p.End)
		r.ClockFrom, r.ClockUntil = from.Add(-within), until.Add(within)
	}
	return r
}

// resultOf is what a document says of a row that a case keeps.
func resultOf(j jsonResult) search.Result {
	r := search.Result{Hit: search.Hit{Class: j.Class, CameraID: j.CameraID, SiteID: j.SiteID, From: j.From, Until: j.Until, TimeLeftAssumed: j.TimeLeftAssumed,
		Footage: protocol.Footage{Until: j.Footage.Until}},
		SiteName: j.SiteName, Address: j.Address, CameraName: j.CameraName, OldName: j.OldName, Recorder: j.Recorder, Schedule: j.Schedule,
		Camera: protocol.Camera{ID: j.CameraID, Channel: j.Channel}}
	if j.Clock != nil {
		r.ClockFrom, r.ClockUntil = j.Clock.From, j.Clock.Until
		r.Clock = &protocol.Clock{OffsetMs: j.Clock.OffsetMs, UncertaintyMs: j.Clock.WithinMs, Method: j.Clock.Method, At: j.Clock.MeasuredAt}
	}
	return r
}
