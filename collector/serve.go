package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"anagrafe/collector/ingest"
	"anagrafe/protocol/pages"
)

// cmdServe is the long-lived collector.
func cmdServe(ctx context.Context, c *call, args []string) (err error) {
	f := c.flags()
	var given Config
	f.StringVar(&given.PublicURL, "public-url", "", "what owners and agents call this collector, https://HOST")
	f.StringVar(&given.OpsURL, "ops-url", "", "what operators call their pages (default http://localhost:8081)")
	f.StringVar(&given.ConsultURL, "consult-url", "", "what officers call their pages (default http://127.0.0.1:8082)")
	f.StringVar(&given.ListenAgents, "listen-agents", "", "address for agents, UDP and TCP (default :8443)")
	f.StringVar(&given.ListenOps, "listen-ops", "", "address of the operators' pages (default 127.0.0.1:8081)")
	f.StringVar(&given.ListenConsult, "listen-consult", "", "address of the officers' pages (default 127.0.0.1:8082)")
	f.StringVar(&given.ListenMetrics, "listen-metrics", "", `address for Prometheus (default 127.0.0.1:9180), "off" for none`)
	f.StringVar(&given.Basemap, "basemap", "", "PMTiles file in the OpenMapTiles schema")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	config, err := readConfig(c.dir, c.config)
	if err != nil {
		return err
	}
	o, err := openOffice(ctx, c.dir, config.with(given), c.log)
	if errors.Is(err, errDaemon) {
		return fmt.Errorf("%w: %s", err, c.dir)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	return o.serve(ctx, c.out)
}

// with lets the values of other that are set win.
func (c Config) with(other Config) Config {
	for _, field := range []struct{ mine, other *string }{
		{&c.PublicURL, &other.PublicURL}, {&c.OpsURL, &other.OpsURL}, {&c.ConsultURL, &other.ConsultURL},
		{&c.ListenAgents, &other.ListenAgents}, {&c.ListenOps, &other.ListenOps},
		{&c.ListenConsult, &other.ListenConsult}, {&c.ListenMetrics, &other.ListenMetrics}, {&c.Basemap, &other.Basemap},
	} {
		if *field.other != "" {
			*field.mine = *field.other
		}
	}
	return c
}

// certificate is that of the pages; nil where they are served on loopback.
func (o *office) certificate() (*tls.Config, error) {
	if o.config.Certificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(o.config.Certificate, o.config.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the pages' certificate: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}}, nil
}

// serve runs all parts until ctx ends and waits for each. The first part that
// fails ends the others.
func (o *office) serve(ctx context.Context, out io.Writer) error {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	agents, err := ingest.New(ingest.Options{
		Authority: o.authority, Register: o.reg, Listen: o.config.ListenAgents, Hosts: []string{o.config.host()},
		RootSecret: o.secret, Metrics: metrics, Log: o.log,
	})
	if err != nil {
		return err
	}
	// The first search should not be the one that reads the whole register.
	if err := o.index.CatchUp(ctx); err != nil {
		return err
	}
	if err := agents.Listen(); err != nil {
		return err
	}
	opsHandler, err := o.opsWeb.Handler(o.ops.Routes())
	if err != nil {
		return err
	}
	consultHandler, err := o.consultWeb.Handler(o.consult.Routes(), o.audit.Routes())
	if err != nil {
		return err
	}
	opsListener, err := o.opsWeb.Listen(o.config.ListenOps)
	if err != nil {
		return err
	}
	consultListener, err := o.consultWeb.Listen(o.config.ListenConsult)
	if err != nil {
		return errors.Join(err, opsListener.Close())
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return agents.Run(ctx) })
	group.Go(func() error { return o.opsWeb.Serve(ctx, opsHandler, opsListener) })
	group.Go(func() error { return o.consultWeb.Serve(ctx, consultHandler, consultListener) })
	group.Go(func() error { return serveMetrics(ctx, o.config.ListenMetrics, metrics) })
	group.Go(func() error { return o.tidy(ctx) })
	group.Go(func() error {
		served, err := o.serveControl(ctx)
		if err != nil {
			return err
		}
		return <-served
	})
	if err := o.greet(ctx, out); err != nil {
		o.log.Error("the first administrator's link could not be made", "error", err)
	}
	return group.Wait()
}

// tidy drops ended sessions and unused links every hour.
func (o *office) tidy(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := o.reg.DropExpired(ctx, time.Now()); err != nil && ctx.Err() == nil {
			o.log.Warn("ended sessions could not be dropped", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// greet says where everything is, and lets the first administrator in.
func (o *office) greet(ctx context.Context, out io.Writer) error {
	o.log.Info("collector serving", "agents", o.config.agentsURL(), "ops", o.config.OpsURL, "consultation", o.config.ConsultURL, "trail_key", o.trail.VerifierKey())
	if !pages.Built() {
		o.log.Warn("the pages' front end is not built: run make")
	}
	if o.config.Basemap == "" {
		o.log.Info("no basemap: the search page draws on a plain ground; give one with -basemap FILE")
	}
	link, err := o.ops.FirstLink(ctx)
	if err != nil || link == "" {
		return err
	}
	// On stdout, not in the log: who has the link is the administrator.
	_, err = fmt.Fprintf(out, "First administrator: open this link once, within a day:\n%s\n", link)
	return err
}

// serveMetrics answers Prometheus; "off" is none.
func serveMetrics(ctx context.Context, addr string, metrics *prometheus.Registry) error {
	if addr == "off" {
		return nil
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listening for Prometheus: %w", err)
	}
	server := &http.Server{Handler: promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
