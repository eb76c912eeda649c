package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace/noop"
)

var updateMetrics = flag.Bool("update-metrics", false, "write testdata/collector/metrics.txt anew")

// watched is an office that serves, with its metrics listener.
func watched(t *testing.T) (o *collector, metrics string) {
	t.Helper()
	o = opened(t, t.TempDir(), func(c *Config) { c.ListenMetrics = freePort(t, "127.83.41.11") })
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- o.serve(ctx, io.Discard) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	(&serving{t: t, dir: o.dir, o: o}).command("user", "list", "-data", o.dir) // answered when all is served
	return o, "http://" + o.config.ListenMetrics
}

// TestMetricsAreThoseOfTheList holds names, types, labels and words: dashboards and
// alert rules of others are made from them.
func TestMetricsAreThoseOfTheList(t *testing.T) {
	_, at := watched(t)
	const golden = "../testdata/collector/metrics.txt"
	got := listed(httpText(t, at+"/metrics"))
	if *updateMetrics {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the metrics are not those of %s (go test ./collector -run %s -update-metrics):\n%s", golden, t.Name(), got)
	}
	unit := regexp.MustCompile(`^anagrafe_[a-z0-9_]+$`)
	for line := range strings.Lines(got) {
		name, kind, _ := strings.Cut(line, " ")
		if !unit.MatchString(name) || strings.HasPrefix(kind, "counter") != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is not named as Prometheus names metrics: counters, and nothing else, end in _total", name)
		}
	}
}

var (
	helpLine   = regexp.MustCompile(`^# HELP (anagrafe_\S+) (.*)$`)
	typeLine   = regexp.MustCompile(`^# TYPE (anagrafe_\S+) (\S+)$`)
	sampleLine = regexp.MustCompile(`^(anagrafe_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? \S+$`)
	descLine   = regexp.MustCompile(`^Desc\{fqName: "(\w+)", help: "([^"]*)", unit.*variableLabels: \{(.*)\}\}$`)
	labelName  = regexp.MustCompile(`(\w+)="`)
)

// listed gives our metrics of an answer: a line each, "name type {labels} help".
func listed(text string) string {
	type family struct{ kind, help, labels string }
	all := map[string]*family{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if m := helpLine.FindStringSubmatch(line); m != nil {
			all[m[1]] = &family{help: m[2]}
		} else if m := typeLine.FindStringSubmatch(line); m != nil {
			all[m[1]].kind = m[2]
		} else if m := sampleLine.FindStringSubmatch(line); m != nil && all[m[1]] != nil {
			var labels []string
			for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
				if l[1] != "le" {
					labels = append(labels, l[1])
				}
			}
			slices.Sort(labels)
			all[m[1]].labels = strings.Join(labels, ",")
		}
	}
	// Of these nothing is shown while nothing waits.
	descriptions := make(chan *prometheus.Desc, 100)
	new(census).Describe(descriptions)
	close(descriptions)
	for d := range descriptions {
		if m := descLine.FindStringSubmatch(d.String()); all[m[1]] == nil {
			all[m[1]] = &family{"gauge", m[2], m[3]}
		}
	}
	var lines []string
	for name, f := range all {
		lines = append(lines, fmt.Sprintf("%s %s {%s} %s\n", name, f.kind, f.labels, f.help))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// TestRequestsAreCountedByRouteAlone: whatever is asked, and by whoever, the number of
// series stays that of the routes, and nothing of it is in a label.
func TestRequestsAreCountedByRouteAlone(t *testing.T) {
	metrics := prometheus.NewRegistry()
	q := newRequests(metrics, noop.NewTracerProvider().Tracer(""))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sites/{id}", func(rw http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "panic" {
			panic(http.ErrAbortHandler)
		}
		http.NewResponseController(rw).EnableFullDuplex() // goes through
		rw.WriteHeader(http.StatusEarlyHints)
		rw.WriteHeader(http.StatusTeapot)
	})
	mux.HandleFunc("GET /empty", func(http.ResponseWriter, *http.Request) {})
	ask := func(listener, path string) {
		defer func() { _ = recover() }()
		q.count(listener, mux).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	for i := range 500 {
		for _, listener := range []string{onPublic, onOps, onConsult} {
			ask(listener, fmt.Sprintf("/sites/sentinel%d?q=sentinel%d", i, i))
			ask(listener, fmt.Sprintf("/sentinel%d", i))
		}
	}
	ask(onOps, "/empty")
	ask(onOps, "/sites/panic")
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			if f.GetName() == "anagrafe_http_requests_total" {
				seen[strings.Join(labels, " ")] = m.GetCounter().GetValue()
			}
			if text := m.String(); strings.Contains(text, "sentinel") {
				t.Errorf("a label tells what was asked: %s", text)
			}
		}
	}
	for labels, want := range map[string]float64{ // in the order code, listener, route
		"418 public GET /sites/{id}": 500, "404 public none": 500, "418 consultation all": 500, "404 consultation all": 500,
		"200 ops GET /empty": 1, "500 ops GET /sites/{id}": 1, "500 ops none": 0, "500 public none": 0, "500 consultation all": 0,
		"418 ops GET /sites/{id}": 500, "404 ops none": 500,
	} {
		if seen[labels] != want {
			t.Errorf("%q: %v, want %v", labels, seen[labels], want)
		}
	}
	if len(seen) != 11 {
		t.Errorf("%d series: %v", len(seen), seen)
	}
}

func TestHealth(t *testing.T) {
	_, at := watched(t)
	for path, want := range map[string]string{"/healthz": `"alive":true`, "/readyz": `"ready":true`} {
		if text := httpText(t, at+path); !strings.Contains(text, want) {
			t.Errorf("%s: %s", path, text)
		}
	}
	if text := httpText(t, at+"/metrics"); !strings.Contains(text, "anagrafe_census_success 1\n") || !strings.Contains(text, `anagrafe_certificate_not_after_timestamp_seconds{certificate="agents"}`) {
		t.Errorf("the census failed:\n%s", text)
	}
}

// TestPagesCertificateIsRenewed: what the pages show, and the metric of its end, follow
// the files while the collector runs.
func TestPagesCertificateIsRenewed(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "fullchain.pem"), filepath.Join(dir, "privkey.pem")
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	write := func(until time.Time) {
		t.Helper()
		template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{until.Format("y2006.example")}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until}
		der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(signer)
		if err != nil {
			t.Fatal(err)
		}
		for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
			if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, until, until); err != nil { // a file system's clock may be coarse
				t.Fatal(err)
			}
		}
	}
	now := time.Now().Truncate(time.Second)
	write(now.Add(time.Hour))
	o := opened(t, t.TempDir(), func(c *Config) { c.Certificate, c.Key = cert, key })
	l, err := o.publicWeb.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			_ = c.Close()
		}
	}()
	for _, until := range []time.Time{now.Add(time.Hour), now.Add(90 * 24 * time.Hour)} {
		write(until)
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().PeerCertificates[0].NotAfter; !got.Equal(until) {
			t.Errorf("the pages show one that ends %v, not %v", got, until)
		}
		_ = c.Close()
		metrics := prometheus.NewRegistry()
		metrics.MustRegister(&census{o: o, agents: func() (tls.Certificate, error) { return tls.Certificate{}, errors.New("none") }})
		all, err := metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var said []float64
		for _, f := range all {
			for _, m := range f.GetMetric() {
				if f.GetName() == "anagrafe_certificate_not_after_timestamp_seconds" && m.GetLabel()[0].GetValue() == "pages" {
					said = append(said, m.GetGauge().GetValue())
				}
			}
		}
		if len(said) != 1 || said[0] != float64(until.Unix()) {
			t.Errorf("the metric says %v, not %v", said, until.Unix())
		}
	}
}

// TestReadyzSaysWhatIsMissing: each check that fails makes it 503, by its name and in
// words of ours; what the error says is in the log alone.
func TestReadyzSaysWhatIsMissing(t *testing.T) {
	o := opened(t, t.TempDir(), func(*Config) {})
	ctx, end := context.WithCancel(t.Context())
	h := o.newHealth(ctx)
	asked := func() (code int, checks map[string]string) {
		t.Helper()
		rec := httptest.NewRecorder()
		h.ready(rec, httptest.NewRequest("GET", "/readyz", nil))
		var answer struct {
			Ready  bool              `json:"ready"`
			Checks map[string]string `json:"checks"`
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || answer.Ready != (rec.Code == http.StatusOK) {
			t.Fatalf("%v: %d %s", err, rec.Code, rec.Body)
		}
		return rec.Code, answer.Checks
	}
	code, checks := asked()
	if code != http.StatusOK || len(checks) != 5 {
		t.Fatalf("%d %v", code, checks)
	}
	for i, c := range h.checks {
		h.checks[i].ask = func(context.Context) error { return errors.New("postgres://user:sentinel@db") }
		code, checks := asked()
		if code != http.StatusServiceUnavailable || checks[c.name] != c.says || checks["service"] != "ok" {
			t.Errorf("%s: %d %v", c.name, code, checks)
		}
		h.checks[i] = c
	}
	if err := roomIn(o.dir, 1<<62); err == nil {
		t.Error("a disk without that much room")
	}
	if err := roomIn("/nowhere/at/all", 1); err == nil {
		t.Error("a disk that is not there")
	}
	end()
	if code, checks := asked(); code != http.StatusServiceUnavailable || checks["service"] == "ok" {
		t.Errorf("while it ends: %d %v", code, checks)
	}
}

// TestReadyzTurnsBeforeTheRestEnds: a request under way holds the end up, and until it
// is answered the metrics listener is there and says that nothing new is taken.
func TestReadyzTurnsBeforeTheRestEnds(t *testing.T) {
	o := opened(t, t.TempDir(), func(c *Config) {
		c.ListenMetrics, c.ListenOps = freePort(t, "127.83.41.11"), freePort(t, "127.83.41.11")
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- o.serve(ctx, io.Discard) }()
	(&serving{t: t, dir: o.dir, o: o}).command("user", "list", "-data", o.dir)
	// Half a request: its server waits for the rest, and so ends later.
	half, err := net.Dial("tcp", o.config.ListenOps)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	if _, err := io.WriteString(half, "POST /login/link HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	const inHandler = "HTTP/1.1 100 "
	answer := make([]byte, len(inHandler))
	if _, err := io.ReadFull(half, answer); err != nil || string(answer) != inHandler {
		t.Fatalf("%q, %v", answer, err)
	}
	stop()
	resp, err := http.Get("http://" + o.config.ListenMetrics + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("while it ends: %s", resp.Status)
	}
	half.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
