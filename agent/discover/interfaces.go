package discover

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// link is one network interface to search, with the IPv4 networks it is on.
type link struct {
	net.Interface
	prefixes []netip.Prefix
}

// maxPrefixes of one interface are searched; more than a few is a router.
const maxPrefixes = 8

// links gives the interfaces of those names, or every suitable one.
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
			return nil, fmt.Errorf("network interface %q has no IPv4 address: choose one of: %s", name, interfaceNames())
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
		p, err := netip.ParsePrefix(a.String())
		if err == nil && p.Addr().Is4() && len(l.prefixes) < maxPrefixes {
			l.prefixes = append(l.prefixes, p)
		}
	}
	return l, nil
}

// has tells whether a is an address of one of the link's networks.
func (l link) has(a netip.Addr) bool {
	for _, p := range l.prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// sysClassNet is where Linux describes its interfaces; elsewhere it is absent.
const sysClassNet = "/sys/class/net"

// suitable tells whether an interface is searched when none is named.
//
// A tunnel (point to point) leads to somebody else's network. A bridge without
// any hardware among its ports was made by the host for its own containers or
// virtual machines: no camera hangs there. A bridge with hardware is how a NAS
// or a virtualisation host reaches the LAN, so it is searched. Everything else
// that the agent may find itself on, the veth of its own container included, is
// searched too.
func suitable(l link, sys string) bool {
	const need = net.FlagUp | net.FlagMulticast
	if l.Flags&need != need || l.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 || len(l.prefixes) == 0 {
		return false
	}
	ports, err := os.ReadDir(filepath.Join(sys, l.Name, "brif"))
	if err != nil {
		return true // not a bridge
	}
	for _, p := range ports {
		if hardware(sys, p.Name(), 4) {
			return true
		}
	}
	return false
}

// hardware tells whether an interface is a device or stands on one (VLAN, bond).
func hardware(sys, name string, depth int) bool {
	dir := filepath.Join(sys, name)
	if _, err := os.Stat(filepath.Join(dir, "device")); err == nil {
		return true
	}
	entries, err := os.ReadDir(dir)
	if err != nil || depth == 0 {
		return false
	}
	for _, e := range entries {
		if lower, ok := strings.CutPrefix(e.Name(), "lower_"); ok && hardware(sys, lower, depth-1) {
			return true
		}
	}
	return false
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
