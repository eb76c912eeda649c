package main

import (
	"bytes"
	"crypto/sha256"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// Who removes the service is told what stays in the register, and how it is taken
// out without this computer; a withdrawal that was not delivered is called that.
func TestUninstallSaysWhatStays(t *testing.T) {
	dir := t.TempDir()
	said := func() string {
		t.Helper()
		var out, complaint bytes.Buffer
		c := &call{console: console{out: &out, err: &complaint}, dir: dir, log: slog.New(slog.DiscardHandler)}
		c.inRegister(t.Context())
		if complaint.Len() > 0 {
			t.Error(complaint.String())
		}
		return out.String()
	}
	if text := said(); text != "" {
		t.Errorf("an agent that never ran: %q", text)
	}
	with := func(f func(*inventory.Inventory)) {
		t.Helper()
		inv, err := inventory.Open(t.Context(), dir, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		f(inv)
		if err := inv.Close(); err != nil {
			t.Fatal(err)
		}
	}
	const site, link = "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c001", "https://telecamere.example/site"
	code := protocol.NewCode()
	with(func(inv *inventory.Inventory) {
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		check(inv.Record(t.Context(), []interrogate.Device{{Sighting: discover.Sighting{Endpoint: "urn:uuid:1", Address: netip.MustParseAddrPort("192.0.2.7:80")}, Vendor: "Ditta", Kind: interrogate.KindCamera,
			Channels: []interrogate.Channel{{ID: "1", Name: "Ingresso"}}}}, time.Now()))
		check(inv.AddGrant(t.Context(), inventory.Grant{SiteID: site, SiteName: "Bar Centrale", Category: "other", Epoch: 1, From: time.Now(), Collector: "https://c.example:8443"}))
		check(inv.SetContact(t.Context(), "", protocol.Contact{Name: "Anna Neri", Role: protocol.RoleOwner, Phone: "+39 02 5550 0100"}))
		all, err := inv.Cameras(t.Context())
		check(err)
		check(inv.Set(t.Context(), all[0].ID, inventory.Edit{Outdoor: new(true), Lon: new(9.19), Lat: new(45.46)}))
		_, err = inv.Approve(t.Context(), []string{all[0].ID}, protocol.Approval{By: "Anna Neri"})
		check(err)
		id, _, raw, ok, err := inv.Next(t.Context(), "")
		if check(err); !ok {
			t.Fatal("nothing was approved")
		}
		check(inv.Acknowledge(t.Context(), protocol.Receipt{MessageID: id, SiteID: site, SHA256: sha256.Sum256(raw), RecordedAt: time.Now(),
			OwnerLink: link, OwnerCode: code}, "h3"))
	})
	if text := said(); !strings.Contains(text, "Bar Centrale stays in the register") || !strings.Contains(text, link) || !strings.Contains(text, code.String()) {
		t.Errorf("said %q", text)
	}
	with(func(inv *inventory.Inventory) {
		if err := inv.WithdrawSite(t.Context(), site, protocol.Approval{}); err != nil {
			t.Fatal(err)
		}
	})
	if text := said(); !strings.Contains(text, "not yet out of the register") || !strings.Contains(text, code.String()) {
		t.Errorf("said %q", text)
	}
}
