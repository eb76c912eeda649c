package registry

import (
	"testing"
	"time"
)

func publish(t *testing.T, r *Registry, kind, period string) bool {
	t.Helper()
	done, err := r.Publish(t.Context(), Publication{Kind: kind, Period: period, At: noon, Body: []byte(`{"of": "` + period + `"}`), Basis: []byte(`{"n": 1}`)}, "2026-11-01")
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestPublications(t *testing.T) {
	r := openNew(t)
	for _, period := range []string{"2026-10-05", "2026-10-31", "2026-11-02", "2026-11-23"} {
		if !publish(t, r, PublishedSharing, period) {
			t.Errorf("%s is not published", period)
		}
	}
	if publish(t, r, PublishedSharing, "2026-11-23") {
		t.Error("what was published is published again")
	}
	publish(t, r, PublishedConsultation, "2026-10")
	all, err := r.Publications(t.Context(), PublishedSharing, "2026-10-31")
	if err != nil || len(all) != 3 || all[0].Period != "2026-11-23" || string(all[0].Body) != `{"of": "2026-11-23"}` ||
		string(all[1].Basis) != `{"n": 1}` || all[2].Basis != nil || !all[0].At.Equal(noon) {
		t.Errorf("%+v %v", all, err)
	}
	monthly, err := r.MonthlyPublications(t.Context(), PublishedSharing, 5)
	if err != nil || len(monthly) != 2 || monthly[0].Period != "2026-11-23" || monthly[1].Period != "2026-10-31" {
		t.Errorf("%+v %v", monthly, err)
	}
	if _, err := r.Publish(t.Context(), Publication{Kind: "else", Period: "2026", At: noon.Add(time.Hour)}, ""); err == nil {
		t.Error("a kind that is none was published")
	}
}
