package interrogate

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
)

var mediaMTXFamily = family{
	name:   MediaMTX,
	driver: mediaMTX{},
	maker:  "MediaMTX",
	words:  []string{"mediamtx"},
	doors:  []door{{"http", 9997}, {"https", 9997}},
	lacks:  []string{"holidays", "zone"},
	sure:   "run in the tests: 1.15.3",
}

// mediaMTX reads MediaMTX over version 3 of its API (port 9997 unless set
// otherwise). Read off running ones: v1.15.3 and commit 3e09466 of 2026.
//
// Least privilege: a user with the action "api" alone. That lets it change the
// settings too: there is no right to only read. The API is Basic only, so that
// through the network it is read over TLS (apiEncryption) or not at all.
//
// Decisions:
//   - A channel is a path. Its settings come merged with the defaults. One whose
//     name is an expression, or "all_others", is a rule: the paths that are alive
//     by it are channels.
//   - "record" is a switch without a week: always, or off.
//   - recordDeleteAfter of 0 is unknown: it deletes nothing, and does not
//     overwrite either when the disk is full.
//   - The settings as a whole (config/global) hold passwords and are never asked
//     for; of a path's neither source nor passphrases are read.
type mediaMTX struct{}

const mtxPage = "itemsPerPage=100&page="

func (mediaMTX) recognise(ctx context.Context, w *web) likeness {
	probe := call{path: "/v3/paths/list"}
	a, err := w.try(ctx, probe)
	if err == nil && a.status == http.StatusBadRequest && w.base.Scheme == "http" {
		w.base.Scheme = "https" // "Client sent an HTTP request to an HTTPS server."
		a, err = w.try(ctx, probe)
	}
	if err != nil || a.header.Get("Server") != "mediamtx" {
		return stranger
	}
	_, err = jsonOf[mtxList[mtxPath]](a)
	switch {
	case a.status == http.StatusOK && err == nil,
		a.status == http.StatusUnauthorized && basic(a.header.Values("WWW-Authenticate")):
		return known
	}
	return stranger
}

// mtxList is one page of a list.
type mtxList[T any] struct {
	Pages int `json:"pageCount"`
	Items []T `json:"items"`
}

// mtxConf is what is set for a path.
type mtxConf struct {
	Name        string `json:"name"`
	Record      *bool  `json:"record"`
	DeleteAfter string `json:"recordDeleteAfter"`
	from        string
}

// mtxPath is a path that is alive. tracks2 came after v1.15.3.
type mtxPath struct {
	Name   string `json:"name"`
	Conf   string `json:"confName"`
	Tracks []struct {
		Props struct {
			Width  int `json:"width"`
			Height int `json:"height"`
		} `json:"codecProps"`
	} `json:"tracks2"`
}

func (mediaMTX) read(ctx context.Context, w *web) (deviceReport, error) {
	t := deviceReport{recorder: true}
	confs, a, err := mtxAll[mtxConf](ctx, w, "/v3/config/paths/list")
	if err != nil {
		return t, err
	}
	t.clock = dateHeader(a)
	for i := range confs {
		confs[i].from = a.from
	}
	alive, b, err := mtxAll[mtxPath](ctx, w, "/v3/paths/list")
	t.problem("paths", err)
	t.channels = mtxChannels(confs, alive, b.from)
	if info, err := w.get(ctx, "/v3/info", ""); err == nil { // not in older ones
		v, _ := jsonOf[struct {
			Version string `json:"version"`
		}](info)
		t.firmware = v.Version
	}
	for i := range t.channels {
		c := &t.channels[i]
		if err := mtxOldest(ctx, w, c); err != nil {
			t.problem("oldest segment of "+c.id, err)
		}
		if c.schedule.Kind == protocol.ScheduleAlways {
			t.kept, t.keptFrom, t.keptRaw = KeptDisk, a.from, "recordPath" // files are all that it can write
		}
		if ctx.Err() != nil {
			break
		}
	}
	return t, nil
}

// mtxAll reads the pages of a list; the answer is that of the first.
func mtxAll[T any](ctx context.Context, w *web, path string) (all []T, first answer, err error) {
	for page, pages := 0, 1; page < pages && len(all) < maxChannels; page++ {
		a, err := w.get(ctx, path, mtxPage+strconv.Itoa(page))
		if err != nil {
			return all, a, err
		}
		list, err := jsonOf[mtxList[T]](a)
		if err != nil {
			return all, a, err
		}
		if page == 0 {
			first, pages = a, list.Pages
		}
		if len(list.Items) == 0 {
			break
		}
		all = append(all, list.Items...)
	}
	return all, first, nil
}

// mtxChannels makes channels of the paths that are set and of those alive.
func mtxChannels(confs []mtxConf, alive []mtxPath, aliveFrom string) []channelReport {
	set := map[string]mtxConf{}
	var all []channelReport
	for _, c := range confs {
		set[c.Name] = c
		if c.Name != "" && !c.rule() {
			all = append(all, c.channel(c.Name))
		}
	}
	for _, p := range alive {
		if c, ok := set[p.Conf]; ok && c.rule() && p.Name != "" {
			all = append(all, c.channel(p.Name))
		}
	}
	all = head(all, maxChannels)
	for i := range all {
		for _, p := range alive {
			if p.Name != all[i].id {
				continue
			}
			for _, t := range p.Tracks {
				if c := &all[i]; t.Props.Width > c.width {
					c.width, c.height = t.Props.Width, t.Props.Height
					c.say("resolution", aliveFrom, strconv.Itoa(c.width)+"x"+strconv.Itoa(c.height))
				}
			}
		}
	}
	return all
}

// rule tells whether it is for paths of whatever name.
func (c mtxConf) rule() bool {
	return strings.HasPrefix(c.Name, "~") || c.Name == "all" || c.Name == "all_others"
}

func (c mtxConf) channel(name string) channelReport {
	out := channelReport{id: name, name: name}
	out.say("name", c.from, name)
	if c.Record != nil {
		if out.schedule = off(); *c.Record {
			out.schedule = always(protocol.Continuous)
		}
		out.say("schedule", c.from, "record "+strconv.FormatBool(*c.Record))
	}
	if age, ok := mtxAge(c.DeleteAfter); ok {
		out.retention = protocol.Retention{Kind: protocol.RetentionAge, Age: age}
	}
	if c.DeleteAfter != "" {
		out.say("retention", c.from, "recordDeleteAfter "+c.DeleteAfter)
	}
	return out
}

// mtxAge reads a duration as it writes them: those of Go, with days before
// ("3d", "1d12h0m0s"; set as 72h it comes back as 3d).
func mtxAge(text string) (time.Duration, bool) {
	const most = 100 * 365 * 24 * time.Hour
	var age time.Duration
	if days, rest, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, false
		}
		age, text = time.Duration(n)*24*time.Hour, rest
	}
	if text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > most {
			return 0, false
		}
		age += d
	}
	return age, age >= time.Second && age <= most
}

// mtxOldest asks for the segments of a path. They say their zone.
func mtxOldest(ctx context.Context, w *web, c *channelReport) error {
	if strings.Contains(c.id, "..") {
		return errors.New("its name is no path")
	}
	a, err := w.get(ctx, "/v3/recordings/get/"+(&url.URL{Path: c.id}).EscapedPath(), "")
	if statusOf(err) == http.StatusNotFound {
		return nil // it has none
	}
	if err != nil {
		return err
	}
	list, err := jsonOf[struct {
		Segments []struct {
			Start string `json:"start"`
		} `json:"segments"`
	}](a)
	if err != nil {
		return err
	}
	for _, s := range list.Segments {
		if at, err := time.Parse(time.RFC3339, s.Start); err == nil && (!c.oldest.known() || at.Before(c.oldest.at)) {
			c.oldest = utcStamp(at, s.Start)
		}
	}
	c.say("oldest", a.from, c.oldest.text)
	return nil
}
