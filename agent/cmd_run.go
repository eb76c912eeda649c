package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/kardianos/service"
	"golang.org/x/sync/errgroup"

	"anagrafe/agent/discover"
	"anagrafe/agent/update"
	"anagrafe/protocol/daemon"
)

// cmdRun is the long-lived agent, by hand or under a service manager.
func cmdRun(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var interfaces, targets daemon.Repeated
	f.Var(&interfaces, "interface", "network interface to look at, may be repeated (default: every suitable one)")
	f.Var(&targets, "target", "host or CIDR to ask besides, may be repeated")
	listen := f.String("listen-pages", "", "address of the local pages (default 127.0.0.1:8480)")
	lanAddr := f.String("listen-lan", "", "address at which the network reaches the pages, with TLS and a password, e.g. 0.0.0.0:8481 (default none)")
	park := f.Bool("parked", false, "keep no standing connection to the collector")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	config, err := readConfig(c.dir, c.config)
	if err != nil {
		return err
	}
	if len(interfaces) > 0 {
		config.Interfaces = interfaces
	}
	if len(targets) > 0 {
		config.Targets = targets
	}
	if *listen != "" {
		config.Listen = *listen
	}
	if *lanAddr != "" {
		config.ListenLAN = *lanAddr
	}
	if *park {
		config.Connection = parked
	}
	if err := config.check(); err != nil {
		return err
	}
	ctx, parent := update.FromParent(ctx)
	work := func(ctx context.Context) error { return c.runVersions(ctx, config, parent) }
	if parent != nil || service.Interactive() {
		return work(ctx)
	}
	p := &program{run: work}
	svc, err := newService(p, c.dir, c.config)
	if err != nil {
		return err
	}
	if err := c.logToSystem(svc); err != nil {
		c.log.Warn("the log stays on stderr", "err", err)
	}
	p.log = c.log
	return svc.Run()
}

// loopback refuses to show the owner's pages to the network.
func loopback(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" || port == "0" { // a one-time link must name the port
		return misuse(fmt.Sprintf("-listen-pages %q is not HOST:PORT", addr))
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return misuse(fmt.Sprintf("-listen-pages %s would open the pages to the network: only a loopback address such as 127.0.0.1:8480 is allowed", addr))
	}
	return nil
}

// runAgent runs all parts until ctx ends and waits for each; with update.ErrAgain
// another version is to be run. parent is that of a program on trial, or nil.
func runAgent(ctx context.Context, c *call, config Config, programs *update.Updater, parent *update.Parent) (err error) {
	s, err := openAgent(ctx, c.dir, config, c.log)
	if errors.Is(err, errDaemon) {
		return fmt.Errorf("%w: %s (see \"anagrafe-agent status\")", err, c.dir)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	s.useUpdater(programs)
	commandLine, err := listenControl(s.dir)
	if err != nil {
		return err
	}
	pages, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("opening the local pages: %w", err), commandLine.Close())
	}
	door, err := s.openLAN()
	if err != nil {
		return errors.Join(err, commandLine.Close(), pages.Close())
	}
	c.log.Info("agent running", "data", c.dir, "pages", "http://"+pages.Addr().String(), "open", "anagrafe-agent open")

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx, commandLine, readOnlyOnTrial(parent, s.review.Control())) })
	group.Go(func() error { return serve(ctx, pages, readOnlyOnTrial(parent, s.review.Pages())) })
	if door != nil {
		c.log.Info("the pages are open to the network, with the owner's password", "address", config.ListenLAN)
		group.Go(func() error { return serve(ctx, door, readOnlyOnTrial(parent, s.review.LANPages())) })
	}
	if err := s.prove(ctx, parent); err != nil {
		stop()
		return errors.Join(err, group.Wait())
	}
	if config.Notify {
		group.Go(func() error { return s.desktop.run(ctx) })
	}
	group.Go(func() error { return s.link.run(ctx) })
	group.Go(func() error { return s.answer(ctx) })
	group.Go(func() error { return s.watch(ctx) })
	group.Go(func() error { return s.lookForUpdates(ctx) })
	group.Go(func() error { return s.hear(ctx, discover.Listen) })
	group.Go(func() error { freeMemory(ctx); return nil })
	if err := daemon.Ready(); err != nil {
		c.log.Warn("systemd will take this start for one that failed", "err", err)
	}
	return group.Wait()
}

// watch looks at the network at once and then every config.Every, give or take
// a tenth: a thousand agents started by the same power cut drift apart.
func (s *agent) watch(ctx context.Context) error {
	for {
		if err := s.look(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("looking at the cameras failed", "err", err)
		}
		every := s.config.Every.Duration
		pause := time.NewTimer(every - every/10 + rand.N(every/5))
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}
