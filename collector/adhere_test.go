package main

import (
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// The code of the receipt of who adhered by hand enrols an agent over QUIC: it is given
// what was typed, and what it measures takes its place.
func TestAgentTakesOverWhatWasTyped(t *testing.T) {
	agents := freePort(t, "127.0.0.1")
	s := serveAt(t, t.TempDir(), agents, freePort(t, "127.0.0.1"))
	defer s.stop()
	now := time.Now()
	typed := registry.Submission{Site: protocol.Site{Name: "Bar Centrale", Category: "shop", Address: "Via Torino 1"},
		Contacts: []protocol.Contact{{Name: "Anna Bianchi", Role: protocol.RoleOwner, Phone: "02 5555 0101"}},
		Place:    protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_000}, Method: "typed"},
		Identity: &registry.Identity{Trust: protocol.TrustEmail, At: now}}
	for _, name := range []string{"Ingresso", "Vetrina"} {
		typed.Cameras = append(typed.Cameras, registry.SubmittedCamera{Camera: protocol.Camera{ID: uuid.NewString(), Name: name}})
	}
	id, err := s.o.reg.BeginSubmission(t.Context(), typed, now)
	if err != nil {
		t.Fatal(err)
	}
	site, err := s.o.reg.Adhere(t.Context(), id, "2", now)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := s.o.reg.HandReceipt(t.Context(), site, now)
	if err != nil {
		t.Fatal(err)
	}

	a := playWith(t, agents, receipt.Enrol)
	defer a.leave()
	given, err := a.delivery.GetSite(t.Context(), connect.NewRequest(&wire.GetSiteRequest{SiteId: site}))
	if err != nil {
		t.Fatal(err)
	}
	m, err := protocol.Decode(given.Msg.GetMessage())
	if err != nil {
		t.Fatal(err)
	}
	d, ok := m.Body.(protocol.Declaration)
	if !ok || len(d.Cameras) != 2 || d.Contacts[0].Phone != "02 5555 0101" {
		t.Fatalf("%+v", m)
	}
	measured := protocol.Fact{Source: protocol.Measured, At: now}
	d.Cameras[0].Schedule = protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: "Europe/Rome", Fact: measured}
	a.say(d)
	h, err := s.o.reg.History(t.Context(), site, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for id, versions := range h.Cameras {
		want := map[bool]protocol.Source{true: protocol.Measured, false: protocol.SourceUnknown}[id == d.Cameras[0].ID]
		if got := versions[len(versions)-1].Camera.Schedule.Fact.Source; got != want {
			t.Errorf("camera %s: the schedule is %q", id, got)
		}
	}
	if is, err := s.o.reg.ByHand(t.Context(), site); is || err != nil {
		t.Error("the form can still change it", err)
	}
	if a.ownerCode != receipt.OwnerCode.String() {
		t.Error("the agent's receipt carries another owner's code than the form's")
	}
}
