package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"anagrafe/collector/ingest"
	"anagrafe/collector/registry"
)

const (
	// censusLasts is for how long a census is shown again: it reads tables.
	censusLasts = 30 * time.Second
	censusTime  = 10 * time.Second
)

// census shows what the register, the trail and the certificates say when
// Prometheus asks: how many and how old, never who or where. What cannot be read is
// left out, and anagrafe_census_success is 0.
type census struct {
	o      *collector
	agents func() (tls.Certificate, error) // what agents are shown

	mu   sync.Mutex
	at   time.Time
	last []prometheus.Metric
}

func described(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("anagrafe_"+name, help, labels, nil)
}

var (
	censusSuccess  = described("census_success", "Whether the register and the trail could be counted: 1, or 0.")
	sitesNow       = described("sites", "Sites, by state.", "state")
	camerasNow     = described("cameras", "Cameras that are declared now.")
	agentsNow      = described("agents", "Agents, by state: heard in the last seven days, silent for longer, revoked.", "state")
	noticesWaiting = described("notices_waiting", "Messages to owners, of any kind, that may still be handed down and answered.")
	noticesOldest  = described("notices_oldest_timestamp_seconds", "When the oldest waiting message to an owner was queued; absent when none waits.")
	mailWaiting    = described("mail_waiting", "E-mails that wait to be sent.")
	mailOldest     = described("mail_oldest_timestamp_seconds", "When the oldest waiting e-mail was queued; absent when none waits.")
	mailEnded      = described("mail_ended", "E-mails of the last seven days that came to an end, by outcome.", "outcome")
	databaseSize   = described("database_size_bytes", "Size of the register's database: of SQLite without its log.")
	trailEntries   = described("trail_entries", "Entries on the audit trail, by its last checkpoint.")
	trailLast      = described("trail_last_entry_timestamp_seconds", "When the last entry, and the checkpoint over it, was written; absent when there is none.")
	notAfter       = described("certificate_not_after_timestamp_seconds", "End of a certificate: of the authority that signs, of what agents are shown, of the pages.", "certificate")
)

// Describe implements prometheus.Collector.
func (c *census) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{censusSuccess, sitesNow, camerasNow, agentsNow, noticesWaiting, noticesOldest, mailWaiting,
		mailOldest, mailEnded, databaseSize, trailEntries, trailLast, notAfter} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *census) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.last == nil || now.Sub(c.at) >= censusLasts || now.Before(c.at) {
		c.take(now)
	}
	for _, m := range c.last {
		out <- m
	}
}

func (c *census) take(now time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), censusTime) // a Collector is given none
	defer cancel()
	c.at, c.last = now, nil
	c.certificates()
	counted, err := c.o.reg.Census(ctx, now)
	if err == nil {
		c.register(counted)
		err = c.trail(ctx)
	}
	if err != nil {
		c.o.log.Warn("the metrics of the register and the trail cannot be read", "err", err)
		c.show(censusSuccess, 0)
		return
	}
	c.show(censusSuccess, 1)
}

func (c *census) show(d *prometheus.Desc, value float64, labels ...string) {
	c.last = append(c.last, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...))
}

// since shows a moment; none when it is zero.
func (c *census) since(d *prometheus.Desc, at time.Time, labels ...string) {
	if !at.IsZero() {
		c.show(d, float64(at.UnixMilli())/1000, labels...)
	}
}

func (c *census) register(n registry.Census) {
	for state, count := range map[registry.State]int{registry.Invited: n.Invited, registry.Enrolled: n.Enrolled, registry.Sharing: n.Sharing,
		registry.Suspended: n.Suspended, registry.Withdrawn: n.Withdrawn} {
		c.show(sitesNow, float64(count), string(state))
	}
	c.show(camerasNow, float64(n.Cameras))
	c.show(agentsNow, float64(n.Heard), "heard")
	c.show(agentsNow, float64(max(0, n.Agents-n.Revoked-n.Heard)), "silent")
	c.show(agentsNow, float64(n.Revoked), "revoked")
	c.show(noticesWaiting, float64(n.Notices))
	c.since(noticesOldest, n.OldestNotice)
	c.show(mailWaiting, float64(n.Mail))
	c.since(mailOldest, n.OldestMail)
	for outcome, count := range n.Mailed {
		c.show(mailEnded, float64(count), outcome)
	}
	c.show(databaseSize, float64(n.Bytes))
}

func (c *census) trail(ctx context.Context) error {
	size, err := c.o.trail.Size(ctx)
	if err != nil {
		return err
	}
	c.show(trailEntries, float64(size))
	if size == 0 {
		return nil
	}
	for last, err := range c.o.trail.Headers(ctx, size-1) {
		c.since(trailLast, last.At)
		return err
	}
	return fmt.Errorf("the trail's last entry, number %d, is not there", size-1)
}

func (c *census) certificates() {
	for _, s := range c.o.authority.Standing() {
		if s.Role == ingest.RoleSigns {
			c.since(notAfter, s.Until, "authority")
		}
	}
	if shown, err := c.agents(); err == nil && shown.Leaf != nil {
		c.since(notAfter, shown.Leaf.NotAfter, "agents")
	}
	if shown := c.o.publicWeb.TLS; shown != nil {
		if pages, err := shown.GetCertificate(nil); err == nil {
			c.since(notAfter, pages.Leaf.NotAfter, "pages")
		}
	}
}

// buildInfo says which program this is.
func buildInfo() prometheus.Collector {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "anagrafe_build_info", Help: "1; its label tells the program's version."}, []string{"version"})
	g.WithLabelValues(version()).Set(1)
	return g
}

// listenMetrics opens the address for Prometheus; "off" is none, and nil.
func listenMetrics(addr string) (net.Listener, error) {
	if addr == "off" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening for Prometheus: %w (give another address with -listen-metrics, or \"off\")", err)
	}
	return listener, nil
}

// serveMetrics serves Prometheus and health checks until ctx ends.
func serveMetrics(ctx context.Context, listener net.Listener, metrics *prometheus.Registry, h *health) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.alive)
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
