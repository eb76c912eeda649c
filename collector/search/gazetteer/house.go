package gazetteer

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// houseNumber is a house number: 7, 7a, 7/2, 7bis, 3p01.
type houseNumber struct {
	N      int    // 1 to 9999; 0: none
	Suffix string // "", "a", "/2", "bis", "p1", "/3p1": lower case, without spaces and leading zeros
}

func itoa(n int) string { return strconv.Itoa(n) }

func (h houseNumber) String() string {
	if h.N == 0 {
		return ""
	}
	return itoa(h.N) + h.Suffix
}

func (h houseNumber) compare(other houseNumber) int {
	return cmp.Or(cmp.Compare(h.N, other.N), cmp.Compare(h.Suffix, other.Suffix))
}

var (
	houseForm = regexp.MustCompile(`^0*([1-9]\d{0,3})(?:([/.-]?)([a-z0-9/]{0,8}))?$`)
	zeros     = regexp.MustCompile(`([a-z/])0+(\d)`)
)

// parseHouse reads a house number as it stands in a file or was typed. It is
// false for what is none.
func parseHouse(text string) (h houseNumber, ok bool) {
	text = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(text)), " ", "")
	m := houseForm.FindStringSubmatch(text)
	if m == nil {
		return h, false
	}
	h.N, _ = strconv.Atoi(m[1])
	rest := strings.Trim(m[3], "/")
	switch {
	case rest == "":
		return h, true
	case isDigit(rest[0]) && m[2] == "/":
		h.Suffix = "/" + rest
	case isDigit(rest[0]): // 7-9: a door of both; 12345 is no house number
		return h, m[2] == "-"
	default:
		h.Suffix = rest
	}
	h.Suffix = zeros.ReplaceAllString(h.Suffix, "$1$2")
	return h, true
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// steps is how many numbers of one side of the street one is from another.
func steps(a, b houseNumber) int {
	d := a.N - b.N
	return max(d, -d) / 2
}
