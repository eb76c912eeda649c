package interrogate

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// anyInt is a whole number in the JSON of a device, whose firmwares write the same
// field as 10, "10", true or null (Synology: rotation_by_date 30 beside
// rotation_by_space "10"). What is no such number is unknown; it never fails, so
// that one odd field does not cost the others.
type anyInt struct {
	value int64
	known bool
	null  bool // it was there, as null
}

// UnmarshalJSON reads any JSON value; it gives no error.
func (n *anyInt) UnmarshalJSON(b []byte) error {
	*n = anyInt{}
	text := strings.Trim(strings.TrimSpace(string(b)), `"`)
	switch text {
	case "null":
		n.null = true
		return nil
	case "true":
		text = "1"
	case "false":
		text = "0"
	}
	if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		n.value, n.known = v, true
	} else if f, err := strconv.ParseFloat(text, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		n.value, n.known = int64(f), true
	}
	return nil
}

// is tells that the number was told and is v.
func (n anyInt) is(v int64) bool { return n.known && n.value == v }

// String is the number as it was told, "" if it was not.
func (n anyInt) String() string {
	switch {
	case n.known:
		return strconv.FormatInt(n.value, 10)
	case n.null:
		return "null"
	}
	return ""
}

// anyText is a text in the JSON of a device, or a number or a truth in its place.
type anyText string

// UnmarshalJSON reads any JSON value; it gives no error. Lists, objects and null
// are "".
func (t *anyText) UnmarshalJSON(b []byte) error {
	*t = ""
	var v any
	if json.Unmarshal(b, &v) != nil {
		return nil
	}
	switch v := v.(type) {
	case string:
		*t = anyText(v)
	case float64, bool:
		*t = anyText(strings.TrimSpace(string(b)))
	}
	return nil
}

// word is one setting in a device's own words, "name=value"; "" where it told none.
func word[T interface{ ~string }](name string, value T) string {
	if value == "" {
		return ""
	}
	return name + "=" + string(value)
}

// wordOf is the same for a number.
func wordOf(name string, value anyInt) string { return word(name, value.String()) }
