package interrogate

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"
)

var hikvisionFamily = family{
	name:   Hikvision,
	driver: hikvision{},
	maker:  "Hikvision",
	words:  []string{"hikvision", "sadp", "hilook", "hiwatch", "ds-2c", "ds-2d", "ds-7", "ds-8", "ds-9"},
	doors:  []door{plain80, secure443},
	often:  true,
	sure:   "readings of four recorders and one camera by others; the maker's list of changes; clients",
	unseen: []string{"holidays", "configured"},
}

// hikvision speaks ISAPI, the HTTP interface of Hikvision's recorders and cameras
// and of the many that others sell under their names: XML, HTTP Digest, no session.
//
// Seen on real devices, by others: the schedule and its switch (four recorders),
// the search and its traps, the time, deviceInfo (DS-2CD2142FWD-I V5.4.5), the
// disks. Never seen on one, but written down by the maker or by its clients:
// durationEnabled, a holiday schedule that holds anything, disks on the network.
// Nothing of it was read from a device by this program yet.
//
// Not read: who is behind a channel beyond address and serial number, whether it is
// online, quotas of the disks, whether a camera turns.
//
// A user of the level "operator" with remote playback of the channels should
// suffice; whether that one may read record/tracks without "remote parameter settings"
// is not known. What it may not read stays unknown.
type hikvision struct{}

// The questions. All are GET but for the search and the calendar.
const (
	isapiDevice  = "/ISAPI/System/deviceInfo"
	isapiTime    = "/ISAPI/System/time"
	isapiProxies = "/ISAPI/ContentMgmt/InputProxy/channels"
	isapiInputs  = "/ISAPI/System/Video/inputs/channels"
	isapiStreams = "/ISAPI/Streaming/channels"
	isapiTracks  = "/ISAPI/ContentMgmt/record/tracks"
	isapiSearch  = "/ISAPI/ContentMgmt/search"
	isapiStorage = "/ISAPI/ContentMgmt/Storage"
)

// The names of Hikvision's web servers, and the namespaces of its XML: either
// occurs, with the firmware.
var (
	hikServers = []string{"App-webs/", "DNVRS-Webs", "DVRDVS-Webs", "Hikvision-Webs"}
	hikSpaces  = [][]byte{[]byte("http://www.hikvision.com/ver"), []byte("http://www.isapi.org/ver")}
)

// recognise asks for deviceInfo, which is refused with a Digest challenge.
func (hikvision) recognise(ctx context.Context, w *web) likeness {
	a, err := w.meet(ctx, call{path: isapiDevice})
	if err != nil {
		return stranger
	}
	head := a.body[:min(len(a.body), 1024)]
	if slices.ContainsFunc(hikSpaces, func(space []byte) bool { return bytes.Contains(head, space) }) {
		return known
	}
	if a.status != http.StatusUnauthorized || len(a.header.Values("WWW-Authenticate")) == 0 {
		return stranger
	}
	server := a.header.Get("Server")
	if slices.ContainsFunc(hikServers, func(name string) bool { return strings.HasPrefix(server, name) }) {
		return known
	}
	return locked
}

// hikDevice is deviceInfo, as far as it is read.
type hikDevice struct {
	XMLName  xml.Name `xml:"DeviceInfo"`
	Maker    string   `xml:"manufacturer"`
	Name     string   `xml:"deviceName"`
	Model    string   `xml:"model"`
	Serial   string   `xml:"serialNumber"`
	Firmware string   `xml:"firmwareVersion"`
	Released string   `xml:"firmwareReleasedDate"` // "build 230101"
	MAC      string   `xml:"macAddress"`
	Kind     string   `xml:"deviceType"` // NVR, DVR, HybirdNVR (so it is written), IPCamera, IPDome
}

// read reads the device, its channels, what they record and keep, and the oldest
// footage of each, one search a channel.
func (h hikvision) read(ctx context.Context, w *web) (deviceReport, error) {
	var t deviceReport
	a, err := w.get(ctx, isapiDevice, "")
	if err != nil && !w.auth.works() {
		return t, err
	}
	var info hikDevice
	if err == nil {
		info, err = xmlOf[hikDevice](a)
	}
	t.problem("System/deviceInfo", err)
	t.vendor, t.name, t.model, t.serial = info.Maker, info.Name, info.Model, info.Serial
	t.firmware, t.macs = info.Firmware+" "+info.Released, []string{info.MAC}
	kind := strings.ToUpper(info.Kind)
	t.recorder = strings.Contains(kind, "NVR") || strings.Contains(kind, "DVR")

	h.clock(ctx, w, &t)
	h.channels(ctx, w, &t, kind)
	h.sizes(ctx, w, &t)
	h.kept(ctx, w, &t)
	h.tracks(ctx, w, &t)
	h.footage(ctx, w, &t)
	return t, nil
}

// isapi reads one document. What the device does not have is no problem: it says so
// with 404 or 501, or with 403 and "notSupport" in the answer.
func isapi[T any](ctx context.Context, w *web, t *deviceReport, path string) (v T, from string, ok bool) {
	if ctx.Err() != nil {
		return v, "", false
	}
	a, err := w.get(ctx, path, "")
	if err == nil {
		v, err = xmlOf[T](a)
	}
	if absent(a, err) {
		return v, a.from, false
	}
	t.problem(strings.TrimPrefix(path, "/ISAPI/"), err)
	return v, a.from, err == nil
}

// absent tells that an answer means "there is no such thing here".
func absent(a answer, err error) bool {
	if err == nil {
		return false
	}
	status := statusOf(err)
	return status == http.StatusNotFound || status == http.StatusNotImplemented || bytes.Contains(a.body, []byte("notSupport"))
}

type hikTime struct {
	XMLName xml.Name `xml:"Time"`
	Mode    string   `xml:"timeMode"`
	Local   string   `xml:"localTime"` // 2026-07-10T15:35:53+01:00
	Zone    string   `xml:"timeZone"`  // CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00
}

// clock reads the wall clock. Of localTime only the digits count: its offset was
// seen wrong in summer (DS-76xx and others). The zone is the rule, whose sign is
// that of POSIX.
func (hikvision) clock(ctx context.Context, w *web, t *deviceReport) {
	a, err := w.get(ctx, isapiTime, "")
	var set hikTime
	if err == nil {
		set, err = xmlOf[hikTime](a)
	}
	t.problem("System/time", err)
	local := strings.TrimSpace(set.Local)
	at := wallStamp(local, isapiStamp)
	if !at.known() {
		return
	}
	raw := set.Zone
	if offset := local[len(isapiStamp):]; offset != "" {
		raw += " | localTime " + offset
	}
	t.clock = &ownClock{at: at.at, wall: true, timing: a.when, method: "isapi System/time", zone: ruleZone(set.Zone, at.at), zoneRaw: raw, from: a.from}
}

// ruleZone names the zone that a POSIX rule describes, "" if it describes none.
func ruleZone(rule string, now time.Time) string {
	var said systemDateAndTime
	said.Set.Zone = rule
	return readZone(said, now)
}
