// Command loadtest plays many agents over real QUIC, with real certificates, against a running
// collector, and measures it. It hides how thousands of agents fit into one process: they share a
// few UDP sockets, keep their keys in memory, and have no disk. Their wire traffic and their
// back-off are package uplink's.
//
// With -bin it starts a collector of its own and, beside it, bare QUIC and HTTP/3 servers (peers):
// the floors of the figures, measured in the same run by the same agents, as `make bench` does.
// With -codes it plays against the collector that issued the codes:
//
//	anagrafe-collector invite -site "Prova" -count 1000 -json >codes.json
//	go run ./installer/loadtest -codes codes.json
//
// With -ledger it records what it sent and what was acknowledged, for installer/checker; during the
// phase live the collector may be killed, and the agents go on until they are answered.
//
// With -sweep it plays more and more agents, with officers and operators beside them, and measures
// at each number. With -sizing it computes what a city takes from such a run kept here
// (measured.json), and -draw puts that into the manual:
//
//	loadtest -bin build -sweep 500,1000,2000 >installer/loadtest/measured.json
//	go run ./installer/loadtest -draw collector/guide
//
// The clients take about as much processor time as the server, on the same cores: rates "a second
// and core" are by the processor time of the server's own process.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Exit codes, as those of the programs.
const (
	exitFailed = 1
	exitMisuse = 2
)

// plan is what the command line asks for.
type plan struct {
	agents   int
	phases   []string
	codes    string        // file; "": of the collector that this starts
	bin      string        // folder of the programs; "": none is started
	data     string        // directory of the collector that this starts
	rate     float64       // agents a second that begin a phase; 0: as fast as they come through
	inflight int           // agents at work at once, but for those that come back by themselves
	sockets  int           // UDP sockets that they share
	hold     time.Duration // idle before the memory is read
	ledger   string        // file for what was sent and acknowledged; "": none is kept
	lasts    time.Duration // of the phase live
	every    time.Duration // how often an agent speaks in it, on average
	sweep    []target      // instead of the phases
	aDay     time.Duration // that a day of the phase takes
	json     bool

	sizing bool // nothing is played: what would agents take, with
	city   city
	draw   string // folder of the guides: the manual is filled in, and nothing played
}

var (
	// phases in their order. Without enrol the agents can do nothing, and some
	// phases are for agents that are connected.
	measured      = []string{"enrol", "peers", "connect", "hold", "deliver", "notice", "return", "storm"}
	phases        = append(slices.Clone(measured), "live", "day") // in which faults are borne, and a day is played
	needConnected = []string{"deliver", "live", "notice", "return", "day", "storm"}
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == peerWord {
		if err := servePeer(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "loadtest:", err)
			os.Exit(exitFailed)
		}
		return
	}
	p, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(exitMisuse)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C kills
	if p.sizing || p.draw != "" {
		if err := p.reckon(ctx, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "loadtest:", err)
			os.Exit(exitFailed)
		}
		return
	}
	r, err := p.run(ctx)
	if err == nil && p.json {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else if err == nil {
		err = r.summary(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadtest:", err)
		os.Exit(exitFailed)
	}
}

func parse(args []string, complain io.Writer) (plan, error) {
	var p plan
	f := flag.NewFlagSet("loadtest", flag.ContinueOnError)
	f.SetOutput(complain)
	f.IntVar(&p.agents, "agents", 10_000, "agents to play")
	chosen := f.String("phases", strings.Join(measured, ","),
		"what to play, in this order, of these and live, in which agents speak now and then for a while, and day, a whole one; storm kills and restarts the collector, and needs -bin")
	f.StringVar(&p.codes, "codes", "", "codes to enrol with: what `invite -count N -json` printed")
	f.StringVar(&p.bin, "bin", "", "folder of the built programs: start a collector, and peers to compare it with")
	f.StringVar(&p.data, "data", "", "directory of that collector, to be kept (default: a temporary one)")
	f.Float64Var(&p.rate, "rate", 0, "agents a second that begin a phase (0: no limit but -inflight)")
	f.IntVar(&p.inflight, "inflight", 64, "agents at work at once")
	f.IntVar(&p.sockets, "sockets", 16, "UDP sockets; on loopback each has an address of its own")
	f.DurationVar(&p.hold, "hold", 150*time.Second, "how long the agents are idle before the server's memory is read; Go collects idle garbage every 2 minutes")
	f.StringVar(&p.ledger, "ledger", "", "file in which each message stands before it is sent, and once it is acknowledged, for installer/checker")
	f.DurationVar(&p.lasts, "for", time.Minute, "how long the phase live lasts; 0: until the end of standard input")
	f.DurationVar(&p.every, "every", 10*time.Second, "how often each of them speaks then, on average")
	points := f.String("sweep", "", "instead of the phases, more and more agents: AGENTS or AGENTS:CAMERAS, with commas in between; needs -bin, and is always JSON")
	f.DurationVar(&p.aDay, "day", 3*time.Minute, "how long the day of the phase day takes")
	f.BoolVar(&p.sizing, "sizing", false, "play nothing: say what -agents that stay connected, -cameras and -searches would take, by the runs that were measured")
	f.IntVar(&p.city.Cameras, "cameras", 0, "with -sizing: cameras in the register (default: 6 an agent)")
	f.IntVar(&p.city.Searches, "searches", 500, "with -sizing: searches a day")
	f.StringVar(&p.draw, "draw", "", "play nothing: draw the measured run into the manual, in this folder of the guides")
	f.BoolVar(&p.json, "json", false, "print one JSON value")
	if err := f.Parse(args); err != nil {
		return p, err
	}
	p.phases = strings.Split(*chosen, ",")
	var err error
	if *points != "" {
		if p.sweep, err = targets(*points); err == nil {
			p.agents, p.json = needs(p.sweep), true
		}
	}
	if err == nil {
		err = p.check(f.Args())
	}
	if err != nil {
		fmt.Fprintln(complain, "loadtest:", err)
	}
	return p, err
}

func (p plan) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q?", rest[0])
	case p.agents < 1 || p.city.Cameras < 0 || p.city.Searches < 0:
		return errors.New("-agents must be at least 1, -cameras and -searches at least 0")
	case p.sizing || p.draw != "":
		return nil
	case (p.bin == "") == (p.codes == ""):
		return errors.New("give -bin DIR or -codes FILE")
	case p.inflight < 1 || p.sockets < 1 || p.sockets > 250:
		return errors.New("-inflight must be at least 1, -sockets from 1 to 250")
	case p.every <= 0 || p.lasts < 0:
		return errors.New("-every must be longer than nothing, and -for cannot be shorter")
	case p.bin == "" && p.sweep != nil:
		return errors.New("-sweep looks at the collector's memory: it needs one of its own (-bin)")
	case p.aDay < time.Second:
		return errors.New("-day must be at least 1s")
	case p.bin == "" && p.plays("storm"):
		return errors.New("storm kills the collector: it needs one of its own (-bin)")
	case !p.plays("enrol"):
		return errors.New("agents without a certificate can do nothing: enrol must be among the phases")
	case !p.plays("connect") && slices.ContainsFunc(needConnected, p.plays):
		return fmt.Errorf("%s are for agents that are connected: connect must be among the phases", strings.Join(needConnected, ", "))
	}
	for _, name := range p.phases {
		if !slices.Contains(phases, name) {
			return fmt.Errorf("there is no phase %q: there are %s", name, strings.Join(phases, ", "))
		}
	}
	return nil
}

// reckon does what needs no collector.
func (p plan) reckon(ctx context.Context, out io.Writer) error {
	if p.draw != "" {
		return drawInto(ctx, p.draw)
	}
	t := p.city
	t.Agents = p.agents
	if t.Cameras == 0 {
		t.Cameras = cameras * t.Agents
	}
	return t.sizeUp(out)
}

func (p plan) plays(phase string) bool { return slices.Contains(p.phases, phase) }

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
