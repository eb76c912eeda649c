package ingest

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

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
	calls       *prometheus.CounterVec   // by procedure and code
	took        *prometheus.HistogramVec // by procedure
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
		calls: prometheus.NewCounterVec(counter("calls_total",
			"Calls answered, by procedure and code of Connect (ok: none); without those refused before, and without streams."), []string{"procedure", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "anagrafe", Subsystem: "ingest", Name: "call_duration_seconds",
			Help: "Time of a call's answer, by procedure; without streams.", Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10}}, []string{"procedure"}),
	}
	for _, transport := range []string{"h2", "h3"} { // there from the start, so that the first is an increase
		m.connections.WithLabelValues(transport)
		m.open.WithLabelValues(transport)
	}
	for _, body := range []protocol.Body{protocol.Declaration{}, protocol.Observation{}, protocol.Withdrawal{}, protocol.SiteSuspension{}, protocol.Reply{}, protocol.Health{}, protocol.Diagnosis{}} {
		m.accepted.WithLabelValues(protocol.Message{Body: body}.Kind())
	}
	for _, procedure := range []string{wire.EnrolmentServiceEnrolProcedure, wire.DeliveryServiceDeliverProcedure} {
		m.calls.WithLabelValues(procedure, "ok")
		m.took.WithLabelValues(procedure)
	}
	for _, row := range refusals() {
		m.refused.WithLabelValues(string(row.reason))
	}
	line := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "anagrafe", Subsystem: "ingest",
		Name: "writes_waiting", Help: "Writes that the register has not answered yet."}, waiting)
	return m, register(r, line, m.accepted, m.duplicates, m.enrolled, m.renewed, m.refused, m.connections, m.open, m.streams, m.parked, m.handedDown, m.calls, m.took)
}

// register shows what is counted; nowhere where r is nil.
func register(r prometheus.Registerer, all ...prometheus.Collector) error {
	if r == nil {
		return nil
	}
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// timed counts and traces calls and their time. Their procedures are those of the protocol:
// what is called by another name is answered before.
func (m *metrics) timed(tracer trace.Tracer) connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			began := time.Now()
			ctx, span := tracer.Start(ctx, req.Spec().Procedure, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer))
			answer, err := next(ctx, req)
			code := "ok"
			if err != nil {
				code = connect.CodeOf(err).String()
				span.SetStatus(codes.Error, code)
			}
			span.End()
			m.calls.WithLabelValues(req.Spec().Procedure, code).Inc()
			m.took.WithLabelValues(req.Spec().Procedure).Observe(time.Since(began).Seconds())
			return answer, err
		}
	})
}
