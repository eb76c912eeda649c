package inventory

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"anagrafe/agent/interrogate"
)

// reportedChannel is one channel as a device tells it in this look.
type reportedChannel struct {
	interrogate.Channel
	token  string  // the device's own word for it, "" while it tells no channel
	way    *way    // it is a further path of an entry
	camera *camera // its entry; nil: none yet
}

// channelsOf lists what a device told, each token once. A channel without a
// token is known by its place.
func channelsOf(f interrogate.Device) (all []reportedChannel) {
	for i, ch := range f.Channels {
		token := ch.ID
		if token == "" {
			token = "#" + strconv.Itoa(i+1)
		}
		if !slices.ContainsFunc(all, func(t reportedChannel) bool { return t.token == token }) {
			all = append(all, reportedChannel{Channel: ch, token: token})
		}
	}
	return all
}

// tokensOf is whose words the channels' tokens are: those of the maker's own
// interface where it told any of them, "" ONVIF's. A recorder whose own interface
// is known and refuses the password tells its channels by ONVIF.
func tokensOf(f interrogate.Device) interrogate.Family {
	for _, ch := range f.Channels {
		for _, fact := range ch.Facts {
			if fact.From != "" && !strings.HasPrefix(fact.From, "onvif") {
				return f.Family
			}
		}
	}
	return ""
}

// recognise finds for each channel the entry that it is. A token holds within
// one interface: ONVIF's second channel may bear the word that the recorder's
// own interface has for the first. So tokens of the same interface are compared
// first; between two interfaces the other tokens that one of them gave for the
// channel count, then a name that only one has on each side, then the bare word,
// and last that there is no other left. What the last two find is asked about
// again where the names differ.
func recognise(all []reportedChannel, known []*camera, paths tokens, family interrogate.Family) {
	for i := range all {
		all[i].way = paths.find(all[i].token, all[i].Also, i, len(all))
	}
	var left, listed []*camera
	for _, c := range known {
		if c.family == byHand {
			listed = append(listed, c)
		} else {
			left = append(left, c)
		}
	}
	pick := func(is func(i int, ch *reportedChannel, c *camera) bool, then func(*reportedChannel, *camera)) {
		for i := range all {
			ch := &all[i]
			if ch.way != nil || ch.camera != nil {
				continue
			}
			k := slices.IndexFunc(left, func(c *camera) bool { return is(i, ch, c) })
			if k < 0 {
				continue
			}
			ch.camera = left[k]
			left = slices.Delete(left, k, k+1)
			if then != nil {
				then(ch, ch.camera)
			}
		}
	}
	alias := func(ch *reportedChannel, c *camera) bool {
		return c.family != family && (slices.Contains(ch.Also, c.channel) || slices.Contains(c.also, ch.token))
	}
	named := func(ch *reportedChannel, c *camera) bool { return ch.Name != "" && fold(ch.Name) == fold(c.foundName) }
	pick(func(_ int, ch *reportedChannel, c *camera) bool { return c.family == family && c.channel == ch.token }, nil)
	pick(func(_ int, ch *reportedChannel, c *camera) bool { return alias(ch, c) && named(ch, c) }, nil)
	pick(func(_ int, ch *reportedChannel, c *camera) bool { return alias(ch, c) }, func(ch *reportedChannel, c *camera) {
		if slices.ContainsFunc(all, func(o reportedChannel) bool { return o.camera == nil && o.way == nil && alias(&o, c) }) {
			c.doubt() // another channel has as good a claim
		}
	})
	pick(func(_ int, ch *reportedChannel, c *camera) bool {
		return c.family != family && overlap(ch.Also, c.also)
	}, nil)
	pick(func(_ int, ch *reportedChannel, c *camera) bool {
		return c.family != family && named(ch, c) && soleName(all, known, ch.Name)
	}, nil)
	unsure := func(ch *reportedChannel, c *camera) {
		if ch.Name != "" && c.foundName != "" && !named(ch, c) {
			c.doubt()
		}
	}
	pick(func(_ int, ch *reportedChannel, c *camera) bool { return c.channel == ch.token }, unsure)
	if len(left) == 1 && unmet(all) == 1 {
		pick(func(_ int, _ *reportedChannel, c *camera) bool { return c.family != family && c.family != former }, unsure)
	}
	// A device that told no channel while it was locked. If it has several now, which
	// of them its owner had placed is not known.
	pick(func(i int, _ *reportedChannel, c *camera) bool { return i == 0 && c.channel == "" }, func(_ *reportedChannel, c *camera) {
		if len(all) > 1 {
			c.doubt()
		}
	})
	left = slices.Clone(listed)
	numbers := numbersOf(all, known, listed)
	pick(func(_ int, ch *reportedChannel, c *camera) bool {
		return ch.Name != "" && fold(ch.Name) == fold(c.name) && soleListed(all, listed, ch.Name)
	}, (*reportedChannel).found)
	pick(func(i int, _ *reportedChannel, c *camera) bool { return c.channel == numbers[i] }, (*reportedChannel).found)
}

// unmet counts the channels that have no entry yet.
func unmet(all []reportedChannel) (n int) {
	for _, ch := range all {
		if ch.way == nil && ch.camera == nil {
			n++
		}
	}
	return n
}

// soleName reports whether one channel and one entry bear a name: "Camera 1" may
// be on eight.
func soleName(all []reportedChannel, known []*camera, name string) bool {
	n := 0
	for _, ch := range all {
		if fold(ch.Name) == fold(name) {
			n++
		}
	}
	for _, c := range known {
		if fold(c.foundName) == fold(name) {
			n++
		}
	}
	return n == 2
}

// mostAlso bounds the other tokens that are remembered of a channel.
const mostAlso = 8

// renumber takes over the word by which the channel was told now, and remembers
// those by which it may be told again: a look without the password sees ONVIF's.
func (c *camera) renumber(ch reportedChannel, family interrogate.Family) {
	also := slices.Clone(ch.Also)
	switch {
	case c.family == byHand: // the owner's number is no word of any interface
	case c.family != family:
		also = append(append(also, c.channel), c.also...)
	case len(also) == 0:
		also = c.also
	}
	var kept []string
	for _, token := range also {
		if token != "" && token != ch.token && !slices.Contains(kept, token) && len(kept) < mostAlso {
			kept = append(kept, token)
		}
	}
	c.channel, c.family, c.also = ch.token, family, kept
}

// former marks the token of an entry whose word another channel has now. It is
// no interface: nothing tells such tokens, and an entry is found again by what
// it was called before. It holds the entry's id, so that it never leaves.
const former = interrogate.Family("former")

// makeRoom frees the words that entries are about to take, in the table as in
// the entries that have them and were not told: no two of a device share one.
func makeRoom(ctx context.Context, tx *sql.Tx, all []reportedChannel, known []*camera) error {
	for _, c := range known {
		same := func(ch reportedChannel) bool { return ch.camera == c }
		wanted := func(ch reportedChannel) bool { return ch.way == nil && ch.camera != c && ch.token == c.channel }
		i := slices.IndexFunc(all, same)
		moves := i >= 0 && all[i].token != c.channel
		if !moves && !slices.ContainsFunc(all, wanted) {
			continue
		}
		parked := "former-" + c.id
		if _, err := tx.ExecContext(ctx, `UPDATE camera SET channel = ? WHERE id = ?`, parked, c.id); err != nil {
			return err
		}
		if i < 0 {
			family := former
			if c.family == byHand { // still to be asked about
				family = byHand
			}
			c.renumber(reportedChannel{token: parked}, family)
			if err := c.save(ctx, tx); err != nil {
				return err
			}
		}
	}
	return nil
}
