package inventory

import (
	"cmp"
	"net"
	"slices"
	"strings"
	"unicode"

	"anagrafe/agent/interrogate"
)

// marks are what a device can be recognised by. Each may be missing or wrong:
// cameras are sold with one serial number for all, make a new endpoint
// reference at each start, or get another address from the router.
type marks struct {
	serial   string
	macs     []string
	endpoint string
	name     string
	vendor   string
	model    string
	address  string
}

func marksOf(d interrogate.Device) marks {
	m := marks{
		serial:   usableSerial(d.Serial, d.Model),
		endpoint: usableEndpoint(d.Sighting.Endpoint),
		name:     fold(d.Name),
		vendor:   fold(d.Vendor),
		model:    fold(d.Model),
		macs:     usableMACs(d.MACs),
	}
	if d.Sighting.Address.IsValid() {
		m.address = d.Sighting.Address.String()
	}
	return m
}

// likeness reports how surely two sets of marks are one device: 0 is "two
// devices", and of several candidates the highest is taken.
//
// Serial number, MAC and endpoint reference are strong. Two that agree are
// enough. One is enough when nothing strong speaks against it. When one agrees
// and one differs, the weak marks decide. Without any, the same address, or as
// a last resort (see unique) the same name and model, will do.
func likeness(a, b marks) int {
	agree, clash := 0, 0
	count := func(known, same bool) bool {
		if known && same {
			agree++
		} else if known {
			clash++
		}
		return known && same
	}
	count(a.serial != "" && b.serial != "", a.serial == b.serial)
	macDiffers := len(a.macs) > 0 && len(b.macs) > 0 && !overlap(a.macs, b.macs)
	count(len(a.macs) > 0 && len(b.macs) > 0, !macDiffers)
	endpointDiffers := a.endpoint != "" && b.endpoint != "" && a.endpoint != b.endpoint
	count(a.endpoint != "" && b.endpoint != "", !endpointDiffers)

	// A locked device may tell its model and not its maker.
	sameModel := a.model != "" && a.model == b.model && (a.vendor == b.vendor || a.vendor == "" || b.vendor == "")
	otherModel := a.model != "" && b.model != "" && !sameModel
	sameName := a.name != "" && a.name == b.name
	sameAddress := a.address != "" && a.address == b.address

	switch {
	case agree >= 2:
		return 100*agree - 10*clash
	case agree == 1 && clash == 0 && (!otherModel || sameAddress):
		return 60
	case agree == 1 && clash == 1 && sameModel && sameAddress:
		return 40
	case agree == 1 && clash == 1 && sameModel && endpointDiffers && (overlap(a.macs, b.macs) || len(a.serial) >= 8):
		// After a power cut a device may have both a new address and a new
		// endpoint reference; its MAC, or a serial number that is long enough
		// not to be a factory default, still tells it.
		return 30
	case agree == 0 && clash == 1 && endpointDiffers && sameModel && sameName && sameAddress:
		return 25
	case agree == 0 && clash == 0 && sameAddress && !otherModel:
		return 20
	case agree == 0 && clash == 0 && sameName && sameModel:
		return byNameAlone
	}
	return 0
}

// byNameAlone is the likeness of two that share no more than name and model.
const byNameAlone = 10

// announced completes what a device said by what it announced: one that cannot
// be asked may have told its maker and serial number to its maker's own search.
func announced(found []interrogate.Device) []interrogate.Device {
	found = slices.Clone(found)
	for i := range found {
		d := &found[i]
		s := d.Sighting
		d.Serial, d.Vendor, d.Model = cmp.Or(d.Serial, s.Serial), cmp.Or(d.Vendor, s.Vendor), cmp.Or(d.Model, s.Model)
		if s.MAC != "" && !slices.Contains(d.MACs, s.MAC) {
			d.MACs = append(slices.Clone(d.MACs), s.MAC)
		}
	}
	return found
}

// gather merges what one look reported twice: a device with two network
// cards, or found by two methods that discover could not tie together.
func gather(found []interrogate.Device) []interrogate.Device {
	var out []interrogate.Device
	var of []marks
next:
	for _, d := range found {
		m := marksOf(d)
		for i := range out {
			if score := likeness(m, of[i]); score >= 190 ||
				overlap(m.macs, of[i].macs) && score > 0 || m.address == of[i].address && score > 0 {
				out[i] = merged(out[i], d)
				of[i] = marksOf(out[i])
				continue next
			}
		}
		out, of = append(out, d), append(of, m)
	}
	return out
}

// merged keeps the fuller answer, with the marks of both.
func merged(a, b interrogate.Device) interrogate.Device {
	if !a.Answered && b.Answered || a.Answered == b.Answered && len(b.Channels) > len(a.Channels) {
		a, b = b, a
	}
	if a.Sighting.Endpoint == "" {
		a.Sighting.Endpoint = b.Sighting.Endpoint
	}
	if a.Serial == "" {
		a.Serial = b.Serial
	}
	methods := append(slices.Clone(a.Sighting.Methods), b.Sighting.Methods...)
	slices.Sort(methods)
	a.Sighting.Methods = slices.Compact(methods)
	macs := append(slices.Clone(a.MACs), b.MACs...)
	slices.Sort(macs)
	a.MACs = slices.Compact(macs)
	return a
}

// match returns for each of found the index in known of the same device, or -1.
// Each known device is given once, to the likest.
func match(found, known []marks) []int {
	type pair struct{ score, f, k int }
	var pairs []pair
	for f := range found {
		for k := range known {
			score := likeness(found[f], known[k])
			if score == byNameAlone && !(unique(found, f) && unique(known, k)) {
				score = 0
			}
			if score > 0 {
				pairs = append(pairs, pair{score, f, k})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return b.score - a.score })
	of := slices.Repeat([]int{-1}, len(found))
	taken := make([]bool, len(known))
	for _, p := range pairs {
		if of[p.f] < 0 && !taken[p.k] {
			of[p.f], taken[p.k] = p.k, true
		}
	}
	return of
}

// unique reports whether no other of all has the name and model of all[i]: ten
// cameras may bear the factory's name.
func unique(all []marks, i int) bool {
	for j, m := range all {
		if j != i && m.name == all[i].name && m.model == all[i].model {
			return false
		}
	}
	return true
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// usableSerial is "" for what stands in for a serial number: too short, a
// factory default, the model's name, an address (go2rtc answers host:port).
func usableSerial(s, model string) string {
	s = fold(s)
	digits := strings.Count(strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return '#'
		}
		return r
	}, s), "#")
	if len(s) < 5 || digits == 0 || s == fold(model) || strings.ContainsAny(s, ": ") ||
		strings.Trim(s, s[:1]) == "" || strings.HasPrefix("12345678901234567890", s) || strings.HasPrefix("01234567890123456789", s) {
		return ""
	}
	if net.ParseIP(s) != nil {
		return ""
	}
	return s
}

func usableEndpoint(s string) string {
	s = fold(s)
	if strings.Trim(strings.TrimPrefix(s, "urn:uuid:"), "0-") == "" {
		return ""
	}
	return s
}

// usableMACs leaves out addresses that many devices share.
func usableMACs(all []string) []string {
	var out []string
	for _, s := range all {
		mac, err := net.ParseMAC(strings.TrimSpace(s))
		if err != nil || len(mac) != 6 || mac[0]&1 == 1 || strings.Trim(mac.String(), "0:") == "" {
			continue
		}
		out = append(out, mac.String())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
