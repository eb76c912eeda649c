package pages

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"text/template/parse"
	"time"
)

//go:embed layout.html _fov.html _shell.html it.json en.json
var shared embed.FS

// restAfter is how long parsed pages are kept that nobody looks at.
const restAfter = 10 * time.Minute

// Set is the pages of one package: its templates and its words, over the
// shared layout and words, in every language.
//
// A page is parsed when it is first shown, and forgotten some minutes after the last
// one was. A copy of all that pages share goes into each: those of the agent, in
// both languages, take 25 MB, which a NAS has no use for between two visits of its
// owner; to parse one takes milliseconds.
type Set struct {
	log   *slog.Logger
	words map[Lang]*Words
	files fs.FS

	mu    sync.Mutex
	pages map[pageKey]*template.Template // those that are in use
	rest  *time.Timer
}

type pageKey struct {
	lang Lang
	file string
}

// Load reads a package's pages from files: every *.html is one page, whose top
// level is the content of <main>; one whose name begins with an underscore only
// defines templates, for all pages; it.json and en.json hold the words.
//
// It fails when the languages differ in keys or placeholders, when a template
// names a word that there is not or gives it other values than the text asks
// for, and when a template cannot be parsed: so a test that loads the set
// proves all of that.
func Load(files fs.FS, log *slog.Logger) (*Set, error) {
	s := &Set{log: log, words: map[Lang]*Words{}, files: files, pages: map[pageKey]*template.Template{}}
	all := map[Lang]map[string]string{}
	for _, l := range Langs {
		texts := map[string]string{}
		for _, from := range []fs.FS{shared, files} {
			if err := readWords(from, string(l.Lang)+".json", texts); err != nil {
				return nil, err
			}
		}
		all[l.Lang] = texts
		s.words[l.Lang] = newWords(l.Lang, texts)
	}
	if err := agree(all); err != nil {
		return nil, err
	}
	for _, from := range []fs.FS{shared, files} {
		if err := check(from, s.words[It]); err != nil { // the other languages agree with it
			return nil, err
		}
	}
	return s, nil
}

// Words returns the words of one language.
func (s *Set) Words(l Lang) *Words {
	if w, ok := s.words[l]; ok {
		return w
	}
	return s.words[It]
}

// page returns a page, parsed now if it is not in use.
func (s *Set) page(l Lang, file string) (*template.Template, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rest == nil {
		s.rest = time.AfterFunc(restAfter, s.forget)
	} else {
		s.rest.Reset(restAfter)
	}
	key := pageKey{l, file}
	if page, ok := s.pages[key]; ok {
		return page, nil
	}
	page, err := parsePage(s.files, file, s.Words(l))
	if err == nil {
		s.pages[key] = page
	}
	return page, err
}

// forget has the next reader of each page wait for it to be parsed.
func (s *Set) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.pages)
}

// parsePage puts a page together with all that pages share.
func parsePage(files fs.FS, file string, w *Words) (*template.Template, error) {
	page, err := template.New("layout.html").Funcs(functions(w)).ParseFS(shared, "layout.html", "_fov.html", "_shell.html")
	if err != nil {
		return nil, err
	}
	parts, err := fs.Glob(files, "_*.html")
	if err != nil {
		return nil, err
	}
	if len(parts) > 0 {
		if page, err = page.ParseFS(files, parts...); err != nil {
			return nil, err
		}
	}
	raw, err := fs.ReadFile(files, file)
	if err != nil {
		return nil, err
	}
	_, err = page.New("content").Parse(string(raw))
	return page, err
}

// check parses each file by itself, and holds what it calls against the words.
func check(files fs.FS, w *Words) error {
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return err
	}
	for _, name := range names {
		page, err := template.New(name).Funcs(functions(w)).ParseFS(files, name)
		if err == nil {
			err = checkKeys(page, w)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func functions(w *Words) template.FuncMap {
	return template.FuncMap{
		"t": w.T, "n": w.N, "number": w.Number, "decimal": w.Decimal,
		"datetime": w.DateTime, "short": w.Short, "day": w.Day, "clock": w.Clock, "seconds": w.Seconds,
		"duration": w.Duration, "ago": w.Ago, "since": func(t time.Time) string { return w.Ago(time.Since(t)) },
		"iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"note": func(n Note) string {
			if n.Text != "" {
				return n.Text
			}
			return w.T(n.Key, n.Pairs...)
		},
		"side": w.Side, "wind": w.Wind,
		"asset": asset, "icon": icon, "langs": func() any { return Langs },
	}
}

// icon draws one symbol of the sprite, hidden from screen readers: the words
// beside it say what it means.
func icon(name, class string) template.HTML {
	return template.HTML(`<svg class="icon ` + template.HTMLEscapeString(class) + `" aria-hidden="true" focusable="false"><use href="` +
		template.HTMLEscapeString(asset("sprite.svg")+"#"+name) + `"></use></svg>`)
}

// checkKeys walks the parsed templates and checks every call of t and n whose
// key is written out; of a key put together by printf, that some word begins so.
func checkKeys(page *template.Template, w *Words) error {
	var errs []error
	for _, t := range page.Templates() {
		if t.Tree == nil {
			continue
		}
		walk(t.Tree.Root, func(c *parse.CommandNode) {
			if err := checkCall(c, w); err != nil {
				errs = append(errs, err)
			}
		})
	}
	return errors.Join(errs...)
}

func checkCall(c *parse.CommandNode, w *Words) error {
	name, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok || name.Ident != "t" && name.Ident != "n" || len(c.Args) < 2 {
		return nil
	}
	key, ok := c.Args[1].(*parse.StringNode)
	if !ok {
		return checkPrefix(c.Args[1], w)
	}
	texts, pairs := []string{key.Text}, c.Args[2:]
	var given []string
	if name.Ident == "n" {
		texts, given = []string{key.Text + ".one", key.Text + ".other"}, []string{"n"}
		if len(pairs) > 0 {
			pairs = pairs[1:]
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		if s, ok := pairs[i].(*parse.StringNode); ok {
			given = append(given, s.Text)
		}
	}
	for _, k := range texts {
		text, ok := w.texts[k]
		if !ok {
			return fmt.Errorf("no word %q", k)
		}
		for _, hole := range holes(text) {
			if !slices.Contains(given, hole) {
				return fmt.Errorf("word %q wants {%s}, the template gives %v", k, hole, given)
			}
		}
	}
	return nil
}

func checkPrefix(n parse.Node, w *Words) error {
	pipe, ok := n.(*parse.PipeNode)
	if !ok || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) < 2 {
		return nil
	}
	format, ok := pipe.Cmds[0].Args[1].(*parse.StringNode)
	if !ok {
		return nil
	}
	prefix, _, _ := strings.Cut(format.Text, "%")
	for key := range w.texts {
		if strings.HasPrefix(key, prefix) {
			return nil
		}
	}
	return fmt.Errorf("no word begins with %q", prefix)
}

// walk calls f for every command below n.
func walk(n parse.Node, f func(*parse.CommandNode)) {
	branch := func(b *parse.BranchNode) {
		walk(b.Pipe, f)
		walk(b.List, f)
		walk(b.ElseList, f)
	}
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, c := range n.Nodes {
				walk(c, f)
			}
		}
	case *parse.ActionNode:
		walk(n.Pipe, f)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.TemplateNode:
		walk(n.Pipe, f)
	case *parse.PipeNode:
		if n != nil {
			for _, c := range n.Cmds {
				walk(c, f)
			}
		}
	case *parse.CommandNode:
		f(n)
		for _, a := range n.Args {
			walk(a, f)
		}
	}
}
