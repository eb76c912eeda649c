package interrogate

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/use-go/onvif/media"
)

// media asks for profiles and picture sources.
func (l *lane) media(ctx context.Context, o offer) (r pictures) {
	if !l.goOn(ctx) {
		return r
	}
	to := l.at(o.services[nsMedia]) // the device service itself, if nothing names one
	var err error
	first := o.services[nsMedia] != "" || o.services[nsMedia2] == ""
	if first {
		var answer profiles
		answer, err = ask[profiles](ctx, l.conversation, to, "GetProfiles", media.GetProfiles{})
		r.addProfiles(answer)
	}
	if xaddr := o.services[nsMedia2]; xaddr != "" && l.goOn(ctx) {
		// Some list H.265 streams only here.
		answer, err2 := ask[profiles](ctx, l.conversation, l.at(xaddr), "GetProfiles", getProfiles2{Type: []string{"All"}})
		if errors.Is(err2, errTooLong) && l.goOn(ctx) {
			answer, err2 = ask[profiles](ctx, l.conversation, l.at(xaddr), "GetProfiles", getProfiles2{Type: []string{"VideoSource", "VideoEncoder"}})
		}
		r.addProfiles(answer)
		if err2 == nil || !first {
			err = err2
		}
	}
	if errors.Is(err, errTooLong) && l.goOn(ctx) {
		// Hundreds of profiles, each with all it has: the sources alone are short.
		answer, err2 := ask[sourceConfigurations](ctx, l.conversation, to, "GetVideoSourceConfigurations", media.GetVideoSourceConfigurations{})
		for _, s := range head(answer.Items, maxChannels) {
			r.profiles = append(r.profiles, profile{Source: &s})
		}
		if err2 == nil {
			err = nil
		}
	}
	l.note("GetProfiles", err)
	if !first {
		return r
	}
	if sources, ok := optional[videoSources](ctx, l, to, "GetVideoSources", media.GetVideoSources{}); ok {
		for _, s := range head(sources.Sources, maxChannels) {
			r.sources = append(r.sources, s.Token)
			if analogueWidths[strings.TrimSpace(s.Width)] && analogueHeights[strings.TrimSpace(s.Height)] {
				r.analogues = append(r.analogues, s.Token)
			}
		}
	}
	return r
}

// The pictures of PAL and NTSC, as recorders digitise them; no camera with a
// network of its own has a sensor of such a size today.
var (
	analogueWidths  = map[string]bool{"704": true, "720": true, "928": true, "944": true, "960": true}
	analogueHeights = map[string]bool{"480": true, "576": true}
)

// addProfiles adds one media service's profiles. A profile that both name is
// one: of its two encoders the larger is kept.
func (r *pictures) addProfiles(answer profiles) {
	known := map[string]int{}
	for i, p := range r.profiles {
		known[p.Token] = i
	}
	for _, p := range answer.Profiles {
		p.Source = cmp.Or(p.Source, p.Media2.Source)
		p.Encoder = cmp.Or(p.Encoder, p.Media2.Encoder)
		p.PTZ = cmp.Or(p.PTZ, p.Media2.PTZ)
		i, ok := known[p.Token]
		if !ok {
			if len(r.profiles) == 4*maxChannels { // main, second, mobile and one more
				continue
			}
			known[p.Token] = len(r.profiles)
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

// onScreen asks for the texts in the pictures, where the recordings name none of
// the channels: they help the owner to recognise a camera.
func (l *lane) onScreen(ctx context.Context, o offer, read readings) osds {
	for _, r := range read.recordings.Items {
		if clean(r.Configuration.Source.Name) != "" {
			return osds{}
		}
	}
	var request any = getOSDs{}
	xaddr := o.services[nsMedia]
	if xaddr == "" {
		xaddr, request = o.services[nsMedia2], getOSDs2{}
	}
	if xaddr == "" || len(read.profiles) == 0 {
		return osds{}
	}
	answer, _ := extra[osds](ctx, l, l.at(xaddr), "GetOSDs", request)
	return answer
}

// textOf joins the plain texts in the picture of a source. A text names its
// source by the source's configuration; one that names none is of the only one.
func (r *readings) textOf(source string, only bool) string {
	var texts []string
	for _, o := range r.texts.Items {
		text := clean(o.Text)
		if text == "" || !strings.EqualFold(cmp.Or(strings.TrimSpace(o.Kind), "Plain"), "Plain") || slices.Contains(texts, text) {
			continue
		}
		configuration := strings.TrimSpace(o.Source)
		mine := only || slices.ContainsFunc(r.profiles, func(p profile) bool {
			return source != "" && p.Source != nil && p.Source.SourceToken == source && p.Source.Token == configuration
		})
		if mine && len(texts) < 8 {
			texts = append(texts, text)
		}
	}
	return clean(strings.Join(texts, " "))
}
