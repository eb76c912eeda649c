package interrogate

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// isapiStamp is how ISAPI writes a time; what follows it is not to be believed.
const isapiStamp = "2006-01-02T15:04:05"

// The window of all footage.
const (
	wideFrom = "2000-01-01T00:00:00"
	wideTo   = "2038-01-01T00:00:00"
)

// hikFound is CMSearchResult. Its status, OK, MORE or NO MATCHES, has two spellings.
type hikFound struct {
	XMLName xml.Name  `xml:"CMSearchResult"`
	Status  string    `xml:"responseStatusStrg"`
	Status2 string    `xml:"responseStatusStrp"`
	Matches string    `xml:"numOfMatches"` // all there are, though one was asked for
	Items   []hikItem `xml:"matchList>searchMatchItem"`
}

func (f hikFound) status() string { return cmp.Or(f.Status, f.Status2) }

type hikItem struct {
	Track string `xml:"trackID"`
	From  string `xml:"timeSpan>startTime"`
	To    string `xml:"timeSpan>endTime"`
}

type hikDays struct {
	XMLName xml.Name `xml:"trackDailyDistribution"`
	Days    []struct {
		Day    string `xml:"dayOfMonth"`
		Record string `xml:"record"`
	} `xml:"dayList>day"`
}

// hikFinder looks for the oldest footage of one channel after the other.
type hikFinder struct {
	w     *web
	wall  time.Time // by the recorder's clock
	days  bool      // it was seen to refuse the wide window
	other bool      // it was seen to want trackIDList
	count int       // of matches, in the last answer to the wide window
}

// footage reads the oldest footage of every channel, until the time is up. What
// keeps failing is told once.
func (hikvision) footage(ctx context.Context, w *web, t *deviceReport) {
	f := hikFinder{w: w, wall: w.now()}
	if t.clock != nil {
		f.wall = t.clock.at
	}
	said := map[string]bool{}
	proven, inUTC := false, false
	defer func() {
		for i := range t.channels {
			t.channels[i].oldest.wall = t.channels[i].oldest.wall && !inUTC
		}
	}()
	for i := range t.channels {
		c := &t.channels[i]
		if channelNumber(c.id) == "" {
			continue
		}
		if ctx.Err() != nil {
			t.problem("ContentMgmt/search", fmt.Errorf("the time was up after %d of %d channels", i, len(t.channels)))
			return
		}
		found, raw, err := f.oldest(ctx, mainOf(c.id))
		if err != nil && !said[err.Error()] && ctx.Err() == nil {
			said[err.Error()] = true
			t.problem("ContentMgmt/search", err)
		}
		c.oldest = found
		if found.known() {
			c.say("oldest", "POST "+isapiSearch, raw...)
		}
		if found.known() && !proven && !f.days && f.count > 0 && t.clock != nil && c.schedule.Kind == protocol.ScheduleAlways && c.schedule.Mode == protocol.Continuous {
			proven, inUTC = true, f.inUTC(ctx, mainOf(c.id), t.clock.zone)
		}
		if errors.Is(err, errSilent) || errors.Is(err, errStopped) {
			return
		}
	}
}

// oldest gives the begin of a track's oldest footage; the zero stamp if it has
// none. Results come oldest first. Some units answer 500 to the wide window: their
// calendar is walked back for the first day, which is then searched; where that
// fails too, the end of the day counts.
func (f *hikFinder) oldest(ctx context.Context, track string) (stamp, []string, error) {
	if !f.days {
		found, err := f.first(ctx, track, wideFrom, wideTo)
		if statusOf(err) != http.StatusInternalServerError {
			return found, []string{found.text}, err
		}
		f.days = true
	}
	day, err := walkCalendar(f.wall, func(year int, m time.Month) ([]bool, error) { return f.month(ctx, track, year, m) })
	if err != nil || day.IsZero() {
		return stamp{}, nil, err
	}
	date := day.Format(time.DateOnly)
	found, err := f.first(ctx, track, date+"T00:00:00", date+"T23:59:59")
	switch {
	case !found.known():
		found = wholeDayStamp(day, f.wall)
	case found.at.Before(day): // a file that began the day before, which holds nothing else
		found = stamp{day, true, found.text}
	}
	return found, []string{"dailyDistribution " + date, found.text}, err
}

// first gives the begin of the first footage in a window.
func (f *hikFinder) first(ctx context.Context, track, from, to string) (stamp, error) {
	found, item, err := f.search(ctx, track, from, to, 0, 1)
	f.count, _ = strconv.Atoi(strings.TrimSpace(found.Matches))
	if err != nil || item == nil {
		return stamp{}, err
	}
	at := wallStamp(item.From, isapiStamp)
	if !at.known() {
		return stamp{}, errors.New("the date of its oldest footage cannot be read")
	}
	return at, nil
}

// inUTC tells whether the recorder dates its footage in UTC, as it says, and not by
// its wall clock, as was seen. A channel that records always shows it: its newest
// footage ends now. What ends neither now nor just as far from now as UTC is from the
// wall clock proves nothing.
func (f *hikFinder) inUTC(ctx context.Context, track, zone string) bool {
	local, known := loadZone(zone)
	_, item, err := f.search(ctx, track, wideFrom, wideTo, f.count-1, 1)
	if err != nil || item == nil || !known {
		return false
	}
	end := wallStamp(item.To, isapiStamp)
	_, offset := inZone(f.wall, local).Zone()
	utc := f.wall.Add(-time.Duration(offset) * time.Second)
	near := func(now time.Time) bool { return end.known() && end.at.Sub(now).Abs() <= futureSlack }
	return near(utc) && !near(f.wall)
}

// search gives the matches from a place on in a window, at most so many, and the
// first of them, nil if there is none. Devices
// differ in the name of the list of tracks; who refuses the one gets the other.
func (f *hikFinder) search(ctx context.Context, track, from, to string, place, most int) (found hikFound, item *hikItem, err error) {
	ask := func() (answer, error) {
		return f.w.do(ctx, call{method: http.MethodPost, path: isapiSearch, kind: "application/xml",
			body: searchText(uuid.NewString(), track, from, to, place, most, f.other)})
	}
	a, err := ask()
	if statusOf(err) == http.StatusBadRequest && !f.other {
		f.other = true
		a, err = ask()
	}
	if absent(a, err) {
		return found, nil, nil
	}
	if err != nil {
		return found, nil, err
	}
	found, err = xmlOf[hikFound](a)
	if err != nil || len(found.Items) == 0 {
		return found, nil, err
	}
	item = &found.Items[0]
	if named := strings.TrimSpace(item.Track); named != "" && named != track {
		return found, nil, fmt.Errorf("asked for track %s it told of track %s", track, clean(named))
	}
	return found, item, nil
}

// month gives the days of a month on which the calendar of a track has footage.
func (f *hikFinder) month(ctx context.Context, track string, year int, m time.Month) ([]bool, error) {
	a, err := f.w.do(ctx, call{method: http.MethodPost, path: isapiTracks + "/" + track + "/dailyDistribution", kind: "application/xml",
		body: fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?><trackDailyParam><year>%d</year><monthOfYear>%d</monthOfYear></trackDailyParam>`, year, m)})
	if err != nil {
		return nil, err
	}
	list, err := xmlOf[hikDays](a)
	days := make([]bool, 31)
	for _, d := range list.Days {
		if n, err := strconv.Atoi(strings.TrimSpace(d.Day)); err == nil && n >= 1 && n <= 31 {
			days[n-1] = days[n-1] || strings.EqualFold(strings.TrimSpace(d.Record), "true")
		}
	}
	return days, err
}

// searchText is a search for at most so many matches in a window of time. The spelling of
// searchResultPostion is the device's. Its times are the recorder's wall time,
// whatever their Z says.
func searchText(id, track, from, to string, place, most int, other bool) string {
	list := "trackList"
	if other {
		list = "trackIDList"
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?><CMSearchDescription><searchID>%s</searchID>`+
		`<%[5]s><trackID>%[2]s</trackID></%[5]s><timeSpanList><timeSpan><startTime>%[3]sZ</startTime><endTime>%[4]sZ</endTime></timeSpan></timeSpanList>`+
		`<maxResults>%[7]d</maxResults><searchResultPostion>%[6]d</searchResultPostion>`+
		`<metadataList><metadataDescriptor>//recordType.meta.std-cgi.com</metadataDescriptor></metadataList></CMSearchDescription>`, id, track, from, to, list, place, most)
}
