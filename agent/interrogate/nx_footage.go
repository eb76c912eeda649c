package interrogate

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// footage reads of each channel from when to when it is on the disks. Periods that
// lie closer than an hour are told as one, short ones that stand alone are kept;
// how many may be told is not limited, since "limit" makes 6.1 answer none.
func (nx) footage(ctx context.Context, w *web, api string, t *deviceReport) {
	const query = "startTimeMs=0&endTimeMs=4102444800000&detailLevelMs=3600000&keepSmallChunks=true" // until 2100
	t.footageOf(ctx, w, "footage", func(id string) call {
		return call{path: api + "/devices/" + url.PathEscape(id) + "/footage", query: query}
	}, nxFootage)
}

// nxFootage reads a list of periods, which need not be in order. One that is being
// recorded has no duration.
func nxFootage(a answer) (oldest, newest stamp, err error) {
	all, err := jsonOf[[]nxPeriod](a)
	if err != nil {
		return stamp{}, stamp{}, err
	}
	for _, p := range all {
		s := p.dated()
		if !s.from.known() {
			continue
		}
		if !s.until.known() {
			s.until = s.from
		}
		if !oldest.known() || s.from.at.Before(oldest.at) {
			oldest = s.from
		}
		if s.until.at.After(newest.at) {
			newest = s.until
		}
	}
	return oldest, newest, nil
}

// nxPeriod is a stretch of footage.
type nxPeriod struct {
	Start    anyInt `json:"startTimeMs"`
	Duration anyInt `json:"durationMs"`
}

// dated reads its ends; the last is not known where it has no duration.
func (p nxPeriod) dated() (s dated) {
	if !p.Start.known || p.Start.value <= 0 {
		return s
	}
	from := time.UnixMilli(p.Start.value)
	s.from = utcStamp(from, strconv.FormatInt(p.Start.value, 10))
	if p.Duration.known && p.Duration.value > 0 && p.Duration.value < int64(100*365*24*time.Hour/time.Millisecond) {
		until := from.Add(time.Duration(p.Duration.value) * time.Millisecond)
		s.until = utcStamp(until, strconv.FormatInt(until.UnixMilli(), 10))
	}
	return s
}

// nxPlaces says where a storage of a type is. Its path may hold a password and is
// not read.
var nxPlaces = map[string]Kept{"local": KeptDisk, "usb": KeptDisk, "network": KeptShare, "smb": KeptShare, "cloud": KeptRemote}

// storages reads where the server records; what is only a second copy, or is not
// written to, does not count.
func (nx) storages(ctx context.Context, w *web, api, server string, t *deviceReport) {
	a, err := w.get(ctx, api+"/servers/"+url.PathEscape(server)+"/storages", "_with=type,isUsedForWriting,isBackup")
	if err != nil {
		if statusOf(err) != http.StatusNotFound {
			t.problem("storages", err)
		}
		return
	}
	all, err := jsonOf[[]struct {
		Type    string `json:"type"`
		Written *bool  `json:"isUsedForWriting"`
		Backup  bool   `json:"isBackup"`
	}](a)
	if err != nil {
		t.problem("storages", err)
		return
	}
	var kept []Kept
	var raw []string
	for _, s := range all {
		if s.Backup || s.Written != nil && !*s.Written {
			continue
		}
		raw = append(raw, s.Type)
		if place := nxPlaces[strings.ToLower(s.Type)]; place != KeptUnknown {
			kept = append(kept, place)
		}
	}
	slices.Sort(raw)
	t.kept, t.keptFrom, t.keptRaw = keptIn(kept...), a.from, rawWords(raw...)
}
