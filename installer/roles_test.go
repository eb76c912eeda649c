package installer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// consultation are the registry's files of what forces ask.
var consultation = []string{"case*.go", "papers.go", "requests*.go"}

// That ops and join import neither search nor trail (TestImportsPointUpstream) would be little if they
// reached the same through the register, which they hold: its methods of consultation
// are called by the faces of the forces alone. It has none of the trail: Open gives main a
// store for that.
func TestRolesAreSeparate(t *testing.T) {
	methods := map[string]bool{}
	for _, f := range parsed(t, "../collector/registry", consultation...) {
		for _, d := range f.Decls {
			if m, ok := d.(*ast.FuncDecl); ok && m.Recv != nil && m.Name.IsExported() {
				methods[m.Name.Name] = true
			}
		}
	}
	if !methods["Cases"] {
		t.Fatal("the methods of consultation are not where they were looked for")
	}
	for _, face := range []string{"adhere", "force", "join", "mail", "ops", "public"} {
		for name, f := range parsed(t, "../collector/web/"+face, "*.go") {
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.SelectorExpr); ok && methods[call.Sel.Name] && isRegistry(call.X) {
					t.Errorf("%s/%s calls Registry.%s, which is the forces'", face, name, call.Sel.Name)
				}
				return true
			})
		}
	}
}

// isRegistry tells that an expression is a register: every face has it in a field of
// that name.
func isRegistry(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.SelectorExpr:
		return x.Sel.Name == "Registry"
	case *ast.Ident:
		return x.Name == "Registry" || x.Name == "reg"
	}
	return false
}

// parsed are the files of a folder that match, without its tests, by name.
func parsed(t *testing.T, folder string, patterns ...string) map[string]*ast.File {
	t.Helper()
	all := map[string]*ast.File{}
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			if strings.HasSuffix(p, "_test.go") {
				continue
			}
			if all[filepath.Base(p)], err = parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has no files", folder)
	}
	return all
}
