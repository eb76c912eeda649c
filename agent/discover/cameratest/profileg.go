package cameratest

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// ProfileG adds to a device the answers about its recordings.
type ProfileG struct {
	// Answers are given where the conversation has none for that operation.
	Answers []Answer
	// Oldest, if not 0, puts now - Oldest into every EarliestRecording and
	// DataFrom, and now into LatestRecording, DataUntil and DataTo, by the
	// device's clock. 0 leaves the dates as they are.
	Oldest time.Duration
	// Retention, if not "", replaces every MaximumRetentionTime: "P3D", "PT0S".
	Retention string
}

// LoadProfileG reads the real Profile G answers of the hammeraj collection in
// dir: GetRecordings (PT1H, of an Axis), GetRecordingJobs (active, no
// schedule), and search with a summary from 1970-01-01 and an earliest recording
// of 1970-01-01T00:03:15Z, made before that camera's clock was set.
func LoadProfileG(dir string) (*ProfileG, error) {
	g := &ProfileG{}
	for _, f := range []struct{ file, namespace, operation string }{
		{"recording/fixture/get_recordings_success.xml", nsRecording, "GetRecordings"},
		{"recording/fixture/get_recording_jobs_success.xml", nsRecording, "GetRecordingJobs"},
		{"search/fixtures/find_recordings_success.xml", nsSearch, "FindRecordings"},
		{"search/fixtures/get_recording_search_results_success.xml", nsSearch, "GetRecordingSearchResults"},
		{"search/fixtures/get_recording_summary__success.xml", nsSearch, "GetRecordingSummary"},
	} {
		body, err := readFile(filepath.Join(dir, filepath.FromSlash(f.file)))
		if err != nil {
			return nil, fmt.Errorf("load Profile G answers: %w", err)
		}
		g.Answers = append(g.Answers, Answer{File: f.file, Namespace: f.namespace, Operation: f.operation, Status: 200, Body: body})
	}
	return g, nil
}

// apply puts the dates and the retention into an answer of the recording or
// search service; now is by the device's clock.
func (g *ProfileG) apply(namespace string, body []byte, now time.Time) []byte {
	if namespace != nsRecording && namespace != nsSearch {
		return body
	}
	return edit(body, func(path []string, text string) (string, bool) {
		if len(path) == 0 || strings.TrimSpace(text) == "" {
			return "", false
		}
		switch path[len(path)-1] {
		case "MaximumRetentionTime":
			return g.Retention, g.Retention != ""
		case "EarliestRecording", "DataFrom":
			return now.Add(-g.Oldest).UTC().Format(time.RFC3339), g.Oldest != 0
		case "LatestRecording", "DataUntil", "DataTo":
			return now.UTC().Format(time.RFC3339), g.Oldest != 0
		}
		return "", false
	})
}
