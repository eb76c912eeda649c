package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/disclosure"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// month is how the month of a publication is written.
const month = "2006-01"

// statistics finds the districts of sites that have none yet, when they were imported
// anew and every hour, and publishes what is due, until ctx ends.
func (o *collector) statistics(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if n, err := o.reg.PlaceSites(ctx); err != nil && ctx.Err() == nil {
			o.log.Warn("the districts of sites could not be found; it will be tried again in an hour", "err", err)
		} else if n > 0 {
			o.log.Info("the districts of sites were found", "sites", n)
		}
		now := time.Now()
		if err := o.publishSharing(ctx, now); err != nil && ctx.Err() == nil {
			o.log.Warn("the statistics could not be published; it will be tried again in an hour", "err", err)
		}
		if err := o.publishMonths(ctx, now); err != nil && ctx.Err() == nil {
			o.log.Warn("the numbers of consultations could not be published; it will be tried again in an hour", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-o.redrawn:
		case <-tick.C:
		}
	}
}

// publishSharing publishes once a day who shares, if it tells of no site.
func (o *collector) publishSharing(ctx context.Context, now time.Time) error {
	now = now.In(pages.Rome())
	year := now.AddDate(-1, 0, 0).Format(time.DateOnly)
	kept, err := o.reg.Publications(ctx, registry.PublishedSharing, year)
	today := now.Format(time.DateOnly)
	if err != nil || len(kept) > 0 && kept[0].Period >= today {
		return err
	}
	before := make([]disclosure.Published, len(kept))
	for i, p := range kept {
		if err := cmp.Or(json.Unmarshal(p.Body, &before[i].Numbers), json.Unmarshal(p.Basis, &before[i].Counts)); err != nil {
			return fmt.Errorf("the publication of %s cannot be read: %w", p.Period, err)
		}
	}
	shared, err := o.reg.SharedCounts(ctx)
	if err != nil {
		return err
	}
	counts := sharedBy(shared, o.places.Index().Municipi())
	n, why := disclosure.Usual.Next(counts, before)
	if why != "" {
		o.log.DebugContext(ctx, "the statistics stay as they are", "why", why)
		return nil
	}
	return o.publish(ctx, registry.PublishedSharing, today, now, n, counts, year)
}

func (o *collector) publish(ctx context.Context, kind, period string, now time.Time, body any, basis disclosure.Counts, forget string) error {
	public, err := json.Marshal(body)
	if err != nil {
		return err
	}
	p := registry.Publication{Kind: kind, Period: period, At: now, Body: public}
	if basis != nil {
		if p.Basis, err = json.Marshal(basis); err != nil {
			return err
		}
	}
	if done, err := o.reg.Publish(ctx, p, forget); err != nil || !done {
		return err
	}
	o.log.InfoContext(ctx, "statistics were published", "kind", kind, "period", period)
	return nil
}

// sharedBy arranges counts by category and, where districts were imported, municipio.
// All that there are have a line, also those in which nobody shares.
func sharedBy(shared []registry.Shared, municipi []string) disclosure.Counts {
	margin := func(names []string, of func(registry.Shared) string) (parts []disclosure.Part) {
		for _, name := range append(slices.Clone(names), "") {
			part := disclosure.Part{Name: name, N: []int{0, 0}}
			for _, s := range shared {
				if at := of(s); at == name || name == "" && !slices.Contains(names, at) {
					part.N[0], part.N[1] = part.N[0]+s.Sites, part.N[1]+s.Cameras
				}
			}
			parts = append(parts, part)
		}
		return parts
	}
	var categories []string
	for _, c := range protocol.Categories {
		categories = append(categories, string(c))
	}
	counts := make(disclosure.Counts, 1, 2)
	counts[0].Of, counts[0].Parts = "category", margin(categories, func(s registry.Shared) string { return string(s.Category) })
	if len(municipi) > 0 {
		counts = append(counts, counts[0])
		counts[1].Of, counts[1].Parts = "municipio", margin(municipi, func(s registry.Shared) string { return s.Municipio })
	}
	return counts
}

// publishMonths publishes how often was searched in each month that is over, since the
// last one that was published, or the last alone. It is done once a month, so
// that nobody can watch it grow.
func (o *collector) publishMonths(ctx context.Context, now time.Time) error {
	now = now.In(pages.Rome())
	this := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, pages.Rome())
	from := this.AddDate(0, -1, 0)
	last, err := o.reg.MonthlyPublications(ctx, registry.PublishedConsultation, 1)
	if err != nil {
		return err
	}
	if len(last) > 0 {
		published, err := time.ParseInLocation(month, last[0].Period, pages.Rome())
		if err != nil {
			return fmt.Errorf("the publication of %s: %w", last[0].Period, err)
		}
		from = published.AddDate(0, 1, 0)
	}
	for ; from.Before(this); from = from.AddDate(0, 1, 0) {
		counted, err := o.consultations(ctx, from, from.AddDate(0, 1, 0))
		if err != nil {
			return err
		}
		if err := o.publish(ctx, registry.PublishedConsultation, from.Format(month), now, counted, nil, ""); err != nil {
			return err
		}
	}
	return nil
}

// consultations counts, by the clear headers of the trail, what was done from a moment
// on and before another.
func (o *collector) consultations(ctx context.Context, from, until time.Time) (m disclosure.Month, err error) {
	forces, err := o.reg.Forces(ctx)
	if err != nil {
		return m, err
	}
	searches, requests := make(map[string]int), 0
	for h, err := range o.trail.Between(ctx, from, until) {
		if err != nil {
			return m, err
		}
		switch h.Kind {
		case act.Search:
			searches[h.Force]++
		case act.Request:
			requests++
		}
	}
	counts := make(disclosure.Counts, 1)
	counts[0].Of = "force"
	for _, f := range forces {
		counts[0].Parts = append(counts[0].Parts, disclosure.Part{Name: f.Name, N: []int{searches[f.Name]}})
		delete(searches, f.Name)
	}
	rest := 0
	for _, n := range searches { // of a force that is no more
		rest += n
	}
	counts[0].Parts = append(counts[0].Parts, disclosure.Part{N: []int{rest}})
	all := disclosure.Counts{{Of: "all", Parts: []disclosure.Part{{N: []int{requests}}}}}
	return disclosure.Month{Searches: disclosure.Usual.Once(counts), Requests: disclosure.Usual.Once(all)}, nil
}
