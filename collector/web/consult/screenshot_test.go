package consult

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"slices"

	"github.com/chromedp/chromedp"
)

// screenshot writes the README's picture to the file that ANAGRAFE_SCREENSHOT
// names (installer/search-page.png), when it is set.
func (b *tab) screenshot() {
	b.t.Helper()
	path := os.Getenv("ANAGRAFE_SCREENSHOT")
	if path == "" {
		return
	}
	raw, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	full, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, fewColours(full)); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// fewColours draws a picture with the 256 colours that are most used in it: a
// third of the bytes, and on flat colours the eye does not see it.
func fewColours(full image.Image) image.Image {
	type bucket struct{ r, g, b, n uint32 }
	buckets := map[uint32]*bucket{}
	box := full.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			r, g, b, _ := full.At(x, y).RGBA()
			key := r>>11<<10 | g>>11<<5 | b>>11
			k := buckets[key]
			if k == nil {
				k = &bucket{}
				buckets[key] = k
			}
			k.r, k.g, k.b, k.n = k.r+r>>8, k.g+g>>8, k.b+b>>8, k.n+1
		}
	}
	var all []*bucket
	for _, k := range buckets {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b *bucket) int { return int(b.n) - int(a.n) })
	var palette color.Palette
	for _, k := range all[:min(len(all), 256)] {
		palette = append(palette, color.RGBA{uint8(k.r / k.n), uint8(k.g / k.n), uint8(k.b / k.n), 255})
	}
	small := image.NewPaletted(box, palette)
	draw.Draw(small, box, full, box.Min, draw.Src)
	return small
}
