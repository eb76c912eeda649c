package cameratest

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestFaultForms asks for an operation that does not exist.
func TestFaultForms(t *testing.T) {
	c := load(t, "videofavola-cubo")
	for name, tc := range map[string]struct {
		q      SOAPQuirks
		status int
		is     func(body string) bool
	}{
		"plain":       {SOAPQuirks{}, 500, func(b string) bool { return strings.Contains(b, "ter:ActionNotSupported") }},
		"200":         {SOAPQuirks{FaultStatus: 200}, 200, func(b string) bool { return strings.Contains(b, ":Fault>") }},
		"400":         {SOAPQuirks{FaultStatus: 400}, 400, func(b string) bool { return strings.Contains(b, ":Fault>") }},
		"401":         {SOAPQuirks{FaultStatus: 401}, 401, func(b string) bool { return strings.Contains(b, ":Fault>") }},
		"empty":       {SOAPQuirks{FaultForm: FaultEmpty}, 500, func(b string) bool { return b == "" }},
		"text":        {SOAPQuirks{FaultForm: FaultText}, 500, func(b string) bool { return b != "" && !strings.Contains(b, "<") }},
		"stack trace": {SOAPQuirks{FaultForm: FaultStack}, 500, func(b string) bool { return strings.Contains(b, "\n    at ") }},
		"SOAP 1.1": {SOAPQuirks{FaultForm: FaultSOAP11}, 500, func(b string) bool {
			return strings.Contains(b, nsEnvelope) && strings.Contains(b, "<faultcode>s:Server</faultcode>") && !strings.Contains(b, "Code>")
		}},
		"no subcode": {SOAPQuirks{FaultForm: FaultNoSubcode}, 500, func(b string) bool {
			return strings.Contains(b, "s:Receiver") && !strings.Contains(b, "Subcode") && !strings.Contains(b, "ter:")
		}},
	} {
		d := start(t, c, Options{Quirks: Quirks{SOAP: tc.q}})
		if status, body := ask(t, d, devicePath, "", op(nsDevice, "GetNothing", "")); status != tc.status || !tc.is(string(body)) {
			t.Errorf("%s: HTTP %d %s", name, status, body)
		}
		if status, _ := ask(t, d, devicePath, "", op(nsDevice, "GetScopes", "")); status != 200 {
			t.Errorf("%s: HTTP %d for what is known", name, status)
		}
	}
	d := start(t, c, Options{Quirks: Quirks{SOAP: SOAPQuirks{FaultForm: FaultDropped}}})
	if got := raw(t, d, "GetNothing"); got != "" {
		t.Errorf("dropped: %q", got)
	}
	written := start(t, load(t, "cameramai-registratore"), Options{Auth: AuthNone, Quirks: Quirks{SOAP: SOAPQuirks{FaultStatus: 200}}})
	if status, body := ask(t, written, devicePath, "", op(nsDevice, "GetServices", "")); status != 200 || !bytes.Contains(body, []byte(":Fault>")) {
		t.Errorf("a fault of the conversation as HTTP 200: HTTP %d %s", status, body)
	}
	refused := start(t, c, Options{Auth: AuthToken, User: "u", Password: "p", Quirks: Quirks{SOAP: SOAPQuirks{FaultStatus: 200, FaultForm: FaultNoSubcode}}})
	if status, body := ask(t, refused, devicePath, "", op(nsDevice, "GetScopes", "")); status != 200 || !bytes.Contains(body, []byte("not authorized")) || !refused.Requests()[0].Refused {
		t.Errorf("a refusal as HTTP 200: HTTP %d %s", status, body)
	}
}

// TestSOAPVersions: 1.2 gets nothing, 1.1 an answer in 1.1.
func TestSOAPVersions(t *testing.T) {
	d := start(t, load(t, "videofavola-cubo"), Options{Quirks: Quirks{SOAP: SOAPQuirks{SOAP11Only: true}}})
	if status, body := ask(t, d, devicePath, "", op(nsDevice, "GetScopes", "")); status != 200 || len(body) != 0 {
		t.Errorf("1.2: HTTP %d %s", status, body)
	}
	resp, err := http.Post(d.URL(), "text/xml; charset=utf-8", strings.NewReader(`<e:Envelope xmlns:e="`+nsEnvelope11+`"><e:Body>`+op(nsDevice, "GetScopes", "")+`</e:Body></e:Envelope>`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var m struct{ XMLName xml.Name }
	if err := xml.NewDecoder(resp.Body).Decode(&m); err != nil || m.XMLName.Space != nsEnvelope11 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/xml") {
		t.Errorf("1.1: %v %v %s", err, m, resp.Header)
	}
}

func TestAction(t *testing.T) {
	const with, without = `application/soap+xml; charset=utf-8; action="http://www.onvif.org/ver10/device/wsdl/GetScopes"`, "application/soap+xml"
	for _, tc := range []struct {
		rule   ActionRule
		kind   string
		status int
	}{
		{"", with, 200}, {"", without, 200},
		{ActionRefused, with, 400}, {ActionRefused, without, 200},
		{ActionNeeded, with, 200}, {ActionNeeded, without, 400},
	} {
		d := start(t, load(t, "videofavola-cubo"), Options{Quirks: Quirks{SOAP: SOAPQuirks{Action: tc.rule}}})
		if status, _ := ask(t, d, devicePath, "", op(nsDevice, "GetScopes", ""), func(r *http.Request) { r.Header.Set("Content-Type", tc.kind) }); status != tc.status {
			t.Errorf("%q with %s: HTTP %d", tc.rule, tc.kind, status)
		}
	}
}

// TestEnvelopeQuirks looks at one answer of each quirk.
func TestEnvelopeQuirks(t *testing.T) {
	c := load(t, "videofavola-nvr")
	const media = "/onvif/media_service"
	answer := func(q SOAPQuirks) []byte {
		d := start(t, c, Options{Auth: AuthNone, Quirks: Quirks{SOAP: q}})
		_, body := ask(t, d, media, tokenHeader("echoed", "p", time.Unix(0, 0)), op(nsMedia, "GetVideoSources", ""))
		return body
	}
	spaces := func(b []byte) map[string]string { // of elements, by local name
		found := map[string]string{}
		for d := xml.NewDecoder(bytes.NewReader(b)); ; {
			tok, err := d.Token()
			if err != nil {
				return found
			}
			if e, ok := tok.(xml.StartElement); ok {
				found[e.Name.Local] = e.Name.Space
			}
		}
	}
	plain := answer(SOAPQuirks{})
	const schema = "http://www.onvif.org/ver10/schema"
	for name, tc := range map[string]struct {
		q  SOAPQuirks
		is func(b []byte) bool
	}{
		"echo of the token": {SOAPQuirks{EchoToken: true}, func(b []byte) bool {
			_, err := bodyElement(b)
			return err == nil && first(texts(b, "Username")) == "echoed" && bytes.Index(b, []byte("Header>")) < bytes.Index(b, []byte("Body>"))
		}},
		"undeclared prefixes": {SOAPQuirks{UndeclaredPrefixes: true}, func(b []byte) bool {
			return spaces(b)["Resolution"] == "tt" && spaces(b)["Body"] == nsEnvelope
		}},
		"odd prefixes": {SOAPQuirks{OddPrefixes: true}, func(b []byte) bool {
			return spaces(b)["Resolution"] == schema && spaces(b)["Body"] == nsEnvelope && spaces(b)["VideoSources"] == nsMedia &&
				bytes.Contains(b, []byte("<_Q9.tt:Resolution>")) && !bytes.Contains(b, []byte("<s:Body"))
		}},
		"wrong namespace": {SOAPQuirks{WrongNamespace: true}, func(b []byte) bool {
			return spaces(b)["Resolution"] == nsMedia && spaces(b)["Width"] == nsMedia
		}},
		"cut": {SOAPQuirks{Cut: true}, func(b []byte) bool { _, err := bodyElement(b); return err != nil && len(b) == len(plain)/2 }},
		"entities": {SOAPQuirks{EntityBomb: true}, func(b []byte) bool {
			return bytes.Contains(b, []byte("&e9;<")) && bytes.Count(b, []byte("<!ENTITY")) == 10 && bytes.Contains(b, []byte(strings.Repeat("&e8;", 10)))
		}},
		"ISO-8859-1": {SOAPQuirks{Latin1: true}, func(b []byte) bool { return !utf8.Valid(b) && bytes.Contains(b[:60], []byte("ISO-8859-1")) }},
	} {
		if tc.is(plain) {
			t.Errorf("%s: also without the quirk", name)
		}
		if b := answer(tc.q); !tc.is(b) {
			t.Errorf("%s: %.1500s", name, b)
		}
	}
	if spaces(plain)["Resolution"] != schema {
		t.Errorf("without quirks: %s", plain)
	}
}

// FuzzTags: what is found stands where it is said to, and a body whose elements
// are all left out still ends.
func FuzzTags(f *testing.F) {
	for _, s := range []string{"", "<a>1</a>", "<a><b/></a>", "<a:b x='1'><c>2</c></a:b>", "</a>", "<a></b>", "<a", "<a><b></a>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, e := range tags(b) {
			if e.from >= e.open || e.open > e.end || e.end > e.until || e.until > len(b) || b[e.from] != '<' {
				t.Fatalf("%+v in %q", e, b)
			}
		}
		wrongNamespace(b)
		oddPrefixes(b)
		bomb(b)
		echo(b, b)
		if got := without(b, func(tag) bool { return true }); len(got) > len(b) {
			t.Errorf("%q became %q", b, got)
		}
	})
}
