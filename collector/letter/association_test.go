package letter

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"anagrafe/collector/pdf"
)

func association(n int) Association {
	a := Association{Name: "Confesercenti Milano", Comune: "Comune di Milano", Ask: "telefono 02 0202", PublicURL: "https://telecamere.example",
		Made: day, Expires: day.Add(14 * 24 * time.Hour)}
	for i := range n {
		a.Codes = append(a.Codes, AssociationCode{fmt.Sprintf("AAAA-BBBB-%04d-X", i), fmt.Sprintf("https://telecamere.example:8443/enrol#code=%d", i)})
	}
	return a
}

// Each letter stands on a page of its own, with its code in letters and as a picture,
// and says what the register is, that it is voluntary, and whom to ask, in two languages.
func TestAssociation(t *testing.T) {
	a := association(3)
	d, err := a.Document()
	if err != nil {
		t.Fatal(err)
	}
	got, links := "", []string(nil)
	for _, b := range d.Content {
		if b.Kind != pdf.Image {
			got += said(b)
			continue
		}
		img, err := png.Decode(bytes.NewReader(b.Picture))
		if err != nil {
			t.Fatal(err)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
		if err != nil {
			t.Fatal(err)
		}
		read, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, read.GetText())
	}
	for i, c := range a.Codes {
		if strings.Count(got, c.Code) != 1 || strings.Count(got, c.Link) != 1 || len(links) <= i || links[i] != c.Link {
			t.Errorf("the code %s does not stand once in words and once as a picture", c.Code)
		}
	}
	for _, want := range []string{"Confesercenti Milano", "È volontario", "mai un'immagine", "Domande", "Comune di Milano, telefono 02 0202", "fino al 06/12/2026",
		"It is voluntary", "never an image", "Questions", "until 06/12/2026", "https://telecamere.example/privacy"} {
		if strings.Count(got, want) < len(a.Codes) {
			t.Errorf("not every letter says %q", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// said is all that a block says, in a line each.
func said(b pdf.Block) string {
	all := append([]string{b.Text}, b.Items...)
	for _, row := range b.Rows {
		all = append(all, strings.Join(row, ": "))
	}
	return strings.Join(all, "\n") + "\n"
}

// A page is a letter, also of the longest names.
func TestAssociationPages(t *testing.T) {
	a := association(5)
	a.Name, a.Ask = strings.Repeat("Associazione ", 9), strings.Repeat("telefono 02 0202, ", 12)
	a.Codes[2].Link = "https://telecamere.example:8443/enrol#code=AAAA-BBBB-CCCC-X&pin=sha256:" + strings.Repeat("x", 120)
	d, err := a.Document()
	if err != nil {
		t.Fatal(err)
	}
	d.Most = len(a.Codes)
	if _, err := pdf.Write(d); err != nil {
		t.Error(err)
	}
	for _, n := range []int{0, Most + 1} {
		if _, err := association(n).Document(); err == nil {
			t.Errorf("%d letters were written", n)
		}
	}
}
