package pagestest

import (
	"fmt"

	"github.com/chromedp/chromedp"
)

// fewRules is the number of rules below which axe-core found too little to look
// at: the page did not come, or is empty.
const fewRules = 10

// Check looks at the page on show: WCAG 2.1 A and AA as far as axe-core sees,
// no sideways scrolling, and nothing seen since the last Check that must not
// happen. It keeps a picture of the whole page under the name where.
func (b *Tab) Check(where string) {
	b.t.Helper()
	b.report(where, b.unfit())
	b.keep(where, chromedp.FullScreenshot(100), nil)
	b.report(where, b.noted())
}

// unfit reports what is wrong with the page as it stands.
func (b *Tab) unfit() []string {
	b.t.Helper()
	if Eval[string](b, "typeof axe") == "undefined" {
		b.Do(chromedp.Evaluate[chromedp.Void](b.axe)) // by the debugger: the page's policy does not stop it
	}
	answer := Eval[struct {
		Violations []struct {
			ID    string `json:"id"`
			Help  string `json:"help"`
			Nodes []struct {
				HTML    string `json:"html"`
				Summary string `json:"failureSummary"`
			} `json:"nodes"`
		} `json:"violations"`
		Passes int `json:"passes"`
	}](b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], resultTypes: ["violations"]})
		.then(r => ({violations: r.violations, passes: r.passes.length}))`)
	var found []string
	for _, v := range answer.Violations {
		for _, n := range v.Nodes {
			found = append(found, fmt.Sprintf("axe %s: %s\n%s\n%s", v.ID, v.Help, n.HTML, n.Summary))
		}
	}
	if answer.Passes < fewRules {
		found = append(found, fmt.Sprintf("axe checked next to nothing (%d rules)", answer.Passes))
	}
	if over := Eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
		found = append(found, fmt.Sprintf("the page is %d px wider than the window", over))
	}
	return found
}
