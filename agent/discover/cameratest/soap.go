package cameratest

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strings"
)

// notUnderstood returns the reply to a request that the device does not take,
// whoever sends it.
func (d *Device) notUnderstood(r *http.Request, c call) (reply, bool) {
	q := d.o.Quirks.SOAP
	if q.SOAP11Only && c.soap != nsEnvelope11 {
		return reply{status: http.StatusOK}, true
	}
	_, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	_, action := parameters["action"]
	switch {
	case q.Action == ActionRefused && action:
		return reply{status: http.StatusBadRequest, kind: plainText, body: []byte("Bad Request: Content-Type")}, true
	case q.Action == ActionNeeded && !action:
		return d.refuse(http.StatusBadRequest, "Sender", "ter:InvalidArgs", "action is missing in Content-Type"), true
	}
	return reply{}, false
}

// dress changes the envelope of a reply as the quirks want it. request is the
// envelope that is answered.
func (d *Device) dress(out reply, request []byte) reply {
	q := d.o.Quirks.SOAP
	if len(out.body) == 0 || out.kind != "" {
		return out
	}
	if q.EchoToken {
		out.body = echo(out.body, request)
	}
	if q.WrongNamespace {
		out.body = wrongNamespace(out.body)
	}
	if q.OddPrefixes {
		out.body = oddPrefixes(out.body)
	}
	if q.UndeclaredPrefixes {
		out.body = undeclare(out.body)
	}
	if q.EntityBomb {
		out.body = bomb(out.body)
	}
	if q.SOAP11Only {
		out.kind = "text/xml; charset=utf-8"
		out.body = bytes.ReplaceAll(out.body, []byte(nsEnvelope), []byte(nsEnvelope11))
	}
	if q.Latin1 {
		out.body = latin1(out.body)
	}
	if q.Cut {
		out.body = out.body[:len(out.body)/2]
	}
	return out
}

// echo puts the request's security header into the answer's header, with the
// prefixes that it was written with.
func echo(answer, request []byte) []byte {
	var security, declared string
	for _, t := range tags(request) {
		if t.depth == 3 && t.local == "Security" && security == "" {
			security = string(request[t.from:t.until])
		}
		if t.depth < 3 {
			for _, p := range declarations.FindAllString(string(request[t.from:t.open]), -1) {
				if !strings.Contains(declared, p) {
					declared += p
				}
			}
		}
	}
	if security == "" {
		return answer
	}
	for _, t := range tags(answer) {
		if t.depth == 2 && t.local == "Header" {
			return apply(answer, change{t.from, t.until, header(t.prefix, declared, security)})
		}
		if t.depth == 2 && t.local == "Body" {
			return apply(answer, change{t.from, t.from, header(t.prefix, declared, security)})
		}
	}
	return answer
}

func header(prefix, declared, content string) string {
	if prefix != "" {
		prefix += ":"
	}
	return fmt.Sprintf("<%sHeader%s>%s</%sHeader>", prefix, declared, content, prefix)
}

// declarations finds xmlns:p="..." with the space before it.
var declarations = regexp.MustCompile(`\sxmlns:([A-Za-z0-9_.-]+)=("[^"]*"|'[^']*')`)

// undeclare takes the declarations of all prefixes away but that of SOAP.
func undeclare(body []byte) []byte {
	return declarations.ReplaceAllFunc(body, func(p []byte) []byte {
		if bytes.Contains(p, []byte(nsEnvelope)) {
			return p
		}
		return nil
	})
}

// oddPrefixes renames every prefix, in names and in values such as s:Sender.
func oddPrefixes(body []byte) []byte {
	text := string(body)
	done := map[string]bool{}
	for _, p := range declarations.FindAllStringSubmatch(text, -1) {
		prefix := p[1]
		if done[prefix] {
			continue
		}
		done[prefix] = true
		used := regexp.MustCompile(`([<\s/>"'])` + regexp.QuoteMeta(prefix) + `:`)
		text = used.ReplaceAllString(text, "${1}_Q9."+prefix+":")
		text = regexp.MustCompile(`xmlns:`+regexp.QuoteMeta(prefix)+`=`).ReplaceAllString(text, "xmlns:_Q9."+prefix+"=")
	}
	return []byte(text)
}

// wrongNamespace gives every element below the operation the operation's prefix.
func wrongNamespace(body []byte) []byte {
	var changes []change
	prefix := ""
	for _, t := range tags(body) {
		if t.depth == 3 {
			prefix = t.prefix
		}
		if t.depth <= 3 || t.prefix == prefix || t.prefix == "" || prefix == "" {
			continue
		}
		changes = append(changes, change{t.from + 1, t.from + 1 + len(t.prefix), prefix})
		if t.end < t.until { // it has an end tag
			changes = append(changes, change{t.end + 2, t.end + 2 + len(t.prefix), prefix})
		}
	}
	return apply(body, changes...)
}

// bomb puts entities before the envelope, and the last of them in place of the
// first text of the body: one byte, ten times as many on each of nine levels.
func bomb(body []byte) []byte {
	var entities strings.Builder
	entities.WriteString(`<!DOCTYPE e [<!ENTITY e0 "b">`)
	for i := 1; i <= 9; i++ {
		fmt.Fprintf(&entities, `<!ENTITY e%d "%s">`, i, strings.Repeat(fmt.Sprintf("&e%d;", i-1), 10))
	}
	entities.WriteString("]>")
	var changes []change
	for _, t := range tags(body) {
		switch {
		case t.depth == 1:
			changes = append(changes, change{t.from, t.from, entities.String()})
		case t.depth > 3 && t.leaf:
			return apply(body, append(changes, change{t.open, t.end, "&e9;"})...)
		}
	}
	return apply(body, changes...)
}

// latin1 encodes the body in ISO-8859-1, with an è in a comment so that every
// answer has one.
func latin1(body []byte) []byte {
	text := string(body)
	if i := strings.Index(text, "?>"); i >= 0 && strings.HasPrefix(text, "<?xml") {
		text = text[i+2:]
	}
	out := []byte(`<?xml version="1.0" encoding="ISO-8859-1"?>`)
	for _, r := range "<!-- è -->" + text {
		if r > 0xff {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return out
}
