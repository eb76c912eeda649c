package join

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// invite gives the token and the code of an invitation by letter.
func (d *door) invite() registry.InviteeResult {
	d.t.Helper()
	_, made, err := d.reg.PlanWave(d.t.Context(), []registry.Invitee{{Site: protocol.Site{Name: "Sartoria Brambilla", Category: "shop",
		Address: "Via Larga 8, 20122 Milano"}, Channel: registry.ChannelLetter}},
		registry.WavePlan{At: d.now, Source: "albo", Record: func(context.Context, int, int) error { return nil }})
	if err != nil || made[0].State != registry.InviteeNew {
		d.t.Fatal(made, err)
	}
	return made[0]
}

// The page shows who was invited, the code and both ways; the button deletes it, once
// that is on the trail, which does not say whose it was.
func TestInvitation(t *testing.T) {
	d := newDoor(t)
	made := d.invite()
	path := "/invited/" + made.Token
	page := body(t, d.ask("GET", path, "", nil, nil))
	for _, want := range []string{"Sartoria Brambilla", "Via Larga 8", made.Code.String(), "https://localhost:8443/enrol#" + made.Code.String(),
		`action="/aderisci/invito" class="mb-4"><input type="hidden" name="code" value="` + made.Code.String() + `"`, `action="` + path + `"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if resp := d.ask("GET", "/invited/"+made.Token[1:], "", nil, nil); resp.StatusCode != http.StatusNotFound || strings.Contains(body(t, resp), "Brambilla") {
		t.Errorf("another token: %d", resp.StatusCode)
	}
	if all, err := d.reg.Waves(t.Context(), 0, 1); err != nil || all[0].Opened != 1 {
		t.Errorf("%+v %v", all, err)
	}
	if rows, err := d.reg.Funnel(t.Context(), registry.GroupNone, d.now); err != nil || rows[0].Reached[registry.StageOpened] != 2 { // with the site of the door
		t.Errorf("the funnel after the page was opened: %+v %v", rows, err)
	}
	if resp := d.ask("POST", path, "", nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); resp.StatusCode != http.StatusForbidden {
		t.Errorf("from another site's page: %d", resp.StatusCode)
	}
	d.err = errors.New("full")
	if resp := d.ask("POST", path, "", nil, nil); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without the trail: %d", resp.StatusCode)
	}
	d.err, d.acts = nil, nil
	if resp := d.ask("POST", path, "", nil, nil); resp.StatusCode != http.StatusOK || !strings.Contains(body(t, resp), "Fatto") {
		t.Errorf("refused: %d", resp.StatusCode)
	}
	if len(d.acts) != 1 || d.acts[0].Kind != "invitation-refuse" || d.acts[0].Details != nil {
		t.Errorf("on the trail: %+v", d.acts)
	}
	for _, method := range []string{"GET", "POST"} {
		if resp := d.ask(method, path, "", nil, nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s after that: %d", method, resp.StatusCode)
		}
	}
	if strings.Contains(d.log.String(), made.Token) || strings.Contains(d.log.String(), made.Code.String()) {
		t.Error("the token or the code is in the log")
	}
}

func TestInvitationInABrowser(t *testing.T) {
	d := newDoor(t)
	made := d.invite()
	for _, c := range []struct {
		width int64
		name  string
	}{{1280, "wide-it"}, {390, "narrow-en"}} {
		width, name := c.width, c.name
		b := pagestest.Open(t, d.serve(), width, 900)
		b.Visit("/invited/" + made.Token + "?lang=" + name[len(name)-2:])
		b.Check("join-invitation-" + name)
		b.Visit("/invited/none")
		b.Check("join-invitation-used-" + name)
		if width == 390 {
			b.Visit("/invited/" + made.Token)
			b.Press("form[action^='/invited/'] button")
			b.Check("join-invitation-ended-" + name)
		}
	}
}
