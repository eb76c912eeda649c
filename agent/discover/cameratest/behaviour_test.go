package cameratest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestClock: the answer is the device's time, in the zone it shows; nothing else
// of the answer is touched.
func TestClock(t *testing.T) {
	ask := func(d *Device) (utc, local time.Time) {
		_, body := ask(t, d, devicePath, "", op(nsDevice, timeOperation, ""))
		return readTime(body, "UTCDateTime"), readTime(body, "LocalDateTime")
	}
	near := func(name string, got, want time.Time) {
		t.Helper()
		if d := got.Sub(want).Abs(); d > time.Minute {
			t.Errorf("%s: %v, want about %v", name, got, want)
		}
	}
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	wall := func(at time.Time) time.Time {
		_, offset := at.In(rome).Zone()
		return at.UTC().Add(time.Duration(offset) * time.Second)
	}
	d := start(t, load(t, "ottimmago-orologio"), Options{})
	utc, local := ask(d)
	near("UTC, 58 minutes ahead", utc, time.Now().Add(58*time.Minute))
	near("wall clock in Rome", local, wall(time.Now().Add(58*time.Minute)))

	d = start(t, load(t, "ottimmago-orologio"), Options{ClockOffset: -36 * time.Hour})
	utc, _ = ask(d)
	near("UTC, 36 hours late", utc, time.Now().Add(-36*time.Hour))

	d = start(t, load(t, "videofavola-cubo"), Options{})
	if utc, local = ask(d); !local.IsZero() {
		t.Errorf("a LocalDateTime %v where none was written", local)
	}
	near("UTC, 4 minutes late", utc, time.Now().Add(-4*time.Minute))
}

// TestSetClock: the two nights on which Rome's clocks change, and the recorded
// difference where no zone is known.
func TestSetClock(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	answer := []byte(`<?xml version="1.0"?><E xmlns="x"><!-- Hour --><a:UTCDateTime><tt:Time><tt:Hour> 19 </tt:Hour><tt:Minute>25</tt:Minute><tt:Second>25</tt:Second></tt:Time>` +
		`<tt:Date><tt:Year>2026</tt:Year><tt:Month>1</tt:Month><tt:Day>13</tt:Day></tt:Date></a:UTCDateTime>` +
		`<LocalDateTime><Time><Hour>14</Hour><Minute>25</Minute><Second>25</Second></Time><Date><Year>2026</Year><Month>1</Month><Day>13</Day></Date></LocalDateTime><tail>5</tail></E>`)
	for name, tc := range map[string]struct {
		now, local string
		zone       *time.Location
	}{
		"before the last Sunday of March":    {"2027-03-28T00:59:59Z", "2027-03-28T01:59:59Z", rome},
		"from the last Sunday of March":      {"2027-03-28T01:00:00Z", "2027-03-28T03:00:00Z", rome},
		"first 02:30 of the last Sunday":     {"2027-10-31T00:30:00Z", "2027-10-31T02:30:00Z", rome},
		"second 02:30":                       {"2027-10-31T01:30:00Z", "2027-10-31T02:30:00Z", rome},
		"five hours behind, as was recorded": {"2027-06-01T03:00:00Z", "2027-05-31T22:00:00Z", nil},
	} {
		now, err := time.Parse(time.RFC3339, tc.now)
		if err != nil {
			t.Fatal(err)
		}
		got := setClock(answer, now, tc.zone)
		if !readTime(got, "UTCDateTime").Equal(now) || readTime(got, "LocalDateTime").Format(time.RFC3339) != tc.local {
			t.Errorf("%s: %s", name, got)
		}
		if !bytes.HasPrefix(got, answer[:80]) || !bytes.HasSuffix(got, []byte("<tail>5</tail></E>")) {
			t.Errorf("%s: the rest is not what it was: %s", name, got)
		}
	}
}

// TestRelativeDates: oldest footage is held against the device's own clock.
func TestRelativeDates(t *testing.T) {
	d := start(t, load(t, "ottimmago-orologio"), Options{Auth: AuthNone})
	_, body := ask(t, d, "/onvif/search_service", "", op(nsSearch, "GetRecordingSummary", ""))
	for element, want := range map[string]time.Time{"DataFrom": d.Now().Add(-168 * time.Hour), "DataUntil": d.Now()} {
		got, err := time.Parse(time.RFC3339, first(texts(body, element)))
		if err != nil || got.Sub(want).Abs() > time.Minute {
			t.Errorf("%s %v (%v), want about %v", element, got, err, want)
		}
	}
}

// TestProfileG: the AXIS P3818-PVE 11.9.60 names recording and search, but no
// answer of theirs was recorded; the hammeraj answers serve, as they are or with
// dates and retention put in.
func TestProfileG(t *testing.T) {
	dir := sharedOnvif(t)
	c, err := LoadRecorded(dir + "/AXIS_P3818-PVE_11.9.60")
	if err != nil {
		t.Fatal(err)
	}
	g, err := LoadProfileG(dir + "/hammeraj")
	if err != nil {
		t.Fatal(err)
	}
	bare := start(t, c, Options{})
	if status, _ := ask(t, bare, "/onvif/services", "", op(nsRecording, "GetRecordings", "")); status != 500 {
		t.Errorf("without Profile G: HTTP %d", status)
	}
	asRecorded := start(t, c, Options{ProfileG: g})
	_, body := ask(t, asRecorded, "/onvif/services", "", op(nsSearch, "GetRecordingSummary", ""))
	if got := first(texts(body, "DataFrom")); got != "1970-01-01T00:00:00Z" {
		t.Errorf("DataFrom %s", got)
	}
	dated := start(t, c, Options{ProfileG: &ProfileG{Answers: g.Answers, Oldest: 72 * time.Hour, Retention: "P3D"}})
	_, body = ask(t, dated, "/onvif/services", "", op(nsSearch, "GetRecordingSearchResults", "<SearchToken>any</SearchToken>"))
	from, err := time.Parse(time.RFC3339, first(texts(body, "EarliestRecording")))
	if age := time.Since(from); err != nil || age < 71*time.Hour || age > 73*time.Hour {
		t.Errorf("earliest recording %v (%v)", from, err)
	}
	_, body = ask(t, dated, "/onvif/services", "", op(nsRecording, "GetRecordings", ""))
	retentions := texts(body, "MaximumRetentionTime")
	if len(retentions) < 2 || strings.Count(strings.Join(retentions, " "), "P3D") != len(retentions) {
		t.Errorf("retentions %q", retentions)
	}
	if len(c.Answers) != len(bare.answers) {
		t.Error("the conversation was changed by a device that plays it")
	}
}

// request asks for the device information, and reads at most limit bytes.
func request(ctx context.Context, d *Device, limit int64) (int64, error) {
	body := `<e:Envelope xmlns:e="` + nsEnvelope + `"><e:Body>` + op(nsDevice, "GetDeviceInformation", "") + `</e:Body></e:Envelope>`
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL(), strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	return io.Copy(io.Discard, io.LimitReader(resp.Body, limit))
}

func TestHTTPQuirks(t *testing.T) {
	c := load(t, "videofavola-cubo")
	t.Run("garbage", func(t *testing.T) {
		d := start(t, c, Options{Quirks: Quirks{GarbageXML: true}})
		status, body := ask(t, d, devicePath, "", op(nsDevice, "GetDeviceInformation", ""))
		if _, err := bodyElement(body); status != 200 || err == nil {
			t.Errorf("HTTP %d, well-formed %q", status, body)
		}
	})
	t.Run("huge", func(t *testing.T) {
		d := start(t, c, Options{Quirks: Quirks{Huge: 3 << 20}})
		_, body := ask(t, d, devicePath, "", op(nsDevice, "GetDeviceInformation", ""))
		if _, err := bodyElement(body); len(body) != 3<<20 || err != nil {
			t.Errorf("%d bytes, %v", len(body), err)
		}
	})
	t.Run("slow", func(t *testing.T) {
		d := start(t, c, Options{Quirks: Quirks{Slow: time.Hour}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := request(ctx, d, 1<<20); done <- err }()
		if err := d.await(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want only our own cancellation", err)
		}
	})
	t.Run("drip", func(t *testing.T) {
		d := start(t, c, Options{Quirks: Quirks{Drip: time.Microsecond}})
		plain, err := request(t.Context(), start(t, c, Options{}), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := request(t.Context(), d, plain+100); n != plain+100 || err != nil {
			t.Errorf("%d bytes of an endless answer, %v", n, err)
		}
		done := make(chan error)
		go func() { _, err := request(t.Context(), d, 1<<40); done <- err }()
		if err := d.await(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err == nil {
			t.Error("an endless answer ended well")
		}
	})
}

// TestClose: a closed device answers no more, and may be closed again.
func TestClose(t *testing.T) {
	d := start(t, load(t, "videofavola-cubo"), Options{})
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Error(err)
	}
	if _, err := request(t.Context(), d, 1); err == nil {
		t.Error("a closed device answers")
	}
}

// FuzzEdit: an edit that changes nothing gives the same bytes, whatever they are.
func FuzzEdit(f *testing.F) {
	for _, s := range []string{"", "<a>1</a>", "<a>1</b>", "<x:y>&lt;&nope;</x:y>", "<![CDATA[<]]>", "</a>", "<a", "\xff<a>\x00</a>", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe8</a>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := edit(b, func([]string, string) (string, bool) { return "", false }); !bytes.Equal(got, b) {
			t.Errorf("%q became %q", b, got)
		}
		edit(b, func(path []string, text string) (string, bool) { return text + "<", len(path) > 0 })
	})
}

func FuzzReadCall(f *testing.F) {
	f.Add([]byte(`<E><Body><Op>x</Op></Body></E>`))
	f.Add([]byte(`<E><Header><Security><UsernameToken><Password Type="t">p</Password></UsernameToken></Security></Header><Body><Op/></Body></E>`))
	f.Add([]byte(`</E>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := readCall(b); err == nil && c.operation == "" {
			t.Error("a call without an operation")
		}
	})
}
