package cameratest

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// SimulatedOptions say where a Simulated fleet is put.
type SimulatedOptions struct {
	// Interface for probes, "lo" if empty; "none": no probes are answered.
	Interface string
	// FirstHost is the address of the first device, 127.0.64.1 if empty; the
	// others follow.
	FirstHost string
	// Port of every device; 0: any.
	Port int
	// Auth with User and Password, none if empty.
	Auth           Auth
	User, Password string
}

// maxProbeDelay is APP_MAX_DELAY of WS-Discovery 1.0: a device waits a random
// time up to it before it answers a probe to the group, so that many do not
// answer at once.
const maxProbeDelay = 500 * time.Millisecond

// Simulated starts n light cameras for benchmarks, each with an address, an
// endpoint reference, a serial number and a name of its own, one channel and
// one recording. Each waits latency before an HTTP answer; their answers to
// probes are spread evenly over maxProbeDelay, so that each run is alike.
func Simulated(n int, latency time.Duration, o SimulatedOptions) (*LAN, error) {
	switch o.Interface {
	case "":
		o.Interface = "lo"
	case "none":
		o.Interface = ""
	}
	if o.FirstHost == "" {
		o.FirstHost = "127.0.64.1"
	}
	host, err := netip.ParseAddr(o.FirstHost)
	if err != nil {
		return nil, fmt.Errorf("start simulated cameras: first host: %w", err)
	}
	lan := &LAN{Source: HandWritten}
	for i := range n {
		c := compose(1, "VF-S1", RecorderOptions{Name: fmt.Sprintf("simulated-%04d", i+1)})
		d, err := Start(c, Options{
			Host: host.String(), Port: o.Port, Interface: o.Interface, Latency: latency,
			Auth: o.Auth, User: o.User, Password: o.Password,
			Quirks: Quirks{SlowProbe: maxProbeDelay * time.Duration(i) / time.Duration(n)},
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start simulated cameras: %w", err), lan.Close())
		}
		lan.Devices = append(lan.Devices, d)
		host = host.Next()
	}
	return lan, nil
}
