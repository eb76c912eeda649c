package interrogate

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
)

// nxAddress is the IP address in a camera's URL. The URL itself, in which a
// password may stand, is not kept.
type nxAddress string

func (s *nxAddress) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		return nil
	}
	if !strings.Contains(text, "://") {
		text = "//" + text
	}
	if u, err := url.Parse(text); err == nil {
		if at, err := netip.ParseAddr(u.Hostname()); err == nil {
			*s = nxAddress(at.String())
		}
	}
	return nil
}

// nxDevice is one device of the site. Its credentials are not read, nor its other
// parameters.
type nxDevice struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Type     string          `json:"deviceType"`
	Server   string          `json:"serverId"`
	MAC      string          `json:"mac"`
	Address  nxAddress       `json:"url"`
	Schedule *nxSchedule     `json:"schedule"`
	Streams  json.RawMessage `json:"mediaStreams"`
	Options  struct {
		OneStream bool `json:"isDualStreamingDisabled"`
	} `json:"options"`
}

// nxFields are what is asked of each device: 64 of them whole are 742 KB.
const nxFields = "_with=id,name,deviceType,serverId,mac,url,schedule,mediaStreams,options"

// nxSchedule is when a camera records and how long that is kept. Of a limit that
// is zero or less its switch is off.
type nxSchedule struct {
	Enabled   *bool    `json:"isEnabled"`
	Tasks     []nxTask `json:"tasks"`
	MaxDays   anyInt   `json:"maxArchiveDays"`
	MaxPeriod anyInt   `json:"maxArchivePeriodS"`
}

// nxTask is one cell of the week: dayOfWeek 1 = Monday ... 7 = Sunday, times in
// seconds after midnight, 86400 its end.
type nxTask struct {
	Day   anyInt  `json:"dayOfWeek"`
	Start anyInt  `json:"startTime"`
	End   anyInt  `json:"endTime"`
	Type  anyText `json:"recordingType"`
	Of    anyText `json:"metadataTypes"` // "motion", "objects", "motion|objects", "none"
}

// modes are what makes a camera record within a cell; none for "never". oneStream:
// the camera has no second stream to record.
func (c nxTask) modes(oneStream bool) []protocol.Mode {
	kind := strings.TrimPrefix(strings.ToLower(string(c.Type)), "rt_") // the spelling before 5.0
	switch kind {
	case "always", "0":
		return []protocol.Mode{protocol.Continuous}
	case "never", "2":
		return nil
	case "metadataandlowquality", "motionandlowquality", "3":
		// The small stream is recorded always, the large one when something happens.
		if !oneStream {
			return []protocol.Mode{protocol.Continuous}
		}
	case "metadataonly", "motiononly", "1":
	default:
		return []protocol.Mode{protocol.Analytics} // not known: something must happen
	}
	var modes []protocol.Mode
	of := strings.ToLower(string(c.Of))
	if strings.Contains(of, "objects") || of == "2" || of == "3" {
		modes = append(modes, protocol.Analytics)
	}
	if len(modes) == 0 || strings.Contains(of, "motion") || of == "3" {
		modes = append(modes, protocol.Motion) // "none" too: cells of version 4
	}
	return modes
}

// small tells that a cell records the small stream alone for most of the time.
func (c nxTask) small() bool {
	kind := strings.ToLower(string(c.Type))
	return kind == "3" || strings.HasSuffix(kind, "andlowquality")
}

// nxWeek reads a schedule. One that is switched off never records, whatever its
// cells say; one without cells, or with cells that are not understood, is unknown.
func nxWeek(s nxSchedule, oneStream bool) protocol.Schedule {
	if s.Enabled != nil && !*s.Enabled {
		return off()
	}
	if s.Enabled == nil || len(s.Tasks) == 0 {
		return protocol.Schedule{}
	}
	var p plan
	for _, c := range s.Tasks {
		const end = 24 * 60 * 60
		if c.Day.value < 1 || c.Day.value > 7 || !c.Start.known || !c.End.known || c.Start.value < 0 || c.Start.value >= end || c.End.value < 0 || c.End.value > end {
			return protocol.Schedule{}
		}
		for _, mode := range c.modes(oneStream) {
			p.add(int(c.Day.value%7), int(c.Start.value), int(c.End.value), mode)
		}
	}
	return p.schedule()
}

// words are the schedule's own, each once.
func (s nxSchedule) words() []string {
	var all []string
	if s.Enabled != nil {
		all = append(all, "isEnabled "+strconv.FormatBool(*s.Enabled))
	}
	for _, c := range s.Tasks {
		if text := strings.TrimSpace(string(c.Type + " " + c.Of)); !slices.Contains(all, text) && len(all) < 16 {
			all = append(all, text)
		}
	}
	return all
}

// nxRetention reads how long footage is kept: the stricter of two limits, else
// until the disks are full; unknown where neither is told.
func nxRetention(s nxSchedule) (protocol.Retention, []string) {
	const year = 365 * 24 * 60 * 60
	var age int64 // seconds
	var words []string
	limit := func(name string, n anyInt, unit int64) {
		if !n.known {
			return
		}
		words = append(words, name+" "+strconv.FormatInt(n.value, 10))
		if n.value > 0 && n.value <= 100*year/unit && (age == 0 || n.value*unit < age) {
			age = n.value * unit
		}
	}
	limit("maxArchiveDays", s.MaxDays, 24*60*60)
	limit("maxArchivePeriodS", s.MaxPeriod, 1)
	switch {
	case age > 0:
		return protocol.Retention{Kind: protocol.RetentionAge, Age: time.Duration(age) * time.Second}, words
	case words != nil:
		return protocol.Retention{Kind: protocol.RetentionCapacity}, words
	}
	return protocol.Retention{}, nil
}

// nxResolution finds the picture of one of a camera's streams, 0 the large one, 1
// the small one, in a list of them or in an object with such a list.
func nxResolution(streams json.RawMessage, index int64) (width, height int) {
	type stream struct {
		Index anyInt `json:"encoderIndex"`
		Size  string `json:"resolution"` // "1920x1080", "*" where it is not known
	}
	var all []stream
	if json.Unmarshal(streams, &all) != nil {
		var wrapped struct {
			Streams []stream `json:"streams"`
		}
		if json.Unmarshal(streams, &wrapped) != nil {
			return 0, 0
		}
		all = wrapped.Streams
	}
	for _, s := range all {
		if s.Index.known && s.Index.value == index {
			if n, _ := fmt.Sscanf(s.Size, "%dx%d", &width, &height); n == 2 {
				return width, height
			}
		}
	}
	return 0, 0
}

// nxGUID takes the braces off: the interface takes ids without.
func nxGUID(id string) string { return strings.Trim(id, "{} ") }

// devices reads the channels of one server. A server that does not know the list of
// fields is asked for all.
func (nx) devices(ctx context.Context, w *web, api, server string, t *deviceReport) error {
	list := func(fields string) (a answer, all []nxDevice, broken int, err error) {
		if a, err = w.get(ctx, api+"/devices", fields); err != nil {
			return a, nil, 0, err
		}
		parts, err := jsonOf[[]json.RawMessage](a)
		if err != nil {
			return a, nil, 0, err
		}
		for _, part := range parts {
			var d nxDevice
			if json.Unmarshal(part, &d) != nil || nxGUID(d.ID) == "" {
				broken++
				continue
			}
			all = append(all, d)
		}
		return a, all, broken, nil
	}
	a, all, broken, err := list(nxFields)
	scheduled := func(d nxDevice) bool { return d.Schedule != nil }
	if s := statusOf(err); s == http.StatusBadRequest || s == http.StatusUnprocessableEntity || err == nil && len(all)+broken > 0 && !slices.ContainsFunc(all, scheduled) {
		a, all, broken, err = list("")
	}
	if err != nil {
		return fmt.Errorf("its cameras: %w", err)
	}
	if broken > 0 {
		t.problem("devices", fmt.Errorf("%d of its devices cannot be read", broken))
	}
	elsewhere := 0
	for _, d := range all {
		switch kind := strings.ToLower(d.Type); {
		case kind == "iomodule", kind == "hornspeaker": // no pictures
		case d.Server != "" && !strings.EqualFold(nxGUID(d.Server), server):
			elsewhere++
		case len(t.channels) < maxChannels:
			t.channels = append(t.channels, d.channel(a.from))
		}
	}
	slices.SortStableFunc(t.channels, func(a, b channelReport) int {
		return strings.Compare(strings.ToLower(a.name)+"\x00"+a.id, strings.ToLower(b.name)+"\x00"+b.id)
	})
	if elsewhere > 0 {
		t.problem("devices", fmt.Errorf("%d more cameras belong to other servers of the same site: name those servers too", elsewhere))
	}
	return nil
}

// channel puts a device into the vocabulary. Where the small stream is all that
// there is for most of the time, its picture is the one that can be promised.
func (d nxDevice) channel(from string) channelReport {
	c := channelReport{id: nxGUID(d.ID), name: d.Name}
	c.say("name", from, d.Name)
	if macs := readMACs([]string{d.MAC}); len(macs) > 0 || d.Address != "" {
		c.behind = &Identity{MACs: macs, Address: string(d.Address)}
	}
	stream := int64(0)
	if s := d.Schedule; s != nil {
		c.schedule = nxWeek(*s, d.Options.OneStream)
		c.say("schedule", from, s.words()...)
		var words []string
		c.retention, words = nxRetention(*s)
		c.say("retention", from, words...)
		if !d.Options.OneStream && slices.ContainsFunc(s.Tasks, nxTask.small) {
			stream = 1
		}
	}
	if c.width, c.height = nxResolution(d.Streams, stream); c.width > 0 {
		c.say("resolution", from, fmt.Sprintf("%dx%d", c.width, c.height))
	}
	return c
}
