// Package guide has the texts that people read before and after they join: the leaflet
// for owners with a window sticker, the guide for technical referents, and the operator's
// manual, in Italian and English. It hides how one Markdown file becomes a page (page.go)
// and a PDF (paper.go), and fills in the running configuration. Main mounts the pages and
// prints the files.
//
// The texts are NAME.LANG.md: CommonMark with tables, no HTML. A picture is a paragraph
// of its own that names a PNG file here; pages show the SVG of the same name. The fields
// of About stand in the texts as {{.URL}}. Every code block is a command, which the tests
// of the whole product run.
package guide

import (
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"text/template"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"anagrafe/collector/pdf"
	"anagrafe/protocol/pages"
)

//go:embed *.md *.html *.png *.svg it.json en.json
var files embed.FS

// Names of the guides.
const (
	Owner    = "owner"    // the leaflet
	Referent = "referent" // for technical referents
	Operator = "operator" // for who runs the collector
	Sticker  = "sticker"  // for an owner's window: a PDF alone
)

// Names are all that can be had, in the order of their readers.
var Names = []string{Owner, Sticker, Referent, Operator}

// About is what the guides say of this register. Of what is empty they say nothing, or
// that it is not said yet.
type About struct {
	Name    string // who keeps it: "Comune di Prova"
	URL     string // of its public pages, without a / at the end
	Contact string // how the Comune is reached
}

// Guides are those of one register.
type Guides struct {
	about About
	set   *pages.Set
	read  map[string]source // by name and language: "owner.it"
}

// source is one guide in one language, read.
type source struct {
	text   []byte
	root   ast.Node
	shown  shown       // as a page
	blocks []pdf.Block // as paper
}

// New reads all guides: it fails where one cannot be filled in, or has what a page or a
// PDF cannot show.
func New(about About, log *slog.Logger) (*Guides, error) {
	if about.URL == "" {
		return nil, errors.New("the guides need the address of the public pages")
	}
	set, err := pages.Load(files, log)
	if err != nil {
		return nil, fmt.Errorf("load the guides: %w", err)
	}
	g := &Guides{about, set, map[string]source{}}
	for _, name := range Names {
		for _, l := range pages.Langs {
			file := name + "." + string(l.Lang)
			if g.read[file], err = read(file+".md", about); err != nil {
				return nil, fmt.Errorf("read the guide %s: %w", file, err)
			}
		}
	}
	return g, nil
}

// markdown reads the texts; titles get an anchor each, as the contents of a page want it.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone))),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
)

func read(file string, about About) (source, error) {
	raw, err := files.ReadFile(file)
	if err != nil {
		return source{}, err
	}
	t, err := template.New(file).Option("missingkey=error").Parse(string(raw))
	if err != nil {
		return source{}, err
	}
	var filled strings.Builder
	if err := t.Execute(&filled, About{plain(about.Name), about.URL, plain(about.Contact)}); err != nil {
		return source{}, err
	}
	s := parse([]byte(filled.String()))
	if s.shown, err = s.page(); err != nil {
		return s, err
	}
	s.blocks, err = s.paper()
	return s, err
}

func parse(raw []byte) source {
	return source{text: raw, root: markdown.Parser().Parse(text.NewReader(raw))}
}

// plain keeps a setting from being read as Markdown: every ASCII punctuation character
// may be escaped (CommonMark 0.31, 2.4).
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// of returns a guide of Names in a language.
func (g *Guides) of(name string, lang pages.Lang) source {
	if s, ok := g.read[name+"."+string(lang)]; ok {
		return s
	}
	return g.read[name+"."+string(pages.It)]
}

// title is the first title of a guide.
func (s source) title() string {
	for n := s.root.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Kind() == ast.KindHeading {
			return s.plainText(n)
		}
	}
	return ""
}

// plainText is what a node says, without its marks; of a link also where it leads, unless
// it says so itself.
func (s source) plainText(n ast.Node) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(util.UnescapePunctuations(c.Value(s.text)))
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.AutoLink:
			b.Write(c.URL(s.text))
		case *ast.Link:
			said, to := s.plainText(c), string(c.Destination)
			b.WriteString(said)
			if said != to && !strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "#") {
				b.WriteString(" (" + to + ")")
			}
		default:
			b.WriteString(s.plainText(c))
		}
	}
	return b.String()
}
