package review

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// window is how an owner looks at the pages.
type window struct {
	name  string
	width int64
	lang  string
}

// Where one of the two is enough, the other is in looks_long_test.go.
var wide, narrow = window{"wide-it", 1280, "it"}, window{"narrow-en", 390, "en"}

// An owner who has never seen the pages follows the one next thing from the
// link to the calm page and back out, in a wide and in a narrow window, with
// every page on the way checked.
// It is long because it is one way, step by step.
func TestTheOwnersWay(t *testing.T) {
	for _, tc := range []window{wide, narrow} {
		t.Run(tc.name, func(t *testing.T) {
			o := start(t)
			o.found = append(o.found, locked())
			o.receiptPause = "3600" // a page that is looked at stays
			b := pagestest.Open(t, "http://"+o.Addr, tc.width, 900)
			check := func(name string) { t.Helper(); b.Check(tc.name + "-" + name) }
			b.Visit(o.NewLink())
			check("01-link")
			b.Press("main button")
			b.Visit("/?lang=" + tc.lang)
			check("02-empty")
			b.Press(".next a")
			b.Fill("#code", "SBAGLIATO")
			b.Press("main form button")
			check("03-code-refused")
			b.Fill("#code", "GIUSTO")
			b.Press("main form button")
			<-o.Review.start() // joins, or repeats, the search of the page
			b.Visit("/")
			check("03-found")
			if got := pagestest.Eval[string](b, "document.documentElement.lang"); got != tc.lang {
				t.Errorf("the page is in %s", got)
			}

			all := o.known(t).Cameras
			if len(all) != 3 {
				t.Fatalf("%d cameras", len(all))
			}
			b.Visit("/cameras/" + all[0].ID)
			check("04-camera")
			b.Fill("#position", "dietro l'angolo")
			b.Press("main form button")
			check("05-camera-refused")
			if got := pagestest.Eval[string](b, "document.querySelector('#position').value"); got != "dietro l'angolo" {
				t.Errorf("what was typed is gone: %q", got)
			}
			for i, place := range []string{"45.464100, 9.185900", "45,4642 9,1861"} {
				b.Visit("/cameras/" + all[i].ID)
				b.Click("#outdoor-yes")
				b.Fill("#position", place)
				b.Fill("#direction", "225")
				b.Fill("#angle", "80")
				b.Fill("#range", "30")
				b.Press("main form button")
			}
			b.Visit("/credentials?device=" + all[2].Device.ID)
			check("06-password")
			b.Visit("/")
			b.Press("form[action='/refuse'] input[value='" + all[2].ID + "'] + button")
			check("07-hours-missing")
			b.Press(".next a")
			check("07-hours")
			b.Press("main form button")
			b.Fill("#name", "Anna Neri")
			b.Press("main form button")
			check("08-contact-refused")
			b.Fill("#phone", "+39 02 123456")
			b.Press("main form button") // and on to the last step
			check("11-summary")
			if pagestest.Eval[int](b, "document.querySelectorAll('input:checked').length") != 0 {
				t.Error("something is ticked beforehand")
			}
			b.Press(".act form button")
			check("12-summary-refused")
			b.Click("#read")
			b.Press(".act form button")
			check("13-joined")
			all = o.known(t).Cameras
			if all[0].State != inventory.StateDeclared || all[1].State != inventory.StateDeclared || all[2].State != inventory.StateRefused {
				t.Fatalf("%s %s %s", all[0].State, all[1].State, all[2].State)
			}
			if p := all[1].Declared.Position.Point; p.Lon != 9_186_100 || p.Lat != 45_464_200 {
				t.Errorf("declared at %+v", p)
			}
			b.Visit("/keep")
			check("14-nothing-to-keep")
			code := acknowledge(t, o)
			b.Visit("/outbox")
			b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('main details').forEach(d => d.open = true)"))
			check("14-outbox")
			b.Visit("/status")
			check("15-status")
			b.Press("a[href='/keep']")
			check("15-keep")
			b.Do(onPaper("print"))
			check("15-keep-printed")
			b.Do(onPaper(""))
			if text := pagestest.Eval[string](b, "document.querySelector('main').innerText"); !strings.Contains(text, code.String()) {
				t.Error("the sheet has no code")
			}
			b.Visit("/withdraw?id=" + all[0].ID)
			check("16-withdraw")
			b.Press("main form button")
			b.Visit("/withdraw")
			b.Press("main form button")
			check("17-withdrawn")
			b.Visit("/keep")
			check("17-not-yet-taken-out")
			b.Visit("/no-such")
			check("18-error")
			b.Visit(o.NewLink() + "x")
			check("19-closed")
		})
	}
}

// Somebody who needs footage finds on the camera's page how to save it, and sees
// there what the recorder said.
func TestTheWayToTheFootage(t *testing.T) { theWayToTheFootage(t, narrow) }

func theWayToTheFootage(t *testing.T, tc window) {
	o := start(t)
	d := weekly(t, o)
	b := o.browser(t, tc.width)
	check := func(name string) { t.Helper(); b.Check(tc.name + "-" + name) }
	all := o.known(t).Cameras
	if err := declareOne(t, o, all[0].ID); err != nil {
		t.Fatal(err)
	}
	d.Channels[0].Schedule.Mode, d.Channels[0].Retention.Age = "continuous", 24*time.Hour
	if err := o.Inventory.Record(t.Context(), []interrogate.Device{d, locked()}, time.Now()); err != nil {
		t.Fatal(err)
	}
	b.Visit("/cameras/" + all[0].ID + "?lang=" + tc.lang)
	b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('main details').forEach(d => d.open = true)"))
	check("20-camera-told")
	b.Press("a[href^='/save']")
	check("21-save-ask")
	b.Fill("#from", "2026-03-29T02:30")
	b.Fill("#to", "2026-03-29T03:30")
	b.Press("main form button")
	check("22-save-refused")
	from := time.Now().Add(-5 * time.Hour).In(pages.Rome())
	b.Fill("#from", from.Format("2006-01-02T15:04"))
	b.Fill("#to", from.Add(20*time.Minute).Format("2006-01-02T15:04"))
	b.Press("main form button")
	check("23-save")
	if n := pagestest.Eval[int](b, "document.querySelectorAll('ol.steps li').length"); n < 9 {
		t.Errorf("%d steps", n)
	}
	b.Do(onPaper("print"))
	check("24-save-printed")
	if text := pagestest.Eval[string](b, "document.querySelector('main').innerText"); strings.Contains(text, "192.168.7.10") || !strings.Contains(text, "Ingresso") {
		t.Error("the network address is printed")
	}
	b.Do(onPaper(""))
	all = o.known(t).Cameras
	b.Visit("/save?from=2026-01-02T10:00&to=2026-01-02T10:20&camera=" + all[len(all)-1].ID)
	check("25-save-nothing-known")
	b.Visit("/save?from=2026-01-02T10:00&to=2026-01-02T10:20&camera=" + all[0].ID)
	check("26-save-gone")
	b.Visit("/credentials?device=" + all[0].Device.ID)
	check("27-account")
	unnamed := grant()
	unnamed.SiteID, unnamed.SiteName, unnamed.Category, unnamed.Address = "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c0ff", "", "", ""
	if err := o.Inventory.AddGrant(t.Context(), unnamed.Grant, unnamed.Collector); err != nil {
		t.Fatal(err)
	}
	b.Visit("/contact")
	check("28-place-without-a-name")
}

// onPaper shows pages as they are printed; "" as on a screen.
func onPaper(media string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media})
		return err
	})
}

// declareOne puts a camera into the register.
func declareOne(t *testing.T, o *owner, id string) error {
	t.Helper()
	if err := o.Inventory.AddGrant(t.Context(), grant().Grant, grant().Collector); err != nil {
		return err
	}
	if err := o.Inventory.SetContact(t.Context(), "", protocol.Contact{Name: "Anna Neri", Role: protocol.RoleOwner, Phone: "+39 02 5550 0100"}); err != nil {
		return err
	}
	if err := o.Inventory.Set(t.Context(), id, inventory.Edit{Outdoor: new(true), Lon: new(9.19), Lat: new(45.46)}); err != nil {
		return err
	}
	_, err := o.Inventory.Approve(t.Context(), inventory.Selection{IDs: []string{id}}, protocol.Approval{By: "Anna Neri"})
	return err
}

// browser opens the pages in a window of this width, as their owner.
func (o *owner) browser(t *testing.T, width int64) *pagestest.Tab {
	t.Helper()
	b := pagestest.Open(t, "http://"+o.Addr, width, 900)
	b.Visit(o.NewLink())
	b.Press("main button")
	return b
}
