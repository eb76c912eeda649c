package join

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/pages/pagestest"
)

// typed is a site that somebody typed on the form, with its owner's code.
func (d *door) typed() (site string, code protocol.Code) {
	d.t.Helper()
	id, err := d.reg.BeginSubmission(d.t.Context(), registry.Submission{Site: protocol.Site{Name: "Edicola", Category: "shop", Address: "Via Po 1"},
		Contacts: []protocol.Contact{{Name: "Anna Bianchi", Role: protocol.RoleOwner, Phone: "02 5555 0101"}},
		Place:    protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}, Method: "typed"},
		Cameras:  []registry.SubmittedCamera{{Camera: protocol.Camera{ID: uuid.NewString(), Name: "Ingresso"}}},
		Identity: &registry.Identity{Trust: protocol.TrustEmail, At: d.now}}, d.now)
	if err != nil {
		d.t.Fatal(err)
	}
	if site, err = d.reg.Adhere(d.t.Context(), id, "2", d.now); err != nil {
		d.t.Fatal(err)
	}
	receipt, err := d.reg.HandReceipt(d.t.Context(), site, d.now)
	if err != nil {
		d.t.Fatal(err)
	}
	return site, receipt.OwnerCode
}

// The owner of what was typed may change it, and gets a code for an agent; of what an
// agent keeps neither is offered, nor given.
func TestWhatWasTyped(t *testing.T) {
	d := newDoor(t)
	site, code := d.typed()
	cookie, _ := d.enter(code.String())
	page := body(t, d.ask("GET", "/site", cookie, nil, nil))
	if !strings.Contains(page, `action="/aderisci/modifica"`) || !strings.Contains(page, `action="/site/code"`) {
		t.Error("it cannot be changed, or no code is given")
	}
	shown := body(t, d.ask("POST", "/site/code", cookie, nil, nil))
	m := regexp.MustCompile(`<strong class="code">([0-9A-Z-]+)</strong>`).FindStringSubmatch(shown)
	if m == nil {
		t.Fatal(shown)
	}
	if last := d.acts[len(d.acts)-1]; last.Kind != "owner-enrol" {
		t.Errorf("%+v", last)
	}
	given, err := protocol.ParseCode(m[1])
	if err != nil {
		t.Fatal(err)
	}
	grant, err := d.reg.Redeem(t.Context(), ingest.Redemption{CodeHash: given.Hash(), KeyHash: [32]byte{9}, AgentID: uuid.NewString(), At: d.now})
	if err != nil || grant.SiteID != site {
		t.Fatalf("%+v, %v", grant, err)
	}
	page = body(t, d.ask("GET", "/site", cookie, nil, nil))
	if strings.Contains(page, "/aderisci/modifica") || strings.Contains(page, "/site/code") {
		t.Error("it is offered of what an agent keeps")
	}
	if resp := d.ask("POST", "/site/code", cookie, nil, nil); resp.StatusCode != http.StatusConflict {
		t.Errorf("a code for what an agent keeps: %d", resp.StatusCode)
	}
}

func TestWhatWasTypedInABrowser(t *testing.T) {
	d := newDoor(t)
	_, code := d.typed()
	b := pagestest.Open(t, d.serve(), 390, 900)
	b.Visit("/site?lang=it")
	b.Fill("#code", code.String())
	b.Press("main form button")
	b.Check("join-typed")
	b.Press("form[action='/site/code'] button")
	b.Check("join-enrol")
}
