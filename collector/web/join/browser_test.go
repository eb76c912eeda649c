package join

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// serve opens the pages on a loopback port, without TLS, as on a first try.
func (d *door) serve() (origin string) {
	return fmt.Sprintf("http://localhost:%d", pagestest.Serve(d.t, d.web, d.pages))
}

// The pages of a referent, one language and width each.
func TestReferentPagesInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"wide-en": {1280, pages.En}, "narrow-it": {390, pages.It}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.imports("Sportello di piazza Duca d'Aosta, angolo via Vitruvio", "Agenzia 3")
			quiet := d.imports("Agenzia 4")[0]
			if err := d.reg.Act(t.Context(), quiet, protocol.SiteSuspended, d.now); err != nil {
				t.Fatal(err)
			}
			bar := d.door.site
			d.takeIn(d.bank, bar)
			d.door.site = d.site
			d.door.asks(protocol.Invitation, false)
			d.lets(nil, protocol.MayPrepare, protocol.MayAnswer)
			d.lets([]string{d.site}, protocol.MayApprove)
			link, err := d.entry.NewLink(t.Context(), "", d.user.ID, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			d.web, d.pages = d.entry, d.handler
			b := pagestest.Open(t, d.serve(), c.width, 900)
			check := func(where string) { t.Helper(); b.Check("referent-" + where + "-" + name) }
			b.Visit(link + "&lang=" + string(c.lang))
			b.Press("main form button")
			check("sites")
			b.Visit(ReferentPath + "/sites/" + d.site)
			b.Do(chromedp.Evaluate[chromedp.Void]("document.querySelectorAll('main details').forEach(d => d.open = true)"))
			check("site-asked")
			b.Press("button[value='copied']")
			check("site-answered")
			d.now = d.now.Add(20 * 24 * time.Hour)
			b.Visit(ReferentPath + "/delegations")
			check("login")
			d.now = d.now.Add(-20 * 24 * time.Hour)
			b.Visit(ReferentPath + "/delegations")
			check("delegations")
			b.Visit(ReferentPath + "/import")
			check("import")
		})
	}
}

func TestPagesInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"wide-it": {1280, pages.It}, "narrow-en": {390, pages.En}} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			bank := d.addBank()
			d.takeIn(bank, d.site)
			d.delegate(bank, "Luca Verdi", "contratto di manutenzione 12/2026", d.site)
			d.delegate(bank, "Ufficio tecnico di sede", "delibera del 3 marzo 2026")
			d.takeIn(bank, d.otherSite())
			token := d.named()
			for i, text := range []string{"Il registratore non risponde da lunedì.\n\nControlla che sia acceso e che il cavo di rete sia attaccato, poi apri https://assistenza.example.it/" +
				strings.Repeat("registratore", 8), "Adesso va bene, grazie."} {
				if n, err := d.reg.WriteTo(t.Context(), []string{d.site}, text, d.now.Add(time.Duration(i)*time.Hour)); err != nil || n != 1 {
					t.Fatal(n, err)
				}
			}
			b := pagestest.Open(t, d.serve(), c.width, 900)
			check := func(where string) { t.Helper(); b.Check("join-" + where + "-" + name) }
			b.Visit("/site?lang=" + string(c.lang))
			check("code")
			b.Fill("#code", protocol.NewCode().String())
			b.Press("main form button")
			check("wrong")
			b.Fill("#code", d.code.String())
			b.Press("main form button")
			b.Click("summary")
			if n := pagestest.Eval[int](b, `document.querySelectorAll("section[aria-labelledby=letters] h3").length`); n != 2 {
				t.Errorf("%d letters of the office are shown", n)
			}
			check("site")
			b.Press("a[href='/site/changes']")
			check("changes")
			b.Visit("/site")
			b.Press("a[href^='/site/delegations/']")
			check("revoke")
			b.Press("form[action$='/revoke'] button")
			check("revoked")
			b.Visit("/contact/" + token)
			check("contact")
			b.Press("main form button")
			check("contact-accepted")
			b.Visit("/site")
			b.Press("form[action='/site/suspend'] button")
			check("suspended")
			b.Press("form[action='/site/resume'] button")
			b.Press("a[href='/site/withdraw']")
			check("withdraw")
			b.Press("form[action='/site/withdraw'] button")
			check("withdrawn")
			b.Visit("/contact/" + token)
			check("contact-used")
			b.Visit("/nowhere")
			check("missing")
			b.Visit("/privacy")
			check("privacy")
			if _, err := d.reg.Own(t.Context(), d.site); !errors.Is(err, registry.ErrUnknownSite) {
				t.Errorf("the site is not withdrawn: %v", err)
			}
		})
	}
}
