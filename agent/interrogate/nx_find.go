package interrogate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// enter signs in and gives the path that this server's interface begins with.
func (d nx) enter(ctx context.Context, w *web) (api string, err error) {
	a, err := w.try(ctx, nxModulePath)
	if err != nil {
		return "", err
	}
	m, ok := d.readModule(a)
	if !ok {
		return "", errors.New("it does not say that it is a media server")
	}
	if api, err = nxInterface(m.Version); err != nil {
		return "", err
	}
	return api, d.login(ctx, w, api)
}

// find asks for the periods of an interval, in UTC; gaps of less than ten seconds
// are told as none.
func (d nx) find(ctx context.Context, w *web, _ recorderTime) (search, error) {
	api, err := d.enter(ctx, w)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, want Wanted, within window) ([]dated, bool, error) {
		detail := time.Second
		if within.any {
			detail = time.Hour
		}
		a, err := w.get(ctx, api+"/devices/"+url.PathEscape(want.Channel)+"/footage", fmt.Sprintf("startTimeMs=%d&endTimeMs=%d&detailLevelMs=%d&keepSmallChunks=true",
			within.from.UnixMilli(), within.until.UnixMilli(), detail.Milliseconds()))
		if statusOf(err) == http.StatusNotFound {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		all, err := nxPeriods(a)
		return all, false, err
	}, nil
}

// nxPeriods reads a list of periods; one that is being recorded has no duration.
func nxPeriods(a answer) (all []dated, err error) {
	list, err := jsonOf[[]nxPeriod](a)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		s := p.dated()
		if !s.from.known() {
			return nil, errors.New("the dates of its footage cannot be read")
		}
		all = append(all, s)
	}
	return all, nil
}
