package join

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"anagrafe/collector/act"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// agedDoor is a door at which nobody has been for so many days.
func agedDoor(t *testing.T, days ...int) *door {
	t.Helper()
	d := newDoor(t)
	begin := d.now
	for _, n := range days {
		d.now = begin.AddDate(0, 0, n)
		if _, err := d.reg.Age(t.Context(), d.now, func(context.Context, act.Kind, []string) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// One click renews the adhesion and confirms the contacts, once it is on the trail.
func TestRenew(t *testing.T) {
	d := agedDoor(t, 340, 410)
	cookie, _ := d.enter(d.code.String())
	says := func(words ...string) {
		t.Helper()
		page := body(t, d.ask("GET", "/site", cookie, nil, nil))
		for _, w := range words {
			if !strings.Contains(page, w) {
				t.Errorf("the page does not say %q", w)
			}
		}
	}
	var w pages.Words
	made := d.now.AddDate(0, 0, -412)
	says("Recapito non verificato", "scaduta", w.Day(made), w.Day(made.AddDate(1, 0, 0)), w.Day(made.AddDate(2, 0, 0)))
	if resp := d.ask("POST", "/site/renew", "", nil, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a session: %d", resp.StatusCode)
	}
	d.err = errors.New("disk full")
	if resp := d.ask("POST", "/site/renew", cookie, nil, nil); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without the trail: %d", resp.StatusCode)
	}
	says("Recapito non verificato")
	d.err = nil
	if resp := d.ask("POST", "/site/renew", cookie, nil, nil); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/site" {
		t.Fatalf("%d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	if last := d.acts[len(d.acts)-1]; last.Kind != "owner-renew" || last.User.ID != "owner "+d.site {
		t.Errorf("on the trail: %+v", last)
	}
	says(w.Day(d.now), w.Day(d.now.AddDate(1, 0, 0)))
	if page := body(t, d.ask("GET", "/site", cookie, nil, nil)); strings.Contains(page, "Recapito non verificato") || strings.Contains(page, "scaduta") || strings.Contains(page, "da rinnovare<") {
		t.Error("it is renewed, and still said to be due")
	}
}

func TestRenewInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"wide-it": {1280, pages.It}, "narrow-en": {390, pages.En}} {
		t.Run(name, func(t *testing.T) {
			d := agedDoor(t, 340, 410)
			b := pagestest.Open(t, d.serve(), c.width, 900)
			b.Visit("/site?lang=" + string(c.lang))
			b.Fill("#code", d.code.String())
			b.Press("main form button")
			b.Check("join-overdue-" + name)
			b.Press("form[action='/site/renew'] button")
			b.Check("join-renewed-" + name)
		})
	}
}
