package interrogate

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Limits of what has to be asked one by one, where a device has no list of it.
const (
	maxDetails  = 256
	detailsTime = 10 * time.Second
	maxPages    = 8 // answers to one search
)

// recordings asks the services of Profile G, where the device names them.
// Nothing about them is not "does not record": a camera lists only what was
// set over ONVIF, and many recorders do not offer the services at all.
func (l *lane) recordings(ctx context.Context, o offer) (r archive) {
	listed := false
	if xaddr := o.services[nsRecording]; xaddr != "" && l.goOn(ctx) {
		to := l.at(xaddr)
		var err error
		r.recordings, err = ask[recordings](ctx, l.conversation, to, "GetRecordings", getRecordings{})
		r.recordings.Items = head(r.recordings.Items, maxChannels)
		l.note("GetRecordings", err)
		listed = err == nil
		if jobs, ok := optional[recordingJobs](ctx, l, to, "GetRecordingJobs", getRecordingJobs{}); ok {
			r.jobs = head(jobs.Items, maxChannels)
		}
	}
	if xaddr := o.services[nsSearch]; xaddr != "" {
		to := l.at(xaddr)
		if summary, ok := optional[recordingSummary](ctx, l, to, "GetRecordingSummary", getRecordingSummary{}); ok {
			r.summary = summary
		}
		from, ok := parseTime(r.summary.From)
		believed := ok && !from.Before(earliest)
		none := listed && len(r.recordings.Items) == 0 && strings.Trim(r.summary.Count, " 0") == ""
		if !none && (!listed || !believed || len(r.recordings.Items) > 1) {
			l.search(ctx, to, &r)
		}
	}
	r.weeks = l.schedules(ctx, o, r.jobs)
	r.receivers = l.receivers(ctx, o, r.jobs)
	return r
}

// search asks for the age of the footage of all recordings at once. The answers
// come in parts, until the device says that these were all. Where it kept no
// list of recordings, what is found takes its place.
func (l *lane) search(ctx context.Context, to *url.URL, r *archive) {
	found, ok := optional[searchToken](ctx, l, to, "FindRecordings", findRecordings{KeepAlive: "PT10S"})
	if !ok || found.Token == "" {
		return
	}
	for range maxPages {
		if !l.goOn(ctx) {
			break
		}
		// A device that answers each request in a process of its own has forgotten
		// the search: its details are asked one by one.
		page, err := ask[searchResults](ctx, l.conversation, to, "GetRecordingSearchResults", getRecordingSearchResults{SearchToken: found.Token, WaitTime: "PT5S"})
		if err != nil {
			return
		}
		for _, d := range page.Items[:min(len(page.Items), 4*maxDetails)] {
			r.learn(d.Token, d)
		}
		if len(page.Items) == 0 || !strings.EqualFold(strings.TrimSpace(page.State), "Searching") && !strings.EqualFold(strings.TrimSpace(page.State), "Queued") {
			break
		}
	}
	if l.goOn(ctx) {
		_, _ = ask[struct{}](ctx, l.conversation, to, "EndSearch", endSearch{SearchToken: found.Token}) // politeness: it ends by itself
	}
	if len(r.recordings.Items) == 0 {
		for _, token := range r.order {
			rec := recording{Token: token}
			rec.Configuration.Source = r.details[token].Source
			r.recordings.Items = append(r.recordings.Items, rec)
		}
	}
}

// learn keeps the details of one recording. "The whole store whatever the
// filter" (Dahua, agsh/onvif#298) repeats tokens: the first counts.
func (r *archive) learn(token string, d recordingDetails) {
	if r.details == nil {
		r.details = map[string]recordingDetails{}
	}
	if _, known := r.details[token]; !known && len(r.order) < maxChannels {
		r.details[token] = d
		r.order = append(r.order, token)
	}
}

// schedules asks for those that jobs name, all in one.
func (l *lane) schedules(ctx context.Context, o offer, jobs []recordingJob) map[string]week {
	var tokens []string
	for _, j := range jobs {
		if s := j.Configuration.Schedule; j.active() && s != nil && strings.TrimSpace(*s) != "" && !slices.Contains(tokens, *s) && len(tokens) < 64 {
			tokens = append(tokens, *s)
		}
	}
	xaddr := o.services[nsSchedule]
	if len(tokens) == 0 || xaddr == "" {
		return nil
	}
	answer, _ := optional[schedules](ctx, l, l.at(xaddr), "GetSchedules", getSchedules{Tokens: tokens})
	weeks := map[string]week{}
	for _, s := range answer.Items {
		w, err := readWeek(s)
		if err != nil {
			l.note("GetSchedules", err)
			continue
		}
		weeks[s.Token] = w
	}
	return weeks
}

// receivers asks where a recorder gets its images from, where jobs name that.
func (l *lane) receivers(ctx context.Context, o offer, jobs []recordingJob) receivers {
	named := slices.ContainsFunc(jobs, func(j recordingJob) bool {
		return slices.ContainsFunc(j.Configuration.Sources, func(s jobSource) bool { return strings.HasSuffix(strings.TrimSpace(s.Type), "Receiver") })
	})
	xaddr := o.services[nsReceiver]
	if xaddr == "" || !named {
		return receivers{}
	}
	answer, _ := optional[receivers](ctx, l, l.at(xaddr), "GetReceivers", getReceivers{})
	return answer
}

// details asks what no list told: the age of single recordings, and whether jobs
// really run. They are bounded in number and time; what is left out is unknown.
func (q *questioning) details(ctx context.Context, o offer) {
	ctx, cancel := context.WithTimeout(ctx, detailsTime)
	defer cancel()
	r := &q.read.archive
	var untold, unsure []string // tokens of recordings, and of jobs
	from, ok := parseTime(r.summary.From)
	if o.services[nsSearch] != "" && (len(r.recordings.Items) > 1 || !ok || from.Before(earliest)) {
		for _, rec := range head(r.recordings.Items, maxDetails) {
			if _, known := r.details[rec.Token]; !known {
				untold = append(untold, rec.Token)
			}
		}
	}
	if o.services[nsRecording] != "" {
		for _, j := range head(r.jobs, maxDetails) {
			if j.active() && !strings.EqualFold(strings.TrimSpace(r.details[j.Configuration.Recording].Status), "Recording") { // else it runs, as the search has told
				unsure = append(unsure, j.Token)
			}
		}
	}
	ages := eachUntil(ctx, q, untold, func(l *lane, token string) (recordingInformation, bool) {
		return optional[recordingInformation](ctx, l, l.at(o.services[nsSearch]), "GetRecordingInformation", getRecordingInformation{RecordingToken: token})
	})
	for _, token := range untold {
		if answer, told := ages[token]; told {
			r.learn(token, answer.Recording)
		}
	}
	states := eachUntil(ctx, q, unsure, func(l *lane, token string) (recordingJobState, bool) {
		answer, err := ask[recordingJobState](ctx, l.conversation, l.at(o.services[nsRecording]), "GetRecordingJobState", getRecordingJobState{JobToken: token})
		return answer, err == nil
	})
	r.states = map[string]string{}
	for token, answer := range states {
		r.states[token] = answer.State
	}
}

// eachUntil puts a question for each token on both connections, and gives the answers.
// What one is not told for, no other is: the first failure ends it.
func eachUntil[A any](ctx context.Context, q *questioning, tokens []string, question func(*lane, string) (A, bool)) map[string]A {
	var next atomic.Int64
	row := func(l *lane, ctx context.Context) map[string]A {
		answers := map[string]A{}
		for i := int(next.Add(1)) - 1; i < len(tokens) && l.goOn(ctx); i = int(next.Add(1)) - 1 {
			answer, ok := question(l, tokens[i])
			if !ok {
				next.Store(int64(len(tokens)))
				break
			}
			answers[tokens[i]] = answer
			if i == 0 { // alone: a device that does not know the question is asked once
				break
			}
		}
		return answers
	}
	answers := alone(ctx, q, row)
	one, other := both(ctx, q, row, row)
	maps.Copy(answers, one)
	maps.Copy(answers, other)
	return answers
}
