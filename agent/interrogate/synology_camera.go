package interrogate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
)

// synoCam is one camera. The camera's own user and password stand beside these
// fields.
type synoCam struct {
	ID         anyInt  `json:"id"`
	Name       anyText `json:"name"`
	Enabled    anyInt  `json:"enabled"`
	Deleted    anyInt  `json:"deleted"`
	NoRec      anyInt  `json:"blDisableRec"`
	RecStatus  anyInt  `json:"recStatus"`
	Host       anyText `json:"host"`
	Resolution anyText `json:"resolution"`
	Share      anyText `json:"camRecSharePath"`
	Mount      anyInt  `json:"camRecShareMountType"`
	ByDate     anyInt  `json:"is_rotated_by_date"`
	Days       anyInt  `json:"rotation_by_date"`
	BySpace    anyInt  `json:"is_rotated_by_space"`
	GB         anyInt  `json:"rotation_by_space"`
	Detail     struct {
		Name       anyText         `json:"camName"`
		Resolution anyText         `json:"camResolution"`
		ByDate     anyInt          `json:"camIsRotByDate"`
		Days       anyInt          `json:"camRotByDate"`
		BySpace    anyInt          `json:"camIsRotBySpace"`
		GB         anyInt          `json:"camRotBySpace"`
		Week       json.RawMessage `json:"camSchedule"`
	} `json:"detailInfo"`
}

// synoCameras reads the cameras by pages, then each one's oldest recording. Cameras
// that were deleted may stand in the list too, so that there may be more pages than
// channels; a list without end is read no further than twice as many.
func synoCameras(ctx context.Context, w *web, apis synoAPIs, t *deviceReport) error {
	type list struct {
		Cameras []synoCam
		Total   anyInt
	}
	listed := map[int64]bool{}
	kept, unclear := []Kept{}, false
	for offset, fresh := 0, true; fresh && len(t.channels) < maxChannels && offset < 2*maxChannels; offset += synoPage {
		page, a, err := synoAsk[list](ctx, w, apis.call(synoCamera, "List", synoCameraVersion, fmt.Sprintf("&offset=%d&limit=%d", offset, synoPage)))
		if err != nil && offset == 0 {
			return err
		}
		t.problem("list of cameras", err)
		fresh = false
		for _, cam := range page.Cameras {
			if !cam.ID.known || listed[cam.ID.value] || len(t.channels) == maxChannels {
				continue
			}
			listed[cam.ID.value], fresh = true, true
			if cam.Deleted.is(1) {
				continue
			}
			c, err := cam.channel(a.from)
			t.problem("schedule of "+clean(c.name), err)
			t.channels = append(t.channels, c)
			kept, unclear = append(kept, cam.kept()), unclear || cam.kept() == KeptUnknown
			t.keptFrom, t.keptRaw = a.from, word("camRecSharePath", cam.Share)
		}
		fresh = fresh && (!page.Total.known || page.Total.value > int64(offset+synoPage))
	}
	if !unclear {
		t.kept = keptIn(kept...)
	}
	synoFootage(ctx, w, apis, t)
	return nil
}

// kept is where the camera's recordings are: a volume of the NAS, unless another
// kind of share is told, of which nothing is known.
func (cam synoCam) kept() Kept {
	if strings.HasPrefix(string(cam.Share), "/volume") && (!cam.Mount.known || cam.Mount.value == 0) {
		return KeptDisk
	}
	return KeptUnknown
}

// channel makes a channel of a camera; the error is of its schedule.
func (cam synoCam) channel(from string) (channelReport, error) {
	d := cam.Detail
	c := channelReport{id: cam.ID.String(), name: string(cmp.Or(cam.Name, d.Name))}
	c.say("name", from)
	// The host may be written as the address of a stream, with a password in it.
	behind := Identity{Name: clean(c.name)}
	if behind.setAddress(string(cam.Host)); behind.Address != "" {
		c.behind = &behind
	}
	size := string(cmp.Or(cam.Resolution, d.Resolution))
	if across, down, ok := strings.Cut(size, "x"); ok {
		c.width, _ = strconv.Atoi(across)
		c.height, _ = strconv.Atoi(down)
		c.say("resolution", from, size)
	}
	err := cam.schedule(&c, from)
	cam.retention(&c, from)
	return c, err
}

// schedule reads the week, unless the camera is switched off. recStatus 5 is a
// recording that somebody started by hand, which says nothing of the week.
func (cam synoCam) schedule(c *channelReport, from string) error {
	week, said, err := synologyWeek(cam.Detail.Week)
	said = append([]string{word("enabled", truth(cam.Enabled)), wordOf("recStatus", cam.RecStatus)}, said...)
	switch {
	case cam.Enabled.is(0):
		week, err = off(), nil
	case cam.NoRec.is(1):
		week, err = protocol.Schedule{}, errors.New("its recording is disabled by blDisableRec, of which nothing more is known")
		said = append([]string{"blDisableRec=true"}, said...)
	}
	c.schedule = week
	c.say("schedule", from, said...)
	return err
}

// truth is a flag in words, "" if it was not told.
func truth(n anyInt) string {
	if !n.known {
		return ""
	}
	return strconv.FormatBool(n.value != 0)
}

// retention reads what rotates. Neither by date nor by space says nothing: what a
// full volume then does is not told.
func (cam synoCam) retention(c *channelReport, from string) {
	byDate, days, bySpace, gb := cam.ByDate, cam.Days, cam.BySpace, cam.GB
	if !byDate.known {
		byDate, days = cam.Detail.ByDate, cam.Detail.Days
	}
	if !bySpace.known {
		bySpace, gb = cam.Detail.BySpace, cam.Detail.GB
	}
	switch {
	case byDate.is(1) && days.known && days.value > 0 && days.value < 100*366:
		c.retention = protocol.Retention{Kind: protocol.RetentionAge, Age: time.Duration(days.value) * 24 * time.Hour}
	case byDate.is(0) && bySpace.is(1):
		c.retention = protocol.Retention{Kind: protocol.RetentionCapacity}
	}
	c.say("retention", from, word("is_rotated_by_date", truth(byDate)), wordOf("rotation_by_date", days),
		word("is_rotated_by_space", truth(bySpace)), wordOf("rotation_by_space", gb))
}
