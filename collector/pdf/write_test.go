package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol/pages/pagestest"
)

// sample has every kind of block, a table of several pages and a row longer than
// a page.
func sample() Document {
	d := Document{Title: "Richiesta n. 7/2026 – «prova»", Author: "Questura", Lang: "it-IT", Made: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
		Footer: []string{"Richiesta n. 7/2026", "SHA-256 abc"}, Page: "pagina %d di %d"}
	d.Content = []Block{
		{Kind: H1, Text: "Richiesta di acquisizione"},
		{Kind: Text, Text: strings.Repeat("Perché l’impianto è più avanti «di un’ora». ", 12)},
		{Kind: H2, Text: "Telecamere"},
		{Kind: Facts, Text: "Chi chiede", Rows: [][]string{{"Ufficio", "Squadra mobile"}, {"Nota", ""}}},
		{Kind: Steps, Items: []string{"prima", "poi"}},
		{Kind: Code, Items: []string{"a  b", strings.Repeat("lungo ", 40), strings.Repeat("x", 200)}},
		{Kind: List, Items: []string{"una cosa", "un'altra " + strings.Repeat("lunga ", 40)}},
	}
	table := Block{Kind: Table, Text: "Telecamere", Head: []string{"Telecamera", "Ora vera", "Ora del registratore"}, Widths: []float64{2, 1, 1}}
	for i := range 60 {
		table.Rows = append(table.Rows, []string{fmt.Sprintf("CAM %02d ingresso (via Roma)", i), "21:30:00", `22:28:00 \ (ora)`})
	}
	table.Rows[30][1] = strings.Repeat("molto ", 700)
	d.Content = append(d.Content, table, Block{Kind: H3, Text: "Sotto"}, Block{Kind: Break}, Block{Kind: H2, Text: "Verbale"},
		Block{Kind: Blank, Text: "Consegnato da"}, Block{Kind: Small, Text: "监控 😀 Ж"},
		Block{Kind: Image, Text: "Un quadrato", Picture: square(), SideMM: 30}, Block{Kind: Text, Lang: "en-GB", Text: "In English"})
	return d
}

// square is a picture of one grey point.
func square() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// An image says what it is, and a text of another language which.
func TestFigureAndLanguage(t *testing.T) {
	f := readFile(t, write(t, sample()))
	f.check(t)
	var figures, english int
	for _, o := range f.objects {
		if strings.Contains(o, "/S /Figure ") && strings.Contains(o, "/Alt "+text("Un quadrato")) {
			figures++
		}
		if strings.Contains(o, "/S /P ") && strings.Contains(o, "/Lang "+text("en-GB")) {
			english++
		}
	}
	if figures != 1 || english != 1 {
		t.Errorf("%d figures with their words and %d paragraphs in English, want one of each", figures, english)
	}
}

// A document that names its own bound has that.
func TestMost(t *testing.T) {
	d := Document{Title: "Lettere", Lang: "it-IT", Made: time.Unix(0, 0), Most: 3}
	for range 2 {
		d.Content = append(d.Content, Block{Kind: Text, Text: "una"}, Block{Kind: Break})
	}
	d.Content = append(d.Content, Block{Kind: Text, Text: "una"})
	f := readFile(t, write(t, d))
	if len(f.pages) != 3 {
		t.Errorf("%d pages", len(f.pages))
	}
	d.Content = append(d.Content, Block{Kind: Break}, Block{Kind: Text, Text: "una"})
	if _, err := Write(d); !errors.Is(err, ErrTooLong) {
		t.Errorf("a page more than it may have: %v", err)
	}
}

func write(t *testing.T, d Document) []byte {
	t.Helper()
	out, err := Write(d)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSameBytes(t *testing.T) {
	first := write(t, sample())
	for range 5 {
		if !bytes.Equal(write(t, sample()), first) {
			t.Fatal("the same document gave other bytes")
		}
	}
	other := sample()
	other.Made = other.Made.Add(time.Second)
	if bytes.Equal(write(t, other), first) {
		t.Error("another date gave the same bytes")
	}
}

func TestTagTree(t *testing.T) {
	f := readFile(t, write(t, sample()))
	if len(f.pages) < 4 {
		t.Fatalf("%d pages, more expected", len(f.pages))
	}
	f.check(t)
	got := f.outline(f.root, 0)
	for _, want := range []string{
		"H1: Richiesta di acquisizione\n",
		"H2: Telecamere\n",
		"TH[Row]: Ufficio\n", "TD: Squadra mobile\n",
		"TH[Column]: Ora del registratore\n",
		"TH[Row]: CAM 59 ingresso (via Roma)\n", `TD: 22:28:00 \ (ora)`,
		"Lbl: •\n", "LBody: una cosa\n", "Lbl: 2.\n", "LBody: poi\n",
		"Code: a  b", strings.Repeat("x", 90),
		"P: Consegnato da\n", "P: ?? ? Ж\n",
		"P: " + strings.TrimSpace(strings.Repeat("Perché l’impianto è più avanti «di un’ora». ", 12)) + "\n",
		"TD: " + strings.TrimSpace(strings.Repeat("molto ", 700)) + "\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the tag tree lacks %.60q", want)
		}
	}
	if n := strings.Count(got, "TH[Column]"); n != 3 {
		t.Errorf("%d column headers in the tree, want 3: those repeated on other pages are for the eye", n)
	}
	if strings.Contains(got, "pagina 1") {
		t.Error("the footer is in the tree")
	}
}

func TestCatalog(t *testing.T) {
	f := readFile(t, write(t, sample()))
	for _, want := range []string{"/Lang " + text("it-IT"), "/MarkInfo <</Marked true>>", "/DisplayDocTitle true"} {
		if !strings.Contains(f.objects[f.catalog], want) {
			t.Errorf("the catalog lacks %s: %s", want, f.objects[f.catalog])
		}
	}
	if strings.Contains(f.objects[f.catalog], "EmbeddedFiles") {
		t.Error("the catalog keeps an empty list of files")
	}
}

func TestRefused(t *testing.T) {
	if _, err := Write(Document{Title: "x", Lang: "it"}); err == nil {
		t.Error("a document without a date was written: it would have today's")
	}
	d := sample()
	for range 12 {
		d.Content = append(d.Content, Block{Kind: Text, Text: strings.Repeat("parola ", 12_000)})
	}
	if _, err := Write(d); !errors.Is(err, ErrTooLong) {
		t.Errorf("a document without end: %v", err)
	}
}

// What other programs read of it.
func TestOthersRead(t *testing.T) {
	pagestest.Need(t, haveAll("qpdf", "pdfinfo", "pdffonts"), "qpdf and poppler-utils are not installed: run make deps")
	file := filepath.Join(t.TempDir(), "sample.pdf")
	if err := os.WriteFile(file, write(t, sample()), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) string {
		out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	if out := run("qpdf", "--check", file); !strings.Contains(out, "No syntax or stream encoding errors") {
		t.Errorf("qpdf: %s", out)
	}
	out := run("pdfinfo", file)
	for _, want := range []string{"Tagged:          yes", "Richiesta n. 7/2026 – «prova»"} {
		if !strings.Contains(out, want) {
			t.Errorf("pdfinfo lacks %q:\n%s", want, out)
		}
	}
	out = run("pdfinfo", "-struct-text", file)
	for _, want := range []string{"H1", "Richiesta di acquisizione", "Table", "TH", "/Scope /Column", "più avanti «di un’ora»"} {
		if !strings.Contains(out, want) {
			t.Errorf("pdfinfo -struct-text lacks %q", want)
		}
	}
	if out := run("pdffonts", file); strings.Count(out, "yes no  yes") != 3 {
		t.Errorf("the three fonts are not embedded with their letters: %s", out)
	}
}

func haveAll(names ...string) bool {
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			return false
		}
	}
	return true
}

func FuzzWrite(f *testing.F) {
	f.Add("via Roma 1\n\tà", "x")
	f.Add("\U00010000\uffff", "")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 2000 {
			return
		}
		d := Document{Title: "t" + a, Lang: "it-IT", Made: time.Unix(0, 0), Footer: []string{b}, Page: "%d/%d"}
		for _, k := range []Kind{H1, Text, Blank} {
			d.Content = append(d.Content, Block{Kind: k, Text: a})
		}
		d.Content = append(d.Content, Block{Kind: Table, Head: []string{a, b}, Rows: [][]string{{b, a}, {a, a}}}, Block{Kind: List, Items: []string{b}})
		out, err := Write(d)
		if err != nil {
			t.Fatal(err)
		}
		readFile(t, out).check(t)
	})
}
