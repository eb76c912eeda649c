package ingest

import "github.com/prometheus/client_golang/prometheus"

// metrics are what ops see of the door: never who, only how many.
type metrics struct {
	accepted    *prometheus.CounterVec // by kind
	duplicates  prometheus.Counter
	enrolled    prometheus.Counter
	renewed     prometheus.Counter
	refused     *prometheus.CounterVec // by reason
	connections *prometheus.CounterVec // by transport
	open        *prometheus.GaugeVec   // by transport
	streams     prometheus.Gauge
	parked      prometheus.Counter
	handedDown  prometheus.Counter
}

func newMetrics(r prometheus.Registerer, waiting func() float64) (*metrics, error) {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "anagrafe", Subsystem: "ingest", Name: name, Help: help}
	}
	m := &metrics{
		accepted:    prometheus.NewCounterVec(counter("messages_recorded_total", "Messages recorded and acknowledged, by kind."), []string{"kind"}),
		duplicates:  prometheus.NewCounter(counter("messages_duplicate_total", "Messages received again and acknowledged again.")),
		enrolled:    prometheus.NewCounter(counter("enrolments_total", "Codes redeemed, repeats of the same key included.")),
		renewed:     prometheus.NewCounter(counter("renewals_total", "Certificates renewed.")),
		refused:     prometheus.NewCounterVec(counter("refused_total", "Connections, calls and messages refused, by reason."), []string{"reason"}),
		connections: prometheus.NewCounterVec(counter("connections_total", "Connections accepted, by transport."), []string{"transport"}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "anagrafe", Subsystem: "ingest",
			Name: "connections_open", Help: "Connections open now, by transport."}, []string{"transport"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "anagrafe", Subsystem: "ingest",
			Name: "notice_streams_open", Help: "Agents held now: listening for notices."}),
		parked:     prometheus.NewCounter(counter("parked_total", "Times that an agent was told to come again later for its notices, by its owner's choice or for want of room.")),
		handedDown: prometheus.NewCounter(counter("notices_handed_down_total", "Notices sent to agents, repeats included.")),
	}
	if r == nil {
		return m, nil
	}
	line := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "anagrafe", Subsystem: "ingest",
		Name: "writes_waiting", Help: "Writes that the register has not answered yet."}, waiting)
	for _, c := range []prometheus.Collector{line, m.accepted, m.duplicates, m.enrolled, m.renewed, m.refused, m.connections, m.open, m.streams, m.parked, m.handedDown} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
