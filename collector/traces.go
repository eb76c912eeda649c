package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// A trace shows how long the parts of one request took: the request itself, by the
// pattern of its route, an agent's call, by its procedure, and the transactions of the
// register beneath. That, a status code, and random ids are all that leaves: no path,
// no query, no address, no header, no text of an error. What a caller says of a trace of
// its own is not heard. Of consultation there is the request alone, by no name (see
// requests).

// tracesEnd bounds the sending of the last traces when the program ends.
const tracesEnd = 5 * time.Second

// openTraces makes the tracer, and what sends the rest and ends it. Without an endpoint
// nothing is made, and nothing sent.
func openTraces(ctx context.Context, endpoint string, log *slog.Logger) (trace.Tracer, func(), error) {
	if endpoint == "" {
		return noop.NewTracerProvider().Tracer(""), func() {}, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(tracesURL(endpoint)))
	if err != nil {
		return nil, nil, fmt.Errorf("sending traces to otlp_endpoint: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces could not be sent", "err", err) }))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithSampler(sdktrace.AlwaysSample()),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "anagrafe-collector"), attribute.String("service.version", version()))))
	return provider.Tracer("anagrafe/collector"), func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesEnd)
		defer cancel()
		if err := provider.Shutdown(ending); err != nil {
			log.Warn("the last traces could not be sent", "err", err)
		}
	}, nil
}

// tracesURL adds the path that OTLP over HTTP usually has, where none is given.
func tracesURL(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint // checked before
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	return u.String()
}

// checkTraces refuses an endpoint that is none, or that would be told in clear.
func checkTraces(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("otlp_endpoint must be https://HOST[:PORT][/PATH]; what it asks for to let in goes into OTEL_EXPORTER_OTLP_HEADERS")
	}
	at, err := netip.ParseAddr(u.Hostname())
	if here := u.Hostname() == "localhost" || err == nil && at.IsLoopback(); u.Scheme == "http" && !here {
		return fmt.Errorf("otlp_endpoint %s is without TLS: that is for a collector of traces on this machine; give https://%s", endpoint, net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "4318")))
	}
	return nil
}
