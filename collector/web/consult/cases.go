package consult

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

const (
	maxCases   = 500 // of one list
	maxHistory = 300 // acts of a case, or of an officer, in one list
)

// jsonCases answers GET /cases: open ones first, then the newest.
type jsonCases struct {
	Cases []jsonCase `json:"cases"`
}

type jsonCase struct {
	ID       string    `json:"id"`
	Force    string    `json:"force"`
	Kind     string    `json:"case_kind"`
	Ref      string    `json:"case_ref"` // "": it is to follow
	Offence  string    `json:"offence"`
	Reason   string    `json:"reason"`
	OpenedBy string    `json:"opened_by"`
	Opened   time.Time `json:"opened_at"`
	Due      time.Time `json:"reference_due_at,omitzero"` // only where it is to follow
	Late     bool      `json:"reference_late"`
	Closed   time.Time `json:"closed_at,omitzero"`
	Shared   []string  `json:"shared_with"`
}

// casesView is what cases.html reads.
type casesView struct {
	Mine, Force, Shared, Closed []caseBand
}

// listCases lists the cases that the officer may work in. What it shows are the
// force's own papers, nothing of the register: it is no consultation.
func (c *Consult) listCases(w http.ResponseWriter, r *http.Request) {
	u := user(r)
	all, err := c.Registry.Cases(r.Context(), u.Force, maxCases)
	names, err2 := c.names(r.Context())
	if err := errors.Join(err, err2); err != nil {
		c.broken(w, r, err)
		return
	}
	if web.WantsJSON(r) {
		out := jsonCases{make([]jsonCase, len(all))}
		for i, k := range all {
			b := c.band(k, u)
			out.Cases[i] = jsonCase{k.ID, k.Force, k.Kind, k.Ref, k.Offence, k.Reason, names[k.OpenedBy], k.OpenedAt, b.Due, b.Late, k.ClosedAt, append([]string{}, k.Shared...)}
		}
		web.WriteJSON(w, http.StatusOK, out)
		return
	}
	var v casesView
	for _, k := range all {
		list := &v.Force
		switch {
		case !k.ClosedAt.IsZero():
			list = &v.Closed
		case k.Force != u.Force:
			list = &v.Shared
		case k.OpenedBy == u.ID:
			list = &v.Mine
		}
		*list = append(*list, c.band(k, u))
	}
	p := c.page(r, "cases.html", "cases.title", http.StatusOK, nil)
	p.Wide, p.Data = false, v
	c.set.Render(w, r, p)
}

// mine are the officer's own open cases, for the page on which a new one begins.
func (c *Consult) mine(ctx context.Context, u registry.User) (mine []caseBand) {
	all, err := c.Registry.Cases(ctx, u.Force, maxCases)
	if err != nil {
		c.Log.ErrorContext(ctx, "cases not listed", "err", err) // the form does without
	}
	for _, k := range all {
		if k.OpenedBy == u.ID && k.ClosedAt.IsZero() && len(mine) < 5 {
			mine = append(mine, c.band(k, u))
		}
	}
	return mine
}

// inCase is what the page of a case shows beside its form.
type inCase struct {
	Band    caseBand
	History []done
	Forces  []string // with which it may still be shared; nil: not by this officer
}

// done is one act in a list.
type done struct {
	At    time.Time
	Who   string
	Kind  string // key of its word
	What  string
	Again string    // where its answer is still to be seen; "": nowhere
	Case  *caseBand // of which; nil: that of the page
}

// oneCase shows the form of a case, with what was done in it.
func (c *Consult) oneCase(w http.ResponseWriter, r *http.Request) {
	u := user(r)
	k, ok, err := c.Registry.Case(r.Context(), r.PathValue("case"), u.Force)
	switch {
	case err != nil:
		c.broken(w, r, err)
	case !ok:
		c.fail(w, r, http.StatusNotFound, "error.case.unknown", nil)
	default:
		c.showCase(w, r, k, http.StatusOK)
	}
}

func (c *Consult) showCase(w http.ResponseWriter, r *http.Request, k registry.Case, status int, notes ...pages.Note) {
	q := blank(c.Now())
	q.Case = k
	c.showForm(w, r, q, status, notes...)
}

// inCase reads what the page of a case shows beside its form.
func (c *Consult) inCase(r *http.Request, k registry.Case) (*inCase, error) {
	ctx, u := r.Context(), user(r)
	records, err := c.Registry.CaseHistory(ctx, k.ID, "", maxHistory)
	if err != nil {
		return nil, err
	}
	v := &inCase{Band: c.band(k, u)}
	if v.History, err = c.history(r, records); err != nil || v.Band.Foreign {
		return v, err
	}
	forces, err := c.Registry.Forces(ctx)
	for _, f := range forces {
		if f.Name != k.Force && !slices.Contains(k.Shared, f.Name) {
			v.Forces = append(v.Forces, f.Name)
		}
	}
	return v, err
}

// history words records.
func (c *Consult) history(r *http.Request, records []registry.CaseRecord) ([]done, error) {
	names, err := c.names(r.Context())
	if err != nil {
		return nil, err
	}
	words, u := c.set.Words(pages.Language(r)), user(r)
	all := make([]done, len(records))
	for i, rec := range records {
		b := readBrief(rec)
		d := done{At: rec.At, Who: names[rec.Actor], Kind: "done." + string(rec.Kind), What: b.Words[words.Lang]}
		if !words.Has(d.Kind) {
			d.Kind = "done.other"
		}
		if _, kept := c.answers.find(b.Search, u.ID); kept {
			d.Again = "/search/" + b.Search
		}
		if b.Request != "" {
			d.Again = "/requests/" + b.Request
		}
		all[i] = d
	}
	return all, nil
}

// readBrief reads what a list shows of a record; a record of another maker may
// have none.
func readBrief(rec registry.CaseRecord) (b brief) {
	_ = json.Unmarshal(rec.Brief, &b)
	return b
}

// myLog shows what the officer did, in whatever case, the newest first.
func (c *Consult) myLog(w http.ResponseWriter, r *http.Request) {
	u := user(r)
	records, err := c.Registry.RecordsBy(r.Context(), u.ID, maxHistory)
	all, err2 := c.Registry.Cases(r.Context(), u.Force, maxCases)
	history, err3 := c.history(r, records)
	if err := errors.Join(err, err2, err3); err != nil {
		c.broken(w, r, err)
		return
	}
	bands := make(map[string]*caseBand, len(all))
	for _, k := range all {
		b := c.band(k, u)
		bands[k.ID] = &b
	}
	for i, rec := range records {
		history[i].Case = bands[rec.CaseID]
	}
	p := c.page(r, "mine.html", "mine.title", http.StatusOK, nil)
	p.Wide, p.Data = false, history
	c.set.Render(w, r, p)
}

// broken answers what the register could not do.
func (c *Consult) broken(w http.ResponseWriter, r *http.Request, err error) {
	c.Log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "err", err)
	status := http.StatusInternalServerError
	if registry.Unavailable(err) {
		status = http.StatusServiceUnavailable
	}
	c.fail(w, r, status, "error.broken", nil)
}
