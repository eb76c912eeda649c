package pages

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"rsc.io/qr"
)

// QRImage draws text as a QR code (ISO/IEC 18004, correction level M), as a PNG of
// 8 pixels a module with the quiet zone around it. The error says that the text is
// too long (2,331 bytes).
func QRImage(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("draw a QR code of %d bytes: %w", len(text), err)
	}
	return code.PNG(), nil
}

// QRSource is QRImage for the src of an image in a page. The text is in no address
// that a log could keep.
func QRSource(text string) (template.URL, error) {
	png, err := QRImage(text)
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png)), err
}

// QRText draws it for a terminal, two modules a character, black on white whatever
// the terminal's own colours are.
func QRText(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("draw a QR code of %d bytes: %w", len(text), err)
	}
	const quiet = 4 // modules of white around it, which readers need
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString("\x1b[30;47m")
		for x := -quiet; x < code.Size+quiet; x++ {
			switch above, below := code.Black(x, y), code.Black(x, y+1); {
			case above && below:
				b.WriteRune('█')
			case above:
				b.WriteRune('▀')
			case below:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String(), nil
}
