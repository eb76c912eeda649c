package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"anagrafe/collector/registry"
	"anagrafe/collector/search/gazetteer"
)

// computed are the kinds of entries that a file puts together instead of writing them.
var computed = map[string][]string{
	"ageing.go":        {"ageing-" + registry.AgeReminded, "ageing-" + registry.AgeUnverified, "ageing-" + registry.AgeWithdrawn},
	"cmd_authority.go": {"authority-next", "authority-switch", "authority-retire", "authority-replace"},
	"cmd_places.go":    {gazetteer.KindAddresses, gazetteer.KindDistricts},
	"office.go":        nil, // every Act's, found where the Act is
}

// uncopied are the kinds that consultation appends and that are not in a case's
// history: what was only read again is there already, and what an owner is asked
// about a contact is the site's.
var uncopied = []string{"paper-open", "request-list", "unanswered"}

// TestEveryKindOfEntryHasWords: what is appended to the trail anywhere in the
// collector's sources has a word for the auditor, in both languages, and what
// consultation appends one for the history of a case, too.
func TestEveryKindOfEntryHasWords(t *testing.T) {
	kinds := kindsAppended(t)
	if len(kinds) < 50 {
		t.Fatalf("only %d kinds found: the sources are read wrongly", len(kinds))
	}
	for _, file := range []string{"it.json", "en.json"} {
		audit, consult := wordsOf(t, "web/audit/"+file), wordsOf(t, "web/consult/"+file)
		for kind, places := range kinds {
			if audit["kind."+kind] == "" {
				t.Errorf("web/audit/%s has no word kind.%s, which %s appends", file, kind, places[0])
			}
			if slices.ContainsFunc(places, inConsult) && !slices.Contains(uncopied, kind) && consult["done."+kind] == "" {
				t.Errorf("web/consult/%s has no word done.%s, which %s appends", file, kind, places[0])
			}
		}
		for key := range audit {
			if kind, ok := strings.CutPrefix(key, "kind."); ok && kinds[kind] == nil {
				t.Errorf("web/audit/%s has the word %s, and nothing appends such a thing", file, key)
			}
		}
	}
}

func inConsult(place string) bool { return strings.HasPrefix(place, "web/consult/") }

func wordsOf(t *testing.T, file string) (words map[string]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &words); err != nil {
		t.Fatal(file, err)
	}
	return words
}

// sources are the files of one package, as far as its kinds are concerned.
type sources struct {
	t     *testing.T
	files map[string]*ast.File // by path
	kinds map[string][]string  // where each is appended
}

// kindsAppended reads the kind of every trail.Entry and web.Act of the sources.
func kindsAppended(t *testing.T) map[string][]string {
	kinds, packages := map[string][]string{}, map[string]*sources{}
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		p := packages[filepath.Dir(path)]
		if p == nil {
			p = &sources{t, map[string]*ast.File{}, kinds}
			packages[filepath.Dir(path)] = p
		}
		p.files[path] = file
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		p.each(p.literal)
	}
	return kinds
}

// each calls f for every node of each function, with the function.
func (s *sources) each(f func(path string, in *ast.FuncDecl, n ast.Node)) {
	for path, file := range s.files {
		for _, d := range file.Decls {
			if in, ok := d.(*ast.FuncDecl); ok {
				ast.Inspect(in, func(n ast.Node) bool { f(path, in, n); return true })
			}
		}
	}
}

// literal takes the kind of n, if that is an Entry or an Act.
func (s *sources) literal(path string, in *ast.FuncDecl, n ast.Node) {
	made, ok := n.(*ast.CompositeLit)
	if !ok || !slices.Contains([]string{"Entry", "Act"}, lastName(made.Type)) {
		return
	}
	for _, e := range made.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok && lastName(pair.Key) == "Kind" {
			s.take(path, in, pair.Value)
		}
	}
}

// take finds what value may be: a text; a constant or a variable to which texts are
// given; a parameter, and then what each caller hands over.
func (s *sources) take(path string, in *ast.FuncDecl, value ast.Expr) {
	if text, ok := literalText(value); ok {
		s.kinds[text] = append(s.kinds[text], path)
		return
	}
	if all, ok := computed[filepath.Base(path)]; ok {
		for _, kind := range all {
			s.kinds[kind] = append(s.kinds[kind], path)
		}
		return
	}
	name := lastName(value)
	if i := parameter(in, name); i >= 0 {
		s.each(func(path string, from *ast.FuncDecl, n ast.Node) {
			if call, ok := n.(*ast.CallExpr); ok && lastName(call.Fun) == in.Name.Name && i < len(call.Args) {
				s.take(path, from, call.Args[i])
			}
		})
		return
	}
	found := s.assigned(path, in, name) || s.constant(path, name)
	if !found {
		s.t.Errorf("%s: what kind of entry %s appends cannot be read from the source: name its kinds in computed", path, in.Name.Name)
	}
}

// assigned takes the texts that in gives to the variable name.
func (s *sources) assigned(path string, in *ast.FuncDecl, name string) (found bool) {
	ast.Inspect(in, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == len(a.Rhs) {
			for i, left := range a.Lhs {
				if text, ok := literalText(a.Rhs[i]); ok && lastName(left) == name {
					s.kinds[text], found = append(s.kinds[text], path), true
				}
			}
		}
		return true
	})
	return found
}

// constant takes the text of a constant of the package.
func (s *sources) constant(path, name string) (found bool) {
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for i, id := range v.Names {
					if id.Name == name && i < len(v.Values) {
						if text, ok := literalText(v.Values[i]); ok {
							s.kinds[text], found = append(s.kinds[text], path), true
						}
					}
				}
			}
			return true
		})
	}
	return found
}

// parameter is where name stands among the parameters of f; -1: it does not.
func parameter(f *ast.FuncDecl, name string) int {
	i := 0
	for _, field := range f.Type.Params.List {
		for _, id := range field.Names {
			if id.Name == name {
				return i
			}
			i++
		}
	}
	return -1
}

func literalText(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// lastName is the last word of a name: Entry of trail.Entry.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
