package interrogate

import (
	"context"
	"errors"
	"fmt"
)

// synoMatches is how many recordings of an interval are read.
const synoMatches = 200

// find asks for the recordings of an interval, in UTC.
func (synology) find(ctx context.Context, w *web, _ recorderTime) (search, error) {
	apis, _, err := synoAsk[synoAPIs](ctx, w, synoList(synoAuth, synoRecording))
	if err != nil {
		return nil, err
	}
	if !apis.has(synoAuth) || !apis.has(synoRecording) {
		return nil, errors.New("it does not offer a list of recordings")
	}
	if err := synoLogin(ctx, w, apis); err != nil {
		return nil, err
	}
	return func(ctx context.Context, want Wanted, within window) ([]dated, bool, error) {
		if !decimal(want.Channel) {
			return nil, false, errors.New("its number does not say which recording is its")
		}
		page, _, err := synoAsk[synoRecordings](ctx, w, apis.call(synoRecording, "List", synoRecordingVersion,
			fmt.Sprintf("&cameraIds=%s&offset=0&limit=%d&fromTime=%d&toTime=%d", want.Channel, within.most(synoMatches),
				within.from.Unix(), within.until.Unix())))
		if err != nil {
			return nil, false, err
		}
		return synoSpans(page, want.Channel)
	}, nil
}

// synoSpans reads a list of recordings.
func synoSpans(page synoRecordings, camera string) (all []dated, more bool, err error) {
	list := append(page.Recordings, page.Events...)
	for _, r := range head(list, synoMatches) {
		if !r.Camera.known {
			r.Camera = r.Camera2
		}
		if r.Camera.String() != camera {
			return nil, false, errors.New("it does not say that a recording is of this camera")
		}
		s := dated{r.start(), r.stop()}
		if !s.from.known() {
			return nil, false, errors.New("the dates of its footage cannot be read")
		}
		all = append(all, s)
	}
	return all, len(list) >= synoMatches || page.Total.value > int64(len(list)), nil
}

// decimal tells whether a text is a short number.
func decimal(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != "" && len(s) <= 9
}
