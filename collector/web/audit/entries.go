package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"

	"anagrafe/collector/act"
	"anagrafe/collector/trail"
	"anagrafe/protocol/pages"
)

const (
	defaultDays = 30
	maxDays     = 366
	maxHeaders  = 200_000 // of one force in one period, about 60 MB
	maxBodies   = 5_000   // that one search opens
	pageRows    = 50
	maxTyped    = 200 // bytes of a word that is looked for
)

var errMany = errors.New("too many entries")

// asked is what the auditor's page shows. All but Text stands in the address: dates,
// kinds and pseudonyms, no personal data.
type asked struct {
	From, To    string // days, 2006-01-02, both included
	Kind        act.Kind
	Actor, Case string // pseudonyms
	Sort        string // "" newest first, "old", "count"
	Page        int    // from 1
	Text        string // looked for in open bodies

	from, until time.Time
	wrong       bool // the period cannot be read
}

func readQuery(v url.Values, now time.Time) asked {
	get := func(name string) string {
		s := strings.TrimSpace(v.Get(name))
		return s[:min(len(s), maxTyped)]
	}
	q := asked{From: get("from"), To: get("to"), Kind: act.Kind(get("kind")), Actor: get("actor"), Case: get("case"), Sort: get("sort"), Text: strings.ToValidUTF8(get("text"), "")}
	today := now.In(pages.Rome())
	if q.To == "" {
		q.To = today.Format(time.DateOnly)
	}
	to, err := time.ParseInLocation(time.DateOnly, q.To, pages.Rome())
	if q.From == "" && err == nil {
		q.From = to.AddDate(0, 0, -defaultDays).Format(time.DateOnly)
	}
	from, err2 := time.ParseInLocation(time.DateOnly, q.From, pages.Rome())
	q.wrong = err != nil || err2 != nil || from.After(to) || to.Sub(from) > maxDays*24*time.Hour
	q.from, q.until = from, to.AddDate(0, 0, 1)
	q.Page, err = strconv.Atoi(get("page"))
	if err != nil || q.Page < 1 {
		q.Page = 1
	}
	return q
}

// url is the address of the same with some fields changed.
func (q asked) url(path string, pairs ...string) string {
	v := url.Values{}
	for name, value := range map[string]string{"from": q.From, "to": q.To, "kind": string(q.Kind), "actor": q.Actor, "case": q.Case, "sort": q.Sort} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + v.Encode()
}

// period returns the headers of a force in a time, in the order of the trail.
func (a *Audit) period(ctx context.Context, force string, from, until time.Time) ([]trail.Header, error) {
	var all []trail.Header
	for h, err := range a.Trail.Between(ctx, from, until) {
		switch {
		case err != nil:
			return nil, err
		case h.Force == force:
			if all = append(all, h); len(all) > maxHeaders {
				return nil, errMany
			}
		}
	}
	return all, nil
}

// filter keeps what was asked for, in its order.
func (q asked) filter(headers []trail.Header) []trail.Header {
	kept := slices.DeleteFunc(slices.Clone(headers), func(h trail.Header) bool {
		return q.Kind != "" && h.Kind != q.Kind || q.Actor != "" && h.Actor != q.Actor || q.Case != "" && h.Case != q.Case
	})
	slices.SortStableFunc(kept, func(x, y trail.Header) int {
		switch q.Sort {
		case "old":
			return cmp.Compare(x.Index, y.Index)
		case "count":
			return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(y.Index, x.Index))
		}
		return cmp.Compare(y.Index, x.Index)
	})
	return kept
}

// entry is one row: its header and, once the force's key is there, what it holds.
type entry struct {
	trail.Header
	Open    bool
	Why     string // it could not be opened
	Reason  string
	Offence string
	Site    string
	Text    string // all of it, JSON, indented

	plain []byte
}

// open opens the bodies of these entries.
func (a *Audit) open(ctx context.Context, headers []trail.Header, identity age.Identity) ([]entry, error) {
	all := make([]entry, len(headers))
	for i, h := range headers {
		all[i].Header = h
		if identity == nil {
			continue
		}
		body, err := a.Trail.Body(ctx, h.Index)
		if err != nil {
			return nil, err
		}
		content, err := h.Open(body, identity)
		if err != nil {
			all[i].Why = err.Error()
			continue
		}
		all[i].take(content)
	}
	return all, nil
}

// facts are the fields of a body that stand in columns of their own.
type facts struct {
	Reason  string `json:"reason"`
	Offence string `json:"offence"`
	Site    string `json:"site_id"`
}

// take reads a body: what an officer asked stands under "asked", the acts of others
// as they are.
func (e *entry) take(c trail.Content) {
	var wrapped struct {
		Asked json.RawMessage `json:"asked"`
	}
	var f facts
	e.Open, e.plain = true, c.Details
	if json.Unmarshal(c.Details, &wrapped) == nil && len(wrapped.Asked) > 0 {
		_ = json.Unmarshal(wrapped.Asked, &f) // what is not there stays empty
	} else {
		_ = json.Unmarshal(c.Details, &f)
	}
	e.Reason, e.Offence, e.Site = f.Reason, f.Offence, f.Site
	var b bytes.Buffer
	if json.Indent(&b, c.Details, "", " ") == nil {
		e.Text = b.String()
	}
}

// holds reports whether an open body holds a word, whatever its case.
func (e entry) holds(word string) bool {
	return e.Open && strings.Contains(strings.ToLower(e.Text), strings.ToLower(word))
}
