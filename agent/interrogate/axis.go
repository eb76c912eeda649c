package interrogate

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

var axisFamily = family{
	name:   Axis,
	driver: axis{},
	maker:  "AXIS",
	words:  []string{"axis"},
	doors:  []door{plain80, secure443},
	lacks:  []string{"holidays"},
	sure:   "a real parameter list published by others; disks and recordings by the maker's documents. Of schedules only continuous recording is read",
	unseen: []string{"schedule", "observed"},
}

// axis speaks VAPIX, the interface of Axis cameras, and reads what a camera records
// on its own card or on a share of the network.
//
// It reads identity, the names of its views, the continuous recordings that are
// set up, the disks with their limits of age, the oldest and newest recording,
// clock and zone. A camera without a continuous recording of its own may be
// recorded by somebody else's recorder, or by an action rule of its own: rules are
// not read, and the schedule is unknown, never off. Nor is a continuous recording
// believed whose disk is not there.
//
// Where it is from: param.cgi was seen on an M1065-LW (firmware 9.10 and 9.80);
// the Edge storage API and the Time API are the maker's documents. disks/list.cgi
// and record/list.cgi were published from real cameras by their owners (with
// starttime in UTC beside starttimelocal); the order asked for by "sortorder" was
// only seen in a program of others, so it is checked.
//
// Least privilege: a viewer reads clock, names and recordings; the continuous
// recordings, the disks and root.Storage may want an administrator. What is
// refused is unknown.
type axis struct{}

func (axis) recognise(ctx context.Context, w *web) likeness {
	a, err := w.try(ctx, axisInfoCall)
	if err != nil {
		return stranger
	}
	info, err := axisInfo(a.body)
	switch {
	case a.status == http.StatusOK && err == nil && strings.EqualFold(info.Brand, "AXIS"):
		return known
	case a.status == http.StatusUnauthorized && a.header.Get("WWW-Authenticate") != "":
		return locked
	}
	return stranger
}

// axisInfoCall asks for what a camera tells everybody. It is a POST that only reads.
var axisInfoCall = call{method: http.MethodPost, path: "/axis-cgi/basicdeviceinfo.cgi", kind: "application/json",
	body: `{"apiVersion":"1.0","method":"getAllUnrestrictedProperties"}`}

type axisProperties struct{ Brand, ProdNbr, ProdFullName, SerialNumber, Version string }

func axisInfo(body []byte) (axisProperties, error) {
	var said struct {
		Data struct {
			PropertyList axisProperties `json:"propertyList"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return axisProperties{}, errors.New("its answer cannot be read as JSON")
	}
	return said.Data.PropertyList, nil
}

func (axis) read(ctx context.Context, w *web) (deviceReport, error) {
	r := &axisReading{ctx: ctx, w: w}
	a, err := w.do(ctx, axisInfoCall)
	if err != nil && !errors.Is(err, errForbidden) && !axisAbsent(err) {
		return r.told, err
	}
	info, _ := axisInfo(a.body)
	t := &r.told
	t.model, t.serial, t.firmware = info.ProdNbr, info.SerialNumber, info.Version
	t.macs = []string{axisMAC(info.SerialNumber)}
	for _, step := range []func(){r.params, func() { r.clock(a) }, r.disks, r.jobs, r.recordings} {
		step()
		if w.auth.ended() && !w.auth.works() {
			return r.told, nil // it wants a password that is not known; step has said so
		}
	}
	r.settle()
	return r.told, nil
}

// axisMAC makes a hardware address of a serial number, which it is.
func axisMAC(serial string) string {
	if len(serial) != 12 {
		return ""
	}
	return strings.Join(regexp.MustCompile(`..`).FindAllString(serial, -1), ":")
}

// axisAbsent tells that a device does not have what was asked.
func axisAbsent(err error) bool {
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}

// axisReading is one reading of one camera.
type axisReading struct {
	ctx  context.Context
	w    *web
	told deviceReport

	param      map[string]string
	paramFrom  string
	store      []axisDisk
	storeFrom  string
	storeKnown bool // store is from the disks themselves, not only their settings
	job        []axisJob
	jobFrom    string
	footage    []axisRecording // the oldest and the newest; none if not known
	oldestFrom string
}

// problem notes what could not be read, unless the camera does not have it.
func (r *axisReading) problem(what string, err error) {
	if !axisAbsent(err) {
		r.told.problem(what, err)
	}
}

// params reads settings. Those of a group that this user may not see are missing.
func (r *axisReading) params() {
	groups := "root.ImageSource,root.Image,root.Storage,root.Time"
	a, err := r.w.get(r.ctx, "/axis-cgi/param.cgi", "action=list&group="+url.QueryEscape(groups))
	r.problem("param.cgi", err)
	r.param, r.paramFrom = readAxisParams(a.body), a.from
	if err != nil {
		r.param = nil
	}
}

// clock reads the time in UTC and the zone. Cameras before 9.30 have no time.cgi:
// theirs is the date of an answer, and the zone that of the settings.
func (r *axisReading) clock(first answer) {
	a, err := r.w.do(r.ctx, call{method: http.MethodPost, path: "/axis-cgi/time.cgi", kind: "application/json", body: `{"apiVersion":"1.0","method":"getDateTimeInfo"}`})
	r.problem("time.cgi", err)
	var said struct {
		Data struct{ DateTime, TimeZone, PosixTimeZone string } `json:"data"`
	}
	if err == nil {
		err = json.Unmarshal(a.body, &said)
	}
	at, errTime := time.Parse(time.RFC3339, said.Data.DateTime)
	if err != nil || errTime != nil || at.Before(earliest) {
		if r.told.clock = dateHeader(first); r.told.clock == nil {
			return
		}
		said.Data.PosixTimeZone = r.param["Time.POSIXTimeZone"]
	} else {
		r.told.clock = &ownClock{at: at.UTC(), timing: a.when, method: "vapix time.cgi", from: a.from}
	}
	c := r.told.clock
	c.zone, c.zoneRaw = said.Data.TimeZone, rawWords(said.Data.TimeZone, said.Data.PosixTimeZone)
	if _, ok := loadZone(c.zone); ok {
		return
	}
	var rule systemDateAndTime
	rule.Set.Zone = said.Data.PosixTimeZone
	zone, name := namedZone(rule, c.at)
	if zone != nil && name == "" {
		name = fixedZone(offsetAt(zone, c.at))
	}
	c.zone = name
}

func (r *axisReading) disks() {
	a, err := r.w.get(r.ctx, "/axis-cgi/disks/list.cgi", "diskid=all")
	r.problem("disks/list.cgi", err)
	if err == nil {
		r.store, err = readAxisDisks(a.body)
		r.problem("disks/list.cgi", err)
		r.storeFrom, r.storeKnown = a.from, err == nil
	}
	if !r.storeKnown {
		r.store, r.storeFrom = axisStorage(r.param), r.paramFrom
	}
}

func (r *axisReading) jobs() {
	a, err := r.w.get(r.ctx, "/axis-cgi/record/continuous/listconfiguration.cgi", "")
	r.problem("record/continuous", err)
	if err == nil {
		r.job, err = readAxisJobs(a.body)
		r.problem("record/continuous", err)
		r.jobFrom = a.from
	}
}

// recordings reads the oldest and the newest one. There may be thousands, so one is
// asked for from either end.
func (r *axisReading) recordings() {
	var found [2]axisRecordings
	for i, order := range []string{"ascending", "descending"} {
		a, err := r.w.get(r.ctx, "/axis-cgi/record/list.cgi", "recordingid=all&maxnumberofresults=1&sortorder="+order)
		if err == nil {
			found[i], err = readAxisRecordings(a.body)
		}
		if err != nil {
			r.problem("record/list.cgi", err)
			return
		}
		if len(found[i].Items) == 0 {
			return
		}
		if i == 0 {
			r.oldestFrom = a.from
		}
	}
	first, last, ok := axisEnds(found[0], found[1])
	if !ok {
		r.told.problem("record/list.cgi", errors.New("its recordings come in an order that is not known, so the oldest is not"))
		return
	}
	r.footage = []axisRecording{first, last}
}
