package interrogate

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
)

// maxChannels of one device are kept: as many as a site may declare.
const maxChannels = protocol.MaxCameras

// readings are the answers from which the channels are made. Any may be absent.
type readings struct {
	pictures
	archive
	texts osds
}

// pictures are what a device shows.
type pictures struct {
	profiles  []profile
	sources   []string // video source tokens, in the device's order
	inputs    []string // video inputs of a hybrid recorder
	analogues []string // video sources with a picture of PAL or NTSC
}

// archive is what it keeps.
type archive struct {
	recordings recordings
	jobs       []recordingJob
	states     map[string]string // of jobs, by token
	weeks      map[string]week   // of schedules, by token
	receivers  receivers
	summary    recordingSummary
	details    map[string]recordingDetails // of recordings, by token
	order      []string                    // of details, as they came
}

// head gives at most n: 1 MiB holds more of the short ones than any device has,
// and they are compared with each other.
func head[T any](all []T, n int) []T { return all[:min(len(all), n)] }

// track is one channel to be, and the recordings that belong to it.
type track struct {
	source     string // video source; "" for a recording that belongs to none
	recordings []int
}

// tracks finds which recordings show which video source. It is not guessed from
// numbers in tokens or from the order: a name on the wrong camera is worse than
// none. A recording names its source itself, or by the profile that its job
// records, or the device has but one source.
//
// Recordings that belong to no source are channels by themselves. If none could
// be matched and there are at least as many as sources, they are all of the
// channels: the sources would be the same cameras again, without their names.
func (r *readings) tracks() []track {
	sourceOf := map[string]string{} // by source and profile token
	var order []string
	add := func(source string) {
		if source != "" && sourceOf[source] == "" {
			sourceOf[source] = source
			order = append(order, source)
		}
	}
	for _, s := range r.sources {
		add(s)
	}
	for _, p := range r.profiles {
		if p.Source != nil {
			add(p.Source.SourceToken)
		}
	}
	for _, p := range r.profiles {
		if p.Source != nil && sourceOf[p.Token] == "" {
			sourceOf[p.Token] = p.Source.SourceToken
		}
	}
	bySource := map[string][]int{}
	var alone []int
	for i, rec := range r.recordings.Items {
		source := sourceOf[strings.TrimSpace(rec.Configuration.Source.Token)]
		for _, j := range r.jobs {
			if source == "" && j.Configuration.Recording == rec.Token {
				source = j.source(sourceOf)
			}
		}
		if source == "" {
			source = sourceOf[strings.TrimSpace(rec.Configuration.Source.ID)]
		}
		if source == "" && len(order) == 1 {
			source = order[0]
		}
		if source == "" {
			alone = append(alone, i)
			continue
		}
		bySource[source] = append(bySource[source], i)
	}
	var tracks []track
	if len(bySource) > 0 || len(alone) < len(order) || len(alone) == 0 {
		for _, s := range order {
			tracks = append(tracks, track{source: s, recordings: bySource[s]})
		}
	}
	for _, i := range alone {
		tracks = append(tracks, track{recordings: []int{i}})
	}
	return tracks[:min(len(tracks), maxChannels)]
}

// source gives the video source that a job records, "" if it does not say.
func (j recordingJob) source(sourceOf map[string]string) string {
	for _, s := range j.Configuration.Sources {
		if t := sourceOf[strings.TrimSpace(s.Token)]; t != "" {
			return t
		}
	}
	return ""
}

func (j recordingJob) active() bool {
	return strings.EqualFold(strings.TrimSpace(j.Configuration.Mode), "Active")
}

// channels makes the device's channels of what was read at now. The error says
// why the age of the footage is not believed.
func (r *readings) channels(d *Device, now time.Time) ([]Channel, error) {
	tracks := r.tracks()
	var all []Channel
	var doubt error
	for _, t := range tracks {
		only := len(tracks) == 1
		c := Channel{ID: clean(t.source)}
		if t.source == "" {
			c.ID = clean(r.recordings.Items[t.recordings[0]].Token)
		}
		jobs := r.jobsOf(t, only)
		r.view(&c, t.source, jobs)
		own := "" // a camera's own name, if it is more than its maker's
		if only && !strings.EqualFold(d.Name, d.Vendor) {
			own = d.Name
		}
		c.Name = r.name(t, jobs, own)
		c.OnScreen = r.textOf(t.source, only)
		c.Analogue = r.analogue(t.source, len(tracks))
		c.Camera = r.behind(t, jobs)
		c.Schedule = readSchedule(jobs, r.states, r.weeks)
		c.Retention = r.retention(t, jobs)
		oldest, err := r.oldest(t, only, d, now)
		if err != nil {
			doubt = err
		}
		if !oldest.IsZero() {
			c.Retention.OldestFootage, c.Retention.ObservedAt = oldest, now
		}
		if c.Schedule.Kind != protocol.ScheduleUnknown {
			c.Schedule.Zone, c.Schedule.ZoneAssumed = d.Zone, d.Zone == "" || d.ZoneAssumed
		}
		c.state(r, t, now)
		all = append(all, c)
	}
	return all, doubt
}

// state writes down which values were measured, when, and from which words.
func (c *Channel) state(r *readings, t track, now time.Time) {
	raw := map[string][]string{"name": {c.Name}}
	for _, i := range t.recordings {
		raw["retention"] = append(raw["retention"], r.recordings.Items[i].Configuration.RetentionPeriod)
		raw["oldest"] = append(raw["oldest"], r.details[r.recordings.Items[i].Token].Earliest)
	}
	if len(slices.Compact(raw["oldest"])) < 2 {
		raw["oldest"] = append(raw["oldest"], r.summary.From)
	}
	c.fact("name", "onvif", c.Name != "", raw["name"], now)
	c.fact("resolution", "onvif GetProfiles", c.WidthPx > 0, nil, now)
	c.fact("schedule", "onvif GetRecordingJobs", c.Schedule.Kind != protocol.ScheduleUnknown, nil, now)
	c.fact("retention", "onvif GetRecordings", c.Retention.Kind != protocol.RetentionUnknown, raw["retention"], now)
	c.fact("oldest", "onvif GetRecordingSummary", !c.Retention.OldestFootage.IsZero(), raw["oldest"], now)
}

// fact notes that a group of values was told, in raw words.
func (c *Channel) fact(group, from string, told bool, raw []string, now time.Time) {
	if !told {
		return
	}
	f := Fact{protocol.Fact{Source: protocol.Measured, At: now}, cut(from), rawWords(raw...)}
	if c.Facts == nil {
		c.Facts = map[string]Fact{}
	}
	c.Facts[group] = f
	switch group {
	case "schedule":
		c.Schedule.Fact = f.Fact
	case "retention", "oldest":
		c.Retention.Fact = f.Fact
	}
}

// jobsOf gives the jobs that record this track; all of them if it is the only one.
func (r *readings) jobsOf(t track, only bool) []recordingJob {
	if only {
		return r.jobs
	}
	sourceOf := map[string]string{t.source: t.source}
	for _, p := range r.profiles {
		if p.Source != nil && p.Source.SourceToken == t.source {
			sourceOf[p.Token] = t.source
		}
	}
	var jobs []recordingJob
	for _, j := range r.jobs {
		mine := slices.ContainsFunc(t.recordings, func(i int) bool {
			return r.recordings.Items[i].Token == j.Configuration.Recording
		})
		if mine || t.source != "" && j.source(sourceOf) != "" {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// view sets resolution and turning from the profiles of a source. The
// resolution is that of the profile that an active job records; without one, the
// largest that is a video stream and not made of stills (JPEG profiles may be
// larger and are for snapshots), then the largest of all.
func (r *readings) view(c *Channel, source string, jobs []recordingJob) {
	rank := 0
	for _, p := range r.profiles {
		if source == "" || p.Source == nil || p.Source.SourceToken != source {
			continue
		}
		c.Turns = c.Turns || p.PTZ.turns()
		w, h, ok := p.Encoder.size()
		if !ok {
			continue
		}
		n := 1
		if !strings.EqualFold(strings.TrimSpace(p.Encoder.Encoding), "JPEG") {
			n = 2
		}
		if slices.ContainsFunc(jobs, func(j recordingJob) bool { return j.active() && j.records(p.Token) }) {
			n = 3
		}
		if n > rank || n == rank && w*h > c.WidthPx*c.HeightPx {
			rank, c.WidthPx, c.HeightPx = n, w, h
		}
	}
}

// turns tells whether a camera moves: one that names only ways to zoom does not.
func (p *ptz) turns() bool {
	if p == nil {
		return false
	}
	zooms := p.AbsoluteZoom+p.RelativeZoom+p.ContinuousZoom != ""
	return p.Absolute+p.Relative+p.Continuous != "" || !zooms
}

func (j recordingJob) records(profile string) bool {
	for _, s := range j.Configuration.Sources {
		if strings.TrimSpace(s.Token) == profile {
			return true
		}
	}
	return false
}

func (e *videoEncoder) size() (w, h int, ok bool) {
	if e == nil {
		return 0, 0, false
	}
	w, errW := strconv.Atoi(strings.TrimSpace(e.Width))
	h, errH := strconv.Atoi(strings.TrimSpace(e.Height))
	const most = 1 << 15
	return w, h, errW == nil && errH == nil && w > 0 && h > 0 && w <= most && h <= most
}

// analogue tells whether a source is one of a hybrid recorder's sockets for
// cables: its picture is that of PAL or NTSC, or the recorder names some of its
// channels as inputs and others not (a camera's sensor is an input too).
func (r *readings) analogue(source string, channels int) bool {
	if channels > 1 && slices.Contains(r.analogues, source) {
		return true
	}
	n := 0
	for _, t := range r.inputs {
		if slices.Contains(r.sources, t) {
			n++
		}
	}
	return source != "" && n > 0 && n < channels && slices.Contains(r.inputs, source)
}

func (r *readings) retention(t track, jobs []recordingJob) protocol.Retention {
	var active, all []protocol.Retention
	for _, i := range t.recordings {
		rec := r.recordings.Items[i]
		one := readRetention(rec.Configuration.RetentionPeriod)
		all = append(all, one)
		if slices.ContainsFunc(jobs, func(j recordingJob) bool { return j.active() && j.Configuration.Recording == rec.Token }) {
			active = append(active, one)
		}
	}
	if len(active) > 0 {
		return longest(active)
	}
	return longest(all)
}

// oldest gives the oldest footage of a track: from the details of its
// recordings, or, for the only one, from the device's summary.
func (r *readings) oldest(t track, only bool, d *Device, now time.Time) (time.Time, error) {
	var times []time.Time
	if only {
		at, err := readOldest(r.summary.From, r.summary.Until, d.Clock, d.Zone, now)
		if err != nil || !at.IsZero() {
			return at, err
		}
	}
	for _, i := range t.recordings {
		info := r.details[r.recordings.Items[i].Token]
		at, err := readOldest(info.Earliest, info.Latest, d.Clock, d.Zone, now)
		if err != nil {
			return time.Time{}, err
		}
		times = append(times, at)
	}
	return oldestOf(times), nil
}
