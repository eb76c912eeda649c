package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// alerts tells contacts what is wrong with their recorders, and counts it.
type alerts struct {
	since time.Time // agents can be heard from then on
	told  *prometheus.CounterVec
}

func newAlerts(metrics prometheus.Registerer, since time.Time) *alerts {
	a := &alerts{since: since, told: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "anagrafe_alerts_total", Help: "Things wrong with owners' recorders that contacts were told of (state wrong), and that are right again (state right).",
	}, []string{"alert", "state"})}
	for _, kind := range protocol.Alerts { // each is there from the start, at 0
		a.told.WithLabelValues(string(kind), "wrong")
		a.told.WithLabelValues(string(kind), "right")
	}
	metrics.MustRegister(a.told)
	return a
}

func (a *alerts) tell(ctx context.Context, reg *registry.Registry, now time.Time) error {
	done, err := reg.Alert(ctx, now, a.since)
	for _, kind := range protocol.Alerts {
		a.told.WithLabelValues(string(kind), "wrong").Add(float64(done.Wrong[kind]))
		a.told.WithLabelValues(string(kind), "right").Add(float64(done.Right[kind]))
	}
	return err
}
