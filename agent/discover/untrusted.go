package discover

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/html/charset"
)

// maxDepth of nested elements. The deepest real answer seen is 16.
const maxDepth = 64

// Unmarshal reads XML that came from the network into v. It is the one reader
// of such XML, for datagrams here and for the answers that interrogate gets;
// the caller bounds the size of data.
//
// Field tags of v name local names only. What the recorded devices showed is
// dealt with here, once: elements are known by namespace and not by prefix; a
// prefix that nobody declared is taken for the right one; elements of a
// namespace that is not ONVIF's, SOAP's or WS-Discovery's (a maker's own) are
// dropped with all they hold, so that they cannot pass for the standard ones;
// other character sets, stray control characters and bytes that are no UTF-8
// are read. A document type declaration is refused, entities beyond XML's own
// five are not expanded, nesting is bounded, and what follows the root element
// is not read.
func Unmarshal(data []byte, v any) error {
	_, err := unmarshal(data, v, known)
	return err
}

// UnmarshalAny is Unmarshal for a maker's own interface: elements of every
// namespace are read, since makers change theirs with the firmware.
func UnmarshalAny(data []byte, v any) error {
	_, err := unmarshal(data, v, func(string) bool { return true })
	return err
}

// unmarshal reads the elements of the namespaces that are known. It also gives the
// namespaces of the prefixes that data declares, for the QNames in its text.
func unmarshal(data []byte, v any, known func(space string) bool) (map[string]string, error) {
	inner := xml.NewDecoder(bytes.NewReader(printable(data)))
	inner.Strict = false
	inner.CharsetReader = charset.NewReaderLabel
	r := &plainReader{in: inner, known: known, spaces: map[string]string{}}
	outer := xml.NewTokenDecoder(r)
	outer.Strict = false
	if err := outer.Decode(v); err != nil {
		if r.err != nil {
			err = r.err
		}
		return nil, fmt.Errorf("read xml: %w", err)
	}
	return r.spaces, nil
}

// plainReader turns a document into one without namespaces, in which only
// elements that we may believe remain.
type plainReader struct {
	in     *xml.Decoder
	known  func(space string) bool
	depth  int
	spaces map[string]string // prefix to namespace, the last declaration wins
	err    error             // why reading stopped, if by a rule of ours
}

func (r *plainReader) Token() (xml.Token, error) {
	for {
		t, err := r.in.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			r.declare(t.Attr)
			if !r.known(t.Name.Space) {
				if err := r.skip(); err != nil {
					return nil, err
				}
				continue
			}
			if r.depth++; r.depth > maxDepth {
				return nil, r.stop("elements are nested too deeply")
			}
			return xml.StartElement{Name: xml.Name{Local: t.Name.Local}, Attr: plain(t.Attr)}, nil
		case xml.EndElement:
			r.depth--
			return xml.EndElement{Name: xml.Name{Local: t.Name.Local}}, nil
		case xml.Directive:
			return nil, r.stop("a document type declaration is not accepted")
		case xml.CharData:
			return t, nil
		}
	}
}

// skip reads to the end of a foreign element, whose start has been read. It
// keeps to the depth limit: Decoder.Skip does not.
func (r *plainReader) skip() error {
	for depth := 1; depth > 0; {
		t, err := r.in.Token()
		if err != nil {
			return err
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; r.depth+depth > maxDepth {
				return r.stop("elements are nested too deeply")
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return r.stop("a document type declaration is not accepted")
		}
	}
	return nil
}

func (r *plainReader) stop(why string) error {
	r.err = errors.New(why)
	return r.err
}

func (r *plainReader) declare(attrs []xml.Attr) {
	for _, a := range attrs {
		if a.Name.Space == "xmlns" && len(r.spaces) < 256 {
			r.spaces[a.Name.Local] = a.Value
		}
	}
}

// plain keeps the attributes that ONVIF defines: they have no namespace.
func plain(attrs []xml.Attr) []xml.Attr {
	var kept []xml.Attr
	for _, a := range attrs {
		if a.Name.Space == "" && a.Name.Local != "xmlns" {
			kept = append(kept, a)
		}
	}
	return kept
}

// known reports whether elements of this namespace are read. An undeclared
// prefix arrives as the namespace itself, and is no URI.
func known(space string) bool {
	if !strings.Contains(space, ":") {
		return true
	}
	for _, prefix := range []string{
		"http://www.onvif.org/",
		"http://www.w3.org/2003/05/soap-envelope",
		"http://schemas.xmlsoap.org/",          // SOAP 1.1, WS-Addressing 2004/08, WS-Discovery 2005/04
		"http://www.w3.org/2005/08/addressing", // and its 1.0
		"http://docs.oasis-open.org/ws-dd/",    // WS-Discovery 1.1
		"http://docs.oasis-open.org/wsn/",      // topics of an event filter
		"urn:schemas-upnp-org:device-1-",       // a UPnP description
	} {
		if strings.HasPrefix(space, prefix) {
			return true
		}
	}
	return false
}

// printable replaces what no XML may hold: control characters, and, unless the
// document declares another character set, bytes that are not UTF-8.
func printable(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	out := bytes.Map(func(r rune) rune {
		switch {
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0xFFFE, r == 0xFFFF:
			return ' '
		}
		return r
	}, data)
	head := bytes.ToLower(data[:min(len(data), 200)])
	if !bytes.Contains(head, []byte("encoding=")) || bytes.Contains(head, []byte("utf-8")) {
		return out // bytes.Map has put U+FFFD where there was no UTF-8
	}
	out = bytes.Clone(data)
	for i, b := range out {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' {
			out[i] = ' '
		}
	}
	return out
}
