package installer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "anagrafe"

// layout holds each package's folder and the packages of ours that it may
// import: imports point upstream, and only the two mains see their whole side. A new
// package needs a line here and in README.md.
var layout = map[string][]string{
	"protocol":      {"protocol/wire"},
	"protocol/wire": {},
	// csvfile is for both sides: owners of many cameras hand in files here and there.
	"protocol/csvfile": {},
	// wholefile keeps the small files of both sides that nothing else brings back.
	"protocol/wholefile": {},
	// daemon is for the mains: how a program stands to the system that runs it as a service.
	"protocol/daemon":           {},
	"protocol/pages":            {},
	"protocol/pages/pagestest":  {"protocol/pages"},
	"agent":                     {"agent/atlas", "agent/discover", "agent/interrogate", "agent/inventory", "agent/keyfile", "agent/lan", "agent/review", "agent/uplink", "protocol", "protocol/daemon", "protocol/pages", "agent/update", "protocol/wholefile"},
	"agent/atlas":               {"protocol", "protocol/wholefile"}, // what the collector shows of the ground: no stage of the data, handed its asker by main
	"agent/discover":            {},
	"agent/discover/cameratest": {},
	"agent/interrogate":         {"agent/discover", "protocol"},
	"agent/keyfile":             {"protocol/wholefile"},
	// lan keeps the certificate and the password of the pages' door to the network: secrets in
	// files, which main holds no logic for and review shall not read.
	"agent/lan":       {"agent/keyfile"},
	"agent/inventory": {"agent/discover", "agent/interrogate", "agent/keyfile", "protocol", "protocol/wholefile"},
	"agent/review":    {"agent/discover", "agent/interrogate", "agent/inventory", "protocol", "protocol/csvfile", "protocol/pages"},
	"agent/update":    {"protocol", "protocol/wholefile"}, // fetches and tries versions of the program itself: no stage of the data
	"agent/uplink":    {"agent/keyfile", "protocol", "protocol/wire", "protocol/wholefile"},
	"collector":       {"collector/act", "collector/basemap", "collector/certfile", "collector/disclosure", "collector/dossier", "collector/ingest", "collector/privacy", "collector/registry", "collector/search", "collector/search/gazetteer", "collector/trail", "collector/web", "collector/web/adhere", "collector/web/atlas", "collector/web/join", "collector/web/ops", "collector/web/consult", "collector/web/audit", "collector/web/force", "collector/web/mail", "collector/web/public", "protocol", "protocol/daemon", "protocol/pages", "collector/pdf", "collector/letter", "collector/web/choropleth", "collector/guide", "protocol/wholefile"},
	// act is the words for what is on the trail: it stands apart, so that faces that may not read the trail have them.
	"collector/act":             {},
	"collector/basemap":         {},
	"collector/basemap/maptest": {},
	// disclosure makes counts fit to be published: main hands it counts, and nothing else.
	"collector/disclosure":      {},
	"collector/ingest":          {"protocol/wholefile", "collector/certfile", "collector/proxied", "protocol", "protocol/wire"},
	"collector/registry":        {"collector/act", "collector/ingest", "protocol/wholefile", "protocol", "collector/trail"},
	"collector/dossier":         {"collector/trail"},
	"collector/registry/pgtest": {},
	// registrytest opens registers, for tests.
	"collector/registry/registrytest": {"collector/registry", "collector/trail"},
	"collector/guide":                 {"collector/pdf", "protocol/pages"},             // what people read before they join, as pages and on paper
	"collector/letter":                {"collector/pdf", "protocol", "protocol/pages"}, // the words of letters, which mail sends, and ops and main print
	"collector/privacy":               {"protocol/pages"},                              // documents from settings that main gives it
	"collector/paper":                 {"collector/pdf", "protocol", "protocol/pages"},
	"collector/pdf":                   {},
	"collector/certfile":              {}, // a certificate whose files are renewed in place: main's for the pages, ingest's for agents
	"collector/proxied":               {}, // a balancer's word for who calls; ingest and web listen through it
	"collector/search":                {"collector/registry", "protocol"},
	"collector/search/buildings":      {"collector/basemap", "protocol"},
	"collector/search/gazetteer":      {"protocol/csvfile", "collector/registry", "protocol"},
	"collector/trail":                 {"collector/act", "protocol/wholefile"},
	"collector/web":                   {"collector/act", "collector/proxied", "collector/registry", "protocol", "protocol/pages"},
	// atlas is the ground of the public pages, whichever they are: main gives it the map and the addresses.
	"collector/web/atlas": {"collector/web", "protocol", "protocol/pages"},
	// choropleth draws the districts that main hands it: neither ops nor public knows the gazetteer.
	"collector/web/choropleth": {"protocol"},
	"collector/web/join":       {"collector/act", "collector/web", "protocol/csvfile", "collector/registry", "protocol", "protocol/pages"},
	// The declaration typed on a form by those who cannot install anything; join has the pages of what is declared already.
	"collector/web/adhere":  {"collector/act", "collector/web", "protocol/csvfile", "collector/registry", "protocol", "protocol/pages"},
	"collector/web/ops":     {"collector/act", "collector/web", "collector/web/choropleth", "protocol/csvfile", "collector/registry", "protocol", "protocol/pages", "collector/letter", "collector/pdf"},
	"collector/web/consult": {"collector/act", "collector/basemap", "collector/dossier", "collector/paper", "collector/pdf", "collector/web", "collector/registry", "collector/search", "collector/search/buildings", "collector/search/gazetteer", "collector/trail", "protocol", "protocol/pages"},
	"collector/web/audit":   {"collector/act", "collector/web", "collector/registry", "collector/trail", "protocol/pages"},
	// force is a face of its own: who administers a force's people may neither search nor read the trail.
	"collector/web/force": {"collector/act", "collector/web", "collector/registry", "protocol/pages"},
	// public are the pages about the service, which say nothing of any site, and the numbers that were
	// published; the register keeps what readers say of them. It may neither search nor read the trail.
	"collector/web/public": {"collector/disclosure", "collector/web", "collector/web/choropleth", "collector/registry", "protocol/pages"},
	"collector/web/mail":   {"collector/registry", "protocol", "protocol/pages", "collector/letter"}, // the words of dates and spans, in two languages
	"installer":            {},
	"installer/demo":       {"agent/discover/cameratest"},
	// packages says what the programs that are shipped were made of; its scripts make the packages.
	"installer/packages": {},
	"installer/loadtest": {"agent/uplink", "protocol", "protocol/wire"},
	// checker judges the collector's register from outside: it imports nothing of ours.
	"installer/checker": {},
	"installer/publish": {"protocol", "protocol/daemon", "protocol/wholefile"}, // the publishers' program: those who sign updates run it, and nothing of ours calls it
}

// testOnly lists what any test of a side, or of a package, may import besides: the devices that
// answer, PostgreSQL, the browser that is shown pages, and the types with which a test
// enrols an agent in a real register, and plays one. The tests of the whole product may join
// what delivers on one side with what records on the other.
var testOnly = map[string][]string{
	"agent": {"agent/discover/cameratest", "protocol/pages/pagestest"},
	// The map on which owners put their cameras is in tests the real one.
	"agent/review":       {"collector/basemap", "collector/basemap/maptest"},
	"collector":          {"collector/act", "collector/basemap/maptest", "collector/ingest", "collector/registry/pgtest", "protocol", "protocol/wire", "protocol/pages/pagestest", "collector/registry/registrytest"},
	"collector/dossier":  {"collector/registry"},
	"collector/registry": {"collector/trail"},
	"installer": {"agent/discover/cameratest", "agent/discover", "agent/interrogate", "agent/inventory", "agent/uplink",
		"collector/basemap", "collector/basemap/maptest", "collector/ingest", "collector/registry", "collector/registry/pgtest", "collector/registry/registrytest",
		"collector/search", "collector/search/buildings", "collector/search/gazetteer", "protocol", "collector/trail", "collector/web", "collector/web/consult", "collector/web/ops", "protocol/pages", "protocol/pages/pagestest"},
}

// atTop is all that may stand in the root, dotfiles aside.
var atTop = []string{"protocol", "agent", "collector", "installer", "testdata",
	"go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "publiccode.yml", "build"}

// forTests are packages that tests alone import.
var forTests = []string{"protocol/pages/pagestest", "collector/registry/pgtest", "collector/registry/registrytest", "collector/basemap/maptest"}

type source struct {
	path    string // slash-separated, from the root
	imports []string
	doc     bool
	name    string
}

// sources reads the Go files themselves, not `go list`: so a cached test
// result follows the files it was made from.
func sources(t *testing.T) []source {
	t.Helper()
	root := filepath.Join("..")
	var all []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if p != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "build") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(rel), ours(file), file.Doc != nil, file.Name.Name})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("found no Go file: the test looks in the wrong place")
	}
	return all
}

func ours(file *ast.File) []string {
	var found []string
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err == nil && (p == module || strings.HasPrefix(p, module+"/")) {
			found = append(found, strings.TrimPrefix(strings.TrimPrefix(p, module), "/"))
		}
	}
	return found
}

// TestImportsPointUpstream fails on a forbidden import, a package without a
// package comment, and a Go file in a folder that the table does not list.
func TestImportsPointUpstream(t *testing.T) {
	documented, seen, used := map[string]bool{}, map[string]bool{}, map[[2]string]bool{}
	for _, s := range sources(t) {
		dir := path.Dir(s.path)
		allowed, listed := layout[dir]
		if !listed {
			t.Errorf("%s: folder %q is not in the layout; find the file a home in a listed package, or list it here and in README.md", s.path, dir)
			continue
		}
		test := strings.HasSuffix(s.path, "_test.go")
		if !test {
			seen[dir] = true
			documented[dir] = documented[dir] || s.doc
		}
		for _, p := range s.imports {
			used[[2]string{dir, p}] = true
			side, _, _ := strings.Cut(dir, "/")
			ok := p == dir || slices.Contains(allowed, p) || test && (slices.Contains(testOnly[side], p) || slices.Contains(testOnly[dir], p))
			if !ok {
				t.Errorf("%s imports %s/%s, which is not upstream of %s", s.path, module, p, dir)
			}
		}
	}
	for dir, allowed := range layout {
		for _, p := range allowed {
			if !used[[2]string{dir, p}] {
				t.Errorf("the layout lets %s import %s, and no file of it does: take it out", dir, p)
			}
		}
		switch {
		case !seen[dir]:
			t.Errorf("%s is in the layout and has no Go file", dir)
		case !documented[dir] && dir != "protocol/wire":
			t.Errorf("%s has no package comment (a blank line before `package` detaches it)", dir)
		}
	}
}

// TestTopIsTheMap keeps the root to a short list.
func TestTopIsTheMap(t *testing.T) {
	entries, err := filepath.Glob("../*")
	if err != nil || len(entries) == 0 {
		t.Fatalf("reading the root: %v, %d entries", err, len(entries))
	}
	for _, e := range entries {
		if name := filepath.Base(e); !strings.HasPrefix(name, ".") && !slices.Contains(atTop, name) {
			t.Errorf("%s stands at the top and is not in the list", name)
		}
	}
}

// TestProductionNeverImportsTesting keeps package testing out of the programs.
// forTests may import it: they speak to the test that calls them, and the
// layout lets nothing but tests import them.
func TestProductionNeverImportsTesting(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "_test.go") || slices.Contains(forTests, path.Dir(s.path)) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", s.path), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if spec.Path.Value == `"testing"` || spec.Path.Value == `"net/http/httptest"` {
				t.Errorf("%s imports %s outside a test", s.path, spec.Path.Value)
			}
		}
	}
}
