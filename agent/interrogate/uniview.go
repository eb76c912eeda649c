package interrogate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

var univiewFamily = family{
	name:   Uniview,
	driver: uniview{},
	maker:  "Uniview",
	words:  []string{"uniview"},
	doors:  []door{plain80, secure443},
	often:  true,
	sure:   "its clients and the maker's web pages; never seen on a device",
	unseen: []string{"names", "schedule", "holidays", "configured", "observed", "clock", "zone", "place"},
}

// uniview speaks LAPI, the interface of Uniview recorders and cameras and of those
// that others sell under their name.
//
// It reads the device's identity, its channels with the cameras behind them, the
// record schedule of each (see univiewSchedule), the day of the oldest footage,
// the disks, the clock and its zone. LAPI is not known to have an age limit for
// footage: the answer of StoreStrategy is kept as it comes, and means nothing yet.
//
// Where it is from: the clock as epoch beside "GMT+02:00", the HTTP status 599 of
// answers that are good, the calendar (DailyStatus) and the second path of the
// schedule are from programs of others that run against real recorders (one sold
// as Sovmiku H5NVR-P-16A); the meaning of the schedule's fields, the channel 0 of
// a camera and the code of a wrong password are from the maker's own phone
// application. No device was at hand: nothing here was seen on one by us. Some
// recorders are said to answer "Not Authorized" until a login of their own web
// page (PUT Security/Login) was made; that opens a session, is not done, and
// leaves their facts unknown.
//
// Least privilege: an ordinary user ("Operator") who may play back and see the
// settings; which right each path wants is not known.
type uniview struct{}

// The paths, below lapiRoot.
const (
	lapiRoot       = "/LAPI/V1.0"
	lapiDevice     = "/System/DeviceInfo"
	lapiTime       = "/System/Time"
	lapiSummerTime = "/System/Time/DST"
	lapiDisks      = "/Storage/Containers/DetailInfos"
	lapiWhenFull   = "/Storage/StoreStrategy"
	lapiChannels   = "/Channels/System/ChannelDetailInfos"
	lapiCameras    = "/Channels/System/DeviceInfos"
)

// lapiSchedules are where the schedule of a channel is: as in the maker's
// application, and as in the web page of recorders.
var lapiSchedules = [...]string{"/Channels/%s/Storage/Schedule/Record", "/Channels/%s/Storage/Private/Schedule/Record/"}

func (uniview) recognise(ctx context.Context, w *web) likeness {
	a, err := w.try(ctx, call{path: lapiRoot + lapiDevice})
	if err != nil {
		return stranger
	}
	var e lapiEnvelope
	if json.Unmarshal(a.body, &e) == nil && e.Response != nil && strings.HasPrefix(e.Response.URL, "/LAPI/") {
		return known
	}
	asked := a.header.Values("WWW-Authenticate")
	switch {
	case a.status != http.StatusUnauthorized || len(asked) == 0:
		return stranger
	case strings.Contains(strings.Join(asked, ","), `realm="NVRDVR"`):
		return known
	}
	return locked
}

func (uniview) read(ctx context.Context, w *web) (deviceReport, error) {
	w.denies = lapiDenies
	var t deviceReport
	info, _, err := lapi[struct{ DeviceName, DeviceModel, SerialNumber, FirmwareVersion string }](ctx, w, lapiDevice, "")
	if err != nil && !errors.Is(err, errForbidden) {
		return t, err
	}
	t.problem(lapiDevice, err)
	t.name, t.model, t.serial, t.firmware = info.DeviceName, info.DeviceModel, info.SerialNumber, info.FirmwareVersion
	now := univiewClock(ctx, w, &t)
	univiewKept(ctx, w, &t)
	univiewChannels(ctx, w, &t)
	univiewSchedules(ctx, w, &t)
	univiewWhenFull(ctx, w, &t)
	if !now.IsZero() {
		univiewOldest(ctx, w, &t, now)
	}
	return t, nil
}

func univiewKept(ctx context.Context, w *web, t *deviceReport) {
	said, a, err := lapi[struct {
		LocalHDDList, NASList []struct{ TotalCapacity, Status lapiValue }
	}](ctx, w, lapiDisks, "")
	if lapiAbsent(err) {
		return
	}
	t.problem(lapiDisks, err)
	var all []Kept
	var raw []string
	for _, d := range head(said.LocalHDDList, 64) {
		if n, ok := d.TotalCapacity.number(); ok && n > 0 {
			all = append(all, KeptDisk)
			raw = append(raw, fmt.Sprintf("disk of %s MB, Status=%s", d.TotalCapacity, d.Status))
		}
	}
	if len(said.NASList) > 0 {
		all, raw = append(all, KeptShare), append(raw, "NASList")
	}
	t.kept, t.keptFrom, t.keptRaw = keptIn(all...), a.from, rawWords(raw...)
}

// univiewChannels reads the channels of a recorder; a camera has none of these
// lists, and is its own channel 0. A recorder without them is left without
// channels. A channel that is idle (2) and names no camera is a free place.
func univiewChannels(ctx context.Context, w *web, t *deviceReport) {
	said, a, err := lapi[struct {
		DetailInfos []struct {
			ID, ChannelID, Status lapiValue
			Name, DeviceModel     string
			AddressInfo           struct{ IPAddress string }
		}
	}](ctx, w, lapiChannels, "")
	if lapiAbsent(err) && univiewCamera.MatchString(t.model) {
		t.channels = []channelReport{{id: "0"}}
		return
	}
	t.problem(lapiChannels, err)
	t.recorder = err == nil
	serials := univiewCameras(ctx, w, len(said.DetailInfos))
	for _, d := range head(said.DetailInfos, maxChannels) {
		id := d.ID
		if id == "" {
			id = d.ChannelID
		}
		if n, ok := id.number(); !ok || n < 0 || d.Status == "2" && d.AddressInfo.IPAddress == "" && d.DeviceModel == "" {
			continue
		}
		c := channelReport{id: string(id), name: d.Name}
		c.say("name", a.from, d.Name)
		behind := Identity{Serial: readSerial(serials[id])}
		behind.setAddress(d.AddressInfo.IPAddress)
		if behind.Serial != "" || behind.Address != "" {
			c.behind = &behind
		}
		t.channels = append(t.channels, c)
	}
}

// univiewCamera matches the models of cameras, as IPC2122LB-SF28-A.
var univiewCamera = regexp.MustCompile(`(?i)^(IPC|HIC|TIC)`)

// univiewCameras gives the serial numbers of the cameras behind channels. That is
// only nice to know: nothing about it is a problem.
func univiewCameras(ctx context.Context, w *web, channels int) map[lapiValue]string {
	serials := map[lapiValue]string{}
	if channels == 0 {
		return serials
	}
	said, _, _ := lapi[struct {
		DeviceInfos []struct {
			ID           lapiValue
			SerialNumber string
		}
	}](ctx, w, lapiCameras, "")
	for _, d := range head(said.DeviceInfos, maxChannels) {
		serials[d.ID] = d.SerialNumber
	}
	return serials
}

// univiewSchedules reads the schedules. The path that has one is asked for the
// others too. A channel without an answer is unknown; where this user may not read
// one, the others are not asked for.
func univiewSchedules(ctx context.Context, w *web, t *deviceReport) {
	paths := lapiSchedules[:]
	for i := range t.channels {
		c := &t.channels[i]
		for _, path := range paths {
			body, a, err := lapi[json.RawMessage](ctx, w, fmt.Sprintf(path, c.id), "")
			if lapiAbsent(err) {
				continue
			}
			if err != nil {
				if !univiewGoesOn(ctx, t, "Schedule/Record of channel "+c.id, err) {
					return
				}
				break
			}
			var words []string
			c.schedule, words = univiewSchedule(body)
			c.say("schedule", a.from, words...)
			paths = []string{path}
			break
		}
	}
}

// univiewGoesOn notes why one channel could not be read, and tells whether to ask
// for the others: where the device itself answered that something is wrong with
// this one.
func univiewGoesOn(ctx context.Context, t *deviceReport, what string, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	t.problem(what, err)
	_, itself := errors.AsType[*lapiError](err)
	return itself
}

// univiewWhenFull keeps what the device says that it does when its disk is full.
// The form of that answer was never seen: it is for people, and sets no value.
func univiewWhenFull(ctx context.Context, w *web, t *deviceReport) {
	said, a, err := lapi[json.RawMessage](ctx, w, lapiWhenFull, "")
	if err != nil || len(said) > 1<<10 {
		return
	}
	for i := range t.channels {
		t.channels[i].say("retention", a.from, string(said))
	}
}

// univiewOldest finds the day of the oldest footage of each channel. now is the
// digits of the device's wall clock.
func univiewOldest(ctx context.Context, w *web, t *deviceReport, now time.Time) {
	for i := range t.channels {
		c := &t.channels[i]
		path := "/Channels/" + c.id + "/Media/Video/Streams/0/Records/DailyDistribution"
		day, err := walkCalendar(now, func(year int, m time.Month) ([]bool, error) {
			said, a, err := lapi[struct{ DailyStatus, Distribution []lapiValue }](ctx, w, path, fmt.Sprintf("Year=%d&Month=%d", year, m))
			if len(said.DailyStatus) == 0 {
				said.DailyStatus = said.Distribution
			}
			if err == nil && len(said.DailyStatus) < 28 {
				err = errors.New("a month of its calendar is not complete")
			}
			days := univiewDays(said.DailyStatus)
			if slices.Contains(days, true) {
				c.say("oldest", a.from)
			}
			return days, err
		})
		switch {
		case lapiAbsent(err):
		case err != nil:
			if !univiewGoesOn(ctx, t, "DailyDistribution of channel "+c.id, err) {
				return
			}
		default:
			c.oldest = wholeDayStamp(day, now)
		}
	}
}

func univiewDays(flags []lapiValue) []bool {
	days := make([]bool, len(flags))
	for i, f := range flags {
		n, ok := f.number()
		days[i] = ok && n != 0
	}
	return days
}
