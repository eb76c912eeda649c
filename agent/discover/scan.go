package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// Limits of one scan, so that a flood from one host fills neither the memory nor the
// share of other hosts.
const (
	defaultWindow   = 3 * time.Second
	maxSightings    = 4096
	maxPerHost      = 64      // devices that one address may claim to be
	maxBytes        = 4 << 20 // of addresses, types and scopes
	maxInterfaces   = 32
	sightingsQueued = 64

	// An incomplete sighting waits for window/announceAt, 600 ms: an answer by
	// WS-Discovery may take 500.
	announceAt = 5
)

// Scan searches until its window has passed, or, with ranges of targets, until
// each of their addresses has been tried. It calls first once for each new
// device as soon as it is seen, never two calls at a time; a slow first
// only delays the others. A reported sighting may later gain methods, scopes and, if
// it had none, its endpoint and port; its Number stays. Scan returns all sightings,
// merged and ordered by address.
//
// Bad options are an error before anything is sent. When ctx ends early, or the
// name of a target cannot be resolved, Scan returns what it has found and the error.
func Scan(ctx context.Context, o Options, first func(Sighting)) ([]Sighting, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	window := cmp.Or(o.Window, defaultWindow)
	targets, err := parseTargets(o.Targets)
	if err != nil {
		return nil, err
	}
	targets, unresolved := resolve(ctx, targets)
	on, err := searched(o)
	if err != nil {
		return nil, err
	}
	if len(on) == 0 && len(targets) == 0 {
		if unresolved != nil {
			return nil, unresolved
		}
		return nil, errNoNetwork()
	}
	found := make(chan Sighting, sightingsQueued)
	upnp := newSSDP()
	probers, err := openProbers(on, upnp, found, o.Log)
	if err != nil && len(targets) == 0 {
		return nil, err
	}
	var sources sync.WaitGroup
	for _, p := range probers {
		sources.Go(func() { p.run(ctx, window) })
	}
	if len(on) > 0 {
		sources.Go(func() { browse(ctx, on, window, found, o.Log) })
		sources.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, window)
			defer cancel()
			upnp.fetch(ctx, on, found, o.Log)
		})
	}
	if len(targets) > 0 {
		sources.Go(func() { searchTargets(ctx, targets, window, found, o.Log) })
	}
	go func() { // ends with the sources; Scan reads until then
		sources.Wait()
		close(found)
	}()
	m := &merger{first: first}
	m.collect(found, window/announceAt)
	return m.sorted(), errors.Join(ctx.Err(), unresolved)
}

// searched returns the links of a search.
func searched(o Options) ([]link, error) {
	on, err := links(o.Interfaces)
	if err != nil {
		return nil, err
	}
	if len(on) > maxInterfaces {
		o.Log.Warn("more network interfaces than are searched", "searched", maxInterfaces, "present", len(on))
		on = on[:maxInterfaces]
	}
	return on, nil
}

func errNoNetwork() error {
	return fmt.Errorf("no network interface to search: connect this computer to the network of the recorder, name an interface (%s), or give the recorder's address", interfaceNames())
}

// openProbers opens a socket for each protocol on each network. One that cannot
// be opened is logged; an error is given when none could.
func openProbers(on []link, upnp *ssdp, found chan<- Sighting, log *slog.Logger) ([]*prober, error) {
	var probers []*prober
	var errs []error
	open := func(l link, from netip.Addr, group netip.AddrPort, d dialect) {
		p, err := listenOn(l, from, group, d, found, log)
		if err != nil {
			log.Warn("a network is not searched", "interface", l.Name, "group", group, "err", err)
			errs = append(errs, err)
			return
		}
		probers = append(probers, p)
	}
	onvif, hikvision := &wsDiscovery{}, &sadp{}
	four := false
	for _, l := range on {
		for _, from := range l.four() {
			four = true
			open(l, from, multicastGroup, onvif)
			open(l, from, ssdpGroup, upnp)
			open(l, from, sadpGroup, hikvision)
			open(l, from, dhdiscoverGroup, dhdiscover{})
		}
		if from, ok := l.six(); ok {
			open(l, from, multicastGroup6, onvif)
		}
	}
	if four {
		conn, err := groupSocket(on, sadpGroup)
		if err != nil {
			log.Info("answers of older Hikvision devices are not heard", "err", err)
		} else {
			probers = append(probers, &prober{conn: conn, dialect: hikvision, found: found, log: log, locate: locateOn(on)})
		}
	}
	if len(probers) == 0 {
		return nil, errors.Join(errs...)
	}
	return probers, nil
}

// locateOn finds the link of a sender on a socket that hears several.
func locateOn(on []link) func(netip.Addr) (string, bool) {
	return func(a netip.Addr) (string, bool) {
		l, ok := linkOf(on, a)
		return l.Name, ok
	}
}
