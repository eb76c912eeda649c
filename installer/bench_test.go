//go:build bench

package installer

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// figure is one measurement, as build/bench.json has it.
type figure struct {
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Floor is the peer's or the floor's value, measured in the same run, in the
	// same unit; Ratio stands between the two. Null where there is none: then
	// the value itself is held against Reach.
	Floor *float64 `json:"floor"`
	Ratio *float64 `json:"ratio"`
	Reach float64  `json:"reach"`
	Met   bool     `json:"met"`

	ID   string    `json:"-"`    // the key in the file
	Sign string    `json:"sign"` // "<=" or ">=": how the ratio or value stands to Reach when met
	What string    `json:"what"`
	At   time.Time `json:"at"` // when it was measured
}

// atMost is a value that may be so many times its floor.
func atMost(id, what string, value float64, unit string, floor, reach float64) figure {
	ratio := value / floor
	return figure{Value: value, Unit: unit, Floor: &floor, Ratio: &ratio, Reach: reach, Met: ratio <= reach, ID: id, What: what, Sign: "<="}
}

// atLeast is a value that must be so many times its floor or peer.
func atLeast(id, what string, value float64, unit string, floor, reach float64) figure {
	f := atMost(id, what, value, unit, floor, reach)
	f.Sign, f.Met = ">=", *f.Ratio >= reach
	return f
}

// timesFaster is a duration that must be so many times shorter than the peer's.
func timesFaster(id, what string, value, peer, reach float64) figure {
	ratio := peer / value
	return figure{Value: value, Unit: "s", Floor: &peer, Ratio: &ratio, Reach: reach, Met: ratio >= reach, ID: id, What: what, Sign: ">="}
}

// bounded is a value with a limit of its own.
func bounded(id, what string, value float64, unit string, reach float64) figure {
	return figure{Value: value, Unit: unit, Reach: reach, Met: value <= reach, ID: id, What: what, Sign: "<="}
}

// reaches is a value that must be so high.
func reaches(id, what string, value float64, unit string, reach float64) figure {
	return figure{Value: value, Unit: unit, Reach: reach, Met: value >= reach, ID: id, What: what, Sign: ">="}
}

// full has the long rows measured at their whole size, instead of the others and of
// smaller sizes of those (`make bench-full`).
var full = flag.Bool("full", false, "measure the long rows")

// whole is a row's whole size, or the small one of a short run.
func whole(n, small int) int {
	if *full {
		return n
	}
	return small
}

// part is some rows that are measured together. A long one has a smaller size in a short
// run, whose ids end with small; the others are measured in the short run alone.
type part struct {
	name    string
	figures func(*testing.T) []figure
	long    bool
	small   string
}

var parts = []part{
	{name: "scan", figures: scanFigures},
	{name: "network", figures: networkFigures},
	{name: "idle", figures: idleFigures},
	{name: "agents", figures: agentFigures, long: true, small: ".1k"},
	{name: "backup", figures: backupFigures, long: true, small: ".20k"},
	{name: "geocode", figures: geocodeFigures},
	{name: "search", figures: searchFigures, long: true}, // their ids have their size
	{name: "visibility", figures: visibilityFigures},
	{name: "page", figures: pageFigures, long: true, small: ".100k"},
	{name: "console", figures: consoleFigures, long: true}, // the same
	{name: "trail", figures: trailFigures, long: true, small: ".20k"},
	{name: "failover", figures: failoverFigures},
}

// TestBench measures the rows, prints the table and writes build/bench.json (`make
// bench`, and `make bench-full` for the long ones); `-run TestBench/scan` measures one
// part. Rows that were measured before, and not now, stay in both, with their date. A
// figure that is missed is said to be, with its profile; only what could not be measured
// fails.
func TestBench(t *testing.T) {
	file := filepath.Join("..", "build", "bench.json")
	all, err := measuredBefore(file)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now().UTC().Truncate(time.Second)
	before := load()
	for _, part := range parts {
		if *full && !part.long {
			continue
		}
		t.Run(part.name, func(t *testing.T) {
			start := time.Now()
			for _, f := range part.figures(t) {
				if !*full {
					f.ID += part.small
				}
				f.At = time.Now().UTC().Truncate(time.Second)
				all[f.ID] = f
			}
			fmt.Printf("%s took %.0f s\n", part.name, time.Since(start).Seconds())
		})
	}
	if err := printed(all, began, fmt.Sprintf("%d cores, load %s before, %s after", runtime.NumCPU(), before, load())); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// measuredBefore reads the rows that build/bench.json has, if it is there.
func measuredBefore(file string) (map[string]figure, error) {
	all := map[string]figure{}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	for id, f := range all {
		f.ID = id
		all[id] = f
	}
	return all, err
}

// printed prints the table: what was measured now, and below it what was before.
func printed(all map[string]figure, began time.Time, machine string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %s\n", began.Format(time.DateTime), machine)
	fmt.Fprintln(w, "ID\tVALUE\tAGAINST\tRATIO\tREACH\tMET\tMEASURED\tWHAT")
	rows := slices.SortedFunc(maps.Values(all), func(a, b figure) int {
		if old := a.At.Before(began); old != b.At.Before(began) {
			return map[bool]int{true: 1, false: -1}[old]
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, f := range rows {
		floor, ratio, met, when := "-", "-", "yes", "now"
		if f.Floor != nil {
			floor, ratio = short(*f.Floor, f.Unit), short(*f.Ratio, "x")
		}
		if !f.Met {
			met = "NO"
		}
		if f.At.Before(began) {
			when = f.At.Format(time.DateOnly)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s %g\t%s\t%s\t%s\n", f.ID, short(f.Value, f.Unit), floor, ratio, f.Sign, f.Reach, met, when, f.What)
	}
	return w.Flush()
}

func short(v float64, unit string) string { return strconv.FormatFloat(v, 'f', 2, 64) + " " + unit }

// load is the machine's load average: these figures are ratios because it is
// seldom 0.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
