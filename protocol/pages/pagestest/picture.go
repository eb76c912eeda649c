package pagestest

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/chromedp"
)

// Picture keeps what the window shows, as a small file: the README has one.
func (b *Tab) Picture(name string) {
	b.t.Helper()
	b.keep(name, chromedp.CaptureScreenshot(), small)
}

// keep writes a picture to ANAGRAFE_PICTURES/name.png, when pictures are asked for.
func (b *Tab) keep(name string, take chromedp.Action[[]byte], change func([]byte) ([]byte, error)) {
	b.t.Helper()
	dir := os.Getenv("ANAGRAFE_PICTURES")
	if dir == "" {
		return
	}
	raw, err := chromedp.Run(b.ctx, take)
	if err == nil && change != nil {
		raw, err = change(raw)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), raw, 0o644)
	}
	if err != nil {
		b.t.Fatalf("picture %s: %v", name, err)
	}
}

// small draws a PNG picture with the 256 colours that are most used in it: a
// third of the bytes, and on flat colours the eye does not see it.
func small(raw []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	flat := image.NewPaletted(full.Bounds(), mostUsed(full))
	draw.Draw(flat, flat.Bounds(), full, flat.Bounds().Min, draw.Src)
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, flat)
	return out.Bytes(), err
}

// mostUsed averages the colours of a picture in cells of 5 bits a channel and
// gives those of the 256 fullest cells.
func mostUsed(full image.Image) color.Palette {
	type cell struct{ r, g, b, n uint32 }
	cells := map[uint32]*cell{}
	box := full.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			r, g, b, _ := full.At(x, y).RGBA()
			key := r>>11<<10 | g>>11<<5 | b>>11
			c := cells[key]
			if c == nil {
				c = &cell{}
				cells[key] = c
			}
			c.r, c.g, c.b, c.n = c.r+r>>8, c.g+g>>8, c.b+b>>8, c.n+1
		}
	}
	var all []*cell
	for _, c := range cells {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *cell) int { return int(b.n) - int(a.n) })
	var palette color.Palette
	for _, c := range all[:min(len(all), 256)] {
		palette = append(palette, color.RGBA{uint8(c.r / c.n), uint8(c.g / c.n), uint8(c.b / c.n), 255})
	}
	return palette
}
