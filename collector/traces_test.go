package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	collected "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// receiver takes traces as their collector does: OTLP over HTTP.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []*collected.ExportTraceServiceRequest
	asks []string // heads of the requests
}

func receive(t *testing.T) *receiver {
	t.Helper()
	v := &receiver{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var in collected.ExportTraceServiceRequest
		raw, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(raw, &in)
		}
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.got, v.asks = append(v.got, &in), append(v.asks, fmt.Sprint(r.URL, r.Header))
		rw.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(v.Close)
	return v
}

// spans are those received so far, and all that came as text.
func (v *receiver) spans() (all []*otlp.Span, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	text = strings.Join(v.asks, "\n")
	for _, in := range v.got {
		text += protojson.Format(in)
		for _, r := range in.GetResourceSpans() {
			for _, s := range r.GetScopeSpans() {
				all = append(all, s.GetSpans()...)
			}
		}
	}
	return all, text
}

// spanNames are all names that may be in a trace.
var spanNames = regexp.MustCompile(`^(public (none|/|(GET|POST) /[a-z{}$./-]*)|ops (none|/|(GET|POST) /[a-z{}$./-]*)|consultation all|registry (read|write)|/anagrafe\.v1\.\w+/\w+)$`)

// What leaves with a trace are names of routes, procedures and transactions, codes and
// times: nothing that anybody has typed, is called or has done.
// It is long because it is one way, step by step.
func TestTracesTellNothing(t *testing.T) {
	v := receive(t)
	c := defaults()
	c.OTLPEndpoint = v.URL
	c.PublicURL, c.ListenAgents, c.ListenMetrics = "http://localhost:8080", freePort(t, "127.83.41.13"), "off"
	c.ListenPublic, c.ListenOps, c.ListenConsult = freePort(t, "127.0.0.1"), freePort(t, "127.0.0.1"), freePort(t, "127.0.0.1")
	o, err := openCollector(t.Context(), t.TempDir(), c, discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.serve(ctx, io.Discard) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	defer stop()
	s := &serving{t: t, dir: o.dir, o: o}
	s.command("user", "list", "-data", o.dir) // answered when all is served

	const sentinel = "sentinella"
	for _, at := range []string{c.ListenPublic, c.ListenOps, c.ListenConsult} {
		for _, path := range []string{"/login", "/login/link?token=" + sentinel, "/site", "/statistiche", "/contact/" + sentinel, "/" + sentinel, "/site?q=" + sentinel, "/search/" + sentinel} {
			for _, method := range []string{http.MethodGet, http.MethodPost, strings.ToUpper(sentinel)} {
				r, err := http.NewRequestWithContext(t.Context(), method, "http://"+at+path, strings.NewReader("code="+sentinel+"&token="+sentinel))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("User-Agent", sentinel)
				r.Header.Set("Traceparent", "00-73656e74696e656c6c6173656e74696e-73656e74696e656c-01")
				r.Header.Set("Tracestate", "s="+sentinel)
				r.Header.Set("Baggage", "s="+sentinel)
				answer, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
			}
		}
	}
	a := play(t, s, c.ListenAgents)
	d := declared("6f6b0f0e-7e0c-4c1b-9d5c-1d0d3c1f2a3b")
	d.Contacts[0].Name = sentinel
	a.say(d)
	a.leave()
	stop()

	all, text := v.spans()
	names, roots := map[string]int{}, map[string]bool{}
	for _, span := range all {
		names[span.GetName()]++
		if !spanNames.MatchString(span.GetName()) {
			t.Errorf("a trace tells %q", span.GetName())
		}
		for _, a := range span.GetAttributes() {
			if a.GetKey() != "http.response.status_code" {
				t.Errorf("%s tells %v", span.GetName(), a)
			}
		}
		if len(span.GetEvents())+len(span.GetLinks()) > 0 || span.GetTraceState() != "" {
			t.Errorf("%s has more: %v", span.GetName(), span)
		}
		if len(span.GetParentSpanId()) == 0 {
			roots[string(span.GetTraceId())+strings.SplitN(span.GetName(), " ", 2)[0]] = true
		}
	}
	for _, want := range []string{"public GET /contact/{token}", "public POST /site", "public /", "ops GET /login", "consultation all", "registry read", "registry write",
		"/anagrafe.v1.EnrolmentService/Enrol", "/anagrafe.v1.DeliveryService/Deliver"} {
		if names[want] == 0 {
			t.Errorf("there is no span %q among %v", want, names)
		}
	}
	for _, span := range all { // nothing of what consultation asks the register
		if len(span.GetParentSpanId()) > 0 && roots[string(span.GetTraceId())+"consultation"] {
			t.Errorf("%s is told beneath a consultation", span.GetName())
		}
	}
	host, _, err := net.SplitHostPort(c.ListenAgents)
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{sentinel, strings.ToUpper(sentinel), "73656e74696e656c", host, a.grant.GetSiteId(), "Farmacia", o.dir, "c2VudGluZWxsYXNlbnRpbg"} {
		if never != "" && strings.Contains(text, never) {
			t.Errorf("a trace tells %q", never)
		}
	}
}

func TestTracesEndpoint(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                                  "",
		"https://traces.example.it":         "",
		"https://traces.example.it/v1/x":    "",
		"http://localhost:4318":             "",
		"http://127.0.0.1:4318/v1/traces":   "",
		"http://[::1]:4318":                 "",
		"http://traces.example.it:4317":     "give https://traces.example.it:4317",
		"http://localhost.example.it":       "without TLS",
		"https://user:secret@example.it":    "must be https://",
		"https://example.it/?token=secret":  "must be https://",
		"traces.example.it:4318":            "must be https://",
		"grpc://traces.example.it":          "must be https://",
		"https://":                          "must be https://",
		"https://traces.example.it\x7f/bad": "must be https://",
	} {
		c := defaults()
		c.OTLPEndpoint = endpoint
		err := c.check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", endpoint, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells a secret: %v", err)
		}
	}
	for in, want := range map[string]string{"https://a.it": "https://a.it/v1/traces", "https://a.it/": "https://a.it/v1/traces", "https://a.it/x": "https://a.it/x"} {
		if got := tracesURL(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
