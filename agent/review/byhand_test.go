package review

import (
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

func lockedNVR() interrogate.Device {
	d := recorder()
	d.Needs, d.Channels, d.Clock = interrogate.NeedsCredentials, nil, nil
	return d
}

// A recorder whose password is lost: three answers from its screen make its cameras,
// of which one is declared; a recorder that no search finds likewise.
func TestARecorderFromItsOwnScreen(t *testing.T) {
	o := start(t)
	o.signIn(t)
	if err := o.Inventory.Record(t.Context(), []interrogate.Device{lockedNVR()}, time.Now()); err != nil {
		t.Fatal(err)
	}
	devices := o.known(t).Devices
	id := devices[0].ID
	if _, page, _ := o.send(t, "GET", "/", ""); !strings.Contains(page, "/byhand?device="+id) || !strings.Contains(page, `href="/byhand"`) {
		t.Error("the list does not lead to the page")
	}
	ahead := time.Now().In(pages.Rome()).Add(70 * time.Minute)
	form := url.Values{"device": {id}, "count": {"4"}, "since": {time.Now().In(pages.Rome()).AddDate(0, 0, -9).Format(time.DateOnly)}, "time": {ahead.Format("15:04")}}
	if status, page, _ := o.send(t, "POST", "/byhand", form.Encode()); status != http.StatusSeeOther {
		t.Fatalf("%d %s", status, page)
	}
	all := camerasOf(t, o)
	if len(all) != 4 || all[3].Values.Name != "Telecamera 4" || !all[0].ByHand {
		t.Fatalf("%d cameras: %+v", len(all), all)
	}
	if r := all[0].Values.Retention; r.OldestFootage.IsZero() || r.Fact.Source != protocol.Declared {
		t.Errorf("images %+v", r)
	}
	if c := all[0].Device.Clock; c == nil || math.Abs(float64(c.OffsetMs-70*60_000)) > 60_000 || c.UncertaintyMs != 60_000 {
		t.Errorf("clock %+v", c)
	}
	if _, page, _ := o.send(t, "GET", "/byhand?device="+id, ""); !strings.Contains(page, "Telecamera 3\nTelecamera 4") {
		t.Error("the names are not shown again")
	}
	// Four cameras, one outdoors: exactly one leaves.
	if err := declareOne(t, o, all[2].ID); err != nil {
		t.Fatal(err)
	}
	sent, err := o.Inventory.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, ok := sent[len(sent)-1].Message.Body.(protocol.Declaration)
	if len(sent) != 1 || !ok || len(d.Cameras) != 1 || d.Cameras[0].ID != all[2].ID {
		t.Errorf("%d messages, %+v", len(sent), d.Cameras)
	}

	form = url.Values{"vendor": {"Ditta"}, "room": {"nel retro"}, "names": {"Porta\r\n\r\n Vetrina \r\n"}, "days": {"7"}}
	if status, page, _ := o.send(t, "POST", "/byhand", form.Encode()); status != http.StatusSeeOther {
		t.Fatalf("%d %s", status, page)
	}
	all = camerasOf(t, o)
	if c := all[len(all)-1]; len(all) != 6 || c.Values.Name != "Vetrina" || !c.Device.ByHand || c.Values.Retention.Age != 7*24*time.Hour {
		t.Errorf("%d cameras: %+v", len(all), c)
	}
	if _, page, _ := o.send(t, "GET", "/", ""); !strings.Contains(page, "aggiunto a mano") || strings.Contains(page, "Non risponde") {
		t.Error("a recorder by hand is shown as one that does not answer")
	}

	var made struct{ Device string }
	if status := o.api(t, "POST", "/byhand", inventory.ByHand{Name: "Deposito", Cameras: []string{"Cancello"}}, &made); status != http.StatusOK || made.Device == "" {
		t.Errorf("as JSON: %d, %+v", status, made)
	}
}

func TestWrongAnswersFromTheScreen(t *testing.T) {
	o := start(t)
	o.signIn(t)
	if err := o.Inventory.Record(t.Context(), []interrogate.Device{lockedNVR()}, time.Now()); err != nil {
		t.Fatal(err)
	}
	devices := o.known(t).Devices
	for name, tc := range map[string]struct {
		form url.Values
		id   string // of the control that is marked
	}{
		"nothing":           {url.Values{}, "count"},
		"too many":          {url.Values{"count": {"513"}}, "count"},
		"no number":         {url.Values{"count": {"quattro"}}, "count"},
		"an address":        {url.Values{"names": {"Porta 192.168.1.4"}}, "names"},
		"a day to come":     {url.Values{"since": {time.Now().AddDate(0, 0, 3).Format(time.DateOnly)}}, "since"},
		"no day":            {url.Values{"since": {"ieri"}}, "since"},
		"no days":           {url.Values{"days": {"-3"}}, "days"},
		"no time":           {url.Values{"time": {"25:00"}}, "time"},
		"a day and no time": {url.Values{"day": {"2026-01-02"}}, "time"},
		"years off":         {url.Values{"time": {"10:00"}, "day": {"1970-01-01"}}, "time"},
	} {
		tc.form.Set("device", devices[0].ID)
		status, page, _ := o.send(t, "POST", "/byhand", tc.form.Encode())
		if status != http.StatusUnprocessableEntity || !strings.Contains(page, `id="`+tc.id+`-error"`) {
			t.Errorf("%s: %d, %s is not marked", name, status, tc.id)
		}
	}
	if n := len(camerasOf(t, o)); n != 0 {
		t.Errorf("%d cameras are left", n)
	}
	if status, _, _ := o.send(t, "GET", "/byhand?device="+siteID, ""); status != http.StatusNotFound {
		t.Errorf("no such recorder: %d", status)
	}
	if status, page, _ := o.send(t, "POST", "/byhand", "count=2"); status != http.StatusUnprocessableEntity || !strings.Contains(page, `id="name-error"`) {
		t.Errorf("a recorder without a name: %d", status)
	}
}

func TestOffsetOf(t *testing.T) {
	now := time.Date(2026, 11, 22, 23, 30, 30, 0, time.UTC) // 00:30:30 of the 23rd in Italy
	for _, tc := range []struct {
		clock, day string
		minutes    int64
		ok         bool
	}{
		{"00:30", "", 0, true}, {"1:30", "", 60, true}, {"23.30", "", -60, true}, {"12:29", "", 12*60 - 1, true}, {"12:31", "", -12*60 + 1, true},
		{"00:30", "2026-11-22", -24 * 60, true}, {"00:30", "2026-11-23", 0, true},
		{"", "", 0, false}, {"24:00", "", 0, false}, {"1:5", "", 0, false}, {"1", "", 0, false}, {"-1:30", "", 0, false}, {"a:30", "", 0, false},
		{"1:30", "ieri", 0, false}, {"1:30", "0001-01-01", 0, false}, {"1:+5", "", 0, false}, {"+1:30", "", 0, false},
	} {
		ms, ok := offsetOf(tc.clock, tc.day, now)
		if ok != tc.ok || ok && ms != tc.minutes*60_000 {
			t.Errorf("%q %q: %d ms, %t; want %d min, %t", tc.clock, tc.day, ms, ok, tc.minutes, tc.ok)
		}
	}
}

func FuzzOffsetOf(f *testing.F) {
	f.Add("21:15", "")
	f.Add("9.05", "2026-11-22")
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, clock, day string) {
		if ms, ok := offsetOf(clock, day, now); ok && day == "" && (ms > 13*3600_000 || ms < -13*3600_000) {
			t.Errorf("%q: %d ms", clock, ms)
		}
	})
}
