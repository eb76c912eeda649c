package interrogate

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"anagrafe/agent/discover"
)

// driver speaks the own interface of one family of recorders, through web.
type driver interface {
	// recognise tells from one request without credentials (web.try) whether this
	// is the family's interface.
	recognise(ctx context.Context, w *web) likeness
	// read reads what the interface tells, logging in if it must (web.login,
	// web.closing). What was refused or is absent stays unknown; the error is of
	// what made reading impossible, problems of parts are in the report.
	read(ctx context.Context, w *web) (deviceReport, error)
}

// likeness is how much one answer shows of a family.
type likeness int

const (
	stranger likeness = iota
	locked            // it asks for a password on the family's path; others may on any path
	known             // the answer can only be the family's
)

// family is one driver and how its devices are met.
type family struct {
	name   Family
	driver driver
	maker  string   // shown while the device itself tells none: before login
	words  []string // in lower case: any of them in what a device announces suggests the family
	doors  []door   // where the interface is when the port that was seen has another
	often  bool     // sold under many names: every ONVIF device of an unknown maker is tried
	lacks  []string // what it does not offer, by column of FAMILIES.md
	unseen []string // what of it nobody has seen on a real device, likewise
	sure   string   // where the shapes that are read come from, for FAMILIES.md
}

// door is a place of an interface on a host.
type door struct {
	scheme string
	port   uint16
}

var (
	plain80   = door{"http", 80}
	secure443 = door{"https", 443}
)

// families are all drivers, in the order of the constants. A family whose login would
// show the password names its door with TLS first.
var families = []family{
	hikvisionFamily,
	dahuaFamily,
	axisFamily,
	univiewFamily,
	synologyFamily,
	reolinkFamily,
	unifiFamily,
	hanwhaFamily,
	nxFamily,
	frigateFamily,
	zoneMinderFamily,
	mediaMTXFamily,
}

// suggested tells whether what a device announces speaks for the family.
func (f family) suggested(said string) bool {
	return slices.ContainsFunc(f.words, func(w string) bool { return strings.Contains(said, w) })
}

// announced is what a sighting says of its maker, in lower case.
func announced(s discover.Sighting) string {
	all := []string{s.Vendor, s.Model}
	for _, m := range s.Methods {
		all = append(all, string(m))
	}
	id := readScopes(s.Scopes)
	return strings.ToLower(strings.Join(append(all, id.name, id.hardware), " "))
}

// candidate is a family that may be the device's, at one of some places.
type candidate struct {
	family
	places    []url.URL // in the order in which they are tried
	suggested bool
	at        url.URL // where it was found
	found     likeness
	other     bool   // it showed another certificate than the device's
	trust     *trust // of the place where it was found
}

// candidates are the families to try. A device that announces nothing of the kind
// is tried only if it speaks ONVIF, or if the owner named it: nobody else's
// machines are asked what they are.
func candidates(s discover.Sighting, base url.URL, spoke bool) []candidate {
	said := announced(s)
	here := url.URL{Scheme: base.Scheme, Host: base.Host}
	var all []candidate
	for _, f := range families {
		if f.suggested(said) {
			all = append(all, candidate{family: f, places: f.placesOn(s.Address.Addr(), here), suggested: true})
		}
	}
	if len(all) > 0 {
		return all
	}
	named := slices.Contains(s.Methods, discover.MethodTarget)
	for _, f := range families {
		switch {
		case spoke && f.often:
			all = append(all, candidate{family: f, places: []url.URL{here}})
		case !spoke && named && s.Address.Port() == 80: // no port was named
			all = append(all, candidate{family: f, places: f.placesOn(s.Address.Addr())})
		case !spoke && named:
			all = append(all, candidate{family: f, places: []url.URL{here}})
		}
	}
	return all
}

// placesOn gives the places that were seen and the family's doors on a host, each
// once. Where the family's first door has TLS all with TLS come first: it logs in by
// a message, in which no password may be sent readable.
func (f family) placesOn(host netip.Addr, seen ...url.URL) []url.URL {
	all := slices.Clone(seen)
	for _, d := range f.doors {
		if at := d.on(host); !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	if len(f.doors) > 0 && f.doors[0].scheme == "https" {
		slices.SortStableFunc(all, func(a, b url.URL) int { return strings.Compare(b.Scheme, a.Scheme) })
	}
	return all
}

func (d door) on(host netip.Addr) url.URL {
	port := d.port
	if d == plain80 || d == secure443 {
		port = 0
	}
	text := host.String()
	if host.Is6() {
		text = "[" + text + "]"
	}
	if port != 0 {
		text += ":" + strconv.Itoa(int(port))
	}
	return url.URL{Scheme: d.scheme, Host: text}
}

// recognise tries the candidates side by side, and gives the one that the device
// is: a suggested one that at least asks for a password where the family does, or
// one that is surely it; of strangers that ask for a password the only one, since a
// host that does so on any path is none of them.
func (q *questioning) recognise(ctx context.Context, spoke bool) *candidate {
	all := candidates(q.device.Sighting, *q.base, spoke)
	var group sync.WaitGroup
	limit := make(chan struct{}, 8)
	for i := range all {
		group.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			for _, at := range all[i].places {
				if q.try(ctx, &all[i], at); all[i].found != stranger {
					return
				}
			}
		})
	}
	group.Wait()
	var asks []*candidate
	for i := range all {
		switch c := &all[i]; {
		case c.found == known, c.found == locked && c.suggested:
			return c
		case c.found == locked:
			asks = append(asks, c)
		}
	}
	if len(asks) == 1 {
		return asks[0]
	}
	if !spoke && slices.ContainsFunc(all, func(c candidate) bool { return c.other }) {
		q.trust.breakOff()
	}
	return nil
}

// try asks one place whether the family is there.
func (s subject) try(ctx context.Context, c *candidate, at url.URL) {
	s.memory, s.trust, s.turn, s.callTime = nil, s.trust.sameFor(), make(chan struct{}, 1), min(probeTime, s.callTime)
	w := newWeb(at, s)
	defer w.close(ctx)
	c.found, c.trust = c.driver.recognise(ctx, w), s.trust
	c.other = c.other || s.trust.broken()
	c.at = url.URL{Scheme: w.base.Scheme, Host: w.base.Host} // it may have moved to TLS
}

// own reads the maker's own interface, where there is one that we know.
func (q *questioning) own(ctx context.Context, c *candidate) {
	if c == nil || ctx.Err() != nil {
		return
	}
	limited, cancel := context.WithTimeout(ctx, ownTime)
	defer cancel()
	q.trust.adopt(c.trust)
	w := newWeb(c.at, q.subject)
	defer w.close(ctx)
	w.auth.setOffset(q.auth.clockOffset())
	t, err := c.driver.read(limited, w)
	if err != nil {
		q.device.Errors = append(q.device.Errors, Problem{string(c.name), w.auth.words(err.Error())})
	}
	for _, p := range t.problems {
		q.device.Errors = append(q.device.Errors, Problem{clean(p.What), w.auth.words(p.Why)})
	}
	q.told, q.ownDoor = t, w.auth
	q.device.Family = c.name
	q.told.vendor = firstOf(t.vendor, q.device.Sighting.Vendor)
	if q.told.vendor == "" && (c.found == known || c.suggested) {
		q.told.vendor = c.maker
	}
	q.auth.yield(w.auth)
}
