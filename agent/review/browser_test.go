package review

import (
	"testing"

	"anagrafe/agent/inventory"
	"anagrafe/protocol/pages/pagestest"
)

// An owner who has never seen the pages follows the one next thing from the
// link to the calm page and back out, in a wide and in a narrow window, with
// every page on the way checked.
func TestTheOwnersWay(t *testing.T) {
	for _, tc := range []struct {
		name  string
		width int64
		lang  string
	}{{"wide-it", 1280, "it"}, {"narrow-en", 390, "en"}} {
		t.Run(tc.name, func(t *testing.T) {
			o := start(t)
			o.found = append(o.found, locked())
			b := pagestest.Open(t, "http://"+o.Addr, tc.width, 900)
			check := func(name string) { t.Helper(); b.Check(tc.name + "-" + name) }
			b.Visit(o.NewLink())
			check("01-link")
			b.Press("main button")
			b.Visit("/?lang=" + tc.lang)
			check("02-empty")
			b.Press(".next button")
			<-o.Review.start() // joins, or repeats, the search of the page
			b.Visit("/")
			check("03-found")
			if got := pagestest.Eval[string](b, "document.documentElement.lang"); got != tc.lang {
				t.Errorf("the page is in %s", got)
			}

			b.Press(".next a")
			check("04-camera")
			b.Fill("#position", "dietro l'angolo")
			b.Press("main form button")
			check("05-camera-refused")
			if got := pagestest.Eval[string](b, "document.querySelector('#position').value"); got != "dietro l'angolo" {
				t.Errorf("what was typed is gone: %q", got)
			}
			all, err := o.Inventory.Cameras(t.Context())
			if err != nil || len(all) != 3 {
				t.Fatalf("%d cameras: %v", len(all), err)
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
			check("07-contact-missing")
			b.Press(".next a")
			b.Fill("#name", "Anna Neri")
			b.Press("main form button")
			check("08-contact-refused")
			b.Fill("#phone", "+39 02 123456")
			b.Press("main form button")
			b.Press(".next a")
			b.Fill("#code", "SBAGLIATO")
			b.Press("main form button")
			check("09-code-refused")
			b.Fill("#code", "GIUSTO")
			b.Press("main form button")
			check("10-ready")
			b.Press(".next a")
			check("11-summary")
			if pagestest.Eval[int](b, "document.querySelectorAll('input:checked').length") != 0 {
				t.Error("something is ticked beforehand")
			}
			b.Press(".act form button")
			check("12-summary-refused")
			b.Click("#read")
			b.Press(".act form button")
			check("13-joined")
			all, err = o.Inventory.Cameras(t.Context())
			if err != nil || all[0].State != inventory.StateDeclared || all[1].State != inventory.StateDeclared || all[2].State != inventory.StateRefused {
				t.Fatalf("%s %s %s: %v", all[0].State, all[1].State, all[2].State, err)
			}
			if p := all[1].Declared.Position.Point; p.Lon != 9_186_100 || p.Lat != 45_464_200 {
				t.Errorf("declared at %+v", p)
			}
			b.Visit("/outbox")
			check("14-outbox")
			b.Visit("/status")
			check("15-status")
			b.Visit("/withdraw?id=" + all[0].ID)
			check("16-withdraw")
			b.Press("main form button")
			b.Visit("/withdraw")
			b.Press("main form button")
			check("17-withdrawn")
			b.Visit("/no-such")
			check("18-error")
			b.Visit(o.NewLink() + "x")
			check("19-closed")
		})
	}
}
