package interrogate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// errNothing: it has no file of this channel.
var errNothing = errors.New("nothing is recorded")

// findObject is what a search is called by the device.
var findObject = regexp.MustCompile(`^[0-9]{1,20}$`)

// footage reads the oldest footage of every channel, until the time is up: a
// device was seen to take five seconds for the first search. What keeps failing is
// told once.
func (d *dahuaTalk) footage(ctx context.Context) {
	t := &d.told
	said := map[string]bool{}
	for i := range t.channels {
		c := &t.channels[i]
		n, err := strconv.Atoi(c.id)
		if err != nil {
			continue
		}
		if ctx.Err() != nil {
			t.problem("mediaFileFind", fmt.Errorf("the time was up after %d of %d channels", i, len(t.channels)))
			return
		}
		found, err := d.oldest(ctx, n)
		switch {
		case err == nil:
			c.oldest = found
			c.say("oldest", "GET "+dahuaFiles+"?action=findNextFile", found.text)
		case d.lock != nil, errors.Is(err, errSilent), errors.Is(err, errStopped):
			return
		case !errors.Is(err, errNothing) && !said[err.Error()] && ctx.Err() == nil:
			said[err.Error()] = true
			t.problem("mediaFileFind", err)
		}
	}
}

// oldest gives the begin of the oldest file of a channel, counted from 1 as the
// search does; its answer counts from 0. Files come oldest first; 400 means that
// there is none. The search is closed and destroyed whatever came of it, also when
// the time is up: a device keeps few of them.
func (d *dahuaTalk) oldest(ctx context.Context, channel int) (stamp, error) {
	made, _, err := d.ask(ctx, dahuaFiles, "action=factory.create")
	if err != nil {
		return stamp{}, err
	}
	object := made["result"]
	if !findObject.MatchString(object) {
		return stamp{}, errors.New("its search cannot be begun")
	}
	defer d.endSearch(ctx, object)
	_, _, err = d.ask(ctx, dahuaFiles, fmt.Sprintf("action=findFile&object=%s&condition.Channel=%d"+
		"&condition.StartTime=2000-01-01%%2000:00:00&condition.EndTime=2038-01-01%%2000:00:00&condition.Types[0]=dav", object, channel))
	if statusOf(err) == http.StatusBadRequest {
		return stamp{}, errNothing
	}
	if err != nil {
		return stamp{}, err
	}
	items, _, err := d.ask(ctx, dahuaFiles, "action=findNextFile&object="+object+"&count=1")
	switch {
	case err != nil:
		return stamp{}, err
	case items["found"] == "0":
		return stamp{}, errNothing
	}
	if other := items["items[0].Channel"]; other != "" && other != strconv.Itoa(channel-1) {
		return stamp{}, fmt.Errorf("asked for channel %d it told of channel %s, counted from 0", channel, clean(other))
	}
	at := wallStamp(items["items[0].StartTime"], time.DateTime)
	if !at.known() {
		return stamp{}, errors.New("the date of its oldest footage cannot be read")
	}
	return at, nil
}

// endSearch closes and destroys a search. That it fails says nothing of the device.
func (d *dahuaTalk) endSearch(ctx context.Context, object string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeTime)
	defer cancel()
	for _, action := range strings.Fields("close destroy") {
		_, _, _ = d.ask(ctx, dahuaFiles, "action="+action+"&object="+object)
	}
}
