package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"path/filepath"

	"golang.org/x/image/vector"
)

// The icon is a camera's field of view, from above, on the blue of the Italian
// administration's pages.
var (
	blue  = color.NRGBA{0x00, 0x66, 0xCC, 0xFF}
	light = color.NRGBA{0xFF, 0xFF, 0xFF, 0x8C}
	white = color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}
)

// iconOf is the icon as a file of that name wants it: a PNG of so many pixels, or all
// that Windows shows in one ICO.
func iconOf(file string, size int) ([]byte, error) {
	if filepath.Ext(file) == ".ico" {
		return ico(16, 32, 48, 256)
	}
	return pngOf(size)
}

// ico is the icon in several sizes, each as a PNG, which Windows reads since Vista:
// six bytes, then sixteen bytes a size.
func ico(sizes ...int) ([]byte, error) {
	type entry struct {
		Width, Height, Colours, Reserved byte
		Planes, Depth                    uint16
		Length, Offset                   uint32
	}
	var head, pictures bytes.Buffer
	_ = binary.Write(&head, binary.LittleEndian, [3]uint16{0, 1, uint16(len(sizes))}) // a Buffer takes all
	offset := 6 + 16*len(sizes)
	for _, size := range sizes {
		b, err := pngOf(size)
		if err != nil {
			return nil, err
		}
		_ = binary.Write(&head, binary.LittleEndian, entry{byte(size), byte(size), 0, 0, 1, 32, uint32(len(b)), uint32(offset + pictures.Len())}) // 256 is 0
		pictures.Write(b)
	}
	return append(head.Bytes(), pictures.Bytes()...), nil
}

func pngOf(size int) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, draw(size))
	return b.Bytes(), err
}

// draw paints in a square of side 1: a rounded tile, the sector that a camera in the
// lower left sees, and the camera.
func draw(size int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, size, size))
	fill(m, blue, func(p *outline) { p.tile(0.02, 0.22) })
	fill(m, light, func(p *outline) { p.sector(0.26, 0.74, 0.6, -80, -10) })
	fill(m, white, func(p *outline) { p.sector(0.26, 0.74, 0.11, 0, 360) })
	return m
}

// outline draws with numbers of the unit square.
type outline struct {
	*vector.Rasterizer
	size float64
}

func fill(m *image.NRGBA, c color.Color, shape func(*outline)) {
	size := m.Bounds().Dx()
	p := &outline{vector.NewRasterizer(size, size), float64(size)}
	shape(p)
	p.ClosePath()
	p.Draw(m, m.Bounds(), image.NewUniform(c), image.Point{})
}

func (p *outline) point(x, y float64) (float32, float32) {
	return float32(x * p.size), float32(y * p.size)
}

// tile is a square with a margin and rounded corners.
func (p *outline) tile(margin, round float64) {
	a, z := margin+round, 1-margin-round
	p.MoveTo(p.point(margin, a))
	for _, c := range []struct{ x, y, from float64 }{{a, a, 180}, {z, a, 270}, {z, z, 0}, {a, z, 90}} {
		p.arc(c.x, c.y, round, c.from, c.from+90)
	}
}

// sector has its point at x, y, and degrees clockwise from the right.
func (p *outline) sector(x, y, radius, from, to float64) {
	p.MoveTo(p.point(x, y))
	p.arc(x, y, radius, from, to)
}

func (p *outline) arc(x, y, radius, from, to float64) {
	const steps = 48
	for i := range steps + 1 {
		sin, cos := math.Sincos((from + (to-from)*float64(i)/steps) * math.Pi / 180)
		p.LineTo(p.point(x+radius*cos, y+radius*sin))
	}
}
