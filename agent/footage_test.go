package main

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// A request comes; on its owner's act the recorder is asked, on its own clock, and
// the register hears yes or no. One whose interface cannot be asked for an interval
// is looked at.
func TestFind(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	from, until := now.Add(-3*time.Hour), now.Add(-150*time.Minute)
	around := cameratest.Stretch{From: from.Add(-time.Hour), Until: until.Add(time.Hour)}
	before := cameratest.Stretch{From: from.Add(-9 * time.Hour), Until: from.Add(-8 * time.Hour)}
	for name, c := range map[string]struct {
		folder  string
		footage []cameratest.Stretch
		channel string
		said    interrogate.Presence
		want    protocol.ReplyState
	}{
		"there":     {"officina-frigate", []cameratest.Stretch{around}, "cortile", interrogate.PresenceYes, protocol.ReplyPresent},
		"gone":      {"officina-frigate", []cameratest.Stretch{before}, "cortile", interrogate.PresenceNo, protocol.ReplyAbsent},
		"by a look": {"ferramenta-axis", nil, "", interrogate.PresenceYes, protocol.ReplyPresent},
	} {
		t.Run(name, func(t *testing.T) {
			conversation, err := cameratest.LoadDir(filepath.Join("..", "testdata", "cameras", "recorders", c.folder))
			if err != nil {
				t.Fatal(err)
			}
			d, err := cameratest.Start(conversation, cameratest.Options{Auth: cameratest.AuthNone, Footage: &cameratest.Footage{Channels: map[string][]cameratest.Stretch{c.channel: c.footage}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			s := siteFor(t, defaults())
			if err := s.lookAt(t.Context(), []discover.Sighting{{Address: d.Address(), Methods: []discover.Method{discover.MethodTarget}}}); err != nil {
				t.Fatal(err)
			}
			camera := declareAny(t, s.inv, c.channel)
			n := protocol.Notice{ID: uuid.NewString(), SiteID: camera.SiteID, At: now, Body: protocol.Preserve{Kind: protocol.Order, From: "Questura di Milano",
				Start: from, End: until, CameraIDs: []string{camera.ID}, CheckCode: "K7QM-2RPD"}}
			if err := s.inv.KeepNotice(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			asked := len(d.Requests())
			if err := s.find(t.Context(), n.ID); err != nil {
				t.Fatal(err)
			}
			if len(d.Requests()) == asked {
				t.Error("the recorder was not asked")
			}
			got, err := s.inv.Notice(t.Context(), n.ID)
			if err != nil || len(got.Checked) != 1 || got.Checked[0].Presence != c.said {
				t.Errorf("kept %+v, %v", got.Checked, err)
			}
			if !slices.Contains(repliesOf(t, s.inv), c.want) || got.PresentAt.IsZero() == (c.want == protocol.ReplyPresent) {
				t.Errorf("replies %v, want %q", repliesOf(t, s.inv), c.want)
			}
		})
	}
}

// known is what the inventory holds.
func known(t *testing.T, inv *inventory.Inventory) inventory.View {
	t.Helper()
	v, err := inv.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// declareAny declares the camera on a channel, "" any, at a site of its own.
func declareAny(t *testing.T, inv *inventory.Inventory, channel string) inventory.Camera {
	t.Helper()
	if err := inv.AddGrant(t.Context(), protocol.Grant{SiteID: uuid.NewString(), SiteName: "Bar", Category: "shop", Epoch: 1, From: time.Now().UTC().Add(-time.Hour)}, "https://c.example"); err != nil {
		t.Fatal(err)
	}
	if err := inv.SetContact(t.Context(), "", protocol.Contact{Name: "Anna Neri", Role: protocol.RoleOwner, Phone: "+39 02 5550 0100"}); err != nil {
		t.Fatal(err)
	}
	all := known(t, inv).Cameras
	i := slices.IndexFunc(all, func(c inventory.Camera) bool { return channel == "" || c.Channel == channel })
	if i < 0 {
		t.Fatalf("no channel %q of %d", channel, len(all))
	}
	if err := inv.Set(t.Context(), all[i].ID, inventory.Edit{Outdoor: new(true), Lon: new(9.19), Lat: new(45.46)}); err != nil {
		t.Fatal(err)
	}
	if _, err := inv.Approve(t.Context(), inventory.Selection{IDs: []string{all[i].ID}}, protocol.Approval{By: "Anna Neri"}); err != nil {
		t.Fatal(err)
	}
	c, err := known(t, inv).Camera(all[i].ID)
	if err != nil || c.State != inventory.StateDeclared {
		t.Fatalf("%s, lacks %v: %v", c.State, c.Missing, err)
	}
	return c
}

func repliesOf(t *testing.T, inv *inventory.Inventory) (all []protocol.ReplyState) {
	t.Helper()
	sent, err := inv.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range sent {
		if r, ok := m.Message.Body.(protocol.Reply); ok {
			all = append(all, r.State)
		}
	}
	return all
}
