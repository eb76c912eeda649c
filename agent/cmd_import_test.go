package main

import (
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// TestManyScripts runs testdata/script/agent/many: what a referent of many cameras
// types. The directory "agent" of each knows a recorder with four, all placed.
func TestManyScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "../testdata/script/agent/many", RequireExplicitExec: true,
		Deadline: time.Now().Add(2 * time.Minute), Setup: func(env *testscript.Env) error {
			dir := filepath.Join(env.WorkDir, "agent")
			if err := makeDir(dir); err != nil {
				return err
			}
			inv, err := inventory.Open(t.Context(), dir, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			return errors.Join(fourCameras(t, inv), inv.Close())
		}})
}

func fourCameras(t *testing.T, inv *inventory.Inventory) error {
	now := time.Now()
	nvr := interrogate.Device{
		Sighting: discover.Sighting{Endpoint: "urn:uuid:5f5a69c2-e0ae-504f-829b-00166cff0001", Address: netip.MustParseAddrPort("192.168.7.10:80")},
		Kind:     interrogate.KindRecorder, Vendor: "Ditta", Model: "NVR 8", Name: "Retro", Needs: interrogate.NeedsNothing, Answered: true,
	}
	for i, name := range []string{"Ingresso strada", "Ingresso cortile", "Cassa", "Magazzino"} {
		nvr.Channels = append(nvr.Channels, interrogate.Channel{ID: string(rune('1' + i)), Name: name})
	}
	err := errors.Join(inv.Record(t.Context(), []interrogate.Device{nvr}, now),
		inv.AddGrant(t.Context(), protocol.Grant{SiteID: "0d5b1c4e-3a57-4b0e-9d4f-6a1de2a7c001", SiteName: "Bar Centrale", Category: "bar-restaurant",
			Address: "via Torino 1, Milano", Epoch: 1, From: now}, "https://collettore.example:8443"),
		inv.SetContact(t.Context(), "", protocol.Contact{Name: "Anna Neri", Phone: "+39 02 5550 0100"}))
	if err != nil {
		return err
	}
	all := known(t, inv).Cameras
	for _, c := range all {
		err = errors.Join(err, inv.Set(t.Context(), c.ID, inventory.Edit{Lon: new(9.19), Lat: new(45.46)}))
	}
	return err
}
