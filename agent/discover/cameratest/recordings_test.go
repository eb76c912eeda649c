package cameratest

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// TestRecordingQuirks asks a recorder of six channels, whose footage begins 72
// hours ago, of one of them 31.
func TestRecordingQuirks(t *testing.T) {
	c := load(t, "videofavola-nvr")
	const recording, search = "/onvif/recording_service", "/onvif/search_service"
	get := func(q RecordingQuirks, path, namespace, operation, children string) (int, []byte) {
		t.Helper()
		return ask(t, start(t, c, Options{Auth: AuthNone, Quirks: Quirks{Recording: q}}), path, "", op(namespace, operation, children))
	}
	results := "<SearchToken>search-1</SearchToken>"
	one := func(body []byte, element string) time.Time {
		at, err := time.Parse(time.RFC3339, first(texts(body, element)))
		if err != nil {
			t.Errorf("%s: %v in %s", element, err, body)
		}
		return at
	}
	near := func(name string, got, want time.Time) {
		t.Helper()
		if got.Sub(want).Abs() > 2*time.Minute {
			t.Errorf("%s: %v, want about %v", name, got, want)
		}
	}
	for _, retention := range []string{"PT0S", "P0D", "PT1209600S", "PT1H"} {
		_, body := get(RecordingQuirks{Retention: retention}, recording, nsRecording, "GetRecordings", "")
		if got := texts(body, "MaximumRetentionTime"); len(got) != 6 || len(slices.Compact(got)) != 1 || got[0] != retention {
			t.Errorf("retentions %q", got)
		}
	}
	for operation, element := range map[string]string{"GetRecordings": "RecordingItem", "GetRecordingJobs": "JobItem"} {
		_, body := get(RecordingQuirks{Empty: true}, recording, nsRecording, operation, "")
		if root, err := bodyElement(body); err != nil || root.Local != operation+"Response" || bytes.Contains(body, []byte(element)) {
			t.Errorf("empty %s: %v %s", operation, err, body)
		}
	}
	if _, body := get(RecordingQuirks{Empty: true}, search, nsSearch, "GetRecordingSearchResults", results); bytes.Contains(body,
		[]byte("RecordingInformation")) || first(texts(body, "SearchState")) != "Completed" {
		t.Errorf("empty results: %s", body)
	}

	_, body := get(RecordingQuirks{Epoch: true}, search, nsSearch, "GetRecordingSummary", "")
	near("summary of 1970", one(body, "DataFrom"), time.Unix(0, 0))
	near("its end", one(body, "DataUntil"), time.Now().Add(12*time.Second))
	_, body = get(RecordingQuirks{Epoch: true}, search, nsSearch, "GetRecordingSearchResults", results)
	if got := one(body, "EarliestRecording"); !got.Equal(time.Unix(195, 0)) {
		t.Errorf("earliest recording %v", got)
	}

	_, body = get(RecordingQuirks{EmptySchedule: true}, recording, nsRecording, "GetRecordingJobs", "")
	if n := bytes.Count(body, []byte(`ScheduleToken=""`)); n != 6 {
		t.Errorf("%d empty schedules in %s", n, body)
	}
	if status, body := get(RecordingQuirks{ForgetsSearch: true}, search, nsSearch, "GetRecordingSearchResults", results); status != 400 || !bytes.Contains(body, []byte("Unknown search token")) {
		t.Errorf("forgotten search: HTTP %d %s", status, body)
	}

	now := time.Now()
	_, body = get(RecordingQuirks{FalseZ: 2 * time.Hour}, search, nsSearch, "GetRecordingSummary", "")
	near("local time with Z, from", one(body, "DataFrom"), now.Add(-70*time.Hour))
	near("local time with Z, until", one(body, "DataUntil"), now.Add(2*time.Hour))

	_, body = get(RecordingQuirks{HiddenGap: 40 * time.Hour}, search, nsSearch, "GetRecordingInformation", "<RecordingToken>rec-2</RecordingToken>")
	near("end of the recording", one(body, "LatestRecording"), now.Add(-40*time.Hour))
	near("end of its track", one(body, "DataTo"), now.Add(-40*time.Hour))
	_, body = get(RecordingQuirks{HiddenGap: 40 * time.Hour}, search, nsSearch, "GetRecordingSummary", "")
	near("end of the summary", one(body, "DataUntil"), now)
}

// TestSearchFilter: a device keeps to the recordings that were asked for, and
// one that does not gives its whole store.
func TestSearchFilter(t *testing.T) {
	for whole, want := range map[bool][]string{false: {"rec-2", "rec-5"}, true: {"rec-1", "rec-2", "rec-3", "rec-4", "rec-5", "rec-6"}} {
		d := start(t, load(t, "videofavola-nvr"), Options{Auth: AuthNone, Quirks: Quirks{Recording: RecordingQuirks{WholeStore: whole}}})
		_, body := ask(t, d, "/onvif/search_service", "", op(nsSearch, "FindRecordings", "<Scope><IncludedRecordings>rec-2</IncludedRecordings><IncludedRecordings>rec-5</IncludedRecordings></Scope>"))
		token := first(texts(body, "SearchToken"))
		_, body = ask(t, d, "/onvif/search_service", "", op(nsSearch, "GetRecordingSearchResults", "<SearchToken>"+escape(token)+"</SearchToken>"))
		if got := texts(body, "RecordingToken"); !slices.Equal(got, want) {
			t.Errorf("whole store %v: recordings %q of search %q", whole, got, token)
		}
		if status, _ := ask(t, d, "/onvif/search_service", "", op(nsSearch, "EndSearch", "<SearchToken>"+escape(token)+"</SearchToken>")); status != 200 {
			t.Errorf("end of the search: HTTP %d", status)
		}
	}
}

func TestClockQuirks(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Conversation{"with a zone": load(t, "ottimmago-orologio"), "without": Recorder(1, RecorderOptions{})} {
		for quirk, q := range map[string]ClockQuirks{"local as UTC": {LocalAsUTC: true}, "no UTC": {NoUTC: true}, "no DST": {NoDST: true}} {
			d := start(t, c, Options{Auth: AuthNone, Quirks: Quirks{Clock: q}})
			_, body := ask(t, d, devicePath, "", op(nsDevice, timeOperation, ""))
			utc, local := readTime(body, "UTCDateTime"), readTime(body, "LocalDateTime")
			wall := asUTC(d.Now().In(rome))
			wantUTC, wantLocal := d.Now(), wall
			switch quirk {
			case "local as UTC":
				wantUTC = wall
			case "no UTC":
				wantUTC = time.Time{}
				if bytes.Contains(body, []byte("UTCDateTime")) {
					t.Errorf("%s: %s", name, body)
				}
			case "no DST":
				wantLocal = wall.Add(-time.Hour)
			}
			if utc.Sub(wantUTC).Abs() > time.Minute || local.Sub(wantLocal).Abs() > time.Minute || first(texts(body, "TZ")) == "" {
				t.Errorf("%s, %s: %v and %v, want %v and %v", name, quirk, utc, local, wantUTC, wantLocal)
			}
		}
	}
}
