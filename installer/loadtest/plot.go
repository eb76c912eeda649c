package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// tongue is a language of the plot and of the table.
type tongue struct {
	tag                                      language.Tag
	title, where, describe                   string // describe: what is seen, for who cannot
	agents, memory, wait                     string // axes
	held, ackHalf, ackMost, askHalf, askMost string // curves
	bends, straight                          string
	row                                      string // of the table
	header                                   string // how the table's first line begins
	beyond                                   string // of a row: its city is larger than what was measured
}

var tongues = map[string]tongue{
	"it": {tag: language.Italian, title: "Memoria e attese al crescere degli agenti collegati", where: "%s, %d CPU %s, agenti compresi",
		describe: "Con %d agenti il collettore tiene %.2f GiB di memoria e una dichiarazione è confermata in %.0f ms (99 su 100); con %d agenti %.2f GiB e %.0f ms. %s",
		agents:   "agenti collegati", memory: "memoria (GiB)", wait: "attesa (ms)",
		held: "memoria del collettore, al massimo", ackHalf: "dichiarazione confermata, metà", ackMost: "dichiarazione confermata, 99 su 100", askHalf: "ricerca, metà", askMost: "ricerca, 99 su 100",
		bends: "oltre %d agenti l'attesa piega", straight: "Nel tratto misurato l'attesa non piega.",
		row: "| %d agenti, %d telecamere, %d ricerche al giorno%s | %.2f CPU, %.1f GiB di memoria, %.1f GiB di disco, %.1f Mbit/s | %d CPU, %d GiB |\n", header: "| città |", beyond: " (oltre il misurato)"},
	"en": {tag: language.BritishEnglish, title: "Memory and waits as connected agents grow", where: "%s, %d CPU %s, agents included",
		describe: "With %d agents the collector holds %.2f GiB of memory and a declaration is acknowledged in %.0f ms (99 in 100); with %d agents %.2f GiB and %.0f ms. %s",
		agents:   "connected agents", memory: "memory (GiB)", wait: "wait (ms)",
		held: "memory of the collector, at most", ackHalf: "declaration acknowledged, half", ackMost: "declaration acknowledged, 99 in 100", askHalf: "search, half", askMost: "search, 99 in 100",
		bends: "beyond %d agents the wait bends", straight: "Within what was measured the wait does not bend.",
		row: "| %d agents, %d cameras, %d searches a day%s | %.2f CPU, %.1f GiB of memory, %.1f GiB of disk, %.1f Mbit/s | %d CPU, %d GiB |\n", header: "| city |", beyond: " (beyond what was measured)"},
}

// The picture's size, and how fine it is on paper.
const (
	wide, high = 17 * vg.Centimeter, 15 * vg.Centimeter
	paperDPI   = 144
)

// Colours stand out from white by 4.5 to 1 and more; each curve has a mark of its own too.
var (
	dark = color.RGBA{R: 0x17, G: 0x32, B: 0x4d, A: 0xff}
	blue = color.RGBA{G: 0x59, B: 0xb3, A: 0xff}
	rust = color.RGBA{R: 0xa6, G: 0x3d, B: 0x0a, A: 0xff}
)

// bend is the number of agents from which on the 99th of 100 acknowledgements takes more
// than twice what it took at best with fewer; 0: none.
func (s sweep) bend() int {
	all := s.ascent()
	best := all[0].ack()
	for i, p := range all[1:] {
		if bent := func(p point) bool { return p.ack() > 2*best }; bent(p) && !slices.ContainsFunc(all[i+1:], func(p point) bool { return !bent(p) }) {
			return all[i].Agents
		}
		best = min(best, p.ack())
	}
	return 0
}

// ascent is the first point at each number of agents: others there have more cameras.
func (s sweep) ascent() (all []point) {
	for _, p := range s.Points {
		if len(all) == 0 || p.Agents > all[len(all)-1].Agents {
			all = append(all, p)
		}
	}
	return all
}

func (p point) ack() float64 { return p.Windows[0].Did[change].P99 }

// says is the plot in words.
func (s sweep) says(t tongue) string {
	all := s.ascent()
	first, last := all[0], all[len(all)-1]
	end := t.straight
	p := message.NewPrinter(t.tag)
	if n := s.bend(); n > 0 {
		end = strings.ToUpper(t.bends[:1]) + t.bends[1:]
		end = p.Sprintf(end, n) + "."
	}
	gib := func(p point) float64 { return float64(p.Most) / (1 << 30) }
	return p.Sprintf(t.describe, first.Agents, gib(first), 1000*first.ack(), last.Agents, gib(last), 1000*last.ack(), end)
}

// draw draws the plot on a canvas.
func (s sweep) draw(t tongue, on vg.CanvasSizer) error {
	memory, wait := panel(t, t.memory), panel(t, t.wait)
	curves := func(p *plot.Plot, c color.Color, dashes []vg.Length, mark draw.GlyphDrawer, name string, y func(point) float64) error {
		var xy plotter.XYs
		for _, at := range s.ascent() {
			xy = append(xy, plotter.XY{X: float64(at.Agents), Y: y(at)})
		}
		line, dots, err := plotter.NewLinePoints(xy)
		if err != nil {
			return err
		}
		line.Color, line.Dashes, line.Width = c, dashes, vg.Points(1.5)
		dots.Color, dots.Shape, dots.Radius = c, mark, vg.Points(3)
		p.Add(line, dots)
		p.Legend.Add(name, line, dots)
		return nil
	}
	dashed := []vg.Length{vg.Points(4), vg.Points(3)}
	did := func(kind string, half bool) func(point) float64 {
		return func(p point) float64 {
			if k := p.Windows[0].Did[kind]; !half {
				return 1000 * k.P99
			}
			return 1000 * p.Windows[0].Did[kind].P50
		}
	}
	for _, one := range []struct {
		on     *plot.Plot
		c      color.Color
		dashes []vg.Length
		mark   draw.GlyphDrawer
		name   string
		y      func(point) float64
	}{
		{memory, dark, nil, draw.CircleGlyph{}, t.held, func(p point) float64 { return float64(p.Most) / (1 << 30) }},
		{wait, blue, nil, draw.TriangleGlyph{}, t.ackMost, did(change, false)},
		{wait, blue, dashed, draw.PyramidGlyph{}, t.ackHalf, did(change, true)},
		{wait, rust, nil, draw.SquareGlyph{}, t.askMost, did(search, false)},
		{wait, rust, dashed, draw.BoxGlyph{}, t.askHalf, did(search, true)},
	} {
		if err := curves(one.on, one.c, one.dashes, one.mark, one.name, one.y); err != nil {
			return err
		}
	}
	memory.Y.Max, wait.Y.Max = 1.2*memory.Y.Max, 1.5*wait.Y.Max // for the legends
	if n := s.bend(); n > 0 {
		at, err := plotter.NewLine(plotter.XYs{{X: float64(n), Y: wait.Y.Min}, {X: float64(n), Y: wait.Y.Max}})
		if err != nil {
			return err
		}
		at.Dashes, at.Color = []vg.Length{vg.Points(1), vg.Points(3)}, dark
		wait.Add(at)
		wait.Legend.Add(message.NewPrinter(t.tag).Sprintf(t.bends, n), at)
	}
	memory.Title.Text = t.title + "\n" + fmt.Sprintf(t.where, s.Began.Format(time.DateOnly), s.Machine.Cores, strings.NewReplacer("(R)", "", " Processor", "").Replace(s.Machine.Processor))
	memory.Title.Padding = vg.Points(4)
	paper := draw.New(on)
	paper.FillPolygon(color.White, []vg.Point{{}, {X: wide}, {X: wide, Y: high}, {Y: high}})
	both := plot.Align([][]*plot.Plot{{memory}, {wait}}, draw.Tiles{Rows: 2, Cols: 1, PadTop: 4, PadBottom: 4, PadLeft: 4, PadRight: 16, PadY: 8}, paper)
	memory.Draw(both[0][0])
	wait.Draw(both[1][0])
	return nil
}

// panel is an empty plot over agents.
func panel(t tongue, y string) *plot.Plot {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = t.agents, y
	p.Y.Min, p.X.Min = 0, 0
	p.Legend.Top, p.Legend.Left, p.Legend.XOffs, p.Legend.Padding = true, true, vg.Points(8), vg.Points(2)
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks{t.tag}, ticks{t.tag}
	p.Add(plotter.NewGrid())
	return p
}

// ticks writes numbers as the language does.
type ticks struct{ tag language.Tag }

func (t ticks) Ticks(low, high float64) []plot.Tick {
	all := plot.DefaultTicks{}.Ticks(low, high)
	for i := range all {
		if all[i].Label != "" {
			all[i].Label = message.NewPrinter(t.tag).Sprint(number.Decimal(all[i].Value, number.MaxFractionDigits(3)))
		}
	}
	return all
}

// svg gives the plot as a page shows it: with a title and a description, which are read
// to who does not see it.
func (s sweep) svg(t tongue) ([]byte, error) {
	canvas := vgsvg.New(wide, high)
	if err := s.draw(t, canvas); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return nil, err
	}
	begin, rest, ok := strings.Cut(text.String(), "<svg")
	tag, rest, ok2 := strings.Cut(rest, ">")
	if !ok || !ok2 {
		return nil, fmt.Errorf("that is no SVG: %.80s", text.String())
	}
	return []byte(begin + `<svg role="img" aria-labelledby="title desc"` + tag + `>` +
		`<title id="title">` + escape(t.title) + `</title><desc id="desc">` + escape(s.says(t)) + `</desc>` +
		strings.ReplaceAll(rest, "font-family:Liberation Sans", "font-family:Liberation Sans,Arial,sans-serif")), nil
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder refuses nothing
	return b.String()
}

// png gives it as paper shows it.
func (s sweep) png(t tongue) ([]byte, error) {
	canvas := vgimg.NewWith(vgimg.UseWH(wide, high), vgimg.UseDPI(paperDPI), vgimg.UseBackgroundColor(color.White))
	if err := s.draw(t, canvas); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	err := e.Encode(&out, canvas.Image())
	return out.Bytes(), err
}
