package adhere

import (
	"fmt"
	"slices"
	"testing"

	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// serve opens the pages on a loopback port, without TLS, as on a first try.
func (d *desk) serve() (origin string) {
	return fmt.Sprintf("http://localhost:%d", pagestest.Serve(d.t, d.web, d.pages))
}

// Every page, with its errors, on a telephone and on a screen: a shop joins with three
// cameras.
// It is long because it is one way, step by step.
func TestPagesInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"wide-en": {1280, pages.En}, "narrow-it": {390, pages.It}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			b := pagestest.Open(t, d.serve(), c.width, 900)
			check := func(where string) {
				t.Helper()
				if c.width < 1000 || slices.Contains([]string{"start", "who-wrong", "place-found", "camera-wrong", "identity-sent", "summary-wrong", "receipt"}, where) {
					b.Check("adhere-" + where + "-" + name)
				}
			}
			next := func() { b.Press(".form-go button.btn-primary") }
			b.Visit("/aderisci?lang=" + string(c.lang))
			b.Click("details:last-of-type summary")
			check("start")
			b.Fill("#resume", "AAAA")
			b.Press("form[action$='/riprendi'] button")
			check("start-wrong")
			b.Press("a.btn-primary")
			b.Fill("#f-phone", "boh")
			next()
			check("who-wrong")
			for field, value := range map[string]string{"site": "Bar Centrale", "name": "Anna Bianchi", "phone": "02 5555 0101", "email": "anna@example.it"} {
				b.Fill("#f-"+field, value)
			}
			b.Click("#f-category")
			b.Keys("B")
			b.Keys("\r")
			next()
			b.Click(".form-kept summary")
			b.Fill("#f-address", "via Roma")
			next()
			check("place-found")
			b.Fill("#f-address", "via Torino 1")
			next()
			check("camera")
			next()
			check("camera-wrong")
			for i, camera := range []string{"Ingresso", "Vetrina", "Dehors"} {
				b.Fill("#f-name", camera)
				b.Click("[name=outdoor][value=yes]")
				b.Click(fmt.Sprintf("[name=direction][value='%d']", 45*i))
				b.Click("[name=angle][value='80']")
				if i == 0 {
					b.Click("[name=records][value=hours]")
					b.Until("getComputedStyle(document.querySelector('.form-hours')).display != 'none'")
					check("camera-hours")
					b.Click("[name=records][value=always]")
					b.Fill("#f-kept", "7")
					b.Click("[name=storage][value=on-premises]")
				}
				if i < 2 {
					b.Press(".form-go [name=more]")
				} else {
					next()
				}
			}
			check("cameras")
			b.Press(".form-go a.btn-primary")
			b.Click("details summary")
			check("call")
			next()
			check("identity")
			b.Press("form[action$='/identita/email'] button")
			check("identity-sent")
			b.Visit("/aderisci/riepilogo")
			check("summary-missing")
			due, err := d.reg.DueMail(t.Context(), d.now, 10)
			if err != nil || len(due) != 1 {
				t.Fatal(due, err)
			}
			b.Visit(due[0].Path)
			check("confirm")
			b.Press("main form button")
			check("summary")
			b.Press(".form-act button")
			check("summary-wrong")
			b.Click("#read")
			b.Press(".form-act button")
			check("receipt")
			if all := d.sites(); len(all) != 1 || all[0].Cameras != 3 {
				t.Errorf("%+v", all)
			}
			b.Visit(due[0].Path)
			check("confirm-used")
		})
	}
}
