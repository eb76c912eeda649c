package cameratest

import (
	"slices"
	"strings"
)

// anyToken as a key of Answer.Asked stands for every element whose name ends in
// Token.
const anyToken = "*Token"

// fit is how well a device's answers fit a request.
type fit int

const (
	unknownOperation fit = iota
	unknownToken         // the operation is known, for other tokens only
	fits
)

// find returns the answer to a request: of those with its operation and tokens the
// one that agrees in most other values, the first of equals.
func find(answers []Answer, c call) (Answer, fit) {
	best, most, found := Answer{}, -1, unknownOperation
	for _, a := range answers {
		if a.Operation != c.operation || a.Namespace != "" && c.namespace != "" && a.Namespace != c.namespace {
			continue
		}
		equal, ok := a.agrees(c)
		if !ok {
			found = max(found, unknownToken)
			continue
		}
		if found = fits; equal > most {
			best, most = a, equal
		}
	}
	return best, found
}

// agrees counts the values of the recorded request that the new one repeats; not
// ok if one that must be equal is not.
func (a *Answer) agrees(c call) (equal int, ok bool) {
	for name, values := range a.Asked {
		for _, v := range values {
			switch {
			case c.has(name, v):
				equal++
			case a.Exact || strings.HasSuffix(name, "Token"):
				return 0, false
			}
		}
	}
	return equal, true
}

func (c *call) has(name, value string) bool {
	if name != anyToken {
		return slices.Contains(c.asked[name], value)
	}
	for n, values := range c.asked {
		if strings.HasSuffix(n, "Token") && slices.Contains(values, value) {
			return true
		}
	}
	return false
}
