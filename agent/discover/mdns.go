package discover

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/grandcat/zeroconf"
)

// mdnsServices are the service types that only cameras and recorders announce.
// General ones (_http._tcp, _rtsp._tcp) would report printers and televisions.
var mdnsServices = [...]string{"_axis-video._tcp", "_onvif._tcp", "_psia._tcp"}

const (
	mdnsRounds     = 2
	maxMDNSEntries = 512 // of one service in one round
)

// browse asks by mDNS for the window's time. The resolver is used as its
// version 1.0.0 allows: it stops asking after the first answer and cannot be
// used again, so there are two short rounds with a new resolver for each service;
// it hangs when nobody reads its channel, so that is read until it is closed;
// it hears all interfaces whatever it was told, so an entry counts only when one
// of its addresses lies in a network that is searched.
func browse(ctx context.Context, on []link, window time.Duration, found chan<- Sighting, log *slog.Logger) {
	ifaces := make([]net.Interface, len(on))
	for i, l := range on {
		ifaces[i] = l.Interface
	}
	for range mdnsRounds {
		round, cancel := context.WithTimeout(ctx, window/mdnsRounds)
		var services sync.WaitGroup
		for _, service := range mdnsServices {
			services.Go(func() { browseService(round, service, ifaces, on, found, log) })
		}
		services.Wait()
		cancel()
	}
}

func browseService(ctx context.Context, service string, ifaces []net.Interface, on []link, found chan<- Sighting, log *slog.Logger) {
	resolver, err := zeroconf.NewResolver(zeroconf.SelectIPTraffic(zeroconf.IPv4), zeroconf.SelectIfaces(ifaces))
	if err != nil {
		log.Warn("no search by mDNS", "service", service, "err", err)
		return
	}
	// From here on the resolver closes the channel, also when Browse fails.
	entries := make(chan *zeroconf.ServiceEntry, 64)
	if err := resolver.Browse(ctx, service, "local", entries); err != nil {
		log.Warn("no search by mDNS", "service", service, "err", err)
	}
	seen := 0
	for e := range entries {
		s, ok := mdnsSighting(e, service, on)
		if seen++; !ok || seen > maxMDNSEntries {
			continue
		}
		select {
		case found <- s:
		case <-ctx.Done():
		}
	}
}

// mdnsSighting reads one entry; ok is false when it lies in no searched network
// or names no port.
func mdnsSighting(e *zeroconf.ServiceEntry, service string, on []link) (s Sighting, ok bool) {
	if e.Port < 1 || e.Port > 65535 {
		return Sighting{}, false
	}
	for _, ip := range e.AddrIPv4 {
		a, ok := netip.AddrFromSlice(ip.To4())
		if !ok {
			continue
		}
		for _, l := range on {
			if l.has(a) {
				return Sighting{
					Address:   netip.AddrPortFrom(a, uint16(e.Port)),
					Interface: l.Name,
					Methods:   []Method{MethodMDNS + Method(service)},
					At:        time.Now(),
				}, true
			}
		}
	}
	return Sighting{}, false
}
