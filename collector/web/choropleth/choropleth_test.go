package choropleth

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"anagrafe/protocol"
)

// box is a ring about a rectangle, in microdegrees.
func box(west, south, east, north int32) []protocol.Point {
	return []protocol.Point{{Lon: west, Lat: south}, {Lon: east, Lat: south}, {Lon: east, Lat: north}, {Lon: west, Lat: north}, {Lon: west, Lat: south}}
}

// Milan lies here.
const (
	lon = 9_190_000
	lat = 45_464_000
)

// km is a kilometre at Milan, in microdegrees east and north.
const kmEast, kmNorth = 12_822, 8_993

func squares(n int) (all []District) {
	for i := range int32(n) {
		all = append(all, District{Name: fmt.Sprint("Municipio ", i+1), Addresses: int(i) * 10,
			Polygons: [][][]protocol.Point{{box(lon+i*2*kmEast, lat, lon+(i*2+2)*kmEast, lat+2*kmNorth)}}})
	}
	return all
}

// Areas are true, holes are left out and parts added up, whichever way round they go;
// and a square on the ground is one on the drawing.
func TestAreasAndProportions(t *testing.T) {
	hole := box(lon+kmEast/2, lat+kmNorth/2, lon+kmEast, lat+kmNorth)
	m := New(append(squares(1), District{Name: "in due", Polygons: [][][]protocol.Point{
		{box(lon+2*kmEast, lat, lon+4*kmEast, lat+2*kmNorth), hole}, {box(lon+5*kmEast, lat, lon+6*kmEast, lat+kmNorth)}}}))
	for name, want := range map[string]float64{"Municipio 1": 4, "in due": 4.75} {
		if f, ok := m.Fact(name); !ok || math.Abs(f.KM2-want) > want/200 {
			t.Errorf("%s has %.3f km², want %.2f", name, f.KM2, want)
		}
	}
	corners := regexp.MustCompile(`-?\d+`).FindAllString(New(squares(1)).shapes[0].path, -1)
	wide, _ := strconv.Atoi(corners[2])
	high, _ := strconv.Atoi(corners[5])
	if len(corners) != 8 || wide < sheetSize-2*margin-1 || wide+high < -4 || wide+high > 4 {
		t.Errorf("a square is drawn %q", corners)
	}
	if New(nil) != nil {
		t.Error("a map of nothing")
	}
	if _, ok := (*Map)(nil).Fact("x"); ok {
		t.Error("a fact of no map")
	}
}

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   []int
	}{
		{nil, nil},
		{[]float64{0, 0}, []int{0, 0}},
		{[]float64{0, 7}, []int{0, 1}},
		{[]float64{5, 5, 5, 5, 5}, []int{1, 1, 1, 1, 1}},
		{[]float64{3, 1}, []int{2, 1}},
		{[]float64{8, 7, 6, 5, 4, 3, 2, 1}, []int{4, 4, 3, 3, 2, 2, 1, 1}},
		{[]float64{1, 1, 1, 1, 1, 1, 1, 900}, []int{1, 1, 1, 1, 1, 1, 1, 2}}, // a class that none is in is none
		{[]float64{1, 2, 3, 1000, 0}, []int{1, 2, 3, 4, 0}},
	} {
		of := classOf(c.values)
		for i, v := range c.values {
			if of[v] != c.want[i] {
				t.Errorf("%v: %v is in class %d, want %d", c.values, v, of[v], c.want[i])
			}
		}
	}
}

func paint(values map[string]float64) Paint {
	return Paint{ID: "map", Label: "Mappa", Skip: "Salta", Unit: "Siti", Off: "non pubblicato",
		Of: func(f Fact) Mark {
			v, ok := values[f.Name]
			return Mark{Value: v, Off: !ok, Text: fmt.Sprint(v), Title: f.Name + ": <b>&", Href: "/sites?municipio=" + f.Name + "&a=b"}
		},
		Range: func(least, greatest float64) string { return fmt.Sprint(least, "-", greatest) }}
}

// The picture is one well-formed piece without a style of its own; each district leads
// to its list by a link that has a name; the legend says how many are in each class, and
// what is left out is in none.
func TestDraw(t *testing.T) {
	html, err := New(squares(6)).Draw(paint(map[string]float64{"Municipio 1": 0, "Municipio 2": 12, "Municipio 3": 40, "Municipio 4": 40, "Municipio 5": 90}))
	if err != nil {
		t.Fatal(err)
	}
	text := string(html)
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err, text)
		}
	}
	for _, want := range []string{`<a href="/sites?municipio=Municipio%202&amp;a=b"><title>Municipio 2: &lt;b&gt;&amp;</title><path fill="url(#map-1)"`,
		`fill="url(#map-off)" d="`, "0-0 <span class=\"muted\">(1)", "12-12 <span class=\"muted\">(1)", "40-40 <span class=\"muted\">(2)",
		"90-90 <span class=\"muted\">(1)", "non pubblicato <span class=\"muted\">(1)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the picture has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "style") || strings.Count(text, "<pattern") != 5 || strings.Count(text, "choropleth-name") != 6 {
		t.Error(text)
	}
	// Without a link a district is an image with a name.
	p := paint(nil)
	p.Of = func(f Fact) Mark { return Mark{Off: true, Title: f.Name} }
	if html, err = New(squares(2)).Draw(p); err != nil || strings.Count(string(html), `<path role="img" aria-label="Municipio`) != 2 {
		t.Error(err, html)
	}
}

// Whatever borders somebody imports, there is a picture, and no district of some size
// is lost.
func FuzzNew(f *testing.F) {
	f.Add(int32(lon), int32(lat), int32(lon), int32(lat), int32(0))
	f.Add(int32(lon), int32(lat), int32(lon+5), int32(lat+5), int32(9_000_000))
	f.Add(int32(-180_000_000), int32(-90_000_000), int32(180_000_000), int32(90_000_000), int32(0))
	f.Fuzz(func(t *testing.T, west, south, east, north, off int32) {
		limit := func(x, most int32) int32 { return max(-most, min(most, x)) }
		west, east, south, north = limit(west, 180_000_000), limit(east, 180_000_000), limit(south, 90_000_000), limit(north, 90_000_000)
		all := append(squares(2), District{Name: "x", Polygons: [][][]protocol.Point{{box(west, south, east, north)},
			{box(west, limit(south+off%1_000_000, 90_000_000), west, north)}}}, District{Name: "none"})
		m := New(all)
		if m.width < 1 || m.height < 1 || m.width > sheetSize+1 || m.height > sheetSize+1 {
			t.Errorf("%d x %d", m.width, m.height)
		}
		if west != east && south != north && m.shapes[2].path == "" {
			t.Error("a district is lost")
		}
		if _, err := m.Draw(paint(map[string]float64{"x": 1})); err != nil {
			t.Error(err)
		}
	})
}
