package inventory

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"anagrafe/agent/interrogate"
	"anagrafe/protocol"
)

// What was typed on a form names cameras as people call them, and no channel of any
// recorder. It is compared by name, then by the number in the name. As long as the
// recorder tells its cameras to nobody, it can be kept as being on that one: the
// channels take it over, by the same two, once the password is known.

// typed reports that no computer has ever seen a recorded camera: all of it is a
// person's word.
func typed(c protocol.Camera, r protocol.Recorder) bool {
	if c.Channel != "" || r.Clock != nil {
		return false
	}
	return !slices.ContainsFunc([]protocol.Fact{c.NameFact, c.View.Fact, c.Schedule.Fact, c.Retention.Fact}, func(f protocol.Fact) bool {
		return f.Source == protocol.Measured || f.Source == protocol.Confirmed
	})
}

// proposeTyped finds for typed cameras the free ones of whatever device that bear the
// name, else the number that the name has, else that are left over as the only ones.
// None of them is sure.
func (b *book) proposeTyped(recorded []Recorded, free []*camera) {
	taken := map[string]bool{} // ids of cameras
	open := 0
	for _, r := range recorded {
		taken[r.Here] = true
		if r.Typed {
			open++
		}
	}
	take := func(is func(protocol.Camera, *camera) bool) {
		for i := range recorded {
			r := &recorded[i]
			if !r.Typed || r.Here != "" {
				continue
			}
			fits := slices.DeleteFunc(slices.Clone(free), func(c *camera) bool { return taken[c.id] || !is(r.Camera, c) })
			if len(fits) == 1 {
				r.Here, taken[fits[0].id] = fits[0].id, true
				open--
			}
		}
	}
	take(func(r protocol.Camera, c *camera) bool {
		return fold(r.Name) == fold(c.foundName) || fold(r.Name) == fold(c.name)
	})
	numbers := map[*camera]int{}
	for _, d := range b.devices {
		maps.Copy(numbers, b.numbersOn(d))
	}
	take(func(r protocol.Camera, c *camera) bool { n := numberIn(r.Name); return n > 0 && n == numbers[c] })
	if open == 1 {
		take(func(protocol.Camera, *camera) bool { return true })
	}
}

// locked reports that a device wants a password that is not known, or another one.
func (d *device) locked() bool {
	switch d.needs {
	case interrogate.NeedsCredentials, interrogate.NeedsWrongPassword, interrogate.NeedsPasswordOrClock:
		return true
	}
	return false
}

// lockedFor lists the locked devices of which no channel is known. Where there is one
// alone, what was typed and not found is proposed to be on it.
func (b *book) lockedFor(recorded []Recorded) (all []lockedDevice) {
	for _, d := range b.devices {
		told := func(c *camera) bool { return c.device == d && c.channel != "" && c.family != byHand }
		if d.locked() && !b.elsewhere(d) && !slices.ContainsFunc(b.cameras, told) {
			all = append(all, lockedDevice{d.id, cmp.Or(line(d.vendor+" "+d.model), line(d.name), d.address)})
		}
	}
	for i := range recorded {
		if r := &recorded[i]; len(all) == 1 && r.Typed && r.Here == "" {
			r.On = all[0].ID
		}
	}
	return all
}

// expect lists a recorded camera as one of a device that does not tell its cameras
// yet, with its number where its name has one. The first takes the entry that stands
// for the device, if nothing was said of that.
func (b *book) expect(ctx context.Context, tx *sql.Tx, r Recorded, deviceID string, t Takeover) error {
	d := b.device(deviceID)
	channel := string(former) + "-" + r.Camera.ID
	if n := numberIn(r.Camera.Name); n > 0 {
		number := strconv.Itoa(n)
		if !slices.ContainsFunc(b.cameras, func(c *camera) bool { return c.device == d && c.channel == number }) {
			channel = number
		}
	}
	at := slices.IndexFunc(b.cameras, func(c *camera) bool { return c.device == d && c.channel == "" && c.answer() == answerNone })
	if at >= 0 {
		c := b.cameras[at]
		c.channel, c.family = channel, byHand
		return c.becomes(ctx, tx, r, t.SiteID)
	}
	c := &camera{id: r.Camera.ID, deviceID: d.id, device: d, channel: channel, family: byHand, seen: t.At, siteID: t.SiteID}
	c.suggested(r)
	b.cameras = append(b.cameras, c)
	return c.save(ctx, tx)
}

// numbersOn gives the cameras of a device the numbers by which people count them: the
// one in the name that the device gives, else that of the channel.
func (b *book) numbersOn(d *device) map[*camera]int {
	var of []*camera
	var tokens []reportedChannel
	for _, c := range b.cameras {
		if c.device == d {
			of, tokens = append(of, c), append(tokens, reportedChannel{token: c.channel})
		}
	}
	numbers := make(map[*camera]int, len(of))
	for i, n := range numbersOf(tokens, nil, nil) {
		if numbers[of[i]] = numberIn(of[i].foundName); numbers[of[i]] == 0 {
			numbers[of[i]], _ = strconv.Atoi(n) // numbersOf gives nothing else
		}
	}
	return numbers
}

// inName is a number of its own in a name: that of "Telecamera 2", not of "H264".
var inName = regexp.MustCompile(`(?:^|[^\pL\pN])0*([1-9][0-9]{0,2})(?:$|[^\pL\pN])`)

// numberIn is the only number in a name, 0 where there is none or more than one.
func numberIn(name string) int {
	found := inName.FindAllStringSubmatch(name, -1)
	if len(found) != 1 {
		return 0
	}
	n, _ := strconv.Atoi(found[0][1]) // at most three digits
	return n
}
