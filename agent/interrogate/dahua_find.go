package interrogate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Of a search for an interval.
const (
	dahuaMatches = 100 // in one answer
	dahuaPages   = 4
)

// find asks by the file search that tells the oldest footage.
func (dahua) find(ctx context.Context, w *web, on recorderTime) (search, error) {
	w.locks = func(a answer) bool { _, out := lockedOut(a); return out }
	d := &dahuaTalk{w: w}
	if _, _, err := d.ask(ctx, dahuaBox, "action=getSystemInfo"); err != nil && (!w.auth.works() || d.lock != nil) {
		return nil, err
	}
	return func(ctx context.Context, want Wanted, within window) ([]dated, bool, error) {
		channel, err := strconv.Atoi(want.Channel)
		if err != nil {
			return nil, false, errors.New("its number does not say which recording is its")
		}
		return d.files(ctx, channel, within)
	}, nil
}

// files gives the files of a channel, counted from 1, that touch a window: 400 and
// found=0 mean that there is none. The search is ended whatever came of it.
func (d *dahuaTalk) files(ctx context.Context, channel int, within window) (all []dated, more bool, err error) {
	from, until, err := within.wall(time.DateTime)
	if err != nil {
		return nil, false, err
	}
	made, _, err := d.ask(ctx, dahuaFiles, "action=factory.create")
	if err != nil {
		return nil, false, err
	}
	object := made["result"]
	if !findObject.MatchString(object) {
		return nil, false, errors.New("its search cannot be begun")
	}
	defer d.endSearch(ctx, object)
	_, _, err = d.ask(ctx, dahuaFiles, fmt.Sprintf("action=findFile&object=%s&condition.Channel=%d&condition.StartTime=%s&condition.EndTime=%s&condition.Types[0]=dav",
		object, channel, url.PathEscape(from), url.PathEscape(until)))
	if statusOf(err) == http.StatusBadRequest {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for range dahuaPages {
		items, _, err := d.ask(ctx, dahuaFiles, fmt.Sprintf("action=findNextFile&object=%s&count=%d", object, within.most(dahuaMatches)))
		if err != nil {
			return nil, false, err
		}
		page, err := dahuaFound(items, channel)
		all = append(all, page...)
		if more = len(page) == dahuaMatches; err != nil || !more {
			return all, false, err
		}
	}
	return all, more, nil
}

// dahuaFound reads one answer to findNextFile, whose channels are counted from 0.
func dahuaFound(items dahuaLines, channel int) (all []dated, err error) {
	n, err := strconv.Atoi(items["found"])
	if err != nil || n < 0 || n > dahuaMatches {
		return nil, errors.New("it does not say how many files it found")
	}
	for i := range n {
		item := fmt.Sprintf("items[%d].", i)
		if other := items[item+"Channel"]; other != "" && other != strconv.Itoa(channel-1) {
			return nil, errors.New("it told of another channel than was asked for")
		}
		s := dated{wallStamp(items[item+"StartTime"], time.DateTime), wallStamp(items[item+"EndTime"], time.DateTime)}
		if !s.from.known() || !s.until.known() {
			return nil, errors.New("the dates of its footage cannot be read")
		}
		all = append(all, s)
	}
	return all, nil
}
