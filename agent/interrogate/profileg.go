package interrogate

import (
	"context"
	"slices"
	"strings"
	"sync"
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
func (l *lane) recordings(ctx context.Context) {
	r := &l.read
	listed := false
	if xaddr := l.services[nsRecording]; xaddr != "" && l.goOn(ctx) {
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
	if xaddr := l.services[nsSearch]; xaddr != "" {
		to := l.at(xaddr)
		if summary, ok := optional[recordingSummary](ctx, l, to, "GetRecordingSummary", getRecordingSummary{}); ok {
			r.summary = summary
		}
		from, ok := parseTime(r.summary.From)
		believed := ok && !from.Before(earliest)
		none := listed && len(r.recordings.Items) == 0 && strings.Trim(r.summary.Count, " 0") == ""
		if !none && (!listed || !believed || len(r.recordings.Items) > 1) {
			l.search(ctx)
		}
	}
	l.schedules(ctx)
	l.receivers(ctx)
}

// search asks for the age of the footage of all recordings at once. The answers
// come in parts, until the device says that these were all. Where it kept no
// list of recordings, what is found takes its place.
func (l *lane) search(ctx context.Context) {
	to := l.at(l.services[nsSearch])
	found, ok := optional[searchToken](ctx, l, to, "FindRecordings", findRecordings{KeepAlive: "PT10S"})
	if !ok || found.Token == "" {
		return
	}
	r := &l.read
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
func (r *readings) learn(token string, d recordingDetails) {
	if r.details == nil {
		r.details = map[string]recordingDetails{}
	}
	if _, known := r.details[token]; !known && len(r.order) < maxChannels {
		r.details[token] = d
		r.order = append(r.order, token)
	}
}

// schedules asks for those that jobs name, all in one.
func (l *lane) schedules(ctx context.Context) {
	var tokens []string
	for _, j := range l.read.jobs {
		if s := j.Configuration.Schedule; j.active() && s != nil && strings.TrimSpace(*s) != "" && !slices.Contains(tokens, *s) && len(tokens) < 64 {
			tokens = append(tokens, *s)
		}
	}
	xaddr := l.services[nsSchedule]
	if len(tokens) == 0 || xaddr == "" {
		return
	}
	answer, _ := optional[schedules](ctx, l, l.at(xaddr), "GetSchedules", getSchedules{Tokens: tokens})
	l.read.weeks = map[string]week{}
	for _, s := range answer.Items {
		w, err := readWeek(s)
		if err != nil {
			l.note("GetSchedules", err)
			continue
		}
		l.read.weeks[s.Token] = w
	}
}

// receivers asks where a recorder gets its images from, where jobs name that.
func (l *lane) receivers(ctx context.Context) {
	named := slices.ContainsFunc(l.read.jobs, func(j recordingJob) bool {
		return slices.ContainsFunc(j.Configuration.Sources, func(s jobSource) bool { return strings.HasSuffix(strings.TrimSpace(s.Type), "Receiver") })
	})
	if xaddr := l.services[nsReceiver]; xaddr != "" && named {
		if answer, ok := optional[receivers](ctx, l, l.at(xaddr), "GetReceivers", getReceivers{}); ok {
			l.read.receivers = answer
		}
	}
}

// details asks what no list told: the age of single recordings, and whether jobs
// really run. They are bounded in number and time; what is left out is unknown.
func (q *questioning) details(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, detailsTime)
	defer cancel()
	r := &q.read
	var mu sync.Mutex
	r.states = map[string]string{}
	var age, state []func(*lane) bool
	from, ok := parseTime(r.summary.From)
	if xaddr := q.services[nsSearch]; xaddr != "" && (len(r.recordings.Items) > 1 || !ok || from.Before(earliest)) {
		to := q.at(xaddr)
		for _, rec := range r.recordings.Items[:min(len(r.recordings.Items), maxDetails)] {
			if _, known := r.details[rec.Token]; known {
				continue
			}
			age = append(age, func(l *lane) bool {
				answer, ok := optional[recordingInformation](ctx, l, to, "GetRecordingInformation", getRecordingInformation{RecordingToken: rec.Token})
				if ok {
					mu.Lock()
					defer mu.Unlock()
					r.learn(rec.Token, answer.Recording)
				}
				return ok
			})
		}
	}
	if xaddr := q.services[nsRecording]; xaddr != "" {
		to := q.at(xaddr)
		for _, j := range r.jobs[:min(len(r.jobs), maxDetails)] {
			if !j.active() || strings.EqualFold(strings.TrimSpace(r.details[j.Configuration.Recording].Status), "Recording") {
				continue // it runs, as the search has told
			}
			state = append(state, func(l *lane) bool {
				answer, err := ask[recordingJobState](ctx, l.conversation, to, "GetRecordingJobState", getRecordingJobState{JobToken: j.Token})
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					r.states[j.Token] = answer.State
				}
				return err == nil
			})
		}
	}
	q.eachUntil(ctx, age)
	q.eachUntil(ctx, state)
}

// eachUntil puts questions of one kind on both connections. What one is not told
// for, no other is: the first failure ends it.
func (q *questioning) eachUntil(ctx context.Context, questions []func(*lane) bool) {
	var next atomic.Int64
	row := func(l *lane) {
		for l.goOn(ctx) {
			i := int(next.Add(1)) - 1
			if i >= len(questions) {
				return
			}
			if !questions[i](l) {
				next.Store(int64(len(questions)))
			}
		}
	}
	if len(questions) > 0 {
		// The first alone: a device that does not know the question is asked once.
		q.rows(func(l *lane) {
			if next.Add(1); !questions[0](l) {
				next.Store(int64(len(questions)))
			}
		})
		q.rows(row, row)
	}
}
