package csvfile

import (
	"math"
	"strconv"
	"strings"
)

// YesNo reads an answer in Italian or English; ok is false for anything else.
func YesNo(typed string) (yes, ok bool) {
	switch strings.ToLower(typed) {
	case "sì", "si", "s", "yes", "y", "vero", "true", "1", "x":
		return true, true
	case "no", "n", "falso", "false", "0":
		return false, true
	}
	return false, false
}

// Decimal writes a number with a comma, as a spreadsheet reads it in Italy, to
// six decimals: 10 cm, where it is degrees.
func Decimal(f float64) string {
	return strings.Replace(strconv.FormatFloat(math.Round(f*1e6)/1e6, 'f', -1, 64), ".", ",", 1)
}

// A spreadsheet takes a value that begins with one of these for a formula, which
// may call programs: an export marks it as text, and a reader takes the mark off.
// Numbers, also of phones, stay as they are.
const (
	formulaStarts = "=+-@"
	formulaMark   = "'"
)

func formula(v string) bool { return v != "" && strings.Contains(formulaStarts, v[:1]) }

// Plain is a value as it was before Marked.
func Plain(typed string) string {
	if formula(strings.TrimLeft(typed, formulaMark)) {
		return strings.TrimPrefix(typed, formulaMark)
	}
	return typed
}

// Marked is a value as it may be written to a file that a spreadsheet opens.
func Marked(v string) string {
	number := formula(v) && v[0] != '=' && v[0] != '@' && strings.Trim(v[1:], "0123456789 ,.-/()") == ""
	if formula(strings.TrimLeft(v, formulaMark)) && !number {
		return formulaMark + v
	}
	return v
}
