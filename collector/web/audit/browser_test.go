package audit

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages/pagestest"
)

// serve opens the consultation listener on a loopback port.
func (m *room) serve() (port int) {
	m.t.Helper()
	l, err := m.web.Listen("127.0.0.1:0")
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(m.t.Context())
	served := make(chan error, 1)
	go func() { served <- m.web.Serve(ctx, m.handler, l) }()
	m.t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			m.t.Error(err)
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}

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
	if text := pagestest.Eval[string](b, `document.querySelector("main").innerText`); !strings.Contains(text, m.trail.VerifierKey()) {
		t.Error(text)
	}
}
