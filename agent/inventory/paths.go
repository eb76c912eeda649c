package inventory

import (
	"cmp"
	"net/netip"
	"slices"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// way is a further path on which a camera is seen: by itself, on the network.
type way struct {
	device  *device
	channel string // its token there
	camera  *camera
	seen    int64 // microseconds
}

// behind is what a recorder tells of the camera on one of its channels. It is
// used for identity alone and never leaves.
type behind struct {
	Serial   string   `json:"serial,omitempty"`
	MACs     []string `json:"macs,omitempty"`
	Endpoint string   `json:"endpoint,omitempty"`
	Name     string   `json:"name,omitempty"`
	Address  string   `json:"address,omitempty"`
}

func behindOf(i *interrogate.Identity) *behind {
	if i == nil {
		return nil
	}
	return &behind{i.Serial, i.MACs, i.Endpoint, i.Name, i.Address}
}

func (b *behind) marks() marks {
	if b == nil {
		return marks{}
	}
	return marks{serial: usableSerial(b.Serial, ""), macs: usableMACs(b.MACs), endpoint: usableEndpoint(b.Endpoint),
		name: fold(b.Name), address: b.Address}
}

// and adds what o knows and b does not, o being the later reading.
func (b behind) and(o behind) *behind {
	out := behind{Serial: cmp.Or(o.Serial, b.Serial), MACs: o.MACs, Endpoint: cmp.Or(o.Endpoint, b.Endpoint),
		Name: cmp.Or(o.Name, b.Name), Address: cmp.Or(o.Address, b.Address)}
	if len(out.MACs) == 0 {
		out.MACs = b.MACs
	}
	return &out
}

// strong counts the strong marks that both sides have: in how many they agree,
// and in how many they differ.
func strong(a, b marks) (agree, clash int) {
	for _, m := range []struct{ known, same bool }{
		{a.serial != "" && b.serial != "", a.serial == b.serial},
		{len(a.macs) > 0 && len(b.macs) > 0, overlap(a.macs, b.macs)},
		{a.endpoint != "" && b.endpoint != "", a.endpoint == b.endpoint},
	} {
		switch {
		case m.known && m.same:
			agree++
		case m.known:
			clash++
		}
	}
	return agree, clash
}

// bond is how surely a recorder's channel shows a camera that answers by itself.
type bond int

const (
	strangers bond = iota
	maybe          // nothing but a name or an address says so: the owner is shown it
	same
)

// bondOf weighs serial number, MAC and endpoint reference. Unlike likeness it
// never takes a weak mark for sure: a name or an address that a recorder gives
// may be a factory default, or belong to a network of the recorder's own.
func bondOf(channel, own marks) bond {
	agree, clash := strong(channel, own)
	switch {
	case agree > clash:
		return same
	case agree == 1 && clash == 1 && overlap(channel.macs, own.macs) && channel.endpoint != "" && channel.endpoint != own.endpoint && own.endpoint != "":
		return same // the endpoint reference is made anew at each start
	case agree == clash && agree > 0:
		return maybe
	case clash == 0 && (channel.name != "" && channel.name == own.name || sameHost(channel.address, own.address)):
		return maybe
	}
	return strangers
}

// sameHost compares addresses with and without ports.
func sameHost(a, b string) bool {
	host := func(s string) netip.Addr {
		if p, err := netip.ParseAddrPort(s); err == nil {
			return p.Addr().Unmap()
		}
		addr, _ := netip.ParseAddr(s)
		return addr.Unmap()
	}
	x := host(a)
	return x.IsValid() && x == host(b)
}

// pair is a channel of a recorder and the entry of the camera on it.
type pair struct{ channel, own *camera }

// pairs finds the entries that are one camera, and those that may be. A device
// that shows several pictures, or that several channels of one recorder lay
// claim to, is told apart by name; what is left over is for the owner to see.
func (b *book) pairs() (sure, unsure []pair) {
	var channels, own []*camera
	for _, c := range b.cameras {
		switch c.device.kind {
		case interrogate.KindRecorder:
			channels = append(channels, c)
		case interrogate.KindCamera:
			own = append(own, c)
		}
	}
	claims, guesses := map[*camera][]*camera{}, map[*camera][]*camera{} // by own
	holds := map[*camera][]*camera{}                                    // by channel, the own ones it may be
	known := make(map[*device]marks, len(b.devices))
	for _, d := range b.devices {
		known[d] = d.marks()
	}
	for _, k := range channels {
		m := k.behind.marks()
		for _, l := range own {
			switch bondOf(m, known[l.device]) {
			case same:
				claims[l] = append(claims[l], k)
				holds[k] = append(holds[k], l)
			case maybe:
				guesses[l] = append(guesses[l], k)
			case strangers:
				if agree, clash := strong(m, known[l.device]); agree+clash == 0 && sameName(k, l) {
					guesses[l] = append(guesses[l], k)
				}
			}
		}
	}
	taken := map[*camera]bool{}
	for _, l := range own {
		for _, k := range claims[l] {
			p := pair{k, l}
			switch {
			case taken[k] || taken[l]:
			case p.clear(claims[l], holds[k]) && p.joinable():
				taken[k], taken[l] = true, true
				sure = append(sure, p)
			default:
				unsure = append(unsure, p)
			}
		}
	}
	guessed := map[*camera]int{}
	for _, l := range own {
		for _, k := range guesses[l] {
			guessed[k]++
		}
	}
	for _, l := range own {
		if len(claims[l]) == 0 && len(guesses[l]) == 1 && guessed[guesses[l][0]] == 1 && len(holds[guesses[l][0]]) == 0 {
			unsure = append(unsure, pair{guesses[l][0], l})
		}
	}
	return sure, slices.DeleteFunc(unsure, func(p pair) bool { return taken[p.channel] || taken[p.own] })
}

// clear reports whether no other could be meant: on one recorder no other channel
// claims own, and channel claims no other; or among those that do, these two
// alone have the same name. Another recorder that shows the camera too keeps
// footage of its own, and its channel remains an entry.
func (p pair) clear(claims, holds []*camera) bool {
	for _, k := range claims {
		if k != p.channel && k.device == p.channel.device && !(sameName(p.channel, p.own) && !sameName(k, p.own)) {
			return false
		}
	}
	for _, l := range holds {
		if l != p.own && (l.device != p.own.device || !(sameName(p.channel, p.own) && !sameName(p.channel, l))) {
			return false
		}
	}
	return true
}

// joinable: a camera that two sites have declared is left to the owner.
func (p pair) joinable() bool {
	return p.channel.decision != StateDeclared || p.own.decision != StateDeclared || p.channel.siteID == p.own.siteID
}

// sameName reports whether a channel bears a name of the camera, other than its
// maker's or model's.
func sameName(channel, own *camera) bool {
	names := []string{fold(channel.foundName)}
	if channel.behind != nil {
		names = append(names, fold(channel.behind.Name))
	}
	return slices.ContainsFunc(names, func(n string) bool {
		return n != "" && n != fold(own.device.vendor) && n != fold(own.device.model) && (n == fold(own.foundName) || n == fold(own.device.name))
	})
}

// hints are, for the owner, the ids of entries that may be the same camera, by
// the id of the other. One that the owner has kept out is settled.
func (b *book) hints() map[string]string {
	hints := map[string]string{}
	hint := func(x, y *camera) {
		for _, two := range [][2]string{{x.id, y.id}, {y.id, x.id}} {
			if _, ok := hints[two[0]]; !ok {
				hints[two[0]] = two[1]
			}
		}
	}
	_, unsure := b.pairs()
	for _, p := range unsure {
		if p.channel.answer() != answerNo && p.own.answer() != answerNo {
			hint(p.channel, p.own)
		}
	}
	b.listedHints(hint)
	return hints
}

// maybeSame is the hint for c; all hints are found at the first call.
func (b *book) maybeSame(c *camera) string {
	if b.mayBe == nil {
		b.mayBe = b.hints()
	}
	return b.mayBe[c.id]
}

// elsewhere reports whether d is a camera that is shown as a recorder's channel.
func (b *book) elsewhere(d *device) bool {
	return len(b.pathsOf(d)) > 0 && !slices.ContainsFunc(b.cameras, func(c *camera) bool { return c.device == d })
}

// tokens are the paths of one device, by its own token.
type tokens map[string]*way

func (b *book) pathsOf(d *device) tokens {
	of := tokens{}
	for _, c := range b.cameras {
		for _, p := range c.paths {
			if p.device == d {
				of[p.channel] = p
			}
		}
	}
	return of
}

// find returns the path of the channel that a device tells as its i-th of n: by
// its token, by another one that it gave for it, or as the only one there is. The
// first is also that of a device that told none while it was locked.
func (t tokens) find(token string, also []string, i, n int) *way {
	for _, word := range append([]string{token}, also...) {
		if p := t[word]; p != nil && word != "" {
			return p
		}
	}
	if i > 0 {
		return nil
	}
	if p := t[""]; p != nil {
		return p
	}
	if n == 1 && len(t) == 1 {
		for _, p := range t {
			return p
		}
	}
	return nil
}

func isCamera(d *device) bool { return d.kind == interrogate.KindCamera }

// keeper returns a recorder of the site's declaration, or nil.
func (s *site) keeper(id string) *protocol.Recorder {
	for i := range s.declared.Recorders {
		if s.declared.Recorders[i].ID == id {
			return &s.declared.Recorders[i]
		}
	}
	return nil
}

// reopened names what a merge, or a word on where images are kept, leaves to the
// owner's next yes.
func (c *camera) reopened(s *site, declared protocol.Camera) (groups []string) {
	if c.asks {
		groups = append(groups, "outdoor_public")
	}
	keeper, now := s.keeper(c.deviceID), c.device.recorder()
	if declared.RecorderID != c.deviceID || keeper == nil || keeper.Storage != now.Storage || keeper.StorageNote != now.StorageNote ||
		slices.ContainsFunc(c.merged, func(id string) bool { return s.find(id) != nil }) {
		groups = append(groups, "recorder")
	}
	return groups
}

func (c *camera) shownPaths() []Path {
	paths := []Path{{DeviceID: c.deviceID, Address: c.device.address, SeenAt: c.seen}}
	for _, p := range c.paths {
		paths = append(paths, Path{DeviceID: p.device.id, Address: p.device.address, SeenAt: instant(p.seen)})
	}
	return paths
}
