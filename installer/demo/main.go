// Command demo runs the whole product on one machine: a small LAN of cameras that answer on
// loopback, a collector and an agent as separate programs, an owner who confirms, an officer who
// searches. It hides how the programs are started, watched and stopped; it drives them by the
// command line that README shows. `make demo` calls it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	bin := flag.String("bin", "build", "folder of the built programs")
	shared := flag.String("shared", os.Getenv("ANAGRAFE_SHARED"), "folder with recorded devices and map data (default ../shared; without it hand-written cameras are used)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	if *shared == "" {
		*shared = filepath.Join("..", "shared")
	}
	if err := demo(ctx, *bin, *shared, os.Getenv("DEMO") == "once"); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// outcome is what `DEMO=once make demo` prints last.
type outcome struct {
	Devices              string `json:"devices"` // "recorded" or "hand-written"
	DevicesFound         int    `json:"devices_found"`
	CamerasFound         int    `json:"cameras_found"`
	CamerasConfirmed     int    `json:"cameras_confirmed"`
	CamerasKeptBack      int    `json:"cameras_kept_back"`
	MessagesAcknowledged int    `json:"messages_acknowledged"`
	Transport            string `json:"transport"`
	SearchResults        int    `json:"search_results"`
	TrailEntries         int64  `json:"trail_entries"`
	TrailVerified        bool   `json:"trail_verified"`
}

func demo(ctx context.Context, bin, shared string, once bool) (err error) {
	dir, err := os.MkdirTemp("", "anagrafe-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := newStage(ctx, dir, bin, shared)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()

	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"starting a small LAN of cameras", s.startLAN},
		{"starting the collector", s.startCollector},
		{"starting the agent in the cameras' network", s.startAgent},
		{"the Comune invites, the owner enrols with the code", s.enrol},
		{"the agent looks for cameras", s.scan},
		{"the owner answers, places and confirms them", s.confirm},
		{"what was confirmed travels to the collector", s.deliver},
		{"an officer is given a credential", s.addOfficer},
		{"the officer searches a place and a time", s.search},
		{"the trail is verified offline", s.verify},
	} {
		say("… %s", step.what)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	if once {
		return json.NewEncoder(os.Stdout).Encode(s.outcome)
	}
	return s.stay(ctx)
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
