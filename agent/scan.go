package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/BurntSushi/toml"

	"anagrafe/agent/discover"
	"anagrafe/agent/interrogate"
	"anagrafe/agent/inventory"
	"anagrafe/protocol"
)

// The documented JSON of `scan -json` (DESIGN 11).
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
		ID         string                   `json:"id"`
		Name       string                   `json:"name"`
		Resolution string                   `json:"resolution"`
		Schedule   protocol.Schedule        `json:"schedule"`
		Retention  scanRetention            `json:"retention"`
		Facts      map[string]protocol.Fact `json:"facts"`
	}
	scanRetention struct {
		Configured     string    `json:"configured"` // "72h0m0s", "until full", "unknown"
		ObservedOldest time.Time `json:"observed_oldest,omitzero"`
	}
)

// cmdScan looks at the network and prints what it finds. It changes nothing
// but the memory of refused passwords, which protects the recorders.
func cmdScan(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	var interfaces, targets many
	f.Var(&interfaces, "interface", "network interface to look at, may be repeated (default: every suitable one)")
	f.Var(&targets, "target", "host or CIDR to ask besides, may be repeated")
	credentials := f.String("credentials", "", "TOML file of [[device]] address, user, password; readable by its owner alone")
	timeout := f.Duration("timeout", 30*time.Second, "end after this time with what was found")
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	memory, closeMemory, err := c.scanMemory(ctx, *credentials)
	if err != nil {
		return err
	}
	defer closeMemory()

	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	devices, err := look(limited, lookOptions{interfaces: interfaces, targets: targets, memory: memory, log: c.log})
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	report := describe(devices, time.Since(start))
	if c.json {
		if err := c.print(report); err != nil {
			return err
		}
	} else if err := c.table(report); err != nil {
		return err
	}
	if err != nil {
		return partly{fmt.Errorf("stopped before the end: %w", err)}
	}
	return nil
}

func describe(devices []interrogate.Device, took time.Duration) scanReport {
	report := scanReport{Devices: []scanDevice{}, TookMs: took.Milliseconds()}
	for _, d := range devices {
		out := scanDevice{
			Address: d.Sighting.Address.String(), FoundBy: d.Sighting.Methods,
			Vendor: d.Vendor, Model: d.Model, Firmware: d.Firmware, Serial: d.Serial,
			Kind: d.Kind, Needs: d.Needs, Channels: []scanChannel{}, Errors: d.Errors,
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
	case protocol.RetentionCapacity:
		out.Retention.Configured = "until full"
	}
	return out
}

func (c *call) table(r scanReport) error {
	if len(r.Devices) == 0 {
		fmt.Fprintln(c.out, "Nothing answered. A camera that does not announce itself can be named: scan -target ADDRESS (or a range such as 192.168.1.0/24).")
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
	return nil
}

// scanMemory is the inventory's memory where there is an inventory, so that a
// password refused yesterday is not tried today; passwords from the file win.
func (c *call) scanMemory(ctx context.Context, file string) (interrogate.Memory, func(), error) {
	given, err := readCredentials(file)
	if err != nil {
		return nil, nil, err
	}
	m := &scanMemory{given: given, refused: map[string]bool{}}
	if _, err := os.Stat(filepath.Join(c.dir, "inventory.db")); errors.Is(err, fs.ErrNotExist) {
		return m, func() {}, nil
	}
	inv, err := inventory.Open(ctx, c.dir, c.log)
	if err != nil {
		return nil, nil, err
	}
	m.kept = inv
	return m, func() { _ = inv.Close() }, nil
}

// scanMemory gives passwords from a file, else what the inventory keeps.
type scanMemory struct {
	given map[string]interrogate.Credential // by address without port
	kept  interrogate.Memory                // nil: no inventory

	mu      sync.Mutex
	refused map[string]bool
}

func (m *scanMemory) Credential(ctx context.Context, s discover.Sighting) (interrogate.Credential, bool, error) {
	if cred, ok := m.given[s.Address.Addr().String()]; ok {
		return cred, true, nil
	}
	if m.kept == nil {
		return interrogate.Credential{}, false, nil
	}
	return m.kept.Credential(ctx, s)
}

func (m *scanMemory) Refused(ctx context.Context, device string, cred interrogate.Credential) (bool, error) {
	if m.kept != nil {
		return m.kept.Refused(ctx, device, cred)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused[device+"\x00"+cred.User+"\x00"+cred.Password], nil
}

func (m *scanMemory) Refuse(ctx context.Context, device string, cred interrogate.Credential) error {
	if m.kept != nil {
		return m.kept.Refuse(ctx, device, cred)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused[device+"\x00"+cred.User+"\x00"+cred.Password] = true
	return nil
}

// readCredentials reads the passwords for a scan. A file that others can read
// is refused.
func readCredentials(file string) (map[string]interrogate.Credential, error) {
	if file == "" {
		return nil, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("reading the passwords: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others on this machine can read %s: run chmod 600 %s first", file, file)
	}
	var content struct {
		Device []struct{ Address, User, Password string }
	}
	md, err := toml.DecodeFile(file, &content)
	if err != nil {
		// The library's message may quote the line, and the line a password.
		return nil, fmt.Errorf("%s is not a TOML file of [[device]] address, user, password", file)
	}
	if unknown := md.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s has the unknown key %q", file, strings.Join(unknown[0], "."))
	}
	given := map[string]interrogate.Credential{}
	for i, d := range content.Device {
		addr, err := netip.ParseAddr(d.Address)
		if err != nil {
			return nil, fmt.Errorf("%s: device %d: the address is not an IP address", file, i+1)
		}
		given[addr.String()] = interrogate.Credential{User: d.User, Password: d.Password}
	}
	return given, nil
}
