package cameratest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Where a value stands in a request: the part before the first colon of a place
// such as "json:0.param.User.userName".
const (
	inJSON   = "json"
	inForm   = "form"
	inQuery  = "query"
	inCookie = "cookie"
	inHeader = "header"
)

// checkPlace reports whether a place is of one of these kinds, and names something.
func checkPlace(place string, kinds ...string) error {
	kind, name, _ := strings.Cut(place, ":")
	if name == "" || !slices.Contains(kinds, kind) {
		return fmt.Errorf("%q is none of %s, each with a name after its colon", place, strings.Join(kinds, ":, ")+":")
	}
	return nil
}

// taken is the value at a place of a request, "" if it is not there. Of a
// header the prefix after its name is taken away, and must be there.
func taken(place string, r *http.Request, body []byte) string {
	kind, name, _ := strings.Cut(place, ":")
	switch kind {
	case inQuery:
		return r.URL.Query().Get(name)
	case inForm:
		form, _ := url.ParseQuery(string(body)) // what can be read of it
		return form.Get(name)
	case inJSON:
		return jsonText(body, name)
	case inCookie:
		if c, err := r.Cookie(name); err == nil {
			return c.Value
		}
	case inHeader:
		name, prefix, _ := strings.Cut(name, ":")
		if value, ok := strings.CutPrefix(r.Header.Get(name), prefix); ok {
			return value
		}
	}
	return ""
}

// jsonText is the text at a path such as 0.param.User.userName, in which a
// number is an index of an array; "" where there is none.
func jsonText(body []byte, path string) string {
	var at any
	if json.Unmarshal(body, &at) != nil {
		return ""
	}
	for step := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return ""
			}
			at = v[i]
		default:
			return ""
		}
	}
	text, _ := at.(string)
	return text
}
