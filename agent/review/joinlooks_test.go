package review

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// What an owner has after joining: the receipt, suspending and resuming, the history,
// the file, and leaving; each page looked at in each of its states.
func TestAfterJoining(t *testing.T) {
	for _, tc := range []window{wide, narrow} {
		t.Run(tc.name, func(t *testing.T) { afterJoining(t, tc) })
	}
}

func afterJoining(t *testing.T, tc window) {
	o, _, _ := joined(t)
	o.receiptPause = "3600" // a page that is looked at stays
	b := pagestest.Open(t, "http://"+o.Addr, tc.width, 900)
	check := func(name string) {
		t.Helper()
		b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('main details').forEach(d => d.open = true)"))
		b.Check(tc.name + "-" + name)
	}
	b.Visit(o.NewLink())
	b.Press("main button")
	b.Visit("/receipt?lang=" + tc.lang)
	check("30-receipt")
	b.Do(onPaper("print"))
	check("30-receipt-printed")
	b.Do(onPaper(""))
	b.Visit("/contact")
	check("31-contact")
	b.Visit("/privacy")
	check("32-notice")
	b.Visit("/status")
	check("33-status")
	b.Press("a[href='/suspend']")
	check("34-suspend")
	b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelector('[name=until]').value = '2020-01-01'"))
	b.Press("form[action='/suspend'] button")
	check("35-suspend-refused")
	until := time.Now().AddDate(0, 0, 10).Format(time.DateOnly)
	b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelector('[name=until]').value = '" + until + "'"))
	b.Press("form[action='/suspend'] button")
	check("36-suspended")
	acknowledge(t, o)
	b.Visit("/")
	check("37-home-suspended")
	b.Visit("/status")
	check("37-status-suspended")
	b.Visit("/suspend")
	b.Press("form[action='/resume'] button")
	check("38-resumed")
	for range onePage {
		if err := o.Inventory.Suspend(t.Context(), siteID, time.Time{}, protocol.Approval{By: "Anna Neri"}); err != nil {
			t.Fatal(err)
		}
	}
	b.Visit("/outbox")
	b.Press("nav a[rel=next]")
	check("39-outbox-older")
	b.Press("article h2 a")
	check("40-message")
	b.Visit("/export")
	check("41-export")
	b.Visit("/withdraw")
	b.Press("main form button")
	check("42-withdrawal-waits")
	acknowledge(t, o)
	b.Visit("/receipt")
	check("43-withdrawn")
}
