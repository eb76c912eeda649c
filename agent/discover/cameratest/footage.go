package cameratest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Footage is the store of a recorder: what it has of each channel, by the token of
// the channel. It answers the searches of Hikvision, Dahua, Synology, Frigate, Nx,
// ZoneMinder and Reolink as their interfaces do, in the recorder's own dates. It is
// for one device.
type Footage struct {
	Channels map[string][]Stretch
	// InUTC has a Hikvision date its footage in UTC.
	InUTC bool
	// ByBegin lists a file by its beginning alone.
	ByBegin bool
	// Zone is that of its wall clock; nil: the device's.
	Zone *time.Location

	mu    sync.Mutex
	dahua []Stretch // what its open search has not told yet
}

// Stretch is a file of footage, in true time.
type Stretch struct{ From, Until time.Time }

// within returns the files that touch an interval, oldest first.
func (f *Footage) within(channel string, from, until time.Time) (all []Stretch) {
	for _, s := range f.Channels[channel] {
		if s.From.Before(until) && s.Until.After(from) && (!f.ByBegin || !s.From.Before(from)) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Stretch) int { return a.From.Compare(b.From) })
	return all
}

// findFootage answers a search; nil: this is none, or the device has no store.
func (d *Device) findFootage(r *http.Request, body []byte) *reply {
	f := d.o.Footage
	if f == nil {
		return nil
	}
	text := string(body)
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	say := func(kind, text string) *reply {
		return &reply{status: http.StatusOK, kind: kind, body: []byte(text)}
	}
	last := path[len(path)-1]
	switch {
	case r.URL.Path == "/ISAPI/ContentMgmt/search":
		return say("application/xml", d.hikFootage(f, text))
	case last == "mediaFileFind.cgi" && q.Get("action") != "factory.create":
		status, lines := d.dahuaFootage(f, q.Get)
		return &reply{status: status, kind: plainText, body: []byte(lines)}
	case q.Get("api") == "SYNO.SurveillanceStation.Recording" && q.Get("method") == "List":
		return say("application/json", d.synoFootage(f, q.Get))
	case len(path) == 3 && path[0] == "api" && last == "recordings":
		return say("application/json", d.secondsFootage(f, path[1], q.Get("after"), q.Get("before"), `{"id":"%d","start_time":%d.5,"end_time":%d.5,"motion":3}`))
	case last == "footage" && len(path) > 2:
		return say("application/json", d.nxFootage(f, path[len(path)-2], q.Get))
	case strings.Contains(r.URL.Path, "/events/index/MonitorId:") && strings.Contains(r.URL.Path, "StartDateTime <=:"):
		return say("application/json", d.zmFootage(f, path, q.Get))
	case q.Get("cmd") == "Search" && strings.Contains(text, `"onlyStatus":0`):
		return say("application/json", d.reolinkFootage(f, body))
	}
	return nil
}

// dated is a true time by the device's clock, in its zone.
func (d *Device) dated(t time.Time) time.Time { return t.Add(d.o.ClockOffset).In(d.footageZone()) }

func (d *Device) footageZone() *time.Location {
	if d.o.Footage.Zone != nil {
		return d.o.Footage.Zone
	}
	return d.c.wallZone()
}

// asked reads a date by the device's wall clock; the zero time if it is none.
func (d *Device) asked(layout, text string) time.Time {
	t, _ := time.ParseInLocation(layout, text, d.footageZone())
	return t.Add(-d.o.ClockOffset)
}

func (d *Device) seconds(text string) time.Time {
	n, _ := strconv.ParseInt(text, 10, 64)
	return time.Unix(n, 0).Add(-d.o.ClockOffset)
}

func (d *Device) hikFootage(f *Footage, body string) string {
	const layout = "2006-01-02T15:04:05"
	read := func(tag string) time.Time {
		t := d.asked(layout, strings.TrimSuffix(between(body, tag), "Z"))
		if f.InUTC {
			t, _ = time.Parse(layout+"Z", between(body, tag))
			t = t.Add(-d.o.ClockOffset)
		}
		return t
	}
	track := between(body, "trackID")
	place, _ := strconv.Atoi(between(body, "searchResultPostion"))
	most, _ := strconv.Atoi(between(body, "maxResults"))
	all := f.within(strings.TrimSuffix(track, "01"), read("startTime"), read("endTime"))
	status, items := "NO MATCHES", ""
	if place < len(all) {
		status = "OK"
		if place+most < len(all) {
			status = "MORE"
		}
		for _, s := range all[place:min(place+most, len(all))] {
			from, until := d.dated(s.From), d.dated(s.Until)
			if f.InUTC {
				from, until = from.UTC(), until.UTC()
			}
			items += fmt.Sprintf("<searchMatchItem><trackID>%s</trackID><timeSpan><startTime>%sZ</startTime><endTime>%sZ</endTime></timeSpan></searchMatchItem>",
				track, from.Format(layout), until.Format(layout))
		}
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><CMSearchResult version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"><responseStatus>true</responseStatus>`+
		`<responseStatusStrg>%s</responseStatusStrg><numOfMatches>%d</numOfMatches><matchList>%s</matchList></CMSearchResult>`, status, len(all), items)
}

// between is the content of the first element of that name.
func between(text, tag string) string {
	_, rest, _ := strings.Cut(text, "<"+tag+">")
	content, _, _ := strings.Cut(rest, "</"+tag+">")
	return content
}

func (d *Device) dahuaFootage(f *Footage, q func(string) string) (status int, lines string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch q("action") {
	case "findFile":
		f.dahua = f.within(q("condition.Channel"), d.asked(time.DateTime, q("condition.StartTime")), d.asked(time.DateTime, q("condition.EndTime")))
		if len(f.dahua) == 0 {
			return http.StatusBadRequest, "Error\r\nBad Request!\r\n"
		}
		return http.StatusOK, "OK\r\n"
	case "findNextFile":
		count, _ := strconv.Atoi(q("count"))
		some := f.dahua[:min(count, len(f.dahua))]
		f.dahua = f.dahua[len(some):]
		lines = fmt.Sprintf("found=%d\r\n", len(some))
		for i, s := range some {
			lines += fmt.Sprintf("items[%d].StartTime=%s\r\nitems[%d].EndTime=%s\r\nitems[%d].Type=dav\r\n",
				i, d.dated(s.From).Format(time.DateTime), i, d.dated(s.Until).Format(time.DateTime), i)
		}
		return http.StatusOK, lines
	}
	return http.StatusOK, "OK\r\n"
}

func (d *Device) synoFootage(f *Footage, q func(string) string) string {
	from, until := d.seconds(q("fromTime")), d.seconds(q("toTime"))
	if q("toTime") == "0" {
		until = d.Now().Add(time.Hour)
	}
	limit, _ := strconv.Atoi(q("limit"))
	offset, _ := strconv.Atoi(q("offset"))
	all := f.within(q("cameraIds"), from, until)
	var items []string
	for _, s := range all[min(offset, len(all)):min(offset+limit, len(all))] {
		items = append(items, fmt.Sprintf(`{"cameraId":%s,"startTime":%d,"stopTime":%d}`, q("cameraIds"), d.dated(s.From).Unix(), d.dated(s.Until).Unix()))
	}
	return fmt.Sprintf(`{"success":true,"data":{"total":%d,"recordings":[%s]}}`, len(all), strings.Join(items, ","))
}

func (d *Device) secondsFootage(f *Footage, channel, from, until, item string) string {
	var items []string
	for i, s := range f.within(channel, d.seconds(from), d.seconds(until)) {
		items = append(items, fmt.Sprintf(item, i, d.dated(s.From).Unix(), d.dated(s.Until).Unix()))
	}
	return "[" + strings.Join(items, ",") + "]"
}

func (d *Device) nxFootage(f *Footage, channel string, q func(string) string) string {
	at := func(name string) time.Time {
		n, _ := strconv.ParseInt(q(name), 10, 64)
		return time.UnixMilli(n).Add(-d.o.ClockOffset)
	}
	var items []string
	for _, s := range f.within(channel, at("startTimeMs"), at("endTimeMs")) {
		items = append(items, fmt.Sprintf(`{"startTimeMs":"%d","durationMs":"%d"}`, d.dated(s.From).UnixMilli(), s.Until.Sub(s.From).Milliseconds()))
	}
	return "[" + strings.Join(items, ",") + "]"
}

func (d *Device) zmFootage(f *Footage, path []string, q func(string) string) string {
	var channel, from, until string
	for _, p := range path {
		p = strings.TrimSuffix(p, ".json")
		if rest, ok := strings.CutPrefix(p, "MonitorId:"); ok {
			channel = rest
		}
		if rest, ok := strings.CutPrefix(p, "StartDateTime <=:"); ok {
			until = rest
		}
		if rest, ok := strings.CutPrefix(p, "EndDateTime >=:"); ok {
			from = rest
		}
	}
	limit, _ := strconv.Atoi(q("limit"))
	all := f.within(channel, d.asked(time.DateTime, from), d.asked(time.DateTime, until))
	var items []string
	for i, s := range all[:min(limit, len(all))] {
		items = append(items, fmt.Sprintf(`{"Event":{"Id":"%d","MonitorId":"%s","StartDateTime":"%s","EndDateTime":"%s"}}`,
			i, channel, d.dated(s.From).Format(time.DateTime), d.dated(s.Until).Format(time.DateTime)))
	}
	return `{"events":[` + strings.Join(items, ",") + `]}`
}

func (d *Device) reolinkFootage(f *Footage, body []byte) string {
	type date struct{ Year, Mon, Day, Hour, Min, Sec int }
	var asked []struct {
		Param struct {
			Search struct {
				Channel            int
				StartTime, EndTime date
			}
		}
	}
	if err := json.Unmarshal(body, &asked); err != nil || len(asked) != 1 {
		return `[{"cmd":"Search","code":1,"error":{"rspCode":-1}}]`
	}
	s := asked[0].Param.Search
	at := func(t date) time.Time {
		return time.Date(t.Year, time.Month(t.Mon), t.Day, t.Hour, t.Min, t.Sec, 0, d.footageZone()).Add(-d.o.ClockOffset)
	}
	text := func(t time.Time) string {
		t = d.dated(t)
		return fmt.Sprintf(`{"year":%d,"mon":%d,"day":%d,"hour":%d,"min":%d,"sec":%d}`, t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second())
	}
	var items []string
	for _, file := range f.within(strconv.Itoa(s.Channel), at(s.StartTime), at(s.EndTime)) {
		items = append(items, fmt.Sprintf(`{"StartTime":%s,"EndTime":%s,"name":"file"}`, text(file.From), text(file.Until)))
	}
	return fmt.Sprintf(`[{"cmd":"Search","code":0,"value":{"SearchResult":{"File":[%s]}}}]`, strings.Join(items, ","))
}
