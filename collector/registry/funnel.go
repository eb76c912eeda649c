package registry

import (
	"context"
	"fmt"
	"time"
)

// FunnelRow counts the sites of one group by how far they came. The stages count who
// ever came so far; Sharing, Suspended, Silent and Withdrawn count how they stand.
type FunnelRow struct {
	Group   string // of what was asked for: a category, a municipio, a neighbourhood; "" in none, or all
	Reached map[Stage]int

	Sharing   int // silent ones among them
	Silent    int // share, and no message of them was recorded since the moment that was given
	Suspended int
	Withdrawn int // and nothing was declared since
}

// Grouping is by what sites are counted.
type Grouping string

// The groupings.
const (
	GroupNone      Grouping = ""
	GroupCategory  Grouping = "category"
	GroupMunicipio Grouping = "municipio"
	GroupNIL       Grouping = "nil"
)

// groupColumns are fixed texts: none comes from outside.
var groupColumns = map[Grouping]string{
	GroupNone: "''", GroupCategory: "s.category", GroupMunicipio: "coalesce(d.municipio, '')", GroupNIL: "coalesce(d.nil, '')",
}

// Funnel counts all sites, group by group in the order of their names. It reads the
// row of each site once.
func (r *Registry) Funnel(ctx context.Context, by Grouping, silentSince time.Time) ([]FunnelRow, error) {
	group, ok := groupColumns[by]
	if !ok {
		return nil, fmt.Errorf("sites cannot be grouped by %q", by)
	}
	from := "sites s"
	if by == GroupMunicipio || by == GroupNIL {
		from += " LEFT JOIN site_districts d ON d.site_id = s.id"
	}
	query := "SELECT " + group + " AS place"
	for _, stage := range Stages {
		query += ", count(" + stageColumn[stage] + ")"
	}
	query += ", count(CASE WHEN " + inState[Sharing] + " THEN 1 END), count(CASE WHEN " + inState[Sharing] + " AND coalesce(s.heard_at, 0) < ? THEN 1 END)" +
		", count(CASE WHEN " + inState[Suspended] + " THEN 1 END)" +
		" FROM " + from + " GROUP BY place ORDER BY place"
	var rows []FunnelRow
	err := r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			row := FunnelRow{Reached: make(map[Stage]int)}
			reached := make([]int, len(Stages))
			into := []any{&row.Group}
			for i := range reached {
				into = append(into, &reached[i])
			}
			err := scan(append(into, &row.Sharing, &row.Silent, &row.Suspended)...)
			for i, stage := range Stages {
				row.Reached[stage] = reached[i]
			}
			row.Withdrawn = row.Reached[StageWithdrawn]
			rows = append(rows, row)
			return err
		}, query, micros(silentSince))
	})
	if err != nil {
		return nil, fmt.Errorf("count sites by %q: %w", by, err)
	}
	return rows, nil
}

// hourMicros is the bucket that times are counted in: a day of any zone of a whole
// number of hours is made of whole buckets.
const hourMicros = int64(time.Hour / time.Microsecond)

// Reached counts the sites that first came to a stage between two moments, by hour.
// What a count says of the past does not change later, but for a withdrawal: a site
// that is declared again has not withdrawn any more.
func (r *Registry) Reached(ctx context.Context, stage Stage, from, until time.Time) (map[time.Time]int, error) {
	at, ok := stageColumn[stage]
	if !ok {
		return nil, fmt.Errorf("there is no stage %q", stage)
	}
	counts := make(map[time.Time]int)
	err := r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var hour int64
			var n int
			err := scan(&hour, &n)
			counts[fromMicros(hour*hourMicros)] = n
			return err
		}, fmt.Sprintf("SELECT %s / %d AS hour, count(*) FROM sites s WHERE %s >= ? AND %s < ? GROUP BY hour", at, hourMicros, at, at), micros(from), micros(until))
	})
	if err != nil {
		return nil, fmt.Errorf("count sites by time: %w", err)
	}
	return counts, nil
}

// Places are the districts that some site lies in.
func (r *Registry) Places(ctx context.Context) (municipi, nils []string, err error) {
	err = r.view(ctx, func(tx *tx) (err error) {
		if municipi, err = textsOf(ctx, tx, "SELECT DISTINCT municipio FROM site_districts WHERE municipio <> '' ORDER BY municipio"); err != nil {
			return err
		}
		nils, err = textsOf(ctx, tx, "SELECT DISTINCT nil FROM site_districts WHERE nil <> '' ORDER BY nil")
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list districts of sites: %w", err)
	}
	return municipi, nils, nil
}

// NoDistrict stands in a SiteFilter for sites that lie in none, or whose is not known.
const NoDistrict = "-"

// inDistrict is the condition of a district by name.
func (w *where) inDistrict(column, name string) {
	if name == NoDistrict {
		w.and("NOT EXISTS (SELECT 1 FROM site_districts d WHERE d.site_id = s.id AND d." + column + " <> '')")
		return
	}
	w.and("EXISTS (SELECT 1 FROM site_districts d WHERE d.site_id = s.id AND d."+column+" = ?)", name)
}
