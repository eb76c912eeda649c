package interrogate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
)

// reolinkRec is the answer to GetRecV20, or to the older GetRec, in which enable
// stands in the schedule.
type reolinkRec struct {
	Rec *struct {
		Enable    anyInt `json:"enable"`
		Overwrite anyInt `json:"overwrite"`
		SaveDay   anyInt `json:"saveDay"`
		Schedule  struct {
			Enable anyInt          `json:"enable"`
			Table  json.RawMessage `json:"table"`
		} `json:"schedule"`
	}
}

// reolinkChannel reads one channel. wall is the recorder's time, zero if unknown.
func reolinkChannel(ctx context.Context, w *web, t *deviceReport, s reolinkSource, disk bool, wall time.Time) channelReport {
	c := channelReport{id: s.Channel.String(), name: string(s.Name)}
	c.say("name", s.from)
	called := cmp.Or(clean(c.name), "channel "+c.id)
	which := map[string]any{"channel": s.Channel.value}
	r, a, err := reolinkAsk[reolinkRec](ctx, w, "GetRecV20", which)
	if _, absent := errors.AsType[*unsupportedError](err); absent {
		r, a, err = reolinkAsk[reolinkRec](ctx, w, "GetRec", which)
	}
	if err == nil && r.Rec == nil {
		err = errors.New("its answer holds no Rec")
	}
	if err != nil {
		t.problem("schedule of "+called, err)
	} else {
		t.problem("schedule of "+called, r.schedule(&c, a.from, disk))
		r.retention(&c, a.from)
	}
	if s.Online.is(1) || !s.Online.known {
		reolinkPicture(ctx, w, &c, which)
	}
	if !wall.IsZero() && disk {
		t.problem("oldest footage of "+called, reolinkOldest(ctx, w, &c, s.Channel.value, wall, c.retention.Age))
	}
	return c
}

// reolinkPicture reads the size of the main stream, which is what is recorded. It
// is only nice to know: nothing about it is a problem.
func reolinkPicture(ctx context.Context, w *web, c *channelReport, which any) {
	type encoding struct {
		Enc struct {
			Main struct {
				Size          anyText
				Width, Height anyInt
			} `json:"mainStream"`
		}
	}
	e, a, err := reolinkAsk[encoding](ctx, w, "GetEnc", which)
	if err != nil {
		return
	}
	m := e.Enc.Main
	across, down, _ := strings.Cut(string(m.Size), "*")
	c.width, _ = strconv.Atoi(cmp.Or(m.Width.String(), across))
	c.height, _ = strconv.Atoi(cmp.Or(m.Height.String(), down))
	c.say("resolution", a.from, string(m.Size))
}

// schedule reads when a channel records: not at all where it is switched off.
func (r reolinkRec) schedule(c *channelReport, from string, disk bool) error {
	enable := r.Rec.Enable
	if !enable.known {
		enable = r.Rec.Schedule.Enable
	}
	week, said, err := reolinkWeek(r.Rec.Schedule.Table)
	switch {
	case enable.is(0):
		week, err = off(), nil
	case !disk:
		week, err = protocol.Schedule{}, nil // told as a problem of the disks
	case !enable.known:
		week, err = protocol.Schedule{}, errors.New("it does not say whether recording is switched on")
	}
	c.schedule = week
	c.say("schedule", from, append([]string{wordOf("enable", enable)}, said...)...)
	return err
}

// retention reads how long footage is kept: saveDay days, else until the disk is
// full if it overwrites. Where it does not, it stops when the disk is full, which
// is no retention.
func (r reolinkRec) retention(c *channelReport, from string) {
	days, over := r.Rec.SaveDay, r.Rec.Overwrite
	switch {
	case days.known && days.value > 0 && days.value < 100*366:
		c.retention = protocol.Retention{Kind: protocol.RetentionAge, Age: time.Duration(days.value) * 24 * time.Hour}
	case over.is(1):
		c.retention = protocol.Retention{Kind: protocol.RetentionCapacity}
	}
	c.say("retention", from, wordOf("saveDay", days), wordOf("overwrite", over))
}
