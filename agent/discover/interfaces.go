package discover

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// link is one network interface to search, with the networks it is on.
type link struct {
	net.Interface
	prefixes []netip.Prefix // of IPv4 and IPv6, without zones
}

// maxPrefixes of one interface are searched; more than a few is a router.
const maxPrefixes = 8

// Interfaces returns the names of the interfaces that a scan with these names looks
// at: the same, or every suitable one.
func Interfaces(names []string) ([]string, error) {
	on, err := links(names)
	found := make([]string, 0, len(on))
	for _, l := range on {
		found = append(found, l.Name)
	}
	return found, err
}

// links returns the interfaces of those names, or every suitable one.
func links(names []string) ([]link, error) {
	if len(names) == 0 {
		return suitableLinks()
	}
	var found []link
	for _, name := range names {
		i, err := net.InterfaceByName(name)
		if err != nil {
			return nil, fmt.Errorf("network interface %q: %w; choose one of: %s", name, err, interfaceNames())
		}
		l, err := newLink(*i)
		if err != nil {
			return nil, fmt.Errorf("network interface %q: %w", name, err)
		}
		if len(l.prefixes) == 0 {
			return nil, fmt.Errorf("network interface %q has no address: choose one of: %s", name, interfaceNames())
		}
		found = append(found, l)
	}
	return found, nil
}

func suitableLinks() ([]link, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	var found []link
	var errs []error
	for _, i := range all {
		l, err := newLink(i)
		if err != nil { // it may have gone in the meantime
			errs = append(errs, err)
			continue
		}
		if suitable(l, sysClassNet) {
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		return nil, errors.Join(errs...)
	}
	return found, nil
}

func newLink(i net.Interface) (link, error) {
	addrs, err := i.Addrs()
	if err != nil {
		return link{}, fmt.Errorf("read the addresses of %s: %w", i.Name, err)
	}
	l := link{Interface: i}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && len(l.prefixes) < 2*maxPrefixes {
			l.prefixes = append(l.prefixes, p)
		}
	}
	return l, nil
}

// four returns the link's own IPv4 addresses, one a network.
func (l link) four() (own []netip.Addr) {
	for _, p := range l.prefixes {
		if p.Addr().Is4() && len(own) < maxPrefixes {
			own = append(own, p.Addr())
		}
	}
	return own
}

// six returns the address from which the link's IPv6 neighbours are asked: the
// link-local one with its zone, else any (loopback has no other).
func (l link) six() (own netip.Addr, ok bool) {
	for _, p := range l.prefixes {
		switch a := p.Addr(); {
		case a.Is6() && a.IsLinkLocalUnicast():
			return a.WithZone(l.Name), true
		case a.Is6() && !ok:
			own, ok = a, true
		}
	}
	return own, ok
}

// has reports whether a is an address of one of the link's networks.
func (l link) has(a netip.Addr) bool {
	return slices.ContainsFunc(l.prefixes, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) })
}

// believes reports whether an answer to a question that left on this link may come
// from a. The sender of a datagram can be forged, and what answers is talked to:
// so no answer leads out into the Internet. Private addresses of other networks
// may share the cable (a camera with its factory setting).
func (l link) believes(a netip.Addr) bool {
	return l.has(a) || a.IsPrivate() || a.IsLinkLocalUnicast()
}

// linkOf returns the name of the link on whose networks a is: that of its zone, or
// of its network, or the only one there is.
func linkOf(on []link, a netip.Addr) (link, bool) {
	for _, l := range on {
		if a.Zone() != "" && a.Zone() == l.Name {
			return l, true
		}
		// A link-local IPv6 address without its zone may be on any of them.
		if a.Zone() == "" && l.has(a) && (a.Is4() || !a.IsLinkLocalUnicast()) {
			return l, true
		}
	}
	if len(on) == 1 && a.Zone() == "" && on[0].believes(a) {
		return on[0], true
	}
	return link{}, false
}

// sysClassNet is where Linux describes its interfaces; elsewhere it is absent.
const sysClassNet = "/sys/class/net"

// suitable reports whether an interface is searched when none is named. No name is
// looked at, only what the interface is:
//
//   - It must be up, able to multicast, have an address, and be neither loopback
//     nor point to point: that leads to somebody else's network (PPP, WireGuard
//     and most other VPNs).
//
// The rest Linux tells in /sys/class/net; where that is absent, e.g. on Windows,
// the flags alone decide.
//
//   - Made by a program (tun_flags): a VPN that speaks Ethernet (TAP), or the
//     host's end of a virtual machine.
//   - A port of a bridge or of a bond (master): its master is searched.
//   - A bridge without hardware among its ports: made by the host for its own
//     containers or virtual machines; no camera hangs there. A bridge with
//     hardware is how a NAS or a virtualisation host reaches the LAN.
//   - No hardware below and no address but IPv6's link-local one, which comes by
//     itself: the host's end of a cable to a container.
//   - Anything that stands on one of these (a VLAN on a bridge for containers).
//
// A VLAN on hardware is searched: cameras often have one of their own. So is the
// end of the cable that the agent finds in its own container.
func suitable(l link, sys string) bool {
	const need = net.FlagUp | net.FlagMulticast
	if l.Flags&need != need || l.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 || len(l.prefixes) == 0 {
		return false
	}
	if !exists(sys, l.Name) {
		return true
	}
	if exists(sys, l.Name, "master") || virtual(sys, l.Name, sysDepth) {
		return false
	}
	onlyLocal := !slices.ContainsFunc(l.prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() || !p.Addr().IsLinkLocalUnicast() })
	return !onlyLocal || hardware(sys, l.Name, sysDepth)
}

// sysDepth bounds how many interfaces that stand on each other are followed: a
// VLAN on a bridge on a bond on a card.
const sysDepth = 4

func exists(parts ...string) bool {
	_, err := os.Stat(filepath.Join(parts...))
	return err == nil
}

// below names the interfaces that one stands on.
func below(sys, name string) (lower []string) {
	entries, _ := os.ReadDir(filepath.Join(sys, name)) // none: nothing below
	for _, e := range entries {
		if l, ok := strings.CutPrefix(e.Name(), "lower_"); ok {
			lower = append(lower, l)
		}
	}
	return lower
}

// virtual reports whether an interface leads nowhere but into this host or through
// a VPN.
func virtual(sys, name string, depth int) bool {
	if exists(sys, name, "tun_flags") {
		return true
	}
	if ports, err := os.ReadDir(filepath.Join(sys, name, "brif")); err == nil {
		return !slices.ContainsFunc(ports, func(p os.DirEntry) bool { return hardware(sys, p.Name(), sysDepth) })
	}
	return depth > 0 && slices.ContainsFunc(below(sys, name), func(l string) bool { return virtual(sys, l, depth-1) })
}

// hardware reports whether an interface is a device or stands on one (VLAN, bond).
func hardware(sys, name string, depth int) bool {
	if exists(sys, name, "device") {
		return true
	}
	return depth > 0 && slices.ContainsFunc(below(sys, name), func(l string) bool { return hardware(sys, l, depth-1) })
}

func interfaceNames() string {
	all, err := net.Interfaces()
	if err != nil {
		return "unknown"
	}
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	return strings.Join(names, ", ")
}
