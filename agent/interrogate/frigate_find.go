package interrogate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"

	"anagrafe/protocol"
)

// find asks for the segments of an interval: the list that its own pages play from.
// Its times are seconds since 1970, in UTC. A segment has ten seconds.
func (d frigate) find(ctx context.Context, w *web, _ recorderTime) (search, error) {
	a, err := w.try(ctx, call{path: "/api/config"})
	switch {
	case err != nil:
		return nil, err
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		if err := d.login(ctx, w); err != nil {
			return nil, err
		}
	case a.status != http.StatusOK:
		return nil, w.failure(ctx, a, false)
	}
	return func(ctx context.Context, want Wanted, within window) (all []dated, more bool, err error) {
		path := "/api/" + url.PathEscape(want.Channel) + "/recordings"
		if within.any { // by the hour
			a, err := w.get(ctx, path+"/summary", "timezone=utc")
			if err != nil {
				return nil, false, err
			}
			oldest, newest, err := frigateFootage(a)
			if err != nil || !oldest.known() {
				return nil, false, err
			}
			return []dated{{oldest, newest}}, true, nil
		}
		for from := within.from; from.Before(within.until); from = from.Add(frigateListed) {
			a, err := w.get(ctx, path, fmt.Sprintf("after=%d&before=%d", from.Unix(), protocol.Earlier(from.Add(frigateListed), within.until).Unix()))
			if err != nil {
				return nil, false, err
			}
			some, err := frigateSegments(a)
			if err != nil {
				return nil, false, err
			}
			all = append(all, some...)
		}
		return all, false, nil
	}, nil
}

// frigateListed is of how long segments are listed at a time: some 150 bytes each,
// in an answer of 1 MiB.
const frigateListed = 12 * time.Hour

// frigateSegments reads a list of segments.
func frigateSegments(a answer) (all []dated, err error) {
	list, err := jsonOf[[]struct {
		Start json.Number `json:"start_time"`
		End   json.Number `json:"end_time"`
	}](a)
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		from, ok := frigateTime(s.Start)
		until, ended := frigateTime(s.End)
		if !ok || !ended {
			return nil, errors.New("the dates of its footage cannot be read")
		}
		all = append(all, dated{from, until})
	}
	return all, nil
}

// frigateTime reads seconds with a fraction.
func frigateTime(n json.Number) (stamp, bool) {
	f, err := n.Float64()
	if err != nil || !(f > 0 && f < 1<<33) {
		return stamp{}, false
	}
	whole, part := math.Modf(f)
	return utcStamp(time.Unix(int64(whole), int64(part*1e9)), n.String()), true
}
