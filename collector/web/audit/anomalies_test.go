package audit

import (
	"slices"
	"testing"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/registry"
	"anagrafe/collector/trail"
)

// day is in winter: Rome is an hour ahead of UTC.
var day = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

func acts(n int, kind act.Kind, actor, of string, hour int) (all []trail.Header) {
	for i := range n {
		all = append(all, trail.Header{Kind: kind, Actor: actor, Case: of, At: day.Add(time.Duration(hour)*time.Hour + time.Duration(i)*time.Second)})
	}
	return all
}

func TestAnomalies(t *testing.T) {
	opened := func(n int, kind, ref string, ago time.Duration) (all []openCase) {
		for range n {
			c := openCase{Case: registry.Case{Kind: kind, OpenedAt: day.Add(-ago)}, Pseudonym: "case", Opener: "rossi"}
			if ref != "" {
				c.ReferredAt = c.OpenedAt
			}
			all = append(all, c)
		}
		return all
	}
	for name, c := range map[string]struct {
		headers []trail.Header
		cases   []openCase
		want    []anomaly
	}{
		"nothing":                {},
		"reveals and no request": {acts(10, "reveal", "rossi", "a", 10), nil, []anomaly{{Rule: "reveals", Actor: "rossi", Case: "a", Count: 10}}},
		"nine reveals":           {acts(9, "reveal", "rossi", "a", 10), nil, nil},
		"reveals in two cases":   {slices.Concat(acts(9, "reveal", "rossi", "a", 10), acts(9, "reveal", "rossi", "b", 10)), nil, nil},
		"a colleague asked":      {slices.Concat(acts(12, "reveal", "rossi", "a", 10), acts(1, "request", "verdi", "a", 11)), nil, nil},
		"asked in another case":  {slices.Concat(acts(12, "reveal", "rossi", "a", 10), acts(1, "request", "rossi", "b", 11)), nil, []anomaly{{Rule: "reveals", Actor: "rossi", Case: "a", Count: 12}}},
		// 22 UTC is 23 in Rome
		"at night":              {slices.Concat(acts(5, "search", "rossi", "a", 22), acts(4, "search", "rossi", "a", 10)), nil, []anomaly{{Rule: "night", Actor: "rossi", Count: 5}}},
		"before night":          {acts(6, "search", "rossi", "a", 21), nil, nil},
		"in the morning":        {acts(6, "search", "rossi", "a", 5), nil, nil}, // 6 in Rome
		"in the small hours":    {acts(6, "search", "rossi", "a", 4), nil, []anomaly{{Rule: "night", Actor: "rossi", Count: 6}}},
		"half of them at night": {slices.Concat(acts(5, "search", "rossi", "a", 22), acts(5, "search", "rossi", "a", 10)), nil, nil},
		"four at night":         {acts(4, "search", "rossi", "a", 22), nil, nil},
		"far above": {slices.Concat(acts(20, "search", "rossi", "a", 10), acts(6, "search", "verdi", "a", 10),
			acts(5, "search", "neri", "a", 10)), nil, []anomaly{{Rule: "above", Actor: "rossi", Count: 20}}},
		"three times the median":   {slices.Concat(acts(21, "search", "rossi", "a", 10), acts(7, "search", "verdi", "a", 10), acts(7, "search", "neri", "a", 10)), nil, nil},
		"of two one is above":      {slices.Concat(acts(30, "search", "rossi", "a", 10), acts(1, "search", "verdi", "a", 10)), nil, nil},
		"a few are never above":    {slices.Concat(acts(19, "search", "rossi", "a", 10), acts(1, "search", "verdi", "a", 10), acts(1, "search", "neri", "a", 10)), nil, nil},
		"a reference overdue":      {nil, opened(1, "event112", "", 73*time.Hour), []anomaly{{Rule: "overdue", Actor: "rossi", Case: "case", Count: 73}}},
		"72 hours are not over":    {nil, opened(1, "event112", "", 72*time.Hour), nil},
		"a reference that came":    {nil, opened(1, "event112", "4711", 100*time.Hour), nil},
		"own initiative":           {nil, slices.Concat(opened(3, ownInitiated, "x", 0), opened(2, "cnr", "x", 0)), []anomaly{{Rule: "own", Actor: "rossi", Count: 3}}},
		"half on own initiative":   {nil, slices.Concat(opened(3, ownInitiated, "x", 0), opened(3, "cnr", "x", 0)), nil},
		"four cases say nothing":   {nil, opened(4, ownInitiated, "x", 0), nil},
		"other kinds do not count": {slices.Concat(acts(50, "login", "rossi", "", 22), acts(50, "request-list", "rossi", "", 22)), nil, nil},
	} {
		if got := anomalies(c.headers, c.cases, day); !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSameSiteAcrossCases(t *testing.T) {
	got := sameSite([]reveal{
		{"rossi", "a", "bar"}, {"rossi", "b", "bar"}, {"rossi", "c", "bar"}, {"rossi", "c", "bar"},
		{"rossi", "a", "banca"}, {"rossi", "b", "banca"},
		{"verdi", "a", "banca"}, {"verdi", "a", "banca"}, {"verdi", "a", "banca"},
	})
	if want := []anomaly{{Rule: "site", Actor: "rossi", Site: "bar", Count: 3}}; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}
