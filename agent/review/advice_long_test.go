//go:build long

package review

import "testing"

// Every page of advice and papers in each width and language.
func TestAdviceLooksEverywhere(t *testing.T) {
	for _, width := range []int64{390, 1280} {
		for _, lang := range []string{"it", "en"} {
			adviceLooks(t, width, lang)
		}
	}
}
