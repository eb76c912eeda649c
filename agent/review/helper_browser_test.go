package review

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// The owner asks for help, the technician helps and leaves, the owner sees what was
// done; and the door to the network, from its page to its login.
func TestHelpAndTheDoorInTheBrowser(t *testing.T) { helpAndTheDoor(t, narrow) }

// It is long because it is one way, step by step.
func helpAndTheDoor(t *testing.T, win window) {
	o := start(t)
	o.found = append(o.found, locked())
	<-o.Review.start()
	kept := ""
	o.Password = func(p string) error {
		if len(p) < 12 {
			return protocol.FieldErrors{{Field: "password", Why: "too short"}}
		}
		kept = p
		return nil
	}
	b := pagestest.Open(t, o.here(), win.width, 900)
	check := func(name string) { t.Helper(); b.Check("session-" + win.name + "-" + name) }
	says := func(what ...string) {
		t.Helper()
		text := pagestest.Eval[string](b, "document.querySelector('main').innerText + ' ' + [...document.querySelectorAll('textarea')].map(t => t.value).join(' ')")
		for _, w := range what {
			if !strings.Contains(text, w) {
				t.Errorf("the page does not say %q:\n%s", w, text)
			}
		}
	}
	fill := func(password, again string) {
		t.Helper()
		// Also what a browser would not send: the server decides.
		b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelector('form[action=\"/lan\"]').noValidate = true"))
		b.Fill("#password", password)
		b.Fill("#again", again)
	}
	b.Visit(o.NewLink())
	b.Press("main button")
	b.Visit("/helper?lang=" + win.lang)
	check("01-helper")
	b.Press("main form button")
	check("02-made")
	says("/open?token=")
	link := pagestest.Eval[string](b, "document.querySelector('.link-text').textContent")
	b.Visit("/lan")
	check("03-lan-off")
	fill("corta", "corta")
	b.Press("main form[action='/lan'] button")
	check("04-lan-short")
	fill("una lunga password", "un'altra password")
	b.Press("main form[action='/lan'] button")
	check("05-lan-differ")
	fill("una lunga password", "una lunga password")
	b.Press("main form[action='/lan'] button")
	check("06-lan-set")
	if kept != "una lunga password" {
		t.Errorf("kept %q", kept)
	}

	o.openToNetwork()
	b.Visit("/lan")
	check("07-lan-on")
	b.Visit("/helper")
	b.Press("main form button")
	check("08-made-for-the-network")
	says(lanBase+"/open?token=", "AB:CD")
	b.Visit("/status")
	check("09-status")
	says(lanBase)

	// The technician, in the same window: the owner's session goes on.
	b.Visit(link)
	b.Press("main button")
	check("10-technician")
	b.Press("a[href^='/credentials']")
	check("11-technician-password")
	b.Visit("/status")
	check("12-technician-status")
	b.Visit("/approve")
	check("13-technician-refused")
	b.Visit("/")
	b.Press("form[action='/scan'] button")
	<-o.Review.start()
	b.Visit("/")
	b.Press("form[action='/close'] button")
	check("14-closed")
	b.Visit(link)
	check("15-used-link")
	b.Visit(o.NewLink())
	b.Press("main button")
	b.Visit("/helper")
	b.Visit("/status")
	check("16-status-owner")
	b.Press("input[name=others] + button")
	check("17-others-closed")

	door := httptest.NewServer(o.LANPages()) // its look alone: TLS is agent's test
	defer door.Close()
	d := pagestest.Open(t, door.URL, win.width, 900)
	d.Visit("/?lang=" + win.lang)
	d.Do(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('main details').forEach(d => d.open = true)"))
	d.Check("session-" + win.name + "-18-login")
	d.Fill("#password", "sbagliata")
	d.Press("main form button")
	d.Check("session-" + win.name + "-19-login-wrong")
	for range maxTries {
		d.Fill("#password", "sbagliata")
		d.Press("main form button")
	}
	d.Check("session-" + win.name + "-20-login-many")
}
