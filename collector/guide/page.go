package guide

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"path"

	"github.com/yuin/goldmark/ast"

	"anagrafe/protocol/pages"
)

// contents is a line of what a guide is about: a title of the second order.
type contents struct{ ID, Title string }

// shown is the dot of guide.html.
type shown struct {
	Body     template.HTML // of the Markdown, without the first title
	Head     string
	Contents []contents
	File     string // where the PDF is had
	Sticker  string // where that of the window is; "": nothing to do with this guide
}

// contentsFrom is from how many parts on a guide begins with its contents.
const contentsFrom = 7

// Pictures is where main mounts Picture, under the name "picture": the texts name it.
const Pictures = "/manual/"

// Page serves a guide, in the reader's language: the operator's on the console, the others
// on the public pages; file is the path of its PDF, sticker that of the sticker's, or "".
func (g *Guides) Page(name, file, sticker string) http.Handler {
	face, styles := pages.FacePublic, []string(nil) // a public page has shell.css anyway
	if name == Operator {
		face, styles = pages.FaceOps, []string{"shell.css"}
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		d := g.of(name, pages.Language(r)).shown
		d.File, d.Sticker = file, sticker
		g.set.Render(rw, r, pages.Page{Template: "guide.html", Title: "guide." + name, Face: face, Styles: styles, Indexed: face == pages.FacePublic, Updated: written, Data: d})
	})
}

// Picture serves what the texts show.
func (g *Guides) Picture() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		file, err := files.ReadFile(r.PathValue("picture"))
		if err != nil || path.Ext(r.PathValue("picture")) != ".svg" {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "image/svg+xml")
		http.ServeContent(rw, r, "", written, bytes.NewReader(file))
	})
}

// File serves its PDF, under the name that the reader's computer gives the file.
func (g *Guides) File(name string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		lang := pages.Language(r)
		file, err := g.PDF(name, lang)
		if err != nil { // they were read when the collector began
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		rw.Header().Set("Content-Type", "application/pdf")
		rw.Header().Set("Content-Disposition", `inline; filename="`+g.FileName(name, lang)+`"`)
		http.ServeContent(rw, r, "", written, bytes.NewReader(file))
	})
}

// FileName is what the PDF of a guide is called: "anagrafe-telecamere-owner-it.pdf".
func (g *Guides) FileName(name string, lang pages.Lang) string {
	return "anagrafe-telecamere-" + name + "-" + string(lang) + ".pdf"
}

// page renders the whole but its first title, which the page itself has.
func (s source) page() (shown, error) {
	d := shown{Head: s.title()}
	var body bytes.Buffer
	for n := s.root.FirstChild(); n != nil; n = n.NextSibling() {
		h, isTitle := n.(*ast.Heading)
		if isTitle && h.Level == 1 {
			continue
		}
		if isTitle && h.Level == 2 {
			id, _ := h.AttributeString("id")
			d.Contents = append(d.Contents, contents{fmt.Sprintf("%s", id), s.plainText(h)})
		}
		if err := markdown.Renderer().Render(&body, s.text, n); err != nil {
			return d, fmt.Errorf("render the guide: %w", err)
		}
	}
	if len(d.Contents) < contentsFrom {
		d.Contents = nil
	}
	d.Body = template.HTML(body.String()) // of our own text; the renderer lets no HTML through
	return d, nil
}
