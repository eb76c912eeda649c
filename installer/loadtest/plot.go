package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
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

//go:embed plot.svg
var plotSVG string

var plot = template.Must(template.New("plot").Parse(plotSVG))

// The picture and its two fields in pixels of a page, as in plot.svg; paper has them finer.
const (
	wide, high           = 640, 558
	fieldLeft            = 72
	fieldWide, fieldHigh = 540, 170
	finer                = 1.5
)

// panel is a field with its axis. Its points count from the field's upper left corner.
type panel struct {
	Top    int
	Title  string
	Up     []label
	Curves []curve
}

// label is a number at an axis, and how far along it stands.
type label struct {
	At   float64
	Text string
}

// curve has marks and dashes of its own beside its colour, which stands out from white by
// 4.5 to 1 and more.
type curve struct {
	ID, Name, Colour, Dashes, Mark string
	Key                            spot // where its name stands
	of                             func(point) float64
	Points                         []spot
}

type spot struct{ X, Y float64 }

// panels are memory and waits over the number of agents, and the labels of those.
func (s sweep) panels(t tongue) (both []panel, agents []label) {
	p, all := message.NewPrinter(t.tag), s.ascent()
	held := func(p point) float64 { return float64(p.Most) / (1 << 30) }
	half := func(kind string) func(point) float64 {
		return func(p point) float64 { return 1000 * p.Windows[0].Did[kind].P50 }
	}
	most := func(kind string) func(point) float64 {
		return func(p point) float64 { return 1000 * p.Windows[0].Did[kind].P99 }
	}
	both = []panel{{Top: 74, Title: t.memory, Curves: []curve{
		{ID: "held", Name: t.held, Key: spot{0, -10}, Colour: "#17324d", Mark: "M-4 0a4 4 0 0 0 8 0a4 4 0 0 0-8 0z", of: held},
	}}, {Top: 346, Title: t.wait, Curves: []curve{
		{ID: "ack-most", Name: t.ackMost, Key: spot{0, -28}, Colour: "#0059b3", Mark: "M0-5l5 9h-10z", of: most(change)},
		{ID: "ack-half", Name: t.ackHalf, Key: spot{0, -10}, Colour: "#0059b3", Dashes: "5 4", Mark: "M0 5l5-9h-10z", of: half(change)},
		{ID: "ask-most", Name: t.askMost, Key: spot{320, -28}, Colour: "#a63d0a", Mark: "M-4-4h8v8h-8z", of: most(search)},
		{ID: "ask-half", Name: t.askHalf, Key: spot{320, -10}, Colour: "#a63d0a", Dashes: "5 4", Mark: "M0-5l5 5l-5 5l-5-5z", of: half(search)},
	}}}
	across, agents := axis(float64(all[len(all)-1].Agents), fieldWide, p)
	for i := range both {
		greatest := 0.0
		for _, c := range both[i].Curves {
			for _, at := range all {
				greatest = max(greatest, c.of(at))
			}
		}
		up, labels := axis(greatest, fieldHigh, p)
		for j, c := range both[i].Curves {
			for _, at := range all {
				both[i].Curves[j].Points = append(both[i].Curves[j].Points, spot{across(float64(at.Agents)), fieldHigh - up(c.of(at))})
			}
		}
		both[i].Up = labels
	}
	if n := s.bend(); n > 0 {
		x := across(float64(n))
		both[1].Curves = append(both[1].Curves, curve{ID: "bend", Name: p.Sprintf(t.bends, n), Key: spot{0, -46}, Colour: "#17324d", Dashes: "1 3", Points: []spot{{x, 0}, {x, fieldHigh}}})
	}
	return both, agents
}

// axis goes from 0 to at least the greatest, in at most five steps of 1, 2 or 5 times a
// power of ten. It says how far along a value stands, and which ones are written there.
func axis(greatest, length float64, p *message.Printer) (along func(float64) float64, labels []label) {
	greatest = max(greatest, 1e-3)
	step := math.Pow(10, math.Floor(math.Log10(greatest/5)))
	for _, times := range []float64{2, 2.5, 2} {
		if 5*step < greatest {
			step *= times
		}
	}
	steps := math.Ceil(greatest / step)
	along = func(v float64) float64 { return math.Round(10*length*v/(step*steps)) / 10 }
	for i := range int(steps) + 1 {
		v := float64(i) * step
		labels = append(labels, label{along(v), p.Sprint(number.Decimal(v, number.MaxFractionDigits(3)))})
	}
	return along, labels
}

// svg gives the plot as a page shows it: with a title and a description, which are read
// to who does not see it.
func (s sweep) svg(t tongue) ([]byte, error) {
	panels, agents := s.panels(t)
	var b bytes.Buffer
	err := plot.Execute(&b, map[string]any{"Title": t.title, "Describe": s.says(t), "Across": t.agents, "Agents": agents, "Panels": panels,
		"Where": fmt.Sprintf(t.where, s.Began.Format(time.DateOnly), s.Machine.Cores, strings.NewReplacer("(R)", "", " Processor", "").Replace(s.Machine.Processor))})
	return b.Bytes(), err
}

// onPaper gives an SVG as paper shows it, drawn by chromium.
func onPaper(ctx context.Context, svg []byte) ([]byte, error) {
	ctx, stop := chromedp.NewExecAllocator(ctx, append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.NoSandbox)...) // for root too: it opens our own file
	defer stop()
	ctx, end := chromedp.NewContext(ctx)
	defer end()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(wide, high, chromedp.EmulateScale(finer)), chromedp.Navigate("data:image/svg+xml,"+url.PathEscape(string(svg)))); err != nil {
		return nil, fmt.Errorf("let chromium draw (apt install chromium): %w", err)
	}
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}
