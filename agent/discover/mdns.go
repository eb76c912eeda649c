package discover

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/grandcat/zeroconf"
)

// mdnsServices are the service types that cameras and recorders announce.
var mdnsServices = [...]struct {
	name  string
	web   bool                                                 // its port is that of the device's web server
	wants func(txt map[string]string) (vendor string, ok bool) // nil: only cameras announce it
}{
	{name: "_axis-video._tcp", web: true},
	{name: "_onvif._tcp", web: true},
	{name: "_psia._tcp", web: true},
	{name: "_rtsp._tcp"},
	{name: "_http._tcp", web: true, wants: cameraTXT}, // printers, too, hence by its TXT
}

// axisOUIs begin the MAC addresses of Axis.
var axisOUIs = [...]string{"00408c", "accc8e", "b8a44f", "e82725"}

// cameraTXT knows a web page as that of a camera or a recorder: an Axis by its
// macaddress, a Synology (which may hold Surveillance Station) by its vendor.
func cameraTXT(txt map[string]string) (vendor string, ok bool) {
	mac := strings.NewReplacer(":", "", "-", "").Replace(strings.ToLower(txt["macaddress"]))
	if slices.ContainsFunc(axisOUIs[:], func(oui string) bool { return strings.HasPrefix(mac, oui) }) {
		return "AXIS", true
	}
	if strings.HasPrefix(strings.ToLower(txt["vendor"]), "synology") {
		return "Synology", true
	}
	return "", false
}

const (
	mdnsRounds     = 2
	maxMDNSEntries = 512 // of one service in one round
)

// browse asks by mDNS for the window's time. The resolver is used as its
// version 1.0.0 allows: it stops asking after the first answer and cannot be
// used again, so there are two short rounds with a new resolver for each service
// and each family; it hangs when nobody reads its channel, so that is read until
// it is closed; it hears all interfaces whatever it was told, so an entry counts
// only when one of its addresses lies in a network that is searched.
func browse(ctx context.Context, on []link, window time.Duration, found chan<- Sighting, log *slog.Logger) {
	var four, six []net.Interface
	for _, l := range on {
		if len(l.four()) > 0 {
			four = append(four, l.Interface)
		}
		if _, ok := l.six(); ok {
			six = append(six, l.Interface)
		}
	}
	for range mdnsRounds {
		round, cancel := context.WithTimeout(ctx, window/mdnsRounds)
		var services sync.WaitGroup
		for i := range mdnsServices {
			if len(four) > 0 {
				services.Go(func() { browseService(round, i, zeroconf.IPv4, four, on, found, log) })
			}
			if len(six) > 0 {
				services.Go(func() { browseService(round, i, zeroconf.IPv6, six, on, found, log) })
			}
		}
		services.Wait()
		cancel()
	}
}

func browseService(ctx context.Context, service int, family zeroconf.IPType, ifaces []net.Interface, on []link, found chan<- Sighting, log *slog.Logger) {
	name := mdnsServices[service].name
	// The six family is missing where the system has it switched off.
	resolver, err := zeroconf.NewResolver(zeroconf.SelectIPTraffic(family), zeroconf.SelectIfaces(ifaces))
	if err != nil {
		log.Debug("no search by mDNS", "service", name, "err", err)
		return
	}
	// From here on the resolver closes the channel, also when Browse fails.
	entries := make(chan *zeroconf.ServiceEntry, 64)
	if err := resolver.Browse(ctx, name, "local", entries); err != nil {
		log.Debug("no search by mDNS", "service", name, "err", err)
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

// mdnsSighting reads one entry; ok is false when it lies in no searched network,
// names no port, or is not a camera's. Its IPv4 address is preferred.
func mdnsSighting(e *zeroconf.ServiceEntry, service int, on []link) (s Sighting, ok bool) {
	if e.Port < 1 || e.Port > 65535 {
		return Sighting{}, false
	}
	kind := mdnsServices[service]
	txt := map[string]string{}
	for _, t := range e.Text[:min(len(e.Text), maxTexts)] {
		k, v, _ := strings.Cut(t, "=")
		txt[strings.ToLower(k)] = text(v)
	}
	s = Sighting{Methods: []Method{MethodMDNS + Method(kind.name)}, MAC: txt["macaddress"], At: time.Now()}
	if kind.wants != nil {
		if s.Vendor, ok = kind.wants(txt); !ok {
			return Sighting{}, false
		}
	}
	port := uint16(defaultPort)
	if kind.web {
		port = uint16(e.Port)
	}
	for _, ip := range slices.Concat(e.AddrIPv4, e.AddrIPv6) {
		a, ok := netip.AddrFromSlice(ip)
		if !ok {
			continue
		}
		a = a.Unmap()
		l, ok := linkOf(on, a)
		if !ok { // a link-local one among several links: it does not say which
			continue
		}
		if a.Is6() && a.IsLinkLocalUnicast() {
			a = a.WithZone(l.Name)
		}
		s.Address, s.Interface = netip.AddrPortFrom(a, port), l.Name
		return s, true
	}
	return Sighting{}, false
}
