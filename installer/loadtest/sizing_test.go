package main

import (
	"bytes"
	"image/png"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

func TestFit(t *testing.T) {
	rows := [][]float64{{1, 10, 0}, {1, 20, 5}, {1, 40, 1}, {1, 80, 9}, {1, 160, 2}}
	var values []float64
	for _, r := range rows {
		values = append(values, 3*r[0]+0.5*r[1]) // the third costs nothing
	}
	c := fit(rows, values)
	if math.Abs(c[0]-3) > 1e-3 || math.Abs(c[1]-0.5) > 1e-4 || c[2] > 1e-4 {
		t.Errorf("%v", c)
	}
	for i := range values {
		values[i] -= 0.4 * rows[i][2] // less than nothing
	}
	if c := fit(rows, values); c[2] != 0 {
		t.Errorf("%v", c)
	}
}

// TestPrediction: the model, fitted to one run, says within a quarter what another took
// that it has not seen.
func TestPrediction(t *testing.T) {
	measured, checked, err := committed()
	if err != nil {
		t.Fatal(err)
	}
	if measured.Began.Equal(checked.Began) {
		t.Fatal("the two runs are one")
	}
	c := learn(measured)
	for _, p := range checked.Points {
		for _, m := range c.against(checked, p) {
			t.Logf("%d agents, %s: %.1f %s predicted, %.1f measured", p.Agents, m.What, m.Predicted, m.Unit, m.Measured)
			if !(math.Abs(m.part()) <= 0.25) { // a NaN is no prediction
				t.Errorf("%d agents: %s is %+.0f %% off", p.Agents, m.What, 100*m.part())
			}
		}
	}
	if !(min(c.Memory.Agent, c.CPU.Change, c.CPU.Search, c.CPU.Connect, c.Disk.Change, c.Wire.Beat) > 0) {
		t.Errorf("something costs nothing: %+v", c)
	}
}

// TestManual: what the manual shows is what was measured, on a page and on paper, where
// another chromium may draw letters otherwise: there each mark is looked for.
func TestManual(t *testing.T) {
	dir := filepath.Join("..", "..", "collector", "guide")
	texts, err := textsOf(dir, "operator.%s.md", "load.%s.svg")
	if err != nil {
		t.Fatal(err)
	}
	files, err := drawn(texts)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if !bytes.Equal(text, texts[name]) {
			t.Errorf("%s is not what was measured: run go run ./installer/loadtest -draw collector/guide", name)
		}
	}
	measured, _, err := committed()
	if err != nil {
		t.Fatal(err)
	}
	papers, err := textsOf(dir, "load.%s.png")
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range papers {
		paper, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(name, err)
		}
		panels, _ := measured.panels(tongues["it"])
		for _, one := range panels {
			for _, c := range one.Curves {
				for _, at := range c.Points {
					x, y := int(finer*(fieldLeft+at.X)), int(finer*(float64(one.Top)+at.Y))
					if r, g, b, _ := paper.At(x, y).RGBA(); c.Mark != "" && r+g+b > 3*0x8000 {
						t.Errorf("%s has no mark of %s at %d, %d", name, c.Name, x, y)
					}
				}
			}
		}
	}
	if n := strings.Count(string(files["operator.it.md"]), "ricerche al giorno"); n != len(rows) {
		t.Errorf("%d rows", n)
	}
}

func TestBend(t *testing.T) {
	of := func(acks ...float64) (s sweep) {
		for i, ack := range acks {
			s.Points = append(s.Points, point{Agents: 1000 * (i + 1), Windows: []window{{Did: map[string]took{change: {P99: ack}}}}})
		}
		return s
	}
	for _, c := range []struct {
		s    sweep
		want int
	}{
		{of(1, 1, 1), 0},
		{of(1, 1.9, 1.9, 1.9), 0},
		{of(1, 1, 3, 1, 1), 0}, // a hiccup
		{of(1, 1, 3, 4), 2000},
		{of(4, 1, 1, 2.5), 3000},
		{of(1), 0},
	} {
		if n := c.s.bend(); n != c.want {
			t.Errorf("%+v bends after %d", c.s.Points, n)
		}
	}
}

// TestAxis: numbers are round, few, and reach the greatest value, as a reader writes them.
func TestAxis(t *testing.T) {
	for _, c := range []struct {
		greatest float64
		want     string
	}{
		{3_000, "0 1.000 2.000 3.000"},
		{20_000, "0 5.000 10.000 15.000 20.000"},
		{10_000, "0 2.000 4.000 6.000 8.000 10.000"},
		{0.75, "0 0,2 0,4 0,6 0,8"},
		{121, "0 50 100 150"},
		{5, "0 1 2 3 4 5"},
	} {
		along, labels := axis(c.greatest, 500, message.NewPrinter(language.Italian))
		var texts []string
		for i, at := range labels {
			texts = append(texts, at.Text)
			if want := 500 * float64(i) / float64(len(labels)-1); math.Abs(at.At-want) > 0.05 {
				t.Errorf("%v: %q stands at %v, want %v", c.greatest, at.Text, at.At, want)
			}
		}
		if got := strings.Join(texts, " "); got != c.want || along(c.greatest) > 500 {
			t.Errorf("%v: %s, want %s", c.greatest, got, c.want)
		}
	}
}
