package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
)

// file is a file read back: only what these tests look at, by this package's own
// way to write it.
type file struct {
	objects map[int]string // the newest of each number
	catalog int
	root    int // of the tag tree
	pages   [][]marked
}

// marked is a marked content of a page: its tag and what is written in it.
type marked struct{ tag, text string }

var (
	objectRE = regexp.MustCompile(`(?s)(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj`)
	refRE    = regexp.MustCompile(`(\d+) 0 R`)
	mcrRE    = regexp.MustCompile(`<</Type /MCR /Pg (\d+) 0 R /MCID (\d+)>>|(\d+) 0 R`)
	opRE     = regexp.MustCompile(`(?s)/(\w+) <<([^>]*)>> BDC|EMC|\(((?:\\.|[^\\)])*)\) ?Tj|BDC|Tj| (?:S|f|l|re)\s`)
)

func readFile(t *testing.T, raw []byte) *file {
	t.Helper()
	f := &file{objects: map[int]string{}}
	for _, m := range objectRE.FindAllSubmatch(raw, -1) {
		f.objects[atoi(m[1])] = string(m[2])
	}
	last := bytes.LastIndex(raw, []byte("/Root "))
	f.catalog = atoi(refRE.FindSubmatch(raw[last:])[1])
	tree := f.objects[f.ref(t, f.catalog, "/StructTreeRoot ")]
	f.root = atoi(refRE.FindSubmatch([]byte(tree))[1])
	for number := firstPage; strings.HasPrefix(f.objects[number], "<</Type /Page\n"); number += 2 {
		if want := fmt.Sprintf("/StructParents %d ", len(f.pages)); !strings.Contains(f.objects[number], want) {
			t.Fatalf("page %d lacks %s", number, want)
		}
		f.pages = append(f.pages, contents(t, f.objects[number+1]))
	}
	return f
}

func (f *file) ref(t *testing.T, object int, name string) int {
	t.Helper()
	_, after, ok := strings.Cut(f.objects[object], name)
	if !ok {
		t.Fatalf("object %d has no %s: %s", object, name, f.objects[object])
	}
	return atoi(refRE.FindSubmatch([]byte(after))[1])
}

// contents reads a page, and fails where anything is drawn outside a mark.
func contents(t *testing.T, object string) (all []marked) {
	t.Helper()
	_, stream, _ := strings.Cut(object, "stream\n")
	z, err := zlib.NewReader(strings.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	open, artifact := false, false
	for _, m := range opRE.FindAllSubmatch(plain, -1) {
		switch op := string(m[0]); {
		case m[1] != nil:
			if open {
				t.Fatal("one mark is within another")
			}
			open, artifact = true, string(m[1]) == "Artifact"
			if !artifact {
				if want := fmt.Sprintf("/MCID %d", len(all)); string(m[2]) != want {
					t.Fatalf("mark %s, want %s", m[2], want)
				}
				all = append(all, marked{tag: string(m[1])})
			}
		case op == "EMC":
			if !open {
				t.Fatal("a mark ends that did not begin")
			}
			open = false
		case !open:
			t.Fatalf("%q is drawn outside a mark", op)
		case !artifact && strings.HasSuffix(op, "Tj"):
			all[len(all)-1].text += decode(m[3])
		}
	}
	if open {
		t.Fatal("a mark does not end on its page")
	}
	return all
}

// decode reads a string as fpdf writes it for fonts in UTF-8: UTF-16, escaped.
func decode(escaped []byte) string {
	var raw []byte
	for i := 0; i < len(escaped); i++ {
		if escaped[i] == '\\' && i+1 < len(escaped) {
			i++
			if escaped[i] == 'r' {
				raw = append(raw, '\r')
				continue
			}
		}
		raw = append(raw, escaped[i])
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	return string(utf16.Decode(units))
}

// check holds what must be so of any document: each mark of each page belongs to one
// element, of its own tag, and the parent tree leads there.
func (f *file) check(t *testing.T) {
	t.Helper()
	parents := f.objects[f.ref(t, f.ref(t, f.catalog, "/StructTreeRoot "), "/ParentTree ")]
	rows := strings.Split(strings.TrimPrefix(parents, "<</Nums ["), "\n")
	for i, page := range f.pages {
		owners := refRE.FindAllStringSubmatch(rows[i], -1)
		if len(owners) != len(page) {
			t.Fatalf("page %d has %d marks and %d owners", i, len(page), len(owners))
		}
		for id, m := range page {
			e := f.objects[atoi([]byte(owners[id][1]))]
			if !strings.Contains(e, fmt.Sprintf("<</Type /MCR /Pg %d 0 R /MCID %d>>", firstPage+2*i, id)) || !strings.Contains(e, "/S /"+m.tag+" ") {
				t.Fatalf("page %d, mark %d (%s) is not of %s", i, id, m.tag, e)
			}
		}
	}
	claimed := 0
	for _, o := range f.objects {
		claimed += strings.Count(o, "/Type /MCR")
	}
	marks := 0
	for _, page := range f.pages {
		marks += len(page)
	}
	if claimed != marks {
		t.Fatalf("the tree names %d marks, the pages have %d", claimed, marks)
	}
}

// outline writes the tree below an object, each element with its own text.
func (f *file) outline(object, depth int) string {
	o := f.objects[object]
	_, after, _ := strings.Cut(o, "/S /")
	kind, _, _ := strings.Cut(after, " ")
	if _, scope, ok := strings.Cut(o, "/Scope /"); ok {
		kind += "[" + scope[:strings.IndexByte(scope, '>')] + "]"
	}
	_, kids, _ := strings.Cut(o, "/K [")
	var own, below string
	for _, m := range mcrRE.FindAllStringSubmatch(kids, -1) {
		if m[3] != "" {
			below += f.outline(atoi([]byte(m[3])), depth+1)
			continue
		}
		page := (atoi([]byte(m[1])) - firstPage) / 2
		own += f.pages[page][atoi([]byte(m[2]))].text
	}
	return strings.Repeat(" ", depth) + kind + ": " + strings.TrimSpace(own) + "\n" + below
}
