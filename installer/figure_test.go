//go:build bench

package installer

import (
	"encoding/json"
	"fmt"
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

	id   string
	sign string // "<=" or ">=": how the ratio or value stands to Reach when met
	what string
}

// atMost is a value that may be so many times its floor.
func atMost(id, what string, value float64, unit string, floor, reach float64) figure {
	ratio := value / floor
	return figure{Value: value, Unit: unit, Floor: &floor, Ratio: &ratio, Reach: reach, Met: ratio <= reach, id: id, what: what, sign: "<="}
}

// atLeast is a value that must be so many times its floor or peer.
func atLeast(id, what string, value float64, unit string, floor, reach float64) figure {
	f := atMost(id, what, value, unit, floor, reach)
	f.sign, f.Met = ">=", *f.Ratio >= reach
	return f
}

// timesFaster is a duration that must be so many times shorter than the peer's.
func timesFaster(id, what string, value, peer, reach float64) figure {
	ratio := peer / value
	return figure{Value: value, Unit: "s", Floor: &peer, Ratio: &ratio, Reach: reach, Met: ratio >= reach, id: id, what: what, sign: ">="}
}

// bounded is a value with a limit of its own.
func bounded(id, what string, value float64, unit string, reach float64) figure {
	return figure{Value: value, Unit: unit, Reach: reach, Met: value <= reach, id: id, what: what, sign: "<="}
}

// reaches is a value that must be so high.
func reaches(id, what string, value float64, unit string, reach float64) figure {
	return figure{Value: value, Unit: unit, Reach: reach, Met: value >= reach, id: id, what: what, sign: ">="}
}

// TestBench measures every row, prints the table and writes build/bench.json
// (`make bench`); `-run TestBench/scan` measures one part. A figure that is missed
// is said to be, with its profile; only what could not be measured fails.
func TestBench(t *testing.T) {
	before := load()
	var all []figure
	for _, part := range []struct {
		name    string
		figures func(*testing.T) []figure
	}{{"scan", scanFigures}, {"network", networkFigures}, {"idle", idleFigures}, {"agents", agentFigures}, {"backup", backupFigures}, {"geocode", geocodeFigures}, {"search", searchFigures}, {"visibility", visibilityFigures}, {"page", pageFigures}, {"console", consoleFigures}, {"trail", trailFigures}} {
		t.Run(part.name, func(t *testing.T) { all = append(all, part.figures(t)...) })
	}
	if len(all) == 0 {
		t.Fatal("nothing was measured")
	}
	byID := map[string]figure{}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %d cores, load %s before, %s after\n", time.Now().UTC().Format(time.DateTime), runtime.NumCPU(), before, load())
	fmt.Fprintln(w, "ID\tVALUE\tAGAINST\tRATIO\tREACH\tMET\tWHAT")
	for _, f := range all {
		floor, ratio, met := "-", "-", "yes"
		if f.Floor != nil {
			floor, ratio = short(*f.Floor, f.Unit), short(*f.Ratio, "x")
		}
		if !f.Met {
			met = "NO"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s %g\t%s\t%s\n", f.id, short(f.Value, f.Unit), floor, ratio, f.sign, f.Reach, met, f.what)
		byID[f.id] = f
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(byID, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("..", "build", "bench.json"), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
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
