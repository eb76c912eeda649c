package discover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of named targets, low enough for no recorder to notice.
const (
	minTargetBits  = 22 // the widest CIDR has 1,024 addresses
	maxTargetHosts = 4096
	atOnce         = 64 // hosts of which an answer is awaited

	// A host gets this long before the next one has its turn. It is less than the
	// second after which a system would repeat a connection's first packet.
	answerTime = 900 * time.Millisecond

	// Answers to the last question are awaited this long (WS-Discovery allows 500 ms).
	lastAnswers = 600 * time.Millisecond
)

// target is one host that the owner named.
type target struct {
	name   string // as typed, until host is known; ""
	host   netip.Addr
	port   uint16 // 0: none was named
	xaddr  string // the URL, if one was named
	ranged bool
}

// parseTarget reads "host", "host:port", a URL or a CIDR.
func parseTarget(text string) ([]target, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return rangeTargets(text, p)
	}
	t := target{}
	host := text
	if strings.Contains(text, "://") || strings.Contains(text, "@") {
		u, port, ok := parseXAddr(text)
		if !ok { // it is not repeated: a stream address with its password may have been pasted
			return nil, errors.New("a target is not an address of the form http://host:port/path: give the host alone, without user and password")
		}
		u.User = nil // a password has no place here
		host, t.port, t.xaddr = u.Hostname(), port, u.String()
	} else if h, p, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("target %q: the port must be a number from 1 to 65535", text)
		}
		host, t.port = h, uint16(n)
	}
	if host == "" {
		return nil, errors.New("a target is empty: give a name or address of your network, or a range such as 192.168.1.0/24")
	}
	addr, err := netip.ParseAddr(host) // an IPv6 one may have a zone, which no resolver keeps
	if err != nil {
		t.name = host
		return []target{t}, nil
	}
	t.host = addr.Unmap()
	if t.host.Is6() && t.host.IsLinkLocalUnicast() && t.host.Zone() == "" {
		return nil, fmt.Errorf("target %q: say on which network interface: %s%%NAME (one of: %s)", text, t.host, interfaceNames())
	}
	return []target{t}, nil
}

// resolve looks up the names of targets. One that is not known now, as when the
// name server is away, is left out; the error tells which.
func resolve(ctx context.Context, targets []target) ([]target, error) {
	var all []target
	var errs []error
	for _, t := range targets {
		if t.name != "" {
			addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", t.name)
			if err != nil {
				errs = append(errs, fmt.Errorf("target %q: %w: give a name or address of your network, or a range such as 192.168.1.0/24", t.name, err))
				continue
			}
			addr := addrs[0]
			if i := slices.IndexFunc(addrs, func(a netip.Addr) bool { return a.Unmap().Is4() }); i > 0 {
				addr = addrs[i] // cameras are better known by it
			}
			t.name, t.host = "", addr.Unmap()
		}
		all = append(all, t)
	}
	return all, errors.Join(errs...)
}

func rangeTargets(text string, p netip.Prefix) ([]target, error) {
	if !p.Addr().Is4() {
		return nil, fmt.Errorf("target %q: only ranges of IPv4 addresses can be searched", text)
	}
	if p.Bits() < minTargetBits {
		return nil, fmt.Errorf("target %q: too wide, at most a /%d (1,024 addresses) is searched: name smaller ranges", text, minTargetBits)
	}
	var all []target
	for a := p.Masked().Addr(); p.Contains(a); a = a.Next() {
		all = append(all, target{host: a, ranged: true})
	}
	if p.Bits() < 31 { // neither the network's address nor the broadcast one
		all = all[1 : len(all)-1]
	}
	return all, nil
}

// CheckTargets reports whether Scan would take these targets; names are looked up
// only then.
func CheckTargets(texts []string) error {
	_, err := parseTargets(texts)
	return err
}

func parseTargets(texts []string) ([]target, error) {
	var all []target
	var errs []error
	seen := map[target]bool{}
	for _, text := range texts {
		ts, err := parseTarget(strings.TrimSpace(text))
		errs = append(errs, err)
		for _, t := range ts {
			if !seen[t] {
				seen[t] = true
				all = append(all, t)
			}
		}
	}
	if len(all) > maxTargetHosts {
		errs = append(errs, fmt.Errorf("%d target addresses: at most %d in one scan", len(all), maxTargetHosts))
	}
	return all, errors.Join(errs...)
}

// searchTargets asks the named hosts, each with two packets. One named by itself
// gets two questions by WS-Discovery, which also tell the port and the endpoint,
// and is reported even if it is silent, so that the owner learns why nothing was
// read. One of a range gets the untyped question, which most devices answer, and
// one attempt to connect to its web port, without which nobody is reported.
func searchTargets(ctx context.Context, targets []target, window time.Duration, found chan<- Sighting, log *slog.Logger) {
	start := time.Now()
	dialect := &wsDiscovery{}
	hosts := map[netip.Addr]bool{}
	for _, t := range targets {
		hosts[t.host] = true
	}
	four, six := openForTargets(hosts, dialect, found, log)
	var readers, askers sync.WaitGroup
	for _, p := range []*prober{four, six} {
		if p != nil {
			readers.Go(func() { p.read(ctx) })
		}
	}
	work := make(chan target)
	for range min(atOnce, len(targets)) {
		askers.Go(func() {
			for t := range work {
				p := four
				if t.host.Is6() {
					p = six
				}
				t.ask(ctx, dialect, p, found)
			}
		})
	}
	for _, t := range targets {
		select {
		case work <- t:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	askers.Wait()
	pause(ctx, max(lastAnswers, time.Until(start.Add(window))))
	for _, p := range []*prober{four, six} {
		if p != nil {
			p.conn.Close()
		}
	}
	readers.Wait()
}

// openForTargets opens a socket for each family; nil where there is none.
func openForTargets(hosts map[netip.Addr]bool, d dialect, found chan<- Sighting, log *slog.Logger) (four, six *prober) {
	open := func(network string) *prober {
		conn, err := net.ListenUDP(network, nil)
		if err != nil {
			log.Debug("targets not asked by WS-Discovery", "family", network, "err", err)
			return nil
		}
		return &prober{conn: conn, dialect: d, found: found, log: log,
			locate: func(a netip.Addr) (string, bool) { return a.Zone(), hosts[a] },
		}
	}
	return open("udp4"), open("udp6")
}

// ask puts the questions to one host. It takes the host's time even if that
// refuses at once, so that never more than atOnce are being asked.
func (t target) ask(ctx context.Context, d *wsDiscovery, p *prober, found chan<- Sighting) {
	until := time.Now().Add(answerTime)
	for _, q := range d.probes() {
		if p != nil && (q.method == MethodUntyped || q.method == MethodTransmitter && !t.ranged) {
			p.ask([][]byte{q.packet}, netip.AddrPortFrom(t.host, multicastGroup.Port()))
		}
	}
	if !t.ranged || acceptsConnection(ctx, t) {
		select {
		case found <- t.sighting():
		case <-ctx.Done():
		}
	}
	if t.ranged {
		pause(ctx, time.Until(until))
	}
}

func (t target) sighting() Sighting {
	s := Sighting{Methods: []Method{MethodTarget}, At: time.Now()}
	if t.ranged {
		s.Methods[0] = MethodRange
	}
	if t.xaddr != "" {
		s.XAddrs = []string{t.xaddr}
	}
	s.Address = netip.AddrPortFrom(t.host, t.port)
	if t.port == 0 {
		s.Address = netip.AddrPortFrom(t.host, defaultPort)
	}
	return s
}

const defaultPort = 80

// acceptsConnection reports whether a host accepts a connection to its web port.
func acceptsConnection(ctx context.Context, t target) bool {
	d := net.Dialer{Timeout: answerTime}
	c, err := d.DialContext(ctx, "tcp", netip.AddrPortFrom(t.host, defaultPort).String())
	if err != nil {
		return false
	}
	c.Close()
	return true
}
