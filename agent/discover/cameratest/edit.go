package cameratest

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// edit returns body with the texts of its elements replaced, and everything else
// byte for byte as it was. f is called with the local names from the root to
// the element and the element's text, unescaped; it returns the new text and
// whether to put it in. An element without text is not offered. Body may be
// cut short or have undeclared prefixes: what follows the first error in its
// syntax is left alone.
func edit(body []byte, f func(path []string, text string) (string, bool)) []byte {
	var out bytes.Buffer
	copied := int64(0)
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var path []string
	for {
		from := d.InputOffset()
		t, err := d.RawToken()
		if err != nil {
			break
		}
		switch t := t.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
		case xml.EndElement:
			if len(path) > 0 {
				path = path[:len(path)-1]
			}
		case xml.CharData:
			text, ok := f(path, string(t))
			if !ok || len(path) == 0 {
				continue
			}
			out.Write(body[copied:from])
			_ = xml.EscapeText(&out, []byte(text)) // a Buffer never fails
			copied = d.InputOffset()
		}
	}
	out.Write(body[copied:])
	return out.Bytes()
}

// texts are the trimmed texts of all elements of that local name, in order.
func texts(body []byte, name string) []string {
	if !bytes.Contains(body, []byte(name)) {
		return nil
	}
	var found []string
	edit(body, func(path []string, text string) (string, bool) {
		if text = strings.TrimSpace(text); text != "" && len(path) > 0 && path[len(path)-1] == name {
			found = append(found, text)
		}
		return "", false
	})
	return found
}

// setClock puts now into an answer to GetSystemDateAndTime. The local time is
// that of zone, or where zone is nil keeps its recorded difference from UTC.
func setClock(body []byte, now time.Time, zone *time.Location) []byte {
	utc, local := readTime(body, "UTCDateTime"), readTime(body, "LocalDateTime")
	wall := now.UTC()
	switch {
	case zone != nil:
		wall = now.In(zone)
	case !utc.IsZero() && !local.IsZero():
		wall = wall.Add(local.Sub(utc))
	}
	return edit(body, func(path []string, _ string) (string, bool) {
		if len(path) < 3 {
			return "", false
		}
		t := now.UTC()
		switch path[len(path)-3] {
		case "UTCDateTime":
		case "LocalDateTime":
			t = wall
		default:
			return "", false
		}
		switch path[len(path)-1] {
		case "Hour":
			return strconv.Itoa(t.Hour()), true
		case "Minute":
			return strconv.Itoa(t.Minute()), true
		case "Second":
			return strconv.Itoa(t.Second()), true
		case "Year":
			return strconv.Itoa(t.Year()), true
		case "Month":
			return strconv.Itoa(int(t.Month())), true
		case "Day":
			return strconv.Itoa(t.Day()), true
		}
		return "", false
	})
}

// readTime reads a tt:DateTime as if it were UTC; zero if any part is absent.
func readTime(body []byte, element string) time.Time {
	part := map[string]int{}
	edit(body, func(path []string, text string) (string, bool) {
		if n := len(path); n >= 3 && path[n-3] == element {
			if v, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
				part[path[n-1]] = v
			}
		}
		return "", false
	})
	if len(part) != 6 {
		return time.Time{}
	}
	return time.Date(part["Year"], time.Month(part["Month"]), part["Day"], part["Hour"], part["Minute"], part["Second"], 0, time.UTC)
}

// setHost puts scheme and host (address:port) into every XAddr.
func setHost(body []byte, scheme, host string) []byte {
	return edit(body, func(path []string, text string) (string, bool) {
		if len(path) == 0 || path[len(path)-1] != "XAddr" {
			return "", false
		}
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Host == "" {
			return "", false
		}
		u.Scheme, u.Host = scheme, host
		return u.String(), true
	})
}

// setRelative replaces texts of the form now, now-72h, now+15m by that time in
// UTC, as hand-written answers use them.
func setRelative(body []byte, now time.Time) []byte {
	return edit(body, func(_ []string, text string) (string, bool) {
		t, ok := relative(strings.TrimSpace(text), now)
		return t.UTC().Format("2006-01-02T15:04:05Z"), ok
	})
}

func relative(text string, now time.Time) (time.Time, bool) {
	rest, ok := strings.CutPrefix(text, "now")
	if !ok {
		return time.Time{}, false
	}
	if rest == "" {
		return now, true
	}
	by, err := time.ParseDuration(rest)
	if err != nil || (rest[0] != '-' && rest[0] != '+') {
		return time.Time{}, false
	}
	return now.Add(by), true
}
