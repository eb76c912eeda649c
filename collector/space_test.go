package main

import (
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestADiskThatFillsUpIsSaidOnce(t *testing.T) {
	var warned []float64
	metrics := prometheus.NewRegistry()
	s := newSpace(t.TempDir(), metrics, func(used float64) { warned = append(warned, used) })
	for _, used := range []float64{0.5, 0.79, 0.8, 0.95, 1, 0.7, 0.81} {
		s.record(used)
	}
	if !slices.Equal(warned, []float64{0.8, 0.81}) {
		t.Errorf("warned at %v", warned)
	}
	all, err := metrics.Gather()
	if err != nil || len(all) != 1 || all[0].GetName() != "anagrafe_disk_used_ratio" || all[0].GetMetric()[0].GetGauge().GetValue() != 0.81 {
		t.Errorf("%v, %v", all, err)
	}
	if used, err := usedShare(t.TempDir()); err != nil || used < 0 || used > 1 {
		t.Errorf("%v, %v", used, err)
	}
	if _, err := usedShare("/nowhere/at/all"); err == nil {
		t.Error("a disk that is not there")
	}
}
