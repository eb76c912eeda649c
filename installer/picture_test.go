package installer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pictured are the only files of the agent that may name what gets a still picture
// (which is never stored and never sent): interrogate asks the device, main hands it to
// review, and review puts it into the one page. A file that keeps, sends or looks on
// its own cannot get at one.
var pictured = []string{
	"agent/interrogate/picture.go", "agent/interrogate/picture_own.go", "agent/interrogate/picture_onvif.go",
	"agent/picture.go", "agent/agent.go",
	"agent/review/still.go", "agent/review/review.go",
}

// pictureNames are its names. Those of the part of a page are its users': see
// review.still.
var pictureNames = []string{"Picture", "rawPicture", "onvifPicture", "redraw", "viewer", "ErrNoPicture", "ErrMayNotSee"}

func TestPicturesGoNowhere(t *testing.T) {
	named := map[string]bool{}
	for _, s := range sources(t) {
		dir := path.Dir(s.path)
		if strings.HasSuffix(s.path, "_test.go") || strings.HasPrefix(dir, "agent/discover/cameratest") ||
			dir != "agent" && !strings.HasPrefix(dir, "agent/") && dir != "protocol" && dir != "protocol/wire" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", filepath.FromSlash(s.path)), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if ok && slices.Contains(pictureNames, id.Name) {
				named[s.path] = true
				if !slices.Contains(pictured, s.path) {
					t.Errorf("%s names %s: a picture is for the page that asked for it alone", s.path, id.Name)
				}
			}
			return true
		})
		for _, spec := range file.Imports {
			if name := strings.Trim(spec.Path.Value, `"`); (name == "image" || strings.HasPrefix(name, "image/") ||
				strings.HasPrefix(name, "golang.org/x/image")) && !strings.HasPrefix(s.path, "agent/interrogate/picture") {
				t.Errorf("%s imports %s: only agent/interrogate/picture.go looks into a picture", s.path, name)
			}
		}
	}
	for _, file := range pictured {
		if !named[file] {
			t.Errorf("%s names no picture: the rule looks in the wrong place", file)
		}
	}
}
