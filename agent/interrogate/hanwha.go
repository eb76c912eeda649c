package interrogate

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
)

var hanwhaFamily = family{
	name:   Hanwha,
	driver: hanwha{},
	maker:  "Hanwha",
	words:  []string{"hanwha", "wisenet", "samsung techwin"},
	doors:  []door{plain80, secure443},
	lacks:  []string{"holidays"},
	sure:   "the maker's guide (SUNAPI 2.6); never seen on a device",
	unseen: []string{"names", "schedule", "holidays", "configured", "observed", "clock", "zone", "place"},
}

// hanwha speaks SUNAPI, the interface of Hanwha Vision (Wisenet, once Samsung
// Techwin) cameras and recorders. Wisenet WAVE is not of this family.
//
// It reads identity, channels with the cameras behind them, the switch and the
// limits of storage, the schedule of recording (see sunapiRecording), the oldest
// footage, the storages, clock and zone.
//
// Where it is from: the maker's documents "SUNAPI Recording" 2.6.3 (2023-09-20) and
// "Application Programmer's Guide" 2.6.3; minutes within an hour of the schedule
// from the web pages of its cameras; the storages of an XRN-6410B2 and the time of
// a camera from what owners of these published. Nothing was seen on a device by
// us. Both forms of answers are read, JSON and text, since older firmware has
// only text.
//
// Least privilege: on a recorder an ordinary user ("User"); a camera shows the
// storage, the schedule and the rest of recording.cgi to an administrator only.
// To others these are unknown.
type hanwha struct{}

func (hanwha) recognise(ctx context.Context, w *web) likeness {
	a, err := w.try(ctx, sunapiCall("system", "deviceinfo", ""))
	if err != nil {
		return stranger
	}
	asked := strings.Join(a.header.Values("WWW-Authenticate"), ",")
	switch said, err := readSunapi(a.body, "Model", "DeviceType", "CGIVersion"); {
	case a.status == http.StatusOK && err == nil && said["Model"] != "" && said["DeviceType"]+said["CGIVersion"] != "":
		return known
	case a.status != http.StatusUnauthorized || asked == "":
		return stranger
	case strings.Contains(strings.ToLower(asked), `realm="ipolis`):
		return known
	}
	return locked
}

// sunapiCall asks to view one submenu. JSON is asked for.
func sunapiCall(cgi, submenu, more string) call {
	return call{path: "/stw-cgi/" + cgi + ".cgi", query: "msubmenu=" + submenu + "&action=view" + more,
		header: http.Header{"Accept": {"application/json"}}}
}

func (hanwha) read(ctx context.Context, w *web) (deviceReport, error) {
	h := &hanwhaReading{ctx: ctx, w: w}
	info, _, err := h.ask("system", "deviceinfo", "", "Model", "SerialNumber", "FirmwareVersion", "DeviceType", "DeviceName", "ConnectedMACAddress")
	if err != nil && !errors.Is(err, errForbidden) {
		return h.told, err
	}
	t := &h.told
	t.problem("deviceinfo", err)
	t.model, t.serial, t.firmware, t.name = info["Model"], info["SerialNumber"], info["FirmwareVersion"], info["DeviceName"]
	t.macs = []string{info["ConnectedMACAddress"]}
	t.recorder = strings.Contains(strings.ToUpper(info["DeviceType"]), "NVR") || strings.Contains(strings.ToUpper(info["DeviceType"]), "DVR")
	h.clock()
	h.channels()
	h.storages()
	h.recording()
	h.oldest()
	return h.told, nil
}

// hanwhaReading is one reading of one device.
type hanwhaReading struct {
	ctx  context.Context
	w    *web
	told deviceReport
	wall time.Time      // digits of the device's clock; zero: not known
	zone *time.Location // by the device's own rule; nil: not known
	nums []int          // the device's numbers of told.channels, from 0
}

func (h *hanwhaReading) ask(cgi, submenu, more string, keys ...string) (sunapi, answer, error) {
	a, err := h.w.do(h.ctx, sunapiCall(cgi, submenu, more))
	if err != nil {
		return nil, a, err
	}
	said, err := readSunapi(a.body, keys...)
	return said, a, err
}

// optional asks for what a device may well not have.
func (h *hanwhaReading) optional(cgi, submenu string, keys ...string) (sunapi, answer) {
	said, a, err := h.ask(cgi, submenu, "", keys...)
	_, unknown := errors.AsType[*sunapiError](err)
	if status := statusOf(err); !unknown && status != http.StatusNotFound && status != http.StatusNotImplemented {
		h.told.problem(submenu, err)
	}
	return said, a
}

// clock reads the time in UTC where the device tells it, else the wall clock. The
// rule of the zone counts only as far as the wall clock follows it: a camera has
// the rule of summer time in its zone also where DSTEnable is false.
func (h *hanwhaReading) clock() {
	said, a := h.optional("system", "date", "LocalTime", "UTCTime", "DSTEnable", "POSIXTimeZone")
	local, err := time.Parse(time.DateTime, said["LocalTime"])
	if err != nil || local.Before(earliest) {
		return
	}
	c := &ownClock{at: local, wall: true, timing: a.when, method: "sunapi date", zoneRaw: said["POSIXTimeZone"] + " DSTEnable=" + said["DSTEnable"], from: a.from}
	var rule systemDateAndTime
	rule.Set.Zone = said["POSIXTimeZone"]
	zone, name := namedZone(rule, local)
	if !strings.EqualFold(said["DSTEnable"], "true") {
		zone, name = withoutSummer(zone, local), ""
	}
	if zone != nil && name == "" {
		name = fixedZone(offsetAt(zone, local))
	}
	if utc, err := time.Parse(time.DateTime, said["UTCTime"]); err == nil && !utc.Before(earliest) {
		c.at, c.wall = utc, false
		shown := int(local.Sub(utc).Round(time.Minute) / time.Second)
		if zone == nil || offsetAt(zone, utc) != shown {
			zone, name = nil, fixedZone(shown)
		}
	}
	c.zone, h.wall, h.zone, h.told.clock = name, local, zone, c
}

// withoutSummer is a zone without its summer time; nil of nil.
func withoutSummer(zone *time.Location, now time.Time) *time.Location {
	if zone == nil {
		return nil
	}
	for _, month := range []time.Month{time.January, time.July} {
		if at := time.Date(now.Year(), month, 1, 12, 0, 0, 0, zone); !at.IsDST() {
			return time.FixedZone("", offsetAt(zone, at))
		}
	}
	return nil
}

// channels reads the sources of video and, on a recorder, the cameras behind them.
// A channel that is not active and has no camera is a free place. The device counts
// from 0, its owner sees 1 and so on.
func (h *hanwhaReading) channels() {
	sources, from := h.optional("media", "videosource", "Name", "State")
	cameras := sunapi{}
	if h.told.recorder {
		cameras, _ = h.optional("media", "cameraregister", "IPAddress", "MACAddress")
	}
	for _, n := range sources.channels() {
		key := "Channel." + strconv.Itoa(n) + "."
		behind := Identity{MACs: readMACs([]string{cameras[key+"MACAddress"]})}
		behind.setAddress(cameras[key+"IPAddress"])
		none := behind.Address == "" && len(behind.MACs) == 0
		if none && strings.EqualFold(sources[key+"State"], "Deactive") {
			continue
		}
		c := channelReport{id: strconv.Itoa(n + 1), name: sources[key+"Name"]}
		c.say("name", from.from, c.name)
		if !none {
			c.behind = &behind
		}
		h.told.channels, h.nums = append(h.told.channels, c), append(h.nums, n)
	}
}

// storages reads where images are. A recorder's disks have no type; a camera's
// storages are DAS (its card) and NAS.
func (h *hanwhaReading) storages() {
	said, a := h.optional("system", "storageinfo", "Type", "Enable", "TotalSpace", "Status")
	var all []Kept
	var raw []string
	for _, n := range said.numbers("Storage") {
		key := "Storage." + strconv.Itoa(n) + "."
		kind, on, size := strings.ToUpper(said[key+"Type"]), said[key+"Enable"], said[key+"TotalSpace"]
		if strings.EqualFold(on, "false") || on == "" && (size == "" || size == "0") {
			continue
		}
		raw = append(raw, strings.TrimSpace(kind+" "+said[key+"Status"]))
		switch {
		case kind == "NAS", kind == "ISCSI":
			all = append(all, KeptShare)
		case kind == "DAS", kind == "SD", kind == "HDD", kind == "" && h.told.recorder:
			all = append(all, KeptDisk)
		}
	}
	h.told.kept, h.told.keptFrom, h.told.keptRaw = keptIn(all...), a.from, rawWords(raw...)
}

// recording reads schedule and retention.
func (h *hanwhaReading) recording() {
	if len(h.nums) == 0 {
		return
	}
	storage, kept := h.optional("recording", "storage", "Enable", "OverWrite", "AutoDeleteEnable", "AutoDeleteDays")
	general, _ := h.optional("recording", "general", "NormalMode", "EventMode")
	week, from := h.optional("recording", "recordingschedule", append([]string{"Activate"}, sunapiDays[:]...)...)
	for i, n := range h.nums {
		c, key := &h.told.channels[i], "Channel."+strconv.Itoa(n)+"."
		r := sunapiRecording{recorder: h.told.recorder, enable: storage["Enable"], normal: general[key+"NormalMode"], event: general[key+"EventMode"], activate: week[key+"Activate"]}
		for day, name := range sunapiDays {
			r.week[day] = week[key+name]
		}
		c.schedule = r.schedule()
		c.say("schedule", from.from, r.words()...)
		days := storage[key+"AutoDeleteDays"]
		if days == "" {
			days = storage["AutoDeleteDays"]
		}
		c.retention = sunapiRetention(storage, days)
		c.say("retention", kept.from, sunapiWords("Enable", storage["Enable"], "OverWrite", storage["OverWrite"], "AutoDeleteEnable", storage["AutoDeleteEnable"], "AutoDeleteDays", days)...)
	}
}

// sunapiRetention is how long footage is kept. Where nothing is overwritten and
// nothing deleted it is not known: recording stops when the disk is full.
func sunapiRetention(storage sunapi, days string) protocol.Retention {
	is := func(key, value string) bool { return strings.EqualFold(storage[key], value) }
	n, err := strconv.Atoi(days)
	switch {
	case !is("Enable", "true"):
	case is("AutoDeleteEnable", "true"):
		if err == nil && n > 0 && n <= 36500 {
			return protocol.Retention{Kind: protocol.RetentionAge, Age: time.Duration(n) * 24 * time.Hour}
		}
	case is("AutoDeleteEnable", "false") && is("OverWrite", "true"):
		return protocol.Retention{Kind: protocol.RetentionCapacity}
	}
	return protocol.Retention{}
}
