package search

import (
	"fmt"
	"slices"

	"anagrafe/protocol"
)

// Only leaves results out that were asked for in vain: the zero value none.
type Only struct {
	Categories []protocol.Category // of the site; nil: all
	Continuous bool                // its schedule says that it recorded continuously: Recording is Yes
	Certain    bool                // it surely sees the place, and the footage surely exists
}

// Hidden counts the results that Only left out, each for the first reason.
type Hidden struct{ Category, Continuous, Certain int }

// All is how many were left out.
func (h Hidden) All() int { return h.Category + h.Continuous + h.Certain }

func (o Only) check() error {
	for _, c := range o.Categories {
		if !slices.Contains(protocol.Categories, c) {
			return QueryError{"category", fmt.Sprintf("%.40q is not a category: one of %v", string(c), protocol.Categories)}
		}
	}
	return nil
}

// hides tells whether a hit at a site of that category is left out, and counts it.
func (o Only) hides(category protocol.Category, h *Hit, count *Hidden) bool {
	switch {
	case o.Categories != nil && !slices.Contains(o.Categories, category):
		count.Category++
	case o.Continuous && h.Recording != protocol.Yes:
		count.Continuous++
	case o.Certain && (h.Sight.Sees != protocol.Yes || h.Footage.Exists != protocol.Yes):
		count.Certain++
	default:
		return false
	}
	return true
}
