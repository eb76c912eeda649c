package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages/pagestest"
)

// serve opens the consultation listener on a loopback port.
func (m *room) serve() (port int) { return pagestest.Serve(m.t, m.web, m.handler) }

// An auditor signs in by link and reads their page: on
// http://127.0.0.1 too the browser keeps the __Host- cookie.
func TestPageInABrowser(t *testing.T) {
	m := newRoom(t)
	m.consult(3)
	m.user(registry.RoleForceAuditor)
	users, err := m.reg.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	origin := fmt.Sprintf("http://127.0.0.1:%d", m.serve())
	link, err := m.web.NewLink(t.Context(), origin, users[0].ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	b := pagestest.Open(t, origin, 390, 900)
	b.Visit(link)
	b.Press("main form button[type=submit]")
	for name, width := range map[string]int64{"wide": 1280, "narrow": 390} {
		b.Resize(width, 900)
		b.Visit("/audit")
		b.Check("audit-" + name)
		if !pagestest.Eval[bool](b, `document.querySelector("dl code") !== null`) {
			t.Errorf("%s: this is not the auditors' page: %s", name, pagestest.Eval[string](b, "location.href"))
		}
	}
	for name, width := range map[string]int64{"wide": 1280, "narrow": 390} {
		b.Resize(width, 900)
		b.Visit("/audit/threats")
		b.Check("audit-threats-" + name)
	}
	b.Visit("/audit")
	if text := pagestest.Eval[string](b, `document.querySelector("main").innerText`); !strings.Contains(text, m.trail.VerifierKey()) {
		t.Error(text)
	}
}

// An auditor of a force looks at its entries, closed and then open, and a data
// protection officer at the counts.
func TestEntriesInABrowser(t *testing.T) {
	m := newRoom(t)
	m.work()
	origin := fmt.Sprintf("http://127.0.0.1:%d", m.serve())
	b := pagestest.Open(t, origin, 1280, 900)
	signIn := func(role string) {
		m.user(role)
		users, err := m.reg.Users(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(users, func(u registry.User) bool { return u.Role == role })
		link, err := m.web.NewLink(t.Context(), origin, users[i].ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		b.Visit(link)
		b.Press("main form button[type=submit]")
	}
	both := func(name, path string) {
		for at, width := range map[string]int64{"wide": 1280, "narrow": 390} {
			b.Resize(width, 900)
			b.Visit(path)
			b.Check(name + "-" + at)
		}
	}
	signIn(registry.RoleForceAuditor)
	both("entries-closed", "/audit/entries")
	b.Resize(1280, 900)
	b.Fill("#identity", m.key.String())
	b.Press("form[action='/audit/open'] button")
	both("entries-open", "/audit/entries?kind=search")
	if text := pagestest.Eval[string](b, `document.querySelector("main").innerText`); !strings.Contains(text, "rapina in via Torino") || !strings.Contains(text, "Isp. Bianchi") {
		t.Error(text)
	}
	b.Fill("#text", "Torino 17")
	b.Press("form[action='/audit/entries'] button")
	if text := pagestest.Eval[string](b, `document.querySelector("#list").innerText`); text != "Una registrazione" {
		t.Error(text)
	}
	b.Press("form[action='/logout'] button")
	signIn(registry.RoleDPO)
	both("dpo", "/audit")
}
