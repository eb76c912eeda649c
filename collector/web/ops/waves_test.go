package ops

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/pages/pagestest"
)

// wave invites two, one of them tomorrow.
func (d *desk) wave(t *testing.T) {
	t.Helper()
	if _, _, err := d.reg.PlanWave(t.Context(), []registry.Invitee{
		{Site: protocol.Site{Name: "Uno", Category: "shop"}, Channel: registry.ChannelLetter}, {Site: protocol.Site{Name: "Due", Category: "shop"}, Channel: registry.ChannelLetter},
	}, registry.WavePlan{PerDay: 1, At: d.web.Now(), Source: "albo", Record: func(context.Context, int, int) error { return nil }}); err != nil {
		t.Fatal(err)
	}
}

// A wave is paused, goes on and is cancelled, each once it is on the trail; the list
// counts, and names nobody.
func TestWaves(t *testing.T) {
	d := newDesk(t)
	_, secret := d.user(registry.RoleOps, "")
	d.wave(t)
	queued := func(want float64, paused bool) {
		t.Helper()
		_, out := d.ask(d.pages, secret, "GET", "/waves", nil)
		w := out["waves"].([]any)[0].(map[string]any)
		if w["Queued"] != want || w["Invited"] != 2.0 || (w["PausedAt"] != "0001-01-01T00:00:00Z") != paused {
			t.Errorf("%v", w)
		}
	}
	queued(1, false)
	for _, c := range []struct {
		path   string
		status int
		queued float64
		paused bool
	}{
		{"/waves/1/pause", http.StatusOK, 1, true}, {"/waves/1/resume", http.StatusOK, 1, false}, {"/waves/1/cancel", http.StatusOK, 0, false},
		{"/waves/1/pause", http.StatusUnprocessableEntity, 0, false}, {"/waves/7/cancel", http.StatusUnprocessableEntity, 0, false}, {"/waves/x/cancel", http.StatusUnprocessableEntity, 0, false},
	} {
		if status, out := d.ask(d.pages, secret, "POST", c.path, nil); status != c.status {
			t.Errorf("%s: %d %v", c.path, status, out)
		}
		queued(c.queued, c.paused)
	}
	if len(d.acts) < 3 || d.acts[0].Kind != "wave-pause" || d.acts[2].Kind != "wave-cancel" {
		t.Errorf("on the trail: %+v", d.acts)
	}
}

// A wave is changed to the end of it, though who asked has gone.
func TestWaveOutlastsItsRequest(t *testing.T) {
	d := newDesk(t)
	ctx, leave := context.WithCancel(web.WithUser(t.Context(), web.Host(registry.RoleOps)))
	r := httptest.NewRequestWithContext(ctx, "POST", "http://localhost/waves/1/cancel", nil)
	r.SetPathValue("number", "1")
	called := false
	d.ops.changeWave(act.WaveCancel, func(ctx context.Context, _ int, _ time.Time) error {
		leave()
		called = true
		if err := ctx.Err(); err != nil {
			t.Errorf("it breaks off: %v", err)
		}
		return nil
	})(httptest.NewRecorder(), r)
	if !called {
		t.Error("it does not begin")
	}
}

func TestWavesInABrowser(t *testing.T) {
	for name, c := range map[string]struct {
		width int64
		lang  pages.Lang
	}{"wide-it": {1280, pages.It}, "narrow-en": {390, pages.En}} {
		t.Run(name, func(t *testing.T) {
			d := serveDesk(t)
			d.wave(t)
			admin, _ := d.user(registry.RoleAdmin, "")
			link, err := d.web.NewLink(t.Context(), d.web.PublicURL, admin, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			origin, path, _ := strings.Cut(link, "/login")
			b := pagestest.Open(t, origin, c.width, 900)
			b.Visit("/login?lang=" + string(c.lang))
			b.Authenticator()
			b.Visit("/login" + path)
			b.Press("main form button[type=submit]")
			b.Press("main form[data-passkey] button")
			b.Visit("/waves")
			b.Check("ops-waves-" + name)
			b.Press("form[action='/waves/1/pause'] button")
			b.Check("ops-waves-paused-" + name)
		})
	}
}
