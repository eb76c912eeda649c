package cameratest

import (
	"slices"
	"strings"
	"time"
)

// filterMark parts a search token from the recordings that the search was
// limited to: so a device need not remember its searches.
const filterMark = "?only="

// cutFilter takes the recordings that a search is limited to out of the search
// token, or out of the scope of FindRecordings.
func (c *call) cutFilter() []string {
	if c.namespace != nsSearch {
		return nil
	}
	if c.operation == "FindRecordings" {
		return c.asked["IncludedRecordings"]
	}
	token, only, ok := strings.Cut(first(c.asked["SearchToken"]), filterMark)
	if !ok {
		return nil
	}
	c.asked["SearchToken"] = []string{token}
	return strings.Split(only, ",")
}

// apply brings an answer of the recording or search service into the state that
// the quirks want. filter are the recordings that the search is limited to, nil
// for all of them.
func (q RecordingQuirks) apply(c call, filter []string, body []byte, now time.Time) []byte {
	if filter != nil && !q.WholeStore {
		body = limit(c.operation, filter, body)
	}
	if q.Empty && slices.Contains([]string{"GetRecordings", "GetRecordingJobs", "GetRecordingSearchResults"}, c.operation) {
		body = without(body, func(t tag) bool {
			return t.local == "RecordingItem" || t.local == "JobItem" || t.local == "RecordingInformation"
		})
	}
	if q.EmptySchedule {
		var changes []change
		for _, t := range tags(body) {
			if t.local == "JobConfiguration" && !strings.Contains(string(body[t.from:t.open]), "ScheduleToken") {
				changes = append(changes, change{t.open - 1, t.open - 1, ` ScheduleToken=""`})
			}
		}
		body = apply(body, changes...)
	}
	return edit(body, func(path []string, text string) (string, bool) {
		if len(path) == 0 || strings.TrimSpace(text) == "" {
			return "", false
		}
		element := path[len(path)-1]
		if element == "MaximumRetentionTime" {
			return q.Retention, q.Retention != ""
		}
		return q.date(c.operation, element, strings.TrimSpace(text), now)
	})
}

// date returns the text of a date as the quirks want it.
func (q RecordingQuirks) date(operation, element, text string, now time.Time) (string, bool) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return "", false
	}
	switch element {
	case "DataFrom", "EarliestRecording":
		if q.Epoch && operation == "GetRecordingSummary" {
			return "1970-01-01T00:00:00Z", true
		}
		if q.Epoch {
			return "1970-01-01T00:03:15Z", true
		}
	case "DataTo", "LatestRecording":
		if q.HiddenGap > 0 {
			t = now.Add(-q.HiddenGap)
		}
	case "DataUntil":
	default:
		return "", false
	}
	return t.UTC().Add(q.FalseZ).Format("2006-01-02T15:04:05Z"), q.FalseZ != 0 || q.HiddenGap > 0
}

// limit notes the filter of a search in its token, and keeps to it in the
// results.
func limit(operation string, filter []string, body []byte) []byte {
	switch operation {
	case "FindRecordings":
		return edit(body, func(path []string, text string) (string, bool) {
			return strings.TrimSpace(text) + filterMark + strings.Join(filter, ","), len(path) > 0 && path[len(path)-1] == "SearchToken" && strings.TrimSpace(text) != ""
		})
	case "GetRecordingSearchResults":
		return without(body, func(t tag) bool {
			return t.local == "RecordingInformation" && !slices.Contains(filter, first(texts(body[t.from:t.until], "RecordingToken")))
		})
	}
	return body
}
