package pdf

import (
	"fmt"

	"codeberg.org/go-pdf/fpdf"
)

// element is a node of the tag tree (ISO 32000-1, 14.7.2).
type element struct {
	kind   string // "Document", "P", "TH", ...: a standard structure type (14.8.4)
	parent *element
	kids   []any  // *element, mark
	scope  string // of a TH: "Column" or "Row"
	alt    string // what a table is of, or an image; "": nothing is said
	lang   string // BCP 47; "": its parent's
	object int    // its number in the file, given by number
}

// mark is a marked content of a page, by its MCID there.
type mark struct{ page, id int } // pages from 1

// tags is the tree of a document, and of each page which element each marked
// content of it is of.
type tags struct {
	root  *element
	lang  string       // of what is added to the document now; "": the document's
	pages [][]*element // by page from 0, by MCID
}

func newTags() *tags { return &tags{root: &element{kind: "Document"}} }

// add makes an element the last of a parent; nil is the document.
func (t *tags) add(parent *element, kind string) *element {
	e := &element{kind: kind, parent: parent}
	if parent == nil {
		e.parent, e.lang = t.root, t.lang
		parent = t.root
	}
	parent.kids = append(parent.kids, e)
	return e
}

// begin opens a marked content of an element on the page that is being drawn.
func (t *tags) begin(f *fpdf.Fpdf, of *element) {
	page := f.PageNo()
	for len(t.pages) < page {
		t.pages = append(t.pages, nil)
	}
	id := len(t.pages[page-1])
	t.pages[page-1] = append(t.pages[page-1], of)
	of.kids = append(of.kids, mark{page, id})
	f.RawWriteStr(fmt.Sprintf("/%s <</MCID %d>> BDC", of.kind, id))
}

// number gives every element the number of its object, from first on, and lists
// them in that order.
func (t *tags) number(first int) []*element {
	var all []*element
	var visit func(*element)
	visit = func(e *element) {
		e.object = first + len(all)
		all = append(all, e)
		for _, kid := range e.kids {
			if child, ok := kid.(*element); ok {
				visit(child)
			}
		}
	}
	visit(t.root)
	return all
}
