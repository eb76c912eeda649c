package search

import (
	"context"
	"slices"
)

// Show gives what is shown of the hits from..until of an answer, both counted
// from 0, until no more than there are. It reads their sites from the register and
// asks those anew, all of a site of one state of the record. Where a site has
// changed since the answer was given, its hits change too: the answer that is
// given back has them, and the results are its hits from..until.
func (x *Index) Show(ctx context.Context, a Answer, from, until int) (Answer, []Result, error) {
	type key struct{ site, camera string }
	read := make(map[string]bool)
	results := make(map[key]Result)
	for {
		var missing []string
		for _, h := range a.Hits[min(from, len(a.Hits)):min(until, len(a.Hits))] {
			if !read[h.SiteID] {
				read[h.SiteID] = true
				missing = append(missing, h.SiteID)
			}
		}
		if len(missing) == 0 {
			break
		}
		hits := slices.DeleteFunc(slices.Clone(a.Hits), func(h Hit) bool { return slices.Contains(missing, h.SiteID) })
		for _, id := range missing {
			all, err := x.askRegister(ctx, a.Query, id)
			if err != nil {
				return a, nil, err
			}
			for _, r := range all {
				hits = append(hits, r.Hit)
				results[key{id, r.CameraID}] = r
			}
		}
		slices.SortFunc(hits, order)
		a.Hits = hits
	}
	var shown []Result
	for _, h := range a.Hits[min(from, len(a.Hits)):min(until, len(a.Hits))] {
		shown = append(shown, results[key{h.SiteID, h.CameraID}])
	}
	return a, shown, nil
}

// askRegister answers for one site by its history.
func (x *Index) askRegister(ctx context.Context, q Query, id string) (all []Result, err error) {
	h, err := x.r.History(ctx, id, q.From)
	if err != nil {
		return nil, err
	}
	for _, c := range newSite(h, q.From).cameras {
		c.places(func(_ cell, h hung) {
			l, listed := q.In.look(h.then.Position, h.then.View)
			if at := q.From.UnixMicro(); !listed || h.from > at || at >= h.until {
				return
			}
			if r := (found{c, h.then, l}).answer(q); !q.Only.hides(r.Category, &r.Hit, &Hidden{}) {
				all = append(all, r)
			}
		})
	}
	return all, nil
}
