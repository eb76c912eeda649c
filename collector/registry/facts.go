package registry

import (
	"context"
	"fmt"
	"math/bits"
	"runtime"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"anagrafe/protocol"
)

// Facts is what decides the rank of a site's cameras in a search: the part of its History
// that is read for all sites at once. Of the measurements of a store's depth it has only
// the newest, because older ones say nothing about the time since.
type Facts struct {
	SiteID   string
	Category protocol.Category
	Clocks   map[string]time.Time // when each recorder's clock was read last, by the recorder's id
	Cameras  []CameraFacts        // none of a site that is suspended or withdrawn
}

// CameraFacts are those of one camera, as History has them.
type CameraFacts struct {
	ID         string
	Versions   []CameraVersion // not empty; of each Camera the recorder, position, view, schedule and retention alone
	Schedules  []protocol.Era[protocol.Schedule]
	Retentions []protocol.Era[protocol.Retention]
}

// factSites is how many sites are read at once: some thousands of rows.
const factSites = 256

// AllFacts calls f, from several goroutines at once, for every site that was ever
// declared, all in one state of the record, and returns the number of its newest change.
// Schedules and retentions begin with those in force at since. If f fails, AllFacts does.
func (r *Registry) AllFacts(ctx context.Context, since time.Time, f func(Facts) error) (change int64, err error) {
	err = r.view(ctx, func(tx *tx) error {
		ids, last, err := everChanged(ctx, tx)
		if err != nil {
			return err
		}
		change = last
		read := make(chan []*siteRows, runtime.GOMAXPROCS(0))
		g, ctx := errgroup.WithContext(ctx)
		for range runtime.GOMAXPROCS(0) {
			g.Go(func() error {
				for sites := range read {
					for _, s := range sites {
						facts, err := r.openFacts(s, since)
						if err == nil {
							err = f(facts)
						}
						if err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
		g.Go(func() error { // alone reads: a transaction is one connection
			defer close(read)
			for len(ids) > 0 {
				n := min(factSites, len(ids))
				sites, err := readFacts(ctx, tx, ids[:n], since)
				if err != nil {
					return err
				}
				ids = ids[n:]
				select {
				case read <- sites:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
		return g.Wait()
	})
	if err != nil {
		return 0, fmt.Errorf("read all sites: %w", err)
	}
	return change, nil
}

// FactsOf returns the facts of sites, all of one state of the record, in the order
// of ids.
func (r *Registry) FactsOf(ctx context.Context, ids []string, since time.Time) ([]Facts, error) {
	var sites []*siteRows
	err := r.view(ctx, func(tx *tx) error {
		for from := 0; from < len(ids); from += factSites {
			some, err := readFacts(ctx, tx, ids[from:min(from+factSites, len(ids))], since)
			if err != nil {
				return err
			}
			sites = append(sites, some...)
		}
		return nil
	})
	facts := make([]Facts, len(sites))
	for i := range sites {
		if err == nil {
			facts[i], err = r.openFacts(sites[i], since)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read sites: %w", err)
	}
	return facts, nil
}

// everChanged returns the sites that ever changed, in the order of their ids, in
// which their rows lie, and the number of the newest change.
func everChanged(ctx context.Context, tx *tx) (ids []string, last int64, err error) {
	err = each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var number int64
		err := scan(&id, &number)
		ids, last = append(ids, id), max(last, number)
		return err
	}, "SELECT site_id, number FROM changes ORDER BY site_id")
	return ids, last, err
}

// siteRows are the rows of one site, sealed as they are.
type siteRows struct {
	id, category string
	hidden       bool
	key          []byte
	clocks       map[string]time.Time
	versions     []versionRow
	observed     []observationRow
}

type versionRow struct {
	id             string
	version        int64
	from, recorded int64
	until          int64 // 0: it stands
	body           []byte
}

// readFacts reads at most factSites sites, in the order of ids.
func readFacts(ctx context.Context, tx *tx, ids []string, since time.Time) ([]*siteRows, error) {
	sites, byID := make([]*siteRows, len(ids)), make(map[string]*siteRows, len(ids))
	for i, id := range ids {
		sites[i] = &siteRows{id: id, hidden: true}
		byID[id] = sites[i]
	}
	which, args := among(ids)
	err := each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var s siteRows
		if err := scan(&id, &s.category, &s.hidden, &s.key); err != nil {
			return err
		}
		s.id = id
		*byID[id] = s
		return nil
	}, `SELECT s.id, s.category, s.suspended_at IS NOT NULL, k.sealed FROM sites s LEFT JOIN data_keys k ON k.owner = s.id
		WHERE s.id IN `+which, args...)
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, func(scan func(...any) error) error {
		var site string
		var v versionRow
		err := scan(&site, &v.id, &v.version, &v.from, &v.recorded, &v.until, &v.body)
		byID[site].versions = append(byID[site].versions, v)
		return err
	}, `SELECT site_id, id, version, valid_from, recorded_at, coalesce(valid_until, 0), body FROM versions
		WHERE site_id IN `+which+` AND kind = 'camera' ORDER BY site_id, id, version`, args...)
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, func(scan func(...any) error) error {
		var site, recorder string
		var at int64
		err := scan(&site, &recorder, &at)
		if byID[site].clocks == nil {
			byID[site].clocks = make(map[string]time.Time, 1)
		}
		byID[site].clocks[recorder] = fromMicros(at)
		return err
	}, "SELECT site_id, recorder_id, max(at) FROM clocks WHERE site_id IN "+which+" GROUP BY site_id, recorder_id", args...)
	if err != nil {
		return nil, err
	}
	bound := "?" + strconv.Itoa(len(args)+1)
	err = each(ctx, tx, func(scan func(...any) error) error {
		var site string
		var o observationRow
		err := scan(append([]any{&site}, o.columns()...)...)
		byID[site].observed = append(byID[site].observed, o)
		return err
	}, "SELECT site_id, "+observationColumns+` FROM camera_observations o WHERE site_id IN `+which+` AND (
		at >= `+bound+` AND (schedule IS NOT NULL OR retention IS NOT NULL)
		OR `+newestWith("oldest_footage", "")+` OR `+newestWith("settled", "")+`
		OR at < `+bound+` AND (`+newestWith("schedule", bound)+` OR `+newestWith("retention", bound)+`))
		ORDER BY site_id, camera_id, at, recorded_at`, append(args, micros(since))...)
	return sites, err
}

// newestWith tells of an observation whether it is the newest of its camera that
// has a column, among those from before the bound, if there is one.
func newestWith(column, bound string) string {
	if bound != "" {
		bound = " AND l.at < " + bound
	}
	return column + ` IS NOT NULL AND NOT EXISTS (SELECT 1 FROM camera_observations l
		WHERE l.site_id = o.site_id AND l.camera_id = o.camera_id AND l.at > o.at` + bound + ` AND l.` + column + ` IS NOT NULL)`
}

// among writes "(?1, ?2, ...)" for ids. It repeats the last of them up to a power
// of two, so that there are few different statements.
func among(ids []string) (list string, args []any) {
	for i := range 1 << bits.Len(uint(len(ids)-1)) {
		args = append(args, ids[min(i, len(ids)-1)])
		list += ", ?" + strconv.Itoa(i+1)
	}
	return "(" + list[2:] + ")", args
}

// openFacts opens what was read of a site.
func (r *Registry) openFacts(s *siteRows, since time.Time) (Facts, error) {
	f := Facts{SiteID: s.id, Category: protocol.Category(s.category), Clocks: s.clocks}
	if s.hidden || len(s.versions) == 0 {
		return f, nil
	}
	b, err := r.vault.openOnce(s.id, s.key)
	if err != nil {
		return f, err
	}
	observed := make(map[string][]observation)
	for _, row := range s.observed {
		o, err := b.openObservation(row)
		if err != nil {
			return f, err
		}
		observed[row.camera] = append(observed[row.camera], o)
	}
	for rows := s.versions; len(rows) > 0; {
		n := 1
		for n < len(rows) && rows[n].id == rows[0].id {
			n++
		}
		c := CameraFacts{ID: rows[0].id}
		if c.Versions, err = openVersions(b, rows[:n]); err != nil {
			return f, err
		}
		if len(c.Versions) > 0 {
			schedules, retentions := series(c.Versions, observed[c.ID])
			schedules.trim(since)
			retentions.trim(since)
			c.Schedules, c.Retentions = schedules.list, retentions.list
			f.Cameras = append(f.Cameras, c)
		}
		rows = rows[n:]
	}
	return f, nil
}

// openVersions opens those of one camera; none where it is withdrawn. What it was
// before it came back is erased.
func openVersions(b *box, rows []versionRow) (all []CameraVersion, err error) {
	for _, row := range rows {
		if row.body == nil {
			if row.until == 0 {
				all = nil
			}
			continue
		}
		plain, err := b.open(versionBody(thing{kindCamera, row.id}, row.version), row.body)
		if err != nil {
			return nil, err
		}
		c, err := decodeSeen(plain)
		if err != nil {
			return nil, err
		}
		all = append(all, CameraVersion{ValidFrom: fromMicros(row.from), RecordedAt: fromMicros(row.recorded),
			Camera: protocol.Camera{ID: row.id, RecorderID: c.RecorderID, Position: c.Position, View: c.View, Schedule: c.Schedule, Retention: c.Retention.retention()}})
	}
	return all, nil
}

// decodeSeen is decode for a camera's body, in one pass over it: half of the time
// that a country's cameras took to load went into reading each twice.
func decodeSeen(body []byte) (c seenCamera, err error) {
	if err := json.Unmarshal(body, &c); err != nil {
		return c, fmt.Errorf("a stored camera is damaged: %w", err)
	}
	return c, nil
}

// seenCamera is what is read of a camera's body. Names and answers of people are
// not, and the retention is read at once, which its own UnmarshalJSON cannot.
type seenCamera struct {
	RecorderID string            `json:"recorder_id"`
	Position   protocol.Position `json:"position"`
	View       protocol.View     `json:"view"`
	Schedule   protocol.Schedule `json:"schedule"`
	Retention  seenRetention     `json:"retention"`
}

type seenRetention struct {
	Kind            protocol.RetentionKind `json:"kind"`
	AgeSeconds      int64                  `json:"age_seconds"`
	EventAgeSeconds int64                  `json:"event_age_seconds"`
	OldestFootage   time.Time              `json:"oldest_footage"`
	ObservedAt      time.Time              `json:"observed_at"`
	Settled         bool                   `json:"settled"`
	Fact            protocol.Fact          `json:"fact"`
}

func (s seenRetention) retention() protocol.Retention {
	return protocol.Retention{Kind: s.Kind, Age: time.Duration(s.AgeSeconds) * time.Second, EventAge: time.Duration(s.EventAgeSeconds) * time.Second,
		OldestFootage: s.OldestFootage, ObservedAt: s.ObservedAt, Settled: s.Settled, Fact: s.Fact}
}
