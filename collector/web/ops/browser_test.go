package ops

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// serveDesk opens a console on a loopback port, without TLS, as on a first try.
func serveDesk(t *testing.T) *desk {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := newDeskAt(t, fmt.Sprintf("http://ops.localhost:%d", l.Addr().(*net.TCPAddr).Port))
	ctx, stop := context.WithCancel(d.t.Context())
	served := make(chan error, 1)
	go func() { served <- d.web.Serve(ctx, d.pages, l) }()
	d.t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			d.t.Error(err)
		}
	})
	return d
}

// It is long because it is one way, step by step.
func TestPagesInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"wide-it": {1280, pages.It}, "narrow-en": {390, pages.En}} {
		t.Run(name, func(t *testing.T) {
			d := serveDesk(t)
			_, site := d.redeem(map[string]string{"site": "Bar Centrale"}, false)
			d.redeem(map[string]string{"site_id": site}, true) // two for one site, the second a visit
			admin, _ := d.user(registry.RoleAdmin, "")
			d.user(registry.RoleOps, "")
			link, err := d.web.NewLink(t.Context(), d.web.PublicURL, admin, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			origin, path, _ := strings.Cut(link, "/login")
			b := pagestest.Open(t, origin, c.width, 900)
			check := func(where string) { t.Helper(); b.Check("ops-" + where + "-" + name) }
			b.Visit("/login?lang=" + string(c.lang))
			check("login")
			b.Authenticator()
			b.Visit("/login" + path)
			check("link")
			b.Press("main form button[type=submit]")
			b.Press("main form[data-passkey] button")
			check("overview") // the cookie is kept on http://localhost, or this would be the login
			b.Fill("#address", strings.Repeat("a", 400))
			b.Fill("#site", " ")
			b.Press("form[action='/invite'] button")
			check("invite-refused")
			b.Fill("#site", "Farmacia San Carlo")
			b.Fill("#address", "Via Torino 1")
			b.Press("form[action='/invite'] button")
			if code := pagestest.Eval[string](b, `document.querySelector("code.code").textContent`); len(code) < 12 {
				t.Errorf("code %q", code)
			}
			check("invited")
			d.invite(60)
			b.Visit("/sites")
			check("sites")
			b.Visit("/funnel")
			check("funnel")
			b.Visit("/funnel?by=category&over=month")
			check("funnel-months")
			b.Visit("/sites?page=2&sort=heard&order=asc")
			b.Click(".list-saved summary")
			b.Fill("#filter-name", "Negozi che tacciono da molto tempo e che vanno chiamati")
			b.Press(".list-saved form button")
			check("sites-saved")
			b.Visit("/sites?state=sharing")
			check("sites-none")
			b.Visit("/sites?state=odd")
			check("sites-refused")
			b.Visit("/agents")
			b.Click("td summary")
			check("agents")
			b.Press("td form[action^='/agents/'] button")
			check("agents-revoked")
			d.remark(registry.Remark{At: time.Now(), Kind: registry.RemarkReport, Topic: "accessibility", Text: "Con il lettore di schermo\nnon si capisce.", Email: "anna@example.it"})
			d.remark(registry.Remark{At: time.Now(), Kind: registry.RemarkRating, Page: "/faq", Stars: 2, Text: "non ho capito"})
			if err := d.reg.AddRating(t.Context(), registry.Rating{Page: "/faq", Stars: 2, Reason: 1}, time.Now()); err != nil {
				t.Fatal(err)
			}
			b.Visit("/remarks")
			check("remarks")
			b.Press("form[action^='/remarks/'] button")
			b.Visit("/remarks?all=1")
			check("remarks-all")
			b.Visit("/users")
			check("users")
			b.Fill("#name", "Ufficio")
			b.Press("form[action='/users'] button")
			check("added")
			b.Visit("/users")
			b.Fill("#name", "Ufficio")
			b.Press("form[action='/users'] button")
			check("users-refused")
			b.Visit("/forces")
			check("forces-none")
			b.Fill("#name", "Questura di Milano")
			b.Fill("#act", "prot. 123 del 3 novembre 2026, accesso al registro")
			b.Press("form[action='/forces'] button")
			check("forces-refused")
			b.Fill("#recipient", recipient(t))
			b.Press("form[action='/forces'] button")
			check("forces")
			b.Fill("#first-0", "Ufficio") // taken
			b.Press("form[action='/users'] button")
			check("forces-first-refused")
			b.Fill("#first-0", "Carla Riva")
			b.Press("form[action='/users'] button")
			file := pagestest.Eval[string](b, `document.querySelector("a[download]").href`)
			if !strings.HasPrefix(file, "data:application/json;base64,") {
				t.Errorf("the credential file is at %q", file)
			}
			check("added-first")
			b.Visit("/forces")
			check("forces-administered")
			b.Visit("/users")
			b.Click("main details:nth-of-type(2) summary")
			check("users-link")
			b.Press("form[action$='/link'] button")
			if link := pagestest.Eval[string](b, `document.querySelector("main code").textContent`); !strings.Contains(link, "/login/link?token=") {
				t.Errorf("the link is %q", link)
			}
			check("linked")
			b.Visit("/nowhere")
			check("missing")
			b.Press("form[action='/logout'] button")
			b.Visit("/users")
			if at := pagestest.Eval[string](b, `location.pathname`); at != "/login" {
				t.Errorf("signed out, and yet at %s", at)
			}
		})
	}
}
