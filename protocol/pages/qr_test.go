package pages

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

const linkText = "https://telecamere.comune.example.it:8443/enrol#code=7K3M-9QXP-T2WD-HJ5R&pin=sha256:h1p7yqKcZ0h3mC3o1mW9J4vJm2n8pQkq5o0r4d1xYzE"

// read has another program's reader read a code.
func read(t *testing.T, img image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText()
}

func TestQRImage(t *testing.T) {
	source, err := QRSource(linkText)
	if err != nil {
		t.Fatal(err)
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(source), "data:image/png;base64,"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, img); got != linkText {
		t.Errorf("a reader reads %q", got)
	}
	if _, err := QRImage(strings.Repeat("x", 3000)); err == nil {
		t.Error("a text that no code holds was drawn")
	}
}

func TestQRText(t *testing.T) {
	text, err := QRText(linkText)
	if err != nil {
		t.Fatal(err)
	}
	const module = 6
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	img := image.NewGray(image.Rect(0, 0, len(lines)*2*module, len(lines)*2*module))
	for y, line := range lines {
		line, ok := strings.CutPrefix(line, "\x1b[30;47m")
		if !ok {
			t.Fatalf("line %d does not set its colours: %q", y, line)
		}
		for x, c := range []rune(strings.TrimSuffix(line, "\x1b[0m")) {
			for half, black := range []bool{c == '█' || c == '▀', c == '█' || c == '▄'} {
				shade := color.Gray{255}
				if black {
					shade.Y = 0
				}
				for i := range module * module {
					img.SetGray(x*module+i%module, (2*y+half)*module+i/module, shade)
				}
			}
		}
	}
	if got := read(t, img); got != linkText {
		t.Errorf("a reader reads %q off the terminal", got)
	}
}
