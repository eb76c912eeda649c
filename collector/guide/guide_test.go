package guide

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"anagrafe/collector/pdf"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// city has in its name and contact what Markdown would take for marks.
var city = About{Name: "Comune di _Prova_ <1>", URL: "https://telecamere.comune.example.it", Contact: "chi_risponde_*@comune.example.it"}

func guides(t *testing.T, about About) *Guides {
	t.Helper()
	g, err := New(about, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// The two languages of a guide have the same parts, and the same commands.
func TestLanguagesAgree(t *testing.T) {
	g := guides(t, city)
	for _, name := range Names {
		kinds := func(l pages.Lang) (kinds []pdf.Kind, commands []string) {
			for _, b := range g.of(name, l).blocks {
				kinds = append(kinds, b.Kind)
				if b.Kind == pdf.Code {
					commands = append(commands, b.Items...)
				}
			}
			return kinds, commands
		}
		itKinds, itCommands := kinds(pages.It)
		enKinds, enCommands := kinds(pages.En)
		if len(itKinds) < 3 || !slices.Equal(itKinds, enKinds) {
			t.Errorf("%s has other parts in Italian than in English:\n%v\n%v", name, itKinds, enKinds)
		}
		if !slices.Equal(itCommands, enCommands) {
			t.Errorf("%s has other commands in Italian than in English:\n%q\n%q", name, itCommands, enCommands)
		}
	}
}

// What the configuration says stands there letter by letter, and what it does not say
// leaves no hole.
func TestAbout(t *testing.T) {
	says := func(g *Guides, name string) (paper, page string) {
		s := g.of(name, pages.It)
		return fmt.Sprint(s.blocks), string(s.shown.Body) + s.shown.Head
	}
	paper, page := says(guides(t, city), Owner)
	if !strings.Contains(paper, city.Contact) || !strings.Contains(page, city.Contact) || !strings.Contains(page, city.URL+"/check") {
		t.Errorf("the contact or the address to check is not there:\n%s\n%s", paper, page)
	}
	if paper, page = says(guides(t, city), Sticker); !strings.Contains(paper, city.Name) || !strings.Contains(page, "_Prova_ &lt;1&gt;") {
		t.Errorf("the name is not there:\n%s\n%s", paper, page)
	}
	for _, name := range Names {
		paper, page := says(guides(t, About{URL: city.URL}), name)
		for _, never := range []string{"{{", "<no value>", "Comune: .", "): ", " : "} {
			if strings.Contains(paper, never) || strings.Contains(page, never) {
				t.Errorf("%s without a name and a contact has %q", name, never)
			}
		}
	}
	if _, err := New(About{}, slog.Default()); err == nil {
		t.Error("guides were made without an address")
	}
}

// A text that paper cannot show is refused when the collector begins, not when somebody
// prints it.
func TestRefused(t *testing.T) {
	for _, text := range []string{"#### four", "> quoted", "---", "<div>raw</div>", "![a picture that is not here](/manual/none.svg)"} {
		s := parse([]byte(text))
		if _, err := s.paper(); err == nil {
			t.Errorf("%q is taken for something that can be printed", text)
		}
	}
	s := parse([]byte("# A\n\nsay <b onclick=x>this</b> [away](javascript:alert(1))"))
	if d, err := s.page(); err != nil || strings.Contains(string(d.Body), "<b") || strings.Contains(string(d.Body), "javascript") {
		t.Errorf("%v, %s", err, d.Body)
	}
}

// The files are the same each time, whole, and say in their order what the text says.
func TestFiles(t *testing.T) {
	_, err := exec.LookPath("pdftotext")
	pagestest.Need(t, err == nil, "pdftotext is not installed: run make deps")
	g := guides(t, city)
	for _, name := range Names {
		for _, l := range pages.Langs {
			file, err := g.PDF(name, l.Lang)
			if err != nil {
				t.Fatalf("%s %s: %v", name, l.Lang, err)
			}
			if again, err := g.PDF(name, l.Lang); err != nil || !bytes.Equal(again, file) {
				t.Errorf("%s %s is another file each time: %v", name, l.Lang, err)
			}
			path := filepath.Join(t.TempDir(), g.FileName(name, l.Lang))
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), "pdftotext", path, "-").CombinedOutput()
			said := strings.Join(strings.Fields(string(out)), " ")
			if err != nil || !strings.Contains(said, g.of(name, l.Lang).shown.Head) || strings.Contains(said, "?:") {
				t.Errorf("%s %s: %v\n%s", name, l.Lang, err, out)
			}
			if keep := os.Getenv("ANAGRAFE_PICTURES"); keep != "" {
				if err := os.WriteFile(filepath.Join(keep, filepath.Base(path)), file, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// The pages are in order for a reader who sees nothing, on a phone too, and their files
// have a name.
func TestInABrowser(t *testing.T) {
	g := guides(t, city)
	mux := http.NewServeMux()
	mux.Handle("GET "+pages.Prefix, pages.Assets())
	mux.Handle("GET "+Pictures+"{picture}", g.Picture())
	for _, name := range []string{Owner, Referent, Operator} {
		mux.Handle("GET /"+name, g.Page(name, "/"+name+".pdf", ""))
		mux.Handle("GET /"+name+".pdf", g.File(name))
	}
	secured := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		pages.SecureHeaders(rw.Header())
		mux.ServeHTTP(rw, r)
	})
	server := httptest.NewServer(pages.InShell(pages.Body{Name: city.Name}, nil, secured))
	defer server.Close()
	for _, width := range []int64{390, 1280} {
		b := pagestest.Open(t, server.URL, width, 900)
		for _, name := range []string{Owner, Referent, Operator} {
			for _, l := range pages.Langs {
				b.Visit("/" + name + "?lang=" + string(l.Lang))
				b.Check(fmt.Sprintf("guide-%s-%d-%s", name, width, l.Lang))
			}
		}
	}
	for path, want := range map[string]int{"load.it.svg": http.StatusOK, "load.en.svg": http.StatusOK, "load.it.png": http.StatusNotFound, "operator.it.md": http.StatusNotFound} {
		rw := httptest.NewRecorder()
		mux.ServeHTTP(rw, httptest.NewRequest("GET", Pictures+path, nil))
		if rw.Code != want || want == http.StatusOK && (rw.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(rw.Body.String(), "<desc")) {
			t.Errorf("%s: %d %v", path, rw.Code, rw.Header())
		}
	}
	rw := httptest.NewRecorder()
	mux.ServeHTTP(rw, httptest.NewRequest("GET", "/owner.pdf?lang=en", nil))
	if rw.Header().Get("Content-Type") != "application/pdf" || !strings.Contains(rw.Header().Get("Content-Disposition"), "owner-en.pdf") || !bytes.HasPrefix(rw.Body.Bytes(), []byte("%PDF-")) {
		t.Errorf("%d %v", rw.Code, rw.Header())
	}
}

// Who changes what the guides say changes the day that they show.
func TestWritten(t *testing.T) {
	pagestest.Dated(t, files, written, "2026-11-24 90e133c9c40fe9c4")
}
