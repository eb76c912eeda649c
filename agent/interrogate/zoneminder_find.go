package interrogate

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"
)

// Of a search for an interval: at most one page of events is read.
const zmMatches = 100

// find asks for the events that touch an interval, by the wall clock of the zone in
// which they are stamped. Archived ones count: somebody has kept them.
func (z zoneMinder) find(ctx context.Context, w *web, _ recorderTime) (search, error) {
	if _, err := z.enter(ctx, w); err != nil {
		return nil, err
	}
	return func(ctx context.Context, want Wanted, within window) ([]dated, bool, error) {
		from, until, err := within.wall(time.DateTime)
		if err != nil {
			return nil, false, err
		}
		if !decimal(want.Channel) {
			return nil, false, errors.New("its number does not say which recording is its")
		}
		a, err := w.get(ctx, zmAPI+"events/index/MonitorId:"+want.Channel+"/"+url.PathEscape("StartDateTime <=:"+until)+"/"+
			url.PathEscape("EndDateTime >=:"+from)+".json", "sort=StartDateTime&direction=asc&limit="+strconv.Itoa(within.most(zmMatches)))
		if err != nil {
			return nil, false, err
		}
		return zmSpans(a, want.Channel)
	}, nil
}

// zmSpans reads a list of events.
func zmSpans(a answer, monitor string) (all []dated, more bool, err error) {
	v, err := jsonOf[struct {
		Events []struct {
			Event struct{ MonitorID, StartDateTime, EndDateTime zmText }
		} `json:"events"`
	}](a)
	if err != nil {
		return nil, false, err
	}
	for _, e := range head(v.Events, zmMatches) {
		if string(e.Event.MonitorID) != monitor {
			return nil, false, errors.New("it told of another camera than was asked for")
		}
		s := dated{wallStamp(string(e.Event.StartDateTime), time.DateTime), wallStamp(string(e.Event.EndDateTime), time.DateTime)}
		if !s.from.known() {
			return nil, false, errors.New("the dates of its footage cannot be read")
		}
		all = append(all, s)
	}
	return all, len(v.Events) >= zmMatches, nil
}
