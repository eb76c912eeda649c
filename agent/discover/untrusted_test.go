package discover

import (
	"strings"
	"testing"
)

type sample struct {
	Token string   `xml:"token,attr"`
	Names []string `xml:"List>Name"`
}

var untrustedSamples = []struct{ name, xml, want string }{
	{"as it should be", `<r xmlns="http://www.onvif.org/ver10/schema" token="t"><List><Name>a</Name><Name>b</Name></List></r>`, "t: a, b"},
	{"undeclared prefixes", `<tt:r token="t"><ter:List><tt:Name>a</tt:Name></ter:List></tt:r>`, "t: a"},
	{"unusual prefixes", `<q:r xmlns:q="http://www.onvif.org/ver10/schema" token="t"><q:List><q:Name>a</q:Name></q:List></q:r>`, "t: a"},
	{"a maker's element of the same name", `<tt:r xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:hik="http://www.hikvision.com/x"><tt:List><hik:Name>no</hik:Name><tt:Name>a</tt:Name></tt:List><hik:List><tt:Name>no</tt:Name></hik:List></tt:r>`, ": a"},
	{"a maker's attribute of the same name", `<r token="t" xmlns:h="http://h/" h:token="no"/>`, "t: "},
	{"latin 1", `<?xml version="1.0" encoding="ISO-8859-1"?><r><List><Name>caff` + "\xe8" + `</Name></List></r>`, ": caffè"},
	{"latin 1 that claims to be UTF-8", `<?xml version="1.0" encoding="UTF-8"?><r><List><Name>caff` + "\xe8" + `</Name></List></r>`, ": caff\ufffd"},
	{"control characters", "<r><List><Name>a\x01\x00b</Name></List></r>", ": a  b"},
	{"byte order mark", "\xef\xbb\xbf<?xml version=\"1.0\"?><r token='t'/>", "t: "},
	{"unescaped ampersand", `<r><List><Name>A & B</Name></List></r>`, ": A & B"},
	{"text after the end", `<r token="t"/>garbage`, "t: "},
	{"document type", `<!DOCTYPE r [<!ENTITY a "b">]><r token="&a;"/>`, "error"},
	{"document type in the middle", `<r><!DOCTYPE r><List/></r>`, "error"},
	{"unknown entity stays as it is", `<r><List><Name>&a;</Name></List></r>`, ": &a;"},
	{"too deep", strings.Repeat("<r>", maxDepth+1) + strings.Repeat("</r>", maxDepth+1), "error"},
	{"too deep in a maker's element", `<r><v xmlns="http://v/">` + strings.Repeat("<a>", maxDepth) + strings.Repeat("</a>", maxDepth) + "</v></r>", "error"},
	{"cut off", `<r><List><Name>a</Name>`, "error"},
	{"empty", ``, "error"},
	{"unknown character set", `<?xml version="1.0" encoding="klingon"?><r/>`, "error"},
}

func TestUnmarshal(t *testing.T) {
	for _, s := range untrustedSamples {
		var v sample
		got := "error"
		err := Unmarshal([]byte(s.xml), &v)
		if err == nil {
			got = v.Token + ": " + strings.Join(v.Names, ", ")
		}
		if got != s.want {
			t.Errorf("%s: read as %q (%v), want %q", s.name, got, err, s.want)
		}
	}
}

// Of a maker's own interface every namespace is read; the limits stay.
func TestUnmarshalAny(t *testing.T) {
	for _, s := range []struct{ xml, want string }{
		{`<r xmlns="http://www.isapi.org/ver20/XMLSchema" token="t"><List xmlns=""><Name>a</Name></List></r>`, "a"},
		{`<r><hik:List xmlns:hik="http://www.hikvision.com/ver20/XMLSchema"><hik:Name>a</hik:Name></hik:List></r>`, "a"},
		{`<!DOCTYPE r [<!ENTITY a "b">]><r/>`, "error"},
		{strings.Repeat("<r>", maxDepth+1) + strings.Repeat("</r>", maxDepth+1), "error"},
	} {
		var v sample
		got := "error"
		if err := UnmarshalAny([]byte(s.xml), &v); err == nil {
			got = strings.Join(v.Names, ", ")
		}
		if got != s.want {
			t.Errorf("%.60s: %q, want %q", s.xml, got, s.want)
		}
	}
}
