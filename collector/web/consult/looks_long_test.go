//go:build long

package consult

import "testing"

func TestLongPagesAreAccessible(t *testing.T) {
	pagesAreAccessible(t, map[string]int64{"en": 390, "it": 1280})
}
