package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"anagrafe/agent/discover"
	"anagrafe/agent/inventory"
	"anagrafe/protocol/daemon"
	"anagrafe/protocol/pages"
)

// A technician's visit: an agent that lives for one visit, in a
// directory of its own, and forgets all of it at the end, also when it is
// interrupted. What the owner approved stays in the register, "measured on that
// date"; the grant ends by itself within a day.

// sendWait is how long the end of a visit waits for what was approved to be
// recorded.
const sendWait = 2 * time.Minute

// visitOptions are what a visit is asked on the command line.
type visitOptions struct {
	code, collector string
	replace         bool
	lang            pages.Lang
}

// visitResult is what `visit -json` prints.
type visitResult struct {
	Sites    []inventory.Site `json:"sites"`
	Messages []visitMessage   `json:"messages"` // decisions, not measured facts
	Report   string           `json:"report"`   // the text to leave behind
}

type visitMessage struct {
	ID         string              `json:"id"`
	Kind       string              `json:"kind"`
	State      inventory.SentState `json:"state"`
	RecordedAt time.Time           `json:"recorded_at,omitzero"`
	SHA256     string              `json:"sha256"`
	Receipt    string              `json:"receipt,omitempty"` // as the register signed it
	Why        string              `json:"why,omitempty"`
}

// cmdVisit is a visit from its code to its report; with -finish it ends the one
// that runs in DIR.
func cmdVisit(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var o visitOptions
	var config Config
	f.StringVar(&o.collector, "collector", "", "https://HOST:PORT of the collector; a link carries it")
	f.BoolVar(&o.replace, "replace", false, "the computers that speak for the site may do so no more")
	f.Var((*daemon.Repeated)(&config.Interfaces), "interface", "network interface to look at, may be repeated (default: every suitable one)")
	f.Var((*daemon.Repeated)(&config.Targets), "target", "host or CIDR to ask besides, may be repeated")
	f.StringVar(&config.Listen, "listen-pages", "", "address of the local pages (default 127.0.0.1 and a free port)")
	lang := language(f)
	finish := f.Bool("finish", false, "end the visit that runs in the directory given with -data")
	// Never the agent's own directory by default: a visit forgets its one.
	c.dir, f.Lookup("data").DefValue = "", "a temporary one"
	words, err := c.parse(f, args, 1)
	if err != nil {
		return err
	}
	if *finish {
		return c.finishVisit(ctx)
	}
	if len(words) == 0 {
		return misuse("which code? The Comune gives one for each visit")
	}
	o.code, o.lang = words[0], *lang
	if config.Listen != "" {
		if err := loopback(config.Listen); err != nil {
			return err
		}
	}
	if err := discover.CheckTargets(config.Targets); err != nil {
		return misuse(err.Error())
	}
	return c.visit(ctx, o, config)
}

// finishVisit asks a running visit to send, print its report and forget.
func (c *call) finishVisit(ctx context.Context) error {
	if c.dir == "" {
		return misuse("-finish needs -data DIR, as the visit printed it")
	}
	return dial(c.dir).do(ctx, http.MethodPost, "/finish", nil, nil)
}

// visit opens a directory, works in it, and forgets it whatever happened.
func (c *call) visit(ctx context.Context, o visitOptions, config Config) (err error) {
	if err := forgetOld(c.log); err != nil {
		c.log.Warn("an earlier visit that was killed could not be forgotten: remove its directory", "err", err)
	}
	if c.dir, err = visitDir(c.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, forget(c.dir)) }()
	listen := config.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	// Before the site is opened: its one-time link names the port.
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("opening the local pages: %w", err)
	}
	config.Listen, config.Every, config.visit = listener.Addr().String(), defaults().Every, true
	s, err := openAgent(ctx, c.dir, config, c.log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.link.enrol(ctx, o.code, o.collector, o.replace); err != nil {
		return errors.Join(err, listener.Close())
	}
	return c.runVisit(ctx, s, listener, o)
}

// runVisit serves the pages and the commands until the visit is over, and
// prints what there is to say of it.
func (c *call) runVisit(ctx context.Context, s *agent, listener net.Listener, o visitOptions) error {
	commandLine, err := listenControl(s.dir)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	over := make(chan struct{}, 1)
	end := func() {
		select {
		case over <- struct{}{}:
		default: // said already
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/", s.review.Control())
	mux.HandleFunc("POST /finish", func(w http.ResponseWriter, _ *http.Request) {
		end()
		w.WriteHeader(http.StatusNoContent)
	})
	running, stop := context.WithCancel(ctx)
	group, running := errgroup.WithContext(running)
	group.Go(func() error { return serve(running, commandLine, mux) })
	group.Go(func() error { return serve(running, listener, s.review.Pages()) })
	group.Go(func() error { return s.link.run(running) })
	group.Go(func() error { return s.watch(running) })
	fmt.Fprintf(c.err, "The cameras are being looked for. Let the owner look, correct and approve:\n  %s\n"+
		"Other commands work with -data %s\nWhen the owner has shared: press Enter here, or anagrafe-agent visit -finish -data %s\n",
		s.review.NewLink(), c.dir, c.dir)
	go enter(c.in, end) // ends with the process: a read from a terminal cannot be broken off
	select {
	case <-over:
		err = s.sent(running)
	case <-running.Done():
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted: what was not sent yet is forgotten; without a receipt nothing of it is in the register")
	}
	stop()
	return errors.Join(err, group.Wait(), c.reportVisit(context.WithoutCancel(ctx), s, o))
}

// enter calls end when a line is typed. The end of a file is none.
func enter(in io.Reader, end func()) {
	if _, err := bufio.NewReader(in).ReadString('\n'); err == nil {
		end()
	}
}

// sent waits until nothing waits any more.
func (s *agent) sent(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sendWait)
	defer cancel()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		counts, err := s.inv.Counts(ctx)
		if err != nil || counts[inventory.Waiting] == 0 {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return partly{fmt.Errorf("%d messages could not be sent: the report says which; %s", counts[inventory.Waiting], s.link.up.Status().LastError)}
		}
	}
}

// reportVisit prints the receipt and what is left behind.
func (c *call) reportVisit(ctx context.Context, s *agent, o visitOptions) error {
	result := visitResult{Messages: []visitMessage{}}
	known, err := s.inv.View(ctx)
	if err != nil {
		return err
	}
	result.Sites = known.Sites
	sent, err := s.inv.Outbox(ctx)
	if err != nil {
		return err
	}
	for _, m := range sent {
		if m.Kind == "declaration" || m.Kind == "withdrawal" {
			result.Messages = append(result.Messages, visitMessage{m.ID, m.Kind, m.State, m.RecordedAt, m.SHA256, m.Receipt, m.Why})
		}
	}
	if result.Report, err = s.review.VisitReport(ctx, o.lang); err != nil {
		return err
	}
	if c.json {
		return c.print(result)
	}
	_, err = io.WriteString(c.out, strings.TrimLeft(result.Report, "\n"))
	return err
}
