package interrogate

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// synoRecordings is one page of a camera's recordings: "events" up to version 5 of
// the interface, "recordings" after.
type synoRecordings struct {
	Total      anyInt
	Events     []synoRecorded
	Recordings []synoRecorded
}

// synoRecorded is one recording; times are seconds since 1970, in UTC. Two clients
// write its fields in two ways.
type synoRecorded struct {
	Camera  anyInt `json:"cameraId"`
	Camera2 anyInt `json:"camera_id"`
	Start   anyInt `json:"startTime"`
	Start2  anyInt `json:"start_time"`
	Stop    anyInt `json:"stopTime"`
	Stop2   anyInt `json:"end_time"`
}

// synoFootage reads each channel's oldest recording: one question for how many
// there are and one end of the list, one for the other end. It stops when the time
// is over, or where none may be read.
func synoFootage(ctx context.Context, w *web, apis synoAPIs, t *deviceReport) {
	if !apis.has(synoRecording) {
		return
	}
	for i := range t.channels {
		if ctx.Err() != nil {
			return
		}
		err := synoOldest(ctx, w, apis, &t.channels[i], len(t.channels) == 1)
		if _, absent := errors.AsType[*unsupportedError](err); absent {
			return
		}
		t.problem("oldest recording of "+clean(t.channels[i].name), err)
		if errors.Is(err, errForbidden) || errors.Is(err, errSilent) {
			return
		}
	}
}

// synoOldest reads the oldest recording of one channel. alone: there is no other
// whose recording it could be.
func synoOldest(ctx context.Context, w *web, apis synoAPIs, c *channelReport, alone bool) error {
	ask := func(offset int64) (synoRecorded, int64, string, error) {
		page, a, err := synoAsk[synoRecordings](ctx, w, apis.call(synoRecording, "List", synoRecordingVersion,
			fmt.Sprintf("&cameraIds=%s&offset=%d&limit=1&fromTime=0&toTime=0", c.id, offset)))
		all := append(page.Recordings, page.Events...)
		if err != nil || len(all) == 0 {
			return synoRecorded{}, 0, a.from, err
		}
		r := all[0]
		if !r.Camera.known {
			r.Camera = r.Camera2
		}
		if r.Camera.known && r.Camera.String() != c.id || !r.Camera.known && !alone {
			return r, 0, a.from, errors.New("it does not say of which camera a recording is")
		}
		return r, page.Total.value, a.from, nil
	}
	first, total, from, err := ask(0)
	if err != nil || !first.start().known() {
		return err
	}
	last := first
	if total < 1 {
		return errors.New("it does not say how many recordings there are")
	}
	if total > 1 {
		if last, _, from, err = ask(total - 1); err != nil {
			return err
		}
		if !last.start().known() {
			return errors.New("its list of recordings ends before its own count")
		}
	}
	c.oldest, c.newest = first.start(), last.stop()
	if last.start().at.Before(first.start().at) {
		c.oldest, c.newest = last.start(), first.stop()
	}
	c.say("oldest", from, "startTime="+c.oldest.text)
	return nil
}

func (r synoRecorded) start() stamp { return epochSeconds(r.Start, r.Start2) }
func (r synoRecorded) stop() stamp  { return epochSeconds(r.Stop, r.Stop2) }

// epochSeconds is the first of them that was told, as a time.
func epochSeconds(all ...anyInt) stamp {
	for _, n := range all {
		if n.known && n.value > 0 && n.value < 1<<33 {
			return utcStamp(time.Unix(n.value, 0), n.String())
		}
	}
	return stamp{}
}
