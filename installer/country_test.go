//go:build long || bench

package installer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A country is a small internet of network namespaces: two hosts on which a
// collector may run, under one name, and houses, each behind a street of its
// own, which is a router that a test can spoil.
//
//	house n  10.8.n.2  --  10.8.n.1  street n  10.7.n.2  --  10.7.n.1  centre  10.9.1.1  --  10.9.1.2  first host
//	                                                                           10.9.2.1  --  10.9.2.2  second host
//
// The same in IPv6, with fd00:8:n::2 and so on. Houses know the name from
// their own hosts file.
type country struct {
	t      *testing.T
	centre network
	hosts  [2]network
	houses int
}

const collectorName = "telecamere.example"

// hostAddress is where a host stands, in IPv4 and IPv6.
func hostAddress(i int) (string, string) {
	return fmt.Sprintf("10.9.%d.2", i+1), fmt.Sprintf("fd00:9:%d::2", i+1)
}

// newCountry lays out the two hosts. It needs root.
func newCountry(t *testing.T) *country {
	t.Helper()
	centre, err := addNetwork(t, "centre")
	if err != nil {
		lacking(t, err.Error())
	}
	c := &country{t: t, centre: centre}
	c.forward(centre)
	for i := range c.hosts {
		if c.hosts[i], err = addNetwork(t, fmt.Sprintf("host%d", i+1)); err != nil {
			t.Fatal(err)
		}
		c.cable(c.hosts[i], fmt.Sprintf("9.%d.2", i+1), centre, fmt.Sprintf("9.%d.1", i+1), fmt.Sprintf("h%d", i))
		c.route(c.hosts[i], fmt.Sprintf("9.%d.1", i+1))
	}
	return c
}

// cable lays a cable between two networks; addresses are the last three bytes
// after 10, and stand for the IPv6 ones too.
func (c *country) cable(a network, addrA string, b network, addrB, name string) {
	c.t.Helper()
	ip(c.t, "-n", string(a), "link", "add", name+"a", "type", "veth", "peer", "name", name+"b", "netns", string(b))
	for _, end := range []struct {
		n    network
		link string
		addr string
	}{{a, name + "a", addrA}, {b, name + "b", addrB}} {
		ip(c.t, "-n", string(end.n), "addr", "add", "10."+end.addr+"/24", "dev", end.link)
		ip(c.t, "-n", string(end.n), "addr", "add", six(end.addr)+"/64", "dev", end.link, "nodad")
		ip(c.t, "-n", string(end.n), "link", "set", end.link, "up")
	}
}

// six is the IPv6 address for a.b.c: fd00:a:b::c.
func six(addr string) string {
	p := strings.Split(addr, ".")
	return fmt.Sprintf("fd00:%s:%s::%s", p[0], p[1], p[2])
}

// route sends all else over a neighbour.
func (c *country) route(n network, via string) {
	c.t.Helper()
	ip(c.t, "-n", string(n), "route", "add", "default", "via", "10."+via)
	ip(c.t, "-6", "-n", string(n), "route", "add", "default", "via", six(via))
}

func (c *country) forward(n network) {
	c.t.Helper()
	n.set(c.t, "net/ipv4/ip_forward", "1")
	n.set(c.t, "net/ipv6/conf/all/forwarding", "1")
}

// must runs a command of the system in the network.
func (n network) must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := n.command(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// set gives a setting of the network's kernel a value.
func (n network) set(t *testing.T, setting, value string) {
	t.Helper()
	n.must(t, "sh", "-c", "echo "+value+" >/proc/sys/"+setting)
}

// house is where an agent and its cameras are.
type house struct {
	n             int
	inside        network
	street        network
	inner, outer  string // the street's links, to the house and to the centre
	insideAddress string
}

// house builds one that knows the collector's name by these addresses.
func (c *country) house(addresses ...string) house {
	c.t.Helper()
	c.houses++
	n := c.houses
	h := house{n: n, inner: fmt.Sprintf("i%db", n), outer: fmt.Sprintf("o%da", n), insideAddress: fmt.Sprintf("10.8.%d.2", n)}
	var err error
	if h.inside, err = addNetwork(c.t, fmt.Sprintf("house%d", n)); err != nil {
		c.t.Fatal(err)
	}
	if h.street, err = addNetwork(c.t, fmt.Sprintf("street%d", n)); err != nil {
		c.t.Fatal(err)
	}
	c.forward(h.street)
	c.cable(h.inside, fmt.Sprintf("8.%d.2", n), h.street, fmt.Sprintf("8.%d.1", n), fmt.Sprintf("i%d", n))
	c.cable(h.street, fmt.Sprintf("7.%d.2", n), c.centre, fmt.Sprintf("7.%d.1", n), fmt.Sprintf("o%d", n))
	c.route(h.inside, fmt.Sprintf("8.%d.1", n))
	c.route(h.street, fmt.Sprintf("7.%d.1", n))
	ip(c.t, "-n", string(c.centre), "route", "add", fmt.Sprintf("10.8.%d.0/24", n), "via", fmt.Sprintf("10.7.%d.2", n))
	ip(c.t, "-6", "-n", string(c.centre), "route", "add", fmt.Sprintf("fd00:8:%d::/64", n), "via", six(fmt.Sprintf("7.%d.2", n)))

	// ip netns exec shows a namespace its own /etc/netns/NAME/hosts.
	etc := filepath.Join("/etc/netns", string(h.inside))
	if err := os.MkdirAll(etc, 0o755); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = os.RemoveAll(etc) })
	lines := "127.0.0.1 localhost\n::1 localhost\n"
	for _, a := range addresses {
		lines += a + " " + collectorName + "\n"
	}
	if err := os.WriteFile(filepath.Join(etc, "hosts"), []byte(lines), 0o644); err != nil {
		c.t.Fatal(err)
	}
	return h
}

// rule adds a rule of iptables to the street.
func (h house) rule(t *testing.T, args ...string) {
	t.Helper()
	h.street.must(t, "iptables", append([]string{"-w"}, args...)...)
}
