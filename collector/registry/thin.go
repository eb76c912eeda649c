package registry

import (
	"context"
	"fmt"
	"time"

	"anagrafe/protocol"
)

// What recorders say of themselves comes up to once an hour, and most of it says
// what was said before. Of what is older than 30 days, Thin keeps of each day,
// and of what is older than a year of each month, the first and the last look;
// and always the first and the last that say the same, so that every change
// stays with both its sides. Of whether a recorder is reached, only these.
//
// Two looks say the same when the answers that rest on them differ by no more
// than what a look is unsure of: clock offsets within their uncertainty, depths
// of a store within an hour, schedules and configured retentions not at all. A
// look is compared with the first of its month that says the same, which stays,
// so that thinning again and again does not add up. What goes is answered by the
// look before it (clocks: by the nearest), whatever moment "as of" asks about.
// What officers ask, whether footage still exists now, rests on the newest look
// at the store's depth, and is answered the same. Whether it existed at a moment
// long ago is answered by a look that is up to a day, or a month, older than was
// known: unknown where it was known, or by the configuration alone where a look
// since contradicted that. A store of unknown limit keeps a look a day: of those,
// protocol.FootageOf asks how old the newest look is.
//
// Looks that arrived in another order than they were made stay all: between two
// moments of knowledge, each of them may be the newest that was known.

const (
	keepAll   = 30 * 24 * time.Hour
	keepDaily = 365 * 24 * time.Hour
	// thinEvery is how soon a site's looks are read again: what is not thinned
	// yet is at most that much older than keepAll.
	thinEvery = 15 * 24 * time.Hour
	// depthSlack is how far the depths of a store may be apart that are taken for
	// the same: recorders delete by the file, and agents tell of an hour's change.
	depthSlack = time.Hour

	thinSites = 64    // read at once
	thinLooks = 20000 // of one series, read at once: two years of hours
	thinRows  = 500   // deleted in one transaction: some milliseconds
)

// Thin thins the series of the sites whose turn has come, a few rows at a time
// and only while nobody else writes, and returns how many looks it deleted. Call it once a
// day; an interrupted run continues where it was.
func (r *Registry) Thin(ctx context.Context, now time.Time) (gone int, err error) {
	t := thinning{r: r, now: now}
	for {
		sites, err := t.due(ctx)
		if err == nil && len(sites) == 0 {
			return t.gone, nil
		}
		for _, id := range sites {
			if err == nil {
				err = t.site(ctx, id)
			}
		}
		if err == nil {
			err = t.flush(ctx)
		}
		if err != nil {
			return t.gone, fmt.Errorf("thin old looks: %w", err)
		}
	}
}

// thinning is one pass.
type thinning struct {
	r     *Registry
	now   time.Time
	drops []drop
	gone  int
}

// drop is one statement to be run.
type drop struct {
	query string
	args  []any
	site  string // not "": the last of this site, which has changed
}

func (t *thinning) due(ctx context.Context) (sites []string, err error) {
	err = t.r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			sites = append(sites, id)
			return err
		}, "SELECT id FROM sites WHERE thinned_at <= ? ORDER BY thinned_at, id LIMIT ?", micros(t.now.Add(-thinEvery)), thinSites)
	})
	return sites, err
}

// site finds what may go of a site, and notes it to be dropped.
func (t *thinning) site(ctx context.Context, id string) error {
	before := t.gone + len(t.drops)
	for _, series := range []struct {
		ids  string // of what the site has a series
		thin func(ctx context.Context, siteID, id string) error
	}{
		{"SELECT DISTINCT camera_id FROM camera_observations WHERE site_id = ?", t.camera},
		{"SELECT DISTINCT recorder_id FROM clocks WHERE site_id = ?", t.clock},
		{"SELECT DISTINCT recorder_id FROM reachability WHERE site_id = ?", t.reachable},
	} {
		var ids []string
		err := t.r.view(ctx, func(tx *tx) error {
			return each(ctx, tx, func(scan func(...any) error) error {
				var id string
				err := scan(&id)
				ids = append(ids, id)
				return err
			}, series.ids, id)
		})
		if err != nil {
			return err
		}
		for _, one := range ids {
			if err := series.thin(ctx, id, one); err != nil {
				return err
			}
		}
	}
	done := drop{query: "UPDATE sites SET thinned_at = ? WHERE id = ?", args: []any{micros(t.now), id}}
	if t.gone+len(t.drops) > before {
		done.site = id // search holds 90 days: it is to answer from what the record holds
	}
	return t.add(ctx, done)
}

// clock thins the samples of a recorder's clock.
func (t *thinning) clock(ctx context.Context, siteID, id string) error {
	var series []look[protocol.Clock]
	err := t.read(ctx, func(scan func(...any) error) error {
		var at, recorded int64
		var l look[protocol.Clock]
		err := scan(&at, &recorded, &l.value.OffsetMs, &l.value.UncertaintyMs, &l.value.Method)
		l.at, l.recorded = fromMicros(at), fromMicros(recorded)
		series = append(series, l)
		return err
	}, "SELECT at, recorded_at, offset_ms, uncertainty_ms, method FROM clocks WHERE site_id = ? AND recorder_id = ? AND at < ? ORDER BY at LIMIT ?", siteID, id)
	if err != nil {
		return err
	}
	for i, stays := range t.stay(stamps(series), func(a, b int) bool { return sameClock(series[a].value, series[b].value) }, byMonth) {
		if !stays {
			err = t.add(ctx, drop{query: "DELETE FROM clocks WHERE site_id = ? AND recorder_id = ? AND at = ?", args: []any{siteID, id, micros(series[i].at)}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// sameClock: within half of what each is unsure of, so that two that are each
// the same as a third are within the whole.
func sameClock(a, b protocol.Clock) bool {
	unsure := min(a.UncertaintyMs, b.UncertaintyMs)
	return a.Method == b.Method && within(a.OffsetMs, b.OffsetMs, unsure/2) && within(a.UncertaintyMs, b.UncertaintyMs, unsure/2)
}

// within is safe for what a device may say: no difference of two int64 wraps.
func within(a, b, most int64) bool {
	low, high := min(a, b), max(a, b)
	return most >= 0 && uint64(high)-uint64(low) <= uint64(most)
}

// reachable thins the looks at a recorder to its changes.
func (t *thinning) reachable(ctx context.Context, siteID, id string) error {
	var series []look[bool]
	err := t.read(ctx, func(scan func(...any) error) error {
		var at, recorded int64
		var l look[bool]
		err := scan(&at, &recorded, &l.value)
		l.at, l.recorded = fromMicros(at), fromMicros(recorded)
		series = append(series, l)
		return err
	}, "SELECT at, recorded_at, reachable FROM reachability WHERE site_id = ? AND recorder_id = ? AND at < ? ORDER BY at, recorded_at LIMIT ?", siteID, id)
	if err != nil {
		return err
	}
	for i, stays := range t.stay(stamps(series), func(a, b int) bool { return series[a].value == series[b].value }, changesOnly) {
		if !stays {
			err = t.add(ctx, drop{query: "DELETE FROM reachability WHERE site_id = ? AND recorder_id = ? AND at = ? AND recorded_at = ?",
				args: []any{siteID, id, micros(series[i].at), micros(series[i].recorded)}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// read reads a series, the oldest first, of what is older than keepAll.
func (t *thinning) read(ctx context.Context, f func(scan func(...any) error) error, query, siteID, id string) error {
	return t.r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, f, query, siteID, id, micros(t.now.Add(-keepAll)), thinLooks)
	})
}

func (t *thinning) add(ctx context.Context, d drop) error {
	t.drops = append(t.drops, d)
	if len(t.drops) < thinRows {
		return nil
	}
	return t.flush(ctx)
}

// flush drops what was noted.
func (t *thinning) flush(ctx context.Context) error {
	n := 0
	err := t.r.updateIdle(ctx, func(ctx context.Context, tx *tx) error {
		for _, d := range t.drops {
			done, err := tx.ExecContext(ctx, d.query, d.args...)
			if err != nil {
				return err
			}
			if d.query[0] == 'D' {
				rows, err := done.RowsAffected()
				if err != nil {
					return err
				}
				n += int(rows)
			}
			if d.site != "" {
				if err := changed(ctx, tx, d.site); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		t.gone += n
		t.drops = t.drops[:0]
	}
	return err
}
