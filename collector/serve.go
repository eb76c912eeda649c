package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"anagrafe/collector/certfile"
	"anagrafe/collector/ingest"
	"anagrafe/collector/web/public"
	"anagrafe/protocol/daemon"
	"anagrafe/protocol/pages"
	"anagrafe/protocol/wholefile"
)

// certificate is that of the pages; nil where they are served on loopback.
func (o *collector) certificate() (*tls.Config, error) {
	if o.config.Certificate == "" {
		return nil, nil
	}
	pair, err := certfile.Open("the pages", o.config.Certificate, o.config.Key, nil, o.log)
	if err != nil {
		return nil, err
	}
	return pair.Config(), nil
}

// publicHandler serves the public listener: its own pages, and those of referents, who
// sign in there.
func (o *collector) publicHandler() (http.Handler, error) {
	public, err := o.publicWeb.Handler(o.publicRoutes...)
	if err != nil {
		return nil, err
	}
	referents, err := o.referentWeb.Handler(o.referentRoutes...)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch {
		case first == "referent" || first == "login" || first == "account":
			referents.ServeHTTP(rw, r)
		case r.URL.Path == "/logout" && o.referentWeb.SignedIn(r):
			referents.ServeHTTP(rw, r)
		default:
			public.ServeHTTP(rw, r)
		}
	}), nil
}

// agentsServer is where agents come in.
func (o *collector) agentsServer(metrics *prometheus.Registry, tracer trace.Tracer) (*ingest.Server, error) {
	return ingest.New(ingest.Options{
		Authority: o.authority, ReceiptKey: o.receipts, OwnerLink: o.config.ownerLink(), Browser: o.config.public() + public.CodePath + "#" + public.CodeInvitation, Register: o.reg,
		Listen: o.config.ListenAgents, ListenTCP: o.config.ListenAgentsTCP, Balancers: o.config.Balancers, Hosts: []string{o.config.host()},
		CertificateFile: o.config.AgentsCertificate, KeyFile: o.config.AgentsKey,
		RootSecret: o.secret, Metrics: metrics, Tracer: tracer, Log: o.log, MaxHeld: o.config.MaxHeld, Map: o.shown, Channel: filepath.Join(o.dir, "channel"),
	})
}

// warm reads what searches go by: the first one should not be the one that waits for
// the whole register.
func (o *collector) warm(ctx context.Context) error {
	if err := o.index.CatchUp(ctx); err != nil {
		return err
	}
	if err := o.refreshPlaces(ctx); err != nil && ctx.Err() == nil {
		o.log.Warn("addresses and districts cannot be read: searches go by coordinates until they are imported again", "err", err)
	}
	return nil
}

// handlers are those of the three listeners that have pages.
func (o *collector) handlers() (public, ops, consult http.Handler, err error) {
	if public, err = o.publicHandler(); err != nil {
		return nil, nil, nil, err
	}
	if ops, err = o.opsWeb.Handler(o.opsRoutes...); err != nil {
		return nil, nil, nil, err
	}
	consult, err = o.consultHandler()
	return public, ops, consult, err
}

// serve runs all parts until ctx ends and waits for each. The first part that
// fails ends the others. It is long because it is one list: what is opened, run and
// waited for, in this order.
func (o *collector) serve(ctx context.Context, out io.Writer) (err error) {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo(), o.turnedAway)
	tracer, endTraces, err := openTraces(ctx, o.config.OTLPEndpoint, o.log)
	if err != nil {
		return err
	}
	defer endTraces()
	answers := newRequests(metrics, tracer)
	agents, err := o.agentsServer(metrics, tracer)
	if err != nil {
		return err
	}
	metrics.MustRegister(&census{o: o, agents: agents.Certificate})
	if err := o.warm(ctx); err != nil {
		return err
	}
	publicHandler, opsHandler, consultHandler, err := o.handlers()
	if err != nil {
		return err
	}
	// All addresses are opened before anything is served: one that is taken
	// ends the start, and not a service that has begun.
	var opened listeners
	publicListener := opened.add(o.publicWeb.Listen(o.config.ListenPublic))
	opsListener := opened.add(o.opsWeb.Listen(o.config.ListenOps))
	consultListener := opened.add(o.consultWeb.Listen(o.config.ListenConsult))
	metricsListener := opened.add(listenMetrics(o.config.ListenMetrics))
	controlListener := opened.add(o.listenControl())
	if opened.err == nil {
		opened.err = agents.Listen() // last: nobody but Run closes it
	}
	if opened.err != nil {
		return errors.Join(opened.err, opened.close())
	}

	disk := newSpace(o.dir, metrics, func(used float64) {
		o.log.Error("the disk under the collector's directory is filling up: once it is full the trail cannot be written and every consultation is refused; make room", "used", used)
	})
	watch := newAlerts(metrics, time.Now())
	// The metrics listener ends last: until then it says that this is ending.
	watched, ctx := errgroup.WithContext(ctx)
	if metricsListener != nil {
		watching, ended := context.WithCancel(context.WithoutCancel(ctx))
		defer ended()
		h := o.newHealth(ctx)
		watched.Go(func() error { return serveMetrics(watching, metricsListener, metrics, h) })
		defer func() { ended(); err = errors.Join(err, watched.Wait()) }()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return agents.Run(ctx) })
	group.Go(func() error { return o.publicWeb.Serve(ctx, answers.count(onPublic, publicHandler), publicListener) })
	group.Go(func() error { return o.opsWeb.Serve(ctx, answers.count(onOps, opsHandler), opsListener) })
	group.Go(func() error {
		return o.consultWeb.Serve(ctx, answers.count(onConsult, consultHandler), consultListener)
	})
	group.Go(func() error { return o.serveControl(ctx, controlListener) })
	written := make(chan struct{}, 1)
	group.Go(func() error { return o.reg.Follow(ctx, news(agents, written)) })
	group.Go(func() error { return o.readAlong(ctx, written) })
	group.Go(func() error { return o.tidy(ctx, watch) })
	group.Go(func() error { return o.statistics(ctx) })
	group.Go(func() error {
		disk.watch(ctx, func(err error) { o.log.Warn("the disk cannot be watched", "err", err) })
		return nil
	})
	if o.mail != nil {
		group.Go(func() error { return o.mail.Run(ctx) })
	}
	if o.pec != nil {
		group.Go(func() error { return o.pec.Run(ctx) })
	}
	if o.sms != nil {
		group.Go(func() error { return o.sms.Run(ctx) })
	}
	if err := o.printAddresses(ctx, out); err != nil {
		o.log.Error("the first administrator's link could not be made: once that is mended, start the collector again", "err", err)
	}
	if err := daemon.Ready(); err != nil {
		o.log.Warn("systemd will take this start for one that failed", "err", err)
	}
	return group.Wait()
}

// listeners are those opened so far, and why others could not be.
type listeners struct {
	all []net.Listener
	err error
}

func (s *listeners) add(l net.Listener, err error) net.Listener {
	if s.err = errors.Join(s.err, err); err == nil && l != nil {
		s.all = append(s.all, l)
	}
	return l
}

func (s *listeners) close() (err error) {
	for _, l := range s.all {
		err = errors.Join(err, l.Close())
	}
	return err
}

// news hears what was written to the register, by this collector or another one, and is
// the only one that does: who waits for notices and who reads along are told by it.
func news(agents *ingest.Server, written chan<- struct{}) func(revoked string) {
	return func(revoked string) {
		agents.Notify()
		if revoked != "" {
			agents.Readmit(revoked)
		}
		select {
		case written <- struct{}{}:
		default: // told already
		}
	}
}

// readAlong has the search index read what was written as it comes, so that no
// officer waits for what a night has brought, and the gazetteer what was imported.
func (o *collector) readAlong(ctx context.Context, written <-chan struct{}) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-written:
			if err := o.index.CatchUp(ctx); err != nil && ctx.Err() == nil {
				o.log.Warn("the search index could not follow the register; the next search will", "err", err)
			}
			if err := o.refreshPlaces(ctx); err != nil && ctx.Err() == nil {
				o.log.Warn("addresses and districts could not be read anew; searches go by those of before", "err", err)
			}
		}
	}
}

// printAddresses says where everything is, and lets the first administrator in.
func (o *collector) printAddresses(ctx context.Context, out io.Writer) error {
	o.log.Info("collector serving", "agents", o.config.agentsURL(), "public", o.config.PublicURL, "ops", o.config.OpsURL, "consultation",
		o.config.ConsultURL, "trail_key", o.trail.VerifierKey(), "receipt_key", o.receipts.VerifierKey())
	if !pages.Built() {
		o.log.Warn("the pages' front end is not built: run make")
	}
	if o.config.Basemap == "" {
		o.log.Info("no basemap: the search page draws on a plain ground; give one with -basemap FILE")
	}
	for _, f := range o.config.Forces {
		if _, ok, err := o.reg.Force(ctx, f.Name); err == nil && !ok {
			o.log.Warn("a [[force]] of the configuration is not in the register, so it holds for nobody: check its name against \"force list\"", "force", f.Name)
		}
	}
	if o.mail == nil {
		o.log.Warn("no mail is sent: owners are reminded through their agents alone; give smtp_server and smtp_from in the configuration")
	}
	link, err := o.ops.FirstLink(ctx)
	if err != nil {
		return err
	}
	// Not in the log: the link makes its bearer administrator.
	file := filepath.Join(o.dir, "first-link")
	if link == "" {
		return os.RemoveAll(file) // of an earlier start
	}
	if daemon.InJournal(out) {
		o.log.Info("first administrator: open the link in this file once, within a day, and register a passkey", "file", file)
		return wholefile.Write(file, []byte(link+"\n"), 0o600)
	}
	_, err = fmt.Fprintf(out, "First administrator: open this link once, within a day, and register a passkey:\n%s\n", link)
	return err
}
