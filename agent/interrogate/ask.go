package interrogate

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/use-go/onvif/device"
	"github.com/use-go/onvif/media"
	"github.com/use-go/onvif/xsd"

	"anagrafe/agent/discover"
)

// Options of an Asker.
type Options struct {
	Memory  Memory           // nil: no credentials are known
	Log     *slog.Logger     // nil: silent
	Now     func() time.Time // nil: time.Now
	Timeout time.Duration    // for one device; 0: 30 s
}

// Asker interrogates devices. It may be used by several goroutines at a time,
// for different devices.
type Asker struct {
	o        Options
	callTime time.Duration
}

// New makes an Asker.
func New(o Options) *Asker {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Timeout = cmp.Or(o.Timeout, deviceTime)
	return &Asker{o: o, callTime: callTime}
}

// Ask asks one device what it is. It only reads. It never fails: what could not
// be read is in the Device, and ctx's end cuts it short.
func (a *Asker) Ask(ctx context.Context, s discover.Sighting) Device {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	log := a.o.Log.With("device", s.Address.String())
	auth := &authenticator{memory: a.o.Memory, sighting: s, log: log, now: a.o.Now, needs: NeedsNothing}
	q := &questioning{
		conversation: newConversation(s.Service(), auth, log, a.callTime),
		device:       Device{Sighting: s},
		now:          a.o.Now,
	}
	defer q.close()
	q.all(ctx, s)
	return q.device
}

// questioning is the making of one Device.
type questioning struct {
	*conversation
	device Device
	read   readings
	now    func() time.Time
}

func (q *questioning) all(ctx context.Context, s discover.Sighting) {
	d := &q.device
	scopes := slices.Clone(s.Scopes)
	if q.clock(ctx) && q.goOn(ctx) {
		q.identity(ctx)
		scopes = append(scopes, q.scopes(ctx)...)
		if q.goOn(ctx) {
			services := q.services(ctx)
			q.media(ctx, services)
			q.recordings(ctx, services)
		}
	}
	id := readScopes(scopes)
	d.Name = id.name
	d.Model = cmp.Or(d.Model, id.hardware)
	d.Answered, d.Needs = q.heard, q.auth.needs
	channels, doubt := q.read.channels(d, q.now().UTC().Truncate(time.Second))
	d.Channels = channels
	if doubt != nil {
		d.Errors = append(d.Errors, Problem{"oldest footage", doubt.Error()})
	}
	d.Kind = KindCamera
	if d.isRecorder(id) {
		d.Kind = KindRecorder
	}
}

// goOn tells whether further questions make sense.
func (q *questioning) goOn(ctx context.Context) bool {
	return ctx.Err() == nil && q.silent < maxSilent && !q.auth.stopped
}

// clock asks for the time, first and without credentials: the answer is needed
// to sign, and a camera that gets a wrong token refuses even this. It tells
// whether an ONVIF service answered, and finds its path where the one named is
// wrong.
func (q *questioning) clock(ctx context.Context) bool {
	const operation = "GetSystemDateAndTime"
	var answer systemDateAndTime
	var err error
	for _, path := range q.paths() {
		q.base.Path, q.base.RawPath, q.base.RawQuery = path.Path, path.RawPath, path.RawQuery
		answer, err = ask[systemDateAndTime](ctx, q.conversation, q.base, operation, device.GetSystemDateAndTime{})
		if _, other := errors.AsType[*notSOAPError](err); !other {
			break
		}
	}
	if err == nil {
		q.device.Clock, err = readClock(answer, q.sent, q.received)
	}
	if err != nil {
		q.note(operation, err)
		return q.heard
	}
	q.device.Zone = readZone(answer, q.now())
	q.auth.offset, q.auth.offsetSet = time.Duration(q.device.Clock.OffsetMs)*time.Millisecond, true
	return true
}

// paths are where the device service may be: as named, ONVIF's usual path, and
// the root, which some servers give for every service.
func (q *questioning) paths() []url.URL {
	all := []url.URL{*q.base}
	for _, p := range []string{"/onvif/device_service", "/"} {
		if q.base.Path != p {
			all = append(all, url.URL{Path: p})
		}
	}
	return all
}

func (q *questioning) identity(ctx context.Context) {
	d := &q.device
	info, err := ask[deviceInformation](ctx, q.conversation, q.base, "GetDeviceInformation", device.GetDeviceInformation{})
	q.note("GetDeviceInformation", err)
	d.Vendor, d.Model, d.Firmware = clean(info.Manufacturer), clean(info.Model), clean(info.FirmwareVersion)
	d.Serial, d.HardwareID = clean(info.SerialNumber), clean(info.HardwareID)
	if !q.goOn(ctx) {
		return
	}
	nics, err := ask[networkInterfaces](ctx, q.conversation, q.base, "GetNetworkInterfaces", device.GetNetworkInterfaces{})
	q.noteUnlessUnsupported("GetNetworkInterfaces", err)
	d.MACs = readMACs(nics.MACs)
}

func (q *questioning) scopes(ctx context.Context) []string {
	if !q.goOn(ctx) {
		return nil
	}
	answer, err := ask[scopes](ctx, q.conversation, q.base, "GetScopes", device.GetScopes{})
	q.noteUnlessUnsupported("GetScopes", err)
	return answer.Items
}

// services gives the XAddr of each service by its namespace. GetServices is
// tried in both forms (Hikvision V5.1.6 and TRENDnet V5.3.4 refuse one with
// ter:InvalidParameter and answer the other); GetCapabilities adds what that
// does not name: old devices (AXIS Q6045-E 5.55) know nothing else.
func (q *questioning) services(ctx context.Context) map[string]string {
	found := map[string]string{}
	var err error
	for _, include := range []xsd.Boolean{false, true} {
		var answer services
		answer, err = ask[services](ctx, q.conversation, q.base, "GetServices", device.GetServices{IncludeCapability: include})
		if err == nil {
			for _, s := range answer.Services {
				if ns := strings.TrimSpace(s.Namespace); found[ns] == "" && len(found) < 64 {
					found[ns] = s.XAddr
				}
			}
			break
		}
		if !q.goOn(ctx) {
			break
		}
	}
	if (found[nsMedia] == "" || found[nsRecording] == "" || found[nsSearch] == "") && q.goOn(ctx) {
		answer, capErr := ask[capabilities](ctx, q.conversation, q.base, "GetCapabilities", device.GetCapabilities{Category: "All"})
		for ns, xaddr := range map[string]string{nsMedia: answer.Media, nsRecording: answer.Recording, nsSearch: answer.Search} {
			found[ns] = cmp.Or(found[ns], xaddr)
		}
		if capErr == nil {
			err = nil
		}
	}
	q.note("GetServices", err)
	return found
}

func (q *questioning) media(ctx context.Context, services map[string]string) {
	if !q.goOn(ctx) {
		return
	}
	to := q.at(services[nsMedia]) // the device service itself, if nothing names one
	answer, err := ask[profiles](ctx, q.conversation, to, "GetProfiles", media.GetProfiles{})
	q.read.addProfiles(answer)
	if xaddr := services[nsMedia2]; xaddr != "" && q.goOn(ctx) {
		// Some list H.265 streams only here.
		answer, err2 := ask[profiles](ctx, q.conversation, q.at(xaddr), "GetProfiles", getProfiles2{Type: "All"})
		q.read.addProfiles(answer)
		if err2 == nil {
			err = nil
		}
	}
	q.note("GetProfiles", err)
	if !q.goOn(ctx) {
		return
	}
	sources, err := ask[videoSources](ctx, q.conversation, to, "GetVideoSources", media.GetVideoSources{})
	q.noteUnlessUnsupported("GetVideoSources", err)
	for _, s := range sources.Sources {
		q.read.sources = append(q.read.sources, s.Token)
	}
}

// addProfiles adds one media service's profiles. A profile that both name is
// one: of its two encoders the larger is kept.
func (r *readings) addProfiles(answer profiles) {
	for _, p := range answer.Profiles {
		p.Source = cmp.Or(p.Source, p.Media2.Source)
		p.Encoder = cmp.Or(p.Encoder, p.Media2.Encoder)
		p.PTZ = cmp.Or(p.PTZ, p.Media2.PTZ)
		i := slices.IndexFunc(r.profiles, func(o profile) bool { return o.Token == p.Token })
		if i < 0 {
			r.profiles = append(r.profiles, p)
			continue
		}
		o := &r.profiles[i]
		o.Source, o.PTZ = cmp.Or(o.Source, p.Source), cmp.Or(o.PTZ, p.PTZ)
		w, h, _ := o.Encoder.size()
		if w2, h2, ok := p.Encoder.size(); ok && w2*h2 > w*h {
			o.Encoder = p.Encoder
		}
	}
}

// maxDetails of recordings or jobs are asked for, one call each.
const maxDetails = 64

// recordings asks the services of Profile G, where the device names them.
// Nothing about them is not "does not record": a camera lists only what was
// set over ONVIF, and many recorders do not offer the services at all.
func (q *questioning) recordings(ctx context.Context, services map[string]string) {
	r := &q.read
	r.states, r.details = map[string]string{}, map[string]recordingInformation{}
	if xaddr := services[nsRecording]; xaddr != "" && q.goOn(ctx) {
		to := q.at(xaddr)
		var err error
		r.recordings, err = ask[recordings](ctx, q.conversation, to, "GetRecordings", getRecordings{})
		q.note("GetRecordings", err)
		if q.goOn(ctx) {
			jobs, err := ask[recordingJobs](ctx, q.conversation, to, "GetRecordingJobs", getRecordingJobs{})
			q.noteUnlessUnsupported("GetRecordingJobs", err)
			r.jobs = jobs.Items
		}
		for _, j := range r.jobs[:min(len(r.jobs), maxDetails)] {
			if !j.active() || !q.goOn(ctx) {
				continue
			}
			state, err := ask[recordingJobState](ctx, q.conversation, to, "GetRecordingJobState", getRecordingJobState{JobToken: j.Token})
			if err != nil {
				break // what one job's state is not told for, no other's is
			}
			r.states[j.Token] = state.State
		}
	}
	if xaddr := services[nsSearch]; xaddr != "" && q.goOn(ctx) {
		q.search(ctx, q.at(xaddr))
	}
}

// search asks for the age of the footage: of the whole device, and of each
// recording if there are several cameras or the first gives none.
func (q *questioning) search(ctx context.Context, to *url.URL) {
	r := &q.read
	var err error
	r.summary, err = ask[recordingSummary](ctx, q.conversation, to, "GetRecordingSummary", getRecordingSummary{})
	q.noteUnlessUnsupported("GetRecordingSummary", err)
	from, ok := parseTime(r.summary.From)
	if ok && !from.Before(earliest) && len(r.tracks()) <= 1 {
		return
	}
	for _, rec := range r.recordings.Items[:min(len(r.recordings.Items), maxDetails)] {
		if !q.goOn(ctx) {
			return
		}
		answer, err := ask[recordingInformation](ctx, q.conversation, to, "GetRecordingInformation", getRecordingInformation{RecordingToken: rec.Token})
		if err != nil {
			q.noteUnlessUnsupported("GetRecordingInformation", err)
			return
		}
		r.details[rec.Token] = answer
	}
}

func (q *questioning) note(what string, err error) {
	if err != nil {
		q.device.Errors = append(q.device.Errors, Problem{what, err.Error()})
	}
}

// noteUnlessUnsupported is for what a device may well do without.
func (q *questioning) noteUnlessUnsupported(what string, err error) {
	if _, unsupported := errors.AsType[*unsupportedError](err); !unsupported {
		q.note(what, err)
	}
}
