package cameratest

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"io"
	"slices"
)

// A tag is where an element stands in a body, in bytes.
type tag struct {
	depth         int // of the root: 1
	prefix, local string
	from, open    int  // its start tag
	end, until    int  // its end tag; all but from are the same where it is <empty/>
	leaf          bool // it holds text and no element
}

// tags are the elements of a body in the order of their starts. An element that
// is not closed is left out, and so is all that follows an error of syntax.
func tags(body []byte) []tag {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var all []tag
	var open []int // indices of those not closed yet
	for {
		from := int(d.InputOffset())
		t, err := d.RawToken()
		if err != nil {
			break
		}
		until := int(d.InputOffset())
		switch t := t.(type) {
		case xml.StartElement:
			if len(open) > 0 {
				all[open[len(open)-1]].leaf = false
			}
			all = append(all, tag{depth: len(open) + 1, prefix: t.Name.Space, local: t.Name.Local, from: from, open: until})
			open = append(open, len(all)-1)
		case xml.EndElement:
			if len(open) > 0 {
				e := &all[open[len(open)-1]]
				e.end, e.until = from, until
				open = open[:len(open)-1]
			}
		case xml.CharData:
			if len(open) > 0 && len(bytes.TrimSpace(t)) > 0 {
				e := &all[open[len(open)-1]]
				e.leaf = e.open == from
			}
		}
	}
	return slices.DeleteFunc(all, func(t tag) bool { return t.until == 0 })
}

// A change puts text in the place of the bytes from from to until.
type change struct {
	from, until int
	text        string
}

// apply makes the changes; of two that overlap the earlier one counts.
func apply(body []byte, changes ...change) []byte {
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.from, b.from) })
	var out bytes.Buffer
	done := 0
	for _, c := range changes {
		if c.from < done {
			continue
		}
		out.Write(body[done:c.from])
		out.WriteString(c.text)
		done = c.until
	}
	out.Write(body[done:])
	return out.Bytes()
}

// without leaves out the elements for which drop is true, with all they hold.
func without(body []byte, drop func(tag) bool) []byte {
	var changes []change
	for _, t := range tags(body) {
		if drop(t) {
			changes = append(changes, change{t.from, t.until, ""})
		}
	}
	return apply(body, changes...)
}
