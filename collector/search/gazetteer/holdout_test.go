package gazetteer

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"anagrafe/collector/basemap/maptest"
	"anagrafe/protocol"
)

// sharedData reads a file of the real data of Milan, which lies beside the
// repository and is not copied into it.
func sharedData(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(maptest.Milan(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// milan is the gazetteer of all that is there, without the points of the lists
// that are asked for.
func milan(t testing.TB, without ...string) *Index {
	t.Helper()
	var entries []Entry
	for _, name := range []string{"civici_municipi_5_9", "street_index"} {
		r := ReadAddresses(sharedData(t, "addresses/"+name+".csv"))
		report(t, name, r)
		entries = append(entries, r.Entries...)
	}
	r := ReadAddresses(leftOut(t, sharedData(t, "addresses/address_points_other_sources.csv"), without))
	report(t, "points", r)
	entries = append(entries, r.Entries...)
	var districts []District
	for _, name := range []string{"municipi", "nil"} {
		r := ReadDistricts(sharedData(t, "boundaries/"+name+".geojson"))
		report(t, name, r)
		districts = append(districts, r.Districts...)
	}
	return Build(entries, districts)
}

func report(t testing.TB, name string, r *Read) {
	t.Helper()
	if r.Lines == 0 || len(r.Problems) > 0 {
		t.Fatalf("%s: %d lines, %d problems, the first %v", name, r.Lines, len(r.Problems)+r.More, r.Problems[:min(1, len(r.Problems))])
	}
}

// leftOut drops the lines of some sources.
func leftOut(t testing.TB, file []byte, sources []string) []byte {
	t.Helper()
	var kept []string
	dropped := 0
	for line := range strings.Lines(string(file)) {
		if slices.ContainsFunc(sources, func(s string) bool { return strings.HasSuffix(strings.TrimSpace(line), ","+s) }) {
			dropped++
			continue
		}
		kept = append(kept, line)
	}
	if len(sources) > 0 && dropped < 1000 {
		t.Fatalf("only %d points are left out", dropped)
	}
	return []byte(strings.Join(kept, ""))
}

// business is a site whose address and place are known.
type business struct {
	address, municipio, nil string
	at                      protocol.Point
}

func businesses(t testing.TB) (all []business) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.ToValidUTF8(string(sharedData(t, "business/milano_businesses.csv")), "?"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	for _, row := range rows[1:] {
		lon, err1 := strconv.ParseFloat(at(row, "lon"), 64)
		lat, err2 := strconv.ParseFloat(at(row, "lat"), 64)
		if err1 != nil || err2 != nil || at(row, "street") == "" {
			continue
		}
		all = append(all, business{strings.TrimSpace(at(row, "street") + " " + at(row, "number")), at(row, "municipio"), at(row, "nil"),
			protocol.Point{Lon: int32(math.Round(lon * 1e6)), Lat: int32(math.Round(lat * 1e6))}})
	}
	if len(all) < 900 {
		t.Fatalf("only %d businesses have an address and a place", len(all))
	}
	return all
}

// TestHoldOut asks for the addresses of shops, pharmacies and post offices, whose
// own points are left out: in the two municipi whose numbers are there they must be
// found, and elsewhere, where a few numbers are, nothing that is said to be exact
// may be elsewhere.
func TestHoldOut(t *testing.T) {
	x := milan(t, "botteghe_storiche", "farmacie", "poste")
	t.Logf("%d streets, %d numbers", x.Streets(), x.Numbers())
	asked, exact := 0, 0
	var errors []float64
	kinds := make(map[Kind]int)
	for _, b := range businesses(t) {
		f := x.Find(b.address)
		inside := b.municipio == "5" || b.municipio == "9"
		if inside {
			asked++
		} else {
			kinds[f.Kind]++
		}
		if f.Kind != Exact {
			if inside {
				t.Logf("%s: %s %v", b.address, f.Kind, f.Answers[:min(2, len(f.Answers))])
			}
			continue
		}
		off := protocol.DistanceM(f.Answers[0].At, b.at)
		if inside {
			exact++
			errors = append(errors, off)
		}
		if off > 100 {
			t.Errorf("%s in municipio %s: exact at %s, %.0f m off (sure: %v)", b.address, b.municipio, f.Answers[0].Name(), off, f.Sure)
		}
	}
	slices.Sort(errors)
	t.Logf("municipi 5 and 9: %d of %d exact (%.1f %%), median error %.1f m, worst %.0f m; elsewhere: %v",
		exact, asked, 100*float64(exact)/float64(asked), errors[len(errors)/2], errors[len(errors)-1], kinds)
	if share := float64(exact) / float64(asked); share < 0.93 {
		t.Errorf("%.1f %% are exact, 93 %% are wanted", 100*share)
	}
	if median := errors[len(errors)/2]; median >= 5 {
		t.Errorf("the median error is %.1f m, below 5 m is wanted", median)
	}
}
