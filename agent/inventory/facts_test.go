package inventory

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// What a device says of where a value comes from is shown, and never leaves.
func TestFactsAreShownAndNeverLeave(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	measured := protocol.Fact{Source: protocol.Measured, At: noon}
	d := cameraDevice(0)
	d.Family, d.Kept, d.Zone, d.ZoneAssumed = interrogate.Hikvision, interrogate.KeptDisk, "Europe/Rome", true
	d.Facts = map[string]interrogate.Fact{"clock": {Fact: measured, From: "SENTINELLA-DOMANDA", Raw: "SENTINELLA-OROLOGIO"}}
	d.Channels[0].Also = []string{"SENTINELLA-ALTRO"}
	d.Channels[0].Facts = map[string]interrogate.Fact{
		"schedule": {Fact: measured, From: "SENTINELLA-DOMANDA", Raw: "SENTINELLA-ORARIO"},
		"name":     {Fact: measured, From: "SENTINELLA-DOMANDA", Raw: "SENTINELLA-NOME"}}
	record(t, v, noon, d)
	later := d
	later.Facts, later.Zone, later.Kept, later.Family, later.ZoneAssumed = nil, "", "", "", false
	later.Channels = []interrogate.Channel{channel("src_1", "Ingresso via Torino")}
	later.Channels[0].Facts = map[string]interrogate.Fact{"name": {Fact: measured, Raw: "SENTINELLA-NUOVO"}}
	record(t, v, noon.Add(time.Hour), later)
	c := cameras(t, v)[0]
	if c.Device.Family != interrogate.Hikvision || c.Device.Kept != interrogate.KeptDisk || !c.Device.ZoneAssumed ||
		c.Device.Facts["clock"].Raw != "SENTINELLA-OROLOGIO" {
		t.Errorf("what was not read again is gone: %+v", c.Device)
	}
	if c.Facts["schedule"].Raw != "SENTINELLA-ORARIO" || c.Facts["schedule"].From != "SENTINELLA-DOMANDA" || c.Facts["name"].Raw != "SENTINELLA-NUOVO" {
		t.Errorf("facts %+v", c.Facts)
	}
	outdoors(t, v, c.ID, true)
	approve(t, v, c.ID)
	deliver(t, v)
	d.Channels[0].Schedule.Kind = protocol.ScheduleOff
	record(t, v, noon.Add(3*time.Hour), d)
	last[protocol.Observation](t, v)
	if !bytes.Contains(files(t, filepath.Dir(path(t, v))), []byte("SENTINELLA")) {
		t.Fatal("no sentinel was kept: the test proves nothing")
	}
	for _, m := range outbox(t, v) {
		if bytes.Contains(m.Raw, []byte("SENTINELLA")) {
			t.Errorf("a %s holds the device's own words", m.Kind)
		}
	}
}

// A recorder that tells nothing of its schedule does not contradict what the
// camera itself had told and the owner confirmed.
func TestSilenceDoesNotDiffer(t *testing.T) {
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	own, nvr := cameraDevice(0), recorder(bySerial, 0)
	nvr.Channels[1].Schedule, nvr.Channels[1].Retention = protocol.Schedule{}, protocol.Retention{}
	record(t, v, noon, own)
	id := cameras(t, v)[0].ID
	outdoors(t, v, id, true)
	approve(t, v, id)
	record(t, v, noon.Add(time.Hour), own, nvr)
	c, err := view(t, v).Camera(id)
	if err != nil || len(c.Paths) != 2 || c.Values.Schedule.Kind != "" || len(c.Differs) > 0 {
		t.Errorf("differs in %v: %+v, %v", c.Differs, c.Values.Schedule, err)
	}
}
