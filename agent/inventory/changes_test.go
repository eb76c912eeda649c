package inventory

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/discover/cameratest"
	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// TestARecorderThatIsChanged goes the whole way of a change: somebody sets a
// recorder otherwise, the next visit reads that over its own interface, and what
// leaves is an observation; the owner is asked only about the name.
// It is long because it is one way, step by step.
func TestARecorderThatIsChanged(t *testing.T) {
	const folder = "../../testdata/cameras/recorders/merceria-hikvision"
	conversation, err := cameratest.LoadDir(filepath.FromSlash(folder))
	if err != nil {
		t.Fatal(err)
	}
	d, err := cameratest.Start(conversation, cameratest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	v := open(t, t.TempDir())
	enrol(t, v, siteA)
	contact(t, v)
	visits := 0
	visit := func() Camera {
		t.Helper()
		visits++
		now := time.Now().UTC().Add(time.Duration(visits) * 2 * time.Hour)
		v.now = func() time.Time { return now }
		found := asker(t, v, slog.New(slog.DiscardHandler)).Ask(t.Context(), discover.Sighting{Address: d.Address(), Methods: []discover.Method{discover.MethodTarget}})
		record(t, v, now, found)
		for _, c := range cameras(t, v) {
			if c.Values.Channel == "1" {
				return c
			}
		}
		return Camera{}
	}
	edit := func(file, old, fresh string) {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(folder, "web", file))
		if err != nil || !bytes.Contains(content, []byte(old)) {
			t.Fatalf("%s holds no %s: %v", file, old, err)
		}
		if err := d.Change(file, bytes.Replace(content, []byte(old), []byte(fresh), 1)); err != nil {
			t.Fatal(err)
		}
	}
	visit()
	devices := view(t, v).Devices
	if len(devices) != 1 || devices[0].Needs != interrogate.NeedsCredentials {
		t.Fatalf("%+v", devices)
	}
	user, password, _ := d.Credential()
	if err := v.SetCredential(t.Context(), devices[0].ID, interrogate.Credential{User: user, Password: password}); err != nil {
		t.Fatal(err)
	}
	c := visit()
	if c.Values.Schedule.Kind != protocol.ScheduleAlways || c.Values.Retention.Age != 7*24*time.Hour || c.Facts["schedule"].Raw == "" {
		t.Fatalf("read as %+v", c.Values)
	}
	outdoors(t, v, c.ID, true)
	approve(t, v, c.ID)
	deliver(t, v)
	sent := len(outbox(t, v))
	told := func() (last protocol.CameraObservation) { // what was observed of it since the last delivery
		t.Helper()
		for _, m := range outbox(t, v)[sent:] {
			o, ok := m.Message.Body.(protocol.Observation)
			if !ok {
				t.Fatalf("a %s was queued", m.Kind)
			}
			for _, seen := range o.Cameras {
				if seen.CameraID == c.ID {
					last = seen
				}
			}
		}
		deliver(t, v)
		sent = len(outbox(t, v))
		return last
	}

	visit()
	if got := told(); got.Schedule != nil || got.Retention != nil {
		t.Errorf("nothing has changed, and told was %+v", got)
	}
	edit("tracks.xml", "<ActionRecordingMode>CMR", "<ActionRecordingMode>MOTION") // on Mondays
	c = visit()
	if got := told(); got.Schedule == nil || got.Schedule.Days[time.Monday][0].Mode != protocol.Motion || got.Retention != nil {
		t.Errorf("the schedule was changed, and told was %+v", got)
	}
	if len(c.Changed) > 0 || c.State != StateDeclared {
		t.Errorf("the owner is asked about %v", c.Changed)
	}
	edit("tracks.xml", "<Duration>P7DT0H", "<Duration>P2DT0H")
	visit()
	if got := told(); got.Retention == nil || got.Retention.Age != 48*time.Hour {
		t.Errorf("the retention was changed, and told was %+v", got)
	}
	edit("channels.xml", "<name>Vetrina su via Torino", "<name>Vetrina nuova")
	if c = visit(); len(c.Changed) != 1 || c.Changed[0] != "name" || c.Declared.Name != "Vetrina su via Torino" {
		t.Errorf("the name was changed: the owner is asked about %v, declared is %q", c.Changed, c.Declared.Name)
	}
	told()
	d.Close()
	c = visit()
	last := outbox(t, v)
	o, ok := last[len(last)-1].Message.Body.(protocol.Observation)
	if !ok || len(o.Recorders) != 1 || o.Recorders[0].Reachable || c.Device.Reachable {
		t.Errorf("the recorder is gone, and told was %+v", last[len(last)-1].Message.Body)
	}
}
