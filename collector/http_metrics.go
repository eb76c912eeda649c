package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// The listeners of pages, as metrics name them. Agents' calls are counted by ingest.
const (
	onPublic  = "public"
	onOps     = "ops"
	onConsult = "consultation"
)

// requests counts and traces the pages' answers by the pattern of their route, never by path,
// query or person. Of consultation all routes are one: operators may know that the
// forces use it, and not whether they search, ask for footage or read an answer.
type requests struct {
	total  *prometheus.CounterVec
	took   *prometheus.HistogramVec
	tracer trace.Tracer
}

func newRequests(metrics prometheus.Registerer, tracer trace.Tracer) *requests {
	q := &requests{
		tracer: tracer,
		total: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "anagrafe_http_requests_total",
			Help: "Requests answered, by listener, pattern of the route (none: refused before any; all: of consultation, where it is not told) and status code."}, []string{"listener", "route", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "anagrafe_http_request_duration_seconds",
			Help: "Time from a request's headers to the end of its answer, by listener and pattern of the route.", Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10}}, []string{"listener", "route"}),
	}
	for _, l := range []string{onPublic, onOps, onConsult} { // there from the start, so that the first fault is an increase
		q.total.WithLabelValues(l, q.route(l, ""), "500")
		q.took.WithLabelValues(l, q.route(l, ""))
	}
	metrics.MustRegister(q.total, q.took)
	return q
}

// route is the label of a request that was given to pattern.
func (q *requests) route(listener, pattern string) string {
	switch {
	case listener == onConsult:
		return "all"
	case pattern == "":
		return "none"
	}
	return pattern
}

// count has h's answers counted and traced. The pattern is what its mux found: all
// between hands the same request on, or its pattern back.
func (q *requests) count(listener string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		began, w := time.Now(), &answered{ResponseWriter: rw, code: http.StatusInternalServerError} // until it is written: a panic leaves it
		ctx, span := q.tracer.Start(r.Context(), listener, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer))
		if listener != onConsult { // where what it asks of the register would tell what it is
			r = r.WithContext(ctx)
		}
		defer func() {
			route := q.route(listener, r.Pattern)
			q.total.WithLabelValues(listener, route, strconv.Itoa(w.code)).Inc()
			q.took.WithLabelValues(listener, route).Observe(time.Since(began).Seconds())
			span.SetName(listener + " " + route)
			span.SetAttributes(attribute.Int("http.response.status_code", w.code))
			if w.code >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, "")
			}
			span.End()
		}()
		h.ServeHTTP(w, r)
		if !w.written {
			w.code = http.StatusOK
		}
	})
}

// answered remembers the status of an answer.
type answered struct {
	http.ResponseWriter
	code    int
	written bool
}

// WriteHeader implements http.ResponseWriter.
func (a *answered) WriteHeader(code int) {
	if !a.written && code >= http.StatusOK { // not 103 Early Hints and the like
		a.code, a.written = code, true
	}
	a.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (a *answered) Write(b []byte) (int, error) {
	if !a.written {
		a.code, a.written = http.StatusOK, true
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }
