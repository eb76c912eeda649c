package force

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// serve opens the listener on a loopback port, without TLS.
func (o *office) serve() (origin string) {
	return fmt.Sprintf("http://127.0.0.1:%d", pagestest.Serve(o.t, o.web, o.pages))
}

func TestPagesInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"wide-it": {1280, pages.It}, "narrow-en": {390, pages.En}} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			gone, _ := o.user("Ass. Capo Verdi", registry.RoleOfficer, "Questura")
			if err := o.reg.RevokeUser(t.Context(), gone.ID, time.Now()); err != nil {
				t.Fatal(err)
			}
			b := pagestest.Open(t, o.serve(), c.width, 900)
			check := func(where string) { t.Helper(); b.Check("force-" + where + "-" + name) }
			o.enter(b, c.lang)
			b.Visit("/force")
			check("people")
			b.Fill("#name", "Isp. Anna Bruni")
			b.Press("form[action='/force/users'] button")
			check("refused") // an officer without a qualification
			b.Fill("#qualification", registry.Agente)
			b.Click("#file")
			b.Press("form[action='/force/users'] button")
			check("added")
			if file := pagestest.Eval[string](b, `document.querySelector("a[download]").href`); !strings.HasPrefix(file, "data:application/json;base64,") {
				t.Errorf("the credential file is at %q", file)
			}
			b.Visit("/force/users?lang=" + string(c.lang)) // a language link of that page
			if at := pagestest.Eval[string](b, `location.pathname`); at != "/force" {
				t.Errorf("led to %s", at)
			}
			b.Click("summary")
			check("open")
			b.Fill("details select", registry.Ufficiale)
			b.Press("form[action$='/qualification'] button")
			if text := pagestest.Eval[string](b, `document.querySelector(".people").innerText`); !strings.Contains(text, registry.Ufficiale) {
				t.Errorf("the list says %s", text)
			}
			b.Click("summary")
			b.Press("form[action$='/link'] button")
			check("link")
			b.Visit("/force")
			b.Click("summary")
			b.Press("form[action$='/sessions'] button")
			b.Click("summary")
			b.Press("form[action$='/revoke'] button")
			check("revoked")
			if n := pagestest.Eval[int](b, `document.querySelectorAll(".people details").length`); n != 0 {
				t.Errorf("%d who may still be changed", n)
			}
		})
	}
}

// enter signs the administrator in by link.
func (o *office) enter(b *pagestest.Tab, lang pages.Lang) {
	o.t.Helper()
	link, err := o.web.NewLink(o.t.Context(), "", o.admin.ID, time.Hour)
	if err != nil {
		o.t.Fatal(err)
	}
	b.Visit("/login?lang=" + string(lang))
	b.Visit(link)
	b.Press("main form button[type=submit]")
}
