//go:build long || bench

package installer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// trouble is what a street does to a house.
type trouble struct {
	name string
	// first is done before the agent starts, later once it has delivered.
	// over ends it, when the agent has something to say and knows that it cannot.
	first, later, over func(t *testing.T, h house)
	six                bool // the house knows the collector's IPv6 addresses
	noFour             bool // and no others
	road               string
	counts             bool // among the seven of the figure reach_network
}

func troubles() []trouble {
	udp := []string{"-p", "udp", "--dport", "8443"}
	drop := func(match ...string) func(*testing.T, house) {
		return func(t *testing.T, h house) {
			h.rule(t, append(append([]string{"-A", "FORWARD"}, match...), "-j", "DROP")...)
		}
	}
	return []trouble{
		{name: "none", road: "h3"},
		{name: "30 per cent are lost", counts: true, first: drop("-m", "statistic", "--mode", "random", "--probability", "0.3")},
		{name: "out of order, and a ClientHello of two packets", counts: true, first: shuffled, road: "h3"},
		{name: "a cut link", later: cut, over: mend},
		{name: "UDP is dropped", counts: true, first: drop(udp...), road: "h2"},
		{name: "UDP is dropped from the second packet on", counts: true, road: "h2",
			first: drop(append(udp, "-m", "connbytes", "--connbytes", "2:", "--connbytes-dir", "original", "--connbytes-mode", "packets")...)},
		{name: "an MTU of 1,200", counts: true, road: "h2", first: func(t *testing.T, h house) { h.mtu(t, "1200") }},
		{name: "a packet too big after the handshake", counts: true, later: func(t *testing.T, h house) { h.outerMTU(t, "1280") }},
		{name: "a packet too big, and nobody says so", later: func(t *testing.T, h house) {
			h.rule(t, "-A", "OUTPUT", "-p", "icmp", "--icmp-type", "fragmentation-needed", "-j", "DROP")
			ip(t, "-n", string(h.street), "link", "set", h.outer, "mtu", "1290")
		}},
		{name: "a NAT that forgets", counts: true, first: forgettingNAT, road: "h3"},
		{name: "IPv6 alone", six: true, noFour: true, road: "h3"},
		{name: "IPv6 leads nowhere", six: true, road: "h3",
			first: func(t *testing.T, h house) { h.street.must(t, "ip6tables", "-w", "-A", "FORWARD", "-j", "DROP") }},
	}
}

// shuffled turns the house's datagrams to a relay in the street that lets some
// overtake others, over a link on which no ClientHello fits into one.
func shuffled(t *testing.T, h house) {
	h.mtu(t, "1280")
	for i := range 2 {
		four, _ := hostAddress(i)
		port := 9001 + i
		h.rule(t, "-t", "nat", "-A", "PREROUTING", "-d", four, "-p", "udp", "--dport", "8443", "-j", "REDIRECT", "--to-ports", strconv.Itoa(port))
		counted := h.street.start(t, "shuffle", fmt.Sprintf("10.8.%d.1:%d", h.n, port), four+":8443")
		if i == 1 { // the collector does not run there at first
			continue
		}
		t.Cleanup(func() {
			line, err := bufio.NewReader(counted.lines).ReadString('\n')
			if n, _ := strconv.Atoi(strings.TrimSpace(line)); err != nil || n < 2 {
				t.Errorf("the first connection began with %q datagrams (%v): no ClientHello was larger than one", line, err)
			}
		})
	}
}

func cut(t *testing.T, h house) { ip(t, "-n", string(h.street), "link", "set", h.outer, "down") }

// mend lays the cut link again; its routes went with it.
func mend(t *testing.T, h house) {
	ip(t, "-n", string(h.street), "link", "set", h.outer, "up")
	ip(t, "-n", string(h.street), "route", "add", "default", "via", fmt.Sprintf("10.7.%d.1", h.n))
}

// forgettingNAT has the street's NAT drop a mapping of UDP after two seconds, long
// before a home router's 30, and give the next one another port.
func forgettingNAT(t *testing.T, h house) {
	h.rule(t, "-t", "nat", "-A", "POSTROUTING", "-o", h.outer, "-p", "udp", "-j", "MASQUERADE", "--random")
	for _, setting := range []string{"nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"} {
		h.street.set(t, "net/netfilter/"+setting, "2")
	}
}

// mtu sets that of the house's own link.
func (h house) mtu(t *testing.T, bytes string) {
	ip(t, "-n", string(h.inside), "link", "set", fmt.Sprintf("i%da", h.n), "mtu", bytes)
	ip(t, "-n", string(h.street), "link", "set", h.inner, "mtu", bytes)
}

// outerMTU sets that of the link behind the street, of which only the street
// and the centre can tell.
func (h house) outerMTU(t *testing.T, bytes string) {
	ip(t, "-n", string(h.street), "link", "set", h.outer, "mtu", bytes)
}

// TestLongNetworks: twelve agents in networks with a trouble each enrol,
// deliver, deliver again once the trouble has come, and once more after the
// collector has moved to another host of the same name. The register then holds
// each of their cameras once, as it was named last.
func TestLongNetworks(t *testing.T) {
	c := newCountry(t)
	dir := t.TempDir()
	creds := filepath.Join(dir, "officer.json")
	collector := c.collector(t, 0, dir)
	for _, args := range anOfficer(filepath.Join(dir, "collector"), creds) {
		if _, err := c.hosts[0].program(t, "anagrafe-collector", args...); err != nil {
			t.Fatal(err)
		}
	}
	var agents []*remote
	for i, what := range troubles() {
		r := &remote{t: t, trouble: what, dir: filepath.Join(dir, fmt.Sprintf("agent%d", i))}
		agents = append(agents, r)
		r.house = c.house(known(what)...)
		mustJSON(t, &r.invitation, "anagrafe-collector", "invite", "-data", filepath.Join(dir, "collector"), "-site", what.name, "-category", "shop")
	}
	all(agents, func(r *remote) { r.settle() })
	all(agents, func(r *remote) { r.name("Prima") })
	all(agents, func(r *remote) { r.delivered(1); r.onRoad() })
	all(agents, func(r *remote) {
		if r.later != nil {
			r.later(t, r.house)
		}
		r.name("Seconda")
		if r.over != nil {
			r.offline()
			r.over(t, r.house)
		}
	})
	all(agents, func(r *remote) { r.delivered(2) })

	collector.kill()
	collector = c.collector(t, 1, dir)
	all(agents, func(r *remote) { r.name("Terza") })
	all(agents, func(r *remote) { r.delivered(3) })

	var answer struct {
		Results []struct {
			CameraID string `json:"camera_id"`
			Name     string `json:"camera_name"`
		}
	}
	out, err := c.hosts[1].program(t, "anagrafe-collector", "search", "-credential", creds, "-at", "9.19,45.4641", "-radius", "2000", "-json",
		"-time", time.Now().UTC().Format(time.RFC3339), "-case", "event112:prova", "-offence", "other", "-reason", "prova del percorso")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, r := range answer.Results {
		if found[r.CameraID] != "" {
			t.Errorf("camera %s stands in the register twice", r.CameraID)
		}
		found[r.CameraID] = r.Name
	}
	for _, r := range agents {
		for _, id := range r.cameras {
			if !strings.HasPrefix(found[id], "Terza") {
				t.Errorf("%s: camera %s stands in the register as %q", r.trouble.name, id, found[id])
			}
			delete(found, id)
		}
	}
	for id, name := range found {
		t.Errorf("camera %s, %q, was confirmed by nobody", id, name)
	}
	_ = collector
}

// known are the addresses that a house has for the collector's name: the
// second host's first, where no collector runs in the beginning.
func known(what trouble) (addresses []string) {
	for _, i := range []int{1, 0} {
		four, six := hostAddress(i)
		if what.six {
			addresses = append(addresses, six)
		}
		if !what.noFour {
			addresses = append(addresses, four)
		}
	}
	return addresses
}
