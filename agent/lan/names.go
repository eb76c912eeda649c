package lan

import (
	"net"
	"net/netip"
	"os"
	"strings"
)

// Names are those by which this machine is known in its network, in lower case, the
// one to show first: those that were configured, its host's name and that name in
// multicast DNS, and its addresses. Of what cannot be found out there is none.
func Names(configured []string) []string {
	var all []string
	for _, name := range configured {
		all = append(all, strings.ToLower(name))
	}
	all = append(all, addresses()...)
	if host, err := os.Hostname(); err == nil && host != "" {
		host = strings.ToLower(host)
		all = append(all, host)
		if !strings.Contains(host, ".") {
			all = append(all, host+".local")
		}
	}
	return all
}

// addresses are those of this machine that another in the network can open: private
// IPv4 first, since they are the ones that people can type.
func addresses() (all []string) {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, private := range []bool{true, false} {
		for _, a := range found {
			p, err := netip.ParsePrefix(a.String())
			if err != nil || p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() || (p.Addr().Is4() && p.Addr().IsPrivate()) != private {
				continue
			}
			all = append(all, p.Addr().String())
		}
	}
	return all
}
