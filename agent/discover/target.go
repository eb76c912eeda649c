package discover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of named targets.
const (
	minTargetBits  = 22 // the widest CIDR has 1,024 addresses
	maxTargetHosts = 4096
	knockTimeout   = time.Second
	knockers       = 64 // connections tried at a time
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
	t.name = host
	return []target{t}, nil
}

// resolve looks up the names of targets. One that is not known now, as when the
// name server is away, is left out; the error tells which.
func resolve(ctx context.Context, targets []target) ([]target, error) {
	var all []target
	var errs []error
	for _, t := range targets {
		if t.name != "" {
			addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", t.name)
			if err != nil {
				errs = append(errs, fmt.Errorf("target %q: %w: give a name or address of your network, or a range such as 192.168.1.0/24", t.name, err))
				continue
			}
			t.name, t.host = "", addrs[0].Unmap()
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

// CheckTargets tells whether Scan would take these targets; names are looked up
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

// searchTargets asks the named hosts by WS-Discovery, which also tells the port
// and the endpoint. A host named by itself is reported even if it is silent, so
// that the owner learns why nothing was read; one of a range only if it accepts
// a connection to its web port: one port, one attempt.
func searchTargets(ctx context.Context, targets []target, window time.Duration, found chan<- Sighting, log *slog.Logger) {
	hosts := make([]netip.Addr, 0, len(targets))
	for _, t := range targets {
		hosts = append(hosts, t.host)
	}
	var parts sync.WaitGroup
	defer parts.Wait()
	if p, err := listenForTargets(hosts, found, log); err != nil {
		log.Warn("targets not asked by WS-Discovery", "err", err)
	} else {
		parts.Go(func() { p.run(ctx, window) })
	}

	work := make(chan target)
	for range min(knockers, len(targets)) {
		parts.Go(func() {
			for t := range work {
				if t.ranged && !knock(ctx, t) {
					continue
				}
				select {
				case found <- t.sighting():
				case <-ctx.Done():
				}
			}
		})
	}
	defer close(work)
	for _, t := range targets {
		select {
		case work <- t:
		case <-ctx.Done():
			return
		}
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

// knock tells whether a host accepts a connection to its web port.
func knock(ctx context.Context, t target) bool {
	d := net.Dialer{Timeout: knockTimeout}
	c, err := d.DialContext(ctx, "tcp4", netip.AddrPortFrom(t.host, defaultPort).String())
	if err != nil {
		return false
	}
	c.Close()
	return true
}
