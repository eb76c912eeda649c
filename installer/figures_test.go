package installer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// figureIDs are the figures to reach: each is the id of a row of
// `make bench`, or what the ids of its rows begin with.
var figureIDs = []string{"scan_64", "scan_vs_sequential", "scan_rss", "agent_idle", "enrol", "handshake", "held_rss", "ingest", "notice_p99", "storm",
	"search_p50", "search_p99", "index", "visibility", "geocode", "trail", "trail_verify", "page", "failover", "reach_network"}

// TestFigures: every figure to reach is measured by a part of the benchmarks, and no part is
// left out of their run.
func TestFigures(t *testing.T) {
	files, err := filepath.Glob("*_figures_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of benchmarks, %v", len(files), err)
	}
	var ids, parts, runs []string
	for _, name := range append(files, "bench_test.go") {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && name != "bench_test.go" {
					ids = append(ids, text)
				}
			case *ast.FuncDecl: // those of a part take the test and give figures
				if strings.HasSuffix(n.Name.Name, "Figures") && len(n.Type.Params.List) == 1 {
					parts = append(parts, n.Name.Name)
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "figures" {
					if f, ok := n.Value.(*ast.Ident); ok {
						runs = append(runs, f.Name)
					}
				}
			}
			return true
		})
	}
	for _, id := range figureIDs {
		if !slices.ContainsFunc(ids, func(text string) bool { return text == id || strings.HasPrefix(text, id+".") }) {
			t.Errorf("%s is to be reached, and no benchmark measures it", id)
		}
	}
	for _, part := range parts {
		if !slices.Contains(runs, part) {
			t.Errorf("%s is a benchmark that TestBench does not run", part)
		}
	}
	if len(parts) < 10 || len(runs) != len(parts) {
		t.Errorf("%d parts, of which %d run: the test looks in the wrong place", len(parts), len(runs))
	}
}
