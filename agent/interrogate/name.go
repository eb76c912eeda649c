package interrogate

import (
	"regexp"
	"slices"
)

// name gives the name that stands on the recorder: that of the recording (the
// one that is active, if there are several with different names). A camera
// without one bears its own name; a recorder's channel that of the video source's
// configuration, or of a profile if it is one that a person gave. Text in the
// picture is none: see Channel.
func (r *readings) name(t track, jobs []recordingJob, own string) string {
	var active, names []string
	for _, i := range t.recordings {
		rec := r.recordings.Items[i]
		n := clean(rec.Configuration.Source.Name)
		if n == "" {
			continue
		}
		names = append(names, n)
		if slices.ContainsFunc(jobs, func(j recordingJob) bool { return j.active() && j.Configuration.Recording == rec.Token }) {
			active = append(active, n)
		}
	}
	for _, choice := range [][]string{active, names} {
		if choice = slices.Compact(slices.Sorted(slices.Values(choice))); len(choice) == 1 {
			return choice[0]
		}
	}
	if own != "" {
		return own
	}
	for _, p := range r.profiles {
		if t.source != "" && p.Source != nil && p.Source.SourceToken == t.source && clean(p.Source.Name) != "" {
			return clean(p.Source.Name)
		}
	}
	for _, p := range r.profiles {
		n := clean(p.Name)
		if t.source != "" && p.Source != nil && p.Source.SourceToken == t.source && n != "" && !streamName.MatchString(n) {
			return n
		}
	}
	return ""
}

// streamName matches the names that makers give to profiles: of a stream, not of
// a place.
var streamName = regexp.MustCompile(`(?i)stream|profile|main|sub|third|h\.?26[45]|jpe?g|mpeg|quality|balanced|bandwidth|token|media|default|^[\W\d_]*$`)
