package pdf

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf16"
)

// firstPage is the number of the first page's object in a file that fpdf wrote; the
// others follow at every second number.
const firstPage = 3

// What fpdf writes last: the catalog is the last object, the info dictionary the
// one before it.
var ending = regexp.MustCompile(`trailer\n<<\n/Size (\d+)\n/Root (\d+) 0 R\n/Info (\d+) 0 R\n>>\nstartxref\n(\d+)\n%%EOF\n$`)

// update adds objects to a file by an incremental update: what is there stays, and
// objects of a number that is there already take the place of the former ones.
type update struct {
	base    []byte
	out     bytes.Buffer
	offsets map[int]int // by object
	numbers []int       // in the order in which they were written
}

func (u *update) object(number int, body string) {
	u.offsets[number] = len(u.base) + u.out.Len()
	u.numbers = append(u.numbers, number)
	fmt.Fprintf(&u.out, "%d 0 obj\n%s\nendobj\n", number, body)
}

// addTags adds a tag tree to a file that fpdf wrote.
func addTags(base []byte, lang string, t *tags) ([]byte, error) {
	m := ending.FindSubmatch(base)
	if m == nil {
		return nil, errors.New("the end of the file is not as fpdf writes it: was another version taken?")
	}
	size, root, info, xref := atoi(m[1]), atoi(m[2]), atoi(m[3]), atoi(m[4])
	u := &update{base: base, offsets: map[int]int{}}
	tree, parents := size, size+1
	elements := t.number(size + 2)
	u.object(root, fmt.Sprintf("<</Type /Catalog /Version /1.7 /Pages 1 0 R /Lang %s /MarkInfo <</Marked true>> /ViewerPreferences <</DisplayDocTitle true>> /StructTreeRoot %d 0 R>>",
		text(lang), tree))
	for i := range t.pages {
		number := firstPage + 2*i
		page, err := u.page(number, xref)
		if err != nil {
			return nil, err
		}
		u.object(number, fmt.Sprintf("<</Type /Page\n/StructParents %d /Tabs /S\n%s", i, page))
	}
	u.object(tree, fmt.Sprintf("<</Type /StructTreeRoot /K %d 0 R /ParentTree %d 0 R /ParentTreeNextKey %d>>", t.root.object, parents, len(t.pages)))
	u.object(parents, t.parentTree())
	for _, e := range elements {
		u.object(e.object, e.dictionary(tree))
	}
	return u.end(size+2+len(elements), root, info, xref), nil
}

// page returns what stands in the dictionary of a page after its type.
func (u *update) page(number, xref int) (string, error) {
	// Entries have 20 bytes, after "xref\n0 N\n" and the entry of object 0.
	table := u.base[xref:]
	for range 2 {
		_, after, _ := bytes.Cut(table, []byte("\n"))
		table = after
	}
	if len(table) < 20*(number+1) {
		return "", fmt.Errorf("object %d, a page, is not in the file", number)
	}
	// An entry ends with " \n" or the like: only its first ten digits matter.
	at := atoi(table[20*number : 20*number+10])
	begin := fmt.Appendf(nil, "%d 0 obj\n<</Type /Page\n", number)
	if at >= len(u.base) || !bytes.HasPrefix(u.base[at:], begin) {
		return "", fmt.Errorf("object %d is no page", number)
	}
	rest, _, ok := bytes.Cut(u.base[at+len(begin):], []byte("\nendobj"))
	if !ok {
		return "", fmt.Errorf("object %d, a page, has no end", number)
	}
	return string(rest), nil
}

// end closes the file with a table of the new objects, which points to the former.
func (u *update) end(size, root, info, previous int) []byte {
	at := len(u.base) + u.out.Len()
	u.out.WriteString("xref\n")
	for _, number := range u.numbers {
		fmt.Fprintf(&u.out, "%d 1\n%010d 00000 n \n", number, u.offsets[number])
	}
	whole := append(u.base[:len(u.base):len(u.base)], u.out.Bytes()...)
	id := sha256.Sum256(whole)
	return fmt.Appendf(whole, "trailer\n<</Size %d /Root %d 0 R /Info %d 0 R /Prev %d /ID [<%x> <%x>]>>\nstartxref\n%d\n%%%%EOF\n",
		size, root, info, previous, id[:16], id[:16], at)
}

// parentTree leads from each page's marked contents to their elements.
func (t *tags) parentTree() string {
	var out bytes.Buffer
	out.WriteString("<</Nums [")
	for i, marks := range t.pages {
		fmt.Fprintf(&out, "%d [", i)
		for _, e := range marks {
			fmt.Fprintf(&out, "%d 0 R ", e.object)
		}
		out.WriteString("]\n")
	}
	out.WriteString("]>>")
	return out.String()
}

// dictionary is the element as it stands in the file.
func (e *element) dictionary(tree int) string {
	var out bytes.Buffer
	parent := tree
	if e.parent != nil {
		parent = e.parent.object
	}
	fmt.Fprintf(&out, "<</Type /StructElem /S /%s /P %d 0 R", e.kind, parent)
	if e.scope != "" {
		fmt.Fprintf(&out, " /A <</O /Table /Scope /%s>>", e.scope)
	}
	if e.lang != "" {
		fmt.Fprintf(&out, " /Lang %s", text(e.lang))
	}
	if e.kind == "Figure" {
		fmt.Fprintf(&out, " /Alt %s", text(e.alt))
	} else if e.alt != "" {
		fmt.Fprintf(&out, " /A <</O /Table /Summary %s>>", text(e.alt))
	}
	out.WriteString(" /K [")
	for _, kid := range e.kids {
		switch kid := kid.(type) {
		case *element:
			fmt.Fprintf(&out, "%d 0 R ", kid.object)
		case mark:
			fmt.Fprintf(&out, "<</Type /MCR /Pg %d 0 R /MCID %d>> ", firstPage+2*(kid.page-1), kid.id)
		}
	}
	out.WriteString("]>>")
	return out.String()
}

// text writes a text string: UTF-16 with its mark, in hexadecimal (7.9.2.2).
func text(s string) string {
	out := []byte("<FEFF")
	for _, unit := range utf16.Encode([]rune(s)) {
		out = fmt.Appendf(out, "%04X", unit)
	}
	return string(append(out, '>'))
}

// atoi reads digits that a pattern has matched, or fpdf has written; 0 for others,
// where nothing that is looked for stands.
func atoi(digits []byte) int {
	n, _ := strconv.Atoi(string(digits))
	return n
}
