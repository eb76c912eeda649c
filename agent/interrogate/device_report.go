package interrogate

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"anagrafe/protocol"
)

// deviceReport is what a maker's own interface says of one device. Times in it are the
// device's; texts need not be clean.
type deviceReport struct {
	vendor, model, firmware, serial, name string
	macs                                  []string
	recorder                              bool // by its own word; several channels make one anyway
	kept                                  Kept
	keptFrom, keptRaw                     string
	clock                                 *ownClock // nil: not told
	channels                              []channelReport
	problems                              []Problem
}

// problem notes what could not be read, and goes on.
func (t *deviceReport) problem(what string, err error) {
	if err != nil && len(t.problems) < maxChannels {
		t.problems = append(t.problems, Problem{what, err.Error()})
	}
}

// channelReport is one channel, in the vocabulary but for its times and zone.
type channelReport struct {
	id, name                  string
	also                      []string // ONVIF's tokens for it, where the family is known to make them so
	width, height             int      // of the stream that is recorded; 0 unknown
	turns, infrared, analogue bool
	behind                    *Identity          // the camera behind a recorder's channel
	schedule                  protocol.Schedule  // its zone is the device's, set later
	retention                 protocol.Retention // what is configured
	oldest, newest            stamp              // of its footage; a newest in the future shows that stamps are not what they say
	words                     map[string]quote   // by fact: "name", "resolution", "schedule", "retention"; say sets them
}

// footageOf asks of each channel from when to when it has footage, by one question
// each, of which read makes the two dates. That a channel has none (404) is no
// problem, and one problem, called what, stands for all.
func (t *deviceReport) footageOf(ctx context.Context, w *web, what string, question func(id string) call, read func(answer) (oldest, newest stamp, err error)) {
	noted := false
	for i := range t.channels {
		c := &t.channels[i]
		if ctx.Err() != nil {
			return
		}
		a, err := w.do(ctx, question(c.id))
		if err == nil {
			c.oldest, c.newest, err = read(a)
		}
		switch {
		case err == nil:
			c.say("oldest", a.from, c.oldest.text)
		case errors.Is(err, errSilent):
			return
		case statusOf(err) == http.StatusNotFound, noted:
		default:
			t.problem(what, err)
			noted = true
		}
	}
}

// quote is a question and the device's own words in the answer.
type quote struct {
	from string
	raw  []string
}

// say keeps where a fact was read and in which words, "name", "resolution",
// "schedule", "retention" or "oldest".
func (c *channelReport) say(fact, from string, raw ...string) {
	if c.words == nil {
		c.words = map[string]quote{}
	}
	c.words[fact] = quote{from, raw}
}

// channel makes true times of it.
func (c channelReport) channel(d *Device, now time.Time) (Channel, error) {
	out := Channel{ID: clean(c.id), Name: clean(c.name), Turns: c.turns, Infrared: c.infrared, Analogue: c.analogue,
		Camera: c.behind, Schedule: c.schedule, Retention: c.retention}
	for _, token := range c.also {
		if token = clean(token); token != "" && token != out.ID {
			out.Also = append(out.Also, token)
		}
	}
	if c.width > 0 && c.height > 0 && c.width <= maxSide && c.height <= maxSide {
		out.WidthPx, out.HeightPx = c.width, c.height
	}
	if out.Schedule.Kind != protocol.ScheduleUnknown {
		out.Schedule.Zone, out.Schedule.ZoneAssumed = d.Zone, d.Zone == "" || d.ZoneAssumed
	}
	oldest, err := c.oldest.trueTime(d.Clock, d.Zone, now)
	if _, doubt := c.newest.trueTime(d.Clock, d.Zone, now); doubt != nil {
		oldest, err = time.Time{}, doubt
	}
	if !oldest.IsZero() {
		out.Retention.OldestFootage, out.Retention.ObservedAt = oldest, now
	}
	told := map[string]bool{"name": out.Name != "", "resolution": out.WidthPx > 0, "schedule": out.Schedule.Kind != protocol.ScheduleUnknown,
		"retention": out.Retention.Kind != protocol.RetentionUnknown, "oldest": !oldest.IsZero()}
	if c.oldest.known() && len(c.words["oldest"].raw) == 0 {
		c.say("oldest", c.words["oldest"].from, c.oldest.text)
	}
	for _, group := range []string{"name", "resolution", "schedule", "retention", "oldest"} {
		w := c.words[group]
		// A word that is not understood is kept all the same.
		out.fact(group, w.from, told[group] || len(w.raw) > 0 && group != "oldest", w.raw, now)
	}
	return out, err
}

// maxSide of a picture in pixels: more is no picture.
const maxSide = 1 << 15

// settle puts what the own interface told of the device as a whole into it. ONVIF
// was asked before or will be: what both tell, the maker's interface tells better,
// but for the clock.
func (q *questioning) settle(now time.Time) {
	d, t := &q.device, q.told
	d.Vendor, d.Model, d.Firmware = firstOf(t.vendor, d.Vendor), firstOf(t.model, d.Model), firstOf(t.firmware, d.Firmware)
	d.Serial, d.Name = firstOf(readSerial(t.serial), d.Serial), firstOf(t.name, d.Name)
	d.MACs = readMACs(append(slices.Clone(t.macs), d.MACs...))
	if t.kept != KeptUnknown {
		d.Kept = KeptUnknown
		d.kept(t.kept, t.keptFrom, t.keptRaw, now)
	}
	d.settleClock(t.clock, now)
}

// firstOf is the first text that is not blank, cleaned.
func firstOf(texts ...string) string {
	for i := range texts {
		texts[i] = clean(texts[i])
	}
	return cmp.Or(texts...)
}

// join gives the device's channels: those that the own interface told, completed
// by what ONVIF told of the same ones. The same is a channel whose ONVIF token the
// family's driver knows, the only one on both sides, or the one with a name that
// no other bears on either side. Never the one with the same number or in the same
// place: a name on the wrong camera is worse than none.
func (q *questioning) join(onvif []Channel, now time.Time) {
	d := &q.device
	if len(q.told.channels) == 0 {
		d.Channels = onvif
		return
	}
	for _, t := range head(q.told.channels, maxChannels) {
		c, err := t.channel(d, now)
		if err != nil {
			d.Errors = append(d.Errors, Problem{"oldest footage", err.Error()})
		}
		d.Channels = append(d.Channels, c)
	}
	taken := map[string]bool{}
	for i := range d.Channels {
		c := &d.Channels[i]
		if o := sameChannel(*c, d.Channels, onvif); o != nil && !taken[o.ID] {
			taken[o.ID] = true
			c.complete(*o)
		}
	}
}

// sameChannel finds the channel of ONVIF that is c; nil: none is surely it.
func sameChannel(c Channel, own, onvif []Channel) *Channel {
	if len(own) == 1 && len(onvif) == 1 {
		return &onvif[0]
	}
	for i := range onvif {
		if slices.Contains(c.Also, onvif[i].ID) {
			return &onvif[i]
		}
	}
	var found *Channel
	for i := range onvif {
		if c.Name != "" && strings.EqualFold(onvif[i].Name, c.Name) {
			if found != nil {
				return nil
			}
			found = &onvif[i]
		}
	}
	twins := slices.IndexFunc(own, func(o Channel) bool { return o.ID != c.ID && strings.EqualFold(o.Name, c.Name) })
	if found == nil || twins >= 0 {
		return nil
	}
	return found
}

// complete takes from ONVIF's telling of the same channel what the own interface
// did not tell.
func (c *Channel) complete(o Channel) {
	if o.ID != c.ID && !slices.Contains(c.Also, o.ID) {
		c.Also = append(c.Also, o.ID)
	}
	take := func(group string) {
		if f, ok := o.Facts[group]; ok {
			if c.Facts == nil {
				c.Facts = map[string]Fact{}
			}
			c.Facts[group] = f
		}
	}
	if c.Name == "" && o.Name != "" {
		c.Name = o.Name
		take("name")
	}
	if c.WidthPx == 0 && o.WidthPx > 0 {
		c.WidthPx, c.HeightPx = o.WidthPx, o.HeightPx
		take("resolution")
	}
	c.Turns, c.Infrared, c.Analogue = c.Turns || o.Turns, c.Infrared || o.Infrared, c.Analogue || o.Analogue
	c.OnScreen = o.OnScreen
	if c.Camera == nil {
		c.Camera = o.Camera
	}
	if c.Schedule.Kind == protocol.ScheduleUnknown && o.Schedule.Kind != protocol.ScheduleUnknown {
		c.Schedule = o.Schedule
		take("schedule")
	}
	oldest, observed := c.Retention.OldestFootage, c.Retention.ObservedAt
	if c.Retention.Kind == protocol.RetentionUnknown && o.Retention.Kind != protocol.RetentionUnknown {
		c.Retention = o.Retention
		take("retention")
	}
	if !oldest.IsZero() {
		c.Retention.OldestFootage, c.Retention.ObservedAt = oldest, observed
	} else if !o.Retention.OldestFootage.IsZero() {
		c.Retention.OldestFootage, c.Retention.ObservedAt = o.Retention.OldestFootage, o.Retention.ObservedAt
		c.Retention.Fact = o.Retention.Fact
		take("oldest")
	}
}
