package review

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// scripts lets pages run theirs, or not.
func scripts(on bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// What a recorder's screen shows is typed, then when it records, with keys alone and
// without scripts; in the wide window (looks_long_test.go) with the mouse.
func TestTheWayWithoutThePassword(t *testing.T) { theWayWithoutThePassword(t, narrow) }

// It is long because it is one way, step by step.
func theWayWithoutThePassword(t *testing.T, tc window) {
	o := start(t)
	o.found = []interrogate.Device{lockedNVR()}
	if err := o.Inventory.Record(t.Context(), o.found, time.Now()); err != nil {
		t.Fatal(err)
	}
	b := pagestest.Open(t, "http://"+o.Addr, tc.width, 900)
	check := func(name string) { t.Helper(); b.Do(scripts(true)); b.Check(tc.name + "-" + name) }
	keys := tc.width < 500
	press := func(selector string) {
		t.Helper()
		if !keys {
			b.Press(selector)
			return
		}
		b.Do(scripts(true))
		b.Reach(selector)
		b.Do(scripts(false))
		b.Follow(kb.Enter)
	}
	fill := func(selector, text string) {
		t.Helper()
		if !keys {
			b.Fill(selector, text)
			return
		}
		b.Do(scripts(true))
		b.Reach(selector)
		b.Keys(text)
	}
	b.Visit(o.NewLink())
	b.Press("main button")
	b.Visit("/hours?lang=" + tc.lang)
	check("30-hours-none")
	b.Visit("/")
	check("31-locked")
	press("main a[href^='/byhand?device']")
	check("32-byhand")
	fill("#count", "molte")
	fill("#time", "ieri")
	press("main form.panel button")
	check("33-byhand-refused")
	b.Fill("#time", "21:15")
	fill("#names", "Ingresso"+"\n"+"Cassa")
	press("main form.panel button")
	check("34-listed")
	b.Visit("/byhand?device=" + camerasOf(t, o)[0].Device.ID)
	check("35-byhand-again")
	b.Visit("/byhand")
	check("36-byhand-new")
	press("main form.panel button")
	check("37-byhand-new-refused")

	outdoor(t, o)
	b.Visit("/hours")
	check("40-hours-unknown")
	if keys { // an arrow chooses within the group
		b.Do(scripts(true))
		b.Reach("#schedule-0-unknown")
		b.Keys(kb.ArrowUp)
	} else {
		b.Click("#schedule-0-hours")
	}
	fill("#from-0", "20:00")
	check("41-hours-some")
	fill("#days-0", "x")
	press("main form button")
	check("42-hours-refused")
	if pagestest.Eval[string](b, "document.querySelector('#from-0').value") != "20:00" {
		t.Error("what was typed is gone")
	}
	b.Fill("#to-0", "08:00")
	b.Fill("#days-0", "7")
	press("main form button")
	if c := camerasOf(t, o)[1]; !strings.HasSuffix(c.Hours, "sun 20:00-08:00") || c.Values.Retention.Age != 7*24*time.Hour {
		t.Errorf("%q, %+v", c.Hours, c.Values.Retention)
	}
	b.Visit("/hours")
	check("43-hours-said")

	// The password is found.
	outdoor(t, o, four())
	b.Visit("/hours")
	check("44-hours-read")
	press("main form button")
	if c := camerasOf(t, o)[0]; c.HoursAt.IsZero() || c.Values.Schedule.Fact.Source != protocol.Measured {
		t.Errorf("confirmed: %+v", c.Values)
	}
	b.Visit("/hours")
	b.Click("#set-0 + .hours-pair summary")
	b.Click("#schedule-0-always")
	b.Press("main form button")
	b.Visit("/hours")
	check("45-hours-corrected")
}
