//go:build bench

package installer

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/search/gazetteer"
	"anagrafe/protocol"
)

// milanNumbers is how many house numbers the Comune's file ds634 has. About 14,000
// are here; the others are made up, on the real streets, for the time alone.
const milanNumbers = 63_529

// geocodeFigures asks for the addresses of shops, pharmacies and post offices,
// whose own points are left out; and takes the time of look-ups, half of them with
// a letter lost, among as many numbers as Milan has.
func geocodeFigures(t *testing.T) []figure {
	t.Helper()
	entries, districts := milanPlaces(t)
	businesses := milanBusinesses(t)
	x := gazetteer.Build(entries, districts)
	asked, exact, wrong := 0, 0, 0
	for _, b := range businesses {
		f := x.Find(b.address)
		if b.numbered {
			asked++
		}
		switch {
		case f.Kind != gazetteer.Exact:
		case protocol.DistanceM(f.Answers[0].At, b.at) > 100:
			wrong++
		case b.numbered:
			exact++
		}
	}
	whole := gazetteer.Build(completed(entries), districts)
	if whole.Numbers() < milanNumbers-1000 {
		t.Fatalf("only %d numbers", whole.Numbers())
	}
	var took []float64
	dice := rand.New(rand.NewPCG(1, 2))
	for _, b := range businesses {
		i := dice.IntN(len(b.address))
		for _, typed := range []string{b.address, b.address[:i] + b.address[i+1:]} {
			best := math.Inf(1) // of three: a busy machine takes turns away
			for range 3 {
				start := time.Now()
				whole.Find(typed)
				best = min(best, time.Since(start).Seconds()*1000)
			}
			took = append(took, best)
		}
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	return []figure{
		reaches("geocode.exact", fmt.Sprintf("of %d hold-out addresses in municipi 5 and 9, those found exactly", asked), 100*float64(exact)/float64(asked), "%", 93),
		bounded("geocode.wrong", fmt.Sprintf("of %d hold-out addresses of the city, said to be exact and over 100 m off", len(businesses)), float64(wrong), "", 0),
		bounded("geocode.p99", fmt.Sprintf("look-up among %d numbers (%d of them made up), every other with a letter lost, the best of three; middle %.2f ms",
			whole.Numbers(), whole.Numbers()-x.Numbers(), took[len(took)/2]), p99, "ms", 5),
	}
}

func milanFile(t *testing.T, name string) []byte {
	t.Helper()
	shared := cmp.Or(os.Getenv("ANAGRAFE_SHARED"), filepath.Join("..", "..", "shared"))
	b, err := os.ReadFile(filepath.Join(shared, "data", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// milanPlaces reads what is there of Milan, but for the points of the businesses.
func milanPlaces(t *testing.T) (entries []gazetteer.Entry, districts []gazetteer.District) {
	t.Helper()
	points := milanFile(t, "addresses/address_points_other_sources.csv")
	var kept []byte
	for line := range bytes.Lines(points) {
		if !slices.ContainsFunc([]string{",botteghe_storiche", ",farmacie", ",poste"}, func(s string) bool { return bytes.HasSuffix(bytes.TrimSpace(line), []byte(s)) }) {
			kept = append(kept, line...)
		}
	}
	for _, file := range [][]byte{milanFile(t, "addresses/civici_municipi_5_9.csv"), milanFile(t, "addresses/street_index.csv"), kept} {
		entries = append(entries, gazetteer.ReadAddresses(file).Entries...)
	}
	for _, name := range []string{"municipi", "nil"} {
		districts = append(districts, gazetteer.ReadDistricts(milanFile(t, "boundaries/"+name+".geojson")).Districts...)
	}
	return entries, districts
}

type milanBusiness struct {
	address  string
	numbered bool // in municipi 5 and 9, whose numbers are all here
	at       protocol.Point
}

func milanBusinesses(t *testing.T) (all []milanBusiness) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.ToValidUTF8(string(milanFile(t, "business/milano_businesses.csv")), "?"))).ReadAll()
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
		m := at(row, "municipio")
		all = append(all, milanBusiness{strings.TrimSpace(at(row, "street") + " " + at(row, "number")), m == "5" || m == "9",
			protocol.Point{Lon: int32(math.Round(lon * 1e6)), Lat: int32(math.Round(lat * 1e6))}})
	}
	return all
}

// completed makes up numbers along the streets, 15 m apart, until there are as
// many as in Milan.
func completed(entries []gazetteer.Entry) []gazetteer.Entry {
	all := slices.Clone(entries)
	numbers := 0
	for _, e := range entries {
		if e.House != "" {
			numbers++
		}
	}
	for n := 1; numbers < milanNumbers; n++ {
		for _, e := range entries {
			if e.House != "" || numbers == milanNumbers {
				continue
			}
			e.House, e.Rough = strconv.Itoa(n), false
			e.At.Lon += int32(n * 100)
			all = append(all, e)
			numbers++
		}
	}
	return all
}
