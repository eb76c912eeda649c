package interrogate

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/discover/cameratest"
	"anagrafe/protocol"
)

func TestAxis(t *testing.T) {
	d := start(t, loadRecorder(t, "ferramenta-axis"), cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	if got.Family != Axis || got.Kind != KindCamera || got.Vendor != "AXIS" || got.Model != "F1301" || got.Firmware != "10.12.1" || got.Serial != "025E47001301" || !reflect.DeepEqual(got.MACs, []string{"02:5e:47:00:13:01"}) {
		t.Errorf("read as %+v", got)
	}
	if len(got.Errors) != 0 || got.Needs != NeedsNothing || got.Zone != "Europe/Rome" || got.ZoneAssumed || got.Kept != KeptDisk || got.Facts["kept"].Raw != "SD_DISK" {
		t.Errorf("problems %v, needs %q, zone %q, kept %q %+v", got.Errors, got.Needs, got.Zone, got.Kept, got.Facts)
	}
	checkClock(t, got, -4*time.Minute)
	if len(got.Channels) != 1 {
		t.Fatalf("channels %+v", got.Channels)
	}
	c := got.Channels[0]
	if c.ID != "1" || c.Name != "Ingresso via Torino" || c.Facts["name"].From == "" {
		t.Errorf("channel %+v", c)
	}
	if c.Schedule.Kind != protocol.ScheduleAlways || c.Schedule.Mode != protocol.Continuous || c.Facts["schedule"].Raw != "continuous profile=1 diskid=SD_DISK | SD_DISK status=OK" {
		t.Errorf("it records %+v, %+v", c.Schedule, c.Facts["schedule"])
	}
	if c.Retention.Kind != protocol.RetentionAge || c.Retention.Age != 240*time.Hour || !strings.Contains(c.Facts["retention"].Raw, "cleanupmaxage=10") {
		t.Errorf("it keeps %+v, %+v", c.Retention, c.Facts["retention"])
	}
	oldestNear(t, c, time.Now().Add(-216*time.Hour))
	for _, r := range d.Requests() {
		if strings.HasPrefix(r.Path, "/axis-cgi/") && r.Method != http.MethodGet && r.Path != axisInfoCall.path && r.Path != "/axis-cgi/time.cgi" {
			t.Errorf("%s %s", r.Method, r.Path)
		}
	}
}

const (
	axisNoJobs = `<root><continuousrecordingconfigurations/></root>`
	axisNoList = `<root><recordings totalnumberofrecordings="0" numberofrecordings="0"/></root>`
)

// TestAxisElsewhere: a camera that does not record itself may be recorded by
// somebody else.
func TestAxisElsewhere(t *testing.T) {
	share := func(status string) string {
		return `<root><disks><disk diskid="SD_DISK" status="disconnected" cleanuppolicy="fifo" cleanupmaxage="7"/><disk diskid="NetworkShare" status="` + status + `" cleanuppolicy="fifo" cleanupmaxage="0"/></disks></root>`
	}
	job := func(options string) string {
		return `<root><continuousrecordingconfigurations><continuousrecordingconfiguration profile="2" diskid="NetworkShare" options="` + options + `"/></continuousrecordingconfigurations></root>`
	}
	triggered := `<root><recordings totalnumberofrecordings="1"><recording diskid="SD_DISK" starttime="2026-11-01T00:00:00Z" recordingtype="triggered"/></recordings></root>`
	for name, c := range map[string]struct {
		answers   map[string]string
		schedule  protocol.ScheduleKind
		retention protocol.RetentionKind
		kept      Kept
		problems  int
	}{
		"by nothing of its own":        {map[string]string{"continuous.xml": axisNoJobs, "oldest.xml": axisNoList, "newest.xml": axisNoList}, protocol.ScheduleUnknown, protocol.RetentionUnknown, KeptUnknown, 0},
		"by an action rule":            {map[string]string{"continuous.xml": axisNoJobs, "oldest.xml": triggered, "newest.xml": triggered}, protocol.ScheduleUnknown, protocol.RetentionAge, KeptDisk, 0},
		"on a share":                   {map[string]string{"continuous.xml": job(""), "disks.xml": share("OK"), "oldest.xml": axisNoList}, protocol.ScheduleAlways, protocol.RetentionCapacity, KeptShare, 0},
		"on a share that is gone":      {map[string]string{"continuous.xml": job("camera=1"), "disks.xml": share("disconnected"), "oldest.xml": axisNoList}, protocol.ScheduleUnknown, protocol.RetentionCapacity, KeptShare, 1},
		"of another view":              {map[string]string{"continuous.xml": job("camera=2"), "disks.xml": share("OK"), "oldest.xml": axisNoList}, protocol.ScheduleUnknown, protocol.RetentionUnknown, KeptShare, 0},
		"of a view of several":         {map[string]string{"continuous.xml": job("camera=quad"), "disks.xml": share("OK"), "oldest.xml": axisNoList}, protocol.ScheduleUnknown, protocol.RetentionUnknown, KeptShare, 0},
		"in an order that is not kept": {map[string]string{"oldest.xml": recordingsAt(9, "2026-11-20T00:00:00Z"), "newest.xml": recordingsAt(9, "2026-11-20T00:00:00Z")}, protocol.ScheduleAlways, protocol.RetentionAge, KeptDisk, 1},
	} {
		replaced := map[string][]byte{}
		for file, text := range c.answers {
			replaced[file] = []byte(text)
		}
		d := start(t, loadRecorder(t, "ferramenta-axis").Replacing(replaced), cameratest.Options{})
		got := asker(t, owner(d)).Ask(t.Context(), named(d))
		if len(got.Channels) != 1 {
			t.Fatalf("%s: %+v", name, got)
		}
		ch := got.Channels[0]
		if ch.Schedule.Kind != c.schedule || ch.Retention.Kind != c.retention || got.Kept != c.kept || len(got.Errors) != c.problems {
			t.Errorf("%s: records %+v, keeps %+v in %q, problems %v", name, ch.Schedule, ch.Retention, got.Kept, got.Errors)
		}
		if f := ch.Facts["schedule"]; f.Raw == "" {
			t.Errorf("%s: of the schedule nothing is kept", name)
		}
		if strings.Contains(name, "order") && !ch.Retention.OldestFootage.IsZero() {
			t.Errorf("%s: footage since %s", name, ch.Retention.OldestFootage)
		}
	}
}

func recordingsAt(total int, starts ...string) string {
	text := fmt.Sprintf(`<root><recordings totalnumberofrecordings="%d">`, total)
	for _, s := range starts {
		text += `<recording diskid="SD_DISK" starttime="` + s + `"/>`
	}
	return text + `</recordings></root>`
}

func TestAxisEnds(t *testing.T) {
	list := func(total int, starts ...string) axisRecordings {
		l, err := readAxisRecordings([]byte(recordingsAt(total, starts...)))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	const a, b, c, d = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00.5Z", "2026-11-03T01:00:00+02:00", "2026-11-04T00:00:00Z"
	for name, x := range map[string]struct {
		rising, falling axisRecordings
		first, last     string // "": not known
	}{
		"one from either end":       {list(9, a), list(9, d), a, d},
		"a page from either end":    {list(9, a, b), list(9, d, c), a, d},
		"the only one":              {list(1, b), list(1, b), b, b},
		"all, in any order":         {list(3, c, a, b), list(3, c, a, b), a, c},
		"one, the same from either": {list(9, b), list(9, b), "", ""},
		"a page, the same":          {list(9, b, a), list(9, b, a), "", ""},
		"the wrong way round":       {list(9, d), list(9, a), "", ""},
		"no date":                   {list(9, "soon"), list(9, d), "", ""},
	} {
		first, last, ok := axisEnds(x.rising, x.falling)
		if ok != (x.first != "") || ok && (first.Start != x.first || last.Start != x.last) {
			t.Errorf("%s: %q to %q, %v, want %q to %q", name, first.Start, last.Start, ok, x.first, x.last)
		}
	}
}

func TestAxisRetention(t *testing.T) {
	for _, c := range []struct {
		policy, age string
		want        protocol.Retention
	}{
		{"fifo", "7", protocol.Retention{Kind: protocol.RetentionAge, Age: 7 * 24 * time.Hour}},
		{"fifo", "0", protocol.Retention{Kind: protocol.RetentionCapacity}},
		{"none", "7", protocol.Retention{}},
		{"fifo", "-1", protocol.Retention{}},
		{"fifo", "", protocol.Retention{}},
		{"", "7", protocol.Retention{}},
		{"fifo", "99999999999", protocol.Retention{}},
	} {
		if got := (&axisDisk{Policy: c.policy, Age: c.age}).retention(); got != c.want {
			t.Errorf("%s, %s: %+v, want %+v", c.policy, c.age, got, c.want)
		}
	}
}

// TestAxisRecorded reads what was recorded from an M1065-LW. Its settings name two
// disks with a limit of 7 days each, and do not tell whether there is one: of the
// camera's retention nothing is known.
func TestAxisRecorded(t *testing.T) {
	params := sharedAnswer(t, "Kane610+axis/param_list_full.txt")
	d := start(t, loadRecorder(t, "ferramenta-axis").Replacing(map[string][]byte{
		"info.json":      sharedAnswer(t, "Kane610+axis/get_all_properties_response.json"),
		"param.txt":      params,
		"time.json":      []byte(`{"error":{"code":2004}}`),
		"disks.xml":      []byte(`<root><error/></root>`),
		"continuous.xml": []byte(axisNoJobs), "oldest.xml": []byte(axisNoList),
	}), cameratest.Options{})
	got := asker(t, owner(d)).Ask(t.Context(), named(d))
	if got.Model != "M1065-LW" || got.Firmware != "9.80.1" || got.Serial != "ACCC126EECBF" || !reflect.DeepEqual(got.MACs, []string{"ac:cc:12:6e:ec:bf"}) || got.Zone != "Europe/Rome" || got.Clock == nil || got.Clock.Method != "HTTP Date" || got.Kept != KeptUnknown {
		t.Errorf("read as %+v", got)
	}
	if len(got.Channels) != 1 || got.Channels[0].Name != "" || got.Channels[0].Schedule.Kind != protocol.ScheduleUnknown || got.Channels[0].Retention.Kind != protocol.RetentionUnknown {
		t.Errorf("channels %+v", got.Channels)
	}
	if len(got.Errors) != 1 {
		t.Errorf("problems %v, want that of the disks", got.Errors)
	}
	disks := axisStorage(readAxisParams(params))
	if len(disks) != 2 || disks[0].ID != "SD_DISK" || disks[1].ID != "NetworkShare" || disks[0].Age != "7" || disks[0].Policy != "fifo" || disks[0].works() {
		t.Errorf("disks %+v", disks)
	}
}

// FuzzVapix reads any bytes as answers of VAPIX.
func FuzzVapix(f *testing.F) {
	f.Add([]byte("root.Storage.S0.DiskID=SD_DISK\nroot.Storage.S0.CleanupMaxAge=7\n"))
	f.Add([]byte(recordingsAt(2, "2026-11-01T00:00:00Z", "soon")))
	f.Add([]byte(`<root><disks><disk diskid="SD_DISK" cleanuppolicy="fifo" cleanupmaxage="7"/></disks></root>`))
	f.Add([]byte(`<root><continuousrecordingconfigurations><continuousrecordingconfiguration options="camera=1&amp;%"/></continuousrecordingconfigurations></root>`))
	f.Add([]byte(`{"data":{"propertyList":{"Brand":"AXIS"}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = axisInfo(b)
		disks := axisStorage(readAxisParams(b))
		more, _ := readAxisDisks(b)
		for _, d := range append(disks, more...) {
			d.retention()
			d.words()
			d.works()
		}
		jobs, _ := readAxisJobs(b)
		for _, j := range jobs {
			j.camera()
		}
		if l, err := readAxisRecordings(b); err == nil && len(l.Items) > 0 {
			axisEnds(l, l)
		}
		axisMAC(string(b))
	})
}
