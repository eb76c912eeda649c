package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"text/tabwriter"
	"time"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
	"anagrafe/protocol/daemon"
)

// The documented JSON of `scan -json`.
type (
	scanReport struct {
		Devices []scanDevice `json:"devices"`
		TookMs  int64        `json:"took_ms"`
	}
	scanDevice struct {
		Address  string                `json:"address"`
		FoundBy  []discover.Method     `json:"found_by"`
		Vendor   string                `json:"vendor"`
		Model    string                `json:"model"`
		Firmware string                `json:"firmware"`
		Serial   string                `json:"serial"`
		Kind     interrogate.Kind      `json:"kind"`
		Family   interrogate.Family    `json:"family"` // whose own interface was read, "" ONVIF alone
		Kept     interrogate.Kept      `json:"kept"`   // where its images are
		Clock    *scanClock            `json:"clock"`
		Needs    interrogate.Needs     `json:"needs"`
		Channels []scanChannel         `json:"channels"`
		Errors   []interrogate.Problem `json:"errors"`
	}
	scanClock struct {
		OffsetMs      int64 `json:"offset_ms"`
		UncertaintyMs int64 `json:"uncertainty_ms"`
	}
	scanChannel struct {
		ID         string                      `json:"id"`
		Name       string                      `json:"name"`
		Resolution string                      `json:"resolution"`
		Schedule   protocol.Schedule           `json:"schedule"`
		Retention  scanRetention               `json:"retention"`
		Facts      map[string]interrogate.Fact `json:"facts"`
	}
	scanRetention struct {
		Configured     string    `json:"configured"`       // "72h0m0s", "until full", "unknown"
		Events         string    `json:"events,omitempty"` // of event footage, where it differs
		ObservedOldest time.Time `json:"observed_oldest,omitzero"`
	}
)

// cmdScan looks at the network and prints what it finds. It changes nothing
// but the memory of refused passwords and first certificates, which protects the
// recorders.
func cmdScan(ctx context.Context, c *call, args []string) (err error) {
	f := c.flags()
	var interfaces, targets daemon.Repeated
	f.Var(&interfaces, "interface", "network interface to look at, may be repeated (default: every suitable one)")
	f.Var(&targets, "target", "host or CIDR to ask besides, may be repeated")
	credentials := f.String("credentials", "", "TOML file of [[device]] address, user, password; readable by its owner alone")
	timeout := f.Duration("timeout", 30*time.Second, "end after this time with what was found")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if err := discover.CheckTargets(targets); err != nil {
		return misuse(err.Error())
	}
	if *timeout <= 0 {
		return misuse("-timeout must be longer than nothing, e.g. 30s")
	}
	memory, err := c.openScanMemory(ctx, *credentials)
	if err != nil {
		return err
	}
	o := lookOptions{interfaces: interfaces, targets: targets, log: c.log}
	if memory != nil {
		o.memory = memory
		defer func() { err = errors.Join(err, memory.Close()) }()
	}

	// A scan lives for seconds on machines that may be small: a heap kept tight
	// costs it little time and saves a tenth of its memory (make bench, scan_rss).
	debug.SetGCPercent(50)
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	line := newProgress(c.err)
	if line != nil {
		o.log = slog.New(slog.NewTextHandler(line, nil))
	}
	o.progress = line
	devices, err := findAndAsk(limited, o)
	line.end()
	if err != nil && limited.Err() == nil && len(devices) == 0 {
		if len(targets) == 0 {
			err = fmt.Errorf("%w; a camera or recorder can be named: scan -target ADDRESS", err)
		}
		return err
	}
	report := describe(devices, time.Since(start))
	if c.json {
		if err := c.print(report); err != nil {
			return err
		}
		if len(devices) == 0 {
			fmt.Fprintln(c.err, notFound)
		}
	} else if err := c.table(report); err != nil {
		return err
	}
	if err != nil {
		return partly{unfinished(ctx, err, *timeout)}
	}
	return nil
}

// notFound is the next step where nothing was found, and where one is missing.
const notFound = "Nothing answered. A camera or recorder that does not announce itself can be named: scan -target ADDRESS (or a range such as 192.168.1.0/24)."

// unfinished says why a scan is not whole, and what to do.
func unfinished(ctx context.Context, err error, timeout time.Duration) error {
	switch {
	case ctx.Err() != nil:
		return errors.New("stopped before the end: what is listed is what had answered until then; scan again to see the rest")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("not all had answered after %v: give them longer, e.g. -timeout %v", timeout, 2*timeout)
	}
	return fmt.Errorf("this is not all: %w", err)
}

func describe(devices []interrogate.Device, took time.Duration) scanReport {
	report := scanReport{Devices: []scanDevice{}, TookMs: took.Milliseconds()}
	for _, d := range devices {
		out := scanDevice{
			Address: d.Sighting.Address.String(), FoundBy: d.Sighting.Methods,
			Vendor: cmp.Or(d.Vendor, d.Sighting.Vendor), Model: cmp.Or(d.Model, d.Sighting.Model),
			Firmware: d.Firmware, Serial: cmp.Or(d.Serial, d.Sighting.Serial),
			Kind: d.Kind, Family: d.Family, Kept: d.Kept, Needs: d.Needs, Channels: []scanChannel{}, Errors: d.Errors,
		}
		if d.Clock != nil {
			out.Clock = &scanClock{d.Clock.OffsetMs, d.Clock.UncertaintyMs}
		}
		if out.Errors == nil {
			out.Errors = []interrogate.Problem{}
		}
		for _, ch := range d.Channels {
			out.Channels = append(out.Channels, describeChannel(ch))
		}
		report.Devices = append(report.Devices, out)
	}
	return report
}

func describeChannel(ch interrogate.Channel) scanChannel {
	out := scanChannel{ID: ch.ID, Name: ch.Name, Schedule: ch.Schedule, Facts: ch.Facts,
		Retention: scanRetention{Configured: "unknown", ObservedOldest: ch.Retention.OldestFootage}}
	if ch.WidthPx > 0 {
		out.Resolution = fmt.Sprintf("%dx%d", ch.WidthPx, ch.HeightPx)
	}
	switch ch.Retention.Kind {
	case protocol.RetentionAge:
		out.Retention.Configured = ch.Retention.Age.String()
		if ch.Retention.EventAge > 0 {
			out.Retention.Events = ch.Retention.EventAge.String()
		}
	case protocol.RetentionCapacity:
		out.Retention.Configured = "until full"
	}
	return out
}

func (c *call) table(r scanReport) error {
	if len(r.Devices) == 0 {
		fmt.Fprintln(c.out, notFound)
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ADDRESS\tKIND\tMAKER\tMODEL\tFIRMWARE\tCLOCK\tCHANNELS\tKEEPS\tOLDEST\tNEEDS")
	for _, d := range r.Devices {
		clock, keeps, oldest := "?", "?", "?"
		if d.Clock != nil {
			clock = (time.Duration(d.Clock.OffsetMs) * time.Millisecond).Round(time.Second).String()
		}
		for _, ch := range d.Channels {
			if ch.Retention.Configured != "unknown" {
				keeps = ch.Retention.Configured
			}
			if t := ch.Retention.ObservedOldest; !t.IsZero() {
				oldest = t.Local().Format(time.DateTime)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", d.Address, d.Kind, d.Vendor, d.Model, d.Firmware, clock, len(d.Channels), keeps, oldest, d.Needs)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, d := range r.Devices {
		for _, p := range d.Errors {
			fmt.Fprintf(c.err, "%s: %s: %s\n", d.Address, p.What, p.Why)
		}
	}
	c.nextSteps(r)
	return nil
}
