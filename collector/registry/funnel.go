package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
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

const (
	GroupNone      Grouping = ""
	GroupCategory  Grouping = "category"
	GroupMunicipio Grouping = "municipio"
	GroupNIL       Grouping = "nil"
)

// groupColumns are fixed texts, none of which comes from outside: those of the index that
// has them in this order, up to the one by which sites are grouped.
var groupColumns = map[Grouping][]string{
	GroupNone: {"CAST('' AS TEXT)"}, GroupMunicipio: {"s.municipio"}, GroupNIL: {"s.municipio", "s.nil"}, GroupCategory: {"s.municipio", "s.nil", "s.category"},
}

// Funnel counts all sites, group by group in the order of their names.
func (r *Registry) Funnel(ctx context.Context, by Grouping, silentSince time.Time) ([]FunnelRow, error) {
	columns, ok := groupColumns[by]
	if !ok {
		return nil, fmt.Errorf("sites cannot be grouped by %q", by)
	}
	query := "SELECT " + columns[len(columns)-1]
	for _, stage := range Stages {
		query += ", count(" + groupCount(stage) + ")"
	}
	query += ", count(CASE WHEN " + inState[Sharing] + " THEN 1 END), count(CASE WHEN " + inState[Suspended] + " THEN 1 END) FROM sites s GROUP BY " + strings.Join(columns, ", ")
	groups := make(map[string]*FunnelRow)
	err := r.view(ctx, func(tx *tx) error {
		if err := each(ctx, tx, func(scan func(...any) error) error { return addCounts(groups, scan) }, query); err != nil {
			return err
		}
		return each(ctx, tx, func(scan func(...any) error) error {
			var name string
			var n int
			err := scan(&name, &n)
			if row := groups[name]; row != nil {
				row.Silent = n
			}
			return err
		}, "SELECT "+columns[len(columns)-1]+" AS place, count(*) FROM sites s WHERE "+silent+" GROUP BY place", micros(silentSince))
	})
	if err != nil {
		return nil, fmt.Errorf("count sites by %q: %w", by, err)
	}
	rows := make([]FunnelRow, 0, len(groups))
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		rows = append(rows, *groups[name])
	}
	return rows, nil
}

// groupCount is what is counted of a stage: all were invited once, in a way.
func groupCount(stage Stage) string {
	if stage == StageInvited {
		return "*" // its column is not in the index
	}
	return stageColumn[stage]
}

// addCounts adds a part of a group to it.
func addCounts(groups map[string]*FunnelRow, scan func(...any) error) error {
	var name string
	var sharing, suspended int
	reached := make([]int, len(Stages))
	into := []any{&name}
	for i := range reached {
		into = append(into, &reached[i])
	}
	if err := scan(append(into, &sharing, &suspended)...); err != nil {
		return err
	}
	row := groups[name]
	if row == nil {
		row = &FunnelRow{Group: name, Reached: make(map[Stage]int)}
		groups[name] = row
	}
	for i, stage := range Stages {
		row.Reached[stage] += reached[i]
	}
	row.Sharing += sharing
	row.Suspended += suspended
	row.Withdrawn = row.Reached[StageWithdrawn]
	return nil
}

// Reached counts the sites that first came to a stage between each two neighbours of
// some moments, the oldest first. A count of the past does not change later, except for
// withdrawals: a site that is declared again no longer counts as withdrawn.
func (r *Registry) Reached(ctx context.Context, stage Stage, at []time.Time) (counts []int, err error) {
	column, ok := stageColumn[stage]
	if !ok {
		return nil, fmt.Errorf("there is no stage %q", stage)
	}
	err = r.view(ctx, func(tx *tx) error {
		for i := range len(at) - 1 {
			var n int
			if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sites s WHERE "+column+" >= ? AND "+column+" < ?", micros(at[i]), micros(at[i+1])).Scan(&n); err != nil {
				return err
			}
			counts = append(counts, n)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count sites by time: %w", err)
	}
	return counts, nil
}

// Places are the districts that some site lies in.
func (r *Registry) Places(ctx context.Context) (municipi, nils []string, err error) {
	err = r.view(ctx, func(tx *tx) error {
		return each(ctx, tx, func(scan func(...any) error) error {
			var d District
			err := scan(&d.Municipio, &d.NIL)
			municipi, nils = append(municipi, d.Municipio), append(nils, d.NIL)
			return err
		}, "SELECT municipio, nil FROM sites GROUP BY municipio, nil")
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list districts of sites: %w", err)
	}
	return onlyNames(municipi), onlyNames(nils), nil
}

// onlyNames are those of some names that are one, each once, in order.
func onlyNames(all []string) []string {
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(name string) bool { return name == "" })
}

// NoDistrict stands in a SiteFilter for sites that lie in none, or whose is not known.
const NoDistrict = "-"

// inDistrict is the condition of a district by name.
func (w *where) inDistrict(column, name string) {
	if name == NoDistrict {
		name = ""
	}
	w.and(column+" = ?", name)
}
