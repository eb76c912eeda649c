package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Who removes the service is told what stays in the register, and how it is taken
// out without this computer; a withdrawal that was not delivered is called that.
func TestUninstallSaysWhatStays(t *testing.T) {
	dir := t.TempDir()
	said := func() string {
		t.Helper()
		var out bytes.Buffer
		c := &call{console: console{out: &out}, dir: dir, log: slog.New(slog.DiscardHandler)}
		entries, err := c.entries(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.tell(entries, uninstallText(pages.En))
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
		check(inv.Record(t.Context(), []interrogate.Device{{Sighting: discover.Sighting{Endpoint: "urn:uuid:1",
			Address: netip.MustParseAddrPort("192.0.2.7:80")}, Vendor: "Ditta", Kind: interrogate.KindCamera,
			Channels: []interrogate.Channel{{ID: "1", Name: "Ingresso"}}}}, time.Now()))
		check(inv.AddGrant(t.Context(), protocol.Grant{SiteID: site, SiteName: "Bar Centrale", Category: "other", Epoch: 1, From: time.Now()}, "https://c.example:8443"))
		check(inv.SetContact(t.Context(), "", protocol.Contact{Name: "Anna Neri", Role: protocol.RoleOwner, Phone: "+39 02 5550 0100"}))
		all := known(t, inv).Cameras
		check(inv.Set(t.Context(), all[0].ID, inventory.Edit{Outdoor: new(true), Lon: new(9.19), Lat: new(45.46)}))
		_, err := inv.Approve(t.Context(), inventory.Selection{IDs: []string{all[0].ID}}, protocol.Approval{By: "Anna Neri"})
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
	if text := said(); !strings.Contains(text, "is not withdrawn yet: use this link") || !strings.Contains(text, code.String()) {
		t.Errorf("said %q", text)
	}
}

// Who withdraws is waited for until the register has recorded it, also with no agent
// running; where the Comune is not reached, the entry is called not withdrawn yet.
func TestUninstallWithdraws(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	c := &call{console: console{out: &out, err: &errs}, dir: dir, log: slog.New(slog.DiscardHandler), delivers: true}
	for _, args := range [][]string{{"enrol", startCollector(t)}, {"contact", "-name", "Anna Neri", "-phone", "+39 02 5550 0100"}} {
		if code := run(t.Context(), c.console, append(args, "-data", dir)); code != exitDone {
			t.Fatal(errs.String())
		}
	}
	inv, err := inventory.Open(t.Context(), dir, c.log)
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(inv.Record(t.Context(), []interrogate.Device{{Sighting: discover.Sighting{Endpoint: "urn:uuid:1",
		Address: netip.MustParseAddrPort("192.0.2.7:80")}, Vendor: "Ditta", Kind: interrogate.KindCamera,
		Channels: []interrogate.Channel{{ID: "1", Name: "Ingresso"}}}}, time.Now()))
	all := known(t, inv).Cameras
	check(inv.Set(t.Context(), all[0].ID, inventory.Edit{Outdoor: new(true), Lon: new(9.19), Lat: new(45.46)}))
	_, err = inv.Approve(t.Context(), inventory.Selection{IDs: []string{all[0].ID}}, protocol.Approval{By: "Anna Neri"})
	check(err)
	check(inv.Close())

	check(c.withAgent(t.Context(), func(cl client) error {
		var inRegister []kept
		wait(t, "the receipt", func() bool {
			inRegister, err = keptBy(t.Context(), cl)
			return err != nil || len(inRegister) == 1
		})
		return err
	}))
	entries, err := c.entries(t.Context())
	if err != nil || len(entries) != 1 || entries[0].Leaving {
		t.Fatalf("%+v, %v", entries, err)
	}
	c.delivers = false // the Comune is not reached
	still, err := c.withdrawn(t.Context(), 0)
	if err == nil || len(still) != 1 || !still[0].Leaving {
		t.Errorf("%+v, %v", still, err)
	}
	c.tell(still, uninstallText(pages.It))
	if text := out.String(); !strings.Contains(text, "non ancora tolta: usa questo link") || !strings.Contains(text, still[0].Code) || !strings.Contains(text, still[0].Link) {
		t.Errorf("said %q", text)
	}
	c.delivers = true
	if still, err = c.withdrawn(t.Context(), time.Minute); err != nil || len(still) != 0 {
		t.Errorf("with the Comune reached: %+v, %v", still, err)
	}
}

// A purge leaves nothing of what was there, and deletes no directory but an agent's.
func TestPurge(t *testing.T) {
	place := t.TempDir()
	c := &call{console: console{out: &bytes.Buffer{}, err: &bytes.Buffer{}}, dir: filepath.Join(place, "data"), log: slog.New(slog.DiscardHandler)}
	if err := c.purge(t.Context()); err != nil {
		t.Errorf("nothing to delete: %v", err)
	}
	s, err := openAgent(t.Context(), c.dir, defaults(), c.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"agent.toml", "updates/new", "atlas/tile"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(c.dir, f)), 0o700), os.WriteFile(filepath.Join(c.dir, f), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.purge(t.Context()); !errors.Is(err, errDaemon) {
		t.Errorf("under a running agent: %v", err)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "secrets.key")); err != nil {
		t.Errorf("and deleted: %v", err)
	}
	if err := errors.Join(s.Close(), c.purge(t.Context())); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(place); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "tesi.doc"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.dir = other
	if err := c.purge(t.Context()); err == nil {
		t.Error("took another directory for an agent's")
	}
	if _, err := os.Stat(filepath.Join(other, "tesi.doc")); err != nil {
		t.Error(err)
	}
}
